"""What the rows of the space say of parts: which are named, at which prices, and for what."""

from __future__ import annotations

from dataclasses import dataclass

from rackwright.records.space import Space
from rackwright.records.study import Study

PACKAGE = "package-"
"""How the names of accelerators' packages begin."""


@dataclass(frozen=True)
class Bills:
    """The parts that some bill names.

    Attributes:
        unit_usd: the highest price of a unit in any bill; a unit's value at customs where its
            supply states none. What a block pays is always the price in its own bill.
        disagree: parts whose price differs between bills.
        component: the accelerator that a part is the package of, where it is one.
        accelerators: those that racks are built around.
    """

    unit_usd: dict[str, float]
    disagree: tuple[str, ...]
    component: dict[str, str]
    accelerators: tuple[str, ...]


def bills_of(space: Space) -> Bills:
    """Return what the bills of a space say."""
    prices: dict[str, float] = {}
    disagree: dict[str, None] = {}
    component: dict[str, str] = {}
    for row in space.rows:
        for line in row.bill:
            if line.part.startswith(PACKAGE):  # a bill names the package of its row's accelerator
                component[line.part] = row.accelerator
            seen = prices.setdefault(line.part, line.unit_usd)
            if seen != line.unit_usd:
                prices[line.part] = max(seen, line.unit_usd)
                disagree[line.part] = None
    accelerators = tuple(dict.fromkeys(row.accelerator for row in space.rows))
    return Bills(prices, tuple(disagree), component, accelerators)


def stated_usd(study: Study) -> dict[str, float]:
    """Return the parts of which some supply states a price, each with the highest stated.

    They are paid when they arrive; a supply of such a part that states none is charged the
    highest of the others. All other parts are paid as their bill says, when the block is built:
    two designs may then pay different prices for one part, and what a design costs does not
    depend on which others are in the space.
    """
    stated: dict[str, float] = {}
    for supply in study.supplies:
        if supply.unit_usd is not None:
            stated[supply.part] = max(stated.get(supply.part, 0.0), supply.unit_usd)
    return stated
