"""Whole plans from fractional ones: fix what must be whole, solve again, keep what is better."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.build.branch import Active, Cells, Count, Decision, Only, Setup
from rackwright.build.facts import Array
from rackwright.build.loop import violation_usd
from rackwright.build.master import Master, Model, Point, installed

NEAR = 1e-5
"""A number this close to a whole one counts as whole."""

USED = 1e-7

TIMES = 4
"""Rounds of fixing completion times before a structure is given up."""

READY = (1.0, 0.6, 0.25)
"""Where in the fractional plan a block is completed: when so much of it is there."""


class Rounded(NamedTuple):
    """A whole plan and the decisions that make it whole."""

    point: Point
    fixed: tuple[Decision, ...]


def round_up(
    master: Master,
    point: Point,
    decisions: tuple[Decision, ...],
    worth_usd: float,
    shares: tuple[float, ...] = (0.5,),
) -> Rounded | None:
    """Return a whole plan near a fractional point, None when none was found.

    Set-ups that are used are paid, cells and whole blocks are rounded, each training workload
    keeps the design that does most of it, and a block works only when it is complete.

    Args:
        master: with the columns of the point; its decisions are changed.
        point: a solution of its linear program.
        decisions: those of the branch it came from.
        worth_usd: worth of the relaxed plan, from which the price of violation is taken.
        shares: fractions from which on a number is rounded up, each tried.
    """
    best: Rounded | None = None
    price = violation_usd(worth_usd)
    tried: set[tuple[Decision, ...]] = set()
    for share in shares:
        fixed = _structure(master, point, share)
        if fixed in tried:
            continue
        tried.add(fixed)
        other = _complete(master, (*decisions, *fixed), price)
        if other is not None:
            best = other if best is None else better(best, other)
    return best


def better(one: Rounded, other: Rounded | None) -> Rounded:
    """Return the plan that is worth more, the first of equals."""
    if other is None or other.point.objective_usd <= one.point.objective_usd:
        return one
    return other


def _complete(master: Master, fixed: tuple[Decision, ...], price: float) -> Rounded | None:
    """Return the best plan of a structure over a few completion times of its blocks."""
    point = _solve(master, fixed, price, fresh=True)
    if point is None:
        return None
    best: Rounded | None = None
    for ready in READY:
        timed = _in_time(master, Rounded(point, fixed), ready, price)
        if timed is not None:
            best = timed if best is None else better(best, timed)
        if timed is not None and timed.point is point:
            break  # nothing was half done
    if best is not None:
        needed = _needed(master, best.point)
        if needed:
            whole = (*(d for d in best.fixed if not isinstance(d, Setup)), *needed)
            again = _solve(master, whole, price)
            if again is not None and not half_done(master.model, again).any():
                best = better(best, Rounded(again, whole))
    return best


def _in_time(master: Master, start: Rounded, ready: float, price: float) -> Rounded | None:
    """Return the plan with completion times fixed, again where that moves other blocks."""
    point, fixed = start
    for _ in range(TIMES):
        if not half_done(master.model, point).any():
            return Rounded(point, fixed)
        fixed = (*fixed, *timing(master.model, point, ready))
        solved = _solve(master, fixed, price)
        if solved is None:
            return None
        point = solved
    return None


def _solve(
    master: Master, decisions: tuple[Decision, ...], price: float, fresh: bool = False
) -> Point | None:
    master.decide(decisions, price)
    point, _ = master.solve(fresh)
    return point if point.violation <= NEAR else None


def _structure(master: Master, point: Point, share: float) -> tuple[Decision, ...]:
    """Set-ups, cells, counts and the choice for training."""
    model = master.model
    blocks, facts, core = model.blocks, model.facts, model.core
    fixed: list[Decision] = []
    used = point.setup > USED
    for q, f in zip(*np.nonzero(model.setups.exists), strict=True):
        fixed.append(Setup(int(q), int(f), bool(used[q, f])))
    for column in np.flatnonzero(core.integer & (point.core > NEAR)):
        cells = int(np.floor(point.core[column] + 1 - share + NEAR))
        fixed.append(Cells(int(column), cells, float(cells)))
    tokens = point.n @ facts.work_s * blocks.rate[:, :, None]  # (D, W, K)
    trainers: set[tuple[int, int]] = set()
    for w in np.flatnonzero(~facts.serving):
        if tokens[:, w].max(initial=0.0) > 0:
            row, site = np.unravel_index(int(tokens[:, w].argmax()), tokens[:, w].shape)
            fixed.append(Only(int(w), int(row), int(site), True))
            trainers.add((int(row), int(site)))
    built = point.x.sum(axis=(1, 3))  # (D, K)
    spare = model.setups.total_share[1, :, 0] > 0  # can only train
    for d in master.designs:
        for k in range(built.shape[1]):
            if not blocks.whole[d]:
                continue
            number = int(np.floor(built[d, k] + 1 - share + NEAR))
            if spare[d]:  # fractions of several designs stand for one block of the busiest
                busiest = (int(d), k) in trainers
                number = int(built[spare].sum() + NEAR >= share) if busiest else 0
            fixed.append(Count((int(d),), k, number, float(number)))
    return tuple(fixed)


def half_done(model: Model, point: Point) -> NDArray[np.bool_]:
    """Return where work that needs complete blocks runs before they are, (D, K)."""
    complete = np.floor(installed(point.x, model.facts) + NEAR)
    return np.asarray((waiting_work(model, point) > complete + NEAR).any(axis=2))


def waiting_work(model: Model, point: Point) -> Array:
    """Return the blocks at work on what needs complete blocks, (D, K, V)."""
    return np.asarray((point.n * model.blocks.needs_all[:, :, None, None]).sum(axis=1))


def timing(model: Model, point: Point, ready: float) -> tuple[Decision, ...]:
    """Return decisions that a block counts from when that much of it is there, and from then on."""
    there = installed(point.x, model.facts)
    fixed: list[Decision] = []
    for d, k in zip(*np.nonzero(half_done(model, point)), strict=True):
        for number in range(1, int(there[d, k, -1] + NEAR) + 1):
            v = int((there[d, k] >= number - 1 + ready - NEAR).argmax())
            if v > 0:
                fixed.append(Active((int(d),), int(k), v - 1, False, number - 1))
            fixed.append(Active((int(d),), int(k), v, True, number))
    return tuple(fixed)


def _needed(master: Master, point: Point) -> tuple[Decision, ...]:
    """Set-ups as they are used, when some that were paid turn out not to be."""
    exists = master.model.setups.exists
    built = np.zeros(exists.shape)
    np.add.at(built, master.model.blocks.platform, point.x.sum(axis=(2, 3)))
    if not ((built <= USED) & (point.setup > 0.5)).any():
        return ()
    return tuple(
        Setup(int(q), int(f), bool(built[q, f] > USED))
        for q, f in zip(*np.nonzero(exists), strict=True)
    )
