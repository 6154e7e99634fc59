"""What the study says, as arrays on the bucketed calendar: the right-hand sides of the model.

Axes: P parts, S supplies, A accelerators, G groups of factories that pay the same duties,
F factories, K data centers, W workloads, T buckets of building, V = T + 1 periods of work (the
last is the life after the horizon).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.build.bills import Bills, stated_usd
from rackwright.build.tariffs import part_duty, rack_duty
from rackwright.kernels.calendar import (
    HOURS_PER_WEEK,
    SECONDS_PER_WEEK,
    WEEKS_PER_YEAR,
    bucket_edges,
    discount,
    discounted_weeks,
    ramp_integral,
    ramp_minimum,
)
from rackwright.records.errors import InputError
from rackwright.records.rates import Duty
from rackwright.records.study import DataCenter, Ramp, ServingWorkload, Step, Study, Supply

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Facts:
    """Capacities, costs and values by bucket. Natural units: USD, W, h, units, tokens/s."""

    parts: tuple[str, ...]
    factories: tuple[str, ...]
    data_centers: tuple[str, ...]
    accelerators: tuple[str, ...]
    workloads: tuple[str, ...]
    group: Index  # (F,) of factories that pay the same duty on every supply at all times
    edges: Array  # (T + 1,) weeks
    period_start: Array  # (V,)
    period_weeks: Array  # (V,)
    annuity: Array  # (V,) discounted weeks
    money: Array  # (T,) mean discount factor
    availability: float
    work_s: Array  # (V,) seconds of work, availability included
    arrival: Index  # (F, K, T), -1 beyond the horizon
    serving: NDArray[np.bool_]  # (W,)
    demand: Array  # (W, V) tokens/s, inf for training
    wanted: Array  # (W,) tokens, inf for serving
    value_usd: Array  # (W, V) per token/s kept up over the period
    energy_usd_per_w: Array  # (K, V)
    fixed_energy_usd: float  # of load that does not scale with IT, over the whole life
    site_usd_per_w: Array  # (K, V)
    power_w: Array  # (K, V) IT
    liquid_w: Array  # (K,) inf: all IT
    air_w: Array  # (K,)
    floor_m2: Array  # (K,)
    coolant_c: Array  # (K,)
    salvage: Array  # (K, V)
    people_h: Array  # (F, T)
    labour_usd_per_h: Array  # (F,)
    bay_h: Array  # (F, T)
    bay_usd_per_h: Array  # (F,)
    first_pass_yield: Array  # (F,)
    rework_h: Array  # (F,)
    cell_h_per_week: Array  # (F,)
    cell_usd_per_h: Array  # (F,)
    cell_usd: Array  # (F,)
    cell_share: Array  # (F,) automatable
    cell_first: Index  # (F,) first bucket in which a cell can start
    cells_max: Array  # (F,)
    setup_usd: Array  # (F,)
    freight_usd_per_kg: Array  # (F, K)
    rack_duty: Array  # (A, F, K, T) share of a rack's price, A accelerators
    supply_part: Index  # (S,)
    supply_names: tuple[str, ...]
    supply_unit_usd: Array  # (S,) paid on arrival; 0 where the bill of the block pays
    supply_value_usd: Array  # (S,) at customs
    part_stated: Mask  # (P,) paid on arrival, not in the bill
    supply_duty: Array  # (S, G, T)
    supply_units: Array  # (S, T) arrivals allowed
    supply_stock: Array  # (S,)
    budget_usd: float  # inf: none
    notes: tuple[str, ...]


def facts_of(study: Study, bills: Bills, duties: Sequence[Duty]) -> Facts:
    """Return the study on the bucketed calendar.

    Args:
        study: with any scenario applied.
        bills: the parts that some bill names; supplies of other parts constrain nothing and are
            left out.
        duties: dated customs measures.

    Returns:
        The arrays; `notes` says what was assumed on the way.

    Raises:
        InputError: the life of a block ends before the horizon.
    """
    life, horizon = study.objective.life_weeks, float(study.horizon_weeks)
    if life < horizon:
        raise InputError(
            [
                f"objective.life_weeks: found {life:g}, allowed at least horizon_weeks "
                f"({horizon:g}): blocks would retire inside the plan, which it cannot express"
            ]
        )
    edges = bucket_edges(horizon)
    start, end = edges.copy(), np.append(edges[1:], life)
    rate = study.objective.discount_rate_per_year
    annuity = discounted_weeks(rate, start, end)
    work_s = study.objective.availability * (end - start) * SECONDS_PER_WEEK
    centers, makers = study.data_centers, study.factories
    freight, transit = routes_of(study)
    worn = study.objective.salvage + (1 - study.objective.salvage) * start / life
    supplies = [s for s in study.supplies if s.part in bills.unit_usd]
    stated = stated_usd(study)
    parts = tuple(dict.fromkeys(s.part for s in supplies))
    ramps = _supply_units(study, edges)
    duty, group, part_notes = part_duty(study, bills, duties, edges)
    racks, rack_notes = rack_duty(study, bills, duties, edges, transit)
    used = np.array([s.part in bills.unit_usd for s in study.supplies], dtype=bool)
    robots = [f.robots for f in makers]
    return Facts(
        parts=parts,
        factories=tuple(f.name for f in makers),
        data_centers=tuple(k.name for k in centers),
        accelerators=bills.accelerators,
        workloads=tuple(w.name for w in study.workloads),
        group=group,
        edges=edges,
        period_start=start,
        period_weeks=end - start,
        annuity=annuity,
        money=annuity[:-1] / np.diff(edges),
        availability=study.objective.availability,
        work_s=work_s,
        arrival=_arrival(edges, transit),
        serving=np.array([w.kind == "serving" for w in study.workloads], dtype=bool),
        demand=_demand(study, edges),
        wanted=np.array([np.inf if w.kind == "serving" else w.tokens for w in study.workloads]),
        value_usd=_value(study, start, end, rate),
        energy_usd_per_w=_column([k.pue * k.energy_usd_per_kwh for k in centers])
        * (HOURS_PER_WEEK / 1e3)
        * annuity,
        fixed_energy_usd=float(_fixed_energy(study, start, end, annuity).sum()),
        site_usd_per_w=_column([k.infrastructure_usd_per_w_year for k in centers])
        * annuity
        / WEEKS_PER_YEAR,
        power_w=np.array([it_power(k, start, horizon) for k in centers]),
        liquid_w=_or_inf([k.liquid_w for k in centers]),
        air_w=_or_inf([k.air_w for k in centers]),
        floor_m2=np.array([k.floor_m2 for k in centers]),
        coolant_c=np.array([k.coolant_supply_c for k in centers]),
        salvage=np.tile(worn * float(discount(rate, life)), (len(centers), 1)),
        people_h=np.array([_integral(f.touch_hours_per_week, edges) for f in makers]),
        labour_usd_per_h=np.array([f.labour_usd_per_hour for f in makers]),
        bay_h=np.array([_integral(f.test_bays, edges) * HOURS_PER_WEEK for f in makers]),
        bay_usd_per_h=np.array([f.bay_usd_per_hour for f in makers]),
        first_pass_yield=np.array([f.first_pass_yield for f in makers]),
        rework_h=np.array([f.rework_touch_hours for f in makers]),
        cell_h_per_week=np.array([r.touch_hours_per_week if r else 0.0 for r in robots]),
        cell_usd_per_h=np.array([r.usd_per_hour if r else 0.0 for r in robots]),
        cell_usd=np.array([r.capex_usd if r else 0.0 for r in robots]),
        cell_share=np.array([r.automatable if r else 0.0 for r in robots]),
        cell_first=np.array(
            [int(np.searchsorted(edges, r.lead_time_weeks)) if r else 0 for r in robots],
            dtype=np.intp,
        ),
        cells_max=np.array([float(r.max_cells) if r else 0.0 for r in robots]),
        setup_usd=np.array([f.setup_usd for f in makers]),
        freight_usd_per_kg=freight,
        rack_duty=racks,
        supply_part=np.array([parts.index(s.part) for s in supplies], dtype=np.intp),
        supply_names=tuple(f"{s.part} from {s.origin}" for s in supplies),
        supply_unit_usd=np.array(
            [stated.get(s.part, 0.0) if s.unit_usd is None else s.unit_usd for s in supplies]
        ),
        supply_value_usd=np.array([_value_usd(s, stated, bills) for s in supplies]),
        part_stated=np.array([part in stated for part in parts], dtype=bool),
        supply_duty=duty[used],
        supply_units=ramps[used],
        supply_stock=np.array([s.stock for s in supplies]),
        budget_usd=np.inf if study.objective.budget_usd is None else study.objective.budget_usd,
        notes=tuple(dict.fromkeys((*part_notes, *rack_notes))),
    )


class WeeklyLimits(NamedTuple):
    """Limits of single weeks, H of them."""

    people_h: Array  # (F, H)
    bay_h: Array  # (F, H)
    supply_units: Array  # (all supplies of the study, H)


def weekly_limits(study: Study) -> WeeklyLimits:
    """Return the limits week by week over the horizon."""
    edges = np.arange(study.horizon_weeks + 1.0)
    people = np.array([_integral(f.touch_hours_per_week, edges) for f in study.factories])
    bays = np.array([_integral(f.test_bays, edges) for f in study.factories]) * HOURS_PER_WEEK
    return WeeklyLimits(people, bays, _supply_units(study, edges))


def it_power(center: DataCenter, start: Array, horizon: float) -> Array:
    """Return the least IT power live in each period [W]: a block keeps its reservation."""
    live = center.power_w * _level(center.energised, start, np.append(start[1:], horizon))
    if center.basis == "it":
        return live
    return np.maximum(0.0, (live - center.fixed_power_w) / center.pue)


def routes_of(study: Study) -> tuple[Array, Array]:
    """Return freight [USD/kg] and transit [weeks] of every factory to every site, (F, K)."""
    freight = np.zeros((len(study.factories), len(study.data_centers)))
    transit = np.zeros_like(freight)
    for f, maker in enumerate(study.factories):
        named = {route.data_center: route for route in maker.routes}
        for k, center in enumerate(study.data_centers):
            way = named.get(center.name, maker)
            freight[f, k], transit[f, k] = way.freight_usd_per_kg, way.transit_weeks
    return freight, transit


def _value_usd(supply: Supply, stated: Mapping[str, float], bills: Bills) -> float:
    """Return what a unit is worth at customs: what is paid for it, or its highest bill price."""
    if supply.unit_usd is not None:
        return supply.unit_usd
    return stated.get(supply.part, bills.unit_usd[supply.part])


def _integral(ramp: Ramp, edges: Array) -> Array:
    return ramp_integral([s.week for s in ramp], [s.value for s in ramp], edges)


def _level(ramp: Ramp, start: Array, end: Array) -> Array:
    return ramp_minimum([s.week for s in ramp], [s.value for s in ramp], start, end)


def _supply_units(study: Study, edges: Array) -> Array:
    """Units that may arrive in each bucket: none before an order of week 0 could be there."""
    table = np.zeros((len(study.supplies), edges.size - 1))
    for i, supply in enumerate(study.supplies):
        lead = supply.lead_time_weeks
        held = [s for s in supply.per_week if s.week <= lead]
        ramp = [s for s in supply.per_week if s.week > lead]
        if held:
            ramp.insert(0, Step(week=lead, value=max(held, key=lambda s: s.week).value))
        if ramp:
            table[i] = _integral(tuple(ramp), edges)
    return table


def _arrival(edges: Array, transit: Array) -> Index:
    """Period in which what a bucket built can start: the first that begins after its transit."""
    ready = edges[1:] + transit[:, :, None]
    period = np.searchsorted(edges, ready - 1e-9)
    return np.where(ready > edges[-1] + 1e-9, -1, period).astype(np.intp)


def _demand(study: Study, edges: Array) -> Array:
    table = np.full((len(study.workloads), edges.size), np.inf)
    for i, workload in enumerate(study.workloads):
        if isinstance(workload, ServingWorkload):
            ramp = workload.demand_tokens_per_s
            table[i, :-1] = _integral(ramp, edges) / np.diff(edges)
            table[i, -1] = _level(ramp, edges[-1:], edges[-1:])[0]
    return table


def _value(study: Study, start: Array, end: Array, rate: float) -> Array:
    """USD for one token/s kept up over each period, discounted; late tokens are worth less."""
    table = np.empty((len(study.workloads), start.size))
    for i, workload in enumerate(study.workloads):
        weeks = discounted_weeks(rate, start, end)
        if not isinstance(workload, ServingWorkload) and workload.due_week is not None:
            on_time = discounted_weeks(rate, start, np.clip(workload.due_week, start, end))
            weeks = on_time + workload.value_after_due * (weeks - on_time)
        usd_per_week = workload.usd_per_million_tokens * 1e-6 * SECONDS_PER_WEEK
        table[i] = usd_per_week * study.objective.availability * weeks
    return table


def _column(values: Sequence[float]) -> Array:
    return np.array(values, dtype=float)[:, None]


def _fixed_energy(study: Study, start: Array, end: Array, annuity: Array) -> Array:
    """Energy of each site's fixed load while any of it is live, discounted, (K, V) [USD]."""
    table = np.zeros((len(study.data_centers), start.size))
    for k, center in enumerate(study.data_centers):
        live = [1.0 if s.value > 0 else 0.0 for s in center.energised]
        weeks = ramp_integral([s.week for s in center.energised], live, np.append(start, end[-1]))
        usd_per_week = center.fixed_power_w / 1e3 * HOURS_PER_WEEK * center.energy_usd_per_kwh
        length = end - start
        share = np.where(length > 0, weeks / np.where(length > 0, length, 1.0), 0.0)
        table[k] = usd_per_week * share * annuity
    return table


def _or_inf(values: Sequence[float | None]) -> Array:
    return np.array([np.inf if value is None else value for value in values])
