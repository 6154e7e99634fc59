"""List the catalog's components, or show one with its sources."""

from __future__ import annotations

from typing import Annotated

import typer

from rackwright import catalog as catalogs
from rackwright.cli.given import CatalogFolder
from rackwright.cli.output import JsonFlag, answer
from rackwright.cli.tables import table
from rackwright.records.component import Component
from rackwright.records.errors import UnknownComponentError


def list_(
    kind: Annotated[str | None, typer.Argument(help="accelerators, systems, nics ...")] = None,
    catalog: CatalogFolder = None,
    as_json: JsonFlag = False,
) -> None:
    """List the components of a kind, or the kinds."""
    components = catalogs.load(catalog)
    if kind is None:
        counts = {k: len(components.names(k)) for k in catalogs.KINDS}
        answer(
            counts,
            table(["kind", "components"], [[k, str(n)] for k, n in counts.items()]),
            "rackwright catalog list accelerators",
            as_json=as_json,
        )
        return
    found = components.all(kind)
    answer(
        [c.key for c in found],
        table(
            ["key", "name", "vendor", "status", "grade"],
            [[c.key, c.name, c.vendor or "-", c.status, str(c.grade_of())] for c in found],
        ),
        f"rackwright catalog show {found[0].key}" if found else "rackwright catalog list",
        as_json=as_json,
    )


list_.__name__ = "list"


def show(
    name: Annotated[str, typer.Argument(help="a key or an alias, such as B200")],
    catalog: CatalogFolder = None,
    as_json: JsonFlag = False,
) -> None:
    """Show a component with its numbers, sources, prices and lead times."""
    components = catalogs.load(catalog)
    kind, component = _find(components, name)
    numbers = {
        key: value
        for key, value in component.model_dump(mode="json", exclude_none=True).items()
        if key not in ("source", "price", "lead_time") and value not in ("", [], {})
    }
    lines = [f"{component.key}: a component of {kind}, grade {component.grade_of()}", ""]
    lines += [f"  {key} = {value}" for key, value in numbers.items()]
    lines += ["", "sources:"]
    for source in component.source:
        lines.append(
            f"  [{source.grade}, {source.kind}] {', '.join(source.fields)}: {source.title}"
        )
        if source.note:
            lines.append(f"      {source.note}")
    for price in component.price:
        lines.append(
            f"  price {price.usd_low:,.0f} to {price.usd_high:,.0f} USD as of {price.as_of} "
            f"[{price.grade}, {price.basis}]"
        )
    for lead in component.lead_time:
        lines.append(
            f"  lead time {lead.weeks_low:g} to {lead.weeks_high:g} weeks as of {lead.as_of} "
            f"[{lead.grade}, {lead.basis}]"
        )
    answer(
        component.model_dump(mode="json"),
        lines,
        f"rackwright catalog list {kind}",
        as_json=as_json,
    )


subcommands = (list_, show)


def _find(components: catalogs.Catalog, name: str) -> tuple[str, Component]:
    """Return the first component of that name over all kinds."""
    known: set[str] = set()
    for kind in catalogs.KINDS:
        try:
            return kind, components.get(kind, name)
        except UnknownComponentError:
            known |= set(components.names(kind))
    raise UnknownComponentError("component", name, known)
