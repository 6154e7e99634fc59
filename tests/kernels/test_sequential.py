"""Wald's test against known answers and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rackwright.kernels.sequential import (
    boundaries,
    expected_further,
    fixed_sample,
    log_likelihood_ratio,
    unit_limit,
)

# Published table `order_statistics`: the limit below which any of n falls with chance 1 %.
LIMITS = [(2, -2.575), (4, -2.8058), (16, -3.2259)]


@pytest.mark.parametrize(("n", "z"), LIMITS)
def test_the_family_wise_limit_is_the_published_one(n, z):
    assert -unit_limit(0.01, n) == pytest.approx(z, abs=5e-4)


def test_a_fixed_sample_is_the_textbook_one():
    # ((1.6449 + 1.2816) * 1 / 0.5)^2 = 34.26
    assert fixed_sample(0.0, -0.5, 1.0, 0.05, 0.10) == 35


def test_risks_and_sample_size_hold_in_simulation():
    rng = np.random.default_rng(7)
    good, bad, sd, alpha, beta = 0.0, -0.07, 0.0224, 0.05, 0.10
    limits = boundaries(alpha, beta)
    for truth, wanted in ((good, "accept"), (bad, "reject")):
        wrong, lengths = 0, []
        for _ in range(2000):
            total, n, ratio = 0.0, 0, 0.0
            while limits.accept_at < ratio < limits.reject_at:
                total, n = total + rng.normal(truth, sd), n + 1
                ratio = log_likelihood_ratio(total, n, good, bad, sd)
            lengths.append(n)
            wrong += (ratio <= limits.accept_at) != (wanted == "accept")
        assert wrong / 2000 <= (alpha if wanted == "accept" else beta) + 0.015
        expected = expected_further(0.0, truth, good, bad, sd, limits)
        # Wald neglects the excess over the limit: never longer than simulated, at most one less.
        assert expected - 0.1 <= np.mean(lengths) <= expected + 1.2


@given(
    truth=st.floats(-0.2, 0.1),
    ratio=st.floats(-2.2, 2.8),
    sd=st.floats(0.005, 0.2),
)
def test_further_readings_are_finite_and_positive_between_the_limits(truth, ratio, sd):
    limits = boundaries(0.05, 0.10)
    further = expected_further(ratio, truth, 0.0, -0.07, sd, limits)
    inside = limits.accept_at < ratio < limits.reject_at
    assert np.isfinite(further)
    assert (further > 0) == inside


def test_the_drift_free_case_joins_its_neighbours():
    limits = boundaries(0.05, 0.10)
    at = expected_further(0.0, -0.035, 0.0, -0.07, 0.02, limits)
    beside = expected_further(0.0, -0.035 + 1e-5, 0.0, -0.07, 0.02, limits)
    assert at == pytest.approx(beside, rel=1e-3)
