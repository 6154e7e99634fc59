"""The media that join two cages, from the catalog: copper, active cables, modules with fibre."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rackwright.catalog import Catalog
from rackwright.records.component import Component, Part
from rackwright.records.equipment import Cable, Optic
from rackwright.records.errors import UnknownComponentError
from rackwright.records.provenance import Grade, worst

Array = NDArray[np.float64]


FIBRE = "fibre-jumper"
"""Part that joins two modules; its price is that of a jumper up to 50 m."""


FIBRE_BASIS_M = 50.0


ACTIVE = "AOC"
"""Cables with a module grown on at both ends: they join two cages, as copper does."""


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
    """A part of a medium: how many of it for each cage that counts and each link.

    Between switches all cages count; towards NICs those of the switch do, and the NICs' modules
    follow from the links.
    """

    part: Component
    per_cage: float
    per_link: float
    by_length: bool = False  # half of its price is for a jumper's length, in proportion


class Medium(NamedTuple):
    """One way to join a cage of the upper side with what its links lead to."""

    key: str
    kind: str  # copper | fibre | active: a cable with its modules grown on
    reach_m: float
    uses: tuple[Use, ...]
    power_cage_w: float
    power_link_w: float
    modules_cage: float
    modules_link: float
    cables_cage: float  # 0 where each link is a cable of its own
    grade: Grade

    def usd(self, cages: ArrayLike, links: ArrayLike, length_m: ArrayLike) -> Array:
        """Return the middle price of cages with so many links of a length."""
        total: Array = sum(
            (
                quantity_of(use, cages, links) * price_scale(use, length_m) * _usd(use.part)
                for use in self.uses
            ),
            np.zeros(np.broadcast(cages, links, length_m).shape),
        )
        return total


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
            found.append(_copper(component, ends))
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


def _copper(cable: Cable, ends: Ends) -> Medium:
    """Return a cable from cage to cage, or from a switch's cage to the NICs of its links."""
    each = 0.5 if ends.a_is_switch else 1.0  # of a cable, for each cage that counts
    power = 2 * each * (cable.power_w or 0.0)
    grade = cable.grade_of(("bit_per_s", "reach_m"))
    uses = (Use(cable, each, 0),)
    return Medium(cable.key, "copper", cable.reach_m or 0.0, uses, power, 0.0, 0, 0.0, each, grade)


def _optical(upper: Optic, lower: Optic, ends: Ends, catalog: Catalog) -> Medium:
    """Return a module at each end and a fibre for each link; an active cable has them inside."""
    grade = worst([o.grade_of(("bit_per_s", "power_w")) for o in (upper, lower)])
    reach = min(upper.reach_m or 0.0, lower.reach_m or 0.0)
    if upper.standard == ACTIVE:
        each = 0.5 if ends.a_is_switch else 1.0
        power, uses = 2 * each * _power(upper), (Use(upper, each, 0),)
        return Medium(upper.key, "active", reach, uses, power, 0.0, 0, 0.0, each, grade)
    share = 0.0 if ends.a_is_switch else 1 / ends.a_split  # of a NIC's module, for each link
    fibre = Use(catalog.find(Part, FIBRE), 0, 1, by_length=True)
    nics = (Use(lower, 0, share),) if share else ()
    power = _power(upper)
    return Medium(
        upper.key, "fibre", reach, (Use(upper, 1, 0), *nics, fibre), power,
        share * _power(lower), 1, share, 0, grade,
    )  # fmt: skip


def _partner(upper: Optic, optics: Sequence[Optic], rate: float) -> Optic | None:
    """Return the cheapest module of a rate that speaks over the same fibre."""
    if upper.bit_per_s == rate and upper in optics:
        return upper
    if upper.standard == ACTIVE:
        return None
    same = [o for o in optics if o.bit_per_s == rate and _fibre(o) == _fibre(upper)]
    return min(same, key=lambda o: (_usd(o), o.key), default=None)


def _fibre(optic: Optic) -> str:
    return optic.media.split()[0] if optic.media else ""


def _usd(component: Component) -> float:
    price = component.latest_price()
    assert price is not None, "only priced components are taken"
    return price.usd_mid


def _power(optic: Optic) -> float:
    return optic.power_typical_w or optic.power_w or 0.0


def quantity_of(use: Use, cages: ArrayLike, links: ArrayLike) -> Array:
    """Return how many of a part so many cages and links take."""
    return use.per_cage * np.asarray(cages, dtype=float) + use.per_link * np.asarray(links)


def price_scale(use: Use, length_m: ArrayLike) -> Array:
    """Return the price of a jumper of a length over that of the one in the catalog."""
    length = np.asarray(length_m, dtype=float)
    return 0.5 + 0.5 * length / FIBRE_BASIS_M if use.by_length else np.ones(length.shape)
