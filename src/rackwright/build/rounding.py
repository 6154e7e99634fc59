"""Whole plans from fractional ones: fix what must be whole, solve again, keep what is better."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.build.branch import ALL, Active, Cells, Count, Decision, Only, Setup
from rackwright.build.facts import Array
from rackwright.build.loop import violation_usd
from rackwright.build.master import Master, Model, Point, installed

NEAR = 1e-5
"""A number this close to a whole one counts as whole."""

USED = 1e-7

TIMES = 4
"""Rounds of fixing completion times before a structure is given up."""

PATIENCE = 2
"""Starts of training tried beyond the best one, earlier and later."""

DIVES = 12
"""Designs whose blocks are rounded one after the other."""

READY = (1.0, 0.6, 0.25)
"""Where in the fractional plan a block is completed: when so much of it is there."""


class Rounded(NamedTuple):
    """A whole plan and the decisions that make it whole."""

    point: Point
    fixed: tuple[Decision, ...]


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
    for w in np.flatnonzero(~master.model.facts.serving):
        better_one = _trained(master, found, int(w), tries, price)
        if better_one is None:
            return None
        found = better_one
    whole = _counted(master, found, price)
    if whole is None:
        return None
    needed = _needed(master, whole.point)
    if needed:
        fixed = (*(d for d in whole.fixed if not isinstance(d, Setup)), *needed)
        again = _in_time(master, fixed, price)
        whole = better(whole, again)
    return whole


def better(one: Rounded, other: Rounded | None) -> Rounded:
    """Return the plan that is worth more, the first of equals."""
    if other is None or other.point.objective_usd <= one.point.objective_usd:
        return one
    return other


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
            fixed.extend(_complete_at(int(d), int(k), number, v))
    return tuple(fixed)


def _complete_at(d: int, k: int, number: int, v: int) -> Iterator[Decision]:
    """Yield the decisions that so many blocks are complete from a period on and not before."""
    if v > 0:
        yield Active((d,), k, v - 1, False, number - 1)
    yield Active((d,), k, v, True, number)


def _setups_and_cells(master: Master, point: Point) -> tuple[Decision, ...]:
    model = master.model
    fixed: list[Decision] = [
        Setup(int(q), int(f), bool(point.setup[q, f] > USED))
        for q, f in np.argwhere(model.setups.exists)
    ]
    for column in np.flatnonzero(model.core.integer & (point.core > NEAR)):
        cells = int(np.floor(point.core[column] + 0.5))
        fixed.append(Cells(int(column), cells, float(cells)))
    return tuple(fixed)


def _paid(
    master: Master, point: Point, decisions: tuple[Decision, ...], price: float, drop: bool
) -> Rounded | None:
    """Return the plan with whole set-ups and cells; with `drop`, without those not worth it."""
    fixed = _setups_and_cells(master, point)
    solved = _solve(master, (*decisions, *fixed), price, fresh=True)
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
        less = _solve(master, without, price)
        if less is not None and less.objective_usd > best.point.objective_usd:
            best = Rounded(less, without)
    return best


def _trained(master: Master, start: Rounded, w: int, tries: int, price: float) -> Rounded | None:
    """Return the plan with one design and site for a training workload, or none at all."""
    model = master.model
    usd = start.point.n[:, w] @ model.facts.value_usd[w] * model.blocks.rate[:, w, None]  # (D, K)
    order = np.argsort(-usd, axis=None, kind="stable")[:tries]
    best: Rounded | None = None
    for d, k in zip(*np.unravel_index(order, usd.shape), strict=True):
        if usd[d, k] <= 0:
            break
        fixed = (*start.fixed, Only(w, (int(d),), int(k), True))
        for one in _started(master, fixed, int(d), w, int(k), price):
            best = one if best is None else better(best, one)
    nowhere = Only(w, tuple(range(usd.shape[0])), ALL, False)
    if best is None:
        point = _solve(master, (*start.fixed, nowhere), price, fresh=True)
        best = None if point is None else Rounded(point, (*start.fixed, nowhere))
    return best


def _started(
    master: Master, fixed: tuple[Decision, ...], d: int, w: int, k: int, price: float
) -> Iterator[Rounded]:
    """Yield the plan with the training block complete at a few times."""
    model = master.model
    point = _solve(master, fixed, price, fresh=True)
    if point is None:
        return
    there = installed(point.x, model.facts)[d, k]
    early = point.n[d, w, k] > np.floor(there + NEAR) + NEAR
    if not (model.blocks.needs_all[d, w] and early.any()):
        yield Rounded(point, fixed)
        return
    # Where less than a block is ever there, the largest part of it stands for the whole.
    first = int((there >= min(1.0, float(there[-1])) - NEAR).argmax())
    best = _start_at(master, fixed, d, k, first, price)
    for step in (-1, 1):
        v, misses = first + step, 0
        while 0 < v < there.size and misses < PATIENCE:
            other = _start_at(master, fixed, d, k, v, price)
            if other is None:
                break
            gains = best is None or other.point.objective_usd > best.point.objective_usd
            misses = 0 if gains else misses + 1
            best = other if gains or best is None else best
            v += step
        if v < first - PATIENCE:
            break  # earlier was better: later is not
    if best is not None:
        yield best


def _start_at(
    master: Master, fixed: tuple[Decision, ...], d: int, k: int, v: int, price: float
) -> Rounded | None:
    """Return the plan in which the first block of a design is complete from a period on."""
    timed = (*fixed, *_complete_at(d, k, 1, v))
    point = _solve(master, timed, price)
    return None if point is None else Rounded(point, timed)


def _counted(master: Master, start: Rounded, price: float) -> Rounded | None:
    """Return the plan with whole numbers of whole blocks, one design after the other.

    The number that is nearest to a whole one is rounded first, and the rest solved again.
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
        number = int(np.round(built[d, k]))
        for choice in (number, int(np.floor(built[d, k]))):
            counts[int(d), int(k)] = Count((int(d),), int(k), choice, float(choice))
            solved = _solve(master, (*fixed, *counts.values()), price)
            if solved is not None:
                break
        if solved is None:
            return None
        point = solved
    built = point.x.sum(axis=(1, 3))
    for d in master.designs:
        for k in range(built.shape[1]):
            if model.blocks.whole[d]:
                number = int(np.floor(built[d, k] + NEAR))
                counts[d, k] = Count((d,), k, number, float(number))
    return _in_time(master, (*fixed, *counts.values()), price)


def _in_time(master: Master, fixed: tuple[Decision, ...], price: float) -> Rounded | None:
    """Return the plan with completion times fixed, again where that moves other blocks."""
    best: Rounded | None = None
    for ready in READY:
        decided = fixed
        point = _solve(master, decided, price, fresh=ready == READY[0])
        for _ in range(TIMES):
            if point is None:
                break
            if not half_done(master.model, point).any():
                found = Rounded(point, decided)
                best = found if best is None else better(best, found)
                break
            decided = (*decided, *timing(master.model, point, ready))
            point = _solve(master, decided, price)
        if decided == fixed:
            break  # nothing was half done, or nothing is possible
    return best


def _solve(
    master: Master, decisions: tuple[Decision, ...], price: float, fresh: bool = False
) -> Point | None:
    master.decide(decisions, price)
    point, _ = master.solve(fresh)
    return point if point.violation <= NEAR else None


def _needed(master: Master, point: Point) -> tuple[Decision, ...]:
    """Set-ups as they are used, when some that were paid turn out not to be."""
    exists = master.model.setups.exists
    built = np.zeros(exists.shape)
    np.add.at(built, master.model.blocks.platform, point.x.sum(axis=(2, 3)))
    if not ((built <= USED) & (point.setup > 0.5)).any():
        return ()
    return tuple(Setup(int(q), int(f), bool(built[q, f] > USED)) for q, f in np.argwhere(exists))
