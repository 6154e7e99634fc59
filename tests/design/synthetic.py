"""Synthetic rows and prices for the tests of DESIGN. No number here is a fact."""

from __future__ import annotations

import numpy as np

from rackwright.records.prices import Prices
from rackwright.records.provenance import Grade
from rackwright.records.space import (
    BillLine,
    LevelHours,
    Parameters,
    PriceLine,
    SearchStats,
    Service,
    SoftwarePlan,
    Space,
    SpaceRow,
)

PARTS = ("gpu", "hbm", "nic")


def service(workload: str, rate: float, power: float, kind: str = "serving") -> Service:
    return Service(
        workload=workload, rate_tokens_per_s=rate, step_s=0.01, memory_bytes=1e9,
        average_power_w=power, parts=(), grade=Grade.D,
        plan=SoftwarePlan(kind=kind, precision="fp8", tensor_parallel=1, pipeline_parallel=1,
                          data_parallel=1, expert_parallel=1),
    )  # fmt: skip


def row(key: str, rng: np.random.Generator, services, platform: str = "p", **changes) -> SpaceRow:
    bill = tuple(
        BillLine(part=p, quantity=float(rng.integers(1, 9)), level="L10", unit_usd=float(usd),
                 unit_usd_low=float(usd), unit_usd_high=float(usd), grade=Grade.D)
        for p, usd in zip((*PARTS, "sheet"), (100, 10, 20, 5), strict=True)
    )  # fmt: skip
    usd = sum(line.quantity * line.unit_usd for line in bill) * 1.1
    fields = {
        "key": key, "platform": platform, "system": platform, "accelerator": "a",
        "revision": "production", "accelerators": 8, "racks": 1, "cluster_accelerators": (8, 8),
        "nic_gbit_per_s": 400, "oversubscription": 1.0, "bill": bill,
        "price": (PriceLine(name="all", usd=usd, usd_low=usd, usd_high=usd, grade=Grade.D),),
        "price_usd": usd, "residual_usd": 0.0, "provisioned_power_w": float(rng.uniform(50, 90)),
        "liquid_w": float(rng.uniform(10, 40)), "air_w": float(rng.uniform(10, 40)),
        "floor_m2": float(rng.uniform(1, 3)), "mass_kg": float(rng.uniform(100, 900)),
        "max_coolant_supply_c": 45.0,
        "hours": (
            LevelHours(level="L10", touch_hours=float(rng.uniform(1, 9)), bay_hours=1.0),
            LevelHours(level="L11", touch_hours=2.0, bay_hours=float(rng.uniform(1, 9))),
        ),
        "first_week": float(rng.integers(0, 6)), "services": services, "grade": Grade.D,
    }  # fmt: skip
    return SpaceRow(**{**fields, **changes})


def space(rows, rates) -> Space:
    rates = np.asarray(rates, dtype=float)
    draws = rates.shape[2]
    return Space(
        study_sha256="synthetic",
        workloads=tuple(f"w{i}" for i in range(rates.shape[1])),
        rows=tuple(rows),
        rates=rates,
        parameters=Parameters(
            names=("x",), nominal=[1.0], values=np.ones((draws, 1)),
            weights=np.full(draws, 1 / draws), grades=(Grade.D,),
        ),
        dominated=0,
        search=SearchStats(),
        grade=Grade.D,
    )  # fmt: skip


def prices(rng: np.random.Generator, factories=2, centers=2, workloads=2, buckets=5) -> Prices:
    periods = buckets + 1
    arrival = rng.integers(-1, periods, (factories, centers, buckets))
    u = rng.uniform
    return Prices(
        parts=PARTS,
        factories=tuple(f"f{i}" for i in range(factories)),
        data_centers=tuple(f"k{i}" for i in range(centers)),
        workloads=tuple(f"w{i}" for i in range(workloads)),
        rate_usd=u(0, 2, (workloads, centers, periods)),
        gang_usd=u(0, 30, (workloads, centers, periods)),
        energy_usd_per_w=u(0, 0.2, (centers, periods)),
        power_usd_per_w=u(0, 0.2, (centers, periods)),
        liquid_usd_per_w=u(0, 0.2, (centers, periods)),
        air_usd_per_w=u(0, 0.2, (centers, periods)),
        floor_usd_per_m2=u(0, 2, (centers, periods)),
        salvage=u(0, 0.2, (centers, periods)),
        part_usd=u(5, 150, (len(PARTS), factories, buckets)),
        part_stated=rng.integers(0, 2, len(PARTS)),
        money=u(0.8, 1, (factories, buckets)),
        touch_usd=u(1, 9, (3, factories, buckets)),
        bay_usd=u(1, 9, (3, factories, buckets)),
        mass_usd_per_kg=u(0, 1, (factories, centers, buckets)),
        accelerators=("a", "b"),
        rack_duty=u(0, 0.5, (2, factories, centers, buckets)),
        arrival=arrival,
        bucket_end_week=np.arange(1, buckets + 1) * 2.0,
    )
