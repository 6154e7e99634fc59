"""Requests that nobody recorded: when they arrive, and how long they are."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Whole = NDArray[np.int64]


class Lengths(NamedTuple):
    """Log-normal lengths of prompts and answers, correlated in their logarithms."""

    mean: Array  # (2,) of the logarithms: prompt, answer
    covariance: Array  # (2, 2)
    most: Array  # (2,) tokens; longer ones are cut


def poisson_arrivals(n: int, rate_per_s: float, rng: np.random.Generator) -> Array:
    """Return n arrivals [s] of a Poisson process."""
    gaps: Array = rng.exponential(1.0 / rate_per_s, n)
    return gaps.cumsum()


def gamma_arrivals(n: int, rate_per_s: float, cv: float, rng: np.random.Generator) -> Array:
    """Return n arrivals [s] whose gaps are gamma distributed: bursty above a cv of 1.

    Args:
        n, rate_per_s: how many, at which mean rate.
        cv: coefficient of variation of the gaps, > 0; 1 is the Poisson process.
        rng: chance.

    Source:
        Shape 1 / cv², mean 1 / rate (BurstGPT, arXiv 2401.17644, fits traces so).
    """
    shape = 1.0 / (cv * cv)
    gaps: Array = rng.gamma(shape, 1.0 / (rate_per_s * shape), n)
    return gaps.cumsum()


def diurnal_arrivals(
    n: int, rate_per_s: float, swing: float, period_s: float, rng: np.random.Generator
) -> Array:
    """Return n arrivals [s] of a Poisson process whose rate follows the day.

    Args:
        n: how many.
        rate_per_s: mean over a period.
        swing: 0..1; the rate goes from (1 - swing) to (1 + swing) times the mean.
        period_s: of the wave, which begins at its lowest.
        rng: chance.

    Notes:
        A unit Poisson process, its time bent by the inverse of the cumulative rate
        Λ(t) = rate · (t - swing · sin(2πt / period) · period / 2π); Newton's method, bisected where
        it leaves its bracket.
    """
    wanted = rng.exponential(1.0, n).cumsum() / rate_per_s
    reach = swing * period_s / (2.0 * math.pi)
    low, high = wanted - reach, wanted + reach
    t = wanted.copy()
    for _ in range(60):
        turn = 2.0 * math.pi * t / period_s
        over = t - reach * np.sin(turn) - wanted
        low, high = np.where(over < 0.0, t, low), np.where(over >= 0.0, t, high)
        slope = np.maximum(1.0 - swing * np.cos(turn), 1e-9)
        step = t - over / slope
        t = np.where((step > low) & (step < high), step, 0.5 * (low + high))
    return np.maximum.accumulate(t)


def fit_lengths(inputs: Whole, outputs: Whole) -> Lengths:
    """Return the log-normal lengths that are most likely, given those of a trace (both > 0)."""
    logs = np.log(np.stack([inputs, outputs]).astype(np.float64))
    covariance = np.cov(logs, bias=True) if logs.shape[1] > 1 else np.zeros((2, 2))
    most = np.array([inputs.max(), outputs.max()], dtype=np.float64)
    return Lengths(logs.mean(axis=1), covariance, most)


def draw_lengths(n: int, lengths: Lengths, rng: np.random.Generator) -> tuple[Whole, Whole]:
    """Return n prompt and answer lengths, whole tokens from 1 on."""
    values, vectors = np.linalg.eigh(lengths.covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
    logs = lengths.mean[:, None] + root @ rng.standard_normal((2, n))
    drawn = np.minimum(np.exp(logs), lengths.most[:, None])
    inputs, outputs = np.maximum(np.rint(drawn), 1.0).astype(np.int64)
    return inputs, outputs


def log_normal(mean: float | None, quantiles: dict[float, float]) -> tuple[float, float]:
    """Return mean and standard deviation of the logarithm of a log-normal length.

    Args:
        mean: tokens; None where two quantiles are given.
        quantiles: tokens by share, such as {0.9: 2500.0}; one beside a mean, or two.

    Raises:
        ValueError: what is given fits no log-normal, or is not enough.
    """
    z = {share: NormalDist().inv_cdf(share) for share in quantiles}
    if mean is not None and not quantiles:
        return math.log(mean), 0.0
    if mean is None and len(quantiles) == 2:
        (one, a), (other, b) = sorted(quantiles.items())
        sd = math.log(b / a) / (z[other] - z[one])
        if sd < 0.0:
            raise ValueError("a higher quantile is shorter than a lower one")
        return math.log(a) - sd * z[one], sd
    if mean is not None and len(quantiles) == 1:
        ((share, length),) = quantiles.items()
        # log(length) = log(mean) - sd²/2 + z sd: the smaller root, the narrower spread
        gap, slope = math.log(length / mean), z[share]
        inside = slope * slope - 2.0 * gap
        if inside < 0.0:
            raise ValueError("no log-normal has a quantile so far above its mean")
        sd = slope - math.sqrt(inside) if slope > 0.0 else slope + math.sqrt(inside)
        if sd < 0.0:
            raise ValueError("no log-normal has that quantile on that side of its mean")
        return math.log(mean) - 0.5 * sd * sd, sd
    raise ValueError("give a mean, a mean and one quantile, or two quantiles")
