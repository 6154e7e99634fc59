"""What must hold of every plan."""

from __future__ import annotations

import json
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rackwright.build import Limits, plan
from rackwright.build.blocks import supply_by
from rackwright.build.facts import weekly_limits
from rackwright.build.plan import model_of
from rackwright.build.words import amount
from rackwright.design.pricing import price
from rackwright.records.base import canonical_json
from rackwright.records.errors import InputError, NothingFeasibleError
from rackwright.records.study import RobotCells
from tests.build.flagship import flagship
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
from tests.build.test_brute_force import EXACT, random_case
from tests.build.test_certificate import script
from tests.build.test_counter_examples import scarce_memory

QUICK = Limits(nodes=4)


@pytest.fixture(scope="module")
def large():
    study, space = flagship(rows=120)
    built, _ = plan(study, space, price, work_limits=QUICK)
    return study, space, built


def changed(study, **more):
    return type(study)(**{**dict(study), **more})


def test_the_money_lines_add_up_to_the_surplus(large):
    built = large[2]

    assert sum(line.usd for line in built.money) == pytest.approx(built.surplus_usd, rel=1e-12)


def test_the_bound_is_no_lower_than_the_plan(large):
    built = large[2]
    gap = (built.bound_usd - built.surplus_usd) / built.surplus_usd

    assert built.bound_usd >= built.surplus_usd
    assert built.gap_fraction == pytest.approx(gap)
    assert built.proved == (gap <= QUICK.gap)


def test_landed_costs_add_up_to_what_is_spent(large):
    study, space, built = large
    made = defaultdict(float)
    for one in built.deliveries:
        made[one.design] += one.blocks
    landed = sum(one.usd_per_block * made[one.design] for one in built.landed)
    free = changed(
        study,
        objective=type(study.objective)(**{**dict(study.objective), "discount_rate_per_year": 0}),
    )
    model, _ = model_of(free, space, (), QUICK)
    setups = {(d.design.split("-")[0], d.factory) for d in built.deliveries}

    assert {one.design for one in built.landed} == set(built.designs)
    assert setups
    for one in built.landed:
        shares = (one.parts_usd, one.duty_usd, one.labour_usd, one.freight_usd, one.setup_usd)
        assert one.usd_per_block == pytest.approx(sum(shares))
    paid = -sum(
        line.usd for line in built.money if line.usd < 0 and line.name not in ("energy", "site")
    )
    assert landed >= paid  # undiscounted against discounted
    assert landed <= paid * 1.25
    assert model.facts.money == pytest.approx(1.0)


def test_blocks_at_work_are_there(large):
    study, _, built = large
    there = defaultdict(float)
    periods = len(built.buckets) + 1
    starts = [b[0] for b in built.buckets] + [float(study.horizon_weeks)]
    for one in built.deliveries:
        for v in range(periods):
            if starts[v] >= one.arrival_week - 1e-9:
                there[one.design, one.data_center, v] += one.blocks
    used = defaultdict(float)
    for one in built.assignments:
        used[one.design, one.data_center, one.period] += one.blocks

    assert used
    for key, blocks in used.items():
        assert blocks <= there[key] + 1e-4


def test_work_is_at_most_what_is_wanted(large):
    for work in large[2].work:
        assert work.tokens <= work.wanted_tokens * (1 + 1e-6)


def test_weeks_keep_their_limits_and_hold_whole_blocks(large):
    study, space, built = large
    model, _ = model_of(study, space, (), QUICK)
    facts, blocks = model.facts, model.blocks
    limits = weekly_limits(study)
    touch = np.zeros_like(limits.people_h)
    bays = np.zeros_like(limits.bay_h)
    parts = np.zeros((len(facts.parts), study.horizon_weeks))
    for one in built.weekly:
        d, f = blocks.keys.index(one.design), facts.factories.index(one.factory)
        if not blocks.whole[d]:
            assert one.blocks == round(one.blocks)
        touch[f, one.week] += one.blocks * blocks.touch_at_h[d, f]
        bays[f, one.week] += one.blocks * blocks.bay_at_h[d, f]
        parts[:, one.week] += one.blocks * blocks.quantity[d]
        assert one.week >= blocks.first_week[d]
    arrived = np.zeros_like(parts)
    np.add.at(arrived, facts.supply_part, limits.supply_units)
    stock = (
        supply_by(facts)[:, -1]
        - facts.supply_units.sum(axis=1) @ np.eye(len(facts.parts))[facts.supply_part]
    )

    # Hours of a week may go into a block that is finished in the next.
    hours = limits.people_h / (1 - facts.cell_share[:, None])
    assert built.weekly
    assert np.all(bays.cumsum(axis=1) <= limits.bay_h.cumsum(axis=1) + 1e-6)
    assert np.all(bays <= limits.bay_h + blocks.bay_at_h[~blocks.whole].max() + 1e-6)
    assert np.all(touch.cumsum(axis=1) <= hours.cumsum(axis=1) + 1e-6)
    assert np.all(touch <= hours + blocks.touch_at_h[~blocks.whole].max() + 1e-6)
    assert np.all(parts.cumsum(axis=1) <= arrived.cumsum(axis=1) + stock[:, None] + 1e-6)


def test_what_weeks_lose_is_small_and_stated(large):
    built = large[2]

    assert abs(built.weekly_loss_usd) < 0.02 * built.surplus_usd


def test_shadow_prices_lie_between_their_sides(large):
    shadows = large[2].shadow_prices

    assert shadows
    for one in shadows:
        assert 0 <= one.usd_low <= one.usd_per_unit <= one.usd_high
        assert one.basis.startswith("LP")


def test_the_shadow_price_of_memory_is_what_a_stack_earns():
    study, space = scarce_memory()
    built, _ = plan(study, space, slow_price)
    (memory,) = [s for s in built.shadow_prices if s.kind == "part"]

    # Four units make a block that is worth 3.5; one percent more or less changes no block's kind.
    assert memory.usd_low == pytest.approx(3.5 / 4, rel=1e-4)
    assert memory.usd_high == pytest.approx(3.5 / 4, rel=1e-4)
    assert any(line.startswith("supply of hbm: ") for line in built.binding)


def test_the_same_question_gives_the_same_bytes():
    study, space = flagship(rows=40)
    first, one = plan(study, space, price, work_limits=QUICK)
    second, two = plan(study, space, price, work_limits=QUICK)

    assert canonical_json(first) == canonical_json(second)
    assert canonical_json(one) == canonical_json(two)


def test_any_way_of_pricing_gives_the_same_plan():
    study, space = random_case(1)
    fast, _ = plan(study, space, price, work_limits=EXACT)
    slow, _ = plan(study, space, slow_price, work_limits=EXACT)

    assert fast.surplus_usd == pytest.approx(slow.surplus_usd, rel=1e-9)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 200), st.floats(1.0, 2.0))
def test_more_supply_never_lowers_the_surplus(seed, factor):
    study, space = random_case(4 * (seed // 4))  # no robots: their cells slow the proof
    more = changed(
        study,
        supplies=tuple(
            type(s)(
                **{
                    **dict(s),
                    "per_week": tuple(
                        type(p)(week=p.week, value=p.value * factor) for p in s.per_week
                    ),
                }
            )
            for s in study.supplies
        ),
    )
    less, _ = plan(study, space, price, work_limits=EXACT)
    # The set-up's day follows the first part that is there, which the factor does not move.
    other, _ = plan(more, space, price, work_limits=EXACT)

    assert other.bound_usd >= less.surplus_usd - 1e-6
    if other.proved and less.proved:
        assert other.surplus_usd >= less.surplus_usd * (1 - 1e-5) - 1e-6


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 200))
def test_every_bound_holds_however_early_the_search_stops(seed):
    study, space = random_case(seed)
    early, _ = plan(study, space, price, work_limits=Limits(nodes=1, tries=1, whole_share=0.0))
    late, _ = plan(study, space, price, work_limits=Limits(nodes=60, whole_share=0.0))

    assert early.bound_usd >= late.surplus_usd - 1e-6


def test_the_worlds_at_no_spread_are_all_the_plan():
    study, _ = flagship(rows=40)
    space = flagship(rows=40)[1]
    flat = type(space)(
        **{**dict(space), "rates": np.repeat(space.rates.mean(axis=2, keepdims=True), 256, axis=2)}
    )
    built, _ = plan(study, flat, price, work_limits=QUICK)

    assert built.surplus_draws.shape == (256,)
    assert built.surplus_draws == pytest.approx(built.surplus_usd, rel=1e-6)


def test_faster_worlds_are_worth_more(large):
    _, space, built = large
    speed = space.parameters.values[:, 0]
    order = np.argsort(speed)

    assert np.all(np.diff(built.surplus_draws[order]) >= -1e-6 * built.surplus_usd)


def test_an_earlier_plan_is_never_lost():
    study, space = flagship(rows=60)
    first, _ = plan(study, space, price, work_limits=Limits(nodes=8))
    again, _ = plan(study, space, price, known_plans=(first,), work_limits=Limits(nodes=1, tries=1))

    assert again.surplus_usd >= first.surplus_usd * (1 - 1e-9)


def test_only_allowed_platforms_are_built():
    study, space = scarce_memory(allowed=("a",))

    assert plan(study, space, slow_price)[0].designs == ("a",)


def test_the_budget_caps_what_is_spent_to_build():
    study, space = scarce_memory()
    objective = type(study.objective)(**{**dict(study.objective), "budget_usd": 11.0})
    built, _ = plan(changed(study, objective=objective), space, slow_price)

    # 11 dollars buy 2.2 blocks of a (worth 5 each for 5) or 2 of b (3.5 each for 5.5).
    assert built.surplus_usd == pytest.approx(11.0, rel=1e-4)
    assert sum(one.usd_per_block * 2.2 for one in built.landed) == pytest.approx(11.0, rel=1e-4)


def test_cells_are_bought_whole_and_only_when_they_pay():
    robots = RobotCells(
        capex_usd=1.0,
        touch_hours_per_week=1.0,
        usd_per_hour=0.0,
        lead_time_weeks=0,
        automatable=0.5,
    )
    study = make_study(
        [serving()], horizon=4, life=1e5, factories=(factory(touch=1.0, robots=robots),)
    )
    rate = 10e6 / (1e5 * 7 * 86400)
    space = make_space(study, [row("a", rates=[rate], price=1.0)])
    built, _ = plan(study, space, slow_price)

    # One block an hour: with one cell two are built a week instead of one, worth 9 each.
    assert [c.cells for c in built.cells] == [1]
    assert sum(d.blocks for d in built.deliveries) == pytest.approx(8.0, rel=1e-6)


def nothing(**more):
    study = make_study([serving()], horizon=10, **more.pop("study", {}))
    return study, make_space(study, [row("a", rates=[1.0], price=1.0, **more)])


@pytest.mark.parametrize(
    ("case", "says"),
    [
        (nothing(first_week=12.0), r"first week: .*week 12.*before week 10: 2 weeks late"),
        (
            nothing(max_coolant_supply_c=30.0),
            r"coolant: the coldest supply is 40 degC .* 30 degC: 10 K too warm",
        ),
        (
            nothing(study={"data_centers": (center(energised=ramp((40, 1.0))),)}),
            r"power: no data center has IT power before week 10",
        ),
        (
            nothing(
                bill=[("hbm", 4, 0.0)],
                study={"supplies": (supplied("hbm", 5.0, lead_time_weeks=30),)},
            ),
            r"supply: no hbm arrives before week 10 .* at least 4",
        ),
        (
            nothing(study={"factories": (factory(transit_weeks=15),)}),
            r"transit: what the first bucket builds .* after week 10",
        ),
        (nothing(study={"factories": (factory(bays=0.0),)}), r"test bays: no factory"),
        (nothing(study={"factories": (factory(touch=0.0),)}), r"touch hours: no factory"),
        (
            nothing(study={"objective": {"allowed_platforms": ("z",)}}),
            r"allowed_platforms names none of a",
        ),
    ],
)
def test_when_nothing_can_be_built_the_limit_and_its_distance_are_told(case, says):
    study, space = case

    with pytest.raises(NothingFeasibleError, match=says):
        plan(study, space, slow_price)


def test_when_nothing_pays_the_value_that_would_is_told():
    study, space = nothing()
    earned = sum(
        1e-6 * 7 * 86400 * 1.0 for _ in range(9)
    )  # a block of the first week works nine weeks at a dollar per million tokens
    price_usd = 10 * earned
    space = make_space(study, [row("a", rates=[1.0], price=price_usd)])
    built, _ = plan(study, space, slow_price)
    credit = price_usd * 0.1  # it arrives with a tenth of the life gone by

    assert built.designs == ()
    assert built.surplus_usd == 0.0
    assert built.proved
    factor = (price_usd - credit) / earned
    assert built.binding[0].startswith(
        f"chat: nothing pays; a block covers its costs from {factor:.3g}"
    )


def test_a_life_shorter_than_the_horizon_is_refused():
    study = make_study([serving()], horizon=10, life=6)
    space = make_space(study, [row("a", rates=[1.0], price=1.0)])

    with pytest.raises(InputError, match=r"life_weeks: found 6, allowed at least .*10"):
        plan(study, space, slow_price)


def test_training_waits_for_the_whole_block_and_serving_does_not():
    study = make_study(
        [training(tokens=1e12), serving(demand=ramp(1e9))],
        horizon=8,
        life=100,
        data_centers=(center(power=1000.0),),
        factories=(factory(bays=0.25 / 168),),
    )
    block = row("a", rates=[1e3, 1e3], kinds=["training", "serving"], price=1e-6, replicas=8)
    space = make_space(study, [block])
    built, _ = plan(study, space, slow_price)
    first = {
        w.workload: min(a.period for a in built.assignments if a.workload == w.workload)
        for w in built.work
        if w.tokens + w.tokens_after > 0
    }

    assert first["chat"] == 1  # a quarter of the racks, after the first week
    assert first.get("pretrain", 99) >= 4


def test_energy_of_a_fixed_load_is_charged_whatever_is_built():
    """50 W for 3 of 4 weeks and the life after, 0.2 USD per kWh: 168 h · 0.05 kW · 0.2 a week."""
    rows = [row("a", rates=[2.0], price=1.0)]
    plans = []
    for fixed_w in (0.0, 50.0):
        site = center(energy_usd_per_kwh=0.2, fixed_power_w=fixed_w, energised=ramp((1, 1.0)))
        study = make_study([serving()], life=10, data_centers=(site,))
        plans.append(plan(study, make_space(study, rows), slow_price))
    (without, _), (charged, certificate) = plans
    lines = {line.name: line.usd for line in charged.money}

    assert lines["energy of fixed load"] == pytest.approx(-9 * 168 * 0.05 * 0.2)
    assert charged.surplus_usd - without.surplus_usd == pytest.approx(lines["energy of fixed load"])
    assert charged.bound_usd - without.bound_usd == pytest.approx(lines["energy of fixed load"])
    assert charged.deliveries == without.deliveries
    assert charged.weekly_loss_usd == pytest.approx(without.weekly_loss_usd, abs=1e-9)
    assert charged.gap_fraction < 1e-6
    assert script.recheck(json.loads(canonical_json(certificate))) == []
    assert any("does not scale with IT" in note for note in charged.assumptions)


def test_what_a_token_is_worth_later_is_an_assumption_of_the_plan():
    study = make_study([serving()])
    built, _ = plan(study, make_space(study, [row("a", rates=[2.0], price=1.0)]), slow_price)

    assert any(note.startswith("a token is worth the study's value") for note in built.assumptions)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (84.75e6, "W", "84.8 MW"),
        (71_680, "units", "71.7 k units"),
        (2.5e6, "hours", "2.5 M hours"),
        (9_999, "hours", "9,999 hours"),
        (1.5, "USD", "1.5 USD"),
        (6000, "m2", "6,000 m2"),
    ],
)
def test_amounts_are_written_as_people_write_them(value, unit, text):
    assert amount(value, unit) == text
