"""A value with its interval, one row under the other: which is lower, and how surely."""

from __future__ import annotations

from typing import NamedTuple

from rackwright.drawing.charts.axes import Scale, bottom_axis, reach, ticks
from rackwright.drawing.charts.canvas import LINE, SMALL, Drawing, dot, rule, text, text_width
from rackwright.drawing.html import Part, join

ROW = 38.0
"""Height of a row [px]: its name, then its interval."""


class Range(NamedTuple):
    """One row: a value inside its interval."""

    label: str
    low: float
    value: float
    high: float
    colour: str
    note: str = ""


class Ranges(NamedTuple):
    """Rows on one axis."""

    unit: str
    rows: tuple[Range, ...]


def ranges(data: Ranges, width: float) -> Drawing:
    """Return each row's interval as a bar with its value as a dot, named above."""
    low, high = reach([v for r in data.rows for v in (r.low, r.high)])
    room = max((text_width(r.note, SMALL) for r in data.rows), default=0.0) + 12
    scale = Scale(low, high, 4, width - max(room, 8))
    bottom = len(data.rows) * ROW + 4
    values = ticks(low, high, int(width // 80) + 1)
    parts: list[Part] = [
        bottom_axis(scale, 0, bottom, width, data.unit, values),
        rule(scale.at(0), 0, scale.at(0), bottom, "axis"),
    ]
    for i, row in enumerate(data.rows):
        y = i * ROW + 28
        note = f"{row.label}: {row.note}" if row.note else row.label
        parts.append(text(0, y - 13, row.label, "halo"))
        parts.append(rule(scale.at(row.low), y, scale.at(row.high), y, f"{row.colour} bar line"))
        parts.append(dot(scale.at(row.value), y, 5, f"{row.colour} fill edge", note))
        if row.note:
            parts.append(text(scale.at(row.high) + 8, y + 4, row.note, "small halo"))
    return Drawing(width, bottom + 2 * LINE + 4, join(parts))
