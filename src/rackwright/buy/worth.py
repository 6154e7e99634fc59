"""What a lot of blocks is worth on the day it is bought, at a price and a performance."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.kernels.price_process import PriceProcess, expected_price, transition
from rackwright.records.decision import OptionCase

Array = NDArray[np.float64]

WEEKS_PER_YEAR = 8766.0 / 168.0
HOURS_PER_YEAR = 8766.0
SECONDS_PER_YEAR = HOURS_PER_YEAR * 3600.0
POINTS = 24
"""Gauss-Legendre points over the life: the integrand is smooth."""
_NODES = np.polynomial.legendre.leggauss(POINTS)


class Worth(NamedTuple):
    """Revenue of the lot at performance 1 by price level, and its cost, on the exercise day."""

    process: PriceProcess
    level_now: float
    scale: Callable[[float], float]  # price = scale(t) · exp(level)
    revenue_usd: Callable[[float, Array], Array]
    cost_usd: float


def worth_of_lot(case: OptionCase) -> Worth:
    """Return revenue and cost of the whole lot, discounted to the day of exercise.

    Revenue: expected price at every later time given the level now, times tokens at performance
    1. Cost: energy at average power, reserved power, operation, and the strike on delivery, less
    what is left at the end of life.
    """
    process, level, scale = _market(case)
    r = float(np.log1p(case.discount_rate_per_year))  # compounded yearly, as everywhere
    lag, life = case.delivery_weeks / WEEKS_PER_YEAR, case.life_weeks / WEEKS_PER_YEAR
    nodes, weights = _NODES
    ahead = lag + 0.5 * life * (nodes + 1)
    money = 0.5 * life * weights * np.exp(-r * ahead)  # discounted years at each node
    millions_per_year = (
        case.rate_tokens_per_s * case.availability * case.utilisation * SECONDS_PER_YEAR / 1e6
    )

    def revenue(start: float, levels: Array) -> Array:
        price = expected_price(process, start, ahead, levels)
        moved = np.array([scale(start + float(t)) for t in ahead])
        return case.lot_blocks * millions_per_year * (price @ (moved * money))

    yearly = (
        case.average_power_w * case.utilisation * case.pue * HOURS_PER_YEAR / 1e3
    ) * case.energy_usd_per_kwh
    yearly += case.reserved_power_w * case.infrastructure_usd_per_w_year
    yearly += case.operation_usd_per_block_year
    paid = case.strike_usd_per_block * np.exp(-r * lag)
    left = case.salvage * case.strike_usd_per_block * np.exp(-r * (lag + life))
    cost = case.lot_blocks * (paid - left + yearly * float(money.sum()))
    return Worth(process, level, scale, revenue, float(cost))


def _market(case: OptionCase) -> tuple[PriceProcess, float, Callable[[float], float]]:
    """Return the process of the level, the level now, and its scale to a price."""
    common = {
        "kappa": case.mean_reversion_per_year,
        "sigma": case.volatility_per_year,
        "jumps_per_year": case.jumps_per_year,
        "jump_mean": case.jump_log_mean,
        "jump_sd": case.jump_log_sd,
    }
    if not case.forward:
        process = PriceProcess(
            theta0=float(np.log(case.long_run_usd_per_million_tokens)),
            decay=case.decay_per_year,
            **common,
        )
        return process, float(np.log(case.price_usd_per_million_tokens)), lambda _: 1.0
    # A forward curve is E[price]: the level only says how far the price is from it.
    deviation = PriceProcess(theta0=0.0, decay=0.0, **common)
    years = np.array([week for week, _ in case.forward]) / WEEKS_PER_YEAR
    curve = np.array([usd for _, usd in case.forward])

    def scale(t: float) -> float:
        step = transition(deviation, 0.0, t)
        mean = float(step.chance @ np.exp(step.shift + 0.5 * step.sd**2))
        return float(np.interp(t, years, curve)) / mean

    return deviation, float(np.log(case.price_usd_per_million_tokens / scale(0.0))), scale
