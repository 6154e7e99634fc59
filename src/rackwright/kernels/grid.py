"""Expectations on a grid, exact for values that are linear between its points."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rackwright.kernels.compiled import compiled
from rackwright.kernels.price_process import Transition

Array = NDArray[np.float64]

FAR = 8.5
"""Standard deviations beyond which a normal's tail is less than the last digit of 1."""


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


@compiled
def _hats(grid: Array, mean: Array, sd: float) -> Array:
    """Return the expectation of each grid point's hat function under normals, shape (len, G).

    With H(y) = E[max(y - X, 0)], the hat of point j has expectation
    (H[j+1] - H[j]) / h[j] - (H[j] - H[j-1]) / h[j-1]; the end points take the flat tails.
    """
    hats = np.zeros((mean.size, grid.size))
    for i in range(mean.size):
        before, risen = 0.0, 0.0  # H at the point before; its mean rise over the cell before
        for j in range(grid.size):
            below = grid[j] - mean[i]
            loss = max(below, 0.0)
            if abs(below) < FAR * sd:  # beyond, the normal is all on one side
                z = below / sd
                chance = 0.5 * math.erfc(-z * math.sqrt(0.5))
                loss = below * chance + sd * math.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
            if j > 0:
                rise = (loss - before) / (grid[j] - grid[j - 1])
                hats[i, j - 1] = rise - risen
                risen = rise
            before = loss
        hats[i, grid.size - 1] = 1.0 - risen
    return hats
