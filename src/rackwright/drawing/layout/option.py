"""The option to buy: what it is worth, and where acting begins."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rackwright.drawing import words
from rackwright.drawing.charts.bars import Bar, Bars, Segment
from rackwright.drawing.charts.curves import Axis, Curve, Curves, Mark
from rackwright.records.decision import Decision
from rackwright.records.space import Space
from rackwright.records.study import Study

STYLES = ("c0", "c5 dashed", "c2 dotted", "c3", "c1 dashed", "c6 dotted")


def option_bars(decision: Decision) -> Bars:
    """Return what the option is worth, from acting today to knowing everything [MUSD]."""
    values = (
        ("exercise all today", decision.exercise_now_usd),
        ("option, waiting but no tests", decision.option_without_tests_usd),
        ("option, with tests and gates", decision.option_usd),
        ("if all were known", decision.perfect_information_usd),
    )
    rows = (Bar(name, (Segment(name, usd / 1e6, "c0"),), words.usd(usd)) for name, usd in values)
    return Bars("MUSD", tuple(rows))


def boundary_curves(
    study: Study, space: Space, decision: Decision, weights: ArrayLike
) -> Curves | None:
    """Return the price from which exercise is best, by performance, a line for each gate.

    `weights` are those of the worlds as believed when the decision was made, shape (S,).
    None when no gate has two points on its boundary: exercise is best at no price or at every one.
    """
    gates: dict[float, list[tuple[float, float]]] = {}
    for point in decision.boundary:
        if point.price_usd_per_million_tokens is not None:
            here = gates.setdefault(point.week, [])
            here.append((point.performance, point.price_usd_per_million_tokens))
    lines = tuple(
        Curve(f"gate in week {words.number(week)}" if week else "today", tuple(sorted(points)),
              STYLES[i % len(STYLES)])
        for i, (week, points) in enumerate(sorted(gates.items()))
        if len(points) > 1
    )  # fmt: skip
    if not lines:
        return None
    now = today(study, space, decision, weights)
    return Curves(
        x=Axis("performance, share of nominal", percent=True, from_zero=False),
        y=Axis("USD per million tokens (log scale)", log=True),
        lines=lines,
        marks=(Mark("expected today", *now),) if now is not None else (),
        above="exercise above the line",
        below="wait, test or decline below",
    )


def today(
    study: Study, space: Space, decision: Decision, weights: ArrayLike
) -> tuple[float, float] | None:
    """Return (performance over nominal, USD per million tokens) as believed today.

    Performance is the design's rate over its nominal one: a mean of logs over the worlds, as the
    option counts it. None without a market, or where the design does not serve its workload.
    """
    market = study.market
    if market is None or market.workload not in space.workloads:
        return None
    w = space.workloads.index(market.workload)
    d = next((i for i, row in enumerate(space.rows) if row.key == decision.design), None)
    service = space.rows[d].services[w] if d is not None else None
    if d is None or service is None:
        return None
    workload = next(x for x in study.workloads if x.name == market.workload)
    price = market.start_usd_per_million_tokens or workload.usd_per_million_tokens
    ratio = np.maximum(np.asarray(space.rates)[d, w] / service.rate_tokens_per_s, 1e-2)
    mean = float(np.asarray(weights) @ np.log(ratio))
    return float(np.exp(mean)), price
