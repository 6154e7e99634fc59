"""Rows of the master that decisions on counts and timing need, made when first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rackwright.build.branch import ALL, Active, Count, Decision
from rackwright.build.columns import Batch, Entry
from rackwright.build.facts import Array, Index, Mask
from rackwright.build.model import Place
from rackwright.build.solver import INF

Kind = Literal["least", "most", "cap", "floor"]
Key = tuple[Kind, Place, int]
"""least, most: blocks built (period -1); cap: at work in a period; floor: there in a period."""


class BranchRows:
    """The rows by what they are about. All are free until a decision sets their limits."""

    def __init__(self, needs_all: Mask, violation: int) -> None:
        """Start without rows; `violation` is the column that may pay for "at least"."""
        self._needs_all = needs_all
        self._violation = violation
        self._row: dict[Key, int] = {}

    def make(
        self,
        decisions: Sequence[Decision],
        batches: Sequence[Batch],
        add: Callable[[Index], int],
    ) -> None:
        """Make the rows that the decisions need; `add` takes columns and returns a row."""
        for decision in decisions:
            for key in _keys(decision):
                if key not in self._row:
                    columns = [column for batch in batches for column in self._of(key, batch)]
                    if key[0] in ("least", "floor"):
                        columns.append(np.array([self._violation], dtype=np.intp))
                    self._row[key] = add(np.concatenate(columns))

    def bounds(self, decisions: Sequence[Decision]) -> tuple[Index, Array, Array]:
        """Return rows with their lower and upper limits under the decisions."""
        bounds: dict[int, tuple[float, float]] = {}
        for decision in decisions:
            for key in _keys(decision):
                low, high = bounds.get(self._row[key], (-INF, INF))
                least, most = _limits(decision, key[0])
                bounds[self._row[key]] = (max(low, least), min(high, most))
        index = np.array(list(bounds), dtype=np.intp)
        table = np.array(list(bounds.values()), dtype=float).reshape(-1, 2)
        return index, table[:, 0].copy(), table[:, 1].copy()

    def duals(
        self, decisions: Sequence[Decision], signed: Array, periods: int
    ) -> tuple[dict[Place, float], dict[Place, Array], dict[Place, Array]]:
        """Return prices of counts (signed), of caps and of floors (both >= 0)."""
        counts: dict[Place, float] = {}
        caps: dict[Place, Array] = {}
        floors: dict[Place, Array] = {}
        for decision in decisions:
            for kind, place, period in _keys(decision):
                dual = float(signed[self._row[kind, place, period]])
                if kind == "least":
                    counts[place] = min(0.0, dual)
                elif kind == "most":
                    counts[place] += max(0.0, dual)
                else:
                    cap = caps.setdefault(place, np.zeros(periods))
                    floor = floors.setdefault(place, np.zeros(periods))
                    if kind == "cap":
                        cap[period] = max(0.0, dual)
                    else:
                        floor[period] = max(0.0, -dual)
        return counts, caps, floors

    def built_entries(self, d: Index, k: Index) -> Iterator[Entry]:
        """Yield entries of new columns of blocks built."""
        for (kind, place, _), row in self._row.items():
            if kind in ("least", "most"):
                yield _entry(row, _at(place, d, k))

    def standing_entries(self, d: Index, k: Index, v: Index) -> Iterator[Entry]:
        """Yield entries of new columns of blocks there, idle or at work."""
        for (kind, place, period), row in self._row.items():
            if kind == "floor":
                yield _entry(row, _at(place, d, k) & (v == period))

    def work_entries(self, d: Index, w: Index, k: Index, v: Index) -> Iterator[Entry]:
        """Yield entries of new columns of blocks at work."""
        yield from self.standing_entries(d, k, v)
        for (kind, place, period), row in self._row.items():
            if kind == "cap":
                yield _entry(row, _at(place, d, k) & (v == period) & self._needs_all[d, w])

    def _of(self, key: Key, b: Batch) -> Iterator[Index]:
        """Columns of a batch that a row is about."""
        kind, place, period = key
        if kind in ("least", "most"):
            yield b.x0 + np.flatnonzero(_at(place, b.d, b.k))
            return
        working = _at(place, b.work_d, b.work_k) & (b.work_v == period)
        if kind == "cap":
            yield b.w0 + np.flatnonzero(working & self._needs_all[b.work_d, b.work_w])
            return
        yield b.w0 + np.flatnonzero(working)
        yield b.n0 + np.flatnonzero(_at(place, b.site_d, b.site_k) & (b.site_v == period))


def _keys(decision: Decision) -> Iterator[Key]:
    """Rows that a decision is about."""
    if isinstance(decision, Count):
        place = (decision.rows, decision.data_center)
        yield "least", place, -1
        yield "most", place, -1
    elif isinstance(decision, Active):
        place = (decision.rows, decision.data_center)
        if decision.at_least:
            yield "floor", place, decision.period
        else:
            for period in range(decision.period + 1):
                yield "cap", place, period


def _limits(decision: Decision, kind: Kind) -> tuple[float, float]:
    if isinstance(decision, Count):
        high = decision.high if np.isfinite(decision.high) else INF
        return (float(decision.low), INF) if kind == "least" else (-INF, float(high))
    assert isinstance(decision, Active), "only counts and timing have rows"
    blocks = float(decision.blocks)
    return (blocks, INF) if kind == "floor" else (-INF, blocks)


def _at(place: Place, d: Index, k: Index) -> NDArray[np.bool_]:
    rows, center = place
    return np.asarray(np.isin(d, rows) & ((k == center) | (center == ALL)))


def _entry(row: int, mine: NDArray[np.bool_]) -> Entry:
    columns = np.flatnonzero(mine)
    return np.full(columns.size, row, dtype=np.intp), columns, np.ones(columns.size)
