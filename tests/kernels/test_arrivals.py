"""Made requests: their moments are those that were asked for."""

import numpy as np
import pytest
from scipy import stats

from rackwright.kernels.arrivals import (
    Lengths,
    diurnal_arrivals,
    draw_lengths,
    fit_lengths,
    gamma_arrivals,
    log_normal,
    poisson_arrivals,
)

N = 100_000


def rng():
    return np.random.default_rng(7)


def test_poisson_gaps_are_exponential():
    gaps = np.diff(poisson_arrivals(N, 4.0, rng()))

    assert stats.kstest(gaps, stats.expon(scale=0.25).cdf).pvalue > 0.01


@pytest.mark.parametrize("cv", [0.3, 1.0, 3.0])
def test_bursty_gaps_have_the_rate_and_the_coefficient_of_variation(cv):
    gaps = np.diff(gamma_arrivals(N, 4.0, cv, rng()))

    assert gaps.mean() == pytest.approx(0.25, abs=4 * 0.25 * cv / np.sqrt(N))
    assert gaps.std() / gaps.mean() == pytest.approx(cv, rel=0.03)


def test_diurnal_arrivals_follow_the_wave():
    arrivals = diurnal_arrivals(N, 10.0, 0.8, 1000.0, rng())
    counts, _ = np.histogram(arrivals % 1000.0, bins=20, range=(0.0, 1000.0))
    middle = np.arange(25.0, 1000.0, 50.0)
    expected = 1.0 - 0.8 * np.cos(2 * np.pi * middle / 1000.0) * np.sinc(0.05)

    assert np.all(np.diff(arrivals) >= 0.0)
    np.testing.assert_allclose(counts / counts.mean(), expected, atol=5 * np.sqrt(1.8 * 20 / N))


def test_without_a_swing_the_day_is_flat():
    np.testing.assert_allclose(
        diurnal_arrivals(500, 2.0, 0.0, 100.0, rng()), poisson_arrivals(500, 2.0, rng())
    )


def test_lengths_are_fitted_back():
    made = Lengths(np.array([6.0, 5.0]), np.array([[1.0, 0.4], [0.4, 0.5]]), np.full(2, 1e9))
    fit = fit_lengths(*draw_lengths(N, made, rng()))

    np.testing.assert_allclose(fit.mean, made.mean, atol=0.02)
    np.testing.assert_allclose(fit.covariance, made.covariance, atol=0.03)


@pytest.mark.parametrize(
    ("mean", "quantiles"),
    [(1155.0, {0.9: 2400.0}), (1155.0, {0.5: 700.0}), (None, {0.5: 300.0, 0.99: 4000.0})],
)
def test_a_log_normal_has_the_mean_and_quantiles_it_was_made_from(mean, quantiles):
    mu, sd = log_normal(mean, quantiles)

    if mean is not None:
        assert np.exp(mu + sd * sd / 2) == pytest.approx(mean)
    for share, tokens in quantiles.items():
        assert np.exp(mu + stats.norm.ppf(share) * sd) == pytest.approx(tokens)


@pytest.mark.parametrize(
    ("mean", "quantiles"),
    [(100.0, {0.9: 1000.0}), (100.0, {0.5: 120.0}), (None, {0.5: 10.0}), (None, {}),
     (None, {0.5: 10.0, 0.9: 5.0})],
)  # fmt: skip
def test_what_no_log_normal_can_be_is_refused(mean, quantiles):
    with pytest.raises(ValueError):
        log_normal(mean, quantiles)
