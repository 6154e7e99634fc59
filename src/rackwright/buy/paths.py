"""Fresh paths: the policy's value without the grid, and what perfect information would add."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.buy.option import (
    ACTIONS,
    DECLINE,
    EXERCISE,
    TEST,
    WAIT,
    WEEKS_PER_YEAR,
    Solved,
)
from rackwright.kernels.price_process import sample
from rackwright.records.decision import OptionCase

Array = NDArray[np.float64]

PATHS = 8192


class Played(NamedTuple):
    """The policy on fresh paths."""

    value_usd: float
    standard_error_usd: float
    perfect_usd: float
    perfect_standard_error_usd: float
    tests_usd: float  # expected spending on tests, discounted
    chance: Array  # (I, 4) of each action at each gate, seen from today


def play(case: OptionCase, solved: Solved, seed: int, paths: int = PATHS) -> Played:
    """Return the policy's value on simulated prices, performances, readings and lapses.

    A lower bound up to its standard error: any policy is. Perfect information takes the best
    gate of each path with performance, prices and the day of the lapse known: an upper bound.
    """
    rng = np.random.default_rng(seed)
    gates = np.asarray(case.gate_weeks)
    years = gates / WEEKS_PER_YEAR
    # Prices now stand at week 0, which may lie before the first gate.
    times = np.concatenate([[0.0], years]) if years[0] > 0 else years
    levels = sample(solved.worth.process, solved.worth.level_now, times, paths, rng)
    levels = levels[:, -len(years) :]
    truth = rng.normal(case.performance_log_mean, case.performance_log_sd, paths)
    shared = rng.normal(0.0, case.model_log_sd, paths)
    noise = rng.normal(0.0, case.reading_log_sd, (paths, len(years)))
    lives = -np.log(rng.random(paths)) / -np.log1p(-min(case.lapse_per_week, 1 - 1e-12))
    lost = gates[0] + lives if case.lapse_per_week > 0 else np.full(paths, np.inf)

    value = np.zeros(paths)
    best = np.zeros(paths)
    tests = np.zeros(paths, dtype=np.intp)
    total = np.zeros(paths)
    spent = np.zeros(paths)
    active = np.ones(paths, dtype=bool)
    chance = np.zeros((len(years), len(ACTIONS)))
    for i in range(len(years)):
        held = lost > gates[i] if i else np.ones(paths, dtype=bool)
        discount = float((1 + case.discount_rate_per_year) ** -years[i])
        revenue = solved.worth.revenue_usd(float(years[i]), levels[:, i])
        payoff = revenue * np.exp(truth) - solved.worth.cost_usd
        best = np.maximum(best, np.where(held, discount * payoff, 0.0))
        active &= held
        for n in np.unique(tests[active]):
            who = np.flatnonzero(active & (tests == n))
            belief = _belief(case, total[who], int(n))
            acts = solved.best(solved.values(i, int(n), levels[who, i], belief))
            chance[i] += np.bincount(acts, minlength=len(ACTIONS))
            bought = who[acts == EXERCISE]
            value[bought] += discount * payoff[bought]
            active[who[(acts == EXERCISE) | (acts == DECLINE)]] = False
            tested = who[acts == TEST]
            spent[tested] += discount * case.campaign_usd
            reading = truth[tested] + noise[tested, i] / np.sqrt(case.campaign_racks)
            total[tested] += reading + shared[tested]
            tests[tested] += 1
            assert not (i + 1 == len(years) and np.any(acts == WAIT)), "nothing after the last gate"
    net = value - spent
    return Played(
        value_usd=float(net.mean()),
        standard_error_usd=float(net.std(ddof=1) / np.sqrt(paths)),
        perfect_usd=float(best.mean()),
        perfect_standard_error_usd=float(best.std(ddof=1) / np.sqrt(paths)),
        tests_usd=float(spent.mean()),
        chance=chance / paths,
    )


def _belief(case: OptionCase, total: Array, n: int) -> Array:
    """Return the believed log performance after n campaigns whose readings sum to `total`."""
    mean, s2 = case.performance_log_mean, case.performance_log_sd**2
    if n == 0 or s2 == 0:
        return np.full(len(total), mean)
    noise = case.model_log_sd**2 + case.reading_log_sd**2 / (case.campaign_racks * n)
    return np.asarray(mean + s2 / (s2 + noise) * (total / n - mean))
