"""The part of the master that no design owns: supply, stock, hours, cells, and all limits.

Everything is "maximise objective · z subject to A z <= limit, 0 <= z <= upper" in natural units.
Every upper bound is finite, so that any prices, however rounded, give a valid bound.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rackwright.build.blocks import Blocks, supply_by, typical_usd
from rackwright.build.facts import Array, Facts, Index

NONE = -1
"""Marks "no such row" in the index arrays below."""


@dataclass(frozen=True)
class RowIndex:
    """Where each limit stands among the rows; NONE where there is no such limit."""

    balance: Index  # (P, G, T) stock of a part never below zero
    alloc: Index  # (S, T) arrivals of a supply over all groups
    stock: Index  # (S,)
    touch: Index  # (F, T) hours used <= hours worked
    share: Index  # (F, T) cells' share of the hours
    cell: Index  # (F, T) hours that the cells there can give
    fleet: Index  # (F,) cells in all
    bay: Index  # (F, T)
    demand: Index  # (W, V) tokens/s, serving
    tokens: Index  # (W,) training
    gang: Index  # (W, V) one block at a time, training
    power: Index  # (K, V)
    liquid: Index  # (K, V)
    air: Index  # (K, V)
    floor: Index  # (K, V)
    budget: Index  # ()


@dataclass(frozen=True)
class ColumnIndex:
    """Where each decision stands among the columns; NONE where there is no such decision."""

    buy: Index  # (S, G, T)
    take: Index  # (S, G) from stock
    hold: Index  # (P, G, T) at the end of the bucket
    people: Index  # (F, T) touch hours by people
    robots: Index  # (F, T) touch hours by cells
    cells: Index  # (F, T) cells that start


@dataclass(frozen=True)
class Core:
    """Rows and columns that do not depend on the designs."""

    row: RowIndex
    column: ColumnIndex
    limit: Array  # (rows,)
    row_scale: Array  # (rows,)
    objective: Array  # (columns,) USD today
    spend: Array  # (columns,) undiscounted USD that counts against the budget
    upper: Array  # (columns,)
    column_scale: Array  # (columns,)
    integer: NDArray[np.bool_]  # (columns,)
    entry_row: Index
    entry_column: Index
    entry_value: Array


def core_of(facts: Facts, blocks: Blocks) -> Core:
    """Return the core rows and columns of the model.

    Args:
        facts: the study on the calendar.
        blocks: the space; only its largest quantities are used, to scale the numbers.

    Returns:
        The core; entries of the designs go into the same rows (see `master`).
    """
    rows, columns = _Rows(), _Columns()
    rows_index = _rows_of(facts, blocks, rows)
    column_index = _columns_of(facts, blocks, columns)
    entries = _entries(facts, rows_index, column_index)
    spend = np.concatenate(columns.spend) if columns.spend else np.zeros(0)
    if rows_index.budget >= 0:
        paying = np.flatnonzero(spend)
        entries.append((np.full(paying.size, rows_index.budget), paying, spend[paying]))
    return Core(
        row=rows_index,
        column=column_index,
        limit=np.concatenate(rows.limit),
        row_scale=np.concatenate(rows.scale),
        objective=np.concatenate(columns.objective),
        spend=spend,
        upper=np.concatenate(columns.upper),
        column_scale=np.concatenate(columns.scale),
        integer=np.concatenate(columns.integer),
        entry_row=np.concatenate([e[0] for e in entries]).astype(np.intp),
        entry_column=np.concatenate([e[1] for e in entries]).astype(np.intp),
        entry_value=np.concatenate([e[2] for e in entries]).astype(float),
    )


@dataclass
class _Rows:
    """Rows as they are laid out."""

    count: int = 0
    limit: list[Array] = field(default_factory=list)
    scale: list[Array] = field(default_factory=list)

    def add(self, limit: Array, scale: Array | float, keep: NDArray[np.bool_]) -> Index:
        """Append one row per kept cell of `limit`; return where each cell's row is."""
        where = np.full(limit.shape, NONE, dtype=np.intp)
        number = int(np.count_nonzero(keep))
        where[keep] = self.count + np.arange(number)
        self.count += number
        self.limit.append(limit[keep])
        self.scale.append(np.broadcast_to(np.asarray(scale, dtype=float), limit.shape)[keep])
        return where


@dataclass
class _Columns:
    """Columns as they are laid out."""

    count: int = 0
    objective: list[Array] = field(default_factory=list)
    spend: list[Array] = field(default_factory=list)
    upper: list[Array] = field(default_factory=list)
    scale: list[Array] = field(default_factory=list)
    integer: list[NDArray[np.bool_]] = field(default_factory=list)

    def add(
        self,
        upper: Array,
        objective: Array,
        spend: Array,
        scale: Array | float,
        integer: bool = False,
    ) -> Index:
        """Append one column per cell whose upper bound is positive; return where each is."""
        keep = upper > 0
        where = np.full(upper.shape, NONE, dtype=np.intp)
        number = int(np.count_nonzero(keep))
        where[keep] = self.count + np.arange(number)
        self.count += number
        self.upper.append(upper[keep])
        self.objective.append(np.broadcast_to(objective, upper.shape)[keep])
        self.spend.append(np.broadcast_to(spend, upper.shape)[keep])
        self.scale.append(np.broadcast_to(np.asarray(scale, dtype=float), upper.shape)[keep])
        self.integer.append(np.full(number, integer, dtype=bool))
        return where


def _rows_of(facts: Facts, blocks: Blocks, rows: _Rows) -> RowIndex:
    parts, groups, makers = len(facts.parts), facts.supply_duty.shape[1], len(facts.factories)
    buckets = facts.edges.size - 1
    every = np.ones((makers, buckets), dtype=bool)
    per_block = 1.0 / _largest(blocks.quantity)
    touch_scale = 1.0 / _largest(blocks.touch_at_h)[:, None]
    robots = (facts.cells_max > 0)[:, None] & every
    training = ~facts.serving[:, None] & np.ones(facts.demand.shape, dtype=bool)
    zero = np.zeros((makers, buckets))
    several = np.full(facts.supply_units.shape, groups > 1)
    return RowIndex(
        balance=rows.add(
            np.zeros((parts, groups, buckets)),
            per_block[:, None, None],
            np.ones((parts, groups, buckets), dtype=bool),
        ),
        alloc=rows.add(facts.supply_units, _inverse(facts.supply_units), several),
        stock=rows.add(
            facts.supply_stock,
            _inverse(facts.supply_stock),
            (facts.supply_stock > 0) & (groups > 1),
        ),
        touch=rows.add(zero, touch_scale, every),
        share=rows.add(zero, touch_scale, robots),
        cell=rows.add(zero, touch_scale, robots),
        fleet=rows.add(facts.cells_max, _inverse(facts.cells_max), facts.cells_max > 0),
        bay=rows.add(facts.bay_h, _inverse(facts.bay_h), every),
        demand=rows.add(facts.demand, _inverse(facts.demand), ~training),
        tokens=rows.add(facts.wanted, _inverse(facts.wanted), ~facts.serving),
        gang=rows.add(np.ones(facts.demand.shape), 1.0, training),
        power=_standing(rows, facts.power_w),
        liquid=_standing(rows, _over_time(facts.liquid_w, facts)),
        air=_standing(rows, _over_time(facts.air_w, facts)),
        floor=_standing(rows, _over_time(facts.floor_m2, facts)),
        budget=rows.add(
            np.array(facts.budget_usd),
            1.0 / typical_usd(facts, blocks),
            np.array(bool(np.isfinite(facts.budget_usd))),
        ),
    )


def _standing(rows: _Rows, limit: Array) -> Index:
    """Rows on what is installed, (K, V).

    Blocks stay, so that a limit which does not rise afterwards implies the same one before.
    """
    rises = np.ones(limit.shape, dtype=bool)
    with np.errstate(invalid="ignore"):
        rises[:, :-1] = limit[:, 1:] > limit[:, :-1]
    return rows.add(limit, _inverse(limit), rises & np.isfinite(limit))


def _columns_of(facts: Facts, blocks: Blocks, columns: _Columns) -> ColumnIndex:
    buckets = facts.edges.size - 1
    shape = (facts.supply_units.shape[0], facts.supply_duty.shape[1], buckets)
    per_block = _largest(blocks.quantity)
    unit = landed_usd(facts)
    part = facts.supply_part
    total = supply_by(facts)[:, -1] if facts.parts else np.zeros(0)
    hold = np.broadcast_to(total[:, None, None], (len(facts.parts), shape[1], buckets)).copy()
    hold[:, :, -1] = 0.0  # what is left over at the end is not bought
    touch = _largest(blocks.touch_at_h)[:, None]
    hours = np.zeros_like(facts.people_h)
    cells, by_robots = _cell_limits(facts)
    return ColumnIndex(
        buy=columns.add(
            np.broadcast_to(facts.supply_units[:, None, :], shape),
            -unit * facts.money,
            unit,
            per_block[part][:, None, None],
        ),
        take=columns.add(
            np.broadcast_to(facts.supply_stock[:, None], shape[:2]),
            -facts.supply_unit_usd[:, None] * np.ones(shape[:2]),
            np.zeros(shape[:2]),
            per_block[part][:, None],
        ),
        hold=columns.add(hold, np.zeros(1), np.zeros(1), per_block[:, None, None]),
        people=columns.add(
            facts.people_h,
            -facts.labour_usd_per_h[:, None] * facts.money,
            facts.labour_usd_per_h[:, None] + hours,
            touch,
        ),
        robots=columns.add(
            by_robots,
            -facts.cell_usd_per_h[:, None] * facts.money,
            facts.cell_usd_per_h[:, None] + hours,
            touch,
        ),
        cells=columns.add(
            cells,
            -facts.cell_usd[:, None] * facts.money,
            facts.cell_usd[:, None] + hours,
            1.0,
            True,
        ),
    )


def landed_usd(facts: Facts) -> Array:
    """Return what a unit of each supply costs on arrival, duty included, (S, G, T)."""
    duty = facts.supply_value_usd[:, None, None] * facts.supply_duty
    return np.asarray(facts.supply_unit_usd[:, None, None] + duty)


def _cell_limits(facts: Facts) -> tuple[Array, Array]:
    """Most cells that can start, and most hours that they can give, by factory and bucket."""
    t = np.arange(facts.edges.size - 1)
    cells = np.where(t >= facts.cell_first[:, None], facts.cells_max[:, None], 0.0)
    hours = cells * facts.cell_h_per_week[:, None] * facts.period_weeks[:-1]
    return cells, hours * (facts.cell_share > 0)[:, None]


Entry = tuple[Index, Index, Array]


def _entries(facts: Facts, row: RowIndex, column: ColumnIndex) -> list[Entry]:
    part = facts.supply_part
    entries = [
        _entry(row.balance[part], column.buy, -1.0),
        _entry(row.balance[part][:, :, 0], column.take, -1.0),
        _entry(row.balance, column.hold, 1.0),
        _entry(row.balance[:, :, 1:], column.hold[:, :, :-1], -1.0),
        _entry(np.broadcast_to(row.alloc[:, None, :], column.buy.shape), column.buy, 1.0),
        _entry(np.broadcast_to(row.stock[:, None], column.take.shape), column.take, 1.0),
        _entry(row.touch, column.people, -1.0),
        _entry(row.touch, column.robots, -1.0),
        _entry(row.share, column.robots, 1.0 - facts.cell_share[:, None]),
        _entry(row.share, column.people, -facts.cell_share[:, None]),
        _entry(row.cell, column.robots, 1.0),
        _entry(np.broadcast_to(row.fleet[:, None], column.cells.shape), column.cells, 1.0),
    ]
    # Cells that started by a bucket work in it: (F, started, working).
    t = np.arange(facts.edges.size - 1)
    shape = (*column.cells.shape, t.size)
    working = np.where(t[:, None] <= t, row.cell[:, None, :], NONE)
    hours = -facts.cell_h_per_week[:, None] * facts.period_weeks[:-1]
    started = np.broadcast_to(column.cells[:, :, None], shape)
    entries.append(_entry(working, started, np.broadcast_to(hours[:, None, :], shape)))
    return entries


def _entry(row: Index, column: Index, value: Array | float) -> Entry:
    keep = (row >= 0) & (column >= 0)
    values = np.broadcast_to(np.asarray(value, dtype=float), row.shape)
    return row[keep], column[keep], values[keep]


def _over_time(limit: Array, facts: Facts) -> Array:
    return np.broadcast_to(limit[:, None], facts.power_w.shape)


def _largest(table: Array) -> Array:
    """Largest of each column, 1 where all are zero: the size of one block's need."""
    top = table.max(axis=0, initial=0.0)
    return np.where(top > 0, top, 1.0)


def _inverse(limit: Array) -> Array:
    """1 / limit where that is a sensible scale, else 1."""
    positive = np.isfinite(limit) & (limit > 0)
    typical = float(np.median(limit[positive])) if positive.any() else 1.0
    return np.where(positive, 1.0 / np.where(positive, limit, 1.0), 1.0 / typical)
