"""First-order counts of a folded-Clos ("fat tree") scale-out fabric."""

from __future__ import annotations

from math import ceil, floor
from typing import NamedTuple


class FabricCount(NamedTuple):
    """What a fabric is made of. Switches, links and link ends are different counts."""

    tiers: int
    leaves: int
    spines: int
    cores: int
    endpoint_links: int
    uplinks: int

    @property
    def switches(self) -> int:
        """Switches of all tiers."""
        return self.leaves + self.spines + self.cores

    @property
    def links(self) -> int:
        """Links of all tiers, endpoints included."""
        return self.endpoint_links + self.uplinks


def fat_tree(endpoints: int, radix: int, oversubscription: float = 1.0) -> FabricCount | None:
    """Return the counts of the smallest fat tree that joins the endpoints.

    A leaf gives d = floor(radix · o / (1 + o)) ports down and radix - d up, so that o is the
    ratio of the two. One leaf alone needs no uplinks; up to `radix` leaves make two tiers;
    above that, pods of radix/2 leaves are joined by cores (three tiers, no further
    oversubscription).

    Args:
        endpoints: ports of accelerators' NICs, >= 1.
        radix: ports of a switch at the link rate, >= 2.
        oversubscription: down over up bandwidth at the leaf, >= 1.

    Returns:
        The counts, or None where three tiers of this radix cannot reach so many endpoints.

    Raises:
        ValueError: a count below its range.

    Source:
        Al-Fares, Loukissas, Vahdat, "A scalable, commodity data center network architecture",
        SIGCOMM 2008, section 3: k-ary fat tree with k³/4 endpoints.
    """
    if endpoints < 1 or radix < 2 or oversubscription < 1:
        raise ValueError(
            f"need endpoints >= 1, radix >= 2, oversubscription >= 1; "
            f"got {endpoints}, {radix}, {oversubscription:g}"
        )
    if endpoints <= radix:
        return FabricCount(1, 1, 0, 0, endpoints, 0)
    down = floor(radix * oversubscription / (1 + oversubscription))
    up = radix - down
    leaves = ceil(endpoints / down)
    leaf_up = leaves * up
    if leaves <= radix:
        return FabricCount(2, leaves, ceil(leaf_up / radix), 0, endpoints, leaf_up)
    half = radix // 2
    pods = ceil(leaves / half)
    if pods > radix:
        return None
    spines = ceil(leaf_up / half)
    cores = ceil(spines * half / radix)
    return FabricCount(3, leaves, spines, cores, endpoints, leaf_up + spines * half)
