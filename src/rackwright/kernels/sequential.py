"""Wald's sequential test of a normal mean, good against bad, with known spread."""

from __future__ import annotations

from math import ceil, exp, log, sqrt
from statistics import NormalDist
from typing import NamedTuple

_quantile = NormalDist().inv_cdf


class Boundaries(NamedTuple):
    """Limits of the log likelihood ratio bad : good."""

    accept_at: float  # < 0
    reject_at: float  # > 0


def boundaries(alpha: float, beta: float) -> Boundaries:
    """Return Wald's limits: accept the lot at or below the first, reject at or above the second.

    Args:
        alpha: risk of rejecting a good lot, 0 < alpha < 0.5.
        beta: risk of accepting a bad lot, 0 < beta < 0.5.

    Source:
        Wald, "Sequential Analysis", 1947, section 3.2.
    """
    return Boundaries(log(beta / (1 - alpha)), log((1 - beta) / alpha))


def log_likelihood_ratio(total: float, n: int, good: float, bad: float, sd: float) -> float:
    """Return log L(bad)/L(good) of n readings that sum to `total`.

    Args:
        total: sum of the readings.
        n: how many.
        good: mean of a good lot.
        bad: mean of a bad lot, < good.
        sd: spread of one reading, > 0.
    """
    return (bad - good) / sd**2 * (total - n * 0.5 * (good + bad))


def expected_further(
    ratio: float, truth: float, good: float, bad: float, sd: float, limits: Boundaries
) -> float:
    """Return the expected number of further readings until a decision, when the mean is `truth`.

    Wald's approximation with the excess over the limits neglected, started at the ratio reached
    so far. 0 when a limit has been reached.

    Source:
        Wald 1947, equations 3:43 and A:72 (for a mean midway, where the drift vanishes).
    """
    below, above = limits.accept_at - ratio, limits.reject_at - ratio
    if below >= 0 or above <= 0:
        return 0.0
    step = (bad - good) / sd**2
    drift = step * (truth - 0.5 * (good + bad))
    variance = (step * sd) ** 2
    tilt = -2 * drift / variance  # the h of Wald's operating characteristic
    if abs(tilt * (above - below)) < 1e-6:
        return -below * above / variance
    rise, fall = _capped_exp(tilt * above), _capped_exp(tilt * below)
    accepted = (rise - 1) / (rise - fall)
    return (accepted * below + (1 - accepted) * above) / drift


def _capped_exp(x: float) -> float:
    return exp(min(x, 700.0))


def fixed_sample(good: float, bad: float, sd: float, alpha: float, beta: float) -> int:
    """Return the readings that a one-sided test of fixed size needs to meet both risks."""
    return max(1, ceil(((_quantile(1 - alpha) + _quantile(1 - beta)) * sd / (good - bad)) ** 2))


def unit_limit(alpha: float, units: int) -> float:
    """Return z such that any of n independent normals falls below -z with chance alpha.

    Source:
        Šidák: -ppf(1 - (1 - alpha)^(1/n)); known answers table `order_statistics`.
    """
    return -_quantile(1 - (1 - alpha) ** (1 / units))


def sibling_factor(siblings: int) -> float:
    """Return the spread of (unit - median of its siblings) in spreads of one unit.

    The median of m normals has variance pi/(2 m) for large m; at m = 7 that is 3 % high.
    """
    return sqrt(1 + 1.5707963267948966 / siblings)
