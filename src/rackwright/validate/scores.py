"""Errors and intervals of predictions beside measurements.

A `Point` is one measured quantity with its prediction in the nominal world and in every draw.
Errors are |predicted / measured - 1| in percent. Intervals come from the draws, which hold what
is uncertain for a whole chip family at once, and a residual spread between single rows, taken
from the points of OTHER sources, so that no source sets its own width.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.records.base import Record

Array = NDArray[np.float64]

NOMINAL_PCT = 80.0
_FEWEST = 8  # points of other sources from which a spread is taken


class Point(NamedTuple):
    """One measured quantity: seconds, or tokens per second."""

    row_id: str
    source: str
    accelerator: str
    model: str
    sparse: bool
    group: str  # rows of one group repeat one configuration
    release: tuple[int, ...]
    measured: float
    predicted: float
    draws: Array  # (S,)


class ErrorStats(Record):
    """Errors of some points; the statistics are None where there is no point."""

    n: int
    median_pct: float | None = None
    mean_pct: float | None = None
    p90_pct: float | None = None


class Errors(Record):
    """Errors of all points and of parts of them."""

    all: ErrorStats
    dense: ErrorStats
    moe: ErrorStats
    by_source: Mapping[str, ErrorStats]
    by_accelerator: Mapping[str, ErrorStats]


class Interval(Record):
    """How often the intervals held the measurement, and what that cost in width.

    `score` is the mean interval score of Gneiting and Raftery (2007, equation 43) of log time,
    times 100: the width, plus 2/α times the distance by which a measurement falls outside.
    """

    nominal_pct: float
    coverage_pct: float | None = None
    median_half_width_pct: float | None = None
    score: float | None = None


class Scores(Record):
    """Errors and intervals of one quantity."""

    error: Errors
    interval: Interval


def scores(points: Sequence[Point], reference: Sequence[Point] = ()) -> Scores:
    """Return errors and intervals.

    Args:
        points: what is scored, one for each configuration.
        reference: points of the public tables, from which the residual spread of a source is
            taken where the scored table has no other source.
    """
    return Scores(error=errors(points), interval=interval(points, reference))


def errors(points: Sequence[Point]) -> Errors:
    """Return the errors of all points, dense and sparse models, and by source and accelerator."""
    return Errors(
        all=error_stats(points),
        dense=error_stats([p for p in points if not p.sparse]),
        moe=error_stats([p for p in points if p.sparse]),
        by_source=_by(points, [p.source for p in points]),
        by_accelerator=_by(points, [p.accelerator for p in points]),
    )


def by_configuration(points: Sequence[Point]) -> list[Point]:
    """Return one point per group: the median of its repeats, and of their predictions.

    Of sparse models only the latest release counts: their kernels were still being written.
    """
    groups: dict[str, list[Point]] = {}
    for point in points:
        groups.setdefault(point.group or point.row_id, []).append(point)
    merged = []
    for group in groups.values():
        latest = max(p.release for p in group)
        kept = [p for p in group if p.release == latest] if group[0].sparse else group
        merged.append(
            kept[0]._replace(
                measured=float(np.median([p.measured for p in kept])),
                predicted=float(np.median([p.predicted for p in kept])),
                draws=np.asarray(np.median([p.draws for p in kept], axis=0)),
            )
        )
    return merged


def interval(points: Sequence[Point], reference: Sequence[Point] = ()) -> Interval:
    """Return coverage, width and score of the central intervals of the points."""
    if not points:
        return Interval(nominal_pct=NOMINAL_PCT)
    tail = 0.5 * (1.0 - NOMINAL_PCT / 100.0)
    spread = {s: residual_spread(points, reference, s) for s in {p.source for p in points}}
    wobble = _standard_normal(points[0].draws.size)
    low, high = np.empty(len(points)), np.empty(len(points))
    for i, point in enumerate(points):
        worlds = np.log(point.draws) + spread[point.source] * wobble
        low[i], high[i] = np.quantile(worlds, (tail, 1.0 - tail))
    at = np.log([p.measured for p in points])
    outside = np.maximum(low - at, 0.0) + np.maximum(at - high, 0.0)
    return Interval(
        nominal_pct=NOMINAL_PCT,
        coverage_pct=100.0 * float(np.mean(outside == 0.0)),
        median_half_width_pct=100.0 * float(np.median(np.expm1(0.5 * (high - low)))),
        score=100.0 * float(np.mean(high - low + outside / tail)),
    )


def needs_reference(points: Sequence[Point]) -> bool:
    """Return whether a source's spread must come from the public tables: too few others here."""
    return any(
        sum(p.source != source for p in points) < _FEWEST for source in {p.source for p in points}
    )


def residual_spread(points: Sequence[Point], reference: Sequence[Point], source: str) -> float:
    """Return the log spread between rows that the draws do not hold, from other sources.

    Half the distance between the 16 % and 84 % quantile of the log errors, less in quadrature
    what the draws already spread. Without enough points of other sources: zero.
    """
    others = [p for p in points if p.source != source]
    if len(others) < _FEWEST:
        others = [p for p in reference if p.source != source]
    if len(others) < _FEWEST:
        return 0.0
    off = np.log([p.predicted / p.measured for p in others])
    low, high = np.quantile(off, (0.16, 0.84))
    drawn = float(np.median([np.std(np.log(p.draws)) for p in others]))
    return float(np.sqrt(max((0.5 * (high - low)) ** 2 - drawn**2, 0.0)))


def _by(points: Sequence[Point], keys: Iterable[str]) -> dict[str, ErrorStats]:
    parts: dict[str, list[Point]] = {}
    for point, key in zip(points, keys, strict=True):
        parts.setdefault(key, []).append(point)
    return {key: error_stats(parts[key]) for key in sorted(parts)}


def error_stats(points: Sequence[Point]) -> ErrorStats:
    """Return count, median, mean and 90 % quantile of the errors."""
    return stats_of(np.log([p.predicted / p.measured for p in points]))


def stats_of(logs: Array) -> ErrorStats:
    """Return the same of log(predicted / measured), shape (N,)."""
    if not logs.size:
        return ErrorStats(n=0)
    off = 100.0 * np.abs(np.expm1(logs))
    return ErrorStats(
        n=logs.size,
        median_pct=float(np.median(off)),
        mean_pct=float(np.mean(off)),
        p90_pct=float(np.quantile(off, 0.9)),
    )


def _standard_normal(n: int) -> Array:
    """Return n standard normal values in an order that has nothing to do with the draws'."""
    return np.random.default_rng(n).standard_normal(n)
