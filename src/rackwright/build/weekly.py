"""The bucketed plan taken apart to weeks, in whole blocks, within each week's limits."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rackwright.build.blocks import Blocks
from rackwright.build.facts import Array, Facts, Index, Mask, weekly_limits
from rackwright.build.model import Point
from rackwright.records.plan import WeekRow
from rackwright.records.study import Study

EPS = 1e-6


class Weekly(NamedTuple):
    """A plan by week."""

    rows: tuple[WeekRow, ...]
    built: Array  # (D, F, K, T) the weeks' blocks put back into their buckets
    held_back: tuple[str, ...]  # what a week's limit moved to a later week, or away


def by_week(study: Study, facts: Facts, blocks: Blocks, point: Point, cells: Array) -> Weekly:
    """Return the plan week by week.

    The rate within a bucket is level. Small blocks are built whole: each week a factory builds
    as many as the level rates sum up to, those with the largest remainder first; what a week's
    hours, bays, parts or site power do not allow moves to the next week. Hours that are left go
    into the block that is due next, which is then finished in the next week. Large blocks,
    which take more than a week of a line, may be built in parts.

    Args:
        study: for the limits of single weeks.
        facts: the study on the calendar.
        blocks: what a block uses.
        point: the bucketed plan.
        cells: robot cells that work at each factory in each bucket, (F, T).

    Returns:
        The weeks, the same put back into buckets, and what was held back.
    """
    routes = np.argwhere(point.x.sum(axis=3) > EPS)
    if routes.size == 0:
        return Weekly((), np.zeros_like(point.x), ())
    d, f, k = routes.T
    line = _Line(study, facts, blocks, cells)
    plan = point.x[d, f, k]  # (R, T)
    weeks = int(facts.edges[-1])
    bucket = np.searchsorted(facts.edges, np.arange(weeks), side="right") - 1
    rate = plan[:, bucket] / np.diff(facts.edges)[bucket]  # (R, weeks)
    started = np.ceil(blocks.first_week[d] - EPS)
    target = _level(rate, bucket, started, plan)
    built = np.zeros((d.size, weeks))
    for week in range(weeks):
        due = target[:, week] - built.sum(axis=1)
        due = np.where(week >= started, np.maximum(due, 0.0), 0.0)
        want = _whole(due, f, blocks.whole[d])
        built[:, week] = line.build(week, want, d, f, k)
        line.begin(week, due - built[:, week], d, f)
    table = np.zeros_like(point.x)
    np.add.at(table, (d[:, None], f[:, None], k[:, None], bucket[None, :]), built)
    rows = tuple(
        WeekRow(
            week=int(week),
            design=blocks.keys[d[r]],
            factory=facts.factories[f[r]],
            data_center=facts.data_centers[k[r]],
            blocks=float(built[r, week]),
        )
        for week, r in np.argwhere(built.T > EPS)
    )
    short = plan.sum(axis=1) - built.sum(axis=1)
    held = tuple(
        f"{blocks.keys[d[r]]} at {facts.factories[f[r]]}: {short[r]:.2f} of "
        f"{plan[r].sum():.2f} blocks do not fit into whole weeks"
        for r in np.flatnonzero(short > EPS)
    )
    return Weekly(rows, table, held)


def _level(rate: Array, bucket: Index, started: Array, plan: Array) -> Array:
    """Cumulative target by week; a bucket in which a row starts late is spread over its rest."""
    open_week = np.arange(rate.shape[1]) >= started[:, None]
    level = np.where(open_week, rate, 0.0)
    for r, t in zip(*np.nonzero(plan > 0), strict=True):
        mine = bucket == t
        total = level[r, mine].sum()
        if total > 0:
            level[r, mine] *= plan[r, t] / total
    return np.asarray(level.cumsum(axis=1))


def _whole(due: Array, factory: Index, large: Mask) -> Array:
    """Whole blocks nearest to what is due at each factory, by the largest remainder."""
    want = np.where(large, due, np.floor(due + EPS))
    rest = np.where(large, 0.0, due - want)
    for f in np.unique(factory):
        mine = np.flatnonzero((factory == f) & ~large)
        extra = int(np.floor(rest[mine].sum() + 0.5))
        first = mine[np.argsort(-rest[mine], kind="stable")][:extra]
        want[first] += 1
    return want


class _Line:
    """What is left of each week's limits while the weeks are filled."""

    def __init__(self, study: Study, facts: Facts, blocks: Blocks, cells: Array) -> None:
        self.facts, self.blocks = facts, blocks
        weeks = int(facts.edges[-1])
        bucket = np.searchsorted(facts.edges, np.arange(weeks), side="right") - 1
        limits = weekly_limits(study)
        by_cells = cells[:, bucket] * facts.cell_h_per_week[:, None]
        share = facts.cell_share[:, None]
        ceiling = np.where(share < 1, limits.people_h / np.where(share < 1, 1 - share, 1), np.inf)
        self.touch = np.minimum(limits.people_h + by_cells, ceiling)  # (F, weeks)
        self.bays = limits.bay_h.copy()
        used = [i for i, s in enumerate(study.supplies) if s.part in facts.parts]
        arrivals = np.zeros((len(facts.parts), weeks))
        np.add.at(arrivals, facts.supply_part, limits.supply_units[used])
        stock = np.zeros(len(facts.parts))
        np.add.at(stock, facts.supply_part, facts.supply_stock)
        self.parts = arrivals.cumsum(axis=1) + stock[:, None]
        # A block waits until the period in which the bucketed plan puts it to work.
        self.power = facts.power_w.copy()  # what is not reserved yet, (K, V)
        self.bucket = bucket
        self.used_parts = np.zeros(len(facts.parts))
        self.left = (np.zeros(0), np.zeros(0))

    def build(self, week: int, want: Array, d: Index, f: Index, k: Index) -> Array:
        """Return what of `want` fits into the week, and take it off the limits."""
        blocks = self.blocks
        got = np.zeros(want.size)
        touch, bays = self.touch[:, week].copy(), self.bays[:, week].copy()
        spare = self.parts[:, week] - self.used_parts
        # Large blocks first: what waits for the last rack of one loses most by a week.
        for r in np.lexsort((-want, ~blocks.whole[d])):
            if want[r] <= EPS:
                continue
            period = self.facts.arrival[f[r], k[r], self.bucket[week]]
            if period < 0:
                continue  # it would arrive after the horizon
            room = [
                _room(touch[f[r]], blocks.touch_at_h[d[r], f[r]]),
                _room(bays[f[r]], blocks.bay_at_h[d[r], f[r]]),
                _room(float(self.power[k[r], period:].min()), blocks.power_w[d[r]]),
                *(_room(s, q) for s, q in zip(spare, blocks.quantity[d[r]], strict=True)),
            ]
            fits = min(want[r], *room)
            got[r] = fits if blocks.whole[d[r]] else np.floor(fits + EPS)
            touch[f[r]] -= got[r] * blocks.touch_at_h[d[r], f[r]]
            bays[f[r]] -= got[r] * blocks.bay_at_h[d[r], f[r]]
            spare -= got[r] * blocks.quantity[d[r]]
            self.used_parts += got[r] * blocks.quantity[d[r]]
            self.power[k[r], period:] -= got[r] * blocks.power_w[d[r]]
        self.left = (touch, bays)
        return got

    def begin(self, week: int, due: Array, d: Index, f: Index) -> None:
        """Work on parts of blocks that are due but not whole; the hours count in the next week."""
        if week + 1 == self.touch.shape[1]:
            return
        part = np.where(self.blocks.whole[d], 0.0, np.clip(due, 0.0, 1.0))
        for hours, left, each in (
            (self.touch, self.left[0], self.blocks.touch_at_h),
            (self.bays, self.left[1], self.blocks.bay_at_h),
        ):
            need = np.zeros(left.size)
            np.add.at(need, f, part * each[d, f])
            hours[:, week + 1] += np.minimum(left, need)


def _room(left: float, each: float) -> float:
    return np.inf if each <= 0 else max(0.0, left / each)
