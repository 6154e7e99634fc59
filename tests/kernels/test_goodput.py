"""Goodput: the renewal formula against chance, the optimum against a search, Erlang's formula."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from rackwright.kernels.goodput import (
    best_interval,
    daly_interval,
    effective_share,
    halted_share,
    lost_work_s,
    spares_for,
    young_interval,
)

ONE = np.array([1.0])


def share(interval, write, mtbf, down):
    return float(effective_share(interval, write, mtbf, np.array([down]), ONE))


def test_the_renewal_formula_is_what_chance_gives():
    # segments of 300 s and 20 s of checkpoint, a failure every 1,000 s, restarts of 120 s
    rng = np.random.default_rng(2)
    tau, delta, mtbf, down, kept = 300.0, 20.0, 1000.0, 120.0, 20_000
    spent = np.zeros(kept)
    for k in range(kept):
        while (fails := rng.exponential(mtbf)) < tau + delta:
            spent[k] += fails
            while (again := rng.exponential(mtbf)) < down:
                spent[k] += again
            spent[k] += down
        spent[k] += tau + delta
    error = 4 * spent.std() / np.sqrt(kept)

    assert spent.mean() == pytest.approx(tau / share(tau, delta, mtbf, down), abs=error)
    assert error < 0.02 * spent.mean()


def test_causes_count_by_their_share():
    mixed = effective_share(100.0, 5.0, 3000.0, np.array([60.0, 600.0]), np.array([0.7, 0.3]))
    one, other = (share(100.0, 5.0, 3000.0, down) for down in (60.0, 600.0))

    assert 1 / mixed == pytest.approx(0.7 / one + 0.3 / other)


@given(st.floats(0.01, 1e4), st.floats(100.0, 1e7))
def test_no_interval_is_better_than_the_best(write, mtbf):
    best = float(best_interval(write, mtbf))
    found = minimize_scalar(
        lambda log: -share(np.exp(log), write, mtbf, 100.0),
        bounds=(np.log(best) - 2, np.log(best) + 2), method="bounded",
    )  # fmt: skip

    assert share(best, write, mtbf, 100.0) >= -found.fun * (1 - 1e-9)


@given(st.floats(1e-3, 10.0), st.floats(1e4, 1e7))
def test_rare_failures_leave_what_young_and_daly_say(write, mtbf):
    best = float(best_interval(write, mtbf))

    assert young_interval(write, mtbf) == pytest.approx(best, rel=np.sqrt(write / mtbf) + 1e-6)
    assert daly_interval(write, mtbf) == pytest.approx(best, rel=write / mtbf + 1e-6)


def test_more_of_anything_bad_leaves_less():
    base = share(200.0, 10.0, 5000.0, 100.0)

    assert share(200.0, 20.0, 5000.0, 100.0) < base
    assert share(200.0, 10.0, 4000.0, 100.0) < base
    assert share(200.0, 10.0, 5000.0, 200.0) < base


def test_erlangs_formula_has_its_tabulated_values():
    # Erlang B of 5 erlangs on 10 lines is 0.01838, of 1 erlang on 2 lines 0.2
    assert halted_share(9, 5.0) == pytest.approx(0.01838, abs=5e-6)
    assert halted_share(1, 1.0) == pytest.approx(0.2)


@given(st.floats(1e-4, 200.0), st.floats(1e-6, 0.5))
def test_one_spare_fewer_is_not_enough(in_repair, halted):
    spares = spares_for(halted, in_repair)

    assert halted_share(spares, in_repair) <= halted
    if spares > 0:
        assert halted_share(spares - 1, in_repair) > halted


def test_short_segments_lose_half_of_themselves():
    assert lost_work_s(10.0, 1e6) == pytest.approx(5.0, rel=1e-4)
