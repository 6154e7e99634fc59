"""Which medium each cable takes: the cheapest that reaches, at the rate of the cages it joins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from rackwright.design.media import Ends, Medium, Use, price_scale, quantity_of
from rackwright.kernels.fabric_ports import Links
from rackwright.records.errors import InputError
from rackwright.records.fabric import CableRun, FabricLine
from rackwright.records.provenance import Grade, worst

Array = NDArray[np.float64]


MOST_PORTS = 4096
"""More than any device has; numbers of cages are made with it."""


class Cabled(NamedTuple):
    """The media of a block: one for each cage of the upper side."""

    runs: tuple[CableRun, ...]
    media: tuple[str, ...]
    medium_of: NDArray[np.int16]  # of each link, into `media`
    bill: tuple[FabricLine, ...]
    grade: Grade


def cable_block(
    network: str,
    block: Links,
    length_m: Array,
    ends: Ends,
    media: Sequence[Medium],
) -> Cabled:
    """Return the cheapest medium for each cage of the upper side of a block.

    Links that share a cage, at either end, share a medium; the longest of them decides. Copper
    joins a cage of a switch with one cage of another, or as a splitter with NICs; it cannot be
    used where the links of a cage go to several switches.

    Args:
        network: for the names of the runs.
        block: links between two tiers.
        length_m: as bought, shape (n,).
        ends: of the block.
        media: as `media_for` returns them.

    Raises:
        InputError: no medium reaches the longest cable.
    """
    group, cages, whole = _groups(block, ends)
    count = np.bincount(group)
    longest = np.zeros(len(count))
    np.maximum.at(longest, group, length_m)
    cost = np.full((len(media), len(count)), np.inf)
    for m, medium in enumerate(media):
        fits = longest <= medium.reach_m
        if medium.kind != "fibre":
            fits &= whole if medium.kind == "copper" else whole & (count == ends.per_cage)
        cost[m, fits] = medium.usd(cages, count, longest)[fits]
    best = cost.argmin(axis=0) if len(media) else np.zeros(len(count), np.int64)
    lost = ~np.isfinite(cost.min(axis=0, initial=np.inf))
    if lost.any():
        most = max((m.reach_m for m in media), default=0.0)
        named = ", ".join(m.key for m in media) or "none"
        raise InputError(
            [
                f"{network}: {int(count[lost].sum())} links between {block.a_tier} and "
                f"{block.b_tier} need up to {longest[lost].max():g} m at "
                f"{ends.link_bit_per_s / 1e9:g} Gbit/s; "
                f"of the media allowed ({named}) the longest reaches {most:g} m"
            ]
        )
    runs, bill, grade = _collected(network, block, media, best, longest, (cages, count))
    keys = tuple(medium.key for medium in media)
    return Cabled(runs, keys, best[group].astype(np.int16), bill, grade)


def _groups(
    block: Links, ends: Ends
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return the group of each link, the cages of each group, and which groups copper can join.

    Towards NICs a group is a cage of the switch. Between switches it is all cages that links
    which share one hold together; most often a pair.
    """
    upper = _cage_of(block.b, block.b_port, ends.per_cage)
    if not ends.a_is_switch:
        _, group = np.unique(upper, return_inverse=True)
        ones = np.ones(int(group.max()) + 1, np.int64)
        return group, ones, np.full(len(ones), ends.a_split == 1)
    lower = _cage_of(block.a, block.a_port, ends.per_cage)
    if block.a_tier != block.b_tier:
        lower = -1 - lower  # cages of two tiers are never the same
    _, at = np.unique(np.concatenate([lower, upper]), return_inverse=True)
    n, cages = len(lower), int(at.max()) + 1
    graph = coo_array((np.ones(n), (at[:n], at[n:])), shape=(cages, cages))
    _, label = connected_components(graph, directed=False)
    sizes = np.bincount(label)
    return label[at[:n]].astype(np.int64), sizes, sizes == 2


def _cage_of(device: NDArray[np.int32], port: NDArray[np.int32], each: int) -> NDArray[np.int64]:
    return device.astype(np.int64) * MOST_PORTS + port // each


def _collected(
    network: str,
    block: Links,
    media: Sequence[Medium],
    best: NDArray[np.int64],
    longest: Array,
    size: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> tuple[tuple[CableRun, ...], tuple[FabricLine, ...], Grade]:
    """Return a run for each medium and length, the parts of all, and their worst grade."""
    runs: list[CableRun] = []
    bill: list[FabricLine] = []
    grades: list[Grade] = []
    for m, medium in enumerate(media):
        for length in np.unique(longest[best == m]):
            chosen = (best == m) & (longest == length)
            cages, links = (int(of[chosen].sum()) for of in size)
            runs.append(
                CableRun(
                    network=network,
                    between=(block.a_tier, block.b_tier),
                    medium=medium.key,
                    kind="copper" if medium.kind == "copper" else "fibre",
                    length_m=float(length),
                    cables=round(cages * medium.cables_cage) or links,
                    links=links,
                    modules=round(cages * medium.modules_cage + links * medium.modules_link),
                    usd=float(medium.usd(cages, links, length)),
                    power_w=cages * medium.power_cage_w + links * medium.power_link_w,
                    grade=medium.grade,
                )
            )
            bill += [_line(network, use, cages, links, float(length)) for use in medium.uses]
            grades.append(medium.grade)
    return tuple(runs), tuple(bill), worst(grades)


def _line(network: str, use: Use, cages: int, links: int, length_m: float) -> FabricLine:
    price = use.part.latest_price()
    assert price is not None, "only priced components are taken"
    quantity = float(quantity_of(use, cages, links))
    scale = quantity * float(price_scale(use, length_m))
    return FabricLine(
        network=network,
        part=use.part.key,
        quantity=quantity,
        usd_low=scale * price.usd_low,
        usd_high=scale * price.usd_high,
        grade=price.grade,
        source=price.source,
        as_of=price.as_of,
    )
