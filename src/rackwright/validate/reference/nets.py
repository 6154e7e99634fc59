"""Networks of a design as counts: the accelerators', the frontend, storage, in band."""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

from rackwright.kernels.fabric import FabricCount, bundles, fat_tree
from rackwright.records.component import PortGroup
from rackwright.records.equipment import Nic, Switch
from rackwright.validate.reference.facts import Facts, Lacking

PAIR = 2
"""Switches of a role that has to survive the loss of one."""

UFM_PORTS = 4
"""Ports of the fabric managers: a pair of appliances with two ports each, on leaves."""

TWIN_CAGES = 64
"""Cages of a two-unit switch of 51.2 Tbit/s, where a design names no switch."""


class Net(NamedTuple):
    """One network of a design, as counts."""

    planes: int
    tree: FabricCount  # of one plane
    access: int  # links of endpoints, one plane
    per_cage: int  # links at the endpoints' rate that a switch's own port carries
    nic_cables: int  # cables at the endpoints, all planes; one may carry several planes


def compute_net(f: Facts) -> Net:
    """Return the network between accelerators. Raises Lacking."""
    planes = int(f.get("planes") or 1)
    endpoints = f.count("accelerator")
    per_leaf = f.get("gpus_per_leaf")
    if per_leaf:  # as many uplinks as endpoints, one to each spine
        leaves = ceil(endpoints / per_leaf)
        tree = FabricCount(2, leaves, per_leaf, 0, endpoints, leaves * per_leaf)
        return Net(planes, tree, endpoints, 1, planes * endpoints)
    radix, per_cage = radix_of(f)
    leaves_least: int | None = None
    if f.get("rails") or f.has_frontend() or f.get("nodes_per_su"):
        leaves_least = ceil(endpoints / (radix // 2))  # also one leaf has spines
        if f.get("rails") and f.get("nodes_per_su") and f.get("su"):
            units = f.need("su")
            leaves_least = units * f.need("rails") * ceil(f.need("nodes_per_su") / (radix // 2))
    tree_or_none = fat_tree(
        endpoints, radix, float(f.get("oversubscription") or 1), leaves=leaves_least
    )
    if tree_or_none is None:
        raise Lacking(f"{endpoints} endpoints need more than three tiers of radix {radix}")
    carried = 1
    if f.get("plane_gbit_per_s") and f.get("nic_gbit_per_s"):
        carried = max(1, int(f.need("nic_gbit_per_s") // f.need("plane_gbit_per_s")))
    return Net(planes, tree_or_none, endpoints, per_cage, endpoints * planes // carried)


def frontend_net(f: Facts) -> Net:
    """Return the network between servers and the outside: half of each leaf's ports go up."""
    links = f.count("server") * frontend_ports_of(f)
    switch = f.switch()
    rate = float(f.get("frontend_gbit_per_s") or frontend_rate_of(f)) * 1e9
    return halved_net(links, ports_of(switch), max(1, int((switch.port_bit_per_s or rate) // rate)))


def storage_net(f: Facts) -> Net:
    """Return the storage network: one port of each storage card, on the compute's switches."""
    group = port_group_of(f, "storage")
    links = f.count("server") * int(group.cards or group.ports or 0)
    return tree_net(links, radix_of(f)[0])


def inband_net(f: Facts) -> Net:
    """Return the in-band network: the other port of each storage card, a pair on each tier."""
    group = port_group_of(f, "storage")
    links = f.count("server") * int(group.cards or PAIR)
    net = tree_net(links, TWIN_CAGES * 4)
    tree = net.tree
    return net._replace(
        tree=tree._replace(leaves=max(PAIR, tree.leaves), spines=max(PAIR, tree.spines))
    )


NETS = {
    None: compute_net, "be": compute_net, "compute": compute_net, "fe": frontend_net,
    "storage": storage_net, "inband": inband_net,
}  # fmt: skip


def tree_net(links: int, radix: int) -> Net:
    """Return a tree of its own for so many links. Raises Lacking."""
    tree = fat_tree(links, radix, leaves=ceil(links / (radix // 2)))
    if tree is None:
        raise Lacking(f"{links} links need more than three tiers of radix {radix}")
    return Net(1, tree, links, 1, links)


def halved_net(links: int, ports: int, per_port: int) -> Net:
    """Return a pair or more of leaves with half of their ports down and half up, and spines."""
    half = ports // 2
    leaves = max(PAIR, ceil(links / (half * per_port)))
    spines = bundles(leaves * half, ports, half)
    tree = FabricCount(2, leaves, spines, 0, links, leaves * half * per_port)
    return Net(1, tree, links, per_port, links)


def radix_of(f: Facts) -> tuple[int, int]:
    """Return the radix at the endpoints' rate, and links of that rate in a port of the switch."""
    rate = f.get("plane_gbit_per_s") or link_gbit_of(f)
    own = f.get("port_gbit_per_s")
    if given := f.get("radix_at_plane_speed", "radix"):
        return int(given), max(1, int(own // rate)) if own and rate else 1
    switch = f.switch()
    ports, port_rate = ports_of(switch), switch.port_bit_per_s
    if rate is None or port_rate is None:
        raise Lacking("neither the rate of a link nor a radix is given")
    per_port = max(1, int(port_rate // (float(rate) * 1e9)))
    return ports * per_port, per_port


def link_gbit_of(f: Facts) -> float | None:
    """Return the rate of an accelerator's link [Gbit/s], None where nothing says it."""
    if rate := f.get("nic_gbit_per_s"):
        return float(rate)
    if found := str(f.get("nic") or ""):
        for word in found.replace("x", " ").split():
            if word.endswith("G") and word[:-1].isdigit():
                return float(word[:-1])
    try:
        rate_bit = port_group_of(f, "compute").bit_per_s
    except Lacking:
        return None
    return rate_bit / 1e9 if rate_bit else None


def ports_of(switch: Switch) -> int:
    """Return the ports of a switch. Raises Lacking."""
    if not switch.ports:
        raise Lacking(f"{switch.key} has no number of ports in the catalog")
    return switch.ports


def port_group_of(f: Facts, network: str) -> PortGroup:
    """Return a server's ports of a network. Raises Lacking."""
    for group in f.server().ports:
        if group.network == network:
            return group
    raise Lacking(f"the catalog's {f.server().key} has no {network} ports")


def frontend_ports_of(f: Facts) -> int:
    """Return the frontend ports of a server: a pair where none are given."""
    return int(f.get("frontend_ports_per_server") or PAIR)  # to each of a pair of leaves


def frontend_rate_of(f: Facts) -> float:
    """Return the rate of a port of the slowest two-port adapter of the catalog [Gbit/s]."""
    rates = [
        n.port_bit_per_s for n in f.catalog.all("nics") if isinstance(n, Nic) and n.ports == PAIR
    ]
    if not rates:
        raise Lacking("the rate of a frontend port is not given")
    return min(rates) / 1e9
