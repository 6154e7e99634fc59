"""The documents behind the components that the designs lean on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rackwright.catalog import Catalog
from rackwright.records.component import Accelerator, Component
from rackwright.records.space import ComponentSource, SpaceRow

_BILLED = ("parts", "nics", "switches", "optics", "power_shelves")
_NAMED = ("accelerators", "systems", "servers", "interfaces")


def sources_of(rows: Sequence[SpaceRow], catalog: Catalog) -> tuple[ComponentSource, ...]:
    """Return what was read of every component in the rows: facts first, then the price in use."""
    keys = sorted(
        {line.part for row in rows for line in row.bill}
        | {row.accelerator for row in rows}
        | {row.system for row in rows}
        | {row.axes.interface for row in rows}
    )
    for row in rows:  # memory is billed by its kind, priced as the stacks it is bought in
        stack = catalog.find(Accelerator, row.accelerator).memory_stack_part
        if stack and stack not in keys:
            keys.append(stack)
    found: list[ComponentSource] = []
    for kind in (*_NAMED, *_BILLED):
        known = set(catalog.names(kind))
        for key in keys:
            if key in known:
                found += _of(catalog.get(kind, key))
    return tuple(found)


def _of(component: Component) -> Iterator[ComponentSource]:
    for source in component.source:
        yield ComponentSource(
            component=component.key,
            states=source.fields,
            title=source.title,
            url=source.url,
            retrieved=source.retrieved,
            kind=source.kind,
            grade=source.grade,
        )
    price = component.latest_price()
    if price is not None:
        yield ComponentSource(
            component=component.key,
            states=("price",),
            title=price.source,
            retrieved=price.as_of,
            kind=price.kind,
            grade=price.grade,
        )
