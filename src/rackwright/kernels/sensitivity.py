"""How much an outcome moves with each of many uncertain inputs, read from joint draws."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def swings(values: Array, outcome: Array, weights: Array, z: float) -> tuple[Array, Array]:
    """Return how far the log of an outcome moves when one input moves z deviations up.

    Args:
        values: draws of the inputs, shape (S, P), each > 0.
        outcome: draws of the outcome, shape (S,), each > 0.
        weights: of the draws, shape (S,), sum to 1.
        z: deviations of the log of an input.

    Returns:
        The move of log outcome (P,), and the correlation (P,) that it rests on: with S draws one
        of less than about 2/√S says nothing. An input that does not vary moves nothing.

    Source:
        Slope of a least-squares line on one input; inputs that move together share their effect.
    """
    x = np.log(values)
    x = x - weights @ x
    y = np.log(outcome)
    y = y - weights @ y
    spread = np.sqrt(weights @ x**2)
    whole = np.sqrt(float(weights @ y**2))
    both = (weights * y) @ x
    with np.errstate(divide="ignore", invalid="ignore"):
        move = np.where(spread > 0, z * both / spread, 0.0)
        correlation = np.where((spread > 0) & (whole > 0), both / (spread * whole), 0.0)
    return np.asarray(move), np.asarray(correlation)
