"""Expectations on a grid, against the same equations written with arrays and by quadrature."""

import numpy as np
import pytest
from scipy.special import ndtr

from rackwright.kernels.grid import mixture_matrix, normal_matrix
from rackwright.kernels.price_process import Transition

GRID = np.linspace(-2.0, 3.0, 41)


def plain_hats(grid, mean, sd):
    """Return the hats' expectations for all points at once."""
    below = grid[None, :] - mean[:, None]
    z = below / sd
    loss = below * ndtr(z) + sd * np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    rise = np.diff(loss, axis=1) / np.diff(grid)
    ends = np.ones((len(mean), 1))
    return np.diff(np.concatenate([0 * ends, rise, ends], axis=1), axis=1)


@pytest.mark.parametrize("sd", [1e-3, 0.05, 0.4, 3.0])
def test_a_normal_step_is_the_plain_expectation(sd):
    assert normal_matrix(GRID, sd) == pytest.approx(plain_hats(GRID, GRID, sd), abs=1e-12)


def test_a_step_without_spread_stays_where_it_is():
    assert normal_matrix(GRID, 0.0) == pytest.approx(np.eye(GRID.size), abs=1e-12)


def test_a_mixture_weighs_its_normals_and_keeps_mass():
    step = Transition(0.7, np.array([0.1, 0.5]), np.array([0.2, 0.3]), np.array([0.8, 0.2]))
    matrix = mixture_matrix(GRID, step)
    plain = sum(
        c * plain_hats(GRID, step.slope * GRID + shift, sd)
        for shift, sd, c in zip(step.shift, step.sd, step.chance, strict=True)
    )
    assert matrix == pytest.approx(plain, abs=1e-12)
    assert matrix.sum(axis=1) == pytest.approx(1.0)


def test_the_expectation_of_a_line_is_its_value_at_the_mean():
    inside = np.abs(GRID - 0.5) < 1.0
    moved = normal_matrix(GRID, 0.1) @ GRID
    assert moved[inside] == pytest.approx(GRID[inside], abs=1e-12)
