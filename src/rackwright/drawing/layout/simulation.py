"""A simulation as lines: how latencies are spread, and what waited and ran over time."""

from __future__ import annotations

from collections.abc import Sequence

from rackwright.drawing.charts.curves import Axis, Curve, Curves
from rackwright.records.simulation import Simulation, Spread

LEAST_S = 1e-4
"""Latencies below are drawn there: a logarithmic axis has no zero."""


def latency_curves(simulation: Simulation) -> Curves:
    """Return the shares of requests whose first and last token came within a time."""
    return _distribution(
        (("first token", simulation.ttft, "c0"), ("whole answer", simulation.e2e, "c5 dashed")),
        "seconds from the request",
    )


def token_curves(simulation: Simulation) -> Curves:
    """Return the shares of answers whose mean time per further token is within a time."""
    return _distribution((("further token", simulation.tpot, "c2"),), "milliseconds", 1e3)


def request_curves(simulation: Simulation) -> Curves:
    """Return how many requests waited and ran over time."""
    over = simulation.over_time
    return Curves(
        Axis("seconds"),
        Axis("requests"),
        (
            Curve("running", _points(over.span_s, over.running), "c0"),
            Curve("waiting", _points(over.span_s, over.waiting), "c5 dashed"),
        ),
    )


def share_curves(simulation: Simulation) -> Curves:
    """Return how full the cache memory was and how busy the replicas, over time."""
    over = simulation.over_time
    return Curves(
        Axis("seconds"),
        Axis("share", percent=True),
        (
            Curve("cache held by requests", _points(over.span_s, over.cache_share), "c2"),
            Curve("replicas in a step", _points(over.span_s, over.busy_share), "c3 dashed"),
        ),
    )


def _distribution(
    lines: Sequence[tuple[str, Spread | None, str]], unit: str, scale: float = 1.0
) -> Curves:
    drawn = tuple(
        Curve(
            name,
            tuple((scale * max(s, LEAST_S), i / 100.0) for i, s in enumerate(spread.curve_s)),
            style,
        )
        for name, spread, style in lines
        if spread is not None
    )
    return Curves(Axis(unit, log=True), Axis("share of requests", percent=True), drawn)


def _points(span_s: float, values: Sequence[float]) -> tuple[tuple[float, float], ...]:
    return tuple(((i + 0.5) * span_s, value) for i, value in enumerate(values))
