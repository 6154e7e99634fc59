"""Switches, links, cables and modules of published scale-out fabrics."""

from __future__ import annotations

import re
from math import ceil
from typing import NamedTuple

from rackwright.kernels.fabric import (
    Dragonfly,
    FabricCount,
    balanced_dragonfly,
    bundles,
    fat_tree,
    slim_fly,
    torus_links,
)
from rackwright.records.component import PortGroup
from rackwright.records.equipment import Nic, Switch
from rackwright.validate.reference.facts import Facts, Lacking
from rackwright.validate.reference.quantities import Question, quantity

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
    radix, per_cage = _radix(f)
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
    links = f.count("server") * _frontend_ports(f)
    switch = f.switch()
    rate = float(f.get("frontend_gbit_per_s") or _frontend_rate(f)) * 1e9
    return _halved(links, _ports(switch), max(1, int((switch.port_bit_per_s or rate) // rate)))


def storage_net(f: Facts) -> Net:
    """Return the storage network: one port of each storage card, on the compute's switches."""
    group = _port_group(f, "storage")
    links = f.count("server") * int(group.cards or group.ports or 0)
    return _tree(links, _radix(f)[0])


def inband_net(f: Facts) -> Net:
    """Return the in-band network: the other port of each storage card, a pair on each tier."""
    group = _port_group(f, "storage")
    links = f.count("server") * int(group.cards or PAIR)
    net = _tree(links, TWIN_CAGES * 4)
    tree = net.tree
    return net._replace(
        tree=tree._replace(leaves=max(PAIR, tree.leaves), spines=max(PAIR, tree.spines))
    )


NETS = {
    None: compute_net, "be": compute_net, "compute": compute_net, "fe": frontend_net,
    "storage": storage_net, "inband": inband_net,
}  # fmt: skip
_TIER = {"leaf": "leaves", "leaves": "leaves", "spine": "spines", "spines": "spines",
         "core": "cores", "cores": "cores"}  # fmt: skip


@quantity(r"(?:(be|fe|storage|inband)_)?(leaf|leaves|spine|spines|core|cores)")
def switches_of_a_tier(q: Question) -> int:
    """Switches of a tier: of all planes, or of one."""
    if "nics" in q.facts.given:  # a single tier of switches: there is nothing above
        return 0
    if q.asked.per not in ("", "plane", "su"):
        raise Lacking(f"no rule knows {q.asked.quantity} per {q.asked.per}")
    net = NETS[q.part[0]](q.facts)
    count = int(getattr(net.tree, _TIER[q.part[1] or ""]))
    return count if q.asked.per == "plane" else net.planes * count


@quantity(r"leaves_per_spine|leaves")
def leaves_of_a_spine(q: Question) -> int:
    """Leaves that each spine reaches: all of them in two tiers."""
    return compute_net(q.facts).tree.leaves


@quantity(r"(?:compute|node|server|gpu)(?:_(fe|be|storage))?_leaf(_and_ufm)?(_links|_cables)?")
def links_of_endpoints(q: Question) -> int:
    """Links, or cables, between endpoints and leaves."""
    net = NETS[q.part[0]](q.facts)
    if q.part[2] == "_cables":
        return net.nic_cables + (UFM_PORTS if q.part[1] else 0)
    return net.access * (1 if q.asked.per == "plane" else net.planes)


@quantity(r"(?:(fe|be|storage)_)?(leaf_spine|spine_core)(_links|_cables)?")
def links_of_switches(q: Question) -> int:
    """Links between tiers, counted at the rate of the switch's own ports."""
    net = NETS[q.part[0]](q.facts)
    links = net.tree.leaf_uplinks if q.part[1] == "leaf_spine" else net.tree.core_links
    return links // net.per_cage * (1 if q.asked.per == "plane" else net.planes)


@quantity(r"links_total")
def links_in_all(q: Question) -> int:
    """Links of the compute and the frontend network."""
    return sum(
        net.planes * (net.access + net.tree.uplinks // net.per_cage)
        for net in (compute_net(q.facts), frontend_net(q.facts))
    )


@quantity(r"(?:server|dgx)_transceivers")
def modules_of_servers(q: Question) -> int:
    """Modules in servers: one for a port, or one for the two of a twin-port cage."""
    if q.facts.has_frontend():
        compute, front = compute_net(q.facts), frontend_net(q.facts)
        return compute.planes * compute.access + front.access
    return compute_net(q.facts).access // _links_per_server_cage(q.facts)


@quantity(r"switch_transceivers")
def modules_of_switches(q: Question) -> int:
    """Modules in switches: both ends of what joins switches, and endpoints by breakout."""
    f = q.facts
    if f.has_frontend():
        return sum(
            net.planes * (2 * net.tree.uplinks // net.per_cage + ceil(net.access / net.per_cage))
            for net in (compute_net(f), frontend_net(f))
        )
    return compute_net(f).access // _links_per_cage(f.switch())  # those between switches: copper


@quantity(r"(cx|bf)(\d+)_nics")
def adapters(q: Question) -> int:
    """Adapters: one for each accelerator, and one with two ports for each server's frontend."""
    if q.part[0] == "cx":
        return q.facts.count("accelerator")
    return q.facts.count("server") * ceil(_frontend_ports(q.facts) / PAIR)


@quantity(r"(ndr_fibre|hdr_fibre|xdr_fibre)")
def fibres(q: Question) -> int:
    """Fibres of the accelerators: one for each link."""
    return compute_net(q.facts).access


@quantity(r"isl_(dac|links)")
def links_between_a_pair(q: Question) -> int:
    """Links between two leaves that stand for spines: as many as half of the endpoints'."""
    access = compute_net(q.facts).access
    links = access // 2
    return links // _links_per_cage(q.facts.switch()) if q.part[0] == "dac" else links


@quantity(r"isl_(\d+)g")
def links_between_the_frontend_pair(q: Question) -> int:
    """Links between the two in-band switches: a pair."""
    return PAIR


@quantity(r"(?:compute|storage)_ufm")
def fabric_managers(q: Question) -> int:
    """Fabric managers of an InfiniBand network: a pair."""
    return PAIR


@quantity(r"oob_switches|oob_sn2201")
def out_of_band_switches(q: Question) -> int:
    """Out-of-band switches: a port for each server's controller and each of its adapters."""
    if "oob_sn2201" in q.asked.quantity and q.facts.get("rails"):
        raise Lacking("what else than servers hangs on the out-of-band switches is not given")
    return max(PAIR, _out_of_band(q.facts))


@quantity(r"inband_(sn\d+)")
def in_band_management_switches(q: Question) -> int:
    """Switches that carry the in-band network's own management: a pair."""
    return PAIR


@quantity(r"(?:core_or_ns|ns)_leaves")
def core_leaves(q: Question) -> int:
    """Switches of the collapsed core, or of the north-south pair."""
    return PAIR


@quantity(r"ew_leaves")
def east_west_leaves(q: Question) -> int:
    """Return a pair of its own for the accelerators' network once one pair cannot carry both.

    Each of a pair carries half of the links and as many between the two; north-south adds one
    link of each server to each of the pair, and as many between them.
    """
    f = q.facts
    ports = _pair_ports(f)
    accelerator_links = f.count("server") * (int(f.need("nics")) - 1)
    return 0 if accelerator_links + 2 * f.count("server") <= ports else PAIR


@quantity(r"converged_sn\d+(?:_per_rack)?")
def converged_switches(q: Question) -> int:
    """Switches that carry the frontend and storage of a rack: a pair."""
    return PAIR


@quantity(r"((?:sn|qm|q)\d{4}[a-z]?)")
def switches_of_a_model(q: Question) -> int:
    """Switches of a model, by its role: the accelerators' network, out of band, or in band."""
    f, model = q.facts, q.part[0] or ""
    if str(f.get("switch") or "").endswith(model):
        net = compute_net(f)
        alone = net.access <= _radix(f)[0] and f.get("su") is None  # a pair, joined directly
        return PAIR if alone else net.tree.switches
    names = [n for n in f.catalog.names("switches") if n.endswith(model)]
    if not names:
        raise Lacking(f"the catalog has no switch {model}")
    if f.catalog.find(Switch, names[0]).role == "oob":
        return _out_of_band(f)
    return PAIR


@quantity(r"customer_edge_links")
def links_to_the_edge(q: Question) -> int:
    """Links to the outside: a pair."""
    return PAIR


@quantity(r"(physical_fabrics|logical_networks)")
def networks(q: Question) -> int:
    """Fabrics of a rack: scale-up, one for each kind of adapter, out of band.

    As logical networks the adapters for storage carry two, storage and in band.
    """
    f = q.facts
    kinds = {g.network for g in f.server().ports if g.nic}
    fabrics = len(kinds) + 1 + (1 if f.has("switch_tray", "rack") else 0)
    return fabrics + (1 if q.part[0] == "logical_networks" and "storage" in kinds else 0)


@quantity(r"cost_per_endpoint_kusd")
def cost_of_an_endpoint(q: Question) -> float:
    """Cost over endpoints, of the cost as printed: prices are no input of these designs."""
    return float(q.facts.need("cost_musd")) * 1e3 / _topology(q.facts)[0]


@quantity(r"max_endpoints")
def most_endpoints(q: Question) -> int:
    """Endpoints of the largest two-tier tree of the radix."""
    return _radix(q.facts)[0] ** 2 // 2


@quantity(r"uplinks_per_leaf")
def uplinks_of_a_leaf(q: Question) -> int:
    """Uplinks of one leaf at the rate of its endpoints."""
    tree = compute_net(q.facts).tree
    return tree.leaf_uplinks // tree.leaves


@quantity(r"(?:ici_|torus_)?links(?:_total)?")
def links_of_a_topology(q: Question) -> int:
    """Links between the nodes of a torus, or between a topology's switches."""
    shape = [q.facts.get(axis) for axis in "xyz"]
    if all(isinstance(n, int) for n in shape):
        return torus_links([int(n) for n in shape if n is not None])
    if named := re.search(r"(\d+(?:x\d+)+)\b.*torus", str(q.facts.get("topology") or "")):
        return torus_links([int(n) for n in named[1].split("x")])
    return _topology(q.facts)[2]


@quantity(r"ring_links")
def links_of_a_ring(q: Question) -> int:
    """Links of a ring of instances: each accelerator with its likes in the neighbours."""
    instances = q.facts.count("instance")
    return torus_links([instances]) * q.facts.count("accelerator", "instance")


@quantity(r"(?:backend|rack_switch|tor)_?(links|switches|es)")
def single_homed(q: Question) -> int:
    """Links of the accelerators' network, one each; or a switch for each rack."""
    return q.facts.count("accelerator" if q.part[0] == "links" else "rack")


@quantity(r"global_links(?:_total)?")
def links_between_groups(q: Question) -> int:
    """Links between dragonfly groups: of all, or those that leave one group."""
    groups, between = q.facts.count("group"), int(q.facts.need("links_between_group_pairs"))
    return (groups - 1) * between * (2 if q.asked.per == "group" else groups) // 2


@quantity(r"nvlink_domains|scale_up_domains")
def scale_up_domains(q: Question) -> int:
    """Scale-up domains: each rack is one."""
    return q.facts.count("rack", q.asked.per or "cluster")


@quantity(r"oob_switch")
def out_of_band_switch(q: Question) -> str:
    """Return the catalog's switch for out-of-band networks."""
    return _oob_switch(q.facts).key


@quantity(r"aoc_(\d+)m")
def frontend_cables(q: Question) -> int:
    """Cables of the servers' in-band ports."""
    return q.facts.count("server") * int(_port_group(q.facts, "mgmt").ports or PAIR)


@quantity(r"aoc_oob_inband")
def cables_between_out_and_in_band(q: Question) -> int:
    """Each out-of-band switch hangs on both in-band switches."""
    return PAIR * _out_of_band(q.facts)


@quantity(r"aoc_mgmt")
def cables_of_management_servers(q: Question) -> int:
    """Each management server hangs on both in-band switches; their number is printed beside."""
    return PAIR * int(q.facts.need("mgmt_servers"))


@quantity(r"endpoints")
def endpoints_of_a_topology(q: Question) -> int:
    """Endpoints of the largest network of the topology and radix."""
    if q.asked.per:
        return q.facts.count("endpoint", q.asked.per, q.asked.per_count)
    return _topology(q.facts)[0]


@quantity(r"switches|routers")
def switches_of_a_topology(q: Question) -> int:
    """Switches of the network of the topology and radix."""
    if q.facts.has("switch"):
        return q.facts.count("switch", q.asked.per or "cluster")
    return _topology(q.facts)[1]


@quantity(r"switch_links")
def switch_links_of_a_topology(q: Question) -> int:
    """Links between switches."""
    return _topology(q.facts)[2]


@quantity(r"tiers")
def tiers(q: Question) -> int:
    """Tiers of switches: as the radix asks, or one for each level that the inputs nest."""
    try:
        return compute_net(q.facts).tree.tiers
    except Lacking:
        nested = [level for level in ("rack", "pod") if q.facts.has(level)]
        if not nested:
            raise
        return len(nested) + 1


@quantity(r"intra_group_(ports|links)")
def ports_within_a_group(q: Question) -> int:
    """Ports of a dragonfly group's switches towards one another, or their links."""
    switches = int(q.facts.need("switches_per_group"))
    local = int(q.facts.get("local_ports_per_switch") or switches - 1)
    return switches * local // (2 if q.part[0] == "links" else 1)


@quantity(r"(injection|global)_bit_per_s")
def rate_of_a_group(q: Question) -> float:
    """Rate of a dragonfly group's endpoints, or of its links to other groups."""
    return _group_rates(q.facts)[0 if q.part[0] == "injection" else 1]


@quantity(r"blocking_factor")
def blocking(q: Question) -> float:
    """Rate of a group's endpoints over that of its links to other groups."""
    injection, outward = _group_rates(q.facts)
    return injection / outward


def _group_rates(f: Facts) -> tuple[float, float]:
    rate = float(f.need("port_gbit_per_s")) * 1e9
    links = (f.count("group") - 1) * int(f.need("links_between_group_pairs"))
    return f.count("endpoint", "group") * rate, links * rate


def _topology(f: Facts) -> tuple[int, int, int]:
    """Return endpoints, switches and links between switches. Raises Lacking."""
    if all(isinstance(f.get(n), int) for n in "pahg"):
        given = Dragonfly(*(int(f.need(n)) for n in "pahg"))
        return given.endpoints, given.switches, given.links
    if f.get("topology") is None:
        net = compute_net(f)
        return net.access, net.planes * net.tree.switches, net.planes * net.tree.uplinks
    name, radix = str(f.need("topology")).upper(), int(f.need("radix"))
    if name in ("FT2", "FT3"):
        full = radix**2 // 2 if name == "FT2" else radix**3 // 4
        tree = fat_tree(full, radix)
        assert tree is not None, "the largest tree of a radix exists"
        return full, tree.switches, tree.uplinks
    if found := {"MPFT": 8}.get(name):
        planes = int(f.get("planes") or found)
        tree = fat_tree(radix**2 // 2, radix)
        assert tree is not None, "the largest tree of a radix exists"
        return planes * radix**2 // 2, planes * tree.switches, planes * tree.uplinks
    if name in ("SF", "SLIMFLY"):
        sf = slim_fly(radix)
        return sf.endpoints, sf.routers, sf.links
    if name in ("DF", "DRAGONFLY"):
        df = balanced_dragonfly(radix)
        groups = f.get("groups")
        if groups is None and (printed := f.get("endpoints")) is not None:
            groups = int(printed) // (df.a * df.p)
        if groups is None:
            raise Lacking(f"the number of groups is not given; the radix allows up to {df.g}")
        if not 0 < int(groups) <= df.g:
            raise Lacking(f"{groups} groups: a radix of {radix} allows 1 to {df.g}")
        df = Dragonfly(df.p, df.a, df.h, int(groups))
        return df.endpoints, df.switches, df.links
    raise Lacking(f"no rule knows the topology {name}")


def _tree(links: int, radix: int) -> Net:
    tree = fat_tree(links, radix, leaves=ceil(links / (radix // 2)))
    if tree is None:
        raise Lacking(f"{links} links need more than three tiers of radix {radix}")
    return Net(1, tree, links, 1, links)


def _halved(links: int, ports: int, per_port: int) -> Net:
    """Return a pair or more of leaves with half of their ports down and half up, and spines."""
    half = ports // 2
    leaves = max(PAIR, ceil(links / (half * per_port)))
    spines = bundles(leaves * half, ports, half)
    tree = FabricCount(2, leaves, spines, 0, links, leaves * half * per_port)
    return Net(1, tree, links, per_port, links)


def _radix(f: Facts) -> tuple[int, int]:
    """Return the radix at the endpoints' rate, and links of that rate in a port of the switch."""
    rate = f.get("plane_gbit_per_s") or _link_gbit(f)
    own = f.get("port_gbit_per_s")
    if given := f.get("radix_at_plane_speed", "radix"):
        return int(given), max(1, int(own // rate)) if own and rate else 1
    switch = f.switch()
    ports, port_rate = _ports(switch), switch.port_bit_per_s
    if rate is None or port_rate is None:
        raise Lacking("neither the rate of a link nor a radix is given")
    per_port = max(1, int(port_rate // (float(rate) * 1e9)))
    return ports * per_port, per_port


def _link_gbit(f: Facts) -> float | None:
    if rate := f.get("nic_gbit_per_s"):
        return float(rate)
    if found := str(f.get("nic") or ""):
        for word in found.replace("x", " ").split():
            if word.endswith("G") and word[:-1].isdigit():
                return float(word[:-1])
    try:
        rate_bit = _port_group(f, "compute").bit_per_s
    except Lacking:
        return None
    return rate_bit / 1e9 if rate_bit else None


def _ports(switch: Switch) -> int:
    if not switch.ports:
        raise Lacking(f"{switch.key} has no number of ports in the catalog")
    return switch.ports


def _pair_ports(f: Facts) -> int:
    """Return the ports of one of a pair at the rate of the accelerators' links."""
    rate = f.get("ew_gbit_per_s_per_gpu", "ew_gbit_per_s_per_nic")
    if rate is None:
        raise Lacking("the rate of the accelerators' links is not given")
    if f.get("switch") is None:
        return 2 * TWIN_CAGES
    switch = f.switch()
    return _ports(switch) * max(1, int((switch.port_bit_per_s or 0) // (float(rate) * 1e9)))


def _out_of_band(f: Facts) -> int:
    """Return switches for one port of each server's controller and of each of its adapters."""
    switch = _oob_switch(f)
    nics = f.get("nics")
    if nics is None:
        groups = [g for g in f.server().ports if g.nic]
        nics = sum(int(g.cards or g.ports or 0) for g in groups)
    return ceil(f.count("server") * (int(nics) + 1) / _ports(switch))


def _oob_switch(f: Facts) -> Switch:
    found = [s for s in f.catalog.all("switches") if isinstance(s, Switch) and s.role == "oob"]
    if len(found) != 1:
        raise Lacking(f"the catalog has {len(found)} out-of-band switches")
    return found[0]


def _port_group(f: Facts, network: str) -> PortGroup:
    for group in f.server().ports:
        if group.network == network:
            return group
    raise Lacking(f"the catalog's {f.server().key} has no {network} ports")


def _links_per_server_cage(f: Facts) -> int:
    return 2 if "twin-port" in _port_group(f, "compute").cage else 1


def _links_per_cage(switch: Switch) -> int:
    return max(1, _ports(switch) // switch.cages) if switch.cages else 1


def _frontend_ports(f: Facts) -> int:
    return int(f.get("frontend_ports_per_server") or PAIR)  # to each of a pair of leaves


def _frontend_rate(f: Facts) -> float:
    """Return the rate of a port of the slowest two-port adapter of the catalog [Gbit/s]."""
    rates = [
        n.port_bit_per_s for n in f.catalog.all("nics") if isinstance(n, Nic) and n.ports == PAIR
    ]
    if not rates:
        raise Lacking("the rate of a frontend port is not given")
    return min(rates) / 1e9
