"""Whole plans from fractional ones: fix what must be whole, solve again, keep what is better."""

from __future__ import annotations

from collections.abc import Iterator
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
    found = Rounded(point, (*decisions, *_setups_and_cells(master, point)))
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
            fixed.extend(_complete_from(int(d), int(k), number, there[d, k], ready))
    return tuple(fixed)


def _complete_from(d: int, k: int, number: int, there: Array, ready: float) -> Iterator[Decision]:
    v = int((there >= number - 1 + ready - NEAR).argmax())
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
    seen: set[tuple[Decision, ...]] = set()
    for ready in READY:
        # Where less than a block is ever there, the largest part of it stands for the whole.
        whole = tuple(_complete_from(d, k, 1, there, ready * min(1.0, float(there[-1]))))
        if whole in seen:
            continue
        seen.add(whole)
        timed = _solve(master, (*fixed, *whole), price)
        if timed is not None:
            yield Rounded(timed, (*fixed, *whole))


def _counted(master: Master, start: Rounded, price: float) -> Rounded | None:
    """Return the plan with whole numbers of whole blocks: the nearest, or those below."""
    blocks = master.model.blocks
    built = start.point.x.sum(axis=(1, 3))  # (D, K)
    for half in (0.5, 0.0):
        counts = tuple(
            Count((d,), k, number, float(number))
            for d in master.designs
            if blocks.whole[d]
            for k in range(built.shape[1])
            for number in (int(np.floor(built[d, k] + half + NEAR)),)
        )
        found = _in_time(master, (*start.fixed, *counts), price)
        if found is not None:
            return found
        if not counts:
            break
    return None


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
