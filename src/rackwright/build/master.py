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

import numpy as np

from rackwright.build.blocks import typical_usd
from rackwright.build.branch import Cells, Decision, Only, Setup, allowed_to_train
from rackwright.build.branch_rows import BranchRows
from rackwright.build.columns import (
    Batch,
    Entry,
    SetupRows,
    built_columns,
    idle_columns,
    work_columns,
)
from rackwright.build.facts import Array, Index
from rackwright.build.model import Duals, Model, Point
from rackwright.build.solver import INF, Solution, Solver

_NO_INDEX = np.zeros(0, dtype=np.intp)


class Master:
    """The linear program over the generated designs; see the module for its rows."""

    def __init__(self, model: Model, iterations: int) -> None:
        """Start with the core alone; each solve may take so many simplex iterations."""
        self.model = model
        self.designs: list[int] = []
        self._iterations = iterations
        self._usd = 1.0 / typical_usd(model.facts, model.blocks)  # the solver's money
        self._batches: list[Batch] = []
        self._solver = Solver()
        shape, windows = model.setups.usd.shape, model.setups.window_thing.shape
        self._setups = SetupRows(
            np.full(shape, -1, dtype=np.intp),
            np.full(windows, -1, dtype=np.intp),
            np.full((2, *shape), -1, dtype=np.intp),
        )
        self._upper: list[Array] = []
        self._decisions: tuple[Decision, ...] = ()
        self._touched: tuple[Index, Index] = (_NO_INDEX, _NO_INDEX)
        core = model.core
        scaled = core.limit * core.row_scale
        self._solver.add_rows(np.full(scaled.size, -INF), scaled)
        value = core.entry_value * core.row_scale[core.entry_row]
        self._add(
            core.objective * core.column_scale,
            core.upper / core.column_scale,
            (core.entry_row, core.entry_column, value * core.column_scale[core.entry_column]),
        )
        self._violation = self._solver.columns
        budget = np.atleast_1d(core.row.budget)
        self._add(np.zeros(1), np.zeros(1), (budget, np.zeros(1, dtype=np.intp), -np.ones(1)))
        self._branch = BranchRows(model.blocks.needs_all, self._violation)

    def solve(self, fresh: bool = False) -> tuple[Point, Duals]:
        """Solve the LP as it stands, from the last basis or afresh."""
        solution = self._solver.solve(self._iterations, fresh)
        core = self.model.core
        signed = solution.row_dual / self._usd
        duals = np.maximum(signed, 0.0)
        there = self._setups.total >= 0
        total = np.zeros(there.shape)
        total[there] = duals[self._setups.total[there]]
        branch = self._branch.duals(self._decisions, signed, self.model.facts.annuity.size)
        scaled = duals[: core.limit.size] * core.row_scale
        return self._read(solution), Duals(scaled, total, *branch)

    def basis(self) -> object:
        """Return the last basis, for `restore`."""
        return self._solver.basis()

    def restore(self, basis: object) -> None:
        """Start the next solve from that basis."""
        self._solver.restore(basis)

    # --- decisions and limits -----------------------------------------------------------------

    def decide(self, decisions: tuple[Decision, ...], violation_usd: float) -> None:
        """Apply decisions, and these only; a block or dollar of violation costs so much."""
        self._decisions = decisions
        self._branch.make(decisions, self._batches, self._new_row)
        columns, column_low, column_high = self._column_bounds(decisions)
        rows, row_low, row_high = self._branch.bounds(decisions)
        upper = np.concatenate(self._upper)
        old_columns, old_rows = self._touched
        free = np.full(old_rows.size, INF)
        self._solver.set_columns(old_columns, np.zeros(old_columns.size), upper[old_columns])
        self._solver.set_rows(old_rows, -free, free)
        self._solver.set_columns(columns, column_low, column_high)
        self._solver.set_rows(rows, row_low, row_high)
        self._touched = (columns, rows)
        violation = np.array([self._violation])
        price = violation_usd if decisions else 0.0
        self._solver.set_costs(violation, np.array([-price * self._usd]))
        self._solver.set_columns(violation, np.zeros(1), np.array([INF if decisions else 0.0]))

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
        for b in self._batches:
            columns = b.x0 + np.arange(b.d.size)
            most = np.full(b.d.size, INF) if x is None else x[b.d, b.f, b.k, b.t]
            self._solver.set_columns(columns, np.zeros(b.d.size), most)

    def _column_bounds(self, decisions: tuple[Decision, ...]) -> tuple[Index, Array, Array]:
        scale = self.model.core.column_scale
        upper = np.concatenate(self._upper)
        bounds: dict[int, tuple[float, float]] = {}
        for decision in decisions:
            if isinstance(decision, Setup):
                column = int(self._setups.column[decision.platform, decision.factory])
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
        for w in dict.fromkeys(d.workload for d in decisions if isinstance(d, Only)):
            allowed = allowed_to_train(decisions, w, rows, centers)
            for b in self._batches:
                bad = (b.work_w == w) & ~allowed[b.work_d, b.work_k]
                barred.append(b.w0 + np.flatnonzero(bad))
        return np.concatenate(barred)

    def _new_row(self, columns: Index) -> int:
        row = self._solver.rows
        self._solver.add_row(columns, np.ones(columns.size))
        return row

    # --- growing ------------------------------------------------------------------------------

    def add(self, designs: Sequence[int] | Index) -> None:
        """Append the columns of designs that are not in the master yet."""
        known = set(self.designs)
        fresh = dict.fromkeys(int(d) for d in designs if int(d) not in known)
        new = np.array(list(fresh), dtype=np.intp)
        if new.size:
            self._add_setups(new)
            self.designs.extend(fresh)
            self._batches.append(self._add_designs(new))

    def _add_setups(self, new: Index) -> None:
        """Columns y and their rows for platforms that enter."""
        setups, core, mine = self.model.setups, self.model.core, self._setups
        for q in np.unique(self.model.blocks.platform[new]):
            for f in np.flatnonzero(setups.exists[q] & (mine.column[q] < 0)):
                rows = self._new_rows(setups.window_thing.shape[2] + 2, -INF)
                mine.window[q, f] = rows[:-2]
                mine.total[:, q, f] = rows[-2:]
                mine.column[q, f] = self._solver.columns
                value = np.full(rows.size, -1.0)
                if core.row.budget >= 0:
                    scale = core.row_scale[core.row.budget]
                    rows = np.append(rows, core.row.budget)
                    value = np.append(value, setups.spend[q, f] * scale)
                here = np.zeros(rows.size, dtype=np.intp)
                self._add(-setups.usd[q : q + 1, f], np.ones(1), (rows, here, value))

    def _add_designs(self, new: Index) -> Batch:
        facts, blocks = self.model.facts, self.model.blocks
        i, f, k, t = np.nonzero(blocks.buildable[new])
        arrival = facts.arrival[f, k, t]
        periods, centers = facts.annuity.size, len(facts.data_centers)
        first = np.full((new.size, centers), periods, dtype=np.intp)
        np.minimum.at(first, (i, k), arrival)
        present = np.arange(periods) >= first[:, :, None]  # (new, K, V)
        si, sk, sv = np.nonzero(present)
        earns = (blocks.rate[new][:, :, None] > 0) & (facts.value_usd > 0)  # (new, W, V)
        earns &= (facts.demand > 0) & (facts.period_weeks > 0)
        wi, ww, wk, wv = np.nonzero(earns[:, :, None, :] & present[:, None])
        # One balance row per design, site and period; -1 before the first arrival and at the end.
        balance = np.full((new.size, centers, periods + 1), -1, dtype=np.intp)
        balance[si, sk, sv] = self._new_rows(si.size, 0.0)
        d, site, work = new[i], new[si], new[wi]
        x0 = self._solver.columns
        objective, entries = built_columns(
            self.model, self._setups, (d, f, k, t), balance[i, k, arrival]
        )
        self._append(objective, [*entries, *self._branch.built_entries(d, k)])
        n0 = self._solver.columns
        objective, entries = idle_columns(
            self.model, (site, sk, sv), balance[si, sk, sv], balance[si, sk, sv + 1]
        )
        self._append(objective, [*entries, *self._branch.standing_entries(site, sk, sv)])
        w0 = self._solver.columns
        objective, entries = work_columns(
            self.model, (work, ww, wk, wv), balance[wi, wk, wv], balance[wi, wk, wv + 1]
        )
        self._append(objective, [*entries, *self._branch.work_entries(work, ww, wk, wv)])
        return Batch(d, f, k, t, x0, site, sk, sv, n0, work, ww, wk, wv, w0)

    def _new_rows(self, count: int, lower: float) -> Index:
        """Append rows with the upper limit 0."""
        first = self._solver.rows
        self._solver.add_rows(np.full(count, lower), np.zeros(count))
        return first + np.arange(count, dtype=np.intp)

    def _append(self, objective: Array, entries: Sequence[Entry]) -> None:
        row, column, value = (np.concatenate([e[i] for e in entries]) for i in range(3))
        joined = (row.astype(np.intp), column.astype(np.intp), value.astype(float))
        self._add(objective, np.full(objective.size, INF), joined)

    def _add(self, objective: Array, upper: Array, entry: Entry) -> None:
        row, column, value = entry
        keep = (row >= 0) & (value != 0)
        self._upper.append(upper)
        self._solver.add_columns(objective * self._usd, upper, row[keep], column[keep], value[keep])

    def _read(self, solution: Solution) -> Point:
        facts, blocks, core = self.model.facts, self.model.blocks, self.model.core
        value = np.maximum(solution.column, 0.0)
        x = np.zeros(blocks.buildable.shape)
        n = np.zeros((*blocks.rate.shape, *facts.power_w.shape))
        for b in self._batches:
            x[b.d, b.f, b.k, b.t] = value[b.x0 : b.x0 + b.d.size]
            n[b.work_d, b.work_w, b.work_k, b.work_v] = value[b.w0 : b.w0 + b.work_d.size]
        setup = np.zeros(self._setups.column.shape)
        there = self._setups.column >= 0
        setup[there] = value[self._setups.column[there]]
        return Point(
            objective_usd=solution.objective / self._usd,
            core=value[: core.objective.size] * core.column_scale,
            x=x,
            n=n,
            setup=setup,
            violation=float(value[self._violation]),
        )
