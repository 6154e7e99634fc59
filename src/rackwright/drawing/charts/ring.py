"""Direct networks drawn: groups on a ring, chords between them as wide as their links."""

from __future__ import annotations

from math import cos, pi, sin, sqrt
from typing import NamedTuple

from rackwright.drawing.charts.canvas import SMALL, Drawing, dot, text, text_width
from rackwright.drawing.html import Part, join, tag
from rackwright.drawing.style import colour

LARGEST = 520.0
"""Height of a ring [px]."""


class Ring(NamedTuple):
    """Groups of equal devices, and the links between any two."""

    tier: str
    devices: int
    groups: int
    inside: int  # links within groups, all together
    chords: tuple[tuple[int, int, int], ...]  # two groups and the links between them


def ring_chart(data: Ring, width: float) -> Drawing:
    """Return the groups on a ring; the links that stay inside a group are told in words."""
    height = min(width, LARGEST)
    cx, cy, radius = width / 2, height / 2 + 20, height / 2 - 30
    place = [
        (cx + radius * sin(2 * pi * i / data.groups), cy - radius * cos(2 * pi * i / data.groups))
        for i in range(data.groups)
    ]
    most = max((links for *_, links in data.chords), default=1)
    faint = min(0.9, max(0.15, 10 / sqrt(len(data.chords) + 1)))
    marks: list[Part] = []
    each = data.devices // data.groups
    head = (
        f"{data.devices:,} in {data.groups} groups of {each:,}" if each > 1 else f"{data.devices:,}"
    )
    marks.append(text(0, 12, f"{data.tier}: {head}; {data.inside:,} links inside groups", "strong"))
    for a, b, links in data.chords:
        (x1, y1), (x2, y2) = place[a], place[b]
        marks.append(
            tag(
                "line", tag("title", f"{links:,} links"), x1=x1, y1=y1, x2=x2, y2=y2,
                class_=f"{colour(a)} stroke",
                style=f"stroke-width:{max(0.4, 2.6 * sqrt(links / most)):.2f}px;"
                f"stroke-opacity:{faint:.2f}",
            )
        )  # fmt: skip
    for i, (x, y) in enumerate(place):
        marks.append(dot(x, y, 9, "unit", f"group {i + 1}: {each} {data.tier}"))
        label = str(i + 1)
        if text_width(label, SMALL) <= 18:
            marks.append(text(x, y + 4, label, "small", "middle"))
    return Drawing(width, cy + radius + 20, join(marks))
