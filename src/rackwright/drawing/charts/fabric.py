"""A fabric drawn: tiers one above the other, bundles between them as wide as their links."""

from __future__ import annotations

from math import sqrt

from rackwright.drawing.charts.canvas import SMALL, Drawing, legend, rect, text, text_width
from rackwright.drawing.html import Part, join, tag
from rackwright.drawing.layout.fabric import Box, Diagram, plural
from rackwright.drawing.style import COLOURS, colour

TIER_GAP = 120.0
BOX_HEIGHT = 26.0
SIDE = 180.0
"""Room at the left for the words beside each tier [px]."""


def fabric_chart(data: Diagram, width: float) -> Drawing:
    """Return the tiers from endpoints at the bottom to cores at the top."""
    tiers = data.tiers
    height = TIER_GAP * (len(tiers) - 1) + BOX_HEIGHT + 8
    level = {t: height - BOX_HEIGHT - 4 - TIER_GAP * i for i, t in enumerate(tiers)}
    place = {t: _places(len(data.boxes[t]), width) for t in tiers}
    marks: list[Part] = []
    most = max((b.links for b in data.bundles), default=1)
    for bundle in data.bundles:
        x1, w1 = place[bundle.lower.tier][bundle.lower.number]
        x2, w2 = place[bundle.upper.tier][bundle.upper.number]
        marks.append(
            tag(
                "line",
                x1=x1 + w1 / 2,
                y1=level[bundle.lower.tier],
                x2=x2 + w2 / 2,
                y2=level[bundle.upper.tier] + BOX_HEIGHT,
                class_=f"{_colour(bundle.lower, bundle.upper)} stroke",
                style=f"stroke-width:{max(0.35, 2.4 * sqrt(bundle.links / most)):.2f}px;"
                f"stroke-opacity:{_faint(len(data.bundles)):.2f}",
            )
        )
    for tier in tiers:
        y = level[tier]
        name, _, more = data.of_tier[tier].partition(", ")
        marks.append(text(0, y + 12, name, "strong"))
        marks.append(text(0, y + 27, more, "small quiet") if more else None)
        for box, (x, w) in zip(data.boxes[tier], place[tier], strict=True):
            marks += _box(box, x, y, w)
    rails = sorted({rail for b in data.boxes.get("leaf", ()) for rail in b.rails})
    if rails:
        entries = [(f"rail {r + 1}", f"{colour(r)} fill") for r in rails[:COLOURS]]
        drawn, high = legend(entries, SIDE, height + 12, width - SIDE)
        marks.append(drawn)
        height += high + 14
    return Drawing(width, height, join(marks))


def _places(count: int, width: float) -> list[tuple[float, float]]:
    room = (width - SIDE) / count
    gap = min(6.0, room * 0.22)
    each = min(room - gap, 120.0)
    left = SIDE + (room - each) / 2
    return [(left + i * room, each) for i in range(count)]


def _label(box: Box) -> str:
    return f"×{box.devices}" if box.devices > 1 else str(box.number + 1)


def _box(box: Box, x: float, y: float, width: float) -> list[Part]:
    """Return a box with its name; one of several rails has a stripe for each, in order."""
    several = box.devices > 1
    note = (
        f"{box.devices} {plural(box.tier, box.devices)}"
        if several
        else f"{box.tier} {box.number + 1}"
    )
    fill = colour(box.rails[0]) if len(box.rails) == 1 else ""
    marks: list[Part] = [rect(x, y, width, BOX_HEIGHT, f"{fill} fill" if fill else "unit", note)]
    if len(box.rails) > 1:
        each = (width - 2) / len(box.rails)
        for i, rail in enumerate(box.rails):
            marks.append(
                rect(x + 1 + i * each, y + BOX_HEIGHT - 8, each, 7, f"{colour(rail)} fill", note)
            )
    label = _label(box)
    if text_width(label, SMALL) <= width + 1:
        base = y + (14 if len(box.rails) > 1 else 17.5)
        marks.append(
            text(x + width / 2, base, label, f"small on {fill}" if fill else "small", "middle")
        )
    return marks


def _colour(lower: Box, upper: Box) -> str:
    for box in (upper, lower):
        if len(box.rails) == 1:
            return colour(box.rails[0])
    return "c6"


def _faint(bundles: int) -> float:
    """Return how opaque one of many bundles is, so that a thousand do not make a black square."""
    return min(0.9, max(0.22, 12 / sqrt(bundles + 1)))
