"""A run in one picture: the four answers side by side, as an SVG file of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from rackwright.drawing import words
from rackwright.drawing.charts.canvas import (
    LINE,
    SMALL,
    Drawing,
    bannered,
    svg,
    text,
    wrapped,
)
from rackwright.drawing.charts.curves import curves
from rackwright.drawing.charts.pairs import pairs
from rackwright.drawing.charts.probes import probes
from rackwright.drawing.charts.steps import steps
from rackwright.drawing.html import Part, join, tag
from rackwright.drawing.layout.early import probe_rows
from rackwright.drawing.layout.option import boundary_curves
from rackwright.drawing.layout.plans import rack_steps
from rackwright.drawing.layout.scenarios import gains, loss_pairs
from rackwright.drawing.page import Answer, Page, page_of
from rackwright.drawing.parts import FICTITIOUS
from rackwright.drawing.style import chart_css
from rackwright.records.study import Study

PANEL, GAP, EDGE = 420.0, 40.0, 24.0
"""Width of a panel, room between panels, and margin of the picture [px]."""
TITLE = 15.0
"""Height of the picture's title [px]."""


class Panel(NamedTuple):
    """One answer: a question, the answer in a line, and its chart."""

    question: str
    answer: str
    chart: Drawing


def picture_svg(study: Study, answer: Answer) -> str:
    """Return the run as one SVG file, light or dark as its reader's screen; no other file needed.

    Args:
        study: the question.
        answer: the records of the run (`pipeline.Result`).
    """
    page = page_of(study, answer)
    drawn = [_panel(panel) for panel in _panels(page)]
    width = 2 * PANEL + GAP + 2 * EDGE
    marks: list[Part] = []
    y = EDGE
    for line in wrapped(answer.summary.title, width - 2 * EDGE, TITLE * 1.1):
        marks.append(text(EDGE, y + 14, line, "title"))
        y += 22
    marks.append(text(EDGE, y + 12, _in_short(page), "small quiet"))
    y += LINE + 20
    for left in range(0, len(drawn), 2):
        row = drawn[left : left + 2]
        for i, drawing in enumerate(row):
            place = f"translate({EDGE + i * (PANEL + GAP):.0f} {y:.0f})"
            marks.append(tag("g", drawing.body, transform=place))
        y += max(drawing.height for drawing in row) + 22
    whole = Drawing(width, y, join(marks))
    return f"{svg(whole, answer.summary.title, chart_css())}\n"


def _in_short(page: Page) -> str:
    plan, summary = page.answer.plan, page.answer.summary
    racks = sum(b.racks for b in summary.mix)
    return (
        f"{words.count(racks)} racks, surplus {words.usd(plan.surplus_usd)} over the life of the "
        f"blocks, within {words.percent(plan.gap_fraction, 2)} of the best possible; "
        f"worst grade {summary.grade.value}"
    )


def _panels(page: Page) -> Iterator[Panel]:
    """Yield the answers that the run has; one without scenarios or readings has fewer."""
    answer, summary = page.answer, page.answer.summary
    if answer.plan.deliveries:
        mix = ", ".join(f"{words.count(b.racks)} x {page.names.label(b.design)}"
                        for b in summary.mix)  # fmt: skip
        chart = steps(rack_steps(answer.space, answer.plan, page.names), PANEL)
        yield Panel("Which racks, and when?", mix, chart)
    if summary.scenarios:
        worth = max((s.redesign_usd for s in summary.scenarios if gains(s)), default=0.0)
        said = f"redesign is worth up to {words.usd(worth)}" if worth > 0 else (
            "no scenario shows a proven gain of redesign"
        )  # fmt: skip
        chart = pairs(loss_pairs(summary.scenarios), PANEL)
        yield Panel("What if supply halves?", said, chart)
    report = answer.report
    lot = "the test is planned" if report is None else _lot(report.lot, report.further_racks)
    chart = probes(probe_rows(answer.acceptance, report), PANEL)
    made_up = report is not None and report.fictitious
    yield Panel("Are early racks what was promised?", lot,
                bannered(chart, FICTITIOUS) if made_up else chart)  # fmt: skip
    evidence = summary.evidence
    now = answer.decision if evidence is None else evidence.decision
    believed = answer.space.parameters.weights if report is None else report.weights
    boundary = boundary_curves(page.study, answer.space, now, np.asarray(believed))
    if boundary is not None:
        chart = curves(boundary, PANEL)
        said = now.action if evidence is None or not evidence.moved else (
            f"{answer.decision.action} before the readings, {now.action} after them"
        )  # fmt: skip
        made_up = page.fictitious and evidence is not None
        yield Panel("Buy now, test on, or wait?", said,
                    bannered(chart, FICTITIOUS) if made_up else chart)  # fmt: skip


def _lot(lot: str, further: int) -> str:
    return f"continue with {further} more racks" if lot == "continue" else f"{lot} the lot"


def _panel(panel: Panel) -> Drawing:
    """Return a chart under its question and answer."""
    marks: list[Part] = [text(0, 14, panel.question, "strong")]
    y = LINE + 2
    for line in wrapped(panel.answer, PANEL, SMALL):
        marks.append(text(0, y + 12, line, "small quiet"))
        y += 16
    marks.append(tag("g", panel.chart.body, transform=f"translate(0 {y + 8:.0f})"))
    return Drawing(PANEL, y + 8 + panel.chart.height, join(marks))
