"""Connections of fabrics, port by port, as arrays.

A `Wiring` has tiers of equal devices and blocks of links between two tiers. Devices of a tier are
numbered from 0 through all planes, plane by plane; ports of a device from 0. The counts are those
of `kernels.fabric`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.kernels.fabric import Dragonfly, FabricCount

Ints = NDArray[np.int32]


class Links(NamedTuple):
    """Links between two tiers, each array of shape (n,)."""

    a_tier: str
    b_tier: str
    a: Ints
    a_port: Ints
    b: Ints
    b_port: Ints

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self.a)


class Wiring(NamedTuple):
    """Devices by tier, from the endpoints up, and the links between them."""

    devices: Mapping[str, int]
    blocks: tuple[Links, ...]

    @property
    def links(self) -> int:
        """Links of all blocks."""
        return sum(block.size for block in self.blocks)

    def between(self, a_tier: str, b_tier: str) -> int:
        """Return the links between two tiers."""
        return sum(b.size for b in self.blocks if (b.a_tier, b.b_tier) == (a_tier, b_tier))

    def ports_in_use(self, tier: str) -> NDArray[np.int64]:
        """Return how many ports each device of a tier uses, shape (devices,)."""
        used = np.zeros(self.devices[tier], dtype=np.int64)
        for block in self.blocks:
            for side, device in ((block.a_tier, block.a), (block.b_tier, block.b)):
                if side == tier:
                    used += np.bincount(device, minlength=len(used))
        return used


def wire_tree(
    tree: FabricCount,
    servers: int,
    rails: int,
    down: int,
    planes: int = 1,
    uplink_split: int = 1,
    by_rail: bool = True,
) -> Wiring:
    """Return the connections of a fat tree whose endpoints are ports of servers.

    Port `rail * planes + plane` of a server goes to a leaf of that plane. By rail, endpoints of
    one rail fill leaves one after another, so that a rail's endpoints meet in as few leaves as
    can be; otherwise a server's do. In three tiers each pod holds a block of servers. Ports of a
    leaf are filled in the order of servers.

    Args:
        tree: counts of one plane; its endpoint links are at most servers · rails.
        servers: devices with endpoints.
        rails: ports of a server in each plane.
        down: ports of a leaf for endpoints.
        planes: equal trees side by side.
        uplink_split: links of the endpoints' rate that one uplink carries.
        by_rail: whether rails share leaves, or servers do.

    Returns:
        Tiers `server`, `leaf` and, where there are some, `spine` and `core`.

    Raises:
        ValueError: the counts and the servers do not fit.
    """
    _fits(tree, servers, rails, down, uplink_split)
    blocks: list[Links] = []
    server, rail = np.divmod(np.arange(tree.endpoint_links, dtype=np.int32), np.int32(rails))
    leaf = _leaf_of(server, rail, servers, rails, tree, down, by_rail=by_rail)
    port = _rank_within(leaf)
    if port.size and int(port.max()) >= down:
        raise ValueError(f"a leaf would need {int(port.max()) + 1} ports down, it has {down}")
    for plane in range(planes):
        blocks.append(
            _links(
                "server", "leaf", server, rail * planes + plane, leaf + plane * tree.leaves, port
            )
        )
        if tree.spines:
            blocks += _trunks(tree, down, uplink_split, plane)
    devices = {"server": servers, "leaf": planes * tree.leaves}
    for tier, count in (("spine", tree.spines), ("core", tree.cores)):
        if count:
            devices[tier] = planes * count
    return Wiring(devices, tuple(blocks))


def wire_dragonfly(shape: Dragonfly, endpoints: int) -> Wiring:
    """Return the connections of a dragonfly: endpoints, groups joined fully, links between groups.

    Ports of a switch: p endpoints, a - 1 local, h global. Each pair of groups has
    floor(a·h / (g - 1)) links; what is left over joins neighbours on the ring of groups.

    Args:
        shape: p, a, h and g.
        endpoints: at most those of the shape; the last ports stay free.

    Raises:
        ValueError: more endpoints than ports, or global ports that do not pair up.
    """
    p, a, _, g = shape
    if not 0 < endpoints <= shape.endpoints:
        raise ValueError(f"a dragonfly of {shape.endpoints} endpoints was asked for {endpoints}")
    switch, port = np.divmod(np.arange(endpoints, dtype=np.int32), np.int32(p))
    zero = np.zeros(endpoints, np.int32)
    blocks = [_links("endpoint", "switch", np.arange(endpoints), zero, switch, port)]
    i, j = np.triu_indices(a, 1)
    first = (np.arange(g) * a)[:, None]
    blocks.append(
        _links("switch", "switch", first + i, p + j - 1 + 0 * first, first + j, p + i + 0 * first)
    )
    if g > 1:
        blocks.append(_global_links(shape))
    return Wiring({"endpoint": endpoints, "switch": shape.switches}, tuple(blocks))


def wire_torus(shape: Sequence[int], tier: str = "accelerator") -> Wiring:
    """Return the connections of a torus with wraparound; port 2d goes up in dimension d, 2d+1 down.

    A side of two has one link between its pair, a side of one none.
    """
    nodes = np.arange(prod(shape)).reshape(tuple(shape))
    blocks = []
    for d, side in enumerate(shape):
        if side == 1:
            continue
        onward = np.roll(nodes, -1, axis=d)
        a, b = (nodes, onward) if side > 2 else (
            np.take(nodes, [0], axis=d), np.take(nodes, [1], axis=d))  # fmt: skip
        a, b = a.ravel(), b.ravel()
        ports = np.full(a.size, 2 * d)
        blocks.append(_links(tier, tier, a, ports, b, ports + 1))
    return Wiring({tier: nodes.size}, tuple(blocks))


def wire_mesh(nodes: int, links_per_pair: int = 1, tier: str = "accelerator") -> Wiring:
    """Return the connections of a full mesh: each node with each other one."""
    i, j = np.triu_indices(nodes, 1)
    a, b = np.repeat(i, links_per_pair), np.repeat(j, links_per_pair)
    k = np.tile(np.arange(links_per_pair), i.size)
    at_a = (b - 1) * links_per_pair + k
    return Wiring({tier: nodes}, (_links(tier, tier, a, at_a, b, a * links_per_pair + k),))


def wire_switched(
    nodes: int, links_per_node: int, switch_ports: int, tier: str = "accelerator"
) -> Wiring:
    """Return the connections of a switched scale-up domain: one tier of switch chips.

    Link k of every node goes to chip k modulo the chips, so that all nodes have equally many
    links to each chip.

    Args:
        nodes: accelerators of the domain.
        links_per_node: links of each.
        switch_ports: ports of a chip.

    Raises:
        ValueError: the chips that the links need do not divide the links of a node, or a chip
            would need more ports than it has.
    """
    switches = -(-nodes * links_per_node // switch_ports)
    while switches <= links_per_node and links_per_node % switches:
        switches += 1  # equal shares of each accelerator's links
    if switches > links_per_node or links_per_node % switches:
        raise ValueError(
            f"{nodes} accelerators of {links_per_node} links need {switches} chips of "
            f"{switch_ports} ports, more than one accelerator can reach"
        )
    a, k = np.divmod(np.arange(nodes * links_per_node), links_per_node)
    each = links_per_node // switches
    chip, lane = k // each, k % each
    return Wiring(
        {tier: nodes, "switch": switches}, (_links(tier, "switch", a, k, chip, a * each + lane),)
    )


def _trunks(tree: FabricCount, down: int, split: int, plane: int) -> list[Links]:
    """Return links between leaves and spines, and spines and cores, of one plane."""
    up = tree.leaf_uplinks // tree.leaves // split
    in_pod, spines = tree.leaves // tree.pods, tree.spines // tree.pods
    leaf, u = np.divmod(np.arange(tree.leaves * up, dtype=np.int64), up)
    pod, within = np.divmod(leaf, in_pod)
    spine, spine_port = _spread(within, u, up, spines)
    leaf_port = down + u * split if split > 1 else down + u
    found = [
        _links("leaf", "spine", leaf + plane * tree.leaves, leaf_port,
               pod * spines + spine + plane * tree.spines, spine_port)
    ]  # fmt: skip
    if tree.cores:
        spine_down = -(-in_pod * up // spines)
        half = tree.core_links // tree.spines
        group = tree.cores // spines  # cores that one spine of each pod reaches
        at, v = np.divmod(np.arange(tree.core_links, dtype=np.int64), half)
        pod, index = np.divmod(at, spines)
        core, core_port = _spread(pod, v, half, group)
        found.append(
            _links("spine", "core", at + plane * tree.spines, spine_down + v,
                   index * group + core + plane * tree.cores, core_port)
        )  # fmt: skip
    return found


def _spread(
    lower: NDArray[np.int64], up: NDArray[np.int64], ups: int, uppers: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the upper switch and its port for uplink `up` of the lower switch.

    Equal bundles of neighbouring ports where the upper switches divide the uplinks; otherwise one
    after another, so that bundles differ by at most one link.
    """
    if ups % uppers == 0:
        bundle = ups // uppers
        return up // bundle, lower * bundle + up % bundle
    k = lower * ups + up
    return k % uppers, k // uppers


def _leaf_of(
    server: Ints,
    rail: Ints,
    servers: int,
    rails: int,
    tree: FabricCount,
    down: int,
    *,
    by_rail: bool,
) -> Ints:
    """Return the leaf of each endpoint within its plane."""
    if not by_rail:
        return ((server.astype(np.int64) * rails + rail) // down).astype(np.int32)
    in_pod = tree.leaves // tree.pods
    block = -(-servers // tree.pods) * rails  # endpoints of a pod: whole servers where they fit
    if tree.pods > 1 and block > in_pod * down:
        block = -(-tree.endpoint_links // tree.pods)
    pod = np.arange(tree.endpoint_links, dtype=np.int64) // block
    rank = _rank_within(pod * rails + rail)  # among the pod's endpoints of that rail
    per_rail = -(-int(rank.max() + 1) // down)
    if in_pod >= per_rail * rails:  # each rail has leaves of its own
        return (pod * in_pod + rail * per_rail + rank // down).astype(np.int32)
    of_rail = np.bincount(pod * rails + rail, minlength=int(pod[-1] + 1) * rails)
    before = np.cumsum(of_rail.reshape(-1, rails), axis=1) - of_rail.reshape(-1, rails)
    return (pod * in_pod + (before[pod, rail] + rank) // down).astype(np.int32)


def _rank_within(group: NDArray[Any]) -> Ints:
    """Return each element's place among those of its group, in the order given."""
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if group.size else order
    lengths = np.diff(np.r_[starts, group.size])
    rank = np.empty(group.size, np.int32)
    rank[order] = np.arange(group.size) - np.repeat(starts, lengths)
    return rank


def _global_links(shape: Dragonfly) -> Links:
    """Return links between groups, spread over the switches of each group in turn."""
    p, a, h, g = shape
    each, left = divmod(a * h, g - 1)
    i, j = np.triu_indices(g, 1)
    pairs = [(np.repeat(i, each), np.repeat(j, each))]
    for step in range(1, left // 2 + 1):
        at = np.arange(g)
        pairs.append((at, (at + step) % g))
    if left % 2:
        if g % 2:
            raise ValueError(f"{a * h} global ports of {g} groups cannot be paired")
        at = np.arange(g // 2)
        pairs.append((at, at + g // 2))
    x, y = (np.concatenate(side) for side in zip(*pairs, strict=True))
    rank = _rank_within(np.concatenate([x, y]).astype(np.int32)).astype(np.int64)
    at_x, at_y = rank[: x.size], rank[x.size :]
    local = p + a - 1
    return _links(
        "switch", "switch", x * a + at_x % a, local + at_x // a, y * a + at_y % a, local + at_y // a
    )


def _fits(tree: FabricCount, servers: int, rails: int, down: int, split: int) -> None:
    if tree.endpoint_links > servers * rails:
        raise ValueError(f"{tree.endpoint_links} endpoints on {servers} servers of {rails} ports")
    if tree.leaves * down < tree.endpoint_links:
        raise ValueError(
            f"{tree.leaves} leaves of {down} ports for {tree.endpoint_links} endpoints"
        )
    if tree.spines and tree.leaf_uplinks // tree.leaves % split:
        raise ValueError(f"uplinks of a leaf do not join in groups of {split}")


def _links(a_tier: str, b_tier: str, a: object, a_port: object, b: object, b_port: object) -> Links:
    a, a_port, b, b_port = (
        np.ascontiguousarray(np.ravel(np.asarray(x)), dtype=np.int32)
        for x in (a, a_port, b, b_port)
    )
    return Links(a_tier, b_tier, a, a_port, b, b_port)
