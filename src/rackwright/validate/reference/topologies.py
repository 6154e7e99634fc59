"""Counts of whole topologies: trees, dragonflies, Slim Flies, tori, and dragonfly groups."""

from __future__ import annotations

import re

from rackwright.kernels.fabric import (
    Dragonfly,
    balanced_dragonfly,
    fat_tree,
    slim_fly,
    torus_links,
)
from rackwright.validate.reference.facts import Facts, Lacking
from rackwright.validate.reference.nets import compute_net, radix_of
from rackwright.validate.reference.quantities import Question, quantity


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


@quantity(r"global_links(?:_total)?")
def links_between_groups(q: Question) -> int:
    """Links between dragonfly groups: of all, or those that leave one group."""
    groups, between = q.facts.count("group"), int(q.facts.need("links_between_group_pairs"))
    return (groups - 1) * between * (2 if q.asked.per == "group" else groups) // 2


@quantity(r"max_endpoints")
def most_endpoints(q: Question) -> int:
    """Endpoints of the largest two-tier tree of the radix."""
    return radix_of(q.facts)[0] ** 2 // 2


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


@quantity(r"cost_per_endpoint_kusd")
def cost_of_an_endpoint(q: Question) -> float:
    """Cost over endpoints, of the cost as printed: prices are no input of these designs."""
    return float(q.facts.need("cost_musd")) * 1e3 / _topology(q.facts)[0]


def _group_rates(f: Facts) -> tuple[float, float]:
    rate = float(f.need("port_gbit_per_s")) * 1e9
    links = (f.count("group") - 1) * int(f.need("links_between_group_pairs"))
    return f.count("endpoint", "group") * rate, links * rate


TOPOLOGIES = ("FT2", "FT3", "MPFT", "SF", "SLIMFLY", "DF", "DRAGONFLY")
"""Names by which a comparison of topologies calls them."""


def _topology(f: Facts) -> tuple[int, int, int]:
    """Return endpoints, switches and links between switches. Raises Lacking."""
    if all(isinstance(f.get(n), int) for n in "pahg"):
        given = Dragonfly(*(int(f.need(n)) for n in "pahg"))
        return given.endpoints, given.switches, given.links
    if str(f.get("topology")).upper() not in TOPOLOGIES:  # a tree in other words, or none named
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
    raise AssertionError(f"{name} is among the topologies and has no rule")
