"""The top of the page: what the run is, its key numbers, its headlines with their grades."""

from __future__ import annotations

from collections.abc import Iterator

from rackwright.drawing import words
from rackwright.drawing.html import Html, Part, join, tag
from rackwright.drawing.page import Page
from rackwright.drawing.parts import GRADES, grade, keys
from rackwright.records.provenance import Grade

KINDS = {
    None: "before hardware",
    "measured": "measured",
    "fictitious": "rehearsed on fictitious readings",
}


def opening(page: Page, sections: tuple[tuple[str, str], ...]) -> Html:
    """Return title, kind of run, key numbers, headlines, legend and the list of sections."""
    summary, study = page.answer.summary, page.study
    kind = None if summary.evidence is None else summary.evidence.kind
    return join(
        tag(
            "p",
            tag("span", KINDS[kind], class_=f"kind {kind or ''}".strip()),
            tag("span", "worst grade ", grade(summary.grade)),
            tag("span", study.name),
            class_="eyebrow",
        ),
        tag("h1", summary.title),
        tag(
            "p",
            f"Week 0 is {study.start.day} {study.start:%B %Y}; the plan covers "
            f"{study.horizon_weeks} weeks. Money is in US dollars of {study.currency_year}, "
            "discounted to week 0. Intervals hold 80 % of the worlds drawn. ",
            study.note,
            class_="lead",
        ),
        _band() if page.fictitious else None,
        keys(_key_numbers(page)),
        tag("ol", (_headline(s.text, s.grade, s.leans_on) for s in summary.statements),
            class_="headlines"),
        _legend(),
        tag("nav", (tag("a", name, href=f"#{anchor}") for anchor, name in sections)),
    )  # fmt: skip


_WORDS = (
    "A design's name reads: rack system / NIC Gbit/s per accelerator / o and the oversubscription "
    "of its fabric / racks in a block, the smallest lot that is bought. A world is one joint draw "
    "of everything the performance model is unsure of. Joint surplus is the worth of the work done "
    "less all real costs; what a buyer pays a maker only moves it between them, and the option "
    "below is the buyer's side: prices of work that move and fall, and a strike."
)


def _band() -> Html:
    return tag(
        "p",
        tag("strong", "FICTITIOUS READINGS."),
        " The readings of early racks on this page were made up to rehearse the test; no such "
        "hardware was measured. What follows from them is marked, and proves nothing about any "
        "product.",
        class_="band",
    )


def _key_numbers(page: Page) -> Iterator[tuple[str, str, Part]]:
    plan, summary = page.answer.plan, page.answer.summary
    possible = f"at most {words.usd(plan.bound_usd)} is possible"
    yield "joint surplus", words.usd(plan.surplus_usd), possible
    racks = sum(b.racks for b in summary.mix)
    accelerators = sum(b.accelerators for b in summary.mix)
    yield "racks", words.count(racks), f"{words.count(accelerators)} accelerators, {_power(page)}"
    for row in plan.work:
        share = row.tokens / row.wanted_tokens if row.wanted_tokens > 0 else 0.0
        if row.finished_week is not None:
            yield row.workload, f"week {row.finished_week:.0f}", _due(page, row.workload)
        else:
            more = f"of {words.tokens(row.wanted_tokens)} wanted by week {page.study.horizon_weeks}"
            yield row.workload, words.percent(share, 0), more
    after = summary.evidence.decision if summary.evidence is not None else None
    decided = after or page.answer.decision
    more = f"on {words.count(decided.lot_blocks)} blocks of {page.names.label(decided.design)}"
    if page.fictitious and after is not None:
        more += "; on fictitious readings"
    yield "decision", decided.action, more
    proof = "between this plan and the best possible; " + (
        "proved" if plan.proved else "not closed"
    )
    yield "gap", words.percent(plan.gap_fraction, 2), proof


def _power(page: Page) -> str:
    watts = 0.0
    for blocks in page.answer.summary.mix:
        row = page.row(blocks.design)
        watts += blocks.blocks * row.provisioned_power_w if row is not None else 0.0
    return f"{words.power(watts)} IT reserved"


def _due(page: Page, name: str) -> str:
    workload = next((w for w in page.study.workloads if w.name == name), None)
    due = getattr(workload, "due_week", None)
    return "all tokens done" if due is None else f"all tokens done; due week {due:.0f}"


def _headline(text: str, of: Grade, leans_on: str) -> Html:
    leans = tag("span", f"leans on {leans_on}", class_="leans") if leans_on else None
    return tag("li", grade(of), tag("div", text, leans))


def _legend() -> Html:
    pairs = (tag("span", grade(g), " ", meaning, class_="pair") for g, meaning in GRADES.items())
    return join(
        tag("p", "A statement is as good as the worst number it leans on: ", pairs,
            class_="legend"),
        tag("p", _WORDS, class_="legend"),
    )  # fmt: skip
