"""Duals of the limits as the Prices that DESIGN answers, and what a block is worth at them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rackwright.build.branch import ALL, Decision, Only, allowed_to_train
from rackwright.build.core import Core, landed_usd
from rackwright.build.facts import Array, Facts, Index
from rackwright.build.model import Duals, Model
from rackwright.records.prices import Priced, Prices
from rackwright.records.space import LEVELS, Space

Price = Callable[[Space, Prices], Priced]

NO_WORTH = -1e30
"""Worth of a block on a route that is closed."""


def prices_of(facts: Facts, core: Core, dual: Array) -> Prices:
    """Return the prices that the duals of the limits stand for.

    Args:
        facts: the study on the calendar.
        core: the rows that the duals belong to.
        dual: USD per unit of each limit, >= 0, shape (rows,).

    Returns:
        Prices in the form of `records.prices`.
    """
    row = core.row
    budget = float(_at(dual, row.budget))
    money = facts.money + budget
    makers, centers, periods = *facts.arrival.shape[:2], facts.annuity.size
    demand, tokens = _at(dual, row.demand), _at(dual, row.tokens)
    rate = facts.value_usd - facts.availability * demand - facts.work_s * tokens[:, None]
    per_center = (len(facts.workloads), centers, periods)
    part = _at(dual, row.balance)[:, facts.group]
    touch = _at(dual, row.touch)
    bay = facts.bay_usd_per_h[:, None] * money + _at(dual, row.bay)
    levels = (len(LEVELS), makers, money.size)
    paid = np.broadcast_to(money, (makers, money.size))
    return Prices(
        parts=facts.parts,
        factories=facts.factories,
        data_centers=facts.data_centers,
        workloads=facts.workloads,
        rate_usd=np.broadcast_to(rate[:, None], per_center),
        gang_usd=np.broadcast_to(_at(dual, row.gang)[:, None], per_center),
        energy_usd_per_w=facts.energy_usd_per_w,
        power_usd_per_w=facts.site_usd_per_w + _at(dual, row.power),
        liquid_usd_per_w=_at(dual, row.liquid),
        air_usd_per_w=_at(dual, row.air),
        floor_usd_per_m2=_at(dual, row.floor),
        salvage=facts.salvage,
        part_usd=part,
        part_stated=facts.part_stated.astype(float),
        money=paid,
        touch_usd=np.broadcast_to(touch, levels),
        bay_usd=np.broadcast_to(bay / facts.first_pass_yield[:, None], levels),
        accelerators=facts.accelerators,
        rack_duty=facts.rack_duty,
        mass_usd_per_kg=facts.freight_usd_per_kg[:, :, None] * money,
        arrival=facts.arrival,
        bucket_end_week=facts.edges[1:],
    )


def list_duals(facts: Facts, core: Core) -> Array:
    """Return duals without any scarcity: what parts and hours cost when there is enough."""
    dual = np.zeros(core.limit.size)
    unit = landed_usd(facts) * facts.money
    for p in range(len(facts.parts)):
        mine = facts.supply_part == p
        dual[core.row.balance[p]] = unit[mine].min(axis=0)
    dual[core.row.touch] = facts.labour_usd_per_h[:, None] * facts.money
    return dual


def worth_at(
    model: Model, space: Space, price: Price, duals: Duals, decisions: tuple[Decision, ...]
) -> Array:
    """Return what a block of every row is worth on every route, (D, F, K, T).

    DESIGN prices the space; what is not in its formula is added here: rework per rack, coolant
    temperature, allowed platforms, and the decisions of the search on what is whole.
    """
    facts, blocks = model.facts, model.blocks
    prices = prices_of(facts, model.core, duals.core)
    allowed = {
        d.workload: allowed_to_train(
            decisions, d.workload, blocks.power_w.size, len(facts.data_centers)
        )
        for d in decisions
        if isinstance(d, Only)
    }
    worth = np.array(price(space, prices).worth_usd)
    for w, where in allowed.items():
        without = np.asarray(price(space, _without(prices, [w])).worth_usd)
        worth = np.where(where[:, None, :, None], worth, without)
    if len(allowed) > 1:  # a place may be barred for several: price those together
        none_of = np.all([~where for where in allowed.values()], axis=0)
        without = np.asarray(price(space, _without(prices, list(allowed))).worth_usd)
        worth = np.where(none_of[:, None, :, None], without, worth)
    rework = facts.rework_h * (1 - facts.first_pass_yield)
    per_rack = rework[:, None] * prices.touch_usd[0]  # (F, T)
    worth = worth - blocks.racks[:, None, None, None] * per_rack[:, None, :]
    for (at, center), usd in duals.counts.items():
        worth[list(at), :, slice(None) if center == ALL else center] -= usd
    if duals.caps:
        change = _timing(model, prices, duals, allowed)  # (D, K, V)
        k = np.arange(change.shape[1])[None, :, None]
        worth += np.where(facts.arrival >= 0, change[:, k, np.maximum(facts.arrival, 0)], 0.0)
    return np.where(blocks.buildable, worth, NO_WORTH)


def _timing(
    model: Model, prices: Prices, duals: Duals, allowed: dict[int, NDArray[np.bool_]]
) -> Array:
    """Change in a block's worth, by period of arrival, when decisions bind timing (D, K, V)."""
    blocks, facts = model.blocks, model.facts
    shape = (blocks.power_w.size, *facts.power_w.shape)
    cap, floor = np.zeros(shape), np.zeros(shape)
    for (rows, center), by_period in duals.caps.items():
        where = (list(rows), slice(None)) if center == ALL else (list(rows), center)
        cap[where] += by_period
        floor[where] += duals.floors[rows, center]
    touched = np.flatnonzero(cap.any(axis=(1, 2)) | floor.any(axis=(1, 2)))
    waiting = np.zeros((touched.size, *shape[1:]))  # earned by work that needs complete blocks
    other = np.zeros_like(waiting)
    for w in range(blocks.rate.shape[1]):
        gain = prices.rate_usd[w] * blocks.rate[touched, w, None, None] - prices.gang_usd[w]
        gain -= prices.energy_usd_per_w * blocks.average_power_w[touched, w, None, None]
        if w in allowed:
            gain = np.where(allowed[w][touched][:, :, None], gain, 0.0)
        needs_all = blocks.needs_all[touched, w][:, None, None]
        waiting = np.maximum(waiting, np.where(needs_all, gain, 0.0))
        other = np.maximum(other, np.where(needs_all, 0.0, gain))
    capped = np.maximum(other, waiting - cap[touched])
    change = np.zeros(shape)
    change[touched] = capped - np.maximum(other, waiting) + floor[touched]
    return _from_here(change)


def _from_here(by_period: Array) -> Array:
    """Sum over this period and all later ones."""
    return np.asarray(by_period[..., ::-1].cumsum(axis=-1)[..., ::-1])


def _without(prices: Prices, workloads: list[int]) -> Prices:
    rate = np.array(prices.rate_usd)
    rate[workloads] = 0.0
    return Prices(**{**dict(prices), "rate_usd": rate})


def _at(dual: Array, where: Index) -> Array:
    """Duals of indexed rows, 0 where there is no such row."""
    return np.where(where >= 0, dual[np.maximum(where, 0)], 0.0)
