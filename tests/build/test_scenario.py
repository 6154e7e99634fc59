"""Scenarios and duties: what the world changes before the model sees it."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rackwright.build import apply_scenario, plan
from rackwright.build.duties import Goods, duty_rates
from rackwright.build.scenario import scale_window
from rackwright.kernels.calendar import ramp_integral
from rackwright.records.errors import NothingFeasibleError
from rackwright.records.rates import Duty, DutyStep
from rackwright.records.study import DemandEffect, FactoryEffect, Scenario, Step, SupplyEffect
from tests.build.synthetic import (
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

WEEKS = np.arange(0.0, 53.0)


def total(steps, start, end):
    return float(ramp_integral([s.week for s in steps], [s.value for s in steps], [start, end])[0])


@given(
    st.lists(st.tuples(st.floats(0, 50), st.floats(0, 100)), min_size=1, max_size=5),
    st.floats(0, 3),
    st.floats(0, 50),
    st.floats(0, 50),
)
def test_a_window_scales_itself_and_nothing_else(steps, factor, one, other):
    steps = tuple(Step(week=w, value=v) for w, v in steps)
    start, end = min(one, other), max(one, other)
    scaled = scale_window(steps, factor, start, end)

    assert total(scaled, 0, start) == pytest.approx(total(steps, 0, start), abs=1e-6)
    assert total(scaled, start, end) == pytest.approx(factor * total(steps, start, end), abs=1e-6)
    assert total(scaled, end, 80) == pytest.approx(total(steps, end, 80), abs=1e-6)


def closed_study():
    return make_study(
        [serving()],
        horizon=8,
        supplies=(supplied("hbm", 5.0, "TW"), supplied("hbm", 1.0, "US")),
    )


def test_what_is_stopped_does_not_arrive_in_the_window():
    scenario = Scenario(
        name="closed", supply=(SupplyEffect(origin="TW", factor=0.0, from_week=2, to_week=5),)
    )
    study = apply_scenario(closed_study(), scenario)

    assert total(study.supplies[0].per_week, 2, 5) == 0.0
    assert total(study.supplies[0].per_week, 0, 8) == pytest.approx(25.0)
    assert total(study.supplies[1].per_week, 0, 8) == pytest.approx(8.0)


def test_the_plan_uses_nothing_of_what_is_stopped():
    scenario = Scenario(name="closed", supply=(SupplyEffect(factor=0.0, from_week=2, to_week=5),))
    study = closed_study()
    space = make_space(study, [row("a", rates=[50.0], price=1e-3, bill=[("hbm", 1, 0.0)])])

    built, certificate = plan(study, space, slow_price, scenario=scenario)
    used = sum(d.blocks for d in built.deliveries if d.bucket < 5)

    assert built.scenario == certificate.scenario == "closed"
    assert used <= 2 * 6 + 1e-6


def test_demand_and_value_are_scaled_for_the_workload_named():
    study = make_study([serving("chat", 2.0, ramp(10.0)), training("train", 3.0)])
    scenario = Scenario(
        name="boom", demand=(DemandEffect(workload="chat", demand_factor=2, value_factor=0.5),)
    )
    chat, train = apply_scenario(study, scenario).workloads

    assert chat.demand_tokens_per_s[0].value == 20.0
    assert chat.usd_per_million_tokens == 1.0
    assert train == study.workloads[1]


def test_a_closed_country_loses_its_hours_and_bays():
    study = make_study([serving()], factories=(factory("a"), factory("b", country="TW")))
    scenario = Scenario(name="closed", factories=(FactoryEffect(country="TW", factor=0.0),))
    here, there = apply_scenario(study, scenario).factories

    assert here == study.factories[0]
    assert total(there.touch_hours_per_week, 0, 50) == total(there.test_bays, 0, 50) == 0.0


def test_only_the_countries_allowed_build():
    study = make_study([serving()], factories=(factory("a"), factory("b", country="MX")))

    allowed = apply_scenario(study, Scenario(name="us", factory_countries=("US",)))
    assert [f.name for f in allowed.factories] == ["a"]
    with pytest.raises(NothingFeasibleError, match=r"only factories in JP build.*b \(MX\)"):
        apply_scenario(study, Scenario(name="jp", factory_countries=("JP",)))


def test_no_scenario_leaves_the_study_alone():
    study = closed_study()

    assert apply_scenario(study, None) is study


def duty(key, rate, start=date(2026, 1, 1), end=None, **more):
    return Duty(key=key, name=key, rate=rate, valid_from=start, valid_to=end, **more)


def rates(duties, origin="TW", hts="8473.30", destination="US", keys=("hbm",)):
    return duty_rates(Goods(hts, origin, keys), destination, duties, date(2026, 1, 5), WEEKS)


def test_duties_add_up():
    charged, _ = rates([duty("a", 0.1), duty("b", 0.25)])

    assert charged == pytest.approx(0.35)


def test_of_two_that_do_not_stack_the_higher_is_charged():
    charged, _ = rates([duty("a", 0.1), duty("b", 0.25, not_stacked_with=("a",))])

    assert charged == pytest.approx(0.25)


def test_a_duty_holds_from_its_first_day_through_its_last():
    charged, _ = rates([duty("a", 0.5, date(2026, 1, 12), date(2026, 1, 21))])

    assert charged[:4] == pytest.approx([0.0, 0.5, 0.5 * 3 / 7, 0.0])


def test_a_duty_steps_on_its_day():
    charged, _ = rates([duty("a", 0.1, steps=(DutyStep(day=date(2026, 2, 2), rate=0.3),))])

    assert charged[3] == pytest.approx(0.1)
    assert charged[4] == pytest.approx(0.3)


@pytest.mark.parametrize(
    "more",
    [
        {"hts_headings": ("8542",)},
        {"hts_excepted": ("8473",)},
        {"origins_hit": ("CN",)},
        {"origins_exempt": ("MX", "TW")},
        {"destinations": ("MX",)},
        {"end_uses_exempt": ("us_data_center",)},
        {"components_hit": ("h200",)},
    ],
)
def test_a_duty_that_does_not_touch_the_part_is_not_charged(more):
    charged, notes = rates([duty("a", 0.5, **more)])

    assert not charged.any()
    assert notes == ()


def test_what_is_made_at_home_pays_no_duty():
    assert not rates([duty("a", 0.5)], origin="US")[0].any()


def test_a_duty_without_a_first_day_is_a_scenario_and_the_result_says_so():
    charged, notes = rates([duty("threat", 0.25, start=None)])

    assert not charged.any()
    assert notes == ("duty threat: it has no first day, so it is not charged",)


def test_duty_is_paid_and_moves_the_work_to_where_it_is_not():
    study = make_study(
        [serving()],
        horizon=4,
        life=1000,
        factories=(factory("us", bays=2.0 / 168), factory("mx", country="MX", bays=1.0 / 168)),
        supplies=(supplied("gpu", 9.0, "TW", unit_usd=1.0, hts="8473.30"),),
    )
    space = make_space(study, [row("a", rates=[1.0], price=1.5, bill=[("gpu", 1, 1.0)])])

    free, _ = plan(study, space, slow_price)
    taxed, _ = plan(study, space, slow_price, duties=[duty("a", 0.3, hts_headings=("8473",))])
    paid = {line.name: line.usd for line in taxed.money}["duty: parts"]
    in_us = sum(d.blocks for d in taxed.deliveries if d.factory == "us")

    assert paid == pytest.approx(-0.3 * in_us, rel=1e-6)
    assert taxed.surplus_usd == pytest.approx(free.surplus_usd + paid, rel=1e-6)


def test_a_plan_names_the_parts_that_a_scenario_cannot_reach():
    study = closed_study()
    bill = [("hbm", 1, 0.0), ("lid", 1, 0.0), ("fan", 2, 0.0)]
    space = make_space(study, [row("a", rates=[50.0], price=1e-3, bill=bill)])
    supply_stops = Scenario(name="closed", supply=(SupplyEffect(origin="TW", factor=0.0),))
    demand_falls = Scenario(name="slump", demand=(DemandEffect(demand_factor=0.9),))

    stopped, _ = plan(study, space, slow_price, scenario=supply_stops)
    slump, _ = plan(study, space, slow_price, scenario=demand_falls)
    named = [note for note in stopped.assumptions if note.startswith("scenario closed: not touch")]

    assert len(named) == 1
    assert named[0].endswith(": fan, lid")
    assert not any("not touched" in note for note in slump.assumptions)
