"""Designs beside one another: their time, their power, and what moves their cost."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from rackwright.drawing import words
from rackwright.drawing.charts.bars import Bar, Bars, Segment
from rackwright.drawing.charts.ranges import Range, Ranges
from rackwright.drawing.layout.designs import REST
from rackwright.drawing.names import Names
from rackwright.drawing.style import COLOURS
from rackwright.kernels.sensitivity import swings
from rackwright.records.space import FrontRow, Service, Space, SpaceRow

Z = 1.2816
"""Deviations of a normal at its 10 % and 90 % quantiles: what 80 % of worlds span."""

ENERGY_RANGE = 0.25
"""Share by which the price of energy is moved up and down; a choice, not a forecast."""

MOST = 8
"""Inputs that are drawn."""


def time_bars(rows: Sequence[tuple[SpaceRow, Service]], names: Names) -> Bars:
    """Return where accelerator time goes per million tokens, largest parts first [s]."""
    return _stacked(
        "accelerator seconds per million tokens",
        [
            (
                names.label(row.key),
                {
                    part.name: part.seconds
                    / service.step_s
                    * row.accelerators
                    / service.rate_tokens_per_s
                    * 1e6
                    for part in service.parts
                },
            )
            for row, service in rows
        ],
    )


def power_bars(rows: Sequence[SpaceRow], names: Names) -> Bars:
    """Return reserved power per accelerator by what draws it [W]."""
    return _stacked(
        "W reserved per accelerator",
        [
            (names.label(row.key), {x.name: x.w / row.accelerators for x in row.power})
            for row in rows
        ],
    )


def sensitivity(space: Space, row: SpaceRow, front: FrontRow) -> Ranges:
    """Return how far the cost per million tokens moves with each input by itself.

    Model parameters over 80 % of their worlds, prices of parts over their ranges, energy by a
    stated share. Parameters whose draws say nothing of the rate are left out.
    """
    now = front.usd_per_million_tokens
    found = [*_parameters(space, row, front), *_prices(row, front)]
    energy = front.energy_share * ENERGY_RANGE
    found.append(
        (f"price of energy ± {100 * ENERGY_RANGE:.0f} %", now * (1 - energy), now * (1 + energy))
    )
    found.sort(key=lambda x: (-(x[2] - x[1]), x[0]))
    return Ranges(
        "USD per million tokens",
        tuple(
            Range(label, low, now, high, "c0", f"{words.number(low)} to {words.number(high)}")
            for label, low, high in found[:MOST]
            if high > low
        ),
    )


_Moved = tuple[str, float, float]


def _parameters(space: Space, row: SpaceRow, front: FrontRow) -> list[_Moved]:
    d = next(i for i, other in enumerate(space.rows) if other.key == row.key)
    rate = np.asarray(space.rates[d, space.workloads.index(front.workload)])
    served = rate > 0
    if np.count_nonzero(served) < 2:
        return []
    weights = np.asarray(space.parameters.weights)[served]
    weights = weights / weights.sum()
    values = np.asarray(space.parameters.values)[served]
    some = np.flatnonzero(np.all(values > 0, axis=0))
    move, correlation = swings(values[:, some], rate[served], weights, Z)
    least = 3.0 / np.sqrt(np.count_nonzero(served))
    now = front.usd_per_million_tokens
    return [
        (_told(space.parameters.names[p]), now * np.exp(-abs(m)), now * np.exp(abs(m)))
        for p, m, r in zip(some, move, correlation, strict=True)
        if abs(r) > least
    ]


_PARTS = re.compile(
    r"(.+?)\.((?:attention|matmul|memory|power|scale_\w+|serving|training)(?:\..*)?)"
)


def _told(name: str) -> str:
    """Return a parameter's name in words: whose it is, and what it is.

    >>> _told("megatron-bridge-26.06.training.stack"), _told("Blackwell.matmul.fp8")
    ('megatron-bridge-26.06: training stack', 'Blackwell: matmul fp8')
    """
    match = _PARTS.fullmatch(name)
    return f"{match[1]}: {re.sub(r'[._]', ' ', match[2])}" if match else name


def _prices(row: SpaceRow, front: FrontRow) -> list[_Moved]:
    """Return the ranges of part prices; a composed rack is charged their upper ends already."""
    now = front.usd_per_million_tokens
    per_usd = now * front.capital_share / row.price_usd
    found = []
    for line in row.price:
        charged = line.usd_high if front.composed else line.usd
        if line.usd_high > line.usd_low:
            low, high = (now + per_usd * (usd - charged) for usd in (line.usd_low, line.usd_high))
            found.append((f"price: {line.name}", low, high))
    return found


def _stacked(unit: str, rows: Sequence[tuple[str, dict[str, float]]]) -> Bars:
    """Return bars of the same pieces in the same colours; what has no colour left is `rest`."""
    total: dict[str, float] = {}
    for _, pieces in rows:
        for name, value in pieces.items():
            total[name] = total.get(name, 0.0) + value
    ranked = sorted(total, key=lambda name: (-total[name], name))
    kept = ranked if len(ranked) <= COLOURS else ranked[: COLOURS - 1]
    bars = []
    for label, pieces in rows:
        segments = [Segment(n, pieces[n], f"c{i}") for i, n in enumerate(kept) if n in pieces]
        rest = sum(value for name, value in pieces.items() if name not in kept)
        if rest:
            segments.append(Segment(REST, rest, f"c{COLOURS - 1}"))
        bars.append(Bar(label, tuple(segments), words.number(sum(pieces.values()))))
    return Bars(unit, tuple(bars))
