"""Readings against a promise, every probe on the same relative axis: 100 % is what was sold."""

from __future__ import annotations

from typing import NamedTuple

from rackwright.drawing.charts.axes import Scale, bottom_axis, ticks
from rackwright.drawing.charts.canvas import (
    LINE,
    SMALL,
    Drawing,
    dot,
    legend,
    rect,
    rule,
    text,
    text_width,
)
from rackwright.drawing.html import Part, join

ROW = 42.0
"""Height of a row [px]: the probe's name and verdict, then its readings."""


class Reading(NamedTuple):
    """One unit's reading as a share of the promise."""

    name: str
    share: float
    out: bool


class Probe(NamedTuple):
    """One probe; all values are shares of the promise, more is better."""

    label: str
    predicted: float
    low: float
    high: float
    good: float
    bad: float
    units: tuple[Reading, ...]
    center: float | None
    verdict: str


class Probes(NamedTuple):
    """Probes on one axis."""

    rows: tuple[Probe, ...]


def probes(data: Probes, width: float) -> Drawing:
    """Return, for each probe, limits, prediction with its interval, units and their center."""
    measured = any(row.units or row.center is not None for row in data.rows)
    entries = [
        ("predicted, 80 %", "quiet-band"),
        ("bad lot", "bad-zone"),
        ("good lot", "good-line line"),
        ("promise", "promise line"),
    ]
    if measured:
        entries += [("one rack", "unit dot"), ("all racks", "c0 fill dot")]
    drawn, tall = legend(entries, 0, 0, width)
    top = tall + 4
    bottom = top + len(data.rows) * ROW + 4
    shares = [v for r in data.rows for v in _shares(r)]
    low, high = min([*shares, 0.9]) - 0.015, max([*shares, 1.05]) + 0.015
    scale = Scale(low, high, 4, width - 4)
    values = ticks(low, high, int(width // 70) + 1)
    parts: list[Part] = [
        drawn,
        bottom_axis(
            scale, top, bottom, width, "share of the promise, more is better", values, percent=True
        ),
    ]
    for i, row in enumerate(data.rows):
        parts.append(_row(row, scale, top + i * ROW, width))
    promise = scale.at(1.0)
    parts.append(rule(promise, top, promise, bottom, "promise"))
    return Drawing(width, bottom + 2 * LINE + 4, join(parts))


def _row(row: Probe, scale: Scale, top: float, width: float) -> Part:
    y = top + 30
    bad, start = scale.at(row.bad), scale.start
    parts: list[Part] = [
        rect(start, y - 8, bad - start, 16, "bad-zone"),
        rect(
            scale.at(row.low), y - 5, scale.at(row.high) - scale.at(row.low), 10, "quiet-band",
            f"{row.label}: predicted {100 * row.predicted:.1f} % of the promise",
        ),
        rule(scale.at(row.predicted), y - 6, scale.at(row.predicted), y + 6, "predicted"),
        rule(scale.at(row.good), y - 8, scale.at(row.good), y + 8, "good-line"),
        text(0, top + 15, row.label, "halo"),
    ]  # fmt: skip
    if row.verdict:
        parts.append(text(width, top + 15, row.verdict, f"small halo {row.verdict}", "end"))
    if row.center is not None:
        x = scale.at(row.center)
        parts.append(dot(x, y, 6, "c0 fill edge", f"{row.label}: {100 * row.center:.1f} %"))
        wide = text_width(row.verdict, SMALL) + 10
        label = f"{row.center * 100:.1f} %"
        parts.append(text(width - wide, top + 15, label, "small halo strong", "end"))
    for unit in row.units:  # last, so that none hides behind their center
        style = "unit out" if unit.out else "unit"
        parts.append(
            dot(scale.at(unit.share), y, 3.5, style, f"{unit.name}: {100 * unit.share:.1f} %")
        )
    return join(parts)


def _shares(row: Probe) -> list[float]:
    center = [] if row.center is None else [row.center]
    return [row.low, row.high, row.good, row.bad, *center, *(u.share for u in row.units)]
