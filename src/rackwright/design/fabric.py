"""A cluster's fabric from its plan: every port, every cable with its length, medium and price."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, prod
from math import floor as round_down
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.catalog import Catalog
from rackwright.design.cabling import Cabled, Ends, cable_block, media_for
from rackwright.design.candidates import Candidate
from rackwright.design.floor import Hall, lay_out, lengths_of, placed_racks
from rackwright.design.network import switch_power_w, switch_radix
from rackwright.kernels.cable_routes import stock_lengths
from rackwright.kernels.fabric import Dragonfly, FabricCount, balanced_dragonfly, fat_tree
from rackwright.kernels.fabric_ports import Links, Wiring, wire_dragonfly, wire_torus, wire_tree
from rackwright.records.equipment import Switch
from rackwright.records.errors import InputError
from rackwright.records.fabric import (
    CableRun,
    Fabric,
    FabricLine,
    FabricPlan,
    FloorPlan,
    NetworkParts,
    SideNetwork,
)
from rackwright.records.provenance import Grade, worst

Array = NDArray[np.float64]


SWITCHES = ("leaf", "spine", "core", "switch")
"""Tiers whose devices are switches."""


class Net(NamedTuple):
    """One network to be wired: the numbers that its connections follow from."""

    name: str
    switch: Switch
    radix: int  # ports of a switch at the rate of a link
    per_cage: int  # links in a cage of the switch
    link_bit_per_s: float
    servers: int
    rails: int  # ports of a server in each plane
    planes: int
    split: int  # ports that a NIC is split into
    down: int  # ports of a leaf for endpoints
    tree: FabricCount | None
    wiring: Wiring


class Laid(NamedTuple):
    """The cables of a block of links: ways, lengths to buy, media."""

    route_m: Array
    length_m: Array  # as bought
    cabled: Cabled


class Built(NamedTuple):
    """A fabric with its connections and their lengths: arrays beside the record."""

    fabric: Fabric
    nets: tuple[Net, ...]
    halls: tuple[Hall, ...]  # of each net; all have the same racks
    laid: tuple[tuple[Laid, ...], ...]  # by net and block


def build_fabric(plan: FabricPlan, catalog: Catalog) -> Built:
    """Return a plan's fabric: port by port, laid on its floor, cabled, priced.

    Args:
        plan: what to join, with what, where.
        catalog: components that the plan names, and media.

    Raises:
        InputError: the plan cannot work: too many endpoints for the radix, a floor without a way,
            a cable that no medium reaches.
        UnknownComponentError: a switch or medium that the catalog does not have.
    """
    nets = nets_of_plan(plan, catalog)
    hall = _hall(plan, nets)
    parts: list[NetworkParts] = []
    runs: list[CableRun] = []
    cabled: list[tuple[Laid, ...]] = []
    halls: list[Hall] = []
    bill: list[FabricLine] = []
    grades: list[Grade] = []
    for net in nets:
        at = hall if net is nets[0] else _side_hall(plan, net, hall)
        laid = tuple(_laid(plan, net, block, at, catalog) for block in net.wiring.blocks)
        cabled.append(laid)
        halls.append(at)
        own = _merged(run for part in laid for run in part.cabled.runs)
        runs += own
        bill += _bill(net, laid)
        parts.append(_parts(net, own, laid))
        grades += [part.cabled.grade for part in laid]
        grades.append(net.switch.grade_of(("ports", "port_bit_per_s")))
    fabric = Fabric(
        plan=plan,
        networks=tuple(parts),
        runs=tuple(runs),
        bill=tuple(bill),
        racks=placed_racks(hall, plan.floor),
        findings=tuple(_findings(plan, nets)),
        assumptions=(
            f"floor: rows of {plan.floor.racks_per_row} racks, trays at "
            f"{plan.floor.tray_height_m:g} m, {plan.floor.slack:.0%} slack and "
            f"{plan.floor.service_loop_m:g} m at each end (planning figures, grade D)",
        ),
        grade=worst([*grades, Grade.D]),  # lengths rest on the floor's planning figures
    )
    return Built(fabric, nets, tuple(halls), tuple(cabled))


def nets_of_plan(plan: FabricPlan, catalog: Catalog) -> tuple[Net, ...]:
    """Return the networks of a plan with their connections: the accelerators' first.

    Raises:
        InputError: a network cannot be built of its switch.
        UnknownComponentError: a switch that the catalog does not have.
    """
    main = {"fat-tree": _fat_tree, "dragonfly": _dragonfly, "torus": _torus}[plan.topology]
    return (main(plan, catalog), *(_side(plan, side, catalog) for side in plan.side_networks))


def _fat_tree(plan: FabricPlan, catalog: Catalog) -> Net:
    split = max(plan.planes // plan.nics_per_accelerator, 1)
    link = plan.nic_bit_per_s / split
    switch, radix, per_cage = _switch(catalog, plan.switch, link, "compute")
    rails = plan.accelerators_per_server * max(plan.nics_per_accelerator // plan.planes, 1)
    servers = plan.accelerators // plan.accelerators_per_server
    net = _tree(
        "compute", switch, radix, per_cage, link, servers, rails, plan.planes, split,
        plan.oversubscription, plan.by_rail,
    )  # fmt: skip
    if not plan.fabric_manager_ports:
        return net
    return net._replace(wiring=_with_managers(net, plan.fabric_manager_ports))


def _side(plan: FabricPlan, side: SideNetwork, catalog: Catalog) -> Net:
    switch, radix, per_cage = _switch(catalog, side.switch, side.link_bit_per_s, side.name)
    servers = plan.accelerators // plan.accelerators_per_server
    return _tree(
        side.name, switch, radix, per_cage, side.link_bit_per_s, servers, side.ports_per_server,
        1, 1, side.oversubscription, False,
    )  # fmt: skip


def _tree(
    name: str, switch: Switch, radix: int, per_cage: int, link: float, servers: int, rails: int,
    planes: int, split: int, oversubscription: float, by_rail: bool,
) -> Net:  # fmt: skip
    tree = fat_tree(servers * rails, radix, oversubscription)
    if tree is None:
        raise InputError(
            [f"{name}: {servers * rails} ports of {link / 1e9:g} Gbit/s need more than three tiers "
             f"of {switch.key} (radix {radix}); use more planes or a switch of a higher radix"]
        )  # fmt: skip
    down = (
        radix if tree.tiers == 1 else round_down(radix * oversubscription / (1 + oversubscription))
    )
    wiring = wire_tree(tree, servers, rails, down, planes, by_rail=by_rail)
    return Net(
        name, switch, radix, per_cage, link, servers, rails, planes, split, down, tree, wiring
    )


def _dragonfly(plan: FabricPlan, catalog: Catalog) -> Net:
    link = plan.nic_bit_per_s
    switch, radix, per_cage = _switch(catalog, plan.switch, link, "compute")
    shape = balanced_dragonfly(radix)
    each = shape.a * shape.p
    groups = plan.groups or -(-plan.accelerators // each)
    if groups > shape.g:
        raise InputError(
            [f"compute: {plan.accelerators} accelerators need {groups} groups of {each}; a "
             f"dragonfly of {switch.key} (radix {radix}) has at most {shape.g}"]
        )  # fmt: skip
    if plan.accelerators > groups * each:
        raise InputError(
            [f"compute: {groups} groups of {each} endpoints are too few for {plan.accelerators}"]
        )
    shape = Dragonfly(shape.p, shape.a, shape.h, max(groups, 2))
    wiring = wire_dragonfly(shape, plan.accelerators)
    return Net(
        "compute", switch, radix, per_cage, link, plan.accelerators, 1, 1, 1, shape.p, None, wiring
    )


def _torus(plan: FabricPlan, catalog: Catalog) -> Net:
    if prod(plan.shape) != plan.accelerators:
        raise InputError(
            [f"shape {list(plan.shape)} has {prod(plan.shape)} accelerators, the plan has "
             f"{plan.accelerators}"]
        )  # fmt: skip
    switch, radix, _ = _switch(catalog, plan.switch, plan.nic_bit_per_s, "compute")
    wiring = wire_torus(plan.shape)
    return Net(
        "compute", switch, radix, 1, plan.nic_bit_per_s, plan.accelerators, 1, 1, 1, 0, None, wiring
    )


def _switch(catalog: Catalog, key: str, link: float, network: str) -> tuple[Switch, int, int]:
    switch = catalog.find(Switch, key)
    radix = switch_radix(switch, link)
    if radix is None:
        has = (
            f"{switch.ports} ports of {(switch.port_bit_per_s or 0) / 1e9:g} Gbit/s"
            if switch.ports
            else "no number of ports in the catalog"
        )
        raise InputError(
            [f"{network}: {switch.key} ({has}) has no ports of {link / 1e9:g} Gbit/s, whole or "
             "split in two"]
        )  # fmt: skip
    return switch, radix, max(1, radix // (switch.cages or switch.ports or radix))


def _with_managers(net: Net, ports: int) -> Wiring:
    """Return the wiring with fabric managers on free ports of the first leaves."""
    used = net.wiring.ports_in_use("leaf")
    access = next(b for b in net.wiring.blocks if b.a_tier == "server")
    below = np.bincount(access.b, minlength=len(used))
    free = np.repeat(np.arange(len(used)), np.maximum(net.down - below, 0))[:ports]
    if len(free) < ports:
        raise InputError(
            [f"{net.name}: fabric managers need {ports} ports of leaves, {len(free)} are free: "
             "plan a server fewer"]
        )  # fmt: skip
    order = np.zeros(len(free), np.int64)
    for i in range(1, len(free)):
        order[i] = order[i - 1] + 1 if free[i] == free[i - 1] else 0
    block = Links(
        "manager", "leaf", np.arange(ports, dtype=np.int32), np.zeros(ports, np.int32),
        free.astype(np.int32), (below[free] + order).astype(np.int32),
    )  # fmt: skip
    return Wiring({**net.wiring.devices, "manager": ports}, (*net.wiring.blocks, block))


def _hall(plan: FabricPlan, nets: tuple[Net, ...]) -> Hall:
    net = nets[0]
    per_server = plan.accelerators_per_server if net.tree is not None else 1
    per_rack = plan.servers_per_rack * (plan.accelerators_per_server // per_server)
    group = max(net.down, per_rack) if net.tree is not None else max(per_rack, 512)
    return lay_out(net.wiring, per_rack, group, plan.floor)


def _laid(plan: FabricPlan, net: Net, block: Links, hall: Hall, catalog: Catalog) -> Laid:
    """Return the ways, the bought lengths and the media of a block."""
    route = lengths_of(block, _with_manager_places(block, hall), plan.floor)
    try:
        bought = stock_lengths(route, plan.floor.slack, plan.floor.service_loop_m)
    except ValueError as error:
        raise InputError([f"{net.name}: {block.a_tier} to {block.b_tier}: {error}"]) from None
    ends = Ends(net.link_bit_per_s, net.per_cage, block.a_tier in SWITCHES, net.split)
    media = media_for(catalog, ends, plan.media)
    return Laid(route, bought, cable_block(net.name, block, bought, ends, media))


def _merged(runs: Iterable[CableRun]) -> list[CableRun]:
    """Return runs with those of several planes added up."""
    found: dict[tuple[object, ...], list[CableRun]] = {}
    for run in runs:
        found.setdefault((run.between, run.medium, run.length_m), []).append(run)
    return [
        CableRun(
            **{
                **dict(same[0]),
                **{
                    name: sum(getattr(r, name) for r in same)
                    for name in ("cables", "links", "modules", "usd", "power_w")
                },
            }
        )
        for same in found.values()
    ]


def _side_hall(plan: FabricPlan, net: Net, hall: Hall) -> Hall:
    """Return the places of a side network: its switches in the racks of the compute leaves."""
    side = lay_out(net.wiring, plan.servers_per_rack, max(net.down, 1), plan.floor)
    network = np.flatnonzero([role == "network" for role in hall.roles])
    if not len(network):
        return side
    rack_of = {"server": hall.rack_of.get("server", side.rack_of["server"])}
    for tier, count in net.wiring.devices.items():
        if tier != "server":
            spread = (np.arange(count) * len(network)) // max(count, 1)
            rack_of[tier] = network[np.minimum(spread, len(network) - 1)]
    return Hall(hall.roles, rack_of, side.height_m)


def _with_manager_places(block: Links, hall: Hall) -> Hall:
    if block.a_tier != "manager":
        return hall
    rack = hall.rack_of["leaf"][block.b]
    height = hall.height_m["leaf"][block.b] * 0 + 0.3
    return Hall(hall.roles, {**hall.rack_of, "manager": rack}, {**hall.height_m, "manager": height})


def _bill(net: Net, laid: tuple[Laid, ...]) -> list[FabricLine]:
    """Return the lines of a network, one for each part."""
    found: dict[str, list[FabricLine]] = {}
    for line in (line for part in laid for line in part.cabled.bill):
        found.setdefault(line.part, []).append(line)
    lines = [
        FabricLine(
            **{
                **dict(same[0]),
                **{
                    n: sum(getattr(x, n) for x in same) for n in ("quantity", "usd_low", "usd_high")
                },
            }
        )
        for same in found.values()
    ]
    switches = sum(n for tier, n in net.wiring.devices.items() if tier in SWITCHES)
    price = net.switch.latest_price()
    if switches and price is not None:
        lines.insert(
            0,
            FabricLine(
                network=net.name,
                part=net.switch.key,
                quantity=switches,
                usd_low=switches * price.usd_low,
                usd_high=switches * price.usd_high,
                grade=price.grade,
                source=price.source,
                as_of=price.as_of,
            ),
        )
    return lines


def _parts(net: Net, runs: list[CableRun], laid: tuple[Laid, ...]) -> NetworkParts:
    switches = sum(n for tier, n in net.wiring.devices.items() if tier in SWITCHES)
    price = net.switch.latest_price()
    return NetworkParts(
        name=net.name,
        tiers=net.tree.tiers if net.tree else (1 if switches else 0),
        switch=net.switch.key,
        radix=net.radix,
        planes=net.planes,
        devices=dict(net.wiring.devices),
        switches=switches,
        links=net.wiring.links,
        cables=sum(r.cables for r in runs),
        modules=sum(r.modules for r in runs),
        cages=_cages(net),
        route_m=float(sum(part.route_m.sum() for part in laid)),
        longest_m=float(max((p.route_m.max() for p in laid if p.route_m.size), default=0.0)),
        usd=switches * (price.usd_mid if price else 0.0) + sum(r.usd for r in runs),
        power_w=switches * switch_power_w(net.switch) + sum(r.power_w for r in runs),
    )


def _cages(net: Net) -> int:
    """Return cages in use: of NICs, and of switches, each once whatever shares it."""
    used: dict[str, list[NDArray[np.int64]]] = {}
    for block in net.wiring.blocks:
        for tier, device, port in (
            (block.a_tier, block.a, block.a_port),
            (block.b_tier, block.b, block.b_port),
        ):
            per = net.per_cage if tier in SWITCHES else net.split
            used.setdefault(tier, []).append(device.astype(np.int64) * 4096 + port // per)
    return sum(len(np.unique(np.concatenate(keys))) for keys in used.values())


def _findings(plan: FabricPlan, nets: tuple[Net, ...]) -> list[str]:
    found = []
    for net in nets:
        tree = net.tree
        if tree is not None and tree.spines:
            up = tree.leaf_uplinks // tree.leaves
            spines = tree.spines // tree.pods
            if up % spines:
                found.append(
                    f"{net.name}: {up} uplinks of a leaf over {spines} spines make bundles that "
                    "differ by one link"
                )
        if net.name == "compute" and net.tree and plan.by_rail and net.wiring.devices["leaf"] > 1:
            block = net.wiring.blocks[0]
            mixed = len(np.unique(block.b.astype(np.int64) * 4096 + block.a_port // net.planes))
            if mixed > len(np.unique(block.b)):
                found.append(
                    f"{net.name}: {mixed - len(np.unique(block.b))} leaves carry a second rail or "
                    "more: leaves are filled"
                )
        price = net.switch.latest_price()
        if price is None:
            found.append(f"{net.name}: {net.switch.key} has no price: switches count as 0 USD")
        if switch_power_w(net.switch) == 0.0:
            found.append(f"{net.name}: {net.switch.key} has no power in the catalog: 0 W counted")
    return found


def plan_of(candidate: Candidate) -> FabricPlan:
    """Return the fabric plan of a design: its cluster of racks with its NICs and switches.

    Raises:
        InputError: the cluster's accelerators do not fill whole servers.
    """
    rack, network = candidate.rack, candidate.network
    each = rack.accelerators // rack.servers
    if network.endpoints % each:
        raise InputError(
            [f"{candidate.hardware.key}: a cluster of {network.endpoints} accelerators does not "
             f"fill servers of {each}"]
        )  # fmt: skip
    return FabricPlan(
        name=candidate.hardware.key.replace("/", "-"),
        rack=candidate.generation.system if candidate.rack.composition is None else "",
        accelerators=network.endpoints,
        accelerators_per_server=each,
        servers_per_rack=rack.servers,
        nic=network.nic.key,
        nic_bit_per_s=network.ports.nic_bit_per_s,
        nics_per_accelerator=network.ports.nics,
        planes=network.ports.planes,
        switch=network.switch.key,
        oversubscription=candidate.hardware.oversubscription,
        floor=_square_floor(network.endpoints / rack.accelerators),
    )


def _square_floor(racks: float) -> FloorPlan:
    """Return a floor about as deep as it is wide, with a cross tray at least each 24 racks."""
    usual = FloorPlan()
    area = racks * 1.15 * usual.rack_width_m * usual.row_pitch_m  # a rack of switches in seven
    per_row = max(usual.racks_per_row, ceil(area**0.5 / usual.rack_width_m))
    pieces = max(2, ceil(per_row / usual.racks_per_row))
    return FloorPlan(
        racks_per_row=per_row,
        cross_trays=tuple(round(i * per_row / pieces) for i in range(pieces + 1)),
    )
