"""What is there week by week: layers that change in steps, under a limit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rackwright.drawing.charts.axes import Scale, bottom_axis, left_axis, margin, reach, ticks
from rackwright.drawing.charts.canvas import (
    LINE,
    SMALL,
    Drawing,
    apart,
    legend,
    path,
    rule,
    swatch,
    text,
    text_width,
    wrapped,
)
from rackwright.drawing.html import Part, join

PLOT = 190.0
"""Height of the plot [px]."""
DIRECT = 560.0
"""From this width on [px], layers are named at their right end instead of in a legend."""


class Layer(NamedTuple):
    """One layer: a value for each span between two edges."""

    name: str
    values: tuple[float, ...]
    colour: str


class Limit(NamedTuple):
    """A stepped line: from each week on, this value."""

    name: str
    points: tuple[tuple[float, float], ...]


class Steps(NamedTuple):
    """Layers over weeks, stacked, and the limit that they stay under."""

    unit: str
    edges: tuple[float, ...]
    layers: tuple[Layer, ...]
    limit: Limit | None = None


def steps(data: Steps, width: float) -> Drawing:
    """Return the layers stacked over weeks, with the limit as a dark line."""
    first, last = data.edges[0], data.edges[-1]
    stacks = _stacked(data)
    highest = [max(stacks[-1], default=0.0)] if stacks else [0.0]
    limit = _limit_points(data.limit, first, last) if data.limit is not None else []
    low, high = reach([*highest, *(value for _, value in limit)], 6)
    marks: list[Part] = []
    entries = [(layer.name, f"{layer.colour} fill") for layer in data.layers]
    direct = width >= DIRECT
    top, right = LINE + 6, width - 4
    if direct:
        names = [e[0] for e in entries] + ([data.limit.name] if data.limit else [])
        widest = max((text_width(name, SMALL) for name in names), default=0.0)
        right = width - min(widest + 24, 230)
    else:
        if data.limit is not None:
            entries.append((data.limit.name, "limit line"))
        drawn, tall = legend(entries, 0, 0, width)
        marks.append(drawn)
        top += tall + 2
    bottom = top + PLOT
    values = ticks(low, high, 6)
    left = margin(values, percent=False)
    x, y = Scale(first, last, left, right), Scale(low, high, bottom, top)
    marks.append(left_axis(y, left, right, data.unit, values))
    weeks = ticks(first, last, int((right - left) // 60) + 1)
    marks.append(bottom_axis(x, bottom, bottom + 4, right, "week", weeks))
    below: Sequence[float] = [0.0] * (len(data.edges) - 1)
    for layer, upper in zip(data.layers, stacks, strict=True):
        area = [*_outline(data.edges, upper, x, y), *reversed(_outline(data.edges, below, x, y))]
        marks.append(path(area, f"{layer.colour} fill edge", closed=True))
        below = upper
    marks.append(rule(left, bottom, right, bottom, "axis"))
    if limit:
        marks.append(path(_staircase(limit, last, x, y), "limit line"))
    if direct:
        marks.append(_names(data, stacks, limit, y, right + 8, width))
    return Drawing(width, bottom + 2 * LINE + 4, join(marks))


def _names(
    data: Steps,
    stacks: Sequence[Sequence[float]],
    limit: Sequence[tuple[float, float]],
    y: Scale,
    x: float,
    width: float,
) -> Part:
    """Name each layer at its right end, in the middle of its height there."""
    named: list[tuple[str, str, float]] = []
    below = 0.0
    for layer, upper in zip(data.layers, stacks, strict=True):
        named.append((layer.name, f"{layer.colour} fill", y.at((below + upper[-1]) / 2)))
        below = upper[-1]
    if limit and data.limit is not None:
        named.append((data.limit.name, "limit line", y.at(limit[-1][1])))
    tall = (
        max((len(wrapped(name, width - x - 14, SMALL)) for name, _, _ in named), default=1) * 14 + 3
    )
    places = apart([at for _, _, at in named], tall, y.end, y.start)
    parts: list[Part] = []
    for (name, class_, _), at in zip(named, places, strict=True):
        parts.append(swatch(x, at - 5, class_))
        for i, words in enumerate(wrapped(name, width - x - 14, SMALL)):
            parts.append(text(x + 14, at + 4 + 14 * i, words, "small"))
    return join(parts)


def _stacked(data: Steps) -> list[list[float]]:
    """Return the upper edge of every layer, each resting on the one before."""
    below = [0.0] * (len(data.edges) - 1)
    stacks = []
    for layer in data.layers:
        below = [b + v for b, v in zip(below, layer.values, strict=True)]
        stacks.append(below)
    return stacks


def _outline(
    edges: Sequence[float], values: Sequence[float], x: Scale, y: Scale
) -> list[tuple[float, float]]:
    points: list[tuple[float, float]] = []
    for start, end, value in zip(edges[:-1], edges[1:], values, strict=True):
        points += [(x.at(start), y.at(value)), (x.at(end), y.at(value))]
    return points


def _limit_points(limit: Limit, first: float, last: float) -> list[tuple[float, float]]:
    """Return the steps inside the weeks shown, beginning at the first of them."""
    before = [value for week, value in limit.points if week <= first]
    inside = [(week, value) for week, value in limit.points if first < week < last]
    return [(first, before[-1] if before else 0.0), *inside]


def _staircase(
    points: Sequence[tuple[float, float]], last: float, x: Scale, y: Scale
) -> list[tuple[float, float]]:
    ends = [*(week for week, _ in points[1:]), last]
    placed: list[tuple[float, float]] = []
    for (week, value), end in zip(points, ends, strict=True):
        placed += [(x.at(week), y.at(value)), (x.at(end), y.at(value))]
    return placed
