"""What failures leave of a training job: lost work, restarts, checkpoints, and waits for repair.

The job is gang-scheduled: a failure of any of its nodes stops all of it. Failures come at random at
a constant rate, also while it restarts.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import lambertw

Array = NDArray[np.float64]


def effective_share(
    interval_s: ArrayLike,
    write_s: ArrayLike,
    mtbf_s: ArrayLike,
    down_s: ArrayLike,
    chance: ArrayLike,
) -> Array:
    """Return the share of time in which work is done that is kept: the exact renewal formula.

    Args:
        interval_s: work between the ends of two checkpoints [s], > 0, shape (n,).
        write_s: time for which a checkpoint stops the work [s].
        mtbf_s: mean time between failures of the job [s].
        down_s: detection, restart and loading after a failure [s], shape (..., C) by cause.
        chance: share of the failures by cause, shape (C,), sums to 1.

    Returns:
        Shape (n,).

    Source:
        J. T. Daly, A higher order estimate of the optimum checkpoint interval for restart dumps,
        FGCS 22 (2006), section 2: a segment of work and its checkpoint takes, with a restart that
        can fail too, M exp(R/M) (exp((τ + δ)/M) - 1) on average. Here exp(R/M) is the mean over
        the causes, each of which begins its own restart again when it fails.
    """
    tau, delta = np.asarray(interval_s, dtype=float), np.asarray(write_s, dtype=float)
    mtbf = np.asarray(mtbf_s, dtype=float)
    again = np.exp(np.asarray(down_s, dtype=float) / mtbf[..., None]) @ np.asarray(chance)
    share: Array = tau / (mtbf * again * np.expm1((tau + delta) / mtbf))
    return share


def best_interval(write_s: ArrayLike, mtbf_s: ArrayLike) -> Array:
    """Return the work between two checkpoints [s] at which `effective_share` is largest.

    Source:
        The derivative of Daly's formula is zero where exp((τ + δ)/M) (1 - τ/M) = 1, so that
        τ = M (1 + W(-exp(-1 - δ/M))) with the main branch of Lambert's function.
    """
    mtbf = np.asarray(mtbf_s, dtype=float)
    x = np.asarray(write_s, dtype=float) / mtbf
    inside = 1.0 + np.real(lambertw(-np.exp(-1.0 - x)))
    p = np.sqrt(-2.0 * np.expm1(-x))  # the function about its branch point, where it loses digits
    share = np.where(x < 1e-6, p - p * p / 3.0 + 11.0 / 72.0 * p**3, inside)
    interval: Array = mtbf * share
    return interval


def young_interval(write_s: ArrayLike, mtbf_s: ArrayLike) -> Array:
    """Return Young's interval [s]: the square root of 2 δ M.

    Source:
        J. W. Young, A first order approximation to the optimum checkpoint interval, CACM 17 (1974).
    """
    interval: Array = np.sqrt(2.0 * np.asarray(write_s, dtype=float) * np.asarray(mtbf_s))
    return interval


def daly_interval(write_s: ArrayLike, mtbf_s: ArrayLike) -> Array:
    """Return Daly's higher-order interval [s].

    Source:
        Daly (2006), equation 37: √(2δM) (1 + √(δ/2M)/3 + (δ/2M)/9) - δ below δ = 2M, else M.
    """
    delta, mtbf = np.asarray(write_s, dtype=float), np.asarray(mtbf_s, dtype=float)
    x = delta / (2.0 * mtbf)
    near = np.sqrt(2.0 * delta * mtbf) * (1.0 + np.sqrt(x) / 3.0 + x / 9.0) - delta
    interval: Array = np.where(delta < 2.0 * mtbf, near, mtbf)
    return interval


def halted_share(spares: int, in_repair: float) -> float:
    """Return the share of time in which a job waits because more nodes are down than it has spares.

    Args:
        spares: nodes beside those that the job needs.
        in_repair: failures that take a node away, per second, times the mean time to repair it.

    Notes:
        A job that waits breaks no further node, so this is Erlang's loss formula with one place
        more than spares; it needs the mean repair only, not how repairs are spread.

    Source:
        A. K. Erlang (1917); for the recursion any text on queues.
    """
    blocked = 1.0
    for k in range(1, spares + 2):
        blocked = in_repair * blocked / (k + in_repair * blocked)
    return blocked


def spares_for(halted: float, in_repair: float) -> int:
    """Return the fewest spares with which a job waits no more than a share of the time.

    Args:
        halted: the share, 0..1, > 0.
        in_repair: as for `halted_share`.
    """
    blocked, k = 1.0, 0
    while True:
        k += 1
        blocked = in_repair * blocked / (k + in_repair * blocked)
        if blocked <= halted:
            return k - 1


def lost_work_s(interval_s: float, mtbf_s: float) -> float:
    """Return the work that a failure destroys on average [s], for a table people can follow."""
    x = interval_s / mtbf_s
    return mtbf_s - interval_s / math.expm1(x) if x > 0.0 else 0.0
