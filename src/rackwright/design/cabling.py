"""Which medium each cable takes: the cheapest that reaches, at the rate of the cages it joins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rackwright.catalog import Catalog
from rackwright.kernels.fabric_ports import Links
from rackwright.records.component import Component, Part
from rackwright.records.equipment import Cable, Optic
from rackwright.records.errors import InputError, UnknownComponentError
from rackwright.records.fabric import CableRun, FabricLine
from rackwright.records.provenance import Grade, worst

Array = NDArray[np.float64]

FIBRE = "fibre-jumper"
"""Part that joins two modules; its price is that of a jumper up to 50 m."""

FIBRE_BASIS_M = 50.0

LINEAR = "LPO"
"""Modules without a retimer need hosts qualified for them: used only where a plan names them."""


class Ends(NamedTuple):
    """What the two sides of a block's links plug into."""

    link_bit_per_s: float
    per_cage: int  # links in a cage of a switch
    a_is_switch: bool
    a_split: int  # links of different planes that share a NIC's module
    a_cages: tuple[str, ...] = ()  # forms that a NIC has; none known: any


class Use(NamedTuple):
    """A part of a medium: how many of it for each cage of the upper side and each link."""

    part: Component
    per_cage: float
    per_link: float
    by_length: bool = False  # half of its price is for a jumper's length, in proportion


class Medium(NamedTuple):
    """One way to join a cage of the upper side with what its links lead to."""

    key: str
    kind: str  # copper | fibre
    reach_m: float
    uses: tuple[Use, ...]
    power_cage_w: float
    power_link_w: float
    modules_cage: int
    modules_link: float
    grade: Grade

    def usd(self, cages: ArrayLike, links: ArrayLike, length_m: ArrayLike) -> Array:
        """Return the middle price of cages with so many links of a length."""
        total: Array = sum(
            (
                _quantity(use, cages, links) * _scale(use, length_m) * _usd(use.part)
                for use in self.uses
            ),
            np.zeros(np.broadcast(cages, links, length_m).shape),
        )
        return total


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

    Links that share a cage share a medium; the longest of them decides. Copper joins a cage of a
    switch with one cage of another, or as a splitter with NICs; it cannot be used where the links
    of a cage go to several switches.

    Args:
        network: for the names of the runs.
        block: links between two tiers.
        length_m: as bought, shape (n,).
        ends: of the block.
        media: as `media_for` returns them.

    Raises:
        InputError: no medium reaches the longest cable.
    """
    cage = block.b.astype(np.int64) * (int(block.b_port.max()) // ends.per_cage + 1)
    cage += block.b_port // ends.per_cage
    _, group, count = np.unique(cage, return_inverse=True, return_counts=True)
    longest = np.zeros(len(count))
    np.maximum.at(longest, group, length_m)
    whole = _goes_to_one(block, group, len(count), ends)
    cost = np.full((len(media), len(count)), np.inf)
    for m, medium in enumerate(media):
        fits = longest <= medium.reach_m
        if medium.kind == "copper":
            fits &= whole
        cost[m, fits] = medium.usd(1.0, count, longest)[fits]
    best = cost.argmin(axis=0) if len(media) else np.zeros(len(count), np.int64)
    lost = ~np.isfinite(cost.min(axis=0, initial=np.inf))
    if lost.any():
        most = max((m.reach_m for m in media), default=0.0)
        named = ", ".join(m.key for m in media) or "none"
        raise InputError(
            [
                f"{network}: {int(lost.sum())} cages between {block.a_tier} and {block.b_tier} "
                f"need up to {longest[lost].max():g} m at {ends.link_bit_per_s / 1e9:g} Gbit/s; "
                f"of the media allowed ({named}) the longest reaches {most:g} m"
            ]
        )
    runs, bill, grade = _collected(network, block, media, best, longest, count)
    keys = tuple(medium.key for medium in media)
    return Cabled(runs, keys, best[group].astype(np.int16), bill, grade)


def media_for(catalog: Catalog, ends: Ends, allowed: Sequence[str]) -> tuple[Medium, ...]:
    """Return the media that join a cage of a rate, from the catalog.

    Args:
        catalog: components.
        ends: rates and cages of both sides.
        allowed: keys that may be used; none = all that ship and have a price.

    Raises:
        UnknownComponentError: an allowed key is neither a cable nor a module.
    """
    known = {c.key: c for kind in ("cables", "optics") for c in catalog.all(kind)}
    for key in allowed:
        if key not in known:
            raise UnknownComponentError("medium", key, set(known))
    cage_rate = ends.link_bit_per_s * ends.per_cage
    lower_rate = ends.link_bit_per_s * (ends.per_cage if ends.a_is_switch else ends.a_split)
    found: list[Medium] = []
    optics = [
        o
        for o in known.values()
        if isinstance(o, Optic) and _usable(o, allowed) and _mates(o, ends)
    ]
    for component in known.values():
        if not _usable(component, allowed):
            continue
        if isinstance(component, Cable) and component.bit_per_s == cage_rate and component.reach_m:
            if not _mates(component, ends):
                continue
            found.append(_copper(component))
        elif (
            isinstance(component, Optic) and component.bit_per_s == cage_rate and component.reach_m
        ):
            lower = _partner(component, optics, lower_rate)
            if lower is not None:
                found.append(_optical(component, lower, ends, catalog))
    return tuple(sorted(found, key=lambda m: m.key))


def _usable(component: Component, allowed: Sequence[str]) -> bool:
    if component.status != "shipping" or component.latest_price() is None:
        return False
    if allowed:
        return component.key in allowed
    return not getattr(component, "standard", "").startswith(LINEAR)


def _mates(component: Component, ends: Ends) -> bool:
    """Return whether a module or cable goes into the cages of the lower side, by its form."""
    form = next((f for f in ("qsfp112", "osfp") if f in component.key), "")
    if ends.a_is_switch or not ends.a_cages or not form:
        return True
    return any(form in cage.lower() for cage in ends.a_cages)


def _copper(cable: Cable) -> Medium:
    power = 2 * (cable.power_w or 0.0)
    grade = cable.grade_of(("bit_per_s", "reach_m"))
    return Medium(
        cable.key, "copper", cable.reach_m or 0.0, (Use(cable, 1, 0),), power, 0.0, 0, 0.0, grade
    )


def _optical(upper: Optic, lower: Optic, ends: Ends, catalog: Catalog) -> Medium:
    """Return two modules and a fibre for each link; an active cable has its fibre inside."""
    shared = ends.a_split if not ends.a_is_switch else ends.per_cage
    uses = [Use(upper, 1, 0)]
    if upper.standard != "AOC":
        uses += [Use(lower, 0, 1 / shared), Use(catalog.find(Part, FIBRE), 0, 1, by_length=True)]
    needed = ("bit_per_s", "power_w")
    return Medium(
        upper.key, "fibre", min(upper.reach_m or 0.0, lower.reach_m or 0.0), tuple(uses),
        _power(upper), _power(lower) / shared, 1, 1 / shared,
        worst([upper.grade_of(needed), lower.grade_of(needed)]),
    )  # fmt: skip


def _partner(upper: Optic, optics: Sequence[Optic], rate: float) -> Optic | None:
    """Return the cheapest module of a rate that speaks over the same fibre."""
    if upper.bit_per_s == rate and upper in optics:
        return upper
    if upper.standard == "AOC":
        return None
    same = [o for o in optics if o.bit_per_s == rate and _fibre(o) == _fibre(upper)]
    return min(same, key=lambda o: (_usd(o), o.key), default=None)


def _fibre(optic: Optic) -> str:
    return optic.media.split()[0] if optic.media else ""


def _goes_to_one(
    block: Links, group: NDArray[np.int64], groups: int, ends: Ends
) -> NDArray[np.bool_]:
    """Return which cages lead to one cage of another switch; with NICs any may, by a splitter."""
    if not ends.a_is_switch:
        return np.full(groups, ends.a_split == 1)
    far = block.a.astype(np.int64) * (int(block.a_port.max()) // ends.per_cage + 1)
    far += block.a_port // ends.per_cage
    low = np.full(groups, np.iinfo(np.int64).max)
    high = np.full(groups, -1, dtype=np.int64)
    np.minimum.at(low, group, far)
    np.maximum.at(high, group, far)
    one: NDArray[np.bool_] = low == high
    return one


def _collected(
    network: str,
    block: Links,
    media: Sequence[Medium],
    best: NDArray[np.int64],
    longest: Array,
    count: NDArray[np.int64],
) -> tuple[tuple[CableRun, ...], tuple[FabricLine, ...], Grade]:
    """Return a run for each medium and length, the parts of all, and their worst grade."""
    runs: list[CableRun] = []
    bill: list[FabricLine] = []
    grades: list[Grade] = []
    for m, medium in enumerate(media):
        for length in np.unique(longest[best == m]):
            chosen = (best == m) & (longest == length)
            cages, links = int(chosen.sum()), int(count[chosen].sum())
            runs.append(
                CableRun(
                    network=network,
                    between=(block.a_tier, block.b_tier),
                    medium=medium.key,
                    kind="copper" if medium.kind == "copper" else "fibre",
                    length_m=float(length),
                    cables=cages if medium.kind == "copper" else links,
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
    quantity = float(_quantity(use, cages, links))
    scale = quantity * float(_scale(use, length_m))
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


def _quantity(use: Use, cages: ArrayLike, links: ArrayLike) -> Array:
    return use.per_cage * np.asarray(cages, dtype=float) + use.per_link * np.asarray(links)


def _scale(use: Use, length_m: ArrayLike) -> Array:
    """Return the price of a jumper of a length over that of the one in the catalog."""
    length = np.asarray(length_m, dtype=float)
    return 0.5 + 0.5 * length / FIBRE_BASIS_M if use.by_length else np.ones(length.shape)


def _usd(component: Component) -> float:
    price = component.latest_price()
    assert price is not None, "only priced components are taken"
    return price.usd_mid


def _power(optic: Optic) -> float:
    return optic.power_typical_w or optic.power_w or 0.0
