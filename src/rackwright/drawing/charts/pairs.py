"""With and without: two values a row, and the distance between them."""

from __future__ import annotations

from typing import NamedTuple

from rackwright.drawing.charts.axes import Scale, bottom_axis, reach, ticks
from rackwright.drawing.charts.canvas import (
    LINE,
    SMALL,
    Drawing,
    dot,
    legend,
    rule,
    text,
    text_width,
)
from rackwright.drawing.html import Part, join

ROW = 40.0
"""Height of a row [px]: its name, then its two values."""


class Pair(NamedTuple):
    """One row: the value with, the value without, and what the distance means."""

    label: str
    with_: float
    without: float
    note: str


class Pairs(NamedTuple):
    """Rows on one axis; zero is what they are compared with."""

    unit: str
    zero: str
    name_with: str
    name_without: str
    rows: tuple[Pair, ...]


def pairs(data: Pairs, width: float) -> Drawing:
    """Return each row's two values as dots joined by a line, a full and a hollow one."""
    entries = [(data.name_with, "c0 fill dot"), (data.name_without, "ring dot")]
    drawn, tall = legend(entries, 0, 0, width)
    top = tall + 4
    low, high = reach([v for r in data.rows for v in (r.with_, r.without)])
    bottom = top + len(data.rows) * ROW + 6
    room = max((text_width(r.note, SMALL) for r in data.rows), default=0.0) + 14
    scale = Scale(low, high, 6, max(width - room, width / 2))
    values = ticks(low, high, int((scale.end - scale.start) // 70) + 1)
    parts: list[Part] = [
        drawn,
        bottom_axis(scale, top, bottom, width, data.unit, values),
        rule(scale.at(0), top, scale.at(0), bottom, "axis"),
    ]
    for i, row in enumerate(data.rows):
        y = top + i * ROW + 29
        a, b = scale.at(row.with_), scale.at(row.without)
        parts.append(text(0, y - 14, row.label, "halo"))
        parts.append(rule(a, y, b, y, "join"))
        parts.append(dot(b, y, 6, "ring", f"{row.label}, {data.name_without}"))
        parts.append(dot(a, y, 4, "c0 fill", f"{row.label}, {data.name_with}"))
        parts.append(text(max(a, b) + 11, y + 4, row.note, "small halo"))
    return Drawing(width, bottom + 2 * LINE + 4, join(parts))
