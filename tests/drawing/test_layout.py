"""Every number in a picture is the records' number."""

from __future__ import annotations

import numpy as np
import pytest

from rackwright.drawing.layout.designs import chosen, cost_ranges, price_bars, step_bars
from rackwright.drawing.layout.early import probe_rows, rate_spread, share_of_promise
from rackwright.drawing.layout.option import boundary_curves, option_bars, today
from rackwright.drawing.layout.plans import (
    money_fall,
    power_steps,
    progress_curves,
    rack_steps,
    served_steps,
    surplus_spread,
)
from rackwright.drawing.layout.scenarios import gains, loss_pairs, mix_bars
from rackwright.drawing.names import BASELINE, LISTED, names_of
from rackwright.drawing.page import page_of
from rackwright.records.plan import MoneyLine
from tests.drawing import synthetic
from tests.drawing.synthetic import FOUR, OLD, ONE, WORLDS, plan, report, run, space, study

NAMES = names_of(space(), [ONE, FOUR, OLD], baselines={OLD})
EVEN = np.full(WORLDS, 1 / WORLDS)


def test_names_say_what_tells_designs_apart_and_keep_their_colours():
    assert NAMES.labels == {ONE: "sys-a · 1 rack", FOUR: "sys-a · 4 racks", OLD: "sys-old"}
    assert NAMES.colours == {ONE: "c0", FOUR: "c1", OLD: BASELINE}
    assert NAMES.label("unknown/key") == "unknown/key"


def test_a_baseline_is_grey_unless_it_is_built():
    old = run(summary=synthetic.summary(mix=()))
    built = run(summary=synthetic.summary(mix=(
        synthetic.DesignBlocks(
            design=OLD, blocks=1, racks=1, accelerators=8, program_blocks=1
        ),
    )))  # fmt: skip

    assert page_of(study(), old).names.colour(OLD) == BASELINE
    assert page_of(study(), built).names.colour(OLD) == "c0"


def test_only_what_a_plan_builds_has_a_colour_of_its_own():
    names = names_of(space(), [ONE, FOUR, OLD], baselines={OLD}, built=[FOUR])

    assert (names.colour(FOUR), names.colour(ONE), names.colour(OLD)) == ("c0", LISTED, BASELINE)


def test_prices_per_accelerator_add_up_to_the_price():
    rows = space().rows

    drawn = price_bars(rows, NAMES)

    for row, bar in zip(rows, drawn.rows, strict=True):
        assert sum(s.value for s in bar.segments) == pytest.approx(
            row.price_usd / row.accelerators / 1e3
        )
        assert [s.name for s in bar.segments] == ["accelerators", "memory", "residual"]
    assert drawn.rows[0].note == "250 (225 to 300)"


def test_kinds_of_price_beyond_the_colours_are_one_rest():
    one = space().rows[0]
    lines = tuple(one.price[0].__class__(name=f"k{i}", usd=(20 - i) * 1e4, usd_low=0, usd_high=0,
                                         grade="D") for i in range(12))  # fmt: skip
    row = one.__class__(**{**dict(one), "price": lines, "price_usd": sum(x.usd for x in lines)})

    (bar,) = price_bars([row], NAMES).rows

    assert [s.name for s in bar.segments] == [*(f"k{i}" for i in range(7)), "rest"]
    assert sum(s.value for s in bar.segments) == pytest.approx(row.price_usd / 8 / 1e3)


def test_parts_of_a_step_are_longest_first_in_the_steps_unit():
    served = space().rows[0].services[0]
    trained = space().rows[1].services[1]

    assert [(r.label, r.segments[0].value) for r in step_bars(served).rows] == [
        ("products", pytest.approx(14.0)),
        ("waiting", pytest.approx(6.0)),
    ]
    assert step_bars(served).unit == "ms of a step of 20 ms"
    assert step_bars(trained).rows[0].segments[0].value == pytest.approx(2.8)


def test_cost_per_token_goes_with_one_over_the_rate():
    rows = cost_ranges(synthetic.front(), "chat", NAMES).rows

    assert [r.label for r in rows] == ["sys-a · 1 rack", "sys-a · 4 racks", "sys-old (baseline)"]
    assert (rows[0].low, rows[0].value, rows[0].high) == pytest.approx((0.08, 0.1, 0.125))


def test_the_design_that_does_most_of_a_workload_is_explained():
    answer = run()

    assert chosen(answer.space, answer.front, answer.plan, "chat") == ONE
    assert chosen(answer.space, answer.front, answer.plan, "pretrain") == FOUR
    assert chosen(answer.space, answer.front, plan(assignments=()), "pretrain") == FOUR


def test_racks_stand_from_the_week_in_which_they_arrive():
    drawn = rack_steps(space(), plan(), NAMES)

    assert drawn.edges == (0.0, 1.0, 2.0, 4.0)
    assert {layer.name: layer.values for layer in drawn.layers} == {
        "sys-a · 1 rack": (0, 10, 15),
        "sys-a · 4 racks": (0, 8, 8),
    }


def test_power_reserved_is_it_power_and_live_power_is_the_meters_over_pue():
    drawn = power_steps(study(), space(), plan(), NAMES)

    assert drawn.layers[0].values == pytest.approx((0, 1.0, 1.5))
    assert drawn.layers[1].values == pytest.approx((0, 0.8, 0.8))
    assert drawn.limit.points == ((0.0, pytest.approx(5.0)), (3.0, pytest.approx(10.0)))


def test_work_served_counts_expected_rates_and_availability():
    asked = study()

    drawn = served_steps(asked, space(), plan(), asked.workloads[0], NAMES)

    available = asked.objective.availability
    one, four = drawn.layers
    assert one.values == pytest.approx((0, 10 * available, 15 * available))
    assert four.values == pytest.approx((0, 0, 4 * available))
    assert drawn.limit.points == ((0, 10.0), (2, 40.0))


def test_training_progress_is_cumulative_and_marks_its_end():
    asked = study()

    drawn = progress_curves(asked, space(), plan(), asked.workloads[1])

    week = 1e6 * 604800 * asked.objective.availability / 1e12
    done, goal, due = drawn.lines
    assert done.points == (
        (0.0, 0.0),
        (1.0, 0.0),
        (2.0, pytest.approx(week)),
        (4.0, pytest.approx(3 * week)),
    )
    assert {y for _, y in goal.points} == {2.0}
    assert {x for x, _ in due.points} == {3.0}
    assert [(m.x, m.y) for m in drawn.marks] == [(3.5, 2.0)]


def test_money_lines_add_up_and_small_ones_are_put_together():
    drawn = money_fall(plan())

    assert [r.label for r in drawn.rows] == [
        "work: chat", "1 small gains", "parts", "2 small costs",
    ]  # fmt: skip
    assert sum(r.value for r in drawn.rows) == pytest.approx(120 - 20)
    assert drawn.total.value == pytest.approx(100)


def test_a_large_gain_is_never_among_small_lines():
    drawn = money_fall(plan(money=(MoneyLine(name="a", usd=5e6), MoneyLine(name="b", usd=-4e6))))

    assert [(r.label, r.value) for r in drawn.rows] == [("a", 5.0), ("b", -4.0)]


def test_the_plans_worth_over_the_worlds_keeps_weight_and_mean():
    drawn = surplus_spread(plan(), EVEN)

    assert sum(drawn.of[0].shares) == pytest.approx(1)
    assert drawn.of[0].mean == pytest.approx(85)
    assert (drawn.edges[0], drawn.edges[-1]) == pytest.approx((60, 110))


def test_scenarios_lose_what_the_records_say_with_redesign_and_without():
    scenarios = run().summary.scenarios

    rows = loss_pairs(scenarios).rows

    assert [(r.label, r.with_, r.without) for r in rows] == [
        ("hbm-halves", pytest.approx(30), pytest.approx(30)),
        ("strait", pytest.approx(50), pytest.approx(62)),
        ("doubt", pytest.approx(20), pytest.approx(20.5)),
    ]
    assert [gains(s) for s in scenarios] == [False, True, False]


def test_mixes_have_a_control_only_where_designs_change():
    summary = run().summary

    drawn = mix_bars(summary.mix, summary.scenarios, NAMES)

    assert [row.label for row in drawn.rows] == [
        "base plan", "hbm-halves", "strait", "strait, without redesign", "doubt",
        "doubt, without redesign",
    ]  # fmt: skip
    assert [s.value for s in drawn.rows[0].segments] == [15, 8]


def test_probes_are_shares_of_the_promise_where_more_is_better():
    terms = synthetic.acceptance()

    higher, lower = probe_rows(terms, report(fictitious=False)).rows

    assert share_of_promise(terms.probes[1], 100e3) == pytest.approx(0.9)
    assert (higher.predicted, higher.good, higher.bad) == pytest.approx((1.05, 1, 0.95))
    assert lower.predicted == pytest.approx(1 / 1.05)
    assert lower.bad == pytest.approx(90 / 95)
    assert lower.low < lower.high
    assert [(u.name, u.share, u.out) for u in higher.units] == [
        ("r1", pytest.approx(0.98), False),
        ("r2", pytest.approx(0.8), True),
    ]
    assert (higher.center, higher.verdict) == (pytest.approx(0.98), "INCONCLUSIVE")
    assert lower.center == pytest.approx(0.9)


def test_before_hardware_probes_have_no_readings():
    for probe in probe_rows(synthetic.acceptance(), None).rows:
        assert (probe.units, probe.center, probe.verdict) == ((), None, "")


def test_rates_before_and_after_are_the_same_worlds_with_other_weights():
    judged = report(fictitious=False)

    drawn = rate_spread(space(), judged, ONE)

    before, after = drawn.of
    assert before.mean == pytest.approx(1.0)
    assert after.mean == pytest.approx(np.asarray(judged.weights) @ np.linspace(0.8, 1.2, WORLDS))
    assert sum(after.shares) == pytest.approx(1)
    assert "M tokens/s per block on chat" in drawn.unit


def test_the_option_is_drawn_with_the_decisions_values():
    decision = synthetic.decision("wait")

    values = [row.segments[0].value for row in option_bars(decision).rows]

    assert values == pytest.approx([40, 45, 50, 70])


def test_the_boundary_has_a_line_for_each_gate_with_two_points_and_marks_today():
    drawn = boundary_curves(study(), space(), synthetic.decision("wait"), EVEN)

    assert {line.name: line.points for line in drawn.lines} == {
        "today": ((0.8, 0.5), (1.2, 0.3)),
        "gate in week 8": ((0.8, 0.4), (1.2, 0.2)),
    }
    performance = float(np.exp(np.mean(np.log(np.linspace(0.8, 1.2, WORLDS)))))
    assert [(m.x, m.y) for m in drawn.marks] == [(pytest.approx(performance), 0.4)]


def test_today_is_unknown_without_a_market():
    assert today(study(market=None), space(), synthetic.decision("wait"), EVEN) is None
