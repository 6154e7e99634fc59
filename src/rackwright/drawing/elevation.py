"""The elevation of a rack: front and rear, every unit numbered, to scale."""

from __future__ import annotations

from collections.abc import Iterator

from rackwright.drawing.charts.canvas import (
    LINE,
    SMALL,
    Drawing,
    legend,
    rect,
    rule,
    svg,
    text,
    text_width,
    wrapped,
)
from rackwright.drawing.html import Part, join, tag
from rackwright.drawing.style import chart_css
from rackwright.records.as_built import RackAsBuilt
from rackwright.records.mechanical import Frame, Item, ItemKind

KIND_COLOURS: dict[ItemKind, str] = {
    "compute": "c0", "switch": "c2", "management": "c3", "power": "c1", "pdu": "c1", "cdu": "c4",
    "manifold": "c4", "blank": "c7", "cable": "c6",
}  # fmt: skip
UNIT_PX, SIDE, GAP, MARGIN = 15.0, 30.0, 56.0, 24.0
WIDTH = 780.0
NAMES: dict[ItemKind, str] = {
    "compute": "compute", "switch": "scale-up switches", "management": "management",
    "power": "power shelves", "pdu": "PDUs", "cdu": "distribution unit", "manifold": "manifold",
    "blank": "blank", "cable": "cable backplane",
}  # fmt: skip


def elevation_svg(built: RackAsBuilt) -> str:
    """Return a rack's elevation as an SVG file."""
    inner = elevation_drawing(built)
    width = inner.width + 2 * MARGIN
    moved = tag("g", inner.body, transform=f"translate({MARGIN:g} {MARGIN + 26:g})")
    title = text(MARGIN, MARGIN + 12, f"{built.rack}: front and rear", "title")
    whole = Drawing(width, inner.height + 2 * MARGIN + 26, join(title, moved))
    return f"{svg(whole, f'Elevation of {built.rack}', chart_css())}\n"


def elevation_drawing(built: RackAsBuilt) -> Drawing:
    """Return front and rear of a rack side by side, with the facts below."""
    frame = built.mechanics.frame
    assert frame is not None, "a rack as built has a frame"
    scale = UNIT_PX / frame.unit_m
    wide = min(max(frame.width_m * scale, 170.0), 300.0)
    tall = frame.units * UNIT_PX
    kinds = dict.fromkeys(i.kind for i in built.mechanics.items)
    behind = _behind(built)
    entries = [(NAMES[k], f"{KIND_COLOURS[k]} fill") for k in (*kinds, *behind)]
    views = 2 * (SIDE + wide) + GAP
    width = max(views + 230, WIDTH)
    drawn, high = legend([*entries, ("free", "c7 soft fill")], 0, 0, width)
    top = high + LINE + 6
    marks: list[Part] = [drawn]
    for at, name, rear in ((SIDE, "front", False), (SIDE + wide + GAP, "rear", True)):
        marks.append(text(at + wide / 2, top - 6, name, "strong", "middle"))
        marks += _view(built, frame, at, top, wide, tall, behind if rear else ())
    at, y = views + 28, top + 6
    for title, lines in _told(built, frame):
        marks.append(text(at, y, title, "strong"))
        for line in lines:
            for part in wrapped(line, width - at, SMALL):
                y += LINE - 1
                marks.append(text(at, y, part, "small"))
        y += 1.6 * LINE
    return Drawing(width, max(top + tall, y) + 8, join(marks))


def _behind(built: RackAsBuilt) -> tuple[ItemKind, ...]:
    """Return what runs the whole height behind the trays."""
    kinds: list[ItemKind] = []
    if built.cooling is not None:
        kinds.append("manifold")
    if any(i.kind == "switch" for i in built.mechanics.items):
        kinds.append("cable")
    return tuple(kinds)


def _view(
    built: RackAsBuilt, frame: Frame, x: float, top: float, wide: float, tall: float,
    behind: tuple[ItemKind, ...],
) -> list[Part]:  # fmt: skip
    marks: list[Part] = [rect(x, top, wide, tall, "c7 soft fill edge", "free")]
    for unit in range(1, frame.units + 1):
        y = top + tall - unit * UNIT_PX
        if unit % 5 == 0 or unit in (1, frame.units):
            marks.append(text(x - 6, y + UNIT_PX - 3.5, f"{unit}", "small quiet", "end"))
        marks.append(rule(x, y, x + wide, y, "grid"))
    items = [i for i in built.mechanics.items if i.side in ("both", "rear" if behind else "front")]
    for item in items:
        named = not (behind and item.kind in ("compute", "switch"))  # else hidden behind
        marks += _device(item, x, top + tall, wide, named=named)
    for kind in behind:
        # Manifolds stand at the side, the backplane in the middle of what it joins.
        span = [i for i in items if i.kind in ("compute", "switch")]
        low = min(i.bottom_u for i in span) - 1
        high = max(i.bottom_u + i.units for i in span) - 1
        y, h = top + tall - high * UNIT_PX, (high - low) * UNIT_PX
        at = x + 5 if kind == "manifold" else x + wide * 0.42
        marks.append(rect(at, y, 9 if kind == "manifold" else wide * 0.16, h,
                          f"{KIND_COLOURS[kind]} fill edge", NAMES[kind]))  # fmt: skip
        if kind == "manifold":
            marks.append(rect(x + wide - 14, y, 9, h, f"{KIND_COLOURS[kind]} fill edge",
                              f"{NAMES[kind]}, return"))  # fmt: skip
    return marks


def _device(item: Item, x: float, bottom: float, wide: float, *, named: bool) -> list[Part]:
    y = bottom - (item.bottom_u - 1 + item.units) * UNIT_PX
    high = item.units * UNIT_PX
    mass = f", {item.mass_kg:,.1f} kg" if item.mass_kg is not None else ""
    power = f", {item.power_w / 1e3:,.2f} kW" if item.power_w is not None else ""
    note = f"{item.name}, unit {item.bottom_u:g}, {item.units:g}U{mass}{power}"
    marks: list[Part] = [
        rect(x + 1, y + 0.7, wide - 2, high - 1.4, f"{KIND_COLOURS[item.kind]} fill", note)
    ]
    if named and text_width(item.name, SMALL) + 30 < wide:
        style = f"small on {KIND_COLOURS[item.kind]}"
        marks.append(text(x + wide / 2, y + high / 2 + 4, item.name, style, "middle"))
    return marks


def _told(built: RackAsBuilt, frame: Frame) -> Iterator[tuple[str, list[str]]]:
    """Yield what stands beside the views: the frame, what is in it, its mass."""
    used = sum(i.units for i in built.mechanics.items)
    yield (
        frame.key,
        [
            f"{frame.units} units of {frame.unit_m * 1e3:g} mm, {used:g} taken",
            f"{frame.width_m * 1e3:.0f} x {frame.depth_m * 1e3:.0f} mm",
        ],
    )
    kinds: dict[str, list[Item]] = {}
    for item in built.mechanics.items:
        kinds.setdefault(item.name.rstrip("0123456789 "), []).append(item)
    yield (
        "contents",
        [
            f"{len(items)} x {name}, {sum(i.mass_kg or 0.0 for i in items):,.0f} kg"
            for name, items in kinds.items()
        ],
    )
    mass, height = built.mechanics.mass_kg, built.centre_of_gravity_m
    if mass is not None and height is not None:
        yield (
            "mass",
            [
                f"{mass:,.0f} kg with the frame",
                f"centre of gravity {height:.2f} m above the floor",
                "what no source gives shares the rack's mass by height (grade D)",
            ],
        )
