"""Whole plans: when blocks are complete, and solving with decisions fixed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.build.branch import Active, Decision
from rackwright.build.facts import Array
from rackwright.build.master import Master
from rackwright.build.model import Model, Point, installed

NEAR = 1e-5
"""A number this close to a whole one counts as whole."""

PART = 1e-4
"""More than this beside a whole number is a part; the solver keeps bounds a little worse."""

TIMES = 4
"""Rounds of fixing completion times before a structure is given up."""

READY = (1.0, 0.6, 0.25, 0.05)
"""Where in the fractional plan a block is completed: when so much of it is there."""


class Rounded(NamedTuple):
    """A whole plan and the decisions that make it whole."""

    point: Point
    fixed: tuple[Decision, ...]


def better(one: Rounded, other: Rounded | None) -> Rounded:
    """Return the plan that is worth more, the first of equals."""
    if other is None or other.point.objective_usd <= one.point.objective_usd:
        return one
    return other


def in_time(master: Master, fixed: tuple[Decision, ...], price: float) -> Rounded | None:
    """Return the plan with completion times fixed, again where that moves other blocks.

    None when the decisions leave no plan in which blocks work only complete.
    """
    best: Rounded | None = None
    for ready in READY:
        decided = fixed
        point = solve_whole(master, decided, price, fresh=ready == READY[0])
        for _ in range(TIMES):
            if point is None:
                break
            if not half_done(master.model, point).any():
                found = Rounded(point, decided)
                best = found if best is None else better(best, found)
                break
            decided = (*decided, *timing(master.model, point, ready))
            point = solve_whole(master, decided, price)
        if decided == fixed:
            break  # nothing was half done, or nothing is possible
    return best


def solve_whole(
    master: Master, decisions: tuple[Decision, ...], price: float, fresh: bool = False
) -> Point | None:
    """Return the plan under decisions, None when there is none."""
    master.decide(decisions, price)
    point, _ = master.solve(fresh)
    return point if point.violation <= NEAR else None


def is_whole(model: Model, point: Point) -> bool:
    """Return whether everything in a plan is whole that has to be.

    Set-ups, cells and large blocks are whole, what works only complete is complete, and each
    training workload runs on one design at one site.
    """
    blocks = model.blocks
    large = point.x.sum(axis=(1, 3))[blocks.whole]  # by site
    things = (point.setup.ravel(), point.core[model.core.integer], large.ravel())
    if any(np.abs(thing - np.round(thing)).max(initial=0.0) > PART for thing in things):
        return False
    built = np.zeros(point.setup.shape)
    np.add.at(built, blocks.platform, point.x.sum(axis=(2, 3)))
    if (model.setups.exists & (built > NEAR) & (point.setup < 0.5)).any():
        return False
    places = (point.n.sum(axis=3) > PART).sum(axis=(0, 2))  # (W,)
    together = bool((places[~model.facts.serving] > 1).any())
    return not together and not half_done(model, point).any()


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
            fixed.extend(complete_at(int(d), int(k), number, v))
    return tuple(fixed)


def complete_as(model: Model, x: Array) -> tuple[Decision, ...]:
    """Return decisions that blocks are complete when a plan has them complete, not before.

    Args:
        model: says which work waits for complete blocks.
        x: blocks built, shape (D, F, K, T).
    """
    there = installed(x, model.facts)
    waits = np.asarray(model.blocks.needs_all.any(axis=1))[:, None] & (there[:, :, -1] > 0)
    decided: list[Decision] = []
    for d, k in np.argwhere(waits):
        complete = np.floor(there[d, k] + NEAR)
        for v in np.flatnonzero(np.diff(complete, prepend=0.0) > 0):
            before = int(complete[v - 1]) if v else 0
            if v:
                decided.append(Active((int(d),), int(k), int(v) - 1, False, before))
            decided.append(Active((int(d),), int(k), int(v), True, int(complete[v])))
        last = there.shape[2] - 1
        decided.append(Active((int(d),), int(k), last, False, int(complete[-1])))
    return tuple(decided)


def complete_at(d: int, k: int, number: int, v: int) -> Iterator[Decision]:
    """Yield the decisions that so many blocks are complete from a period on and not before."""
    if v > 0:
        yield Active((d,), k, v - 1, False, number - 1)
    yield Active((d,), k, v, True, number)
