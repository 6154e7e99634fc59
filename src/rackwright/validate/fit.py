"""Least squares of log errors with priors: the fit that training and serving share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from rackwright.catalog import Catalog
from rackwright.design.parameters import prior_entries
from rackwright.records.calibration import Calibration

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Errors = Callable[[Array, Index | None], Array]
"""log(predicted / measured) of some measurements (None: all), given every parameter."""

_STEP = 1e-4  # of a logarithm, for slopes


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
    judged: Array  # those by which the residual spread of a row is judged


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
    before: Prior,
    free: Sequence[int],
    errors: Errors,
    depends: NDArray[np.bool_],
    noise: float,
    weights: Array | None = None,
    loss: Literal["soft_l1", "cauchy"] = "soft_l1",
) -> Posterior:
    """Return the parameters that predict the rows best.

    Least squares of log(predicted / measured), robust against single rows, each parameter held
    near its prior. Spreads and correlations are those of the linearised posterior.

    Args:
        before: the parameters; those not free stay.
        free: columns that are fitted.
        errors: of the measurements.
        depends: (N, P), whether a measurement's prediction depends on a parameter: slopes are
            taken of those alone.
        noise: log standard deviation of a clean row, which weighs rows against priors.
        weights: of the rows (N,), 1 where none are given.
        loss: how rows far off are kept from pulling: linearly, or by the logarithm.
    """
    soften = _LOSSES[loss]
    columns = np.array(free)
    start = np.log(before.medians)
    spread = before.log_covariance[np.ix_(columns, columns)]
    whiten = np.linalg.inv(np.linalg.cholesky(spread))

    def values(at: Array) -> Array:
        logs = start.copy()
        logs[columns] = at
        return np.exp(logs)

    n = depends.shape[0]
    scale = (np.ones(n) if weights is None else weights) / noise
    touched = [np.flatnonzero(depends[:, column]) for column in columns]

    def residuals(at: Array) -> Array:
        return np.concatenate(
            [soften(errors(values(at), None) * scale), whiten @ (at - start[columns])]
        )

    def slopes_of(at: Array) -> Array:
        here = soften(errors(values(at), None) * scale)
        slopes = np.zeros((n + len(columns), len(columns)))
        for j, some in enumerate(touched):
            moved = at.copy()
            moved[j] += _STEP
            there = soften(errors(values(moved), some) * scale[some])
            slopes[some, j] = (there - here[some]) / _STEP
        slopes[n:] = whiten
        return slopes

    found = least_squares(residuals, start[columns], jac=slopes_of, max_nfev=30, ftol=1e-5)
    slopes = np.asarray(found.jac, dtype=np.float64)
    at = values(found.x)
    covariance = np.asarray(np.linalg.inv(slopes.T @ slopes), dtype=np.float64)
    left = errors(at, None)
    return Posterior(at, tuple(free), covariance, left, left)


def _soft_l1(off: Array) -> Array:
    """Return residuals whose squares are soft L1, so that single rows do not pull."""
    return np.asarray(np.sign(off) * np.sqrt(2.0 * (np.sqrt(1.0 + off**2) - 1.0)))


def _cauchy(off: Array) -> Array:
    """Return residuals whose squares grow as a logarithm: whole groups of rows may be odd."""
    return np.asarray(np.sign(off) * np.sqrt(np.log1p(off**2)))


_LOSSES = {"soft_l1": _soft_l1, "cauchy": _cauchy}


def robust_sd(errors: Array) -> float:
    """Return half the distance between the 16 % and the 84 % quantile."""
    low, high = np.quantile(errors, (0.16, 0.84))
    return float(high - low) / 2.0
