"""The plan of a hall: racks in rows, and the trays above them as wide as what they carry."""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from rackwright.drawing.charts.canvas import (
    LINE,
    SMALL,
    Drawing,
    legend,
    rect,
    svg,
    text,
    text_width,
)
from rackwright.drawing.html import Part, join, tag
from rackwright.drawing.style import chart_css
from rackwright.records.fabric import Fabric

Loads = NDArray[np.int64]

WIDTH, MARGIN, SIDE = 1180.0, 24.0, 46.0
MOST_HEIGHT = 1500.0
ROLE_COLOURS = {"compute": "c7", "network": "c0", "storage": "c2", "management": "c3",
                "cooling": "c4", "power": "c1"}  # fmt: skip
WIDEST_TRAY = 9.0
SHORTEST_ROW = 10
"""Racks that a row has room for at least: a short row is not drawn larger than life."""


def hall_svg(fabric: Fabric, row_loads: Loads, cross_loads: Loads) -> str:
    """Return a hall's plan as an SVG file; arguments as those of `hall_drawing`."""
    inner = hall_drawing(fabric, row_loads, cross_loads, WIDTH - 2 * MARGIN)
    rows = max((r.row for r in fabric.racks), default=0) + 1
    title = f"Hall plan: {len(fabric.racks):,} racks in {rows} {'row' if rows == 1 else 'rows'}"
    moved = tag("g", inner.body, transform=f"translate({MARGIN:g} {MARGIN + 24:g})")
    body = join(text(MARGIN, MARGIN + 14, title, "title"), moved)
    whole = Drawing(WIDTH, inner.height + 2 * MARGIN + 24, body)
    return f"{svg(whole, f'Hall plan of {fabric.plan.name}', chart_css())}\n"


def hall_drawing(fabric: Fabric, row_loads: Loads, cross_loads: Loads, width: float) -> Drawing:
    """Return a hall's plan.

    Args:
        fabric: with its racks and floor.
        row_loads: links over each position of each row, shape (rows, positions).
        cross_loads: links in each cross tray between neighbouring rows, shape (trays, rows - 1).
        width: of the drawing [px].
    """
    floor = fabric.plan.floor
    rows = max((r.row for r in fabric.racks), default=0) + 1
    across = max((r.position for r in fabric.racks), default=0) + 1
    if rows > 1:
        across = max(across, *floor.cross_trays)
    across_m = max(across, SHORTEST_ROW) * floor.rack_width_m
    deep = (rows - 1) * floor.row_pitch_m + floor.rack_depth_m
    scale = min((width - SIDE) / across_m, MOST_HEIGHT / deep)
    left, top = SIDE, 2 * LINE + 20
    marks: list[Part] = [text(0, 12, _facts(fabric, row_loads, cross_loads), "quiet")]
    roles = dict.fromkeys(r.role for r in fabric.racks)
    entries = [(f"{role} racks", f"{ROLE_COLOURS[role]} fill") for role in roles]
    drawn, _ = legend([*entries, ("links in trays: width by count", "c5 fill")], 0, 20, width)
    marks.append(drawn)
    for rack in fabric.racks:
        x = left + (rack.x_m - rack.width_m / 2) * scale
        y = top + (rack.y_m - rack.depth_m / 2) * scale
        w, h = rack.width_m * scale, rack.depth_m * scale
        note = f"{rack.name}, {rack.role}, x {rack.x_m:.1f} m, y {rack.y_m:.1f} m"
        marks.append(rect(x, y, w, h, f"{ROLE_COLOURS[rack.role]} fill edge", note))
        if w >= text_width(rack.name, SMALL) + 2 and h > 16:
            style = f"small on {ROLE_COLOURS[rack.role]}"
            marks.append(text(x + w / 2, y + h - 4, rack.name, style, "middle"))
    most = max(int(row_loads.max(initial=1)), int(cross_loads.max(initial=1)), 1)
    marks += _trays(fabric, row_loads, cross_loads, scale, left, top, most)
    for row in range(rows):
        y = top + (row * floor.row_pitch_m + floor.rack_depth_m / 2) * scale + 4
        if floor.row_pitch_m * scale >= LINE or row % 5 == 0:
            marks.append(text(left - 10, y, _row_name(fabric, row), "strong", "end"))
    marks += _aisles(fabric, rows, scale, left, top)
    height = top + deep * scale + 34
    marks += _measure(scale, left, height - 14)
    return Drawing(width, height, join(marks))


def _trays(
    fabric: Fabric, row_loads: Loads, cross_loads: Loads,
    scale: float, left: float, top: float, most: int,
) -> list[Part]:  # fmt: skip
    floor = fabric.plan.floor
    marks: list[Part] = []
    for row, loads in enumerate(row_loads.tolist()):
        y = top + (row * floor.row_pitch_m + floor.rack_depth_m / 2) * scale
        for position, load in enumerate(loads):
            if load:
                x = left + position * floor.rack_width_m * scale
                wide = _wide(load, most)
                marks.append(rect(x, y - wide / 2, floor.rack_width_m * scale + 0.5, wide,
                                  "c5 fill", f"{load:,} links"))  # fmt: skip
    for tray, loads in zip(floor.cross_trays, cross_loads.tolist(), strict=True):
        x = left + tray * floor.rack_width_m * scale
        for row, load in enumerate(loads):
            if load:
                y = top + (row * floor.row_pitch_m + floor.rack_depth_m / 2) * scale
                wide = _wide(load, most)
                marks.append(rect(x - wide / 2, y, wide, floor.row_pitch_m * scale + 0.5,
                                  "c5 fill", f"{load:,} links"))  # fmt: skip
    return [tag("g", marks, style="fill-opacity:.8")]


def _aisles(fabric: Fabric, rows: int, scale: float, left: float, top: float) -> list[Part]:
    """Return the names of the aisles where there is room for them: fronts face cold ones."""
    floor = fabric.plan.floor
    gap = (floor.row_pitch_m - floor.rack_depth_m) * scale
    if gap < LINE:
        return []
    front = {r.row: r.front for r in fabric.racks}
    return [
        text(left + 10, top + (row * floor.row_pitch_m + floor.rack_depth_m) * scale + gap / 2 + 4,
             f"{'cold' if front[row] == '+y' else 'hot'} aisle, "
             f"{floor.row_pitch_m - floor.rack_depth_m:.1f} m", "small quiet")
        for row in range(rows - 1)
    ]  # fmt: skip


def _wide(load: int, most: int) -> float:
    return max(0.8, WIDEST_TRAY * sqrt(load / most))


def _row_name(fabric: Fabric, row: int) -> str:
    first = next(r.name for r in fabric.racks if r.row == row)
    return first.rstrip("0123456789")


def _facts(fabric: Fabric, row_loads: Loads, cross_loads: Loads) -> str:
    floor = fabric.plan.floor
    along, across = int(row_loads.max(initial=0)), int(cross_loads.max(initial=0))
    return (
        f"pitch of rows {floor.row_pitch_m:g} m, trays at {floor.tray_height_m:g} m; most links in "
        f"a tray: {along:,} along a row, {across:,} across; grade {fabric.grade}"
    )


def _measure(scale: float, left: float, y: float) -> list[Part]:
    """Return a bar of a round length with its name."""
    step = next(
        s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if s * scale >= 60 or s == 1000
    )
    return [
        rect(left, y, step * scale, 3, "ink-fill"),
        text(left + step * scale + 8, y + 5, f"{step} m", "small quiet"),
    ]
