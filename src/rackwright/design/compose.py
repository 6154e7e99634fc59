"""Racks composed from parts: every combination that a declared interface lets mate.

Power, mass and liquid share come from the interface's reference, a vendor's rack on the same
interface: composing what the vendor sells gives back the vendor's figures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import product
from math import ceil, floor
from typing import Any, NamedTuple, cast

from rackwright.catalog import Catalog
from rackwright.design.rack import Composition, Rack, compose_rack, footprint
from rackwright.records.component import Accelerator, Part
from rackwright.records.equipment import Enclosure, PowerShelf
from rackwright.records.interface import RackInterface, TrayCooling
from rackwright.records.provenance import Grade, worst
from rackwright.records.study import Composed, Generation

REDUNDANT_SHELVES = {"N": (1, 0), "N+1": (1, 1), "2N": (2, 0), "distributed": (1, 1)}
"""Factor and addition on the shelves that carry the peak, by the study's redundancy."""


class ComposedRacks(NamedTuple):
    """What mates, and why the other combinations do not."""

    racks: tuple[Rack, ...]
    rejected: dict[str, int]


class _Choice(NamedTuple):
    """One combination of the axes."""

    accelerator: Accelerator
    accelerators: int | None  # None: as many as fit
    domain: int
    cooling: TrayCooling
    shelf: PowerShelf | None
    host: Part
    memory_bytes: float  # per CPU


def composed_racks(composed: Composed, catalog: Catalog, redundancy: str) -> ComposedRacks:
    """Return every rack of the declared axes that the interface lets mate.

    Args:
        composed: the axes; an empty one takes all that the interface names.
        catalog: components.
        redundancy: of the study: N, N+1, 2N or distributed.

    Raises:
        UnknownComponentError: no interface, or no part, of that name.
        InputError: the interface's reference lacks what a rack needs.
    """
    interface = catalog.find(RackInterface, composed.interface)
    axes = _axes(composed, interface, catalog)
    references = _references(interface, catalog)
    racks: list[Rack] = []
    rejected: Counter[str] = Counter()
    for values in product(*axes):
        choice = _Choice(*cast("tuple[Any, ...]", values))
        made = _compose(interface, choice, references, catalog, redundancy)
        if isinstance(made, str):
            rejected[f"{composed.name or interface.key}: {made}"] += 1
        else:
            racks.append(made._replace(key=_key(composed, interface, choice, axes, made)))
    return ComposedRacks(tuple(racks), dict(rejected))


def as_generation(rack: Rack, composed: Composed) -> Generation:
    """Return a composed rack in the words of a generation: when it can be built, as what."""
    return Generation(system=rack.key, first_week=composed.first_week, revision=composed.revision)


Axes = tuple[Sequence[object], ...]


def _axes(composed: Composed, interface: RackInterface, catalog: Catalog) -> Axes:
    accelerators = composed.accelerators or interface.accelerators
    shelves = composed.power_shelf or _shipping_shelves(interface, catalog)
    hosts = composed.host_cpu or interface.hosts
    memory = composed.host_memory_bytes_per_cpu or (max(interface.host_memory_bytes_per_cpu),)
    kinds = composed.cooling or tuple(c.kind for c in interface.coolings)
    return (
        [catalog.find(Accelerator, name) for name in accelerators],
        list(composed.accelerators_per_rack or (None,)),
        list(composed.scale_up_accelerators or interface.scale_up_domains),
        [c for kind in kinds for c in interface.coolings if c.kind == kind],
        [catalog.find(PowerShelf, name) for name in shelves] or [None],
        [catalog.find(Part, name) for name in hosts],
        list(memory),
    )


def _shipping_shelves(interface: RackInterface, catalog: Catalog) -> tuple[str, ...]:
    found = [catalog.find(PowerShelf, name) for name in interface.power_shelves]
    return tuple(shelf.key for shelf in found if shelf.status == "shipping")


def _compose(
    interface: RackInterface,
    choice: _Choice,
    references: Sequence[Rack],
    catalog: Catalog,
    redundancy: str,
) -> Rack | str:
    """Return the rack, or the reason why these do not make one."""
    reference = _reference(choice, references)
    frame = catalog.find(Enclosure, interface.frame)
    units = (frame.rack_units_eia or frame.rack_units or 0) - interface.reserved_units
    if choice.accelerator.key not in interface.accelerators:
        return f"{choice.accelerator.key} has another package interface"
    if choice.accelerator.tdp_w is None:
        return f"{choice.accelerator.key} has no published power: no rack can be planned with it"
    most_w = choice.cooling.accelerator_max_w
    if most_w is not None and choice.accelerator.tdp_w > most_w:
        return (
            f"{choice.accelerator.key} draws {choice.accelerator.tdp_w:.0f} W, "
            f"{choice.cooling.kind} trays carry {most_w:.0f} W away"
        )
    count = choice.accelerators
    if count is None:
        made = _largest(interface, choice, reference, frame, units, redundancy)
    else:
        made = _of(interface, choice, count, reference, frame, redundancy)
    if isinstance(made, str):
        return made
    if made.units > units:
        return (
            f"{made.accelerators} accelerators need {made.units:g} units, "
            f"{frame.key} gives {units:g}"
        )
    if frame.payload_kg is not None and made.mass_kg - (frame.mass_kg or 0.0) > frame.payload_kg:
        return f"{made.accelerators} accelerators weigh more than {frame.key} carries"
    return _rack(interface, choice, made, reference, frame)


class _Filled(NamedTuple):
    """How a rack is filled. Powers are IT basis."""

    accelerators: int
    trays: int
    switch_trays: int
    shelves: int
    units: float
    power_w: float
    peak_power_w: float
    mass_kg: float


def _largest(
    interface: RackInterface,
    choice: _Choice,
    reference: Rack,
    frame: Enclosure,
    units: float,
    redundancy: str,
) -> _Filled | str:
    """Return the fullest rack of whole domains that fits units, backplane and frame."""
    step = max(choice.domain, interface.accelerators_per_tray)
    top = interface.accelerators_max or step * floor(units)
    made: _Filled | str = f"no domain of {choice.domain} fits {frame.key}"
    for count in range(step, top + 1, step):
        tried = _of(interface, choice, count, reference, frame, redundancy)
        if isinstance(tried, str):
            return made if isinstance(made, _Filled) else tried
        load = tried.mass_kg - (frame.mass_kg or 0.0)
        if tried.units > units or (frame.payload_kg is not None and load > frame.payload_kg):
            break
        made = tried
    return made


def _of(
    interface: RackInterface,
    choice: _Choice,
    count: int,
    reference: Rack,
    frame: Enclosure,
    redundancy: str,
) -> _Filled | str:
    """Return a rack with so many accelerators, or why it cannot be."""
    if count % interface.accelerators_per_tray:
        return f"{count} accelerators are no whole number of trays"
    if interface.accelerators_max is not None and count > interface.accelerators_max:
        return f"the backplane reaches {interface.accelerators_max} accelerators"
    if choice.domain not in interface.scale_up_domains:
        return f"no scale-up domain of {choice.domain} is made for it"
    if count % choice.domain:
        return f"domains of {choice.domain} do not divide {count} accelerators"
    trays = count // interface.accelerators_per_tray
    switches = _switch_trays(interface, choice.accelerator, choice.domain) * count // choice.domain
    switch_w = interface.switch_tray_power_w or 0.0
    host_w = choice.host.power_w or 0.0
    assert choice.accelerator.tdp_w is not None, "checked before"
    power = count * choice.accelerator.tdp_w + trays * interface.cpus_per_tray * host_w
    power += trays * _tray_overhead_w(interface, reference) * choice.cooling.overhead_share
    power += switches * switch_w
    peak = power * reference.peak_power_w / reference.power_w
    shelves = 0
    units = trays * choice.cooling.tray_units + switches * (interface.switch_tray_units or 0.0)
    if choice.shelf is not None:
        factor, more = REDUNDANT_SHELVES[redundancy]
        shelves = factor * ceil(peak / choice.shelf.power_w) + more
        units += shelves * choice.shelf.height_units
    own = frame.mass_kg or 0.0
    each = max(reference.mass_kg - own, 0.0) / (reference.compute_trays + reference.switch_trays)
    return _Filled(
        count, trays, switches, shelves, units, power, peak, own + each * (trays + switches)
    )


def _switch_trays(interface: RackInterface, accelerator: Accelerator, domain: int) -> int:
    """Return the switch trays of one domain: every link of every accelerator ends on a port."""
    if not interface.switch_tray or interface.switch_tray_links is None:
        return 0
    return ceil(domain * (accelerator.scale_up_links or 0) / interface.switch_tray_links)


def _tray_overhead_w(interface: RackInterface, reference: Rack) -> float:
    """Return what the reference draws per tray beside accelerators, CPUs and switch trays."""
    tdp = reference.accelerator.tdp_w or 0.0
    own = reference.accelerators * tdp + reference.cpus * reference.cpu_power_w
    own += reference.switch_trays * (interface.switch_tray_power_w or 0.0)
    return max(reference.power_w - own, 0.0) / reference.compute_trays


def _references(interface: RackInterface, catalog: Catalog) -> tuple[Rack, ...]:
    """Return the vendors' racks on the interface, with the power of its usual CPU."""
    cpu_w = catalog.find(Part, interface.hosts[0]).power_w or 0.0
    return tuple(
        compose_rack(Generation(system=name), catalog)._replace(cpu_power_w=cpu_w)
        for name in interface.references
    )


def _reference(choice: _Choice, references: Sequence[Rack]) -> Rack:
    """Return the rack to take figures from: the same package and cooling, else one of the two."""
    same = [r for r in references if r.accelerator.key == choice.accelerator.key]
    cooled = [r for r in references if r.cooling == choice.cooling.kind]
    both = [r for r in same if r.cooling == choice.cooling.kind]
    return (both or cooled or same or references)[0]


def _rack(
    interface: RackInterface,
    choice: _Choice,
    made: _Filled,
    reference: Rack,
    frame: Enclosure,
) -> Rack:
    share = choice.cooling.liquid_share
    if share is None:
        share = reference.liquid_w / reference.power_w
    accelerator = choice.accelerator
    notes = [
        f"composed on {interface.key}: power beside accelerators and CPUs, mass and coolant "
        f"limit per tray as {reference.key}"
    ]
    if accelerator.key != reference.accelerator.key:
        notes.append(f"composed on {interface.key}: {accelerator.key} at its published power")
    supply = reference.max_coolant_supply_c
    if accelerator.coolant_max_inlet_c is not None and share > 0:
        supply = min(supply, accelerator.coolant_max_inlet_c)
    return Rack(
        key="",
        system=None,
        server=None,
        servers=made.trays,
        accelerator=accelerator,
        accelerators=made.accelerators,
        domain=choice.domain,
        cpus=made.trays * interface.cpus_per_tray,
        compute_trays=made.trays,
        switch_trays=made.switch_trays,
        switch_tray=interface.switch_tray,
        power_shelf=choice.shelf.key if choice.shelf is not None else "",
        power_shelves=made.shelves,
        power_w=made.power_w,
        peak_power_w=made.peak_power_w,
        liquid_w=made.power_w * share,
        air_w=made.power_w * (1.0 - share),
        mass_kg=made.mass_kg,
        max_coolant_supply_c=supply,
        enclosure=frame,
        floor_m2=footprint(frame),
        status=_status(accelerator, reference, choice),
        grade=worst([Grade.D, reference.grade, interface.grade_of()]),
        assumptions=tuple(notes),
        cooling=choice.cooling.kind,
        cpu_power_w=choice.host.power_w or 0.0,
        composition=Composition(
            interface=interface,
            bill=choice.cooling.bill,
            host=choice.host.key,
            host_memory_bytes_per_cpu=choice.memory_bytes,
            links=made.accelerators / _backplane(interface, reference),
        ),
    )


def _backplane(interface: RackInterface, reference: Rack) -> float:
    """Return the accelerators that one backplane of the bill is made for."""
    return float(interface.accelerators_max or reference.accelerators)


def _status(accelerator: Accelerator, reference: Rack, choice: _Choice) -> str:
    """Return the least ready of what the rack is made of."""
    found = [accelerator.status, reference.status]
    if choice.shelf is not None:
        found.append(choice.shelf.status)
    return next((status for status in found if status != "shipping"), "shipping")


def _key(
    composed: Composed, interface: RackInterface, choice: _Choice, axes: Axes, rack: Rack
) -> str:
    """Return the rack's key: its table's name and what tells it from the others of the table."""
    told = [
        choice.accelerator.key,
        f"{rack.accelerators}a",
        f"d{choice.domain}",
        choice.cooling.kind,
        choice.shelf.key if choice.shelf is not None else "pdu",
        choice.host.key,
        f"{choice.memory_bytes / 1e9:g}gb",
    ]
    telling = [text for text, axis in zip(told, axes, strict=True) if len(axis) > 1]
    return "+".join([composed.name or interface.key, *telling])
