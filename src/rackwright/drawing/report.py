"""The one page of a run: self-contained HTML that answers four questions, then shows its proof."""

from __future__ import annotations

from typing import Protocol

from rackwright.drawing import words
from rackwright.drawing.html import Html, Part, join, tag
from rackwright.records.acceptance import AcceptancePlan, AcceptanceReport
from rackwright.records.decision import Decision
from rackwright.records.plan import BuildPlan
from rackwright.records.run import RunSummary
from rackwright.records.space import Front, Space
from rackwright.records.study import Study


class Answer(Protocol):
    """The records of a run, as the page needs them."""

    @property
    def space(self) -> Space: ...  # noqa: D102
    @property
    def front(self) -> Front: ...  # noqa: D102
    @property
    def plan(self) -> BuildPlan: ...  # noqa: D102
    @property
    def acceptance(self) -> AcceptancePlan: ...  # noqa: D102
    @property
    def report(self) -> AcceptanceReport | None: ...  # noqa: D102
    @property
    def decision(self) -> Decision: ...  # noqa: D102
    @property
    def summary(self) -> RunSummary: ...  # noqa: D102


def report_html(study: Study, answer: Answer) -> str:
    """Return the page: one HTML file that needs no network and no script."""
    summary = answer.summary
    evidence = summary.evidence
    kind = "before hardware" if evidence is None else evidence.kind
    body = join(
        tag("h1", summary.title),
        tag("p", f"{kind}; worst grade {summary.grade}"),
        tag("p", "FICTITIOUS READINGS: no such hardware was measured.", class_="fictitious")
        if evidence is not None and evidence.kind == "fictitious"
        else None,
        tag("ol", (tag("li", f"{s.text} [{s.grade}]") for s in summary.statements)),
        tag("h2", "Designs"),
        _table(
            ("workload", "design", "rate", "USD per million tokens", "price", "grade"),
            [
                (r.workload, r.key, words.rate(r.rate_tokens_per_s),
                 words.number(r.usd_per_million_tokens), words.usd(r.price_usd), r.grade)
                for r in answer.front.rows
            ],
        ),
        tag("h2", "Money"),
        _table(("line", "MUSD"), [(m.name, words.musd(m.usd)) for m in answer.plan.money]),
        tag("ul", (tag("li", line) for line in answer.plan.binding)),
        tag("h2", "Scenarios"),
        tag("ul", (tag("li", s.text) for s in summary.scenarios)),
        tag("h2", "Early racks"),
        _table(
            ("probe", "promised", "bad below", "racks needed"),
            [
                (p.probe, words.number(p.promised), words.number(p.bad), str(p.racks_needed))
                for p in answer.acceptance.probes
            ],
        ),
        tag("p", answer.report.summary) if answer.report is not None else None,
        tag("h2", "Decision"),
        tag("p", answer.decision.text),
        tag("ul", (tag("li", c.text) for c in answer.decision.conditions)),
        tag("h2", "Assumptions"),
        tag("ul", (tag("li", line) for line in summary.assumptions)),
    )  # fmt: skip
    head = join(
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", summary.title),
    )
    page = tag("html", tag("head", head), tag("body", body), lang="en")
    return f"<!doctype html>\n{page}\n"


def _table(head: tuple[str, ...], rows: list[tuple[Part, ...]]) -> Html:
    return tag(
        "table",
        tag("tr", (tag("th", cell) for cell in head)),
        (tag("tr", (tag("td", cell) for cell in row)) for row in rows),
    )
