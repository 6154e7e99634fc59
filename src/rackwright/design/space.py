"""Rows of the space: what each block needs, and what it does for each workload."""

from __future__ import annotations

from rackwright.catalog import Catalog
from rackwright.catalog.agreement import families
from rackwright.design.bill import Residual, price_lines, scaled
from rackwright.design.candidates import Candidate
from rackwright.records.component import Part
from rackwright.records.provenance import worst
from rackwright.records.space import Axes, BillLine, LevelHours, PowerLine, Service, SpaceRow
from rackwright.records.study import Study
from rackwright.records.work import WorkContent

HOURS_PER_WEEK = 168.0


def space_row(
    study: Study,
    catalog: Catalog,
    candidate: Candidate,
    services: tuple[Service | None, ...],
    over: Residual,
) -> SpaceRow:
    """Return the row of a candidate: bill, price, power, heat, floor, mass, hours, services.

    Racks reserve their highest reported power; heat follows it in the rack's own shares. The
    fabric's switches and modules are air-cooled.

    Args:
        services: by workload, None where the candidate cannot serve it.
        over: residual of the priced systems.
    """
    hardware, rack, racks = candidate.hardware, candidate.rack, candidate.hardware.racks
    fabric_w = hardware.rack_provisioned_w - rack.peak_power_w
    peak = rack.peak_power_w / rack.power_w
    items = scaled(candidate.items, racks)
    bill = _merged([item.line for item in items])
    lines = price_lines(rack, items, racks, over)
    grades = [rack.grade, candidate.network.grade, *(line.grade for line in bill)]
    return SpaceRow(
        key=hardware.key,
        platform=f"{rack.key}/{candidate.ports}",
        system=rack.key,
        accelerator=rack.accelerator.key,
        revision=candidate.generation.revision,
        accelerators=hardware.accelerators,
        racks=racks,
        cluster_accelerators=candidate.cluster,
        nic_gbit_per_s=round(candidate.ports.nic_bit_per_s / 1e9),
        oversubscription=hardware.oversubscription,
        axes=_axes(catalog, candidate, bill),
        bill=bill,
        price=lines,
        price_usd=sum(line.usd for line in lines),
        residual_usd=lines[-1].usd,
        provisioned_power_w=racks * hardware.rack_provisioned_w,
        power=_power(catalog, candidate, bill),
        liquid_w=racks * rack.liquid_w * peak,
        air_w=racks * (rack.air_w * peak + fabric_w),
        floor_m2=racks * rack.floor_m2,
        mass_kg=racks * rack.mass_kg,
        max_coolant_supply_c=rack.max_coolant_supply_c,
        hours=_hours(catalog, candidate),
        first_week=candidate.generation.first_week,
        services=services,
        grade=worst(grades),
        assumptions=_assumptions(catalog, candidate, over),
    )


def _power(
    catalog: Catalog, candidate: Candidate, bill: tuple[BillLine, ...]
) -> tuple[PowerLine, ...]:
    """Return the shares of what a block reserves; they sum to it.

    Accelerators and CPUs at their published power; what a rack's peak is above its power, and
    what its maker does not itemise (trays, switches, fans, conversion), is the rest.
    """
    hardware, rack, racks = candidate.hardware, candidate.rack, candidate.hardware.racks
    whole = racks * hardware.rack_provisioned_w
    fabric = racks * (hardware.rack_provisioned_w - rack.peak_power_w)
    accelerators = min(
        hardware.accelerators * (rack.accelerator.tdp_w or 0.0), racks * rack.peak_power_w
    )
    cpus = 0.0
    for line in bill:
        if line.part in _cpus(catalog):
            part = catalog.find(Part, line.part)
            cpus += line.quantity * (part.power_w or 0.0)
    cpus = min(cpus, racks * rack.peak_power_w - accelerators)
    lines = (
        ("accelerators", accelerators),
        ("CPUs", cpus),
        ("trays, scale-up, fans, conversion, peak", whole - fabric - accelerators - cpus),
        ("fabric and further NICs", fabric),
    )
    return tuple(PowerLine(name=name, w=w) for name, w in lines if w > 0)


def _cpus(catalog: Catalog) -> frozenset[str]:
    return frozenset(key for key in catalog.names("parts") if key.startswith("host-cpu-"))


def _axes(catalog: Catalog, candidate: Candidate, bill: tuple[BillLine, ...]) -> Axes:
    """Return where a candidate stands on the axes that its key does not tell."""
    hardware, rack, network = candidate.hardware, candidate.rack, candidate.network
    made = rack.composition
    cpus = [line.part for line in bill if line.part in _cpus(catalog)]
    shelves = [line.part for line in bill if line.part in catalog.names("power_shelves")]
    return Axes(
        composed=made is not None,
        interface=made.interface.key if made is not None else "",
        accelerators_per_rack=rack.accelerators,
        scale_up=rack.accelerator.scale_up,
        scale_up_accelerators=rack.domain,
        nic=network.nic.key,
        nics_per_accelerator=network.ports.nics,
        planes=network.ports.planes,
        fabric_tiers=hardware.fabric_tiers,
        switch=network.switch.key,
        cooling=rack.cooling,
        power_shelf=rack.power_shelf or (shelves[0] if shelves else ""),
        power_shelves=rack.power_shelves,
        host_cpu=cpus[0] if cpus else "",
        host_memory_bytes=hardware.host_memory_bytes,
    )


def _merged(lines: list[BillLine]) -> tuple[BillLine, ...]:
    """Add up lines of the same part at the same level."""
    table: dict[tuple[str, str], BillLine] = {}
    for line in lines:
        key = (line.part, line.level)
        if key in table:
            total = table[key].quantity + line.quantity
            table[key] = BillLine(**{**dict(line), "quantity": total})
        else:
            table[key] = line
    return tuple(table.values())


def _hours(catalog: Catalog, candidate: Candidate) -> tuple[LevelHours, ...]:
    """Return the middle of the ranges of work content, for the whole block.

    Trays share the room of a rack bay. A block of several racks is tested as a pod (L12), once
    and in one bay's time, whatever its size; a single rack has no such test.
    """
    work = catalog.all("work")[0]
    assert isinstance(work, WorkContent)
    racks = candidate.hardware.racks
    trays = (candidate.rack.compute_trays + candidate.rack.switch_trays) * racks
    tray_touch = 0.5 * (work.tray_touch_hours_low + work.tray_touch_hours_high)
    tray_test = 0.5 * (work.tray_test_hours_low + work.tray_test_hours_high)
    rack_touch = 0.5 * (work.rack_touch_hours_low + work.rack_touch_hours_high)
    rack_test = 0.5 * (work.rack_test_hours_low + work.rack_test_hours_high)
    pod_test = 0.5 * (work.pod_test_hours_low + work.pod_test_hours_high)
    hours = [
        LevelHours(
            level="L10",
            touch_hours=trays * tray_touch,
            bay_hours=trays * tray_test / work.trays_per_bay,
        ),
        LevelHours(level="L11", touch_hours=racks * rack_touch, bay_hours=racks * rack_test),
    ]
    if racks > 1:
        hours.append(LevelHours(level="L12", touch_hours=0.0, bay_hours=pod_test))
    return tuple(hours)


def _assumptions(catalog: Catalog, candidate: Candidate, over: Residual) -> tuple[str, ...]:
    rack = candidate.rack
    notes = list(rack.assumptions)
    chip = rack.accelerator
    if chip.family not in families(catalog):
        notes.append(
            f"{chip.key}: nothing is measured of the chip family {chip.family!r}; it is given the "
            "efficiencies common to all, with their wide spreads (grade D)"
        )
    own = over.own(rack.key)
    if rack.composition is not None:
        notes.append(
            f"composed racks: charged the upper end of every range, with a residual of "
            f"{100 * over.high:+.1f} % of the bill (priced systems: {100 * over.low:+.1f} % to "
            f"{100 * over.high:+.1f} %)"
        )
    elif own is None:
        notes.append(
            f"{rack.key}: no published price; residual {100 * over.middle:+.1f} % of the bill, "
            "as the "
            f"priced systems show ({100 * over.low:+.1f} % to {100 * over.high:+.1f} %)"
        )
    elif own < 0:
        notes.append(
            f"{rack.key}: its bill exceeds its published price; the residual of "
            f"{100 * own:+.1f} % takes that back, part prices are too high together"
        )
    if candidate.rack.status != "shipping":
        notes.append(f"{rack.key}: {candidate.rack.status}, not shipping; its numbers may change")
    notes.append(
        f"{rack.key}: fabric of {candidate.network.switch.key}, {candidate.network.nic_optic.key} "
        f"in NICs and {candidate.network.switch_optic.key} in switch cages "
        f"({candidate.network.links_per_cage} links each), to first order"
    )
    return tuple(notes)
