"""Synthetic studies and spaces for the tests of BUILD. No number here is a fact."""

from __future__ import annotations

import numpy as np

from rackwright.records.prices import Priced, Prices
from rackwright.records.provenance import Grade
from rackwright.records.space import (
    LEVELS,
    BillLine,
    LevelHours,
    Parameters,
    PriceLine,
    SearchStats,
    Service,
    SoftwarePlan,
    Space,
    SpaceRow,
    TimePart,
)
from rackwright.records.study import (
    DataCenter,
    DesignSpace,
    Factory,
    Generation,
    Objective,
    ServingWorkload,
    Step,
    Study,
    Supply,
    TrainingWorkload,
)


def ramp(*steps):
    """Return a ramp from (week, value) pairs, or from one value."""
    pairs = [s if isinstance(s, tuple) else (0.0, s) for s in steps]
    return tuple(Step(week=w, value=v) for w, v in pairs)


def serving(name="chat", usd=1.0, demand=None):
    return ServingWorkload(
        kind="serving",
        name=name,
        model="m",
        input_tokens=1000,
        output_tokens=200,
        ttft_s=1,
        tpot_s=0.05,
        demand_tokens_per_s=demand or ramp(1e9),
        usd_per_million_tokens=usd,
    )


def training(name="pretrain", usd=1.0, tokens=1e12, due=None, after=0.5):
    return TrainingWorkload(
        kind="training",
        name=name,
        model="m",
        tokens=tokens,
        sequence_length=8192,
        global_batch_sequences=1024,
        usd_per_million_tokens=usd,
        due_week=due,
        value_after_due=after,
    )


def center(name="dc", power=1e9, **more):
    return DataCenter(
        **{
            "name": name,
            "power_w": power,
            "basis": "it",
            "pue": 1.0,
            "energy_usd_per_kwh": 0.0,
            "floor_m2": 1e9,
            "energised": ramp(1.0),
            **more,
        }
    )


def factory(name="plant", touch=1e9, bays=1e6, **more):
    return Factory(
        **{
            "name": name,
            "country": "US",
            "touch_hours_per_week": ramp(touch),
            "labour_usd_per_hour": 0.0,
            "test_bays": ramp(bays),
            "first_pass_yield": 1.0,
            "rework_touch_hours": 0.0,
            "transit_weeks": 0.0,
            "freight_usd_per_kg": 0.0,
            **more,
        }
    )


def supply(part, per_week, origin="US", unit_usd=0.0, **more):
    return Supply(
        **{
            "part": part,
            "origin": origin,
            "per_week": per_week if isinstance(per_week, tuple) else ramp(per_week),
            "unit_usd": unit_usd,
            **more,
        }
    )


def make_study(workloads, *, horizon=4, life=None, rate=0.0, objective=None, **more):
    return Study(
        **{
            "name": "synthetic",
            "currency_year": 2026,
            "start": "2026-01-05",
            "horizon_weeks": horizon,
            # Lives of a few weeks, shorter than a study may state, keep known answers small.
            "objective": Objective.model_construct(
                discount_rate_per_year=rate,
                life_weeks=life or horizon,
                availability=1.0,
                salvage=0.0,
                **(objective or {}),
            ),
            "workloads": tuple(workloads),
            "data_centers": (center(),),
            "factories": (factory(),),
            "design_space": DesignSpace(generations=(Generation(system="s"),)),
            **more,
        }
    )


def row(key, *, rates, price, bill=(), platform=None, kinds=None, watts=1000.0, replicas=1, **more):
    """Return a synthetic row. rates: tokens/s per workload, None = cannot; bill: (part, n, usd)."""
    lines = tuple(
        BillLine(
            part=part,
            quantity=n,
            level="L11",
            unit_usd=usd,
            unit_usd_low=usd,
            unit_usd_high=usd,
            grade=Grade.D,
        )
        for part, n, usd in bill
    )
    kinds = kinds or ["serving"] * len(rates)
    listed = sum(n * usd for _, n, usd in bill)
    values = {
        "key": key,
        "platform": platform or key,
        "system": "s",
        "accelerator": "a",
        "revision": "production",
        "accelerators": 8,
        "racks": 1,
        "cluster_accelerators": (8, 8),
        "nic_gbit_per_s": 400,
        "oversubscription": 1.0,
        "bill": lines,
        "price": (PriceLine(name="all", usd=price, usd_low=price, usd_high=price, grade=Grade.D),),
        "price_usd": price,
        "residual_usd": price - listed,
        "provisioned_power_w": watts,
        "liquid_w": 0.0,
        "air_w": 0.0,
        "floor_m2": 1.0,
        "mass_kg": 1.0,
        "max_coolant_supply_c": 45.0,
        "hours": (LevelHours(level="L11", touch_hours=1.0, bay_hours=1.0),),
        "first_week": 0.0,
        "services": tuple(
            None if rate is None else service(kind, rate, watts, replicas)
            for rate, kind in zip(rates, kinds, strict=True)
        ),
        "grade": Grade.D,
    }
    return SpaceRow(**{**values, **more})


def service(kind, rate, watts, replicas):
    return Service(
        workload="w",
        plan=SoftwarePlan(
            kind=kind,
            precision="fp8",
            tensor_parallel=1,
            pipeline_parallel=1,
            data_parallel=1,
            expert_parallel=1,
            replicas=replicas,
        ),
        rate_tokens_per_s=rate,
        step_s=1.0,
        memory_bytes=1.0,
        average_power_w=watts,
        parts=(TimePart(name="all", seconds=1.0),),
        grade=Grade.D,
    )


def make_space(study, rows, spread=0.0, draws=8, seed=3):
    """Return a space of rows whose rates scatter over the worlds with a log-spread."""
    nominal = np.array(
        [[0.0 if s is None else s.rate_tokens_per_s for s in r.services] for r in rows]
    )
    noise = np.exp(spread * np.random.default_rng(seed).normal(size=draws))
    weights = np.full(draws, 1 / draws)
    noise /= noise @ weights
    return Space(
        study_sha256="0" * 64,
        workloads=tuple(w.name for w in study.workloads),
        rows=tuple(rows),
        rates=nominal[:, :, None] * noise,
        parameters=Parameters(
            names=("speed",),
            nominal=np.ones(1),
            values=noise[:, None],
            weights=weights,
            grades=(Grade.D,),
        ),
        dominated=0,
        search=SearchStats(),
        grade=Grade.D,
    )


def slow_price(space: Space, prices: Prices) -> Priced:
    """Price every row by the formula of `records.prices`, written as plain loops."""
    F, K, T = prices.arrival.shape
    V = T + 1
    worth = np.full((len(space.rows), F, K, T), -1e30)
    for d, r in enumerate(space.rows):
        touch = [sum(h.touch_hours for h in r.hours if h.level == name) for name in LEVELS]
        bay = [sum(h.bay_hours for h in r.hours if h.level == name) for name in LEVELS]
        count = dict.fromkeys(prices.parts, 0.0)
        stated = 0.0
        for line in r.bill:
            if line.part in count:
                count[line.part] += line.quantity
                stated += (
                    prices.part_stated[prices.parts.index(line.part)]
                    * line.quantity
                    * (line.unit_usd)
                )
        for k in range(K):
            gain = np.zeros(V)
            for v in range(V):
                best = 0.0
                for w, s in enumerate(r.services):
                    if s is None:
                        continue
                    rate = float(space.rates[d, w] @ space.parameters.weights)
                    best = max(
                        best,
                        prices.rate_usd[w, k, v] * rate
                        - prices.gang_usd[w, k, v]
                        - prices.energy_usd_per_w[k, v] * s.average_power_w,
                    )
                gain[v] = (
                    best
                    - prices.power_usd_per_w[k, v] * r.provisioned_power_w
                    - prices.liquid_usd_per_w[k, v] * r.liquid_w
                    - prices.air_usd_per_w[k, v] * r.air_w
                    - prices.floor_usd_per_m2[k, v] * r.floor_m2
                )
            for f in range(F):
                for t in range(T):
                    a = int(prices.arrival[f, k, t])
                    if a < 0 or not r.first_week < prices.bucket_end_week[t]:
                        continue
                    cost = prices.money[f, t] * (r.price_usd - stated)
                    cost += prices.mass_usd_per_kg[f, k, t] * r.mass_kg
                    share = prices.rack_duty[prices.accelerators.index(r.accelerator), f, k, t]
                    cost += prices.money[f, t] * share * r.price_usd
                    for p, name in enumerate(prices.parts):
                        cost += prices.part_usd[p, f, t] * count[name]
                    for level in range(len(LEVELS)):
                        cost += prices.touch_usd[level, f, t] * touch[level]
                        cost += prices.bay_usd[level, f, t] * bay[level]
                    worth[d, f, k, t] = gain[a:].sum() + prices.salvage[k, a] * r.price_usd - cost
    return Priced(worth_usd=worth)
