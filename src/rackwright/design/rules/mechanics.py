"""Rules of mechanics: units, depth, mass, floor, balance."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import radians, tan

from rackwright.design.rules.registry import Found, rule
from rackwright.records.mechanical import Item
from rackwright.records.physical import PhysicalDesign

STACK = ("servers_per_rack", "enclosure", "server.height_u")


@rule("M1", "error", "Units of the rack", source="OCP ORv3 base specification",
      depends_on=STACK)  # fmt: skip
def units_fit(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the devices' units against the frame's, and look for two in one place."""
    frame, items = design.mechanics.frame, design.mechanics.items
    if frame is None or not items:
        return
    sides = {
        side: [i for i in items if i.side in (side, "both") and i.kind not in ("manifold", "cable")]
        for side in ("front", "rear")
    }
    most = max(sides.values(), key=lambda standing: sum(i.units for i in standing))
    total = sum(i.units for i in most)
    if total > frame.units:
        yield Found(
            "elevation",
            f"{total:g} units of {frame.unit_m * 1e3:g} mm in a frame of {frame.units}",
            "fewer devices, or a taller frame",
        )
        return
    told: set[tuple[str, str]] = set()
    for standing in sides.values():
        order = sorted(standing, key=lambda i: i.bottom_u)
        for low, high in pairwise(order):
            both = (low.name, high.name)
            if low.bottom_u + low.units > high.bottom_u + 1e-9 and both not in told:
                told.add(both)
                yield Found(
                    f"unit {high.bottom_u:g}",
                    f"{low.name} reaches up to unit {low.bottom_u + low.units - 1:g}, "
                    f"{high.name} begins in unit {high.bottom_u:g}",
                    "move one of them",
                )
    for i in items:
        if i.bottom_u + i.units - 1 > frame.units + 1e-9:
            yield Found(
                f"unit {i.bottom_u:g}",
                f"{i.name} ends in unit {i.bottom_u + i.units - 1:g} of {frame.units}",
                "move it down",
            )


@rule("M2", "error", "Depth", source="OCP ORv3 base specification",
      depends_on=("enclosure", "server.depth_m"))  # fmt: skip
def depth_fits(design: PhysicalDesign) -> Iterator[Found]:
    """Hold each device's depth against the frame, or the busbar where there is one."""
    frame = design.mechanics.frame
    if frame is None:
        return
    room = frame.device_depth_m or frame.depth_m - frame.rear_space_m
    what = "in front of the busbar" if frame.device_depth_m else "with the space kept behind"
    seen: set[str] = set()
    for i in design.mechanics.items:
        kind = i.key or i.name
        if i.depth_m is not None and i.depth_m > room + 1e-9 and kind not in seen:
            seen.add(kind)
            yield Found(
                i.name,
                f"{i.depth_m * 1e3:.0f} mm deep, there are {room * 1e3:.0f} mm {what}",
                "a deeper frame, or a shorter device",
            )


@rule("M3", "error", "Payload", source="OCP ORv3 frame",
      depends_on=("enclosure", "servers_per_rack", "server.mass_kg"))  # fmt: skip
def payload(design: PhysicalDesign) -> Iterator[Found]:
    """Hold what stands in the frame against its payload, and ask for the brace."""
    frame = design.mechanics.frame
    if frame is None or frame.payload_kg is None:
        return
    load = _load_kg(design)
    if load is None:
        return
    if load > frame.payload_kg:
        yield Found(
            "frame",
            f"{load:,.0f} kg > {frame.payload_kg:,.0f} kg of payload",
            "fewer devices, or a stronger frame",
        )
    elif frame.brace_above_kg is not None and load > frame.brace_above_kg and not frame.braced:
        yield Found(
            "frame",
            f"{load:,.0f} kg without the cross brace, wanted above {frame.brace_above_kg:,.0f} kg",
            "fit the cross brace",
        )


def _load_kg(design: PhysicalDesign) -> float | None:
    """Return what the frame carries, from the devices or from the stated mass of the rack."""
    m, frame = design.mechanics, design.mechanics.frame
    known = [i.mass_kg for i in m.items]
    if known and all(mass is not None for mass in known):
        return sum(mass for mass in known if mass is not None)
    if m.mass_kg is None or frame is None:
        return None
    return m.mass_kg - (frame.mass_kg or 0.0 if frame.payload_excludes_frame else 0.0)


@rule("M4", "error", "Load on a pair of shelves", source="OCP ORv3 frame; OCP Open Rack Wide",
      depends_on=("enclosure", "server.mass_kg"))  # fmt: skip
def shelf_load(design: PhysicalDesign) -> Iterator[Found]:
    """Hold each device that rests on a pair of shelves against what they carry."""
    frame = design.mechanics.frame
    if frame is None or frame.shelf_set_kg is None:
        return
    seen: set[str] = set()
    for i in design.mechanics.items:
        kind = i.key or i.name
        if i.shelf_set and i.mass_kg is not None and i.mass_kg > frame.shelf_set_kg:
            if kind in seen:
                continue
            seen.add(kind)
            yield Found(
                i.name,
                f"{i.mass_kg:g} kg on a pair of shelves that carries {frame.shelf_set_kg:g} kg",
                "two pairs of shelves, or a rack for heavier devices",
            )


@rule("M5", "error", "Load on the floor", source="derived; the floor's rating is the site's",
      depends_on=("system.mass_kg", "enclosure", "data_centers.floor_kg_per_m2"))  # fmt: skip
def floor_load(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the rack's mass over its footprint against the floor's rating."""
    m, frame = design.mechanics, design.mechanics.frame
    if frame is None or m.floor_kg_per_m2 is None:
        return
    mass = m.mass_kg
    if mass is None:
        load = _load_kg(design)
        mass = None if load is None else load + (frame.mass_kg or 0.0)
    if mass is None:
        return
    area = frame.width_m * frame.depth_m
    if mass / area > m.floor_kg_per_m2:
        yield Found(
            "floor",
            f"{mass:,.0f} kg / {area:.2f} m2 = {mass / area:,.0f} kg/m2 > "
            f"{m.floor_kg_per_m2:,.0f} kg/m2",
            "load-spreading plates, a stronger floor, or a slab",
        )


@rule("M6", "warning", "Centre of gravity", source="AIDC Studio (ramp of 10 degrees), derived",
      depends_on=STACK)  # fmt: skip
def centre_of_gravity(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the height of the centre of gravity against the ramp that the rack is rolled over."""
    frame = design.mechanics.frame
    if frame is None:
        return
    height = centre_of_gravity_m(design)
    limit = frame.width_m / 2 / tan(radians(design.mechanics.ramp_degrees))
    if height is not None and height > limit:
        yield Found(
            "elevation",
            f"{height * 1e3:,.0f} mm above the floor > ({frame.width_m * 1e3:g} / 2) / tan "
            f"{design.mechanics.ramp_degrees:g} deg = {limit * 1e3:,.0f} mm",
            "heavy devices lower, or ship the rack without them",
        )


def centre_of_gravity_m(design: PhysicalDesign) -> float | None:
    """Return the height of the centre of gravity, the frame's at half its height."""
    frame = design.mechanics.frame
    weighed = [i for i in design.mechanics.items if i.mass_kg]
    if frame is None or not weighed:
        return None
    tall = frame.height_m or frame.units * frame.unit_m
    base = (tall - frame.units * frame.unit_m) / 2  # floor to the first unit
    moment, mass = (frame.mass_kg or 0.0) * tall / 2, frame.mass_kg or 0.0
    for i in weighed:
        assert i.mass_kg is not None
        middle = base + (i.bottom_u - 1 + i.units / 2) * frame.unit_m
        moment, mass = moment + i.mass_kg * middle, mass + i.mass_kg
    return moment / mass


@rule("M7", "warning", "Heavy below, wet below", source="practice, unsourced",
      depends_on=STACK)  # fmt: skip
def service_order(design: PhysicalDesign) -> Iterator[Found]:
    """Ask for heavy devices below light ones, and distribution units below what is dry."""
    items = sorted(design.mechanics.items, key=lambda i: i.bottom_u)
    units = [i for i in items if i.kind == "cdu"]
    for unit in units:
        dry = [i for i in items if not i.wet and i.kind != "blank" and i.bottom_u < unit.bottom_u]
        if dry:
            yield Found(
                unit.name,
                f"stands in unit {unit.bottom_u:g}, above {dry[0].name} in unit "
                f"{dry[0].bottom_u:g}",
                "the distribution unit at the bottom, or a drip tray below it",
            )
    frame = design.mechanics.frame
    if frame is None:
        return
    heavy = [i for i in items if (i.mass_kg or 0.0) > design.mechanics.lift_kg]
    for i in heavy:
        if i.bottom_u > frame.units * 2 / 3 and _lighter_below(i, items):
            yield Found(
                i.name,
                f"{i.mass_kg:g} kg in unit {i.bottom_u:g} of {frame.units}: more than two people "
                "lift over their heads",
                "heavy devices in the lower two thirds",
            )
            return


def _lighter_below(heavy: Item, items: list[Item]) -> bool:
    return any(
        i.mass_kg is not None and heavy.mass_kg is not None and i.mass_kg < heavy.mass_kg
        for i in items
        if i.bottom_u < heavy.bottom_u and i.kind != "blank"
    )
