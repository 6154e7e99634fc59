"""On small spaces the plan is the best there is, and the bound is no lower."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rackwright.build import Limits, plan
from rackwright.records.base import canonical_json
from rackwright.records.study import RobotCells
from tests.build.brute_force import best_plan
from tests.build.synthetic import (
    center,
    factory,
    make_space,
    make_study,
    ramp,
    row,
    serving,
    slow_price,
    training,
)
from tests.build.synthetic import supply as supplied
from tests.build.test_certificate import script

EXACT = Limits(gap=1e-7, nodes=400, whole_share=0.0)


def random_case(seed):
    """A small synthetic case with every kind of limit, drawn by a seed."""
    rng = np.random.default_rng(seed)
    u = rng.uniform
    weeks = int(rng.integers(4, 7))
    jobs = [serving("chat", usd=u(0.5, 2), demand=ramp((0, u(1, 6)), (2, u(2, 9))))]
    if seed % 2:
        tokens = u(2, 40) * 7 * 86400
        jobs.append(training("train", usd=u(0.5, 3), tokens=tokens, due=u(2, 8)))
    robots = RobotCells(
        capex_usd=u(0.2, 3),
        touch_hours_per_week=u(2, 9),
        usd_per_hour=u(0, 0.05),
        lead_time_weeks=int(rng.integers(0, 2)),
        automatable=u(0.3, 0.9),
        max_cells=3,
    )
    makers = [
        factory(
            f"f{i}",
            touch=u(3, 25),
            bays=u(0.05, 0.4),
            labour_usd_per_hour=u(0, 0.05),
            bay_usd_per_hour=u(0, 0.01),
            first_pass_yield=u(0.6, 1),
            rework_touch_hours=u(0, 2),
            setup_usd=u(0, 4) if seed % 3 else 0.0,
            transit_weeks=float(rng.integers(0, 2)) * 0.5,
            freight_usd_per_kg=u(0, 0.1),
            robots=robots if seed % 4 == 1 else None,
        )
        for i in range(1 + seed % 2)
    ]
    sites = [
        center(
            f"k{i}",
            u(2000, 9000),
            energy_usd_per_kwh=u(0, 2e-4),
            coolant_supply_c=40.0 + 8.0 * i,
            floor_m2=u(4, 12),
            energised=ramp((0, u(0, 0.5)), (int(rng.integers(1, 4)), 1.0)),
            infrastructure_usd_per_w_year=u(0, 1e-3),
            liquid_w=u(1000, 6000) if seed % 5 == 0 else None,
        )
        for i in range(1 + (seed // 2) % 2)
    ]
    supplies = [
        supplied("hbm", ramp((0, u(0, 5)), (2, u(0, 8))), unit_usd=u(0, 0.2), stock=u(0, 3)),
        supplied("hbm", ramp((1, u(0, 5))), unit_usd=u(0.1, 0.4), lead_time_weeks=u(0, 3)),
        supplied("optic", ramp((0, u(2, 9))), unit_usd=None),
    ]
    kinds = [j.kind for j in jobs]
    life = weeks + float(rng.integers(4, 40))
    rows = []
    for d in range(int(rng.integers(2, 4))):
        rates = [u(0.3, 2.5), *([u(0.2, 1.5) if rng.random() < 0.7 else None] * (len(jobs) - 1))]
        bill = [("hbm", float(rng.integers(1, 4)), 0.15), ("optic", u(0.5, 2), 0.1)]
        price = sum(n * usd for _, n, usd in bill) + u(0.2, 6)
        rows.append(
            row(
                f"d{d}",
                rates=rates,
                kinds=kinds,
                price=price,
                bill=bill,
                platform=f"p{d % 2}",
                watts=u(500, 2500),
                liquid_w=400.0,
                racks=int(rng.integers(1, 3)),
                replicas=1 + 7 * int(rng.integers(0, 2)),
                mass_kg=u(0, 5),
                max_coolant_supply_c=45.0 + 5 * (d % 2),
                first_week=float(rng.integers(0, 3)) * 0.5,
            )
        )
    study = make_study(
        jobs,
        horizon=weeks,
        life=life,
        rate=u(0, 0.3),
        objective={"budget_usd": u(5, 40)} if seed % 6 == 2 else {},
        data_centers=tuple(sites),
        factories=tuple(makers),
        supplies=tuple(supplies),
    )
    return study, make_space(study, rows, spread=0.1)


@pytest.mark.parametrize("seed", range(24))
def test_small_plans_equal_a_second_formulation(seed):
    study, space = random_case(seed)
    truth = best_plan(study, space)

    built, certificate = plan(study, space, slow_price, work_limits=EXACT)

    assert built.surplus_usd <= truth * (1 + 1e-6) + 1e-6
    assert built.bound_usd >= truth * (1 - 1e-6) - 1e-6
    assert built.surplus_usd == pytest.approx(truth, rel=1e-5, abs=1e-6)
    assert script.recheck(json.loads(canonical_json(certificate))) == []
