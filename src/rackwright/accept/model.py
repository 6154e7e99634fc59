"""Third question: what does the group say of the model? Never moves the limits of its own run."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import exp, lgamma, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.accept.promise import rack_means, spread
from rackwright.accept.unit import goodness
from rackwright.records.acceptance import AcceptancePlan, CommonFactor, Measurement

Array = NDArray[np.float64]

TAIL_DEGREES = 4.0
"""Degrees of freedom of the Student likelihood: one probe that lies far off pulls little."""

LEAST_EFFECTIVE = 16.0
"""Worlds that must stay effective; a likelihood sharper than that is tempered, and it says so."""

Z80 = 1.2815515655446004
"""Half width of a central 80 % interval of the normal, in standard deviations."""


class Learned(NamedTuple):
    """What the run says of the model."""

    factors: tuple[CommonFactor, ...]
    weights: Array
    effective: float
    tempered: float  # exponent of the likelihood, 1 = untempered


def learn(plan: AcceptancePlan, readings: Sequence[Measurement], out: Collection[str]) -> Learned:
    """Return the common factor of each probe and the new weights of the worlds.

    World s predicts draws[s] for a probe; the group's center is that times a Student error with
    scale sqrt(model_log_sd² + spread²/n). Probes are independent given the world, since what
    they share is in the world's parameters.
    """
    prior = np.asarray(plan.prior)
    log_likelihood = np.zeros(len(prior))
    factors: list[CommonFactor] = []
    for probe in plan.probes:
        units = rack_means(probe, readings, out)
        if not units:
            continue
        center = float(np.mean(list(units.values())))
        noise = spread(probe, units) / sqrt(len(units))
        scale = sqrt(probe.model_log_sd**2 + noise**2)
        sign = 1.0 if probe.better == "higher" else -1.0
        predicted = sign * np.log(np.asarray(probe.draws))
        log_likelihood += _student((center - predicted) / scale)
        # Factor of the reading itself (not of goodness), so that 0.95 means "reads 5 % low".
        ratio = sign * (center - goodness(probe, probe.predicted))
        factors.append(
            CommonFactor(
                probe=probe.probe,
                factor=exp(ratio),
                low=exp(ratio - Z80 * noise),
                high=exp(ratio + Z80 * noise),
                racks=len(units),
            )
        )
    return Learned(tuple(factors), *_reweight(prior, log_likelihood))


def _student(t: Array) -> Array:
    nu = TAIL_DEGREES
    norm = lgamma((nu + 1) / 2) - lgamma(nu / 2) - 0.5 * np.log(nu * np.pi)
    return np.asarray(norm - 0.5 * (nu + 1) * np.log1p(t**2 / nu))


def _reweight(prior: Array, log_likelihood: Array) -> tuple[Array, float, float]:
    """Weights, effective count and the largest exponent <= 1 that leaves enough worlds."""
    weights, effective = _weights(prior, log_likelihood, 1.0)
    if effective >= LEAST_EFFECTIVE:
        return weights, effective, 1.0
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = 0.5 * (low + high)
        if _weights(prior, log_likelihood, middle)[1] >= LEAST_EFFECTIVE:
            low = middle
        else:
            high = middle
    return (*_weights(prior, log_likelihood, low), low)


def _weights(prior: Array, log_likelihood: Array, exponent: float) -> tuple[Array, float]:
    raw = exponent * log_likelihood
    weights = prior * np.exp(raw - raw.max())
    weights = weights / weights.sum()
    return weights, float(1 / np.sum(weights**2))
