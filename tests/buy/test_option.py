"""The option against closed forms, limits and its own simulation."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
import pytest
from scipy.stats import norm

from rackwright.buy.decide import decide, what_flips
from rackwright.buy.option import ACTIONS, learned_variance, solve
from rackwright.buy.paths import play
from rackwright.kernels.price_process import PriceProcess, expected_price, sample, transition
from rackwright.records.decision import OptionCase

BASE = OptionCase(
    study_sha256="synthetic", design="synthetic", workload="chat", lot_blocks=100,
    strike_usd_per_block=4e6, delivery_weeks=20, rate_tokens_per_s=2.5e5,
    performance_log_mean=0.0, performance_log_sd=0.12, average_power_w=1.1e5,
    reserved_power_w=1.4e5, pue=1.2, energy_usd_per_kwh=0.06, infrastructure_usd_per_w_year=1.0,
    operation_usd_per_block_year=5e4, availability=0.97, utilisation=0.7, life_weeks=260,
    salvage=0.05, gate_weeks=(0, 8, 16, 26), lapse_per_week=0.004, discount_rate_per_year=0.1,
    price_usd_per_million_tokens=0.25, long_run_usd_per_million_tokens=0.3,
    mean_reversion_per_year=0.6, volatility_per_year=0.4, decay_per_year=0.1, jumps_per_year=0.5,
    jump_log_mean=0.1, jump_log_sd=0.1, campaign_racks=4, campaign_usd=2e5, reading_log_sd=0.022,
    model_log_sd=0.03,
)  # fmt: skip


def case(**changes) -> OptionCase:
    return OptionCase(**{**dict(BASE), **changes})


def test_one_gate_and_no_spread_is_a_black_scholes_call():
    # Drift set so that E[price] grows at 0: mean -sigma²/2 a year as decay, no reversion.
    sigma, years = 0.4, 26 * 168 / 8766
    c = case(
        mean_reversion_per_year=0.0, decay_per_year=sigma**2 / 2, volatility_per_year=sigma,
        jumps_per_year=0.0, gate_weeks=(26,), lapse_per_week=0.0, performance_log_sd=0.0,
    )  # fmt: skip
    solved = solve(c)
    # The first gate is at week 26: the grid holds values at that gate; take today's expectation.
    from rackwright.kernels.grid import mixture_matrix

    step = transition(solved.worth.process, 0.0, years)
    ahead = mixture_matrix(solved.prices, step) @ solved.actions[0, 0].max(axis=0)
    middle = len(solved.beliefs) // 2
    got = np.interp(log(0.25), solved.prices, ahead[:, middle]) * 1.1**-years
    revenue = float(solved.worth.revenue_usd(years, np.array([log(0.25)]))[0])
    d1 = log(revenue / solved.worth.cost_usd) / (sigma * sqrt(years)) + sigma * sqrt(years) / 2
    d2 = d1 - sigma * sqrt(years)
    want = 1.1**-years * (revenue * norm.cdf(d1) - solved.worth.cost_usd * norm.cdf(d2))
    assert got == pytest.approx(want, rel=2e-3)


def test_the_policy_on_fresh_paths_confirms_the_induction():
    solved = solve(BASE)
    played = play(BASE, solved, seed=3, paths=20_000)
    # Within three standard errors and half a percent of grid error.
    assert played.value_usd == pytest.approx(
        solved.value, abs=3 * played.standard_error_usd + 0.005 * solved.value
    )
    assert played.value_usd <= played.perfect_usd


def test_more_gates_tests_and_information_never_lower_the_value():
    few = solve(case(gate_weeks=(0, 26))).value
    more = solve(case(gate_weeks=(0, 8, 26))).value
    untested = solve(BASE, tests=False).value
    paid, free = solve(BASE).value, solve(BASE, free_tests=True).value
    assert few <= more * (1 + 1e-4)
    assert untested <= paid * (1 + 1e-9) <= free * (1 + 2e-9)
    sharper = solve(case(reading_log_sd=0.005, model_log_sd=0.0), free_tests=True).value
    assert free <= sharper * (1 + 1e-4)


def test_a_dearer_strike_or_likelier_lapse_never_raises_the_value():
    values = [solve(case(strike_usd_per_block=k)).value for k in (3e6, 4e6, 5e6)]
    assert values == sorted(values, reverse=True)
    assert solve(case(lapse_per_week=0.05)).value <= solve(BASE).value


def test_what_is_learned_grows_to_what_the_shared_error_leaves():
    learned = learned_variance(BASE, 6)
    assert learned[0] == 0
    assert np.all(np.diff(learned) > 0)
    limit = 0.12**4 / (0.12**2 + 0.03**2)
    assert learned[-1] < limit


def test_the_transition_has_the_moments_of_a_simulation_by_the_day():
    process = PriceProcess(0.8, log(0.3), 0.2, 0.45, 1.5, 0.15, 0.15)
    rng = np.random.default_rng(5)
    days = np.linspace(0, 0.5, 184)
    fine = sample(process, log(0.2), days, 20_000, rng)[:, -1]
    step = transition(process, 0.0, 0.5)
    mean = step.slope * log(0.2) + float(step.chance @ step.shift)
    spread = (
        float(step.chance @ (step.sd**2 + step.shift**2)) - float(step.chance @ step.shift) ** 2
    )
    assert fine.mean() == pytest.approx(mean, abs=4 * fine.std() / sqrt(20_000) + 1e-3)
    assert fine.std() == pytest.approx(sqrt(spread), rel=0.03)
    expected = expected_price(process, 0.0, np.array([0.5]), np.array([log(0.2)]))[0, 0]
    assert np.exp(fine).mean() == pytest.approx(expected, rel=0.01)


def test_a_forward_curve_is_the_expected_price():
    c = case(forward=((0, 0.25), (52, 0.20), (300, 0.15)))
    solved = solve(c)
    process = solved.worth.process
    for years in (0.25, 0.9):
        expected = expected_price(
            process, 0.0, np.array([years]), np.array([solved.worth.level_now])
        )[0, 0]
        curve = np.interp(years * 8766 / 168, [0, 52, 300], [0.25, 0.20, 0.15])
        assert expected * solved.worth.scale(years) == pytest.approx(curve, rel=1e-5)


def test_the_decision_names_conditions_that_really_flip_it():
    made = decide(BASE, seed=1)
    flips = [c for c in made.conditions if c.flips_at is not None]
    assert flips
    for condition in flips[:3]:
        beyond = solve(case(**{condition.estimate: condition.flips_at}))
        from rackwright.buy.option import ACTIONS

        assert ACTIONS[beyond.at(0, 0, *beyond.start)[0]] == condition.becomes != made.action
    assert made.text
    assert made.option_usd >= max(made.exercise_now_usd, 0)


def test_conditions_are_sorted_by_how_small_a_change_flips():
    conditions = what_flips(BASE, decide(BASE, seed=1).action)
    moves = [abs(log(c.flips_at / c.now)) for c in conditions if c.flips_at is not None]
    assert moves == sorted(moves)


def test_a_worthless_product_is_declined():
    made = decide(case(rate_tokens_per_s=1.0), seed=1)
    assert made.action == "decline"
    assert made.option_usd == pytest.approx(0, abs=1)


def test_a_gates_prices_are_those_at_which_the_policy_changes():
    decision, solved = decide(BASE, seed=1), solve(BASE)
    for i, gate in enumerate(decision.gates):
        for price, action in (
            (gate.exercise_above_usd_per_million_tokens, "exercise"),
            (gate.decline_below_usd_per_million_tokens, "decline"),
        ):
            if price is None:
                continue
            side = 1 if action == "exercise" else -1
            done = [
                ACTIONS[solved.at(i, 0, log(price) + side * by, solved.start[1])[0]]
                for by in (1e-4, -1e-4)
            ]
            assert done[0] == action
            assert done[1] != action
    last = decision.gates[-1]  # nothing comes after it: what is not bought is declined
    assert last.exercise_above_usd_per_million_tokens == pytest.approx(
        last.decline_below_usd_per_million_tokens, rel=1e-3
    )


def test_what_is_done_today_is_what_its_gate_says():
    first = decide(BASE, seed=1).gates[0].exercise_above_usd_per_million_tokens
    for price, buys in ((first * 1.001, True), (first * 0.999, False)):
        assert (
            decide(case(price_usd_per_million_tokens=price), seed=1).action == "exercise"
        ) == buys
