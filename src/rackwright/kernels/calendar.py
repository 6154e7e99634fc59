"""The bucketed calendar: edges, ramps over buckets, and what a discounted week is worth."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

WEEKS_PER_YEAR = 365.25 / 7.0
SECONDS_PER_WEEK = 7.0 * 86400.0
HOURS_PER_WEEK = 168.0

TIERS = ((1.0, 13.0), (2.0, 39.0), (4.0, 104.0), (13.0, np.inf))
"""(width, until) in weeks: fine where decisions are taken now, coarse where they can wait."""


def bucket_edges(horizon_weeks: float) -> Array:
    """Return the edges of the buckets that cover a horizon.

    Args:
        horizon_weeks: end of the last bucket [weeks], > 0.

    Returns:
        Edges [weeks], shape (T + 1,), from 0 to the horizon. 104 weeks give 13 buckets of one
        week, 13 of two, 15 of four and one of five: 42. Another horizon follows the same rule:
        widths 1 to week 13, 2 to week 39, 4 to week 104, 13 beyond; the last bucket of a width
        takes the remainder.

    Raises:
        ValueError: the horizon is not positive.

    >>> bucket_edges(104).size - 1
    42
    >>> np.diff(bucket_edges(16)).tolist()[-3:]
    [1.0, 1.0, 3.0]
    """
    if not horizon_weeks > 0:
        raise ValueError(f"horizon_weeks must be > 0, got {horizon_weeks:g}")
    edges = [0.0]
    for width, until in TIERS:
        last = min(until, float(horizon_weeks))
        span = last - edges[-1]
        if span <= 0:
            continue
        first, count = edges[-1], max(1, int(span // width))
        edges.extend(first + width * i for i in range(1, count))
        edges.append(last)
    return np.array(edges)


def ramp_integral(step_week: ArrayLike, step_value: ArrayLike, edges: ArrayLike) -> Array:
    """Return the integral of a step function over each bucket.

    Args:
        step_week: week from which each step holds, shape (n,), any order.
        step_value: its value (per week), shape (n,); 0 before the first step.
        edges: bucket edges [weeks], shape (T + 1,).

    Returns:
        Value times weeks in each bucket, shape (T,).
    """
    week, value = _sorted_steps(step_week, step_value)
    edge = np.asarray(edges, dtype=float)
    until = np.append(week[1:], np.inf)
    shared = np.minimum(edge[1:, None], until) - np.maximum(edge[:-1, None], week)  # (T, n)
    return np.asarray(np.maximum(shared, 0.0) @ value)


def ramp_minimum(
    step_week: ArrayLike, step_value: ArrayLike, start: ArrayLike, end: ArrayLike
) -> Array:
    """Return the least value of a step function in each half-open interval.

    Args:
        step_week: week from which each step holds, shape (n,).
        step_value: its value, shape (n,); 0 before the first step.
        start: starts of the intervals [weeks], shape (V,).
        end: their ends, shape (V,); an empty interval gives the value at its start.

    Returns:
        The least value, shape (V,).
    """
    week, value = _sorted_steps(step_week, step_value)
    week, value = np.insert(week, 0, -np.inf), np.insert(value, 0, 0.0)
    until = np.append(week[1:], np.inf)
    first = np.asarray(start, dtype=float)[:, None]
    last = np.maximum(np.asarray(end, dtype=float)[:, None], np.nextafter(first, np.inf))
    inside = (week < last) & (until > first)
    return np.asarray(np.where(inside, value, np.inf).min(axis=1))


def discounted_weeks(rate_per_year: float, start: ArrayLike, end: ArrayLike) -> Array:
    """Return the integral of the discount factor over each interval.

    Args:
        rate_per_year: yearly discount rate, >= 0.
        start: starts of the intervals [weeks], shape (V,).
        end: their ends [weeks], shape (V,).

    Returns:
        Discounted weeks, shape (V,): equal to end - start at a rate of 0.

    Source:
        Continuous annuity: the integral of (1 + r)^(-u / 52.18) du.
    """
    first, last = np.asarray(start, dtype=float), np.asarray(end, dtype=float)
    force = np.log1p(rate_per_year) / WEEKS_PER_YEAR
    if force == 0.0:
        return np.asarray(last - first)
    # expm1, since the difference of two exponentials near one loses every digit
    return np.asarray(np.exp(-force * first) * -np.expm1(-force * (last - first)) / force)


def discount(rate_per_year: float, week: ArrayLike) -> Array:
    """Return the value today of a dollar paid in a week, shape of `week`."""
    return np.asarray((1.0 + rate_per_year) ** (-np.asarray(week, dtype=float) / WEEKS_PER_YEAR))


def _sorted_steps(step_week: ArrayLike, step_value: ArrayLike) -> tuple[Array, Array]:
    week, value = np.asarray(step_week, dtype=float), np.asarray(step_value, dtype=float)
    order = np.argsort(week, kind="stable")
    return week[order], value[order]
