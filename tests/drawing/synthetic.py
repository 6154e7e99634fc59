"""A synthetic run for the tests of drawing. No number here is a fact."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rackwright.records.acceptance import (
    AcceptancePlan,
    AcceptanceReport,
    CommonFactor,
    PlannedProbe,
    PromiseVerdict,
    UnitVerdict,
    Verdict,
)
from rackwright.records.decision import BoundaryPoint, Condition, Decision, Gate
from rackwright.records.plan import (
    Assignment,
    BuildPlan,
    Delivery,
    LandedCost,
    MoneyLine,
    ShadowPrice,
    WorkRow,
)
from rackwright.records.provenance import Grade
from rackwright.records.run import DesignBlocks, Evidence, RunSummary, ScenarioResult, Statement
from rackwright.records.space import (
    BillLine,
    Front,
    FrontRow,
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
from rackwright.records.study import Study

WORLDS = 8
ONE, FOUR, OLD = "sys-a/1r", "sys-a/4r", "sys-old/1r"
NASTY = "<b>a & b</b> \"quoted\" 'single' </style><script>alert(1)</script>"


class Run(NamedTuple):
    """What `pipeline.Result` holds."""

    space: Space
    front: Front
    plan: BuildPlan
    scenarios: tuple[BuildPlan, ...]
    acceptance: AcceptancePlan
    report: AcceptanceReport | None
    rebuilt: BuildPlan | None
    decision: Decision
    summary: RunSummary


def run(*, readings: str | None = None, **changes) -> Run:
    """Return a run: before hardware, or with `readings` that are "measured" or "fictitious"."""
    made = Run(
        space=space(), front=front(), plan=plan(), scenarios=(), acceptance=acceptance(),
        report=report(fictitious=readings == "fictitious") if readings else None,
        rebuilt=plan(surplus_usd=80e6) if readings else None,
        decision=decision("exercise"), summary=summary(readings),
    )  # fmt: skip
    return made._replace(**changes)


def study(**changes) -> Study:
    step = [{"week": 0, "value": 1}]
    fields = {
        "name": "synthetic", "title": "Synthetic", "currency_year": 2026, "start": "2027-01-04",
        "horizon_weeks": 4,
        "workloads": [
            {"kind": "serving", "name": "chat", "model": "m", "input_tokens": 1,
             "output_tokens": 1, "ttft_s": 1, "tpot_s": 1, "usd_per_million_tokens": 0.5,
             "demand_tokens_per_s": [{"week": 0, "value": 10e6}, {"week": 2, "value": 40e6}]},
            {"kind": "training", "name": "pretrain", "model": "m", "tokens": 2e12,
             "sequence_length": 8, "global_batch_sequences": 8, "usd_per_million_tokens": 1,
             "due_week": 3},
        ],
        "data_centers": [{"name": "dc", "power_w": 12e6, "basis": "utility", "pue": 1.2,
                          "energy_usd_per_kwh": 0.05, "floor_m2": 100,
                          "energised": [{"week": 0, "value": 0.5}, {"week": 3, "value": 1}]}],
        "factories": [{"name": "f", "country": "US", "touch_hours_per_week": step,
                       "labour_usd_per_hour": 40, "test_bays": step}],
        "design_space": {"generations": [{"system": "sys-a"}]},
        "market": {"workload": "chat", "start_usd_per_million_tokens": 0.4},
    }  # fmt: skip
    return Study(**{**fields, **changes})


def service(workload: str, rate: float, step_s: float) -> Service:
    kind = "serving" if workload == "chat" else "training"
    return Service(
        workload=workload, rate_tokens_per_s=rate, step_s=step_s, memory_bytes=80e9,
        average_power_w=9e4, grade=Grade.D, mfu=0.4 if kind == "training" else None,
        ttft_s=0.5 if kind == "serving" else None, tpot_s=0.02 if kind == "serving" else None,
        parts=(TimePart(name="products", seconds=0.7 * step_s),
               TimePart(name="waiting", seconds=0.3 * step_s),
               TimePart(name="nothing", seconds=0.0)),
        plan=SoftwarePlan(kind=kind, precision="fp8", tensor_parallel=8, pipeline_parallel=1,
                          data_parallel=2, expert_parallel=1, batch=64, replicas=4),
    )  # fmt: skip


def row(key: str, racks: int, kusd: float, services) -> SpaceRow:
    usd = kusd * 1e3 * racks
    shares = {"accelerators": 0.7, "memory": 0.2, "residual": 0.1}
    return SpaceRow(
        key=key, platform=key.split("/")[0], system=key.split("/")[0], accelerator="a",
        revision="EVT", accelerators=8 * racks, racks=racks, cluster_accelerators=(8, 64),
        nic_gbit_per_s=400, oversubscription=1.0, price_usd=usd, residual_usd=0.1 * usd,
        bill=(BillLine(part="x", quantity=1, level="L11", unit_usd=usd, unit_usd_low=usd,
                       unit_usd_high=usd, grade=Grade.C),),
        price=tuple(PriceLine(name=n, usd=s * usd, usd_low=0.9 * s * usd, usd_high=1.2 * s * usd,
                              grade=Grade.C) for n, s in shares.items()),
        provisioned_power_w=100e3 * racks, liquid_w=80e3 * racks, air_w=20e3 * racks,
        floor_m2=2.0 * racks, mass_kg=1000.0 * racks, max_coolant_supply_c=40.0, first_week=0.0,
        hours=(LevelHours(level="L11", touch_hours=10, bay_hours=20),), services=services,
        grade=Grade.C,
    )  # fmt: skip


def space() -> Space:
    rows = (
        row(ONE, 1, 2000, (service("chat", 1e6, 0.02), None)),
        row(FOUR, 4, 2100, (service("chat", 4e6, 0.02), service("pretrain", 1e6, 4.0))),
        row(OLD, 1, 1000, (service("chat", 2e5, 0.05), None)),
    )
    speed = np.linspace(0.8, 1.2, WORLDS)
    nominal = np.array([[1e6, 0], [4e6, 1e6], [2e5, 0]])
    return Space(
        study_sha256="5" * 64, workloads=("chat", "pretrain"), rows=rows,
        rates=nominal[:, :, None] * speed, dominated=3, grade=Grade.D,
        parameters=Parameters(
            names=("speed",), nominal=[1.0], values=speed[:, None], grades=(Grade.D,),
            weights=np.full(WORLDS, 1 / WORLDS),
        ),
        search=SearchStats(hardware=5, hardware_rejected={"too hot": 2}),
        assumptions=("synthetic",),
    )  # fmt: skip


def front() -> Front:
    def line(rank: int, key: str, workload: str, usd: float, baseline: bool = False) -> FrontRow:
        return FrontRow(
            rank=rank, key=key, workload=workload, rate_tokens_per_s=1e6, rate_low=0.8e6,
            rate_high=1.25e6, usd_per_million_tokens=usd, tokens_per_s_per_w=10.0,
            price_usd=2e6, baseline=baseline, chance_best=0.75, grade=Grade.C,
        )  # fmt: skip

    return Front(
        rows=(line(1, ONE, "chat", 0.1), line(2, FOUR, "chat", 0.12),
              line(3, OLD, "chat", 0.3, True), line(1, FOUR, "pretrain", 0.8))
    )  # fmt: skip


def plan(**changes) -> BuildPlan:
    def sent(design: str, week: float, arrival: float, blocks: float) -> Delivery:
        return Delivery(design=design, factory="f", data_center="dc", bucket=int(week),
                        build_week=week, arrival_week=arrival, blocks=blocks)  # fmt: skip

    def busy(design: str, workload: str, period: int, blocks: float) -> Assignment:
        return Assignment(design=design, workload=workload, data_center="dc", period=period,
                          blocks=blocks)  # fmt: skip

    fields = {
        "study_sha256": "5" * 64, "designs": (ONE, FOUR),
        "buckets": ((0.0, 1.0), (1.0, 2.0), (2.0, 4.0)),
        "deliveries": (sent(ONE, 0, 1, 10), sent(ONE, 1, 2, 5), sent(FOUR, 0, 1, 2)),
        "assignments": (busy(ONE, "chat", 1, 10), busy(ONE, "chat", 2, 15),
                        busy(FOUR, "pretrain", 1, 1), busy(FOUR, "pretrain", 2, 1),
                        busy(FOUR, "chat", 2, 1), busy(ONE, "chat", 3, 15)),
        "cells": (),
        "work": (
            WorkRow(workload="chat", tokens=9e12, tokens_after=20e12, wanted_tokens=12e12,
                    value_usd=100e6),
            WorkRow(workload="pretrain", tokens=2e12, tokens_after=0, wanted_tokens=2e12,
                    finished_week=3.5, value_usd=20e6),
        ),
        "money": (MoneyLine(name="work: chat", usd=120e6), MoneyLine(name="parts", usd=-20e6),
                  MoneyLine(name="none", usd=-0.0), MoneyLine(name="screws", usd=-2e3),
                  MoneyLine(name="paint", usd=-1e3), MoneyLine(name="prize", usd=3e3)),
        "landed": (LandedCost(design=ONE, usd_per_block=2.1e6, parts_usd=2e6, duty_usd=1e4,
                              labour_usd=2e4, freight_usd=3e4, setup_usd=4e4),),
        "surplus_usd": 100e6, "bound_usd": 101e6, "gap_fraction": 0.01, "proved": False,
        "remaining": 2, "columns": 9, "rounds": 3, "stopped_by": "24 branches",
        "shadow_prices": (price(10.0),), "binding": ("hbm is short",), "weekly": (),
        "weekly_loss_usd": 1e5, "surplus_draws": np.linspace(60e6, 110e6, WORLDS),
        "certificate_sha256": "c" * 64, "grade": Grade.D, "assumptions": ("blocks stay",),
    }  # fmt: skip
    return BuildPlan(**{**fields, **changes})


def price(usd: float, name: str = "hbm") -> ShadowPrice:
    return ShadowPrice(kind="part", name=name, unit="GB", usd_per_unit=usd, usd_low=0.9 * usd,
                       usd_high=1.1 * usd, step=5.0, basis="LP")  # fmt: skip


def scenario(name: str, cost: float, redesign: float, **changes) -> ScenarioResult:
    base, key = 100e6, FOUR if redesign else ONE
    mix = (DesignBlocks(design=key, blocks=2, racks=8, accelerators=64, program_blocks=2.3),)
    work = (WorkRow(workload="chat", tokens=8e12, tokens_after=1e12, wanted_tokens=12e12,
                    value_usd=90e6),)  # fmt: skip
    fields = {
        "name": name, "note": "a note", "grade": Grade.D, "mix": mix, "surplus_usd": base - cost,
        "cost_usd": cost, "work": work, "shadow_prices": (price(30.0), price(4.0, "optics")),
        "proved": True, "gap_fraction": 0.001, "design_changes": redesign > 0, "control_mix": mix,
        "control_work": work, "control_surplus_usd": base - cost - redesign,
        "control_bound_usd": base - cost - redesign + 1e6, "redesign_usd": redesign,
        "text": f"{name}: told",
    }  # fmt: skip
    return ScenarioResult(**{**fields, **changes})


def acceptance() -> AcceptancePlan:
    def probe(name: str, unit: str, better: str, promised: float, bad: float) -> PlannedProbe:
        return PlannedProbe(
            probe=name, unit=unit, better=better, predicted=1.05 * promised,
            draws=promised * np.linspace(0.9, 1.2, WORLDS), promised=promised, good=promised,
            bad=bad, unit_log_sd=0.02, repeat_log_sd=0.01, model_log_sd=0.02, racks_needed=4,
            expected_racks_good=2.0, expected_racks_bad=3.0, smallest_detectable=0.1,
            how=f"how {name} is run", grade=Grade.B,
        )  # fmt: skip

    return AcceptancePlan(
        study_sha256="5" * 64, design=ONE, design_sha256="d" * 64, revision="EVT", racks=8,
        hours_per_rack=24, alpha=0.05, beta=0.1, unit_limit_z=3.0, grade=Grade.D,
        probes=(probe("bandwidth", "B/s", "higher", 7e12, 6.65e12),
                probe("rack-power", "W", "lower", 90e3, 95e3)),
        prior=np.full(WORLDS, 1 / WORLDS), assumptions=("spreads are defaults",),
    )  # fmt: skip


def report(*, fictitious: bool) -> AcceptanceReport:
    def unit(rack: str, probe: str, value: float | None, verdict: Verdict) -> UnitVerdict:
        return UnitVerdict(rack=rack, probe=probe, verdict=verdict, value=value, center=None,
                           z=None, why="why")  # fmt: skip

    def judged(probe: str, unit_: str, measured: float | None, verdict: Verdict):
        return PromiseVerdict(
            probe=probe, unit=unit_, verdict=verdict, measured=measured, promised=1, good=1,
            bad=0.9, log_likelihood_ratio=0.1, accept_at=-2, reject_at=3, racks=2,
            further_racks=5, why="why",
        )  # fmt: skip

    weights = np.linspace(2, 1, WORLDS)
    return AcceptanceReport(
        plan_sha256="a" * 64, design=ONE, revision="EVT", lot="continue", further_racks=5,
        further_hours=120, summary="Continue: 5 more racks.", effective_draws=6.0, tempered=1.0,
        units=(unit("r1", "bandwidth", 6.86e12, Verdict.PASS),
               unit("r2", "bandwidth", 5.6e12, Verdict.FAIL),
               unit("r3", "bandwidth", None, Verdict.SKIP),
               unit("r1", "rack-power", 100e3, Verdict.PASS)),
        promises=(judged("bandwidth", "B/s", 6.86e12, Verdict.INCONCLUSIVE),
                  judged("rack-power", "W", 100e3, Verdict.FAIL)),
        calibration=(CommonFactor(probe="bandwidth", factor=0.93, low=0.9, high=0.96, racks=2),),
        weights=weights / weights.sum(), fictitious=fictitious, grade=Grade.D,
    )  # fmt: skip


def decision(action: str, **changes) -> Decision:
    def condition(name: str, flips: float | None) -> Condition:
        return Condition(estimate=name, grade=Grade.D, now=2.0, flips_at=flips, unit="share",
                         tried=(1.0, 4.0), becomes="test" if flips else None,
                         text=f"the {name} stays above {flips} share (now 2, grade D)"
                         if flips else f"the {name} (2 share): nothing flips it")  # fmt: skip

    fields = {
        "study_sha256": "5" * 64, "design": ONE, "lot_blocks": 15.0, "action": action,
        "strike_usd_per_block": 2.2e6, "exercise_now_usd": 40e6, "option_usd": 50e6,
        "option_without_tests_usd": 45e6, "early_access_usd": 5e6, "early_access_net_usd": 4e6,
        "tests_cost_usd": 1e6, "perfect_information_usd": 70e6, "lower_bound_usd": 49e6,
        "lower_bound_standard_error_usd": 1e6, "partial_exercise": "All or nothing.",
        "gates": (
            Gate(week=0, exercise_above_usd_per_million_tokens=0.3, chance={"exercise": 0.6},
                 decline_below_usd_per_million_tokens=None),
            Gate(week=8, exercise_above_usd_per_million_tokens=0.2, chance={"test": 0.4},
                 decline_below_usd_per_million_tokens=0.1),
        ),
        "boundary": tuple(
            BoundaryPoint(week=w, performance=p, price_usd_per_million_tokens=usd)
            for w, p, usd in ((0, 0.8, 0.5), (0, 1.2, 0.3), (8, 0.8, 0.4), (8, 1.2, 0.2),
                              (8, 2.0, None), (16, 1.0, 0.2))
        ),
        "conditions": (condition("utilisation", 1.5), condition("energy price", None)),
        "text": f"{action.capitalize()}: synthetic.", "grade": Grade.D,
    }  # fmt: skip
    return Decision(**{**fields, **changes})


def summary(readings: str | None = None, **changes) -> RunSummary:
    after = decision("test")
    evidence = (
        Evidence(
            kind=readings, lot="continue", summary="Continue.", rate_before_tokens_per_s=1e6,
            rate_after_tokens_per_s=9e5, surplus_before_usd=100e6, surplus_after_usd=80e6,
            decision=after, moved=True, back=after.conditions[:1],
        )
        if readings
        else None
    )  # fmt: skip
    fields = {
        "study_sha256": "5" * 64, "title": "A synthetic run",
        "statements": (
            Statement(text="First headline.", grade=Grade.B, leans_on="one"),
            Statement(text="Second headline, 5 > 4.", grade=Grade.D, leans_on="two"),
        ),
        "best": {"chat": ONE, "pretrain": FOUR},
        "mix": (DesignBlocks(design=ONE, blocks=15, racks=15, accelerators=120,
                             program_blocks=15.2),
                DesignBlocks(design=FOUR, blocks=2, racks=8, accelerators=64, program_blocks=2)),
        "lead_design": ONE,
        "scenarios": (scenario("hbm-halves", 30e6, 0.0), scenario("strait", 50e6, 12e6),
                      scenario("doubt", 20e6, 0.5e6)),
        "evidence": evidence, "evidence_value_usd": 5e6, "grade": Grade.D,
        "assumptions": ("blocks stay", "synthetic"),
    }  # fmt: skip
    return RunSummary(**{**fields, **changes})
