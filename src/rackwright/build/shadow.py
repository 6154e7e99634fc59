"""Shadow prices: what a little more or less of each limit is worth, bracketed by re-solves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rackwright.build.branch import Cells, Decision, Only, Setup
from rackwright.build.facts import Array, Index
from rackwright.build.master import Master
from rackwright.build.model import Duals, Model
from rackwright.records.plan import ShadowPrice

STEP = 0.01
"""Share of a limit that the re-solves give and take."""

BASIS = (
    "LP at fixed set-ups, cells and choice of training design; blocks may be parts of blocks there"
)

Kind = Literal["part", "power", "floor", "liquid", "air", "touch_hours", "bay_hours", "budget"]


@dataclass(frozen=True)
class Resource:
    """A limit over the whole calendar, as a direction in which the model's limits grow."""

    kind: Kind
    name: str
    unit: str
    size: float  # units in all
    limit: Array  # (rows,) growth of each limit when the resource doubles
    upper: Array  # (columns,) growth of each upper bound


def shadow_prices(
    master: Master, fixed: tuple[Decision, ...], most: int, violation_usd: float
) -> tuple[tuple[ShadowPrice, ...], tuple[tuple[Resource, float], ...]]:
    """Return the prices of the limits that matter most, with both sides.

    Args:
        master: after the search.
        fixed: decisions of the plan; those on set-ups, cells and training are kept.
        most: prices at most, by money at stake.
        violation_usd: what a violation costs.

    Returns:
        The bracketed prices, and every resource with its dual price [USD per unit].
    """
    model = master.model
    kept = tuple(d for d in fixed if isinstance(d, Setup | Cells | Only))
    master.decide(kept, violation_usd)
    base, duals = master.solve()
    reduced = _reduced(model, duals)
    priced = []
    for resource in resources(model):
        gain = float(duals.core @ resource.limit) + float(reduced @ resource.upper)
        priced.append((resource, gain / resource.size))
    priced.sort(key=lambda one: -one[1] * one[0].size)
    basis = master.basis()
    found = []
    for resource, usd in priced[:most]:
        if usd * resource.size <= 1e-7 * max(1.0, abs(base.objective_usd)):
            break
        side = []
        for sign in (1.0, -1.0):
            limit = model.core.limit + sign * STEP * resource.limit
            upper = model.core.upper + sign * STEP * resource.upper
            master.limit(limit, upper)
            master.restore(basis)
            moved, _ = master.solve()
            change = sign * (moved.objective_usd - base.objective_usd)
            side.append(change / (STEP * resource.size))
        low, high = min(side), max(side)
        found.append(
            ShadowPrice(
                kind=resource.kind,
                name=resource.name,
                unit=resource.unit,
                usd_per_unit=min(max(usd, low), high),
                usd_low=low,
                usd_high=high,
                step=STEP * resource.size,
                basis=BASIS,
            )
        )
        master.limit(model.core.limit, model.core.upper)
    master.decide((), 0.0)
    return tuple(found), tuple(priced)


def resources(model: Model) -> Iterator[Resource]:
    """Yield every limit that a study can change, as one thing over the whole calendar."""
    facts, row, column = model.facts, model.core.row, model.core.column
    for p, part in enumerate(facts.parts):
        mine = facts.supply_part == p
        size = float(facts.supply_units[mine].sum() + facts.supply_stock[mine].sum())
        rows = [row.alloc[mine], row.stock[mine]]
        columns = [column.buy[mine], column.take[mine], column.hold[p]]
        yield from _resource(model, "part", part, "unit of the allocation", size, rows, columns)
    for k, center in enumerate(facts.data_centers):
        power = float(facts.power_w[k].max())
        yield from _resource(model, "power", center, "W of IT power", power, [row.power[k]], [])
        liquid, air, floor = facts.liquid_w[k], facts.air_w[k], facts.floor_m2[k]
        yield from _resource(model, "liquid", center, "W into liquid", liquid, [row.liquid[k]], [])
        yield from _resource(model, "air", center, "W into air", air, [row.air[k]], [])
        yield from _resource(model, "floor", center, "m2", floor, [row.floor[k]], [])
    for f, maker in enumerate(facts.factories):
        people = float(facts.people_h[f].sum())
        yield from _resource(
            model, "touch_hours", maker, "hour of people", people, [], [column.people[f]]
        )
        bays = float(facts.bay_h[f].sum())
        yield from _resource(model, "bay_hours", maker, "hour of a bay", bays, [row.bay[f]], [])
    budget = np.atleast_1d(row.budget)
    yield from _resource(model, "budget", "budget", "USD", facts.budget_usd, [budget], [])


def _resource(
    model: Model,
    kind: Kind,
    name: str,
    unit: str,
    size: float,
    rows: list[Index],
    columns: list[Index],
) -> Iterator[Resource]:
    core = model.core
    limit, upper = np.zeros(core.limit.size), np.zeros(core.upper.size)
    for index in rows:
        there = index[index >= 0]
        limit[there] = core.limit[there]
    for index in columns:
        there = index[index >= 0]
        upper[there] = core.upper[there]
    if (limit.any() or upper.any()) and np.isfinite(size) and size > 0:
        yield Resource(kind, name, unit, size, limit, upper)


def _reduced(model: Model, duals: Duals) -> Array:
    """Worth of one more of each upper bound, (columns,)."""
    core = model.core
    used = np.bincount(
        core.entry_column,
        weights=core.entry_value * duals.core[core.entry_row],
        minlength=core.objective.size,
    )
    return np.maximum(0.0, core.objective - used)
