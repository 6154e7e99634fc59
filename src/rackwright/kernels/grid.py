"""Expectations on a grid, exact for values that are linear between its points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from rackwright.kernels.price_process import Transition

Array = NDArray[np.float64]


def mixture_matrix(grid: Array, step: Transition) -> Array:
    """Return M with (M @ v)(x) = E[v(X') | X = x] for a mixture of normals.

    Args:
        grid: increasing levels, shape (G,); beyond its ends v is held flat.
        step: slope, shifts, spreads and chances of the mixture.

    Returns:
        shape (G, G), rows sum to 1.
    """
    mean = step.slope * grid[:, None] + step.shift  # (G, N)
    matrix = np.zeros((len(grid), len(grid)))
    for n, chance in enumerate(step.chance):
        if chance > 1e-6:
            matrix += chance * _hats(grid, mean[:, n], float(step.sd[n]))
    return np.asarray(matrix / matrix.sum(axis=1, keepdims=True))


def normal_matrix(grid: Array, sd: float) -> Array:
    """Return M with (M @ v)(m) = E[v(m + sd · Z)], Z standard normal; shape (G, G)."""
    return _hats(grid, grid, sd)


def _hats(grid: Array, mean: Array, sd: float) -> Array:
    """Return the expectation of each grid point's hat function under normals, shape (len, G).

    With H(y) = E[max(y - X, 0)], the hat of point j has expectation
    (H[j+1] - H[j]) / h[j] - (H[j] - H[j-1]) / h[j-1]; the end points take the flat tails.
    """
    below = grid[None, :] - mean[:, None]
    if sd > 0:
        z = below / sd
        chance = ndtr(z)
        loss = below * chance + sd * np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    else:
        loss = np.maximum(below, 0.0)
    rise = np.diff(loss, axis=1) / np.diff(grid)  # (len, G - 1): mean of P(X < y) over a cell
    ends = np.ones((len(mean), 1))
    return np.diff(np.concatenate([0 * ends, rise, ends], axis=1), axis=1)
