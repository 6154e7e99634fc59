"""Counts of scale-out fabrics: fat trees, dragonflies, Slim Flies, tori.

The counts here and the connections of `fabric_ports` come from the same few numbers, so that what
a search counts is what a port list holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, prod
from typing import NamedTuple


class FabricCount(NamedTuple):
    """What a fabric is made of. Switches, links and link ends are different counts."""

    tiers: int
    leaves: int
    spines: int
    cores: int
    endpoint_links: int
    leaf_uplinks: int
    core_links: int = 0
    pods: int = 1

    @property
    def switches(self) -> int:
        """Switches of all tiers."""
        return self.leaves + self.spines + self.cores

    @property
    def uplinks(self) -> int:
        """Links between switches."""
        return self.leaf_uplinks + self.core_links

    @property
    def links(self) -> int:
        """Links of all tiers, endpoints included."""
        return self.endpoint_links + self.uplinks


def fat_tree(
    endpoints: int, radix: int, oversubscription: float = 1.0, leaves: int | None = None
) -> FabricCount | None:
    """Return the counts of the smallest fat tree that joins the endpoints.

    A leaf gives d = floor(radix · o / (1 + o)) ports down and up = radix - d ports up. One leaf
    alone needs no uplinks; up to `radix` leaves make two tiers; above that, equal pods of at most
    radix/2 leaves are joined by cores (three tiers, no further oversubscription). Without
    oversubscription the spines are a divisor of the uplinks of a leaf, so that each leaf has
    equally many links to each spine.

    Args:
        endpoints: ports of accelerators' NICs, >= 1.
        radix: ports of a switch at the link rate, >= 2.
        oversubscription: down over up bandwidth at the leaf, >= 1.
        leaves: at least so many, where rails or rows ask for more than the endpoints do.

    Returns:
        The counts, or None where three tiers of this radix cannot reach so many endpoints.

    Raises:
        ValueError: a count below its range.

    Source:
        Al-Fares, Loukissas, Vahdat, "A scalable, commodity data center network architecture",
        SIGCOMM 2008, section 3: k-ary fat tree with k³/4 endpoints. Equal bundles between leaf
        and spine: the tables of DGX SuperPOD reference architectures (B200, B300).
    """
    if endpoints < 1 or radix < 2 or oversubscription < 1:
        raise ValueError(
            f"need endpoints >= 1, radix >= 2, oversubscription >= 1; "
            f"got {endpoints}, {radix}, {oversubscription:g}"
        )
    if endpoints <= radix and leaves is None:
        return FabricCount(1, 1, 0, 0, endpoints, 0)
    down = floor(radix * oversubscription / (1 + oversubscription))
    up = radix - down
    leaves = max(ceil(endpoints / down), leaves or 0)
    equal = oversubscription == 1
    if leaves <= radix:
        spines = bundles(leaves * up, radix, up if equal else 0)
        return FabricCount(2, leaves, spines, 0, endpoints, leaves * up)
    half = radix // 2
    pods = ceil(leaves / half)
    if pods > radix:
        return None
    in_pod = ceil(leaves / pods)
    leaves = pods * in_pod
    spines = bundles(in_pod * up, half, up if equal else 0)  # of one pod
    cores = spines * bundles(pods * half, radix, half)
    spines *= pods
    return FabricCount(3, leaves, spines, cores, endpoints, leaves * up, spines * half, pods)


def bundles(links: int, ports: int, divides: int) -> int:
    """Return how few switches of so many ports take the links, a divisor of `divides` if > 0.

    >>> bundles(12 * 32, 64, 32)  # twelve leaves of 32 uplinks: six spines would leave bundles
    8
    """
    least = ceil(links / ports)
    if not divides:
        return least
    return next(s for s in range(least, divides + 1) if divides % s == 0)


class Dragonfly(NamedTuple):
    """A dragonfly: p endpoints and h global links at each of the a switches of g groups."""

    p: int
    a: int
    h: int
    g: int

    @property
    def switches(self) -> int:
        """Switches of all groups."""
        return self.g * self.a

    @property
    def endpoints(self) -> int:
        """Endpoints of all switches."""
        return self.switches * self.p

    @property
    def local_links(self) -> int:
        """Links within groups, each switch with each other one."""
        return self.g * self.a * (self.a - 1) // 2

    @property
    def global_links(self) -> int:
        """Links between groups, all global ports in use."""
        return self.switches * self.h // 2

    @property
    def links(self) -> int:
        """Links between switches."""
        return self.local_links + self.global_links


def balanced_dragonfly(radix: int) -> Dragonfly:
    """Return the largest balanced dragonfly of a radix: a = 2p = 2h, g = a · h + 1.

    Source: Kim, Dally, Scott, Abts, "Technology-Driven, Highly-Scalable Dragonfly Topology", ISCA
    2008, section 3.1.
    """
    if radix < 3:
        raise ValueError(f"a dragonfly needs a radix of at least 3, got {radix}")
    p = (radix + 1) // 4 or 1
    return Dragonfly(p, 2 * p, p, 2 * p * p + 1)


class SlimFly(NamedTuple):
    """A Slim Fly of parameter q: routers, links between them, endpoints."""

    q: int
    routers: int
    degree: int
    endpoints_per_router: int

    @property
    def links(self) -> int:
        """Links between routers."""
        return self.routers * self.degree // 2

    @property
    def endpoints(self) -> int:
        """Endpoints of all routers."""
        return self.routers * self.endpoints_per_router


def slim_fly(radix: int) -> SlimFly:
    """Return the largest Slim Fly whose routers have the radix, as counted by its formulas.

    Notes:
        q = 4w + d with d in -1, 0, 1. The graph itself exists for prime powers q; published
        comparisons count by the formulas for other q too.

    Source:
        Besta, Hoefler, "Slim Fly: A Cost Effective Low-Diameter Network Topology", SC 2014,
        section II-B: 2q² routers of degree (3q - d)/2, about degree/2 endpoints each.
    """
    best: SlimFly | None = None
    for q in range(3, radix):
        d = {0: 0, 1: 1, 3: -1}.get(q % 4)
        if d is None:
            continue
        degree = (3 * q - d) // 2
        if degree + ceil(degree / 2) <= radix:
            best = SlimFly(q, 2 * q * q, degree, ceil(degree / 2))
    if best is None:
        raise ValueError(f"a Slim Fly needs a radix of at least 6, got {radix}")
    return best


def torus_links(shape: Sequence[int]) -> int:
    """Return the links of a torus with wraparound: one per node and dimension longer than two.

    A dimension of two has one link for each pair, since both ways round are the same neighbour;
    a dimension of one has none.

    >>> torus_links((16, 20, 28)), torus_links((4, 4)), torus_links((2, 2))
    (26880, 32, 4)
    """
    if any(n < 1 for n in shape):
        raise ValueError(f"a torus needs sides of at least 1, got {tuple(shape)}")
    nodes = prod(shape)
    return sum(nodes if n > 2 else nodes // 2 if n == 2 else 0 for n in shape)
