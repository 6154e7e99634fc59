"""Lines that add up: each begins where the one before ended, the sum stands below."""

from __future__ import annotations

from typing import NamedTuple

from rackwright.drawing.charts.axes import Scale, bottom_axis, reach, ticks
from rackwright.drawing.charts.canvas import LINE, SMALL, Drawing, rect, rule, text, text_width
from rackwright.drawing.html import Part, join

ROW = 24.0
"""Height of a row [px]."""


class Fall(NamedTuple):
    """One line of the sum, with its value as text."""

    label: str
    value: float
    note: str


class Waterfall(NamedTuple):
    """Lines and the name of their sum."""

    unit: str
    rows: tuple[Fall, ...]
    total: Fall


def waterfall(data: Waterfall, width: float) -> Drawing:
    """Return the lines one under the other, each from where the last one ended."""
    ends = [0.0]
    for row in data.rows:
        ends.append(ends[-1] + row.value)
    everything = (*data.rows, data.total)
    low, high = reach([*ends, data.total.value])
    left = min(max(text_width(r.label, SMALL) for r in everything) + 14, width * 0.45)
    room = max(text_width(r.note, SMALL, strong=True) for r in everything) + 8
    scale = Scale(low, high, left, width - room)
    bottom = len(everything) * ROW + 6
    values = ticks(low, high, int((scale.end - left) // 70) + 1)
    parts: list[Part] = [
        bottom_axis(scale, 0, bottom, width, data.unit, values),
    ]
    for i, (row, start) in enumerate(zip(everything, [*ends[:-1], 0.0], strict=True)):
        y = i * ROW + 4
        style = "ink-fill" if row is data.total else ("c2 fill" if row.value >= 0 else "c1 fill")
        a, b = scale.at(start), scale.at(start + row.value)
        strong = " strong" if row is data.total else ""
        parts.append(text(0, y + 13, row.label, f"small{strong}"))
        parts.append(rect(min(a, b), y + 2, max(abs(b - a), 1), 14, style, row.note))
        parts.append(text(max(a, b) + 6, y + 13, row.note, f"small halo{strong}"))
        if row is not data.total:
            parts.append(rule(b, y + 16, b, y + ROW + 2, "join"))
    parts.append(rule(scale.at(0), 0, scale.at(0), bottom, "axis"))
    return Drawing(width, bottom + 2 * LINE + 4, join(parts))
