"""How far an outcome moves with its inputs: against functions whose answer is known."""

import numpy as np
import pytest

from rackwright.kernels.sensitivity import swings


def draws(seed=3, n=4000):
    rng = np.random.default_rng(seed)
    return np.exp(rng.standard_normal((n, 3)) * np.array([0.1, 0.3, 0.05]))


def test_a_power_law_moves_by_its_exponent_times_the_spread():
    values = draws()
    weights = np.full(len(values), 1 / len(values))
    move, correlation = swings(values, values[:, 0] ** -2 * values[:, 1], weights, 1.0)

    assert move[:2] == pytest.approx([-0.2, 0.3], abs=0.02)
    assert abs(correlation[2]) < 3 / np.sqrt(len(values))
    assert correlation[0] == pytest.approx(-0.2 / np.hypot(0.2, 0.3), abs=0.04)


def test_an_input_that_does_not_vary_moves_nothing():
    values = np.ones((10, 1))
    move, correlation = swings(values, np.linspace(1, 2, 10), np.full(10, 0.1), 1.0)

    assert (move[0], correlation[0]) == (0.0, 0.0)


def test_worlds_without_weight_do_not_count():
    values = draws(n=200)
    outcome = values[:, 0].copy()
    outcome[100:] = 7.0
    weights = np.where(np.arange(200) < 100, 0.01, 0.0)
    move, correlation = swings(values, outcome, weights, 1.0)

    assert correlation[0] == pytest.approx(1.0)
    assert move[0] == pytest.approx(np.std(np.log(values[:100, 0])))
