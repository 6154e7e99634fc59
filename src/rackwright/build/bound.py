"""What prices prove: no plan over the whole space is worth more (weak duality)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.build.branch import Active, Cells, Count, Decision, Setup
from rackwright.build.facts import Array, Index
from rackwright.build.model import Duals, Model
from rackwright.build.prices import NO_WORTH


class Bound(NamedTuple):
    """What prices prove under some decisions."""

    usd: float
    bundle_usd: Array  # (Q, F) worth of a platform at a factory beyond its set-up
    theta_usd: Array  # (Q, F, Y) worth of a window's whole share
    loss_usd: Array  # (D,) least loss of a plan that uses one block of the row


def bound_at(
    model: Model, worth: Array, duals: Duals, decisions: tuple[Decision, ...] = ()
) -> Bound:
    """Return the bound that duals prove over every row of the space.

    Any duals of the right sign prove a bound, however they were found:

        U = sum of limit x dual
          + sum over core columns of the most that its reduced cost can earn between its bounds
          + sum over set-ups of max(0, total + sum_y theta_y - cost), or without the max where it
            is decided that the platform is set up, or 0 where it is decided that it is not
          + what the decisions on counts and timing owe at their own duals,

    where theta_y is the largest worth of a window's whole share, over all rows of the platform.

    Args:
        model: the limits, rows and set-ups.
        worth: of a block on each route at the duals and decisions, shape (D, F, K, T).
        duals: prices of the limits and of the decisions.
        decisions: what is decided in this branch of the search.
    """
    core, setups, q = model.core, model.setups, model.blocks.platform
    on, off = setup_states(decisions, setups.usd.shape)
    worth = np.where(off[q][:, :, None, None], NO_WORTH, worth)
    total = duals.setup_total
    theta = np.zeros(setups.window_thing.shape)
    np.maximum.at(theta, q, whole_share_worth(model, worth, total))
    cost = setups.usd + duals.budget(core) * setups.spend
    cost = np.where(setups.exists, cost, 0.0)
    surplus = total.sum(axis=0) + theta.sum(axis=2) - cost
    bundle = np.where(off, 0.0, np.where(on, surplus, np.maximum(0.0, surplus)))
    usd = float(core.limit @ duals.core) + _core_columns(model, duals, decisions)
    usd += float(bundle.sum()) + _owed(model, duals, decisions)
    # One block of a row displaces its share of the window's best, and sets its platform up.
    best = worth.max(axis=2)
    share = setups.window_share[:, :, setups.window]
    loss = share * theta[q][:, :, setups.window] + owed_share(model, total)[:, :, None] - best
    loss += np.where(on, 0.0, np.maximum(0.0, -surplus))[q][:, :, None]
    loss = np.where(best > NO_WORTH, loss, np.inf)
    return Bound(usd, bundle, theta, loss.min(axis=(1, 2)))


def whole_share_worth(model: Model, worth: Array, total: Array) -> Array:
    """Return the worth of a window's whole share spent on one row, >= 0, shape (D, F, Y).

    Args:
        model: for the shares.
        worth: of a block on each route, (D, F, K, T).
        total: USD per whole share over all windows, which a block owes its part of, (2, Q, F).
    """
    setups = model.setups
    best = worth.max(axis=2)
    owed = owed_share(model, total)[:, :, None]
    begins = np.searchsorted(setups.window, np.arange(setups.window_share.shape[2]))
    best = np.maximum.reduceat(best, begins, axis=2)  # (D, F, Y)
    share = setups.window_share
    paying = (best > owed) & (share > 0)
    return np.where(paying, (best - owed) / np.where(paying, share, 1.0), 0.0)


def owed_share(model: Model, total: Array) -> Array:
    """Return what a block owes for its shares over all windows, (D, F)."""
    return np.asarray((model.setups.total_share * total[:, model.blocks.platform]).sum(axis=0))


def gain_by_row(
    model: Model,
    worth: Array,
    duals: Duals,
    proved: Bound,
    known: Index,
    decisions: tuple[Decision, ...],
) -> Array:
    """Return by how much each row alone would lift the bundles beyond the known rows, (D,).

    Rows that only pay together (none alone covers the set-up) get the part of the bundle in
    which they are the best, so that they enter together.
    """
    q, setups = model.blocks.platform, model.setups
    on, off = setup_states(decisions, setups.usd.shape)
    whole = whole_share_worth(
        model, np.where(off[q][:, :, None, None], NO_WORTH, worth), duals.setup_total
    )
    theta = np.zeros(setups.window_thing.shape)
    np.maximum.at(theta, q[known], whole[known])
    cost = np.where(
        setups.exists & ~on,
        setups.usd + duals.budget(model.core) * setups.spend - duals.setup_total.sum(axis=0),
        0.0,
    )
    before = np.maximum(0.0, theta.sum(axis=2) - cost)  # (Q, F)
    lifted = np.maximum(theta[q], whole).sum(axis=2)
    gains = np.maximum(0.0, np.maximum(0.0, lifted - cost[q]) - before[q]).sum(axis=1)
    if not (gains > 0).any():
        best = (whole >= proved.theta_usd[q]) & (whole > theta[q])
        paying = (proved.bundle_usd > 0)[q][:, :, None]
        gains = np.where(best & paying, whole, 0.0).sum(axis=(1, 2))
    return np.asarray(gains)


def setup_states(
    decisions: tuple[Decision, ...], shape: tuple[int, ...]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where set-ups are decided on and decided off, each (Q, F)."""
    on, off = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    for decision in decisions:
        if isinstance(decision, Setup):
            (on if decision.on else off)[decision.platform, decision.factory] = True
    return on, off


def _core_columns(model: Model, duals: Duals, decisions: tuple[Decision, ...]) -> float:
    core = model.core
    used = np.bincount(
        core.entry_column,
        weights=core.entry_value * duals.core[core.entry_row],
        minlength=core.objective.size,
    )
    reduced = core.objective - used
    low, high = np.zeros(reduced.size), core.upper.copy()
    for decision in decisions:
        if isinstance(decision, Cells):
            low[decision.column] = max(low[decision.column], decision.low)
            high[decision.column] = min(high[decision.column], decision.high)
    return float(np.maximum(low * reduced, high * reduced).sum())


def _owed(model: Model, duals: Duals, decisions: tuple[Decision, ...]) -> float:
    """Right-hand sides of the decisions on counts and timing, times their duals."""
    usd = 0.0
    for place, dual in duals.counts.items():
        mine = [c for c in decisions if isinstance(c, Count) and (c.rows, c.data_center) == place]
        usd += dual * (min(c.high for c in mine) if dual > 0 else max(c.low for c in mine))
    for place, caps in duals.caps.items():
        mine_here = [
            a for a in decisions if isinstance(a, Active) and (a.rows, a.data_center) == place
        ]
        for v in np.flatnonzero(caps):
            usd += caps[v] * min(a.blocks for a in mine_here if not a.at_least and a.period >= v)
        for v in np.flatnonzero(duals.floors[place]):
            usd -= duals.floors[place][v] * max(
                a.blocks for a in mine_here if a.at_least and a.period == v
            )
    return float(usd)
