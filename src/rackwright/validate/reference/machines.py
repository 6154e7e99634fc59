"""What racks, servers and accelerators of a published design come to: power, memory, wiring."""

from __future__ import annotations

import re
from itertools import product
from math import prod

from rackwright.records.component import PortGroup
from rackwright.records.equipment import Nic, PowerShelf
from rackwright.validate.reference.facts import Facts, Lacking
from rackwright.validate.reference.quantities import Question, quantity

PAIR_CONDUCTORS = 2
"""Directions of a link: each lane has a pair for each."""


@quantity(r"nvlink_links|scale_up_links")
def scale_up_links(q: Question) -> int:
    """Links of all accelerators into the scale-up fabric."""
    return q.facts.count("accelerator") * _links_per_accelerator(q.facts)


@quantity(r"copper_pairs")
def copper_pairs(q: Question) -> int:
    """Pairs of the backplane: a pair for each lane and direction of each link."""
    lanes = int(q.facts.need("lanes_per_link_per_dir"))
    return scale_up_links(q) * lanes * PAIR_CONDUCTORS


@quantity(r"switch_asics|asics")
def scale_up_switches(q: Question) -> int:
    """Switch chips: as many as their ports take the links."""
    return -(-scale_up_links(q) // int(q.facts.need("switch_asic_ports")))


@quantity(r"switch_trays")
def scale_up_switch_trays(q: Question) -> int:
    """Switch trays: the chips over those of a tray, or as the catalog's rack has them."""
    f = q.facts
    if f.get("switch_asic_ports") and f.get("asics_per_tray") and not q.asked.per:
        return -(-scale_up_switches(q) // int(f.need("asics_per_tray")))
    return f.count("switch_tray", q.asked.per or "cluster", q.asked.per_count)


@quantity(r"aggregate_bytes_per_s")
def aggregate_rate(q: Question) -> float:
    """Rate of all accelerators into the scale-up fabric, both ways."""
    one_way = q.facts.accelerator().scale_up_bytes_per_s
    return 2 * q.facts.count("accelerator") * _known(one_way, "scale_up_bytes_per_s")


@quantity(r"weight_mass_kg|mass_kg|rack_mass_kg")
def mass(q: Question) -> float:
    """Mass of the rack."""
    return _known(q.facts.system().mass_kg, "mass_kg")


@quantity(r"power_w|rack_power_w|su_power_w|dgx_power_w|server_power_w")
def power(q: Question) -> float:
    """Power of a rack, of a server, or of all servers of what is asked."""
    f, per = q.facts, q.asked.per
    if per == "server" or q.asked.quantity == "server_power_w":
        return _known(f.server().power_w, "power_w")
    if q.asked.quantity == "su_power_w":
        return f.count("server", "su") * _known(f.server().power_w, "power_w")
    if q.asked.quantity == "rack_power_w" or per == "rack" or not f.has("server"):
        return _rack_power(f)
    try:
        if f.system().compute_tray:  # a whole rack: trays alone are not all of its power
            return _rack_power(f) * f.count("accelerator") / f.system().accelerator_count
    except Lacking:
        pass
    return f.count("server") * _known(f.server().power_w, "power_w")


@quantity(r"coolant_l_per_min")
def coolant_flow(q: Question) -> float:
    """Coolant that the rack needs."""
    return _known(q.facts.system().coolant_l_per_min, "coolant_l_per_min")


@quantity(r"coolant_rise_k")
def coolant_rise(q: Question) -> float:
    """Rise of the coolant in the rack."""
    return _known(q.facts.system().coolant_rise_k, "coolant_rise_k")


@quantity(r"copper_m")
def copper_length(q: Question) -> float:
    """Length of the backplane's copper."""
    return _known(q.facts.system().scale_up_cable_m, "scale_up_cable_m")


@quantity(r"(hbm|memory)_bytes(_per_s)?")
def memory(q: Question) -> float:
    """Memory, or its rate, of all accelerators."""
    chip = q.facts.accelerator()
    value = chip.memory_bytes_per_s if q.part[1] else chip.memory_bytes
    return q.facts.count("accelerator") * _known(value, "memory")


@quantity(r"(?:pod_)?(fp64|fp32|tf32|bf16|fp16|int8|fp8|fp6|fp4)_flop_per_s")
def arithmetic(q: Question) -> float:
    """Rate of all accelerators at a precision, dense."""
    precision = q.part[0] or ""
    chip = q.facts.accelerator()
    rate = chip.matmul_flop_per_s.at(precision) if chip.matmul_flop_per_s else None
    return q.facts.count("accelerator") * _known(rate, f"matmul_flop_per_s.{precision}")


@quantity(r"efa_bit_per_s|scale_out_bit_per_s")
def scale_out_rate(q: Question) -> float:
    """Rate of all servers into the scale-out network."""
    f = q.facts
    group = _group(f, "compute")
    each = group.total_bit_per_s or (group.ports or 0) * (group.bit_per_s or 0)
    return f.count("accelerator") / _known(f.server().accelerator_count, "accelerators") * each


@quantity(r"server_bit_per_s")
def rate_of_a_server(q: Question) -> float:
    """Rate of all adapters of a server."""
    return int(q.facts.need("nics_per_server")) * float(q.facts.need("nic_gbit_per_s")) * 1e9


@quantity(r"nics?_bit_per_s")
def rate_of_an_adapter(q: Question) -> float:
    """Rate of the adapters of a server's accelerators."""
    return _known(_group(q.facts, "compute").bit_per_s, "rate of its compute ports")


@quantity(r"ethernet_ports")
def ethernet_ports(q: Question) -> int:
    """Ports of a tray's cards for storage and frontend."""
    return sum((g.cards or 1) * n.ports for g, n in _ethernet(q.facts))


@quantity(r"ethernet_bit_per_s")
def ethernet_rate(q: Question) -> float:
    """Rate of such a port."""
    return max(n.port_bit_per_s for _, n in _ethernet(q.facts))


@quantity(r"(bf\d|cx\d)(_ports|_bit_per_s)?")
def cards_of_a_tray(q: Question) -> float:
    """Cards of a family in a tray, their ports, or the rate of one port."""
    for group in q.facts.server().ports:
        if f"-{q.part[0]}-" in f"{group.nic}-":
            nic = q.facts.catalog.find(Nic, group.nic)
            if q.part[1] == "_bit_per_s":
                return nic.port_bit_per_s
            return nic.ports if q.part[1] else (group.cards or group.ports or 1)
    raise Lacking(f"the catalog's {q.facts.server().key} has no {q.part[0]}")


@quantity(r"storage_links")
def storage_links(q: Question) -> int:
    """Links to storage: one for each card of a tray."""
    f = q.facts
    group = next((g for g, _ in _ethernet(f)), None)
    if group is None or not group.cards:
        raise Lacking("the cards for storage are not known")
    trays = f.count("accelerator", q.asked.per or "cluster", q.asked.per_count)
    return trays // f.server().accelerator_count * group.cards


@quantity(r"psu_power_w|psu_w")
def supply_power(q: Question) -> float:
    """Power of one supply of the rack's shelves."""
    shelf = q.facts.catalog.find(PowerShelf, q.facts.system().power_shelf)
    return _known(shelf.psu_w, "psu_w")


@quantity(r"shelf_capacity_power_w")
def shelves_power(q: Question) -> float:
    """Power of the shelves of what is asked."""
    shelf = q.facts.catalog.find(PowerShelf, q.facts.system().power_shelf)
    return q.facts.count("shelf", q.asked.per or "cluster") * shelf.power_w


@quantity(r"servers_per_rack")
def servers_of_a_rack(q: Question) -> int:
    """Servers in the smallest rack of them that the catalog has."""
    return q.facts.count("server", "rack")


@quantity(r"max_job_chips|max_job_accelerators")
def largest_job(q: Question) -> int:
    """Accelerators of the largest job."""
    return int(_known(q.facts.accelerator().max_job_accelerators, "max_job_accelerators"))


@quantity(r"max_job_shape")
def shape_of_the_largest_job(q: Question) -> list[int]:
    """Return the most compact box of whole cubes in the pod that holds the largest job."""
    chips, cube = largest_job(q), [int(n) for n in q.facts.need("cube")]
    pod = [int(q.facts.need(axis)) for axis in "xyz"]
    sides = [range(c, side + 1, c) for c, side in zip(cube, pod, strict=True)]
    boxes = [box for box in product(*sides) if prod(box) == chips]
    if not boxes:
        raise Lacking(f"no box of whole cubes in the pod has {chips} accelerators")
    return list(min(boxes, key=lambda box: (sum(box), box)))


@quantity(r"cubes_in_max_job")
def cubes_of_the_largest_job(q: Question) -> int:
    """Cubes of the largest job."""
    return largest_job(q) // prod(int(n) for n in q.facts.need("cube"))


@quantity(r"ocs|optical_switches|optical_circuit_switches")
def optical_switches(q: Question) -> int:
    """Optical switches of a torus of cubes: one for each link that leaves a cube one way."""
    cube = [int(n) for n in q.facts.need("cube")]
    return sum(prod(cube) // side for side in cube)


@quantity(r"hosts")
def hosts(q: Question) -> int:
    """Hosts of all accelerators."""
    return q.facts.count("server")


@quantity(r"(feeds|volts|phases|amps)")
def feed(q: Question) -> int:
    """Return feeds of the catalog's rack, such as "2 x 380 V 3-phase 32 A"."""
    text = q.facts.system().feed
    match = re.fullmatch(r"(\d+) x (\d+) V (\d)-phase (\d+) A", text)
    if match is None:
        raise Lacking(f"the catalog says of its feeds only {text!r}")
    return int(match[("feeds", "volts", "phases", "amps").index(q.part[0] or "") + 1])


@quantity(r"min_u|height_u")
def rack_units(q: Question) -> float:
    """Units of the rack."""
    return _known(q.facts.system().height_u, "height_u")


@quantity(r"airflow_m3_per_s")
def airflow(q: Question) -> float:
    """Air that the rack moves, or its servers."""
    try:
        return _known(q.facts.system().airflow_m3_per_s, "airflow_m3_per_s")
    except Lacking:
        server = q.facts.server()
        return q.facts.count("server") * _known(server.airflow_m3_per_s, "airflow_m3_per_s")


@quantity(r"(utility|switchboard|floor_pdu)_power_w")
def power_hierarchy(q: Question) -> float:
    """Ratings of a published power hierarchy in the catalog."""
    return float(getattr(q.facts.power_tree(), f"{q.part[0]}_w"))


def _rack_power(f: Facts) -> float:
    try:
        system = f.system()
    except Lacking:  # no rack of them in the catalog: as many servers as are given
        of = "rack" if f.has("server", "rack") else "cluster"
        return f.count("server", of) * _known(f.server().power_w, "power_w")
    if system.server and system.server_count:
        server = f.server()
        count = f.count("server", "rack")
        return count * _known(server.power_w, "power_w")
    return _known(system.power_w, "power_w")


def _links_per_accelerator(f: Facts) -> int:
    links = f.get("nvlink_links_per_gpu", "scale_up_links_per_gpu", "links_per_gpu")
    return int(links or _known(f.accelerator().scale_up_links, "scale_up_links"))


def _ethernet(f: Facts) -> list[tuple[PortGroup, Nic]]:
    groups = [g for g in f.server().ports if g.network in ("storage", "frontend") and g.nic]
    if not groups:
        raise Lacking(f"the catalog's {f.server().key} has no cards for storage or frontend")
    return [(g, f.catalog.find(Nic, g.nic)) for g in groups]


def _group(f: Facts, network: str) -> PortGroup:
    for group in f.server().ports:
        if group.network == network:
            return group
    raise Lacking(f"the catalog's {f.server().key} has no {network} ports")


def _known(value: float | None, what: str) -> float:
    if value is None:
        raise Lacking(f"the catalog does not know {what}")
    return value
