"""A distribution over the worlds, before and after, or alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from rackwright.drawing import words
from rackwright.drawing.charts.axes import Scale, bottom_axis, ticks
from rackwright.drawing.charts.canvas import (
    LINE,
    SMALL,
    Drawing,
    apart,
    legend,
    path,
    rule,
    text,
    text_width,
)
from rackwright.drawing.html import Part, join

PLOT = 150.0
"""Height of the plot [px]."""
BINS = 28


class Weighted(NamedTuple):
    """The share of worlds in each bin, and the mean over the worlds."""

    name: str
    shares: tuple[float, ...]
    mean: float
    style: str


class Spread(NamedTuple):
    """One or two distributions on the same bins."""

    unit: str
    edges: tuple[float, ...]
    of: tuple[Weighted, ...]


def binned(unit: str, values: ArrayLike, weights: Sequence[tuple[str, ArrayLike, str]]) -> Spread:
    """Return distributions of the same values under one or more sets of weights.

    Args:
        unit: of the values.
        values: one for each world, shape (S,).
        weights: (name, weights of shape (S,) that sum to 1, style), in order of drawing.
    """
    value = np.asarray(values, dtype=float)
    low, high = float(value.min()), float(value.max())
    if low == high:
        low, high = low - 0.5 * abs(low) - 0.5, high + 0.5 * abs(high) + 0.5
    edges = np.linspace(low, high, BINS + 1)
    of = []
    for name, weight, style in weights:
        share, _ = np.histogram(value, edges, weights=np.asarray(weight, dtype=float))
        mean = float(np.asarray(weight) @ value)
        of.append(Weighted(name, tuple(share.tolist()), mean, style))
    return Spread(unit, tuple(edges.tolist()), tuple(of))


def spread(data: Spread, width: float) -> Drawing:
    """Return the distributions as outlines, the last one filled, with their means."""
    entries = [(w.name, f"{w.style} fill") for w in data.of]
    drawn, tall = legend(entries, 0, 0, width) if len(entries) > 1 else (None, 0.0)
    top = tall + LINE + 4
    bottom = top + PLOT
    x = Scale(data.edges[0], data.edges[-1], 4, width - 4)
    highest = max((s for w in data.of for s in w.shares), default=1.0) or 1.0
    y = Scale(0.0, highest * 1.05, bottom, top)
    values = ticks(data.edges[0], data.edges[-1], int(width // 65) + 1)
    parts: list[Part] = [drawn, bottom_axis(x, bottom, bottom + 4, width, data.unit, values)]
    for weighted in data.of:
        points = [(x.at(data.edges[0]), bottom)]
        spans = zip(data.edges[:-1], data.edges[1:], weighted.shares, strict=True)
        for start, end, share in spans:
            points += [(x.at(start), y.at(share)), (x.at(end), y.at(share))]
        points.append((x.at(data.edges[-1]), bottom))
        parts.append(path(points, f"{weighted.style} fill soft", closed=True))
        parts.append(path(points, f"{weighted.style} stroke thin"))
    parts.append(rule(4, bottom, width - 4, bottom, "axis"))
    labels = [f"mean {words.number(w.mean)}" for w in data.of]
    wide = max((text_width(t, SMALL, strong=True) for t in labels), default=0.0) + 12
    places = apart([x.at(w.mean) for w in data.of], wide, wide / 2, width - wide / 2)
    for weighted, label, at in zip(data.of, labels, places, strict=True):
        mean = x.at(weighted.mean)
        parts.append(rule(mean, top, mean, bottom, f"{weighted.style} stroke line"))
        parts.append(text(at, top - 6, label, "small strong", "middle"))
    return Drawing(width, bottom + 2 * LINE + 4, join(parts))
