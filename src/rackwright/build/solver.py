"""HiGHS behind a small door: arrays in, arrays out, deterministic limits, one thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np

from rackwright.build.facts import Array, Index

INF: float = highspy.kHighsInf

WARM = 3000
"""Simplex iterations from the last basis before a fresh start is tried."""


@dataclass(frozen=True)
class Solution:
    """A point: maximised objective, columns, row duals (>= 0 on binding <= rows)."""

    objective: float
    column: Array
    row_dual: Array


class Solver:
    """A growing "maximise c x, row_lower <= A x <= row_upper" held by HiGHS.

    The one object of this package that changes: re-solves start from the last basis.
    """

    def __init__(self, seed: int = 1) -> None:
        """Start empty. `seed` fixes the solver's own tie-breaks."""
        self._highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        options: dict[str, bool | int | str] = {
            "output_flag": False,
            "threads": 1,
            "random_seed": seed,
            "parallel": "off",
            "solver": "simplex",
            "simplex_strategy": 1,
        }
        for name, value in options.items():
            self._highs.setOptionValue(name, value)
        self._highs.changeObjectiveSense(highspy.ObjSense.kMaximize)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self._highs.getNumRow())

    @property
    def columns(self) -> int:
        """Number of columns."""
        return int(self._highs.getNumCol())

    def add_rows(self, lower: Array, upper: Array) -> None:
        """Append empty rows."""
        none = np.zeros(0, dtype=np.int32)
        starts = np.zeros(lower.size, dtype=np.int32)
        if lower.size:
            _ok(self._highs.addRows(lower.size, lower, upper, 0, starts, none, np.zeros(0)))

    def add_row(self, column: Index, value: Array) -> None:
        """Append one row without limits."""
        _ok(self._highs.addRow(-INF, INF, column.size, column.astype(np.int32), value))

    def add_columns(
        self, objective: Array, upper: Array, row: Index, column: Index, value: Array
    ) -> None:
        """Append columns between 0 and `upper`; `column` counts from 0 for the first new one."""
        if objective.size == 0:
            return
        order = np.argsort(column, kind="stable")
        starts = np.searchsorted(column[order], np.arange(objective.size))
        _ok(
            self._highs.addCols(
                objective.size,
                objective,
                np.zeros(objective.size),
                upper,
                row.size,
                starts.astype(np.int32),
                row[order].astype(np.int32),
                value[order],
            )
        )

    def set_columns(self, column: Index, lower: Array, upper: Array) -> None:
        """Change bounds of columns."""
        if column.size:
            index = column.astype(np.int32)
            _ok(self._highs.changeColsBounds(column.size, index, lower, upper))

    def set_costs(self, column: Index, objective: Array) -> None:
        """Change the objective of columns."""
        index = column.astype(np.int32)
        _ok(self._highs.changeColsCost(column.size, index, objective))

    def set_rows(self, row: Index, lower: Array, upper: Array) -> None:
        """Change limits of rows."""
        if row.size:
            index = row.astype(np.int32)
            _ok(self._highs.changeRowsBounds(row.size, index, lower, upper))

    def basis(self) -> Any:
        """Return the current basis, opaque."""
        return self._highs.getBasis()

    def restore(self, basis: Any) -> None:
        """Start the next solve from a basis; what was added since starts at rest."""
        at_rest, basic = highspy.HighsBasisStatus.kLower, highspy.HighsBasisStatus.kBasic
        columns, rows = list(basis.col_status), list(basis.row_status)
        basis.col_status = columns + [at_rest] * (self.columns - len(columns))
        basis.row_status = rows + [basic] * (self.rows - len(rows))
        self._highs.setBasis(basis)

    def solve(self, iterations: int, fresh: bool = False) -> Solution:
        """Solve from the last basis, or with presolve from none.

        Args:
            iterations: simplex iterations at most.
            fresh: forget the basis: quicker where many bounds have changed.

        Raises:
            RuntimeError: HiGHS did not reach an optimum within the iterations.
        """
        for start_fresh, limit in ((fresh, WARM), (True, iterations)):
            if start_fresh:
                self._highs.clearSolver()
            self._highs.setOptionValue("simplex_iteration_limit", limit)
            self._highs.run()
            status = self._highs.getModelStatus()
            if status == highspy.HighsModelStatus.kOptimal:
                break
        if status != highspy.HighsModelStatus.kOptimal:
            text = self._highs.modelStatusToString(status)
            raise RuntimeError(f"the linear program of the plan ended as {text!r}")
        point = self._highs.getSolution()
        return Solution(
            objective=float(self._highs.getInfo().objective_function_value),
            column=np.array(point.col_value, dtype=float),
            row_dual=np.array(point.row_dual, dtype=float),
        )


def _ok(status: Any) -> None:
    if status == highspy.HighsStatus.kError:
        raise RuntimeError("HiGHS refused an array: shapes or indices disagree")
