"""Lines over two axes, with marked points: a boundary, a progress."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rackwright.drawing.charts.axes import (
    Scale,
    bottom_axis,
    left_axis,
    log_ticks,
    margin,
    reach,
    ticks,
)
from rackwright.drawing.charts.canvas import LINE, Drawing, dot, legend, path, rule, text
from rackwright.drawing.html import Part, join

PLOT = 210.0
"""Height of the plot [px]."""


class Axis(NamedTuple):
    """One axis: its name with the unit, and how it counts."""

    name: str
    log: bool = False
    percent: bool = False
    from_zero: bool = True


class Curve(NamedTuple):
    """One line; `style` is a class such as `c0` or `c1 dashed`."""

    name: str
    points: tuple[tuple[float, float], ...]
    style: str


class Mark(NamedTuple):
    """One point with its name."""

    name: str
    x: float
    y: float


class Curves(NamedTuple):
    """Lines and marks over two axes, with words laid over the plot's upper corners."""

    x: Axis
    y: Axis
    lines: tuple[Curve, ...]
    marks: tuple[Mark, ...] = ()
    above: str = ""
    below: str = ""


def curves(data: Curves, width: float) -> Drawing:
    """Return the lines with a legend above, and marks named beside their points."""
    entries = [(c.name, f"{c.style} stroke line") for c in data.lines]
    drawn, tall = legend(entries, 0, 0, width) if len(entries) > 1 else (None, 0.0)
    top = tall + LINE + 8
    bottom, right = top + PLOT, width - 6
    points = [p for c in data.lines for p in c.points] + [(m.x, m.y) for m in data.marks]
    ys, y_ticks = _range(data.y, [p[1] for p in points], 5)
    left = margin(y_ticks, percent=data.y.percent)
    xs, x_ticks = _range(data.x, [p[0] for p in points], int((right - left) // 60) + 1)
    x = Scale(*xs, left, right, data.x.log)
    y = Scale(*ys, bottom, top, data.y.log)
    parts: list[Part] = [
        drawn,
        left_axis(y, left, right, data.y.name, y_ticks, percent=data.y.percent),
        bottom_axis(x, top, bottom, right, data.x.name, x_ticks, percent=data.x.percent),
        rule(left, bottom, right, bottom, "axis"),
    ]
    for curve in data.lines:
        placed = [(x.at(a), y.at(b)) for a, b in curve.points]
        parts.append(path(placed, f"{curve.style} stroke"))
    if data.above:
        parts.append(text(right - 6, top + 16, data.above, "halo quiet", "end"))
    if data.below:
        parts.append(text(left + 6, bottom - 8, data.below, "halo quiet"))
    for mark in data.marks:
        at = x.at(mark.x)
        anchor = "end" if at > (left + right) / 2 else "start"
        parts.append(dot(at, y.at(mark.y), 5, "mark", mark.name))
        shift = -9 if anchor == "end" else 9
        parts.append(text(at + shift, y.at(mark.y) + 4, mark.name, "halo strong", anchor))
    return Drawing(width, bottom + 2 * LINE + 4, join(parts))


def _range(
    axis: Axis, values: Sequence[float], most: int
) -> tuple[tuple[float, float], tuple[float, ...]]:
    """Return the interval of an axis and its ticks."""
    low, high = min(values), max(values)
    if axis.log:
        low, high = low / 1.25, high * 1.25
        return (low, high), log_ticks(low, high, most)
    if axis.from_zero:
        low, high = reach(values, most)
    elif low == high:
        low, high = low * 0.9, high * 1.1
    return (low, high), ticks(low, high, most)
