"""The worth of a plan, line by line, from what is built and what is at work."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rackwright.build.facts import Array
from rackwright.build.model import Model, Point, installed, rack_duty_usd, spend_usd
from rackwright.records.plan import MoneyLine, WorkRow
from rackwright.records.space import Space


class Ledger(NamedTuple):
    """What a plan earns and costs, discounted, and the work it does."""

    lines: tuple[MoneyLine, ...]
    surplus_usd: float
    spent_usd: float  # undiscounted, as the budget counts it
    work: tuple[WorkRow, ...]


def ledger_of(model: Model, point: Point, space: Space) -> Ledger:
    """Return the money lines of a plan; they add up to its surplus.

    Args:
        model: costs and values on the calendar.
        point: the plan.
        space: for the residual of each price.
    """
    facts, blocks, core = model.facts, model.blocks, model.core
    value = _work_usd(model, point)
    lines = [
        MoneyLine(name=f"work: {name}", usd=float(usd))
        for name, usd in zip(facts.workloads, value, strict=True)
    ]
    bought = _cells_of(point.core, core.column.buy)  # (S, G, T)
    taken = _cells_of(point.core, core.column.take).sum(axis=1)  # (S,)
    list_usd = (bought * facts.money).sum(axis=(1, 2)) + taken
    list_usd = list_usd * facts.supply_unit_usd
    by_bucket = point.x.sum(axis=2)  # (D, F, T)
    paid = (by_bucket * facts.money).sum(axis=2)  # (D, F) discounted blocks
    billed = paid.sum(axis=1) @ np.where(facts.part_stated, 0.0, blocks.billed_usd)  # (P,)
    for p, part in enumerate(facts.parts):
        usd = float(list_usd[facts.supply_part == p].sum() + billed[p])
        lines.append(MoneyLine(name=f"part: {part}", usd=-usd))
    residual = np.array([row.residual_usd for row in space.rows])
    duty = bought * facts.supply_duty * facts.supply_value_usd[:, None, None] * facts.money
    people = _cells_of(point.core, core.column.people)
    robots = _cells_of(point.core, core.column.robots)
    cells = _cells_of(point.core, core.column.cells)
    routed = (point.x * facts.money).sum(axis=3)  # (D, F, K)
    kept = np.where(facts.arrival >= 0, _salvage(model), 0.0)  # (F, K, T)
    costs = {
        "duty: parts": duty.sum(),
        "duty: racks": (point.x * rack_duty_usd(facts, blocks) * facts.money).sum(),
        "other parts": (paid.sum(axis=1) * (blocks.other_usd - residual)).sum() - billed.sum(),
        "residual of system prices": (paid.sum(axis=1) * residual).sum(),
        "labour": (people * facts.labour_usd_per_h[:, None] * facts.money).sum(),
        "robot hours": (robots * facts.cell_usd_per_h[:, None] * facts.money).sum(),
        "robot cells": (cells * facts.cell_usd[:, None] * facts.money).sum(),
        "test bays": (paid * blocks.bay_at_h * facts.bay_usd_per_h).sum(),
        "set-up": (point.setup * model.setups.usd).sum(),
        "freight": (routed * blocks.mass_kg[:, None, None] * facts.freight_usd_per_kg).sum(),
        "energy": _energy_usd(model, point),
        "energy of fixed load": facts.fixed_energy_usd,
        "site": (
            installed(point.x, facts) * blocks.power_w[:, None, None] * facts.site_usd_per_w
        ).sum(),
    }
    lines += [MoneyLine(name=name, usd=-float(usd)) for name, usd in costs.items()]
    salvage = float((point.x * kept * blocks.price_usd[:, None, None, None]).sum())
    lines.append(MoneyLine(name="value left at the end", usd=salvage))
    surplus = float(sum(line.usd for line in lines))
    return Ledger(tuple(lines), surplus, _spent(model, point), _work_rows(model, point, value))


def _work_usd(model: Model, point: Point) -> Array:
    """Discounted value of the work of each workload, (W,)."""
    done = (point.n * model.blocks.rate[:, :, None, None]).sum(axis=(0, 2))  # (W, V) tokens/s
    return np.asarray((done * model.facts.value_usd).sum(axis=1))


def _energy_usd(model: Model, point: Point) -> float:
    watts = (point.n * model.blocks.average_power_w[:, :, None, None]).sum(axis=(0, 1))  # (K, V)
    return float((watts * model.facts.energy_usd_per_w).sum())


def _salvage(model: Model) -> Array:
    facts = model.facts
    k = np.arange(len(facts.data_centers))[None, :, None]
    return np.asarray(facts.salvage[k, facts.arrival])


def _spent(model: Model, point: Point) -> float:
    """Undiscounted spending to build: what the budget caps."""
    facts, blocks = model.facts, model.blocks
    setups = float((point.setup * model.setups.spend).sum())
    return (
        float((point.x * spend_usd(facts, blocks)).sum())
        + setups
        + float(model.core.spend @ point.core)
    )


def _work_rows(model: Model, point: Point, value: Array) -> tuple[WorkRow, ...]:
    facts = model.facts
    rate = (point.n * model.blocks.rate[:, :, None, None]).sum(axis=(0, 2))  # (W, V)
    tokens = rate * facts.work_s
    seconds = facts.work_s / facts.availability
    rows = []
    for w, name in enumerate(facts.workloads):
        wanted = (
            float((facts.demand[w, :-1] * seconds[:-1]).sum())
            if facts.serving[w]
            else float(facts.wanted[w])
        )
        rows.append(
            WorkRow(
                workload=name,
                tokens=float(tokens[w, :-1].sum()),
                tokens_after=float(tokens[w, -1]),
                wanted_tokens=wanted,
                finished_week=None if facts.serving[w] else _finished(model, point, w, tokens[w]),
                value_usd=float(value[w]),
            )
        )
    return tuple(rows)


def _finished(model: Model, point: Point, w: int, tokens: Array) -> float | None:
    """Week in which a training workload has all its tokens, None when it never has."""
    facts = model.facts
    done = tokens.cumsum()
    if done[-1] < facts.wanted[w] * (1 - 1e-6):
        return None
    v = int(np.searchsorted(done, facts.wanted[w] * (1 - 1e-6)))
    # The job has the block to itself until it is done, so the share at work is the time taken.
    share = min(1.0, float(point.n[:, w, :, v].sum()))
    return float(facts.period_start[v] + share * facts.period_weeks[v])


def _cells_of(values: Array, where: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> Array:
    return np.where(where >= 0, values[np.maximum(where, 0)] if values.size else 0.0, 0.0)
