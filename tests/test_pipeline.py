"""From a study to a decision, on the study that `init` writes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from rackwright import catalog
from rackwright.accept import rehearse
from rackwright.cli.init import TEMPLATE
from rackwright.formats.run_folder import open_run
from rackwright.load import load_models, load_study
from rackwright.pipeline import (
    Given,
    duties_in_force,
    only,
    reweighted,
    row_of,
    run,
)
from rackwright.records.errors import InputError, NothingFeasibleError, RackwrightError
from rackwright.records.space import Space, SpaceRow
from rackwright.records.study import Rehearsal, Scenario, Study
from rackwright.summary import lead_design


def given(tmp_path: Path, rehearse: bool = False, **changes) -> Given:
    file = tmp_path / "study.toml"
    shutil.copy(TEMPLATE, file)
    study = load_study(file).study
    terms = study.acceptance.__class__(
        **{**dict(study.acceptance), "rehearsal": Rehearsal(racks=4, share_of_promise=0.96)}
    )
    study = Study(**{**dict(study), "draws": 64, "acceptance": terms, **changes})
    components = catalog.load()
    return Given(study, components, load_models(study, components, tmp_path), (), rehearse)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One rehearsed run, its folder and the stages that were told."""
    place = tmp_path_factory.mktemp("run")
    asked, told = given(place, rehearse=True), []
    with open_run(place / "out") as folder:
        result = run(asked, folder, told.append)
    return asked, result, place / "out", told


def test_the_run_goes_from_study_to_decision(finished):
    asked, result, _, _ = finished
    assert result.plan.deliveries
    assert result.acceptance.design == result.summary.lead_design
    assert result.decision.action in ("exercise", "test", "wait", "decline")
    assert len(result.scenarios) == len(asked.study.scenarios)
    assert len(result.summary.statements) >= 3
    assert all(s.text and s.grade for s in result.summary.statements)


def test_what_people_see_of_a_plan_is_whole_racks_and_the_program_stands_beside_them(finished):
    _, result, _, _ = finished
    for mix, plan in (
        (result.summary.mix, result.plan),
        *((s.mix, p) for s, p in zip(result.summary.scenarios, result.scenarios, strict=True)),
    ):
        assert mix
        for b in mix:
            assert b.racks == round(b.racks)
            assert b.blocks == pytest.approx(
                sum(w.blocks for w in plan.weekly if w.design == b.design)
            )
            assert b.program_blocks == pytest.approx(
                sum(x.blocks for x in plan.deliveries if x.design == b.design)
            )
    lead = next(b for b in result.summary.mix if b.design == result.summary.lead_design)
    assert result.decision.lot_blocks == lead.blocks


def test_a_plan_that_does_other_work_than_the_markets_says_so(finished):
    asked, result, _, _ = finished
    w = result.space.workloads.index(asked.study.market.workload)
    rows = tuple(
        SpaceRow(
            **{
                **dict(row),
                "services": tuple(None if i == w else s for i, s in enumerate(row.services)),
            }
        )
        for row in result.space.rows
    )
    idle = f"{asked.study.market.workload}: NO DESIGN DOES IT: too slow"
    space = Space(**{**dict(result.space), "rows": rows, "assumptions": (idle,)})
    with pytest.raises(NothingFeasibleError, match="the market's workload") as told:
        lead_design(asked.study, space, result.plan)
    assert "too slow" in str(told.value)
    assert "builds nothing" not in str(told.value)


def test_the_same_worlds_go_from_end_to_end(finished):
    _, result, _, _ = finished
    draws = result.space.parameters.values.shape[0]
    assert draws == 64
    assert result.space.rates.shape[2] == draws
    assert result.plan.surplus_draws.shape == (draws,)
    assert all(p.draws.shape == (draws,) for p in result.acceptance.probes)
    assert result.report is not None
    assert result.report.weights.shape == (draws,)


def test_fictitious_readings_are_called_so_wherever_they_reach(finished):
    _, result, _, _ = finished
    assert result.report is not None
    assert result.report.fictitious
    assert result.summary.evidence is not None
    assert result.summary.evidence.kind == "fictitious"
    assert "Fictitious" in result.summary.statements[-1].text


def test_low_readings_lower_the_expected_rate_and_surplus(finished):
    _, result, _, _ = finished
    evidence = result.summary.evidence
    assert evidence is not None
    assert evidence.rate_after_tokens_per_s < evidence.rate_before_tokens_per_s
    assert evidence.surplus_after_usd <= evidence.surplus_before_usd


def test_a_scenario_of_less_never_earns_more_than_the_bound_of_the_base(finished):
    _, result, _, _ = finished
    for scenario in result.summary.scenarios:
        assert scenario.surplus_usd <= result.plan.bound_usd * (1 + 1e-9)
        assert scenario.redesign_usd >= 0 or not scenario.design_changes


def test_a_finished_run_is_resumed_without_doing_a_stage_again(finished):
    asked, result, folder, told = finished
    again: list[str] = []
    with open_run(folder, resume=True) as kept:
        second = run(asked, kept, again.append)
    assert told
    assert again == []
    assert second.decision == result.decision
    assert np.array_equal(second.space.rates, result.space.rates)


def test_the_same_study_and_seed_give_the_same_bytes(finished, tmp_path):
    asked, _, folder, _ = finished
    with open_run(tmp_path / "twice") as other:
        run(asked, other)
    for file in sorted(folder.glob("*.json")):
        if file.name != "run.log.json":
            assert (tmp_path / "twice" / file.name).read_bytes() == file.read_bytes(), file.name
    names = {f.name for f in folder.glob("*.parquet")}
    assert names == {f.name for f in (tmp_path / "twice").glob("*.parquet")}


def test_every_stage_is_in_the_ledger(finished):
    *_, folder, _ = finished
    stages = json.loads((folder / "ledger.json").read_text())["stages"]
    assert {"design", "front", "build", "accept plan", "buy", "summary"} <= set(stages)


def test_reweighting_keeps_rows_and_changes_only_the_weights(finished):
    _, result, _, _ = finished
    assert result.report is not None
    learned = reweighted(result.space, result.report)
    assert learned.rows == result.space.rows
    assert not np.allclose(learned.parameters.weights, result.space.parameters.weights)


def test_forbidding_redesign_keeps_only_the_named_designs(finished):
    _, result, _, _ = finished
    some = [result.space.rows[0].key]
    kept = only(result.space, some)
    assert [row.key for row in kept.rows] == some
    assert kept.rates.shape[0] == 1


def test_an_unknown_design_is_named_with_the_nearest(finished):
    _, result, _, _ = finished
    key = result.space.rows[0].key
    with pytest.raises(RackwrightError, match="Did you mean"):
        row_of(result.space, key[:-1] + "x")


def test_what_rests_on_fictitious_readings_says_so_in_its_own_record(finished):
    _, result, folder, _ = finished
    assert result.decision.evidence == result.plan.evidence == "none"
    for name in ("plan-on-evidence", "decision_on_evidence"):
        assert json.loads((folder / f"{name}.json").read_text())["evidence"] == "fictitious"
    assert result.summary.evidence is not None
    assert "FICTITIOUS" in result.summary.evidence.decision.text


def test_a_limit_that_nothing_keeps_says_which_and_by_how_much(tmp_path):
    asked = given(tmp_path)
    strict = [
        w.__class__(**{**dict(w), "tpot_s": 1e-5}) if w.kind == "serving" else w
        for w in asked.study.workloads
    ]
    study = Study(**{**dict(asked.study), "workloads": tuple(strict)})
    with pytest.raises(
        NothingFeasibleError, match=r"time per output token misses by a factor of \d"
    ):
        run(asked._replace(study=study))


def test_a_design_that_comes_after_the_horizon_is_told(tmp_path):
    asked = given(tmp_path)
    late = [
        g.__class__(**{**dict(g), "first_week": 500.0})
        for g in asked.study.design_space.generations
    ]
    space = asked.study.design_space.__class__(
        **{**dict(asked.study.design_space), "generations": tuple(late)}
    )
    study = Study(**{**dict(asked.study), "design_space": space})
    with pytest.raises(NothingFeasibleError, match="week"):
        run(asked._replace(study=study))


def test_a_measure_that_is_no_law_is_charged_only_in_a_scenario_that_names_it(tmp_path):
    asked = given(tmp_path)
    scenario = Scenario(name="broad-duty", duties=("tariff-step-servers",))
    law = {d.key for d in duties_in_force(asked, None)}
    then = {d.key: d for d in duties_in_force(asked, scenario)}
    assert "tariff-step-servers" not in law
    assert set(then) == law | {"tariff-step-servers"}
    assert then["tariff-step-servers"].valid_from == asked.study.start


def test_a_study_without_an_answer_leaves_no_folder(tmp_path):
    asked = given(tmp_path)
    cold = [d.__class__(**{**dict(d), "coolant_supply_c": 90.0}) for d in asked.study.data_centers]
    study = Study(**{**dict(asked.study), "data_centers": tuple(cold)})
    with (
        pytest.raises(NothingFeasibleError, match="coolant"),
        open_run(tmp_path / "out") as folder,
    ):
        run(asked._replace(study=study), folder)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["study.toml"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"power_w": 20.0}, r"1 racks draw 1\d\d,\d{3} W, the largest data center gives 1\d W"),
        ({"floor_m2": 0.5}, "smallest block takes"),
    ],
)
def test_a_site_smaller_than_a_block_is_told_with_both_numbers(tmp_path, change, says):
    asked = given(tmp_path)
    small = [d.__class__(**{**dict(d), **change}) for d in asked.study.data_centers]
    study = Study(**{**dict(asked.study), "data_centers": tuple(small)})
    with pytest.raises(NothingFeasibleError, match=says):
        run(asked._replace(study=study))


def test_freedom_never_finds_less_than_the_control(finished):
    _, result, _, _ = finished
    for scenario in result.summary.scenarios:
        assert scenario.redesign_usd >= -1e-6 * abs(scenario.surplus_usd)


def test_readings_of_another_plan_are_refused_before_anything_long(tmp_path, finished):
    asked, result, _, _ = finished
    readings = rehearse(result.acceptance, Rehearsal(racks=4, share_of_promise=0.96), 1)
    other = tuple(r.__class__(**{**dict(r), "plan_sha256": "0" * 64}) for r in readings)
    told: list[str] = []
    with pytest.raises(InputError, match="plan"):
        run(asked._replace(readings=other), tell=told.append)
    assert told[-1] == "accept judge"
    assert not any(stage.startswith(("build ", "buy")) for stage in told)
