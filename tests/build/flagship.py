"""A synthetic space of the flagship's size, for timing and for the larger tests."""

from __future__ import annotations

import numpy as np

from rackwright.records.study import RobotCells
from tests.build.synthetic import (
    center,
    factory,
    make_space,
    make_study,
    ramp,
    row,
    serving,
    supply,
    training,
)

PARTS = {
    "hbm": (576, 450.0),
    "package": (72, 12000.0),
    "optic": (144, 900.0),
    "nic": (72, 1500.0),
    "switch-tray": (9, 25000.0),
    "power-shelf": (8, 9000.0),
    "cold-plate": (90, 300.0),
    "cpu": (36, 3000.0),
}


def flagship(rows=600, seed=0, hbm=1.0, demand=3e7):
    rng = np.random.default_rng(seed)
    study = make_study(
        [
            serving(
                "chat", usd=0.35, demand=ramp((0, 0.3 * demand), (26, demand), (60, 1.5 * demand))
            ),
            training("pretrain", usd=9.0, tokens=15e12, due=90),
        ],
        horizon=104,
        life=260,
        rate=0.1,
        objective={},
        data_centers=(
            center(
                "houston",
                100e6,
                basis="utility",
                pue=1.2,
                fixed_power_w=1e6,
                energy_usd_per_kwh=0.06,
                floor_m2=12000,
                energised=ramp((0, 0.2), (20, 0.5), (40, 1.0)),
                infrastructure_usd_per_w_year=1.5,
            ),
        ),
        factories=tuple(
            factory(
                name,
                country=country,
                touch=touch,
                bays=bays,
                labour_usd_per_hour=labour,
                bay_usd_per_hour=20.0,
                first_pass_yield=0.85,
                rework_touch_hours=8,
                setup_usd=setup,
                transit_weeks=transit,
                freight_usd_per_kg=freight,
                robots=RobotCells(
                    capex_usd=1.2e6, touch_hours_per_week=120, usd_per_hour=12, max_cells=20
                )
                if robots
                else None,
            )
            for name, country, touch, bays, labour, setup, transit, freight, robots in [
                ("houston", "US", 2500, 40, 48.0, 9e6, 0.5, 0.4, True),
                ("wisconsin", "US", 1800, 25, 45.0, 8e6, 1.0, 0.6, True),
                ("juarez", "MX", 3000, 50, 9.0, 7e6, 1.5, 0.9, False),
            ]
        ),
        supplies=(
            supply(
                "hbm",
                ramp((0, 5000 * hbm), (30, 9000 * hbm)),
                "KR",
                450.0,
                lead_time_weeks=4,
                stock=4000,
            ),
            supply("hbm", ramp((10, 2500 * hbm)), "US", 520.0, lead_time_weeks=8),
            supply(
                "package",
                ramp((0, 900), (30, 1500)),
                "TW",
                12000.0,
                lead_time_weeks=6,
                hts="8473.30",
            ),
            supply("optic", ramp((0, 1500), (20, 3500)), "CN", 900.0, lead_time_weeks=3),
            supply("nic", 3000, "TW", None, lead_time_weeks=3),
            supply("switch-tray", 300, "TW", None, lead_time_weeks=5),
            supply("power-shelf", 300, "MX", None, lead_time_weeks=2),
            supply("cold-plate", 4000, "TW", None, lead_time_weeks=2),
        ),
    )
    table = []
    for i in range(rows):
        generation = rng.integers(0, 3)
        racks = 1 if i % 4 else int(rng.choice([28, 56, 112]))
        fast = [1.0, 1.5, 2.3][generation] * rng.uniform(0.85, 1.15)
        bill = [
            (part, round(n * racks * rng.uniform(0.7, 1.3), 1), usd)
            for part, (n, usd) in PARTS.items()
        ]
        listed = sum(n * usd for _, n, usd in bill)
        watts = [110e3, 132e3, 160e3][generation] * racks
        table.append(
            row(
                f"d{i}",
                rates=[1.6e5 * fast, None] if racks == 1 else [None, 2.0e4 * fast * racks**0.93],
                kinds=["serving", "training"],
                price=listed * rng.uniform(1.25, 1.5) * [1, 1.15, 1.5][generation],
                bill=bill,
                platform=f"p{generation}-{i % 5}",
                watts=watts,
                racks=racks,
                mass_kg=1400.0 * racks,
                floor_m2=4.0 * racks,
                liquid_w=0.85 * watts,
                air_w=0.15 * watts,
                first_week=[0.0, 10.0, 40.0][generation],
            )
        )
        table[-1] = type(table[-1])(
            **{
                **dict(table[-1]),
                "hours": tuple(
                    type(table[-1].hours[0])(level=lv, touch_hours=h * racks, bay_hours=b * racks)
                    for lv, h, b in [("L10", 60, 0), ("L11", 40, 72), ("L12", 10, 24)]
                ),
            }
        )
    return study, make_space(study, table, spread=0.1, draws=256)
