"""The columns that designs bring to the master: what is built, what stands there, what works.

Pure functions from indices to objective and entries, in natural money and the core's row scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rackwright.build.core import Core
from rackwright.build.facts import Array, Index
from rackwright.build.model import Model, spend_usd

Entry = tuple[Index, Index, Array]
"""Rows (-1: none), columns and values."""


@dataclass(frozen=True)
class Batch:
    """Where the columns of some designs are: indices along each axis, first column of each kind."""

    d: Index  # built: design, factory, data center, bucket
    f: Index
    k: Index
    t: Index
    x0: int
    site_d: Index  # idle: design, data center, period
    site_k: Index
    site_v: Index
    n0: int
    work_d: Index  # at work: design, workload, data center, period
    work_w: Index
    work_k: Index
    work_v: Index
    w0: int


@dataclass(frozen=True)
class SetupRows:
    """Rows of the set-ups in the master, -1 where a set-up has not entered."""

    column: Index  # (Q, F)
    window: Index  # (Q, F, Y)
    total: Index  # (2, Q, F)


def built_columns(
    model: Model, rows: SetupRows, at: tuple[Index, Index, Index, Index], arrives: Index
) -> tuple[Array, list[Entry]]:
    """Return objective and entries of blocks built.

    Args:
        model: costs, uses and limits.
        rows: of the set-ups.
        at: design, factory, data center and bucket of each column.
        arrives: row of the balance of installed blocks in the period of arrival.
    """
    facts, blocks, core, setups = model.facts, model.blocks, model.core, model.setups
    d, f, k, t = at
    spend = spend_usd(facts, blocks)[d, f, k, t]
    credit = facts.salvage[k, facts.arrival[f, k, t]] * blocks.price_usd[d]
    here = np.arange(d.size)
    q, y = blocks.platform[d], setups.window[t]
    entries = [
        (arrives, here, np.full(d.size, -1.0)),
        _scaled(core, core.row.touch[f, t], here, blocks.touch_at_h[d, f]),
        _scaled(core, core.row.bay[f, t], here, blocks.bay_at_h[d, f]),
        (rows.window[q, f, y], here, setups.window_share[d, f, y]),
        (rows.total[0, q, f], here, setups.total_share[0, d, f]),
        (rows.total[1, q, f], here, setups.total_share[1, d, f]),
        _scaled(core, np.broadcast_to(core.row.budget, d.shape), here, spend),
    ]
    entries += [
        _scaled(core, core.row.balance[p, facts.group[f], t], here, blocks.quantity[d, p])
        for p in range(len(facts.parts))
    ]
    return credit - spend * facts.money[t], entries


def idle_columns(
    model: Model, at: tuple[Index, Index, Index], balance: Index, carried: Index
) -> tuple[Array, list[Entry]]:
    """Return objective and entries of blocks that stand idle.

    Args:
        model: costs and limits of the sites.
        at: design, data center and period of each column.
        balance: row of the balance of installed blocks in that period.
        carried: row of the balance in the next period, -1 after the last.
    """
    facts, blocks, core = model.facts, model.blocks, model.core
    d, k, v = at
    here = np.arange(d.size)
    entries = [
        (balance, here, np.ones(d.size)),
        (carried, here, np.full(d.size, -1.0)),
        _scaled(core, core.row.power[k, v], here, blocks.power_w[d]),
        _scaled(core, core.row.liquid[k, v], here, blocks.liquid_w[d]),
        _scaled(core, core.row.air[k, v], here, blocks.air_w[d]),
        _scaled(core, core.row.floor[k, v], here, blocks.floor_m2[d]),
    ]
    return -facts.site_usd_per_w[k, v] * blocks.power_w[d], entries


def work_columns(
    model: Model, at: tuple[Index, Index, Index, Index], balance: Index, carried: Index
) -> tuple[Array, list[Entry]]:
    """Return objective and entries of blocks at work; they stand there like idle ones.

    Args:
        model: values and limits of the work.
        at: design, workload, data center and period of each column.
        balance: as in `idle_columns`.
        carried: as in `idle_columns`.
    """
    facts, blocks, core = model.facts, model.blocks, model.core
    d, w, k, v = at
    here = np.arange(d.size)
    rate = blocks.rate[d, w]
    energy = facts.energy_usd_per_w[k, v] * blocks.average_power_w[d, w]
    cost, entries = idle_columns(model, (d, k, v), balance, carried)
    entries += [
        _scaled(core, core.row.demand[w, v], here, facts.availability * rate),
        _scaled(core, core.row.tokens[w], here, facts.work_s[v] * rate),
        _scaled(core, core.row.gang[w, v], here, np.ones(d.size)),
    ]
    return cost + facts.value_usd[w, v] * rate - energy, entries


def _scaled(core: Core, row: Index, column: Index, value: Array) -> Entry:
    """Entries of core rows, in the solver's scale; rows that do not exist fall out later."""
    return row, column, value * core.row_scale[np.maximum(row, 0)]
