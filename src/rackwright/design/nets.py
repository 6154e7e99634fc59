"""The networks of a plan with their connections: trees, dragonflies, tori, side networks."""

from __future__ import annotations

from math import floor as round_down
from math import prod
from typing import NamedTuple

import numpy as np

from rackwright.catalog import Catalog
from rackwright.design.network import switch_radix
from rackwright.kernels.fabric import Dragonfly, FabricCount, balanced_dragonfly, fat_tree
from rackwright.kernels.fabric_ports import Links, Wiring, wire_dragonfly, wire_torus, wire_tree
from rackwright.records.equipment import Nic, Switch
from rackwright.records.errors import InputError
from rackwright.records.fabric import FabricPlan, SideNetwork

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
    nic_cages: tuple[str, ...] = ()  # forms of a NIC's cages; none known: any


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
    if plan.nic:
        net = net._replace(nic_cages=_nic(plan, split, catalog).cages)
    if not plan.fabric_manager_ports:
        return net
    return net._replace(wiring=_with_managers(net, plan.fabric_manager_ports))


def _nic(plan: FabricPlan, split: int, catalog: Catalog) -> Nic:
    """Return the NIC that a plan names. Raises InputError where it cannot do what is asked."""
    nic = catalog.find(Nic, plan.nic)
    if nic.port_bit_per_s != plan.nic_bit_per_s:
        raise InputError(
            [f"compute: {nic.key} has ports of {nic.port_bit_per_s / 1e9:g} Gbit/s, nic_bit_per_s "
             f"asks for {plan.nic_bit_per_s / 1e9:g}"]
        )  # fmt: skip
    if (nic.planes or 1) < split:
        raise InputError(
            [f"compute: {nic.key} splits into {nic.planes or 1} planes at most, {plan.planes} "
             f"planes of {plan.nics_per_accelerator} NICs each ask for {split}"]
        )  # fmt: skip
    return nic


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
