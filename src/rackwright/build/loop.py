"""Loop 1: solve the master, price the whole space at its duals, add what pays, repeat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rackwright.build.blocks import Blocks
from rackwright.build.bound import Bound, bound_at, gain_by_row
from rackwright.build.branch import Decision
from rackwright.build.facts import Array, Index
from rackwright.build.master import Master
from rackwright.build.model import Duals, Model, Point
from rackwright.build.prices import Price, worth_at
from rackwright.records.space import Space

TOLERANCE = 1e-6
"""Loop 1 ends when no row can add more than this share of the plan's worth."""


GROUPS = 6
"""Sizes, or platforms, of which the best is among the first rows."""


@dataclass(frozen=True)
class Closed:
    """The master after loop 1: nothing in the space pays at its prices."""

    point: Point
    duals: Duals
    bound: Bound
    rounds: int
    closed: bool
    basis: object


def close(
    master: Master,
    space: Space,
    price: Price,
    decisions: tuple[Decision, ...] = (),
    *,
    batch: int,
    rounds: int,
    enough_usd: float = -np.inf,
    violation: float = 0.0,
) -> Closed:
    """Generate columns until no row of the space pays at the prices of the master.

    Args:
        master: with its first designs; takes the decisions, and grows.
        space: all rows.
        price: DESIGN's answer to prices.
        decisions: what is decided in this branch of the search.
        batch: designs added per round at most.
        rounds: rounds at most.
        enough_usd: stop as soon as the bound falls to this.
        violation: what a violation of the decisions costs [USD].

    Returns:
        The last point, with the duals of the least bound seen.
    """
    master.decide(decisions, violation)
    best: tuple[Duals, Bound] | None = None
    done = 0
    closed = False
    while done < rounds and not closed:
        point, duals = master.solve()
        worth = worth_at(master.model, space, price, duals, decisions)
        proved = bound_at(master.model, worth, duals, decisions)
        done += 1
        if best is None or proved.usd < best[1].usd:
            best = (duals, proved)
        known = np.array(master.designs, dtype=np.intp)
        gains = gain_by_row(master.model, worth, duals, proved, known, decisions)
        gains[known] = 0.0
        slack = TOLERANCE * max(abs(proved.usd), 1.0)
        closed = proved.usd - point.objective_usd <= slack or not (gains > 0).any()
        if best[1].usd <= enough_usd:
            break
        if not closed:
            master.add(pick(gains, master.model.blocks, batch))
            master.decide(decisions, violation)
    assert best is not None, "at least one round"
    return Closed(point, best[0], best[1], done, closed, master.basis())


def violation_usd(worth_usd: float) -> float:
    """Return what a block of violation costs: more than any plan is worth."""
    return 2.0 * max(abs(worth_usd), 1.0)


def pick(gains: Array, blocks: Blocks, batch: int) -> Index:
    """Return the rows to add: the best, at most a third of the batch from one platform first."""
    order = np.argsort(-gains, kind="stable")
    order = order[gains[order] > 0]
    first: list[int] = []
    rest: list[int] = []
    count: dict[int, int] = {}
    for d in order:
        q = int(blocks.platform[d])
        count[q] = count.get(q, 0) + 1
        (first if count[q] <= max(1, batch // 3) else rest).append(int(d))
    return np.array((first + rest)[:batch], dtype=np.intp)


def first_rows(model: Model) -> Index:
    """Return the rows to start from.

    At list prices, for each workload: the best per block, per dollar, per watt, per test hour
    and per unit of each part. For training, which takes one whole block, also of each size; for
    serving also the small blocks of the best platforms, which fill up what large ones leave.
    """
    facts, blocks = model.facts, model.blocks
    buildable = blocks.buildable.any(axis=(1, 2, 3))
    k, half = 0, facts.annuity.size // 3
    earned = blocks.rate[:, :, None] * facts.value_usd
    earned -= blocks.average_power_w[:, :, None] * facts.energy_usd_per_w[k]
    value = np.maximum(0.0, earned[:, :, half:]).sum(axis=2)  # (D, W)
    held = facts.site_usd_per_w[k, half:].sum() * blocks.power_w
    profit = value - (blocks.price_usd * (1 - facts.salvage[k, half]) + held)[:, None]
    bases = [np.ones(held.size), blocks.price_usd, blocks.power_w, blocks.bay_h.sum(axis=1)]
    bases += list(blocks.quantity.T)
    found: dict[int, None] = {}
    for w in range(len(facts.workloads)):
        able = buildable & (blocks.rate[:, w] > 0)
        for base in bases:
            score = np.where(able & (base > 0), profit[:, w] / np.where(base > 0, base, 1), -np.inf)
            if np.isfinite(score).any():
                found[int(score.argmax())] = None
        per_usd = profit[:, w] / blocks.price_usd
        groups = blocks.platform if facts.serving[w] else blocks.racks
        able &= ~blocks.whole if facts.serving[w] else True
        best = [
            int(np.where(able & (groups == g), per_usd, -np.inf).argmax())
            for g in np.unique(groups[able])
        ]
        found |= dict.fromkeys(sorted(best, key=lambda d: -per_usd[d])[:GROUPS])
    return np.array(list(found), dtype=np.intp)
