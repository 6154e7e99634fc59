"""Is a wiring a fat tree? What is odd in it, as numbers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from rackwright.kernels.fabric_ports import Links, Wiring


class Fault(NamedTuple):
    """One thing that keeps a wiring from being a fat tree."""

    kind: str  # port | bundle | reach | pods
    tier: str
    device: int
    message: str


def tree_faults(wiring: Wiring, limit: int = 20) -> tuple[Fault, ...]:
    """Return what keeps a wiring from being a fat tree of equal bundles; none if it is one.

    Checked are: each port carries one link; between two tiers the switches fall into groups in
    which each lower one has equally many links to each upper one; and each core has equally many
    links into every pod. That is the recursive definition of an extended generalised fat tree,
    here up to three tiers.

    Args:
        wiring: tiers `server`, `leaf`, `spine`, `core`; planes are separate groups.
        limit: faults after which no more are told.

    Source:
        Öhring, Ibel, Das, Kumar, "On Generalized Fat Trees", IPPS 1995, definition 1.
    """
    faults = list(_double_ports(wiring))
    for block in wiring.blocks:
        if (block.a_tier, block.b_tier) in (("leaf", "spine"), ("spine", "core")):
            faults += _uneven(block, wiring)
    faults += _pods(wiring)
    return tuple(faults[:limit])


def _double_ports(wiring: Wiring) -> list[Fault]:
    found = []
    for tier in wiring.devices:
        ends = [
            np.stack([device, port])
            for block in wiring.blocks
            for side, device, port in (
                (block.a_tier, block.a, block.a_port), (block.b_tier, block.b, block.b_port)
            )
            if side == tier
        ]  # fmt: skip
        if not ends:
            continue
        pairs, count = np.unique(np.concatenate(ends, axis=1), axis=1, return_counts=True)
        found += [
            Fault("port", tier, int(d), f"{tier} {d}: port {p} carries {n} links")
            for (d, p), n in zip(pairs.T[count > 1], count[count > 1], strict=True)
        ]
    return found


def _matrix(block: Links, wiring: Wiring) -> Any:
    shape = (wiring.devices[block.a_tier], wiring.devices[block.b_tier])
    matrix = coo_array((np.ones(block.size, np.int32), (block.a, block.b)), shape=shape).tocsr()
    matrix.sum_duplicates()
    return matrix


def _uneven(block: Links, wiring: Wiring) -> list[Fault]:
    matrix = _matrix(block, wiring)
    of_plane = np.unique(block.a)
    reach = np.diff(matrix.indptr)
    usual = _mode(reach[of_plane])
    found = [
        Fault("reach", block.a_tier, int(d),
              f"{block.a_tier} {d} reaches {reach[d]} {block.b_tier}s, the others {usual}")
        for d in of_plane[reach[of_plane] != usual]
    ]  # fmt: skip
    bundle = _mode(matrix.data)
    odd = matrix.tocoo()
    rows, columns = odd.coords
    wrong = odd.data != bundle
    found += [
        Fault("bundle", block.a_tier, int(u),
              f"{block.a_tier} {u} has {n} links to {block.b_tier} {v}, others have {bundle}")
        for u, v, n in zip(rows[wrong], columns[wrong], odd.data[wrong], strict=True)
    ]  # fmt: skip
    if found:
        return found
    whole = _bipartite(matrix)
    _, group = connected_components(whole, directed=False)
    lower, upper = group[: matrix.shape[0]], group[matrix.shape[0] :]
    sizes = np.bincount(upper[np.unique(block.b)], minlength=int(group.max()) + 1)
    for u in of_plane:
        if reach[u] != sizes[lower[u]]:
            found.append(
                Fault("reach", block.a_tier, int(u),
                      f"{block.a_tier} {u} reaches {reach[u]} of the {sizes[lower[u]]} "
                      f"{block.b_tier}s that its neighbours reach")
            )  # fmt: skip
    return found


def _pods(wiring: Wiring) -> list[Fault]:
    """Return cores that do not reach every pod of their plane equally."""
    if "core" not in wiring.devices:
        return []
    found: list[Fault] = []
    trunks = [b for b in wiring.blocks if b.a_tier == "leaf"]
    tops = [b for b in wiring.blocks if b.a_tier == "spine"]
    for below, above in zip(trunks, tops, strict=True):
        matrix = _matrix(below, wiring)
        _, group = connected_components(_bipartite(matrix), directed=False)
        pod = group[matrix.shape[0] :][above.a]
        pods = np.unique(pod)
        seen = np.zeros((wiring.devices["core"], int(group.max()) + 1), np.int32)
        np.add.at(seen, (above.b, pod), 1)
        seen = seen[np.unique(above.b)][:, pods]
        for core, row in zip(np.unique(above.b), seen, strict=True):
            if row.min() != row.max():
                found.append(
                    Fault("pods", "core", int(core),
                          f"core {core} has {row.min()} to {row.max()} links into the pods")
                )  # fmt: skip
    return found


def _bipartite(matrix: Any) -> Any:
    rows, columns = matrix.tocoo().coords
    n = sum(matrix.shape)
    return coo_array((np.ones(rows.size), (rows, columns + matrix.shape[0])), shape=(n, n))


def _mode(values: NDArray[Any]) -> int:
    found, count = np.unique(values, return_counts=True)
    return int(found[count.argmax()])
