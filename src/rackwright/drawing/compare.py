"""Two runs field by field: what differs, by how much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

LABELS = (
    "name", "key", "workload", "kind", "design", "system", "factory", "probe", "part", "level",
    "estimate", "week", "period", "bucket", "id",
)  # fmt: skip
"""Fields that tell rows of a list apart; a row is named by those it has."""

SMALL = 1e-9
"""Relative difference below which two numbers are the same."""


class Difference(NamedTuple):
    """One field that differs; None where a run does not have it."""

    field: str
    left: Any
    right: Any

    @property
    def relative(self) -> float | None:
        """Right over left less one, None where that says nothing."""
        numbers = isinstance(self.left, int | float) and isinstance(self.right, int | float)
        if not numbers or isinstance(self.left, bool) or not self.left:
            return None
        return float(self.right / self.left - 1)


def differences(left: Mapping[str, Any], right: Mapping[str, Any]) -> list[Difference]:
    """Return the fields in which two plain documents differ, in the order of the left one.

    Rows of a list are matched by what names them, not by their place, so that a row more or less
    does not make all later rows differ.

    Args:
        left: a record as plain data.
        right: another of the same kind.
    """
    ours, theirs = dict(_leaves(left, "")), dict(_leaves(right, ""))
    fields = [*ours, *(field for field in theirs if field not in ours)]
    return [
        Difference(field, ours.get(field), theirs.get(field))
        for field in fields
        if not _same(ours.get(field), theirs.get(field))
    ]


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    elif _is_text(value):  # a list of sentences has no order that matters
        for sentence in dict.fromkeys(value):
            yield f"{path}[{sentence}]", sentence
    elif isinstance(value, Sequence) and not isinstance(value, str):
        seen: dict[str, int] = {}
        for i, item in enumerate(value):
            label = _label(item) or str(i)
            seen[label] = seen.get(label, 0) + 1
            twice = f" #{seen[label]}" if seen[label] > 1 else ""
            yield from _leaves(item, f"{path}[{label}{twice}]")
    else:
        yield path, value


def _is_text(value: Any) -> bool:
    listed = isinstance(value, Sequence) and not isinstance(value, str)
    return listed and bool(value) and all(isinstance(item, str) for item in value)


def _label(row: Any) -> str:
    if not isinstance(row, Mapping):
        return ""
    return ", ".join(f"{row[key]}" for key in LABELS if isinstance(row.get(key), str | int | float))


def _same(left: Any, right: Any) -> bool:
    if left == right:
        return True
    if isinstance(left, float) and isinstance(right, int | float):
        return abs(left - right) <= SMALL * max(abs(left), abs(right))
    return False
