"""The master: the core with the columns of chosen designs, growing as loop 1 generates them.

A design brings, per factory, data center and bucket, the blocks built x; per data center and
period, the blocks at work n on each workload and the idle ones, which are the installed ones N:

    N[k, v] = N[k, v - 1] + sum of x that arrive in v,    N[k, v] = idle + sum over w of n[w, k, v]

Its platform brings the set-up y in 0..1 with the rows of `setups`. Decisions of the search on
what is whole (`branch`) become bounds and rows of their own; one costly column of violation in
those rows keeps every solve feasible, so that a hopeless branch shows as a low bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rackwright.build.blocks import Blocks, typical_usd
from rackwright.build.branch import (
    ALL,
    Active,
    Cells,
    Count,
    Decision,
    Only,
    Setup,
    allowed_to_train,
)
from rackwright.build.core import Core
from rackwright.build.facts import Array, Facts, Index
from rackwright.build.setups import Setups
from rackwright.build.solver import INF, Solution, Solver


@dataclass(frozen=True)
class Model:
    """Everything that is fixed before the first solve."""

    facts: Facts
    blocks: Blocks
    core: Core
    setups: Setups


Place = tuple[tuple[int, ...], int]
"""Rows and a data center (or ALL) that a decision on timing is about."""


@dataclass(frozen=True)
class Duals:
    """Prices of the limits in natural units; those of `core` and `setup_total` are >= 0."""

    core: Array  # (core rows,)
    setup_total: Array  # (2, Q, F) USD per whole share over all buckets
    counts: dict[Place, float] = field(default_factory=dict)  # USD per block, signed
    caps: dict[Place, Array] = field(default_factory=dict)  # (V,) >= 0, USD per block at work
    floors: dict[Place, Array] = field(default_factory=dict)  # (V,) >= 0, USD per block there

    def budget(self, core: Core) -> float:
        """USD today per USD of budget."""
        return float(self.core[core.row.budget]) if core.row.budget >= 0 else 0.0


@dataclass(frozen=True)
class Point:
    """A solution taken apart, in natural units."""

    objective_usd: float
    core: Array  # (core columns,)
    x: Array  # (D, F, K, T) blocks built
    n: Array  # (D, W, K, V) blocks at work
    setup: Array  # (Q, F)
    violation: float


@dataclass(frozen=True)
class _Chunk:
    """Columns of one batch of designs: indices along each axis and where they begin."""

    d: Index
    f: Index
    k: Index
    t: Index
    x0: int
    site_d: Index
    site_k: Index
    site_v: Index
    n0: int
    work_d: Index
    work_w: Index
    work_k: Index
    work_v: Index
    w0: int


class Master:
    """The linear program over the generated designs; see the module for its rows."""

    def __init__(self, model: Model, iterations: int) -> None:
        """Start with the core alone; each solve may take so many simplex iterations."""
        self.model = model
        self.designs: list[int] = []
        self._iterations = iterations
        self._usd = 1.0 / typical_usd(model.facts, model.blocks)  # the solver's money
        self._chunks: list[_Chunk] = []
        self._solver = Solver()
        self._setup_column = np.full(model.setups.usd.shape, -1, dtype=np.intp)
        self._setup_rows = np.full(model.setups.window_thing.shape, -1, dtype=np.intp)
        self._setup_total = np.full((2, *model.setups.usd.shape), -1, dtype=np.intp)
        self._count_rows: dict[tuple[Place, bool], int] = {}
        self._cap_rows: dict[tuple[Place, int], int] = {}
        self._floor_rows: dict[tuple[Place, int], int] = {}
        self._upper: list[Array] = []
        self._decisions: tuple[Decision, ...] = ()
        self._touched: tuple[Index, Index] = (_NO_INDEX, _NO_INDEX)
        core = model.core
        scaled = core.limit * core.row_scale
        self._solver.add_rows(np.full(scaled.size, -INF), scaled)
        self._add(
            core.objective * core.column_scale,
            core.upper / core.column_scale,
            core.entry_row,
            core.entry_column,
            core.entry_value
            * core.row_scale[core.entry_row]
            * core.column_scale[core.entry_column],
        )
        self._violation = self._solver.columns
        budget = np.atleast_1d(core.row.budget)
        self._add(np.zeros(1), np.zeros(1), budget, np.zeros(1, dtype=np.intp), -np.ones(1))

    def solve(self, fresh: bool = False) -> tuple[Point, Duals]:
        """Solve the LP as it stands, from the last basis or afresh."""
        solution = self._solver.solve(self._iterations, fresh)
        core, setups = self.model.core, self.model.setups
        signed = solution.row_dual / self._usd
        duals = np.maximum(signed, 0.0)
        total = np.zeros((2, *setups.usd.shape))
        there = self._setup_total >= 0
        total[there] = duals[self._setup_total[there]]
        counts, caps, floors = self._branch_duals(signed)
        return self._read(solution), Duals(
            duals[: core.limit.size] * core.row_scale, total, counts, caps, floors
        )

    def basis(self) -> object:
        """Return the last basis, for `restore`."""
        return self._solver.basis()

    def restore(self, basis: object) -> None:
        """Start the next solve from that basis."""
        self._solver.restore(basis)

    # --- decisions ----------------------------------------------------------------------------

    def decide(self, decisions: tuple[Decision, ...], violation_usd: float) -> None:
        """Apply decisions, and these only; a block or dollar of violation costs so much."""
        self._decisions = decisions
        for decision in decisions:
            if isinstance(decision, Count):
                place = (decision.rows, decision.data_center)
                self._count_row(place, True)
                self._count_row(place, False)
            elif isinstance(decision, Active) and decision.at_least:
                self._floor_row((decision.rows, decision.data_center), decision.period)
            elif isinstance(decision, Active):
                for period in range(decision.period + 1):
                    self._cap_row((decision.rows, decision.data_center), period)
        columns, column_low, column_high = self._column_bounds(decisions)
        rows, row_low, row_high = self._row_bounds(decisions)
        upper = np.concatenate(self._upper)
        old_columns, old_rows = self._touched
        self._solver.set_columns(old_columns, np.zeros(old_columns.size), upper[old_columns])
        self._solver.set_rows(old_rows, *np.full((2, old_rows.size), INF) * [[-1.0], [1.0]])
        self._solver.set_columns(columns, column_low, column_high)
        self._solver.set_rows(rows, row_low, row_high)
        self._touched = (columns, rows)
        price = violation_usd if decisions else 0.0
        self._solver.set_costs(np.array([self._violation]), np.array([-price * self._usd]))
        self._solver.set_columns(
            np.array([self._violation]), np.zeros(1), np.array([INF if decisions else 0.0])
        )

    def limit(self, limit: Array, upper: Array) -> None:
        """Replace the limits and upper bounds of the core, natural units."""
        core = self.model.core
        rows = np.arange(core.limit.size)
        self._solver.set_rows(rows, np.full(rows.size, -INF), limit * core.row_scale)
        columns = np.arange(core.upper.size)
        low, high = np.zeros(columns.size), upper / core.column_scale
        touched, touched_low, touched_high = self._column_bounds(self._decisions)
        mine = touched < columns.size
        low[touched[mine]] = touched_low[mine]
        high[touched[mine]] = np.minimum(high[touched[mine]], touched_high[mine])
        self._solver.set_columns(columns, low, high)

    def limit_built(self, x: Array | None) -> None:
        """Allow at most these blocks on every route, (D, F, K, T); None lifts the limit."""
        for c in self._chunks:
            columns = c.x0 + np.arange(c.d.size)
            most = np.full(c.d.size, INF) if x is None else x[c.d, c.f, c.k, c.t]
            self._solver.set_columns(columns, np.zeros(c.d.size), most)

    def _column_bounds(self, decisions: tuple[Decision, ...]) -> tuple[Index, Array, Array]:
        scale = self.model.core.column_scale
        upper = np.concatenate(self._upper)
        bounds: dict[int, tuple[float, float]] = {}
        for decision in decisions:
            if isinstance(decision, Setup):
                column = int(self._setup_column[decision.platform, decision.factory])
                if column >= 0:
                    bounds[column] = (1.0, 1.0) if decision.on else (0.0, 0.0)
            elif isinstance(decision, Cells):
                low, high = bounds.get(decision.column, (0.0, float(upper[decision.column])))
                one = scale[decision.column]
                bounds[decision.column] = (
                    max(low, decision.low / one),
                    min(high, decision.high / one),
                )
        for column in self._barred(decisions):
            bounds[int(column)] = (0.0, 0.0)
        index = np.array(list(bounds), dtype=np.intp)
        table = np.array(list(bounds.values()), dtype=float).reshape(-1, 2)
        return index, table[:, 0].copy(), table[:, 1].copy()

    def _barred(self, decisions: tuple[Decision, ...]) -> Index:
        """Columns of work that the choices for training forbid."""
        barred = [_NO_INDEX]
        rows, centers = self.model.blocks.power_w.size, len(self.model.facts.data_centers)
        for w in {d.workload for d in decisions if isinstance(d, Only)}:
            allowed = allowed_to_train(decisions, w, rows, centers)
            for c in self._chunks:
                bad = (c.work_w == w) & ~allowed[c.work_d, c.work_k]
                barred.append(c.w0 + np.flatnonzero(bad))
        return np.concatenate(barred)

    def _row_bounds(self, decisions: tuple[Decision, ...]) -> tuple[Index, Array, Array]:
        bounds: dict[int, tuple[float, float]] = {}

        def tighten(row: int, low: float, high: float) -> None:
            was = bounds.get(row, (-INF, INF))
            bounds[row] = (max(was[0], low), min(was[1], high))

        for decision in decisions:
            if isinstance(decision, Count):
                high = decision.high if np.isfinite(decision.high) else INF
                place = (decision.rows, decision.data_center)
                tighten(self._count_rows[place, True], float(decision.low), INF)
                tighten(self._count_rows[place, False], -INF, high)
            elif isinstance(decision, Active):
                place, blocks = (decision.rows, decision.data_center), float(decision.blocks)
                if decision.at_least:
                    tighten(self._floor_rows[place, decision.period], blocks, INF)
                else:
                    for period in range(decision.period + 1):
                        tighten(self._cap_rows[place, period], -INF, blocks)
        index = np.array(list(bounds), dtype=np.intp)
        table = np.array(list(bounds.values()), dtype=float).reshape(-1, 2)
        return index, table[:, 0].copy(), table[:, 1].copy()

    def _count_row(self, place: Place, at_least: bool) -> None:
        """One row for "at least", which may be violated at a cost, and one for "at most"."""
        if (place, at_least) not in self._count_rows:
            columns = [c.x0 + np.flatnonzero(_at_place(place, c.d, c.k)) for c in self._chunks]
            if at_least:
                columns.append(np.array([self._violation], dtype=np.intp))
            self._count_rows[place, at_least] = self._new_row(np.concatenate(columns))

    def _floor_row(self, place: Place, v: int) -> None:
        if (place, v) not in self._floor_rows:
            columns = [
                first + np.flatnonzero(_at_place(place, d, k) & (period == v))
                for c in self._chunks
                for first, d, k, period in (
                    (c.n0, c.site_d, c.site_k, c.site_v),
                    (c.w0, c.work_d, c.work_k, c.work_v),
                )
            ]
            columns.append(np.array([self._violation], dtype=np.intp))
            self._floor_rows[place, v] = self._new_row(np.concatenate(columns))

    def _cap_row(self, place: Place, v: int) -> None:
        if (place, v) not in self._cap_rows:
            columns = [
                c.w0 + np.flatnonzero(self._waits(place, v, c.work_d, c.work_w, c.work_k, c.work_v))
                for c in self._chunks
            ]
            self._cap_rows[place, v] = self._new_row(np.concatenate(columns))

    def _waits(
        self, place: Place, period: int, d: Index, w: Index, k: Index, v: Index
    ) -> NDArray[np.bool_]:
        """Columns of work at a place and period that needs complete blocks."""
        return np.asarray(
            _at_place(place, d, k) & (v == period) & self.model.blocks.needs_all[d, w]
        )

    def _new_row(self, columns: Index) -> int:
        row = self._solver.rows
        self._solver.add_row(columns, np.ones(columns.size))
        return row

    def _branch_duals(
        self, signed: Array
    ) -> tuple[dict[Place, float], dict[Place, Array], dict[Place, Array]]:
        periods = self.model.facts.annuity.size
        counts: dict[Place, float] = {}
        caps: dict[Place, Array] = {}
        floors: dict[Place, Array] = {}
        for decision in self._decisions:
            if isinstance(decision, Count):
                place = (decision.rows, decision.data_center)
                least = float(signed[self._count_rows[place, True]])
                most = float(signed[self._count_rows[place, False]])
                counts[place] = min(0.0, least) + max(0.0, most)
            elif isinstance(decision, Active):
                place = (decision.rows, decision.data_center)
                cap = caps.setdefault(place, np.zeros(periods))
                floor = floors.setdefault(place, np.zeros(periods))
                if decision.at_least:
                    dual = signed[self._floor_rows[place, decision.period]]
                    floor[decision.period] = max(0.0, -float(dual))
                else:
                    for period in range(decision.period + 1):
                        cap[period] = max(0.0, float(signed[self._cap_rows[place, period]]))
        return counts, caps, floors

    # --- growing ------------------------------------------------------------------------------

    def add(self, designs: Sequence[int] | Index) -> None:
        """Append the columns of designs that are not in the master yet."""
        known = set(self.designs)
        fresh = dict.fromkeys(int(d) for d in designs if int(d) not in known)
        new = np.array(list(fresh), dtype=np.intp)
        if new.size == 0:
            return
        self._add_setups(new)
        self.designs.extend(int(d) for d in new)
        self._chunks.append(self._add_columns(new))

    def _rows(self, count: int, upper: float, lower: float = -INF) -> Index:
        first = self._solver.rows
        self._solver.add_rows(np.full(count, lower), np.full(count, upper))
        return first + np.arange(count, dtype=np.intp)

    def _add_setups(self, new: Index) -> None:
        """Columns y and their rows for platforms that enter."""
        setups, core = self.model.setups, self.model.core
        for q in np.unique(self.model.blocks.platform[new]):
            for f in np.flatnonzero(setups.exists[q] & (self._setup_column[q] < 0)):
                rows = self._rows(setups.window_thing.shape[2] + 2, 0.0)
                self._setup_rows[q, f] = rows[:-2]
                self._setup_total[:, q, f] = rows[-2:]
                self._setup_column[q, f] = self._solver.columns
                value = np.full(rows.size, -1.0)
                if core.row.budget >= 0:
                    scale = core.row_scale[core.row.budget]
                    rows = np.append(rows, core.row.budget)
                    value = np.append(value, setups.spend[q, f] * scale)
                here = np.zeros(rows.size, dtype=np.intp)
                self._add(-setups.usd[q : q + 1, f], np.ones(1), rows, here, value)

    def _add_columns(self, new: Index) -> _Chunk:
        facts, blocks = self.model.facts, self.model.blocks
        i, f, k, t = np.nonzero(blocks.buildable[new])
        d = new[i]
        arrival = facts.arrival[f, k, t]
        periods, centers = facts.annuity.size, len(facts.data_centers)
        first = np.full((new.size, centers), periods, dtype=np.intp)
        np.minimum.at(first, (i, k), arrival)
        present = np.arange(periods) >= first[:, :, None]  # (new, K, V)
        si, sk, sv = np.nonzero(present)
        earns = (blocks.rate[new][:, :, None] > 0) & (facts.value_usd > 0)  # (new, W, V)
        earns &= (facts.demand > 0) & (facts.period_weeks > 0)
        wi, ww, wk, wv = np.nonzero(earns[:, :, None, :] & present[:, None])
        installed = self._rows(si.size, 0.0, 0.0)
        cell = np.full((new.size, centers, periods + 1), -1, dtype=np.intp)
        cell[si, sk, sv] = np.arange(si.size)
        x0 = self._solver.columns
        self._add_built(d, f, k, t, installed[cell[i, k, arrival]])
        after = cell[:, :, 1:]
        carried = np.where(after >= 0, installed[np.maximum(after, 0)], -1)  # (new, K, V)
        now = np.where(cell >= 0, installed[np.maximum(cell, 0)], -1)
        n0 = self._solver.columns
        rows = [now[si, sk, sv], carried[si, sk, sv]]
        self._add_idle(new[si], sk, sv, rows)
        w0 = self._solver.columns
        rows = [now[wi, wk, wv], carried[wi, wk, wv]]
        self._add_working(new[wi], ww, wk, wv, rows)
        return _Chunk(d, f, k, t, x0, new[si], sk, sv, n0, new[wi], ww, wk, wv, w0)

    def _add_built(self, d: Index, f: Index, k: Index, t: Index, installed: Index) -> None:
        facts, blocks = self.model.facts, self.model.blocks
        core, setups = self.model.core, self.model.setups
        spend = spend_usd(facts, blocks)[d, f, k]
        credit = facts.salvage[k, facts.arrival[f, k, t]] * blocks.price_usd[d]
        here = np.arange(d.size)
        q, y = blocks.platform[d], setups.window[t]
        entries = [
            (installed, here, np.full(d.size, -1.0)),
            _scaled(core, core.row.touch[f, t], here, blocks.touch_at_h[d, f]),
            _scaled(core, core.row.bay[f, t], here, blocks.bay_at_h[d, f]),
            (self._setup_rows[q, f, y], here, setups.window_share[d, f, y]),
            (self._setup_total[0, q, f], here, setups.total_share[0, d, f]),
            (self._setup_total[1, q, f], here, setups.total_share[1, d, f]),
            _scaled(core, np.broadcast_to(core.row.budget, d.shape), here, spend),
        ]
        entries += [
            _scaled(core, core.row.balance[p, facts.group[f], t], here, blocks.quantity[d, p])
            for p in range(len(facts.parts))
        ]
        entries += [
            (np.full(d.size, row), here, _at_place(place, d, k).astype(float))
            for (place, _), row in self._count_rows.items()
        ]
        self._append(credit - spend * facts.money[t], entries)

    def _add_idle(self, d: Index, k: Index, v: Index, rows: Sequence[Index]) -> None:
        cost, entries = self._standing(d, k, v, rows)
        self._append(-cost, entries)

    def _add_working(self, d: Index, w: Index, k: Index, v: Index, rows: Sequence[Index]) -> None:
        facts, blocks, core = self.model.facts, self.model.blocks, self.model.core
        here = np.arange(d.size)
        rate = blocks.rate[d, w]
        energy = facts.energy_usd_per_w[k, v] * blocks.average_power_w[d, w]
        cost, entries = self._standing(d, k, v, rows)
        entries += [
            _scaled(core, core.row.demand[w, v], here, facts.availability * rate),
            _scaled(core, core.row.tokens[w], here, facts.work_s[v] * rate),
            _scaled(core, core.row.gang[w, v], here, np.ones(d.size)),
        ]
        entries += [
            (np.full(d.size, row), here, self._waits(place, period, d, w, k, v).astype(float))
            for (place, period), row in self._cap_rows.items()
        ]
        self._append(facts.value_usd[w, v] * rate - energy - cost, entries)

    def _standing(
        self, d: Index, k: Index, v: Index, rows: Sequence[Index]
    ) -> tuple[Array, list[tuple[Index, Index, Array]]]:
        """Cost and entries of a block that is there, at work or idle."""
        facts, blocks, core = self.model.facts, self.model.blocks, self.model.core
        installed, carried = rows
        here = np.arange(d.size)
        entries = [
            (installed, here, np.ones(d.size)),
            (carried, here, np.full(d.size, -1.0)),
            _scaled(core, core.row.power[k, v], here, blocks.power_w[d]),
            _scaled(core, core.row.liquid[k, v], here, blocks.liquid_w[d]),
            _scaled(core, core.row.air[k, v], here, blocks.air_w[d]),
            _scaled(core, core.row.floor[k, v], here, blocks.floor_m2[d]),
        ]
        entries += [
            (np.full(d.size, row), here, (_at_place(place, d, k) & (v == period)).astype(float))
            for (place, period), row in self._floor_rows.items()
        ]
        return facts.site_usd_per_w[k, v] * blocks.power_w[d], entries

    def _append(self, objective: Array, entries: list[tuple[Index, Index, Array]]) -> None:
        row = np.concatenate([e[0] for e in entries])
        column = np.concatenate([e[1] for e in entries])
        value = np.concatenate([e[2] for e in entries])
        self._add(objective, np.full(objective.size, INF), row, column, value)

    def _add(self, objective: Array, upper: Array, row: Index, column: Index, value: Array) -> None:
        keep = (row >= 0) & (value != 0)
        self._upper.append(upper)
        self._solver.add_columns(objective * self._usd, upper, row[keep], column[keep], value[keep])

    # --- reading ------------------------------------------------------------------------------

    def _read(self, solution: Solution) -> Point:
        facts, blocks, core = self.model.facts, self.model.blocks, self.model.core
        value = np.maximum(solution.column, 0.0)
        x = np.zeros(blocks.buildable.shape)
        n = np.zeros((*blocks.rate.shape, *facts.power_w.shape))
        for c in self._chunks:
            x[c.d, c.f, c.k, c.t] = value[c.x0 : c.x0 + c.d.size]
            n[c.work_d, c.work_w, c.work_k, c.work_v] = value[c.w0 : c.w0 + c.work_d.size]
        setup = np.zeros(self._setup_column.shape)
        there = self._setup_column >= 0
        setup[there] = value[self._setup_column[there]]
        return Point(
            objective_usd=solution.objective / self._usd,
            core=value[: core.objective.size] * core.column_scale,
            x=x,
            n=n,
            setup=setup,
            violation=float(value[self._violation]),
        )


_NO_INDEX = np.zeros(0, dtype=np.intp)


def _at_place(place: Place, d: Index, k: Index) -> NDArray[np.bool_]:
    rows, center = place
    return np.asarray(np.isin(d, rows) & ((k == center) | (center == ALL)))


def spend_usd(facts: Facts, blocks: Blocks) -> Array:
    """Return what a block costs beside parts with a supply and touch hours, (D, F, K)."""
    bays = facts.bay_usd_per_h * blocks.bay_at_h  # (D, F)
    freight = facts.freight_usd_per_kg * blocks.mass_kg[:, None, None]  # (D, F, K)
    return np.asarray((blocks.other_usd[:, None] + bays)[:, :, None] + freight)


def installed(x: Array, facts: Facts) -> Array:
    """Return the blocks installed by row, data center and period, (D, K, V)."""
    table = np.zeros((x.shape[0], x.shape[2], facts.annuity.size))
    f, k, t = np.nonzero(facts.arrival >= 0)
    by_route = table.transpose(1, 2, 0)  # a view: (K, V, D)
    np.add.at(by_route, (k, facts.arrival[f, k, t]), x[:, f, k, t].T)
    return np.asarray(table.cumsum(axis=2))


def _scaled(core: Core, row: Index, column: Index, value: Array) -> tuple[Index, Index, Array]:
    """Entries of core rows, in the solver's scale; rows that do not exist fall out later."""
    return row, column, value * core.row_scale[np.maximum(row, 0)]
