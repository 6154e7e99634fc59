"""Expectations on a grid: transition matrices from quadrature and linear interpolation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rackwright.kernels.price_process import Transition

Array = NDArray[np.float64]

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(15)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def mixture_matrix(grid: Array, step: Transition) -> Array:
    """Return M with (M @ v)(x) = E[v(X') | X = x] for a mixture of normals.

    Args:
        grid: increasing levels, shape (G,); beyond its ends v is held flat.
        step: slope, shifts, spreads and chances of the mixture.

    Returns:
        shape (G, G), rows sum to 1.
    """
    mean = step.slope * grid[:, None] + step.shift[None, :]  # (G, N)
    points = mean[:, :, None] + step.sd[None, :, None] * NODES  # (G, N, Q)
    weight = step.chance[None, :, None] * WEIGHTS[None, None, :]
    return _spread(grid, points.reshape(len(grid), -1), weight.reshape(1, -1))


def normal_matrix(grid: Array, sd: float) -> Array:
    """Return M with (M @ v)(m) = E[v(m + sd · Z)], Z standard normal; shape (G, G)."""
    points = grid[:, None] + sd * NODES[None, :]
    return _spread(grid, points, WEIGHTS[None, :])


def _spread(grid: Array, points: Array, weights: Array) -> Array:
    """Share each point's weight between its two neighbours on the grid."""
    size = len(grid)
    clipped = np.clip(points, grid[0], grid[-1])
    left = np.clip(np.searchsorted(grid, clipped, side="right") - 1, 0, size - 2)
    share = (clipped - grid[left]) / (grid[left + 1] - grid[left])
    weights = np.broadcast_to(weights, points.shape)
    row = np.broadcast_to(np.arange(size)[:, None] * size, points.shape)
    cells = size * size
    near = np.bincount((row + left).ravel(), (weights * (1 - share)).ravel(), cells)
    far = np.bincount((row + left + 1).ravel(), (weights * share).ravel(), cells)
    return np.asarray(near + far, dtype=float).reshape(size, size)
