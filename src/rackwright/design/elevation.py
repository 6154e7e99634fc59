"""What stands where in a rack: power below and above, switches in the middle, the rest around.

A rack with a backplane keeps its switch trays in the middle, where every link is short, half of
its compute trays below and above, and its shelves at both ends. Servers are stacked from the
bottom, the heaviest first, with management above. Masses that no source gives share what is left
of the rack's mass by their height (estimate).
"""

from __future__ import annotations

from math import ceil

from rackwright.catalog import Catalog
from rackwright.design.rack import Rack
from rackwright.records.component import Server
from rackwright.records.equipment import PowerShelf
from rackwright.records.interface import RackInterface
from rackwright.records.mechanical import EIA_UNIT_M, Frame, Item, MechanicalDesign

OCP_UNIT_M = 0.048
REAR_SPACE_M = 0.15
"""Kept behind devices for cords and cables in a cabinet: planning estimate (grade D)."""

MANAGEMENT_KG, SHELF_KG = 8.0, 25.0
"""Mass of a 1U management switch and of a power shelf: planning estimates (grade D)."""


def elevation(rack: Rack, catalog: Catalog) -> MechanicalDesign:
    """Return a rack's elevation with masses.

    Args:
        rack: what stands in it.
        catalog: trays, shelves, the frame.
    """
    frame = _frame(rack)
    items = _with_backplane(rack, catalog, frame) if rack.switch_trays else _of_servers(rack, frame)
    return MechanicalDesign(
        frame=frame, items=tuple(_weighed(items, rack, frame)), mass_kg=rack.mass_kg
    )


def _frame(rack: Rack) -> Frame:
    e = rack.enclosure
    eia = bool(rack.switch_trays and e.rack_units_eia)  # MGX trays count in EIA units
    units = e.rack_units_eia if eia else e.rack_units
    assert units is not None
    assert e.width_m is not None
    assert e.depth_m is not None
    return Frame(
        key=e.key,
        standard=e.standard,
        units=units,
        unit_m=EIA_UNIT_M if eia else e.unit_m or EIA_UNIT_M,
        width_m=e.width_m,
        depth_m=e.depth_m,
        height_m=e.height_m,
        mass_kg=e.mass_kg,
        payload_kg=e.payload_kg,
        payload_excludes_frame=e.payload_excludes_frame is not False,
        brace_above_kg=e.cross_brace_above_kg,
        braced=e.cross_brace_above_kg is not None,  # bought with it wherever it is wanted
        shelf_set_kg=e.shelf_set_kg,
        rear_space_m=REAR_SPACE_M,
    )


def _with_backplane(rack: Rack, catalog: Catalog, frame: Frame) -> list[Item]:
    """Place shelves, half of the trays, switches, the other half, shelves, management."""
    shelf = rack.power_shelf or shelf_of_interface(rack, catalog)
    shelves = catalog.find(PowerShelf, shelf) if shelf else None
    high = 1.0 if shelves is None else shelves.height_units * (
        OCP_UNIT_M / frame.unit_m if shelves.unit == "OU" and frame.unit_m < OCP_UNIT_M else 1.0
    )  # fmt: skip
    tray = rack.server.height_u if rack.server and rack.server.height_u else 1.0
    draws = rack.power_w / max(rack.compute_trays, 1)
    below, above = rack.power_shelves - rack.power_shelves // 2, rack.power_shelves // 2
    lower = rack.compute_trays - ceil(rack.compute_trays / 2) + (rack.compute_trays % 2)
    wet = rack.liquid_w > 0
    pile: list[tuple[str, str, str, float, int, float | None]] = [
        ("power shelf", "power", shelf, high, below, None),
        ("compute tray", "compute", rack.server.key if rack.server else rack.key, tray, lower,
         draws),
        ("switch tray", "switch", rack.switch_tray, 1.0, rack.switch_trays, None),
        ("compute tray", "compute", rack.server.key if rack.server else rack.key, tray,
         rack.compute_trays - lower, draws),
        ("power shelf", "power", shelf, high, above, None),
        ("management switch", "management", "", 1.0, _management(rack), None),
    ]  # fmt: skip
    items: list[Item] = []
    numbers: dict[str, int] = {}
    at = 1.0
    for name, kind, key, units, count, power in pile:
        for _ in range(count):
            numbers[name] = numbers.get(name, 0) + 1
            items.append(
                Item(name=f"{name} {numbers[name]}", kind=kind, key=key, bottom_u=at, units=units,
                     power_w=power, wet=wet and kind in ("compute", "switch"),
                     depth_m=shelves.depth_m if shelves and kind == "power" else None)
            )  # fmt: skip
            at += units
    return items


def _management(rack: Rack) -> int:
    return (rack.system.management_switches if rack.system else None) or 1


def _of_servers(rack: Rack, frame: Frame) -> list[Item]:
    """Stack the servers from the bottom, then PDUs that take units, then management."""
    server, at, items = rack.server, 1.0, []
    tall = (server.height_u if server else None) or 1.0
    for number in range(rack.servers):
        items.append(
            Item(name=f"server {number + 1}", kind="compute", key=server.key if server else "",
                 bottom_u=at, units=tall, depth_m=server.depth_m if server else None,
                 mass_kg=server.mass_kg if server else None,
                 power_w=rack.power_w / max(rack.servers, 1), wet=rack.liquid_w > 0)
        )  # fmt: skip
        at += tall
    system = rack.system
    for number in range(system.pdus or 0 if system else 0):
        units = (system.pdu_height_u if system else None) or 2.0
        items.append(Item(name=f"PDU {number + 1}", kind="pdu", bottom_u=at, units=units))
        at += units
    if at < frame.units + 1:
        top = float(frame.units)
        items.append(Item(name="management switch 1", kind="management", bottom_u=top, units=1.0))
    return items


def shelf_of_interface(rack: Rack, catalog: Catalog) -> str:
    """Return the power shelf that a rack's declared interface names first, "" where none does."""
    for interface in catalog.all("interfaces"):
        assert isinstance(interface, RackInterface)
        if rack.key in interface.references and interface.power_shelves:
            return interface.power_shelves[0]
    return ""


def _weighed(items: list[Item], rack: Rack, frame: Frame) -> list[Item]:
    """Give a mass to each device: its own, or its share of what is left by height."""
    known = {"management": MANAGEMENT_KG, "power": SHELF_KG, "pdu": SHELF_KG}
    masses = [i.mass_kg if i.mass_kg is not None else known.get(i.kind) for i in items]
    left = rack.mass_kg - (frame.mass_kg or 0.0) - sum(m for m in masses if m is not None)
    tall = sum(i.units for i, m in zip(items, masses, strict=True) if m is None)
    each = max(left, 0.0) / tall if tall else 0.0
    return [
        i.model_copy(update={"mass_kg": m if m is not None else round(each * i.units, 3)})
        for i, m in zip(items, masses, strict=True)
    ]


def servers_airflow_m3_per_s(rack: Rack) -> float | None:
    """Return the air that a rack's fans move, where its maker says so."""
    if rack.system is not None and rack.system.airflow_m3_per_s is not None:
        return rack.system.airflow_m3_per_s
    server: Server | None = rack.server
    if server is None or server.airflow_m3_per_s is None:
        return None
    return server.airflow_m3_per_s * rack.servers
