"""Log price with mean reversion, decay of the long run and scarcity jumps, date to date."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class PriceProcess(NamedTuple):
    """dX = kappa (theta(t) - X) dt + sigma dW + jumps; theta(t) = theta0 - decay t. Years.

    With kappa = 0 the level drifts by -decay. Jumps come at `jumps_per_year`, each normal, and
    fade with the reversion like everything else.
    """

    kappa: float
    theta0: float
    decay: float
    sigma: float
    jumps_per_year: float
    jump_mean: float
    jump_sd: float


class Transition(NamedTuple):
    """X after a time, given x now: normal with mean = slope · x + shift, when n jumps came."""

    slope: float
    shift: Array  # (N,)
    sd: Array  # (N,)
    chance: Array  # (N,) of n = 0 .. N - 1 jumps


def transition(
    process: PriceProcess, start: float, years: float, most_jumps: int = 6
) -> Transition:
    """Return the distribution of X at start + years given X at start.

    Given n jumps, each at a uniform time, a jump's share is matched by its mean and variance;
    everything else is exact.

    Args:
        process: the parameters.
        start: time now [years].
        years: >= 0.
        most_jumps: jumps counted; the rest of the Poisson mass goes to the last.

    Source:
        Ornstein-Uhlenbeck moments with a linear mean; Merton 1976 for the mixture over jumps.
    """
    m = _moments(process, start, np.array([years]))
    fade, shift, variance = float(m.fade[0]), m.shift[0], m.variance[0]
    one_mean, one_variance = m.jump_mean[0], m.jump_variance[0]
    n = np.arange(most_jumps)
    mean_count = process.jumps_per_year * years
    log_chance = n * np.log(max(mean_count, 1e-300)) - mean_count - _log_factorial(n)
    chance = np.exp(log_chance)
    chance[-1] += 1 - chance.sum()
    sd = np.asarray(np.sqrt(variance + n * one_variance), dtype=float)
    return Transition(fade, shift + n * one_mean, sd, chance)


def expected_price(process: PriceProcess, start: float, years: Array, x: Array) -> Array:
    """Return E[exp X(start + years) | X(start) = x].

    Args:
        years: times ahead, shape (T,).
        x: levels now, shape (G,).

    Returns:
        shape (G, T).
    """
    m = _moments(process, start, years)
    jumps = process.jumps_per_year * years * np.expm1(m.jump_mean + 0.5 * m.jump_variance)
    return np.exp(np.multiply.outer(x, m.fade) + m.shift + 0.5 * m.variance + jumps)


class _Moments(NamedTuple):
    """X after each time: fade · x + shift with that variance, and one jump's share of it."""

    fade: Array
    shift: Array
    variance: Array
    jump_mean: Array
    jump_variance: Array


def _moments(process: PriceProcess, start: float, years: Array) -> _Moments:
    k = process.kappa
    if k > 0:
        fade = np.exp(-k * years)
        # theta falls linearly while x reverts to it.
        theta = process.theta0 - process.decay * start
        shift = (theta + process.decay / k) * (1 - fade) - process.decay * years
        variance = process.sigma**2 * (1 - fade**2) / (2 * k)
        ahead = np.maximum(k * years, 1e-12)
        first = -np.expm1(-ahead) / ahead
        second = -np.expm1(-2 * ahead) / (2 * ahead)
    else:
        fade = first = second = np.ones_like(years)
        shift = -process.decay * years
        variance = process.sigma**2 * years
    jump_mean = process.jump_mean * first
    jump_square = (process.jump_mean**2 + process.jump_sd**2) * second
    return _Moments(fade, shift, variance, jump_mean, np.maximum(jump_square - jump_mean**2, 0.0))


def sample(
    process: PriceProcess, x0: float, times: Array, paths: int, rng: np.random.Generator
) -> Array:
    """Return simulated levels at the times, jumps at their own times, shape (paths, T).

    Args:
        x0: level at times[0].
        times: increasing [years], shape (T,).
    """
    levels = np.empty((paths, len(times)))
    levels[:, 0] = x0
    for i in range(1, len(times)):
        ahead = float(times[i] - times[i - 1])
        calm = process._replace(jumps_per_year=0.0)
        step = transition(calm, float(times[i - 1]), ahead, 1)
        jumped = np.zeros(paths)
        counts = rng.poisson(process.jumps_per_year * ahead, paths)
        for n in range(1, int(counts.max(initial=0)) + 1):
            hit = counts >= n
            fade = np.exp(-process.kappa * ahead * rng.random(int(hit.sum())))
            jumped[hit] += fade * rng.normal(process.jump_mean, process.jump_sd, int(hit.sum()))
        noise = rng.normal(size=paths)
        levels[:, i] = step.slope * levels[:, i - 1] + step.shift[0] + step.sd[0] * noise + jumped
    return levels


def _log_factorial(n: NDArray[np.int64]) -> Array:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, len(n))))])
