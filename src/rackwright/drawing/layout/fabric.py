"""A fabric as tiers of boxes and bundles between them: few enough to be told apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.drawing.charts.ring import Ring
from rackwright.kernels.fabric_ports import Links, Wiring
from rackwright.records.fabric import FabricPlan, NetworkParts

MOST_BOXES = 32
"""Boxes of a tier that are drawn one by one; more are drawn in groups."""

ORDER = ("server", "endpoint", "accelerator", "leaf", "switch", "spine", "core")


class Box(NamedTuple):
    """One device, or several neighbours of a tier."""

    tier: str
    number: int
    devices: int
    rails: tuple[int, ...]  # whose endpoints it carries, in order; none above the leaves


class Bundle(NamedTuple):
    """Links between two boxes."""

    lower: Box
    upper: Box
    links: int


class Diagram(NamedTuple):
    """One plane of a network: boxes by tier from the bottom up, and the bundles between them."""

    tiers: tuple[str, ...]
    boxes: Mapping[str, tuple[Box, ...]]
    bundles: tuple[Bundle, ...]
    of_tier: Mapping[str, str]  # words beside each tier


def diagram(plan: FabricPlan, parts: NetworkParts, wiring: Wiring) -> Diagram:
    """Return the diagram of a network's first plane."""
    tiers = tuple(t for t in ORDER if t in wiring.devices)
    group: dict[str, NDArray[np.int64]] = {}
    boxes: dict[str, tuple[Box, ...]] = {}
    rail = _rails(plan, parts, wiring)
    pods = _pods(wiring)
    for tier in tiers:
        count = _of_plane(wiring, tier, parts.planes)
        groups = count if count <= MOST_BOXES else _groups(count, 1 if tier == "core" else pods)
        of = np.arange(count) * groups // count
        group[tier] = of
        boxes[tier] = tuple(
            Box(tier, g, int((of == g).sum()), _carried(rail.get(tier), of == g))
            for g in range(groups)
        )
    bundles: list[Bundle] = []
    for block in _first_plane(wiring, parts.planes):
        if block.a_tier not in group or block.b_tier not in group or block.a_tier == block.b_tier:
            continue
        low, high = boxes[block.a_tier], boxes[block.b_tier]
        matrix = np.zeros((len(low), len(high)), np.int64)
        np.add.at(matrix, (group[block.a_tier][block.a], group[block.b_tier][block.b]), 1)
        bundles += [
            Bundle(low[i], high[j], int(matrix[i, j]))
            for i, j in zip(*np.nonzero(matrix), strict=True)
        ]
    return Diagram(tiers, boxes, tuple(bundles), _words(tiers, boxes, parts, wiring))


def plural(tier: str, count: int) -> str:
    """Return the word for so many devices of a tier."""
    return tier if count == 1 else {"switch": "switches", "leaf": "leaves"}.get(tier, f"{tier}s")


def _groups(count: int, pods: int) -> int:
    """Return how many equal groups a tier of many is drawn as: its pods, or the most that fit."""
    if 1 < pods <= MOST_BOXES and count % pods == 0:
        return pods
    return next((g for g in range(MOST_BOXES, 7, -1) if count % g == 0), MOST_BOXES // 2)


def _pods(wiring: Wiring) -> int:
    """Return how many pods the first plane has: all its spines over those that one leaf reaches."""
    trunk = next((b for b in wiring.blocks if (b.a_tier, b.b_tier) == ("leaf", "spine")), None)
    if trunk is None or not trunk.size or "core" not in wiring.devices:
        return 1
    reached = len(np.unique(trunk.b[trunk.a == trunk.a[0]]))
    return len(np.unique(trunk.b)) // reached


def _of_plane(wiring: Wiring, tier: str, planes: int) -> int:
    count = wiring.devices[tier]
    return count if tier in ("server", "endpoint", "accelerator") else count // planes


def _first_plane(wiring: Wiring, planes: int) -> list[Links]:
    found = []
    for block in wiring.blocks:
        keep = block.b < _of_plane(wiring, block.b_tier, planes)
        if keep.any():
            found.append(Links(block.a_tier, block.b_tier, *(x[keep] for x in block[2:])))
    return found


def _rails(plan: FabricPlan, parts: NetworkParts, wiring: Wiring) -> dict[str, NDArray[np.int64]]:
    """Return the rail of each leaf of the first plane, -1 where it carries several."""
    if parts.name != "compute" or not plan.by_rail or "leaf" not in wiring.devices:
        return {}
    block = wiring.blocks[0]
    leaves = _of_plane(wiring, "leaf", parts.planes)
    keep = block.b < leaves
    low = np.full(leaves, np.iinfo(np.int64).max)
    high = np.full(leaves, -1, dtype=np.int64)
    rail = block.a_port[keep] // parts.planes
    np.minimum.at(low, block.b[keep], rail)
    np.maximum.at(high, block.b[keep], rail)
    return {"leaf": np.where(low == high, low, -1)}


def _carried(rail: NDArray[np.int64] | None, members: NDArray[np.bool_]) -> tuple[int, ...]:
    if rail is None:
        return ()
    return tuple(int(r) for r in np.unique(rail[members]) if r >= 0)


def _words(
    tiers: tuple[str, ...],
    boxes: Mapping[str, tuple[Box, ...]],
    parts: NetworkParts,
    wiring: Wiring,
) -> dict[str, str]:
    found = {}
    for tier in tiers:
        count = _of_plane(wiring, tier, parts.planes)
        each = boxes[tier][0].devices
        found[tier] = f"{count:,} {plural(tier, count)}" + (
            f", a box is {each:,}" if each > 1 else ""
        )
    return found


def ring(wiring: Wiring) -> Ring | None:
    """Return the ring of a network whose devices join directly; None where none do."""
    direct = [b for b in wiring.blocks if b.a_tier == b.b_tier]
    if not direct:
        return None
    tier = direct[0].a_tier
    count = wiring.devices[tier]
    groups = min(count, _direct_groups(direct, count))
    matrix = np.zeros((groups, groups), np.int64)
    for block in direct:
        np.add.at(
            matrix, (block.a * np.int64(groups) // count, block.b * np.int64(groups) // count), 1
        )
    both = np.triu(matrix + matrix.T, 1)
    chords = tuple(
        (int(i), int(j), int(both[i, j])) for i, j in zip(*np.nonzero(both), strict=True)
    )
    return Ring(plural(tier, count), count, groups, int(np.trace(matrix)), chords)


def _direct_groups(direct: list[Links], count: int) -> int:
    """Return how many groups to draw: those of a dragonfly, or the most that divide the devices."""
    if len(direct) == 2 and direct[0].a_tier == "switch":  # joined fully within each group
        size = 1 + int(np.bincount(direct[0].a).max())
        if count % size == 0 and count // size <= 2 * MOST_BOXES:
            return count // size
    return next((g for g in range(min(count, MOST_BOXES), 1, -1) if count % g == 0), 1)
