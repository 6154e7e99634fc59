"""A cluster's fabric from its plan: every port, every cable with its length, medium and price."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.catalog import Catalog
from rackwright.design.cabling import Cabled, cable_block
from rackwright.design.floor import Hall, lay_out, lengths_of, placed_racks
from rackwright.design.media import Ends, media_for
from rackwright.design.nets import SWITCHES, Net, nets_of_plan
from rackwright.design.network import switch_power_w
from rackwright.kernels.cable_routes import stock_lengths
from rackwright.kernels.fabric_ports import Links
from rackwright.records.errors import InputError
from rackwright.records.fabric import CableRun, Fabric, FabricLine, FabricPlan, NetworkParts
from rackwright.records.provenance import Grade, worst

Array = NDArray[np.float64]


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
        own = _merged((run for part in laid for run in part.cabled.runs), plan.floor.grade)
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
            f"{plan.floor.service_loop_m:g} m at each end (grade {plan.floor.grade})",
        ),
        grade=worst([*grades, plan.floor.grade]),
    )
    return Built(fabric, nets, tuple(halls), tuple(cabled))


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
    ends = Ends(
        net.link_bit_per_s, net.per_cage, block.a_tier in SWITCHES, net.split, net.nic_cages
    )
    media = media_for(catalog, ends, plan.media)
    return Laid(route, bought, cable_block(net.name, block, bought, ends, media))


def _merged(runs: Iterable[CableRun], floor: Grade) -> list[CableRun]:
    """Return runs with those of several planes added up; their lengths are as good as the floor."""
    found: dict[tuple[object, ...], list[CableRun]] = {}
    for run in runs:
        found.setdefault((run.between, run.medium, run.length_m), []).append(run)
    return [
        CableRun(
            **{
                **dict(same[0]),
                "grade": worst([same[0].grade, floor]),
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
            if tree.spines == 1 and tree.leaves > 1 and net.name != "out-of-band":
                found.append(
                    f"{net.name}: one spine joins {tree.leaves} leaves: its loss parts them"
                )
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
