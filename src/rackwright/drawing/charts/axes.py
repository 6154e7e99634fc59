"""Scales, round ticks, grid lines and the names of axes with their units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, floor, log10
from typing import NamedTuple

from rackwright.drawing import words
from rackwright.drawing.charts.canvas import LINE, SMALL, rule, text, text_width
from rackwright.drawing.html import Html, Part, join

TINY = 1e-200
"""Spans below this are nothing to draw, and their squares underflow."""


class Scale(NamedTuple):
    """From a value to a place on the page, linear or logarithmic."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """Return the place of a value."""
        if self.log:
            share = log10(value / self.low) / log10(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def ticks(low: float, high: float, most: int) -> tuple[float, ...]:
    """Return round values inside an interval: steps of 1, 2 or 5 times a power of ten.

    >>> ticks(0, 104, 6)
    (0.0, 20.0, 40.0, 60.0, 80.0, 100.0)
    """
    if not high > low:
        return (float(low),)
    for step in _round_steps((high - low) / most):
        first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
        if last - first < most:
            return tuple(float(f"{i * step:.10g}") for i in range(first, last + 1))
    return ()


def log_ticks(low: float, high: float, most: int) -> tuple[float, ...]:
    """Return 1, 2, 5 times powers of ten inside an interval, fewer where these are too many.

    >>> log_ticks(0.02, 0.5, 6)
    (0.02, 0.05, 0.1, 0.2, 0.5)
    """
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    for mantissas in ((1, 2, 5), (1, 3), (1,)):
        found = tuple(float(f"{m}e{p}") for p in powers for m in mantissas)
        inside = tuple(v for v in found if low * (1 - 1e-9) <= v <= high * (1 + 1e-9))
        if len(inside) <= most:
            break
    return inside or (low,)


def reach(values: Sequence[float], most: int = 6) -> tuple[float, float]:
    """Return an interval with round ends that holds zero and all values.

    >>> reach([641], 6)
    (0.0, 800.0)
    """
    low, high = min(0.0, *values, 0.0), max(0.0, *values, 0.0)
    if high - low < TINY:
        high = low + 1.0
    for step in _round_steps((high - low) / most):
        first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
        if last - first < most:
            return float(first * step), float(last * step)
    return low, high


def bottom_axis(
    scale: Scale,
    top: float,
    bottom: float,
    width: float,
    name: str,
    values: Sequence[float],
    *,
    percent: bool = False,
) -> Html:
    """Return grid lines, numbers and the name of a horizontal axis under a plot.

    Args:
        scale: of the axis.
        top: where grid lines begin.
        bottom: where they end; numbers and name stand below.
        width: of the drawing, which no number may leave.
        name: what is counted, with its unit.
        values: ticks.
        percent: whether they are shares, to be written as percentages.
    """
    parts: list[Part] = []
    last = float("-inf")
    for value in values:
        x, label = scale.at(value), written(value, percent=percent)
        parts.append(rule(x, top, x, bottom, "grid"))
        half = text_width(label, SMALL) / 2
        at = min(max(x, half), width - half)
        if at - half > last + 6:  # numbers that would touch are left out
            parts.append(text(at, bottom + 15, label, "small", "middle"))
            last = at + half
    parts.append(text(width, bottom + 15 + LINE, name, "small quiet", "end"))
    return join(parts)


def left_axis(
    scale: Scale,
    left: float,
    right: float,
    name: str,
    values: Sequence[float],
    *,
    percent: bool = False,
) -> Html:
    """Return grid lines, numbers left of a plot, and the axis' name above it."""
    parts: list[Part] = []
    for value in values:
        y = scale.at(value)
        parts.append(rule(left, y, right, y, "grid"))
        parts.append(text(left - 6, y + 4, written(value, percent=percent), "small", "end"))
    top = min(scale.start, scale.end)
    parts.append(text(0, top - 10, name, "small quiet"))
    return join(parts)


def written(value: float, *, percent: bool) -> str:
    """Return a tick as text."""
    return words.percent(value, 0) if percent else words.number(value)


def margin(values: Sequence[float], *, percent: bool) -> float:
    """Return the room that the numbers of a left axis need."""
    return max(text_width(written(v, percent=percent), SMALL) for v in values) + 8


def _round_steps(least: float) -> Iterator[float]:
    """Yield 1, 2 and 5 times powers of ten from about the least on."""
    power = 10.0 ** floor(log10(least))
    for factor in (1, 2, 5, 10, 20, 50, 100):
        if factor * power >= least * (1 - 1e-9):
            yield factor * power
