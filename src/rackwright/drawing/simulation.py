"""A simulation in one picture: latencies as distributions, requests and shares over time."""

from __future__ import annotations

from rackwright.drawing.charts.canvas import LINE, Drawing, svg, text, wrapped
from rackwright.drawing.charts.curves import curves
from rackwright.drawing.html import Part, join, tag
from rackwright.drawing.layout.simulation import (
    latency_curves,
    request_curves,
    share_curves,
    token_curves,
)
from rackwright.drawing.style import chart_css
from rackwright.records.simulation import Simulation

PANEL, GAP, EDGE = 420.0, 40.0, 24.0
"""Width of a panel, room between panels, and margin of the picture [px]."""
TITLE = 15.0
"""Height of the picture's title [px]."""


def simulation_svg(simulation: Simulation) -> str:
    """Return a simulation as one SVG file, light or dark as its reader's screen.

    Args:
        simulation: in which at least one request was served.
    """
    d, asked = simulation.deployed, simulation.asked
    pools = f"{d.replicas} x {d.accelerators_per_replica}"
    if d.prefill_replicas:
        pools = f"{d.prefill_replicas} x {d.accelerators_per_prefill_replica} + {pools}"
    title = (
        f"{d.model} in {d.precision} on {pools} {d.accelerator}: "
        f"{asked.requests:,} requests ({asked.source})"
    )
    panels = (
        ("How long until the first token and the last?", latency_curves(simulation)),
        ("How long for each further token?", token_curves(simulation)),
        ("What waits and what runs?", request_curves(simulation)),
        ("How full and how busy?", share_curves(simulation)),
    )
    drawn = [(words, curves(data, PANEL)) for words, data in panels if data.lines]
    width = 2 * PANEL + GAP + 2 * EDGE
    marks: list[Part] = []
    y = EDGE
    for line in wrapped(title, width - 2 * EDGE, TITLE * 1.1):
        marks.append(text(EDGE, y + 14, line, "title"))
        y += 22
    y += 10
    for left in range(0, len(drawn), 2):
        row = drawn[left : left + 2]
        for i, (words, drawing) in enumerate(row):
            x = EDGE + i * (PANEL + GAP)
            marks.append(text(x, y + 14, words, "strong"))
            place = f"translate({x:.0f} {y + LINE + 6:.0f})"
            marks.append(tag("g", drawing.body, transform=place))
        y += max(drawing.height for _, drawing in row) + LINE + 22
    return f"{svg(Drawing(width, y, join(marks)), title, chart_css())}\n"
