"""Synthetic study and row for the tests of ACCEPT. No number here is a fact."""

from __future__ import annotations

from rackwright.records.provenance import Grade
from rackwright.records.space import BillLine, LevelHours, PriceLine, SpaceRow
from rackwright.records.study import AcceptanceTerms, Study


def synthetic_study(terms: AcceptanceTerms) -> Study:
    step = [{"week": 0, "value": 1}]
    return Study(
        name="synthetic", currency_year=2026, start="2027-01-04", acceptance=terms,
        workloads=[{
            "kind": "serving", "name": "chat", "model": "m", "input_tokens": 1, "output_tokens": 1,
            "ttft_s": 1, "tpot_s": 1, "demand_tokens_per_s": step, "usd_per_million_tokens": 1,
        }],
        data_centers=[{"name": "dc", "power_w": 1e6, "basis": "it", "energy_usd_per_kwh": 0.05,
                       "floor_m2": 100, "energised": step}],
        factories=[{"name": "f", "country": "US", "touch_hours_per_week": step,
                    "labour_usd_per_hour": 40, "test_bays": step}],
        design_space={"generations": [{"system": "s"}]},
    )  # fmt: skip


def synthetic_row() -> SpaceRow:
    money = {"usd": 1e6, "usd_low": 1e6, "usd_high": 1e6, "grade": Grade.D}
    unit = {"unit_usd": 1e6, "unit_usd_low": 1e6, "unit_usd_high": 1e6, "grade": Grade.D}
    return SpaceRow(
        key="synthetic", platform="p", system="s", accelerator="a", revision="EVT",
        accelerators=72, racks=1, cluster_accelerators=(72, 72), nic_gbit_per_s=400,
        oversubscription=1.0, bill=(BillLine(part="x", quantity=1, level="L11", **unit),),
        price=(PriceLine(name="all", **money),), price_usd=1e6, residual_usd=0.0,
        provisioned_power_w=1e5, liquid_w=0.0, air_w=1e5, floor_m2=1.0, mass_kg=1.0,
        max_coolant_supply_c=45.0, hours=(LevelHours(level="L11", touch_hours=1, bay_hours=1),),
        first_week=0.0, services=(None,), grade=Grade.D,
    )  # fmt: skip
