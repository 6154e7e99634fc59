"""One rack of a system: what stands in it, what it draws, weighs and sheds.

A generation of the study names a rack system of the catalog, or a server; servers are stacked
into the smallest enclosure that the catalog has with room for them.
"""

from __future__ import annotations

from math import floor
from typing import Any, NamedTuple

from rackwright.catalog import Catalog
from rackwright.records.component import Accelerator, RackSystem, Server
from rackwright.records.equipment import Enclosure
from rackwright.records.errors import InputError
from rackwright.records.interface import RackInterface
from rackwright.records.provenance import Grade, worst
from rackwright.records.study import Generation

LIQUID_SHARE = {"air": 0.0, "hybrid": 0.80, "liquid": 0.90}
"""Share of heat into the coolant where the component states none. Source: OCP cold-plate
guidance, classes hybrid-intermediate 0.75-0.85 and full liquid up to 1.0 (grade B)."""

AISLE_M = 1.2
"""Half of the cold and half of the hot aisle beside each rack; OCP door heat exchanger
guidance asks for 1.2 m of open aisle."""

NETWORK_UNITS = 4
"""Rack units kept free for in-band and management switches."""


class Composition(NamedTuple):
    """What was chosen for a rack composed on an interface, as its bill needs it."""

    interface: RackInterface
    bill: str
    host: str
    host_memory_bytes_per_cpu: float
    links: float  # of the backplane, over those of the one in the bill


class Rack(NamedTuple):
    """A populated rack. Powers are IT basis."""

    key: str
    system: RackSystem | None
    server: Server | None
    servers: int
    accelerator: Accelerator
    accelerators: int
    domain: int
    cpus: int
    compute_trays: int
    switch_trays: int
    switch_tray: str
    power_shelf: str
    power_shelves: int
    power_w: float
    peak_power_w: float
    liquid_w: float
    air_w: float
    mass_kg: float
    floor_m2: float
    max_coolant_supply_c: float
    enclosure: Enclosure
    status: str
    grade: Grade
    assumptions: tuple[str, ...]
    cooling: str
    cpu_power_w: float = 0.0  # of one CPU, where it is known
    composition: Composition | None = None


def compose_rack(generation: Generation, catalog: Catalog) -> Rack:
    """Return the rack that a generation names.

    Raises:
        UnknownComponentError: neither a system nor a server has that name.
        InputError: the component lacks a number without which no rack can be planned.
    """
    name = generation.system
    if name in catalog.names("servers") and name not in catalog.names("systems"):
        return _of_servers(name, None, catalog.find(Server, name), catalog, generation)
    system = catalog.find(RackSystem, name)
    if system.server:
        return _of_servers(
            system.key, system, catalog.find(Server, system.server), catalog, generation
        )
    return _of_system(system, catalog)


def _of_system(system: RackSystem, catalog: Catalog) -> Rack:
    accelerator = catalog.find(Accelerator, system.accelerator)
    _need(system.key, power_w=system.power_w, accelerator_count=system.accelerator_count or None)
    assert system.power_w is not None
    notes: list[str] = []
    liquid = system.liquid_heat_w
    if liquid is None:
        liquid = LIQUID_SHARE[system.cooling] * system.power_w
        notes.append(
            f"{system.key}: {100 * LIQUID_SHARE[system.cooling]:.0f} % of heat into the coolant, "
            f"by its cooling class ({system.cooling})"
        )
    mass = system.mass_kg
    if mass is None:
        known = [s.mass_kg for s in catalog.all("systems") if isinstance(s, RackSystem)]
        mass = max(m for m in known if m is not None)
        notes.append(f"{system.key}: mass not published, taken as {mass:.0f} kg (heaviest known)")
    supply = system.coolant_max_supply_c
    if supply is None:
        supply = max((p.supply_c for p in system.coolant_at_supply), default=None)
    if supply is None:
        supply = accelerator.coolant_max_inlet_c or 45.0
        notes.append(f"{system.key}: warmest coolant supply taken as {supply:.0f} degC (W45 class)")
    trays = system.compute_trays or 1
    leaned = ["power_w"]
    if (system.power_high_w or 0.0) > system.power_w:
        leaned.append("power_high_w")  # reserved, though only reported in the press
    return Rack(
        key=system.key,
        system=system,
        server=catalog.find(Server, system.compute_tray) if system.compute_tray else None,
        servers=trays,
        accelerator=accelerator,
        accelerators=system.accelerator_count,
        domain=min(accelerator.scale_up_domain or 1, system.accelerator_count),
        cpus=system.cpus or 0,
        compute_trays=trays,
        switch_trays=system.switch_trays or 0,
        switch_tray=system.switch_tray,
        power_shelf=system.power_shelf,
        power_shelves=system.power_shelves or 0,
        power_w=system.power_w,
        peak_power_w=max(system.power_w, system.power_high_w or 0.0),
        liquid_w=min(liquid, system.power_w),
        air_w=max(system.power_w - liquid, 0.0),
        mass_kg=mass,
        max_coolant_supply_c=supply,
        status=system.status,
        grade=worst([system.grade_of(leaned), accelerator.grade_of(("memory_bytes",))]),
        assumptions=tuple(notes),
        cooling=system.cooling,
        **_frame(catalog, None),
    )


def _of_servers(
    key: str, system: RackSystem | None, server: Server, catalog: Catalog, generation: Generation
) -> Rack:
    accelerator = catalog.find(Accelerator, server.accelerator)
    _need(server.key, power_w=server.power_w, height_u=server.height_u)
    assert server.power_w is not None
    assert server.height_u is not None
    frame = _frame(catalog, server.height_u)
    notes: list[str] = []
    count = generation.servers_per_rack or (system.server_count if system else None)
    if count is None:
        count = floor((frame["enclosure"].rack_units - NETWORK_UNITS) / server.height_u)
        notes.append(
            f"{key}: {count} servers of {server.height_u:g}U in a "
            f"{frame['enclosure'].rack_units}U rack with {NETWORK_UNITS}U kept for switches"
        )
    power = server.power_w * count
    share = server.liquid_fraction
    if share is None:
        share = LIQUID_SHARE[server.cooling]
        if share:
            notes.append(
                f"{key}: {100 * share:.0f} % of heat into the coolant, by its cooling class"
            )
    mass = server.mass_kg
    if mass is None:
        known = [s.mass_kg for s in catalog.all("servers") if isinstance(s, Server)]
        mass = max(m for m in known if m is not None)
        notes.append(f"{key}: server mass not published, taken as {mass:.0f} kg (heaviest known)")
    supply = server.coolant_max_inlet_c
    if supply is None:
        supply = 45.0 if share == 0 else (accelerator.coolant_max_inlet_c or 45.0)
    n = server.accelerator_count * count
    return Rack(
        key=key,
        system=system,
        server=server,
        servers=count,
        accelerator=accelerator,
        accelerators=n,
        domain=min(accelerator.scale_up_domain or 1, server.accelerator_count),
        cpus=(server.cpus or 0) * count,
        compute_trays=count,
        switch_trays=0,
        switch_tray="",
        power_shelf="",
        power_shelves=0,
        power_w=power,
        peak_power_w=power,
        liquid_w=power * share,
        air_w=power * (1 - share),
        mass_kg=mass * count + (frame["enclosure"].mass_kg or 0.0),
        max_coolant_supply_c=supply,
        status=server.status if system is None else system.status,
        grade=worst([server.grade_of(("power_w",)), accelerator.grade_of(("memory_bytes",))]),
        assumptions=tuple(notes),
        cooling=server.cooling,
        **frame,
    )


def _frame(catalog: Catalog, server_units: float | None) -> dict[str, Any]:
    """Return the frame and the floor it takes with its half aisles.

    Rack systems stand in the OCP/MGX frame footprint; servers in the tallest EIA rack.
    """
    frames = [e for e in catalog.all("enclosures") if isinstance(e, Enclosure)]
    if server_units is None:
        frame = next(e for e in frames if e.standard == "OCP ORv3")
    else:
        frame = max(
            (e for e in frames if e.standard == "EIA-310" and e.width_m == 0.6),
            key=lambda e: e.rack_units or 0,
        )
    return {"enclosure": frame, "floor_m2": footprint(frame)}


def footprint(frame: Enclosure) -> float:
    """Return the floor that a frame takes with its half aisles [m2]."""
    assert frame.width_m is not None
    assert frame.depth_m is not None
    return frame.width_m * (frame.depth_m + AISLE_M)


def _need(key: str, **values: float | None) -> None:
    missing = [name for name, value in values.items() if value is None]
    if missing:
        raise InputError(
            [f"catalog: {key} has no {', '.join(missing)}: without it no rack can be planned"]
        )
