"""Residuals by source: a dot for each row, the median and the middle half of each source."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log

import numpy as np

from rackwright.drawing.charts.canvas import LINE, Drawing, dot, rect, rule, svg, text, text_width
from rackwright.drawing.html import Part, join, tag
from rackwright.drawing.style import chart_css
from rackwright.records.residuals import Residuals

WIDTH, MARGIN, ROW, REACH = 900.0, 24.0, 24.0, log(2.0)
"""Rows beyond a factor of two stand at the edge."""

MARKS = (0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0)


def residuals_svg(found: Sequence[Residuals], title: str) -> str:
    """Return the residuals of a table's quantities, one below the other, as an SVG file."""
    y, parts = MARGIN + 34.0, [text(MARGIN, MARGIN + 12, title, "title")]
    for one in found:
        inner = residuals_drawing(one, WIDTH - 2 * MARGIN)
        parts.append(tag("g", inner.body, transform=f"translate({MARGIN:g} {y:g})"))
        y += inner.height + 22
    whole = Drawing(WIDTH, y + MARGIN - 10, join(parts))
    return f"{svg(whole, title, chart_css())}\n"


def residuals_drawing(found: Residuals, width: float) -> Drawing:
    """Return a row of dots for each source, left where it is too fast, right where too slow.

    Args:
        found: logs of predicted over measured.
        width: of the drawing [px].
    """
    left = max(text_width(s.source) for s in found.sources) + 56
    right = width - 110

    def at(value: float) -> float:
        return left + (min(max(value, -REACH), REACH) + REACH) / (2 * REACH) * (right - left)

    top = 2 * LINE
    bottom = top + ROW * len(found.sources)
    rows = sum(len(s.logs) for s in found.sources)
    marks: list[Part] = [
        text(0, 12, f"{found.quantity}: predicted over measured, {rows:,} rows", "strong")
    ]
    for mark in MARKS:
        x = at(log(mark))
        marks.append(rule(x, top - 4, x, bottom, "axis" if mark == 1 else "grid"))
        marks.append(text(x, bottom + 14, f"{mark:g}", "small quiet", "middle"))
    marks.append(text(right + 12, top - 8, "median", "small quiet"))
    for n, source in enumerate(found.sources):
        y = top + ROW * (n + 0.5)
        low, middle, high = np.quantile(source.logs, [0.25, 0.5, 0.75])
        marks.append(text(0, y + 4, source.source))
        marks.append(text(left - 10, y + 4, f"{len(source.logs):,}", "small quiet", "end"))
        marks.append(rect(at(low), y - 6, at(high) - at(low), 12, "c0 soft fill"))
        for i, value in enumerate(source.logs):
            # Spread a little up and down, the same way each time, so that equals are seen.
            marks.append(dot(at(value), y + ((i * 7) % 11 - 5) * 0.8, 1.6, "c0 soft fill"))
        marks.append(rule(at(middle), y - 8, at(middle), y + 8, "limit"))
        marks.append(text(right + 12, y + 4, f"{100 * (exp(middle) - 1):+.1f} %", "small"))
    return Drawing(width, bottom + LINE + 4, join(marks))
