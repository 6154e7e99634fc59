"""Least squares of log errors with priors: the fit that training and serving share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from rackwright.catalog import Catalog
from rackwright.design.parameters import prior_entries
from rackwright.records.calibration import Calibration
from rackwright.records.space import Parameters

Array = NDArray[np.float64]
Errors = Callable[[Array], Array]
"""log(predicted / measured) of every row, given the value of every parameter."""


class Free(NamedTuple):
    """A parameter that is fitted: its name in the draws, where it starts, how far it may go."""

    name: str
    prior: float
    log_sd: float


class Prior(NamedTuple):
    """Every parameter before the fit, once each under its owner's name."""

    names: tuple[str, ...]
    medians: Array  # (P,)
    log_covariance: Array  # (P, P)
    heirs: dict[str, int]  # column by any name under which the parameter is looked up


def narrowed(before: Prior, known: Calibration) -> Prior:
    """Return the prior as an earlier fit left it: its medians and correlations."""
    medians, spread = before.medians.copy(), before.log_covariance.copy()
    pairs = [(before.heirs[n], i) for i, n in enumerate(known.names) if n in before.heirs]
    here, there = [a for a, _ in pairs], [b for _, b in pairs]
    medians[here] = np.array(known.medians)[there]
    spread[np.ix_(here, here)] = np.array(known.log_covariance)[np.ix_(there, there)]
    return before._replace(medians=medians, log_covariance=spread)


class Posterior(NamedTuple):
    """Every parameter after the fit, and how those that were free go together."""

    values: Array  # (P,)
    free: tuple[int, ...]
    log_covariance: Array  # (F, F)
    errors: Array  # (N,) log(predicted / measured) of the rows


def prior(catalog: Catalog, families: Sequence[str], stacks: Sequence[str]) -> Prior:
    """Return what the catalog states of the parameters of some families and stacks."""
    names: dict[str, tuple[float, float]] = {}
    owner_of: dict[str, str] = {}
    for name, (owner, entry) in prior_entries(catalog, families, stacks).items():
        canonical = f"{owner}.{entry.name}"
        names[canonical] = (entry.median, entry.log_sd)
        owner_of[name] = canonical
    keys = tuple(sorted(names))
    column = {key: i for i, key in enumerate(keys)}
    return Prior(
        keys,
        np.array([names[key][0] for key in keys]),
        np.diag([names[key][1] ** 2 for key in keys]),
        {**column, **{name: column[key] for name, key in owner_of.items()}},
    )


def posterior(
    before: Prior, free: Sequence[int], errors: Errors, noise: float, weights: Array | None = None
) -> Posterior:
    """Return the parameters that predict the rows best.

    Least squares of log(predicted / measured), robust against single rows, each parameter held
    near its prior. Spreads and correlations are those of the linearised posterior.

    Args:
        before: the parameters; those not free stay.
        free: columns that are fitted.
        errors: of the rows.
        noise: log standard deviation of a clean row, which weighs rows against priors.
        weights: of the rows (N,), 1 where none are given.
    """
    columns = np.array(free)
    start = np.log(before.medians)
    spread = before.log_covariance[np.ix_(columns, columns)]
    whiten = np.linalg.inv(np.linalg.cholesky(spread))

    def values(at: Array) -> Array:
        logs = start.copy()
        logs[columns] = at
        return np.exp(logs)

    n = errors(before.medians).size
    scale = (np.ones(n) if weights is None else weights) / noise

    def residuals(at: Array) -> Array:
        return np.concatenate([errors(values(at)) * scale, whiten @ (at - start[columns])])

    found = least_squares(residuals, start[columns], loss="soft_l1", max_nfev=60)
    slopes = np.asarray(found.jac, dtype=np.float64)
    at = values(found.x)
    covariance = np.asarray(np.linalg.inv(slopes.T @ slopes), dtype=np.float64)
    return Posterior(at, tuple(free), covariance, errors(at))


def fit(
    start: Parameters,
    free: Sequence[Free],
    errors: Callable[[Parameters], Array],
    noise: float,
) -> tuple[Parameters, Array]:
    """Return the parameters that predict the rows best, and each one's log standard deviation.

    Least squares of log(predicted / measured), robust against single rows, each parameter held
    near its prior. Spreads are those of the linearised posterior.

    Args:
        start: parameters; those not free stay.
        free: what is fitted.
        errors: gives log(predicted / measured) of every row at some parameters.
        noise: log standard deviation of a clean row, which weighs rows against priors.
    """
    prior = np.log([f.prior for f in free])
    width = np.array([f.log_sd for f in free])

    def residuals(at: Array) -> Array:
        trial = start
        for f, value in zip(free, np.exp(at), strict=True):
            trial = with_value(trial, f.name, float(value))
        return np.concatenate([errors(trial) / noise, (at - prior) / width])

    found = least_squares(residuals, prior, loss="soft_l1", max_nfev=40)
    slopes = np.asarray(found.jac, dtype=np.float64)
    covariance = np.linalg.inv(slopes.T @ slopes)
    parameters = start
    for f, value in zip(free, np.exp(found.x), strict=True):
        parameters = with_value(parameters, f.name, float(value))
    return parameters, np.sqrt(np.diag(covariance))


def with_value(parameters: Parameters, name: str, value: float) -> Parameters:
    """Return the parameters with one nominal value replaced, in every family that inherits it."""
    nominal = parameters.nominal.copy()
    entry = name.split(".", 1)[1]
    heirs = {name}
    if name.startswith("Blackwell."):  # what it hands down where the heir has no own fit
        heirs |= {f"Blackwell Ultra.{entry}"} if entry.startswith("serving.") else set()
    for i, known in enumerate(parameters.names):
        if known in heirs:
            nominal[i] = value
    return Parameters.model_construct(**{**dict(parameters), "nominal": nominal})


def robust_sd(errors: Array) -> float:
    """Return half the distance between the 16 % and the 84 % quantile."""
    low, high = np.quantile(errors, (0.16, 0.84))
    return float(high - low) / 2.0
