"""The option to buy, by backward induction over price and believed performance."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.buy.worth import Worth, worth_of_lot
from rackwright.kernels.grid import mixture_matrix, normal_matrix
from rackwright.kernels.price_process import PriceProcess, transition
from rackwright.records.decision import Action, OptionCase

Array = NDArray[np.float64]

WEEKS_PER_YEAR = 8766.0 / 168.0
ACTIONS: tuple[Action, ...] = ("exercise", "test", "wait", "decline")
EXERCISE, TEST, WAIT, DECLINE = range(4)

WORTHLESS = 1e-6
"""Share of the strike below which a chance is not worth keeping: the action is decline."""

PRICE_POINTS = 161
BELIEF_POINTS = 61
SPREADS = 5.0
"""Half width of both grids in standard deviations at the last gate."""


class Solved(NamedTuple):
    """The value and the policy on the grid."""

    prices: Array  # (G,) levels of log deviation
    beliefs: Array  # (M,) believed log performance
    worth: Worth
    learned: Array  # (N + 1,) variance learned after n campaigns
    actions: Array  # (I, N + 1, 4, G, M) value of each action, -inf where not allowed
    start: tuple[float, float]

    @property
    def value(self) -> float:
        """Value today, at today's price and belief, before any test."""
        return self.at(0, 0, *self.start)[1]

    def at(self, gate: int, tests: int, price: float, belief: float) -> tuple[int, float]:
        """Return the best action and its value at a state."""
        values = self.values(gate, tests, np.array([price]), np.array([belief]))
        best = int(self.best(values)[0])
        return best, float(values[best, 0])

    def best(self, values: Array) -> NDArray[np.intp]:
        """Return the index of the best action for values of shape (4, n)."""
        best = np.argmax(values, axis=0)
        kept = values.max(axis=0) > WORTHLESS * self.worth.cost_usd
        return np.asarray(np.where(kept, best, DECLINE), dtype=np.intp)

    def values(self, gate: int, tests: int, price: Array, belief: Array) -> Array:
        """Return the value of each action at many states, shape (4, n); -inf where not allowed."""
        return np.stack(
            [
                _bilinear(self.prices, self.beliefs, table, price, belief)
                if np.isfinite(table[0, 0])
                else np.full(len(price), -np.inf)
                for table in self.actions[gate, tests]
            ]
        )


def solve(case: OptionCase, *, tests: bool = True, free_tests: bool = False) -> Solved:
    """Return the value of the option and its policy.

    At each gate: exercise all, test more at a cost (known at the next gate), wait, or decline.
    The slot survives a week with chance 1 - lapse. Believed performance moves only by tests.

    Args:
        case: the option.
        tests: whether early access may be used.
        free_tests: value tests gross of their cost.
    """
    worth = worth_of_lot(case)
    gates = np.asarray(case.gate_weeks) / WEEKS_PER_YEAR
    count = len(gates)
    learned = learned_variance(case, count)
    prices = _price_grid(case, worth, gates)
    beliefs = _belief_grid(case, learned)
    top = count if tests else 1  # numbers of campaigns done: 0 .. top - 1
    actions = np.full((count, top, len(ACTIONS), len(prices), len(beliefs)), -np.inf)
    cost = 0.0 if free_tests else case.campaign_usd
    after: list[Array] = []
    for i in range(count - 1, -1, -1):
        kept = 1.0
        if i + 1 < count:
            years = float(gates[i + 1] - gates[i])
            ends = (float(prices[0]), float(prices[-1]))
            step = _step(worth.process, float(gates[i]), years, *ends)
            weeks = case.gate_weeks[i + 1] - case.gate_weeks[i]
            kept = (1 - case.lapse_per_week) ** weeks * (1 + case.discount_rate_per_year) ** -years
            ahead = [kept * (step @ v) for v in after]
        now: list[Array] = []
        for n in range(min(top, i + 1)):
            posterior = case.performance_log_sd**2 - learned[n]
            revenue, costs = worth.revenue_usd(float(gates[i]), prices), worth.cost_usd
            actions[i, n, EXERCISE] = np.outer(revenue, np.exp(beliefs + 0.5 * posterior)) - costs
            actions[i, n, DECLINE] = 0.0
            if i + 1 < count:
                actions[i, n, WAIT] = ahead[n]
                if tests:
                    moved = normal_matrix(beliefs, float(np.sqrt(learned[n + 1] - learned[n])))
                    actions[i, n, TEST] = ahead[n + 1] @ moved.T - cost
            now.append(actions[i, n].max(axis=0))
        after = now
    return Solved(
        prices, beliefs, worth, learned, actions, (worth.level_now, case.performance_log_mean)
    )


@lru_cache(maxsize=64)
def _step(process: PriceProcess, start: float, years: float, low: float, high: float) -> Array:
    """Return the matrix of expectations between two gates; most estimates leave it unchanged."""
    grid = np.linspace(low, high, PRICE_POINTS)
    matrix = mixture_matrix(grid, transition(process, start, years))
    matrix.setflags(write=False)
    return matrix


def learned_variance(case: OptionCase, most: int) -> Array:
    """Return the variance of the belief's movement after n campaigns, n = 0 .. most.

    Performance m ~ N(mean, s²) is read with a shared error (model_log_sd, never resolved) and a
    reading error that falls with the racks: variance learned = s⁴ / (s² + model² + reading²/racks).
    """
    racks = case.campaign_racks * np.arange(1, most + 1)
    s2 = case.performance_log_sd**2
    noise = case.model_log_sd**2 + case.reading_log_sd**2 / racks
    return np.concatenate([[0.0], s2**2 / (s2 + noise) if s2 > 0 else np.zeros(most)])


def _price_grid(case: OptionCase, worth: Worth, gates: Array) -> Array:
    last = transition(worth.process, 0.0, float(gates[-1]))
    mean = last.slope * worth.level_now + float(last.chance @ last.shift)
    second = float(last.chance @ (last.sd**2 + last.shift**2))
    sd = np.sqrt(max(second - float(last.chance @ last.shift) ** 2, 1e-4))
    low = min(worth.level_now, mean) - SPREADS * sd - 0.5
    high = max(worth.level_now, mean) + SPREADS * sd + 0.5
    return np.linspace(low, high, PRICE_POINTS)


def _belief_grid(case: OptionCase, learned: Array) -> Array:
    half = SPREADS * float(np.sqrt(learned[-1])) + 1e-3
    return case.performance_log_mean + np.linspace(-half, half, BELIEF_POINTS)


def _bilinear(xs: Array, ys: Array, table: Array, x: Array, y: Array) -> Array:
    """Return the table at points, flat beyond its ends; shapes (G,), (M,), (G, M), (n,), (n,)."""
    x, y = np.clip(x, xs[0], xs[-1]), np.clip(y, ys[0], ys[-1])
    i = np.clip(np.searchsorted(xs, x, side="right") - 1, 0, len(xs) - 2)
    j = np.clip(np.searchsorted(ys, y, side="right") - 1, 0, len(ys) - 2)
    a, b = (x - xs[i]) / (xs[i + 1] - xs[i]), (y - ys[j]) / (ys[j + 1] - ys[j])
    below = table[i, j] * (1 - b) + table[i, j + 1] * b
    above = table[i + 1, j] * (1 - b) + table[i + 1, j + 1] * b
    return np.asarray(below * (1 - a) + above * a)
