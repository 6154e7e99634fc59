"""Stacked bars: what something is made of, one bar under the other."""

from __future__ import annotations

from typing import NamedTuple

from rackwright.drawing import words
from rackwright.drawing.charts.axes import Scale, bottom_axis, reach, ticks
from rackwright.drawing.charts.canvas import (
    LINE,
    SMALL,
    Drawing,
    legend,
    rect,
    rule,
    text,
    text_width,
)
from rackwright.drawing.html import Part, join

THICK = 20.0
"""Height of a bar [px]."""


class Segment(NamedTuple):
    """One piece of a bar; a negative one is laid to the left of zero."""

    name: str
    value: float
    colour: str


class Bar(NamedTuple):
    """One bar with its name above it and words at its end."""

    label: str
    segments: tuple[Segment, ...]
    note: str = ""


class Bars(NamedTuple):
    """Bars on one axis."""

    unit: str
    rows: tuple[Bar, ...]


def bars(data: Bars, width: float) -> Drawing:
    """Return the bars, each with its name above, its total at its end, and one legend."""
    names = dict.fromkeys((s.name, s.colour) for row in data.rows for s in row.segments)
    marks: list[Part] = []
    top = 0.0
    if len({colour for _, colour in names}) > 1:
        drawn, high = legend([(n, f"{c} fill") for n, c in names], 0, 0, width)
        marks.append(drawn)
        top = high + 6
    ends = [_ends(row) for row in data.rows]
    low, high = reach([e for pair in ends for e in pair])
    room = max((text_width(row.note, SMALL) for row in data.rows), default=0.0) + 10
    scale = Scale(low, high, 1, width - 1)
    longest = max((e for _, e in ends), default=0.0)
    if scale.at(longest) + room > width:
        share = (longest - low) / (high - low)
        scale = Scale(low, high, 1, 1 + (width - room - 2) / max(share, 1e-9))
    values = [v for v in ticks(low, high, int(width // 90) + 1) if scale.at(v) <= width]
    bottom = top + len(data.rows) * (LINE + THICK + 6)
    marks.append(bottom_axis(scale, top, bottom, width, data.unit, values))
    marks.append(rule(scale.at(0), top, scale.at(0), bottom, "axis"))
    for i, row in enumerate(data.rows):
        y = top + i * (LINE + THICK + 6)
        marks.append(text(0, y + 14, row.label, "halo"))
        marks.append(_bar(row, scale, y + LINE))
    return Drawing(width, bottom + 2 * LINE + 4, join(marks))


def _bar(row: Bar, scale: Scale, y: float) -> Part:
    parts: list[Part] = []
    right = left = 0.0
    for s in row.segments:
        if s.value >= 0:
            start, right = right, right + s.value
        else:
            start = left = left + s.value
        x, wide = scale.at(start), abs(scale.at(s.value) - scale.at(0))
        label = words.number(s.value)
        parts.append(rect(x, y, wide, THICK, f"{s.colour} fill edge", f"{s.name}: {label}"))
        if len(row.segments) > 1 and text_width(label, SMALL) + 6 < wide:
            parts.append(text(x + wide / 2, y + 14, label, f"small on {s.colour}", "middle"))
    if row.note:
        parts.append(text(scale.at(right) + 6, y + 14, row.note, "small halo"))
    return join(parts)


def _ends(row: Bar) -> tuple[float, float]:
    return (
        sum(s.value for s in row.segments if s.value < 0),
        sum(s.value for s in row.segments if s.value > 0),
    )
