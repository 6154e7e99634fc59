"""A component as rows: each value by its dotted field, with its unit, grade and other values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from rackwright.catalog.plausible import unit_of
from rackwright.records.component import Alternative, Component
from rackwright.records.provenance import Grade

Value = float | int | str | bool

NOT_FIELDS = ("key", "source", "alternative", "price", "lead_time", "parameter")


class FieldRow(NamedTuple):
    """One value of a component."""

    field: str
    value: Value
    unit: str
    grade: Grade | None  # None: nothing that a source states, such as a name
    estimate: bool
    others: tuple[Alternative, ...]


def field_rows(component: Component) -> tuple[FieldRow, ...]:
    """Return every value of a component that is there, in the order of its record."""
    told = component.model_dump(mode="json", exclude=set(NOT_FIELDS), exclude_defaults=True)
    stated = {field for source in component.source for field in source.fields}
    rows = []
    for path, value in _flat(told):
        field = path.split(".")[0].split("[")[0]
        grade = component.grade_of([field]) if field in stated else None
        rows.append(
            FieldRow(
                field=path,
                value=value,
                unit=_unit(path) if isinstance(value, float) else "",
                grade=grade,
                estimate=grade is not None and component.is_estimate(field),
                others=tuple(o for o in component.alternative if o.field == path),
            )
        )
    return tuple(rows)


def values_of(component: Component) -> dict[str, Value]:
    """Return every value of a component by its dotted field."""
    return {row.field: row.value for row in field_rows(component)}


def _unit(path: str) -> str:
    parts = [part.split("[")[0] for part in path.split(".")]
    return next((unit for part in reversed(parts) if (unit := unit_of(part))), "")


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Value]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        if all(isinstance(item, (str, int, float)) for item in value):
            if value:
                yield (
                    path,
                    ", ".join(f"{item:g}" if _is_number(item) else str(item) for item in value),
                )
            return
        for i, item in enumerate(value):
            yield from _flat(item, f"{path}[{i}]")
    elif value not in (None, ""):
        yield path, value


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
