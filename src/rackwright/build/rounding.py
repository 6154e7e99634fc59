"""Whole plans from fractional ones: fix what must be whole, solve again, keep what is better."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rackwright.build.branch import Active, Cells, Count, Decision, Setup
from rackwright.build.loop import violation_usd
from rackwright.build.master import Master
from rackwright.build.model import Point
from rackwright.build.training import trained_plans
from rackwright.build.whole import (
    NEAR,
    TIMES,
    Rounded,
    better,
    complete_as,
    half_done,
    in_time,
    solve_whole,
)

USED = 1e-7
"""A set-up of which more is paid is used."""

DIVES = 12
"""Designs whose blocks are rounded one after the other."""


def round_up(
    master: Master, point: Point, decisions: tuple[Decision, ...], worth_usd: float, tries: int = 1
) -> Rounded | None:
    """Return a whole plan near a fractional point, None when none was found.

    In this order: set-ups that are used are paid and cells rounded; each training workload gets
    one design and the time at which its block is complete; whole blocks are counted; and what
    works only complete waits until it is.

    Args:
        master: with the columns of the point; its decisions are changed.
        point: a solution of its linear program.
        decisions: those of the branch it came from.
        worth_usd: worth of the relaxed plan, from which the price of violation is taken.
        tries: designs tried for each training workload.
    """
    price = violation_usd(worth_usd)
    found = _paid(master, point, decisions, price, drop=tries > 1)
    if found is None:
        return None
    training = [int(w) for w in np.flatnonzero(~master.model.facts.serving)]
    best: Rounded | None = None
    for one in trained_plans(master, found, training, tries, price):
        whole = _counted(master, one, price)
        if whole is None:
            continue
        needed = _needed(master, whole.point)
        if needed:
            fixed = (*(d for d in whole.fixed if not isinstance(d, Setup)), *needed)
            whole = better(whole, in_time(master, fixed, price))
        whole = _polished(master, whole, price)
        best = whole if best is None else better(best, whole)
    return best


def completed(master: Master, fixed: tuple[Decision, ...], worth_usd: float) -> Rounded | None:
    """Return the plan with a structure given, None when its limits do not allow it."""
    return in_time(master, fixed, violation_usd(worth_usd))


def _setups_and_cells(master: Master, point: Point) -> tuple[Decision, ...]:
    model = master.model
    fixed: list[Decision] = [
        Setup(int(q), int(f), bool(point.setup[q, f] > USED))
        for q, f in np.argwhere(model.setups.exists)
    ]
    where = model.core.column.cells  # (F, T)
    bought = np.where(where >= 0, point.core[np.maximum(where, 0)], 0.0) if where.size else where
    started = np.floor(bought.cumsum(axis=1) + 0.5)  # so many in all by each bucket
    for f, t in np.argwhere(where >= 0):
        cells = int(started[f, t] - (started[f, t - 1] if t else 0.0))
        fixed.append(Cells(int(where[f, t]), cells, float(cells)))
    return tuple(fixed)


def _paid(
    master: Master, point: Point, decisions: tuple[Decision, ...], price: float, drop: bool
) -> Rounded | None:
    """Return the plan with whole set-ups and cells; with `drop`, without those not worth it."""
    fixed = _setups_and_cells(master, point)
    solved = solve_whole(master, (*decisions, *fixed), price, fresh=True)
    if solved is None:
        return None
    best = Rounded(solved, (*decisions, *fixed))
    if not drop:
        return best
    free = {(d.platform, d.factory) for d in decisions if isinstance(d, Setup)}
    used = [d for d in fixed if isinstance(d, Setup) and d.on]
    used = [d for d in used if (d.platform, d.factory) not in free]
    for setup in sorted(used, key=lambda s: float(point.setup[s.platform, s.factory])):
        without = tuple(replace(d, on=False) if d == setup else d for d in best.fixed)
        less = solve_whole(master, without, price)
        if less is not None and less.objective_usd > best.point.objective_usd:
            best = Rounded(less, without)
    return best


def _polished(master: Master, whole: Rounded, price: float) -> Rounded:
    """Return the plan with work that begins as soon as its blocks are complete in it."""
    structure = tuple(d for d in whole.fixed if not isinstance(d, Active))
    for _ in range(TIMES):
        fixed = (*structure, *complete_as(master.model, whole.point.x))
        point = solve_whole(master, fixed, price)
        if point is None or half_done(master.model, point).any():
            break
        again = better(whole, Rounded(point, fixed))
        if again is whole:
            break
        whole = again
    return whole


def _counted(master: Master, start: Rounded, price: float) -> Rounded | None:
    """Return the plan with whole numbers of whole blocks, one design after the other.

    The number that is nearest to a whole one is rounded first, down or up, whichever is worth
    more, and the rest solved again.
    """
    model = master.model
    point, fixed = start
    counts: dict[tuple[int, int], Count] = {}
    for _ in range(DIVES):
        built = np.where(model.blocks.whole[:, None], point.x.sum(axis=(1, 3)), 0.0)  # (D, K)
        part = np.abs(built - np.round(built))
        open_ones = np.argwhere(part > NEAR)
        if open_ones.size == 0:
            break
        d, k = min(open_ones, key=lambda at: (part[at[0], at[1]], at[0], at[1]))
        solved: Point | None = None
        for number in (int(np.floor(built[d, k])), int(np.ceil(built[d, k]))):
            choice = Count((int(d),), int(k), number, float(number))
            other = solve_whole(master, (*fixed, *counts.values(), choice), price)
            if other is not None and (solved is None or other.objective_usd > solved.objective_usd):
                solved, chosen = other, choice
        if solved is None:
            return None
        counts[int(d), int(k)] = chosen
        point = solved
    built = point.x.sum(axis=(1, 3))
    for d in master.designs:
        for k in range(built.shape[1]):
            if model.blocks.whole[d]:
                number = int(np.floor(built[d, k] + NEAR))
                counts[d, k] = Count((d,), k, number, float(number))
    return in_time(master, (*fixed, *counts.values()), price)


def _needed(master: Master, point: Point) -> tuple[Decision, ...]:
    """Set-ups as they are used, when some that were paid turn out not to be."""
    exists = master.model.setups.exists
    built = np.zeros(exists.shape)
    np.add.at(built, master.model.blocks.platform, point.x.sum(axis=(2, 3)))
    if not ((built <= USED) & (point.setup > 0.5)).any():
        return ()
    return tuple(Setup(int(q), int(f), bool(built[q, f] > USED)) for q, f in np.argwhere(exists))
