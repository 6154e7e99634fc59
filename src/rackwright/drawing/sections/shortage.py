"""Second question: when supply halves, does the best design change, and what is that worth?"""

from __future__ import annotations

from collections.abc import Sequence

from rackwright.drawing import words
from rackwright.drawing.charts.bars import bars
from rackwright.drawing.charts.pairs import pairs
from rackwright.drawing.html import Html, Part, join, tag
from rackwright.drawing.layout.scenarios import BASE, loss_pairs, mix_bars
from rackwright.drawing.page import Page
from rackwright.drawing.parts import Line, figure, grade, heading, table
from rackwright.records.plan import ShadowPrice, WorkRow
from rackwright.records.run import ScenarioResult


def shortage(page: Page, number: int, anchor: str) -> Html:
    """Return the section: scenarios beside the base plan, and prices of what is scarce."""
    scenarios = page.answer.summary.scenarios
    title = heading(number, anchor, "When supply halves")
    scarce = [(BASE, page.answer.plan.shadow_prices)]
    scarce += [(s.name, s.shadow_prices) for s in scenarios]
    if not scenarios:
        none = tag("p", "The study states no scenario.", class_="answer")
        return join(title, none, _prices(scarce))
    return join(
        title,
        tag(
            "p",
            "Each scenario is planned twice: with every design to choose from, and with the base "
            "plan's designs only. The difference is what redesign, so co-design, is worth there.",
            class_="lead",
        ),
        figure(pairs, loss_pairs(scenarios), "What each scenario costs",
               "Beside each row: with redesign / without, in MUSD."),
        figure(bars, mix_bars(page.answer.summary.mix, scenarios, page.names),
               "What is built in each", "Racks by design."),
        _compared(page, scenarios),
        (_told(s) for s in scenarios),
        _prices(scarce),
    )  # fmt: skip


def _compared(page: Page, scenarios: Sequence[ScenarioResult]) -> Html:
    plan = page.answer.plan
    names = [row.workload for row in plan.work]
    head = ("scenario", "surplus, MUSD", "cost, MUSD", *(f"{n}, T tokens" for n in names),
            "worth of redesign", "gap", "grade")  # fmt: skip
    base = Line(
        (BASE, words.musd(plan.surplus_usd), "", *_tokens(plan.work, names), "",
         words.percent(plan.gap_fraction, 2), grade(plan.grade)),
        "strong",
    )  # fmt: skip
    lines = [base]
    for s in scenarios:
        worth = words.usd(s.redesign_usd) if s.design_changes else "redesign gains nothing"
        lines.append(
            Line(
                (s.name, words.musd(s.surplus_usd), words.musd(s.cost_usd),
                 *_tokens(s.work, names), worth, words.percent(s.gap_fraction, 2),
                 grade(s.grade)),
            )
        )  # fmt: skip
        if s.design_changes:
            lines.append(
                Line(
                    (f"{s.name}, without redesign", words.musd(s.control_surplus_usd),
                     words.musd(s.surplus_usd + s.cost_usd - s.control_surplus_usd),
                     *_tokens(s.control_work, names), "", "", ""),
                    "quiet",
                )
            )  # fmt: skip
    return table(head, lines, "t" + "n" * (4 + len(names)), title="Beside the base plan")


def _tokens(work: Sequence[WorkRow], names: Sequence[str]) -> list[Part]:
    done = {row.workload: row.tokens for row in work}
    return [words.number(done.get(name, 0.0) / 1e12) for name in names]


def _told(s: ScenarioResult) -> Html:
    note = tag("span", " ", s.note) if s.note else None
    return tag("p", tag("b", s.name), ". ", note, tag("br"), s.text)


def _prices(scarce: Sequence[tuple[str, Sequence[ShadowPrice]]]) -> Html | None:
    lines = [
        (
            where, f"{p.kind.replace('_', ' ')}: {p.name}", words.usd(p.usd_low),
            words.usd(p.usd_per_unit), words.usd(p.usd_high), p.unit,
            f"{words.number(p.step)}",
        )
        for where, prices in scarce
        for p in prices
    ]  # fmt: skip
    if not lines:
        return tag("p", "Nothing is scarce: one more of anything would add nothing.")
    bases = sorted({p.basis for _, prices in scarce for p in prices})
    head = ("plan", "what is scarce", "gain of one more", "price", "loss of one less", "unit",
            "tried with steps of")  # fmt: skip
    return join(
        table(head, lines, "ttnnntn", title="What one more would be worth"),
        tag("p", "Both sides are from re-solves with a little more and a little less; "
            f"basis: {'; '.join(bases)}.", class_="lead"),
    )  # fmt: skip
