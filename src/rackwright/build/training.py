"""One design and one start for every training workload."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rackwright.build.branch import ALL, Active, Decision, Only, Setup
from rackwright.build.master import Master
from rackwright.build.model import Model, Point, installed
from rackwright.build.whole import NEAR, READY, Rounded, complete_at, solve_whole

MUCH = 0.1
"""Share of a training block from which on a factory is set up for it."""

SPREAD = 3
"""Starts of training tried between the first rack and the last."""


def trained_plans(
    master: Master, start: Rounded, workloads: list[int], tries: int, price: float
) -> Iterator[Rounded]:
    """Yield plans with one design and start for every training workload.

    Args:
        master: its decisions are changed.
        start: a plan with set-ups and cells decided.
        workloads: training workloads still to be placed.
        tries: designs tried for each.
        price: what a violation costs [USD].
    """
    if not workloads:
        yield start
        return
    for one in _trained(master, start, workloads[0], tries, price):
        yield from trained_plans(master, one, workloads[1:], tries, price)


def _trained(master: Master, start: Rounded, w: int, tries: int, price: float) -> Iterator[Rounded]:
    """Yield the two best plans with one design and site for a workload, or that without it."""
    screened: list[tuple[float, int, int, Point, tuple[Decision, ...]]] = []
    for d, k in _candidates(master, start.point, w, 2 * tries if tries > 1 else 1):
        last = master.model.facts.annuity.size - 1
        there = (Active((d,), k, last, True, 1),) if master.model.blocks.needs_all[d, w] else ()
        fixed = (*_open_for(master.model, start.fixed, d), Only(w, (d,), k, True))
        point = solve_whole(master, (*fixed, *there), price, fresh=not screened)
        if point is not None:
            fixed = (*fixed, *_setups_used(master.model, fixed, point, d))
            screened.append((-point.objective_usd, d, k, point, fixed))
    screened.sort(key=lambda one: one[:3])
    found: list[tuple[float, int, _Starts]] = []
    for most, d, k, point, fixed in screened[: tries + 2]:
        # What was screened is no less than any plan with a start; two plans are wanted.
        if len(found) > 1 and most >= sorted(found, key=lambda one: one[:2])[1][0]:
            break
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
        point_without = solve_whole(master, (*start.fixed, nowhere), price, fresh=True)
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
        timed = (*self.fixed, *complete_at(self.d, self.k, 1, v))
        point = solve_whole(self.master, timed, self.price)
        self.tried[v] = None if point is None else Rounded(point, timed)
