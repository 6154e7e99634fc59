"""What every part of BUILD passes on: the model, a point of it, and the prices of its limits."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rackwright.build.blocks import Blocks
from rackwright.build.core import Core
from rackwright.build.facts import Array, Facts
from rackwright.build.setups import Setups


@dataclass(frozen=True)
class Model:
    """Everything that is fixed before the first solve."""

    facts: Facts
    blocks: Blocks
    core: Core
    setups: Setups


@dataclass(frozen=True)
class Point:
    """A solution of the linear program taken apart, in natural units."""

    objective_usd: float
    core: Array  # (core columns,)
    x: Array  # (D, F, K, T) blocks built
    n: Array  # (D, W, K, V) blocks at work
    setup: Array  # (Q, F)
    violation: float  # of decisions, in blocks


Place = tuple[tuple[int, ...], int]
"""Rows and a data center (or ALL) that a decision on counts or timing is about."""


@dataclass(frozen=True)
class Duals:
    """Prices of the limits in natural units; those of `core` and `setup_total` are >= 0."""

    core: Array  # (core rows,)
    setup_total: Array  # (2, Q, F) USD per whole share over all windows
    counts: dict[Place, float] = field(default_factory=dict)  # USD per block, signed
    caps: dict[Place, Array] = field(default_factory=dict)  # (V,) >= 0, USD per block at work
    floors: dict[Place, Array] = field(default_factory=dict)  # (V,) >= 0, USD per block there

    def budget(self, core: Core) -> float:
        """USD today per USD of budget."""
        return float(self.core[core.row.budget]) if core.row.budget >= 0 else 0.0


def nothing(model: Model) -> Point:
    """Return the plan that builds nothing: always there, worth nothing."""
    return Point(
        objective_usd=0.0,
        core=np.zeros(model.core.objective.size),
        x=np.zeros(model.blocks.buildable.shape),
        n=np.zeros((*model.blocks.rate.shape, *model.facts.power_w.shape)),
        setup=np.zeros(model.setups.usd.shape),
        violation=0.0,
    )


def installed(x: Array, facts: Facts) -> Array:
    """Return the blocks installed by row, data center and period, (D, K, V)."""
    table = np.zeros((x.shape[0], x.shape[2], facts.annuity.size))
    f, k, t = np.nonzero(facts.arrival >= 0)
    by_route = table.transpose(1, 2, 0)  # a view: (K, V, D)
    np.add.at(by_route, (k, facts.arrival[f, k, t]), x[:, f, k, t].T)
    return np.asarray(table.cumsum(axis=2))


def spend_usd(facts: Facts, blocks: Blocks) -> Array:
    """Return what a block costs beside parts paid on arrival and touch hours, (D, F, K, T).

    Its rack's duty depends on the day on which it enters the data center's country.
    """
    bays = facts.bay_usd_per_h * blocks.bay_at_h  # (D, F)
    freight = facts.freight_usd_per_kg * blocks.mass_kg[:, None, None]  # (D, F, K)
    always = (blocks.other_usd[:, None] + bays)[:, :, None] + freight
    return np.asarray(always[:, :, :, None] + rack_duty_usd(facts, blocks))


def rack_duty_usd(facts: Facts, blocks: Blocks) -> Array:
    """Return the duty on a finished block, (D, F, K, T)."""
    share = facts.rack_duty[blocks.accelerator]
    return np.asarray(share * blocks.price_usd[:, None, None, None])
