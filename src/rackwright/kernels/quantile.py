"""Quantiles of weighted draws."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def weighted_quantile(values: Array, weights: Array, at: tuple[float, ...]) -> tuple[float, ...]:
    """Return the quantiles of a weighted sample: the smallest value with that much weight below.

    Args:
        values: shape (S,).
        weights: shape (S,), >= 0, not all 0.
        at: probabilities in 0..1.
    """
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order]) / np.sum(weights)
    index = np.minimum(np.searchsorted(below, np.asarray(at) - 1e-12), len(values) - 1)
    return tuple(float(v) for v in values[order][index])
