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

MUCH = 0.1
"""Share of a training block from which on a factory is set up for it."""

SPREAD = 4
"""Starts of training tried between the first rack and the last."""

DIVES = 12
"""Designs whose blocks are rounded one after the other."""

READY = (1.0, 0.6, 0.25, 0.05)
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
    training = [int(w) for w in np.flatnonzero(~master.model.facts.serving)]
    best: Rounded | None = None
    for one in _all_trained(master, found, training, tries, price):
        whole = _counted(master, one, price)
        if whole is None:
            continue
        needed = _needed(master, whole.point)
        if needed:
            fixed = (*(d for d in whole.fixed if not isinstance(d, Setup)), *needed)
            whole = better(whole, _in_time(master, fixed, price))
        whole = _polished(master, whole, price)
        best = whole if best is None else better(best, whole)
    return best


def completed(master: Master, fixed: tuple[Decision, ...], worth_usd: float) -> Rounded | None:
    """Return the plan with a structure given, None when its limits do not allow it."""
    return _in_time(master, fixed, violation_usd(worth_usd))


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


def _polished(master: Master, whole: Rounded, price: float) -> Rounded:
    """Return the plan with work that begins as soon as its blocks are complete in it."""
    structure = tuple(d for d in whole.fixed if not isinstance(d, Active))
    for _ in range(TIMES):
        fixed = (*structure, *complete_as(master.model, whole.point.x))
        point = _solve(master, fixed, price)
        if point is None or half_done(master.model, point).any():
            break
        again = better(whole, Rounded(point, fixed))
        if again is whole:
            break
        whole = again
    return whole


def _all_trained(
    master: Master, start: Rounded, workloads: list[int], tries: int, price: float
) -> Iterator[Rounded]:
    """Yield plans with one design and start for every training workload."""
    if not workloads:
        yield start
        return
    for one in _trained(master, start, workloads[0], tries, price):
        yield from _all_trained(master, one, workloads[1:], tries, price)


def _trained(master: Master, start: Rounded, w: int, tries: int, price: float) -> Iterator[Rounded]:
    """Yield the two best plans with one design and site for a workload, or that without it."""
    screened: list[tuple[float, int, int, Point, tuple[Decision, ...]]] = []
    for d, k in _candidates(master, start.point, w, 2 * tries if tries > 1 else 1):
        last = master.model.facts.annuity.size - 1
        there = (Active((d,), k, last, True, 1),) if master.model.blocks.needs_all[d, w] else ()
        fixed = (*_open_for(master.model, start.fixed, d), Only(w, (d,), k, True))
        point = _solve(master, (*fixed, *there), price, fresh=not screened)
        if point is not None:
            fixed = (*fixed, *_setups_used(master.model, fixed, point, d))
            screened.append((-point.objective_usd, d, k, point, fixed))
    screened.sort(key=lambda one: one[:3])
    found: list[tuple[float, int, _Starts]] = []
    for _, d, k, point, fixed in screened[: tries + 2]:
        starts = _Starts(master, d, w, k, fixed, price)
        first = starts.first(point)
        if first is not None:
            found.append((-first.point.objective_usd, len(found), starts))
    for _, _, starts in sorted(found, key=lambda one: one[:2])[:2]:
        refined = starts.refined()
        assert refined is not None, "the best start has a plan"
        yield refined
    if not found:
        nowhere = Only(w, tuple(range(master.model.blocks.power_w.size)), ALL, False)
        point_without = _solve(master, (*start.fixed, nowhere), price, fresh=True)
        if point_without is not None:
            yield Rounded(point_without, (*start.fixed, nowhere))


def _open_for(model: Model, fixed: tuple[Decision, ...], d: int) -> tuple[Decision, ...]:
    """Return the decisions without those that keep a design's platform from being set up."""
    q = int(model.blocks.platform[d])
    return tuple(s for s in fixed if not (isinstance(s, Setup) and s.platform == q and not s.on))


def _setups_used(
    model: Model, fixed: tuple[Decision, ...], point: Point, d: int
) -> tuple[Decision, ...]:
    """Return decisions on the set-ups left open: factories that build much of the design."""
    q = int(model.blocks.platform[d])
    decided = {(s.platform, s.factory): s.on for s in fixed if isinstance(s, Setup)}
    built = point.x[d].sum(axis=(1, 2))  # (F,)
    return tuple(
        Setup(q, int(f), bool(built[f] > 0 and built[f] >= MUCH * built.sum()))
        for f in np.flatnonzero(model.setups.exists[q])
        if (q, int(f)) not in decided
    )


def _candidates(master: Master, point: Point, w: int, most: int) -> list[tuple[int, int]]:
    """Return designs and sites to try for a training workload, one of a kind first.

    Designs of one platform and size are of a kind: they differ in their fabric only. Those that
    do most of the work in the point come first; a size that it lacks is tried all the same, for
    a point can do with part of a block that is much too large.
    """
    model = master.model
    rate = model.blocks.rate[:, w]
    usd = point.n[:, w] @ model.facts.value_usd[w] * rate[:, None]  # (D, K)
    order = np.argsort(-usd, axis=None, kind="stable")
    ranked = [
        (int(d), int(k))
        for d, k in zip(*np.unravel_index(order, usd.shape), strict=True)
        if usd[d, k] > 0
    ]
    kinds: dict[tuple[int, float, int], tuple[int, int]] = {}
    for d, k in ranked:
        kinds.setdefault((int(model.blocks.platform[d]), float(model.blocks.racks[d]), k), (d, k))
    sizes = {float(model.blocks.racks[d]) for d, _ in ranked}
    lacking: dict[float, tuple[int, int]] = {}
    for d in sorted(master.designs, key=lambda d: -rate[d] / model.blocks.price_usd[d]):
        racks = float(model.blocks.racks[d])
        if rate[d] > 0 and racks not in sizes and ranked:
            lacking.setdefault(racks, (d, ranked[0][1]))
    return [*dict.fromkeys([*list(kinds.values())[:most], *lacking.values(), *ranked])][
        : most + len(lacking)
    ]


class _Starts:
    """Plans in which one design trains a workload, by the period in which its block is complete."""

    def __init__(
        self, master: Master, d: int, w: int, k: int, fixed: tuple[Decision, ...], price: float
    ) -> None:
        self.master, self.d, self.w, self.k = master, d, w, k
        self.fixed, self.price = fixed, price
        self.tried: dict[int, Rounded | None] = {}

    def first(self, point: Point) -> Rounded | None:
        """Return the best plan of a few periods that a fractional plan suggests."""
        model, d, k = self.master.model, self.d, self.k
        there = installed(point.x, model.facts)[d, k]
        early = point.n[d, self.w, k] > np.floor(there + NEAR) + NEAR
        if not (model.blocks.needs_all[d, self.w] and early.any()):
            self.tried[-1] = Rounded(point, self.fixed)
            return self.tried[-1]
        # Where less than a block is ever there, the largest part of it stands for the whole.
        shares = np.array([READY[0], READY[-1]]) * min(1.0, float(there[-1]))
        ready = [int((there >= share - NEAR).argmax()) for share in shares]
        spread = np.linspace(min(ready), max(ready), SPREAD).astype(int).tolist()
        for v in sorted({*ready, *spread}, reverse=True):
            self._try(v)
        return self.tried.get(self._best())

    def refined(self) -> Rounded | None:
        """Return the best plan after halving the way to the neighbours of the best period."""
        periods = self.master.model.facts.annuity.size
        while True:
            best = self._best()
            below = max((v for v in self.tried if v < best), default=best - 2)
            above = min((v for v in self.tried if v > best), default=best + 2)
            middle = (below + best) // 2 if best - below > 1 else (best + above + 1) // 2
            if best < 0 or middle in self.tried or not 0 < middle < periods:
                return self.tried[best]
            self._try(middle)

    def _best(self) -> int:
        worth = {v: one.point.objective_usd for v, one in self.tried.items() if one is not None}
        return max(worth, key=lambda v: (worth[v], -v), default=-2)

    def _try(self, v: int) -> None:
        timed = (*self.fixed, *_complete_at(self.d, self.k, 1, v))
        point = _solve(self.master, timed, self.price)
        self.tried[v] = None if point is None else Rounded(point, timed)


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
            other = _solve(master, (*fixed, *counts.values(), choice), price)
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
