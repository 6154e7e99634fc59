"""Switches, links, cables and modules of published scale-out fabrics."""

from __future__ import annotations

from math import ceil

from rackwright.records.equipment import Switch
from rackwright.validate.reference.facts import Facts, Lacking
from rackwright.validate.reference.nets import (
    NETS,
    PAIR,
    TWIN_CAGES,
    UFM_PORTS,
    compute_net,
    frontend_net,
    frontend_ports_of,
    port_group_of,
    ports_of,
    radix_of,
)
from rackwright.validate.reference.quantities import Question, quantity

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
    return q.facts.count("server") * ceil(frontend_ports_of(q.facts) / PAIR)


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
        alone = net.access <= radix_of(f)[0] and f.get("su") is None  # a pair, joined directly
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


@quantity(r"uplinks_per_leaf")
def uplinks_of_a_leaf(q: Question) -> int:
    """Uplinks of one leaf at the rate of its endpoints."""
    tree = compute_net(q.facts).tree
    return tree.leaf_uplinks // tree.leaves


@quantity(r"(?:backend|rack_switch|tor)_?(links|switches|es)")
def single_homed(q: Question) -> int:
    """Links of the accelerators' network, one each; or a switch for each rack."""
    return q.facts.count("accelerator" if q.part[0] == "links" else "rack")


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
    return q.facts.count("server") * int(port_group_of(q.facts, "mgmt").ports or PAIR)


@quantity(r"aoc_oob_inband")
def cables_between_out_and_in_band(q: Question) -> int:
    """Each out-of-band switch hangs on both in-band switches."""
    return PAIR * _out_of_band(q.facts)


@quantity(r"aoc_mgmt")
def cables_of_management_servers(q: Question) -> int:
    """Each management server hangs on both in-band switches; their number is printed beside."""
    return PAIR * int(q.facts.need("mgmt_servers"))


def _pair_ports(f: Facts) -> int:
    """Return the ports of one of a pair at the rate of the accelerators' links."""
    rate = f.get("ew_gbit_per_s_per_gpu", "ew_gbit_per_s_per_nic")
    if rate is None:
        raise Lacking("the rate of the accelerators' links is not given")
    if f.get("switch") is None:
        return 2 * TWIN_CAGES
    switch = f.switch()
    return ports_of(switch) * max(1, int((switch.port_bit_per_s or 0) // (float(rate) * 1e9)))


def _out_of_band(f: Facts) -> int:
    """Return switches for one port of each server's controller and of each of its adapters."""
    switch = _oob_switch(f)
    nics = f.get("nics")
    if nics is None:
        groups = [g for g in f.server().ports if g.nic]
        nics = sum(int(g.cards or g.ports or 0) for g in groups)
    return ceil(f.count("server") * (int(nics) + 1) / ports_of(switch))


def _oob_switch(f: Facts) -> Switch:
    found = [s for s in f.catalog.all("switches") if isinstance(s, Switch) and s.role == "oob"]
    if len(found) != 1:
        raise Lacking(f"the catalog has {len(found)} out-of-band switches")
    return found[0]


def _links_per_server_cage(f: Facts) -> int:
    return 2 if "twin-port" in port_group_of(f, "compute").cage else 1


def _links_per_cage(switch: Switch) -> int:
    return max(1, ports_of(switch) // switch.cages) if switch.cages else 1
