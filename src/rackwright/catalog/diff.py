"""Two components side by side, field by field."""

from __future__ import annotations

from typing import NamedTuple

from rackwright.catalog.fields import FieldRow, Value, field_rows
from rackwright.records.component import Component

_NAMES = ("name", "aliases", "note")


class FieldDifference(NamedTuple):
    """One field of two components; None where a component does not state it."""

    field: str
    unit: str
    left: Value | None
    right: Value | None
    relative: float | None  # right over left, less one; None where not both are numbers
    left_grade: str
    right_grade: str


def diff(
    left: Component, right: Component, *, equal_too: bool = False
) -> tuple[FieldDifference, ...]:
    """Return the fields in which two components differ, in the order of the first one.

    Args:
        left: one component.
        right: another, usually of the same kind; fields that only one has are told as such.
        equal_too: also the fields that are the same.
    """
    mine = {row.field: row for row in field_rows(left)}
    theirs = {row.field: row for row in field_rows(right)}
    fields = [*mine, *(field for field in theirs if field not in mine)]
    rows = (_row(field, mine.get(field), theirs.get(field)) for field in fields)
    return tuple(
        row for row in rows if row.field not in _NAMES and (equal_too or row.left != row.right)
    )


def _row(field: str, left: FieldRow | None, right: FieldRow | None) -> FieldDifference:
    stated = left or right
    assert stated is not None, f"{field}: a field of neither component"
    a, b = (row.value if row else None for row in (left, right))
    return FieldDifference(
        field=field,
        unit=stated.unit,
        left=a,
        right=b,
        relative=_relative(a, b),
        left_grade=str(left.grade or "") if left else "",
        right_grade=str(right.grade or "") if right else "",
    )


def _relative(left: Value | None, right: Value | None) -> float | None:
    if isinstance(left, bool) or isinstance(right, bool):
        return None
    if isinstance(left, (int, float)) and isinstance(right, (int, float)) and left:
        return right / left - 1.0
    return None
