"""Second question: when supply halves, does the best design change, and what is that worth?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rackwright.drawing import words
from rackwright.drawing.charts.bars import bars
from rackwright.drawing.charts.pairs import pairs
from rackwright.drawing.html import Html, Part, join, tag
from rackwright.drawing.layout.scenarios import (
    BASE,
    control_gap_usd,
    gains,
    loss_pairs,
    mix_bars,
)
from rackwright.drawing.page import Page
from rackwright.drawing.parts import Line, figure, grade, heading, small, table
from rackwright.records.plan import ShadowPrice, WorkRow
from rackwright.records.run import ScenarioResult

ROUNDING_SHARE = 1e-6
"""A gap below this share of the surplus is rounding of the solver."""
MOST_COLUMNS = 5
"""Plans beside one another in one table."""


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
        tag("p", tag("b", _verdict(scenarios)), class_="answer"),
        figure(pairs, loss_pairs(scenarios), "What each scenario costs", _how_sure(page)),
        _compared(page, scenarios),
        figure(bars, mix_bars(page.answer.summary.mix, scenarios, page.names),
               "What is built in each", "Racks by design."),
        _prices(scarce),
    )  # fmt: skip


def _verdict(scenarios: Sequence[ScenarioResult]) -> str:
    """Say in one line where redesign is worth something."""
    gaining = [s for s in scenarios if gains(s)]
    if not gaining:
        if any(s.design_changes for s in scenarios):
            return "Other designs are chosen, but in no scenario is a gain of redesign proven."
        return "No scenario uses a new design: redesign gains nothing."
    best = max(gaining, key=lambda s: s.redesign_usd)
    where = f"{len(gaining)} of {len(scenarios)} scenarios"
    return (
        f"The best design changes in {where}; redesign is worth most in {best.name}: "
        f"{words.usd(best.redesign_usd)}."
    )


def _how_sure(page: Page) -> str:
    scenarios = page.answer.summary.scenarios
    gaps = [page.answer.plan.bound_usd - page.answer.plan.surplus_usd]
    gaps += [s.gap_fraction * abs(s.surplus_usd) for s in scenarios]
    beside = "Beside each row: with redesign / without. Each plan is "
    if max(gaps) < ROUNDING_SHARE * abs(page.answer.plan.surplus_usd):
        return f"{beside}proved the best possible."
    return (
        f"{beside}within {words.usd(max(gaps))} of the best possible; smaller differences prove "
        "nothing."
    )


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
        lines.append(
            Line(
                (tag("span", s.name, tag("br"), small(s.note)), words.musd(s.surplus_usd),
                 words.musd(s.cost_usd), *_tokens(s.work, names), _worth(s),
                 words.percent(s.gap_fraction, 2), grade(s.grade)),
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
    title = "Beside the base plan: tokens are those within the horizon"
    return table(head, lines, "t" + "n" * (4 + len(names)), title=title)


def _worth(s: ScenarioResult) -> Html:
    if not s.design_changes:
        return small("gains nothing")
    if not gains(s):
        doubt = small(
            f"not proven: the plan without could gain {words.usd(control_gap_usd(s))}", wraps=True
        )
        return tag("span", words.usd(s.redesign_usd), tag("br"), doubt)
    return tag("span", tag("b", words.usd(s.redesign_usd)), _work_gained(s))


def _work_gained(s: ScenarioResult) -> Iterator[Html]:
    """Yield what redesign adds to the work of each workload within the horizon."""
    without = {row.workload: row.tokens for row in s.control_work}
    for row in s.work:
        more = row.tokens - without.get(row.workload, 0.0)
        if abs(more) > 1e-4 * max(row.tokens, 1.0):
            sign = "+" if more > 0 else ""
            gained = f"{sign}{words.tokens(more)} of {row.workload}"
            yield join(tag("br"), small(gained, wraps=True))


def _tokens(work: Sequence[WorkRow], names: Sequence[str]) -> list[Part]:
    done = {row.workload: row.tokens for row in work}
    return [words.number(done.get(name, 0.0) / 1e12) for name in names]


def _prices(scarce: Sequence[tuple[str, Sequence[ShadowPrice]]]) -> Html:
    """Return what one more of each scarce thing is worth, a column for each plan."""
    things = dict.fromkeys((p.kind, p.name, p.unit) for _, prices in scarce for p in prices)
    if not things:
        return tag("p", "Nothing is scarce: one more of anything would add nothing.")
    tables = []
    for first in range(0, len(scarce), MOST_COLUMNS):
        plans = scarce[first : first + MOST_COLUMNS]
        lines = [
            (tag("span", f"{kind.replace('_', ' ')} {name}", tag("br"), small(f"per {unit}")),
             *(_price(prices, kind, name) for _, prices in plans))
            for kind, name, unit in things
        ]  # fmt: skip
        head = ("what is scarce", *(name for name, _ in plans))
        tables.append(table(head, lines, "t" + "n" * len(plans), title="What one more is worth"))
    bases = sorted({p.basis for _, prices in scarce for p in prices})
    return join(
        tables,
        tag(
            "p",
            "Under each price its two sides: the gain of a little more and the loss of a little "
            f"less, both re-solved. Empty: not scarce there. Basis: {'; '.join(bases)}.",
            class_="lead",
        ),
    )


def _price(prices: Sequence[ShadowPrice], kind: str, name: str) -> Part:
    found = next((p for p in prices if (p.kind, p.name) == (kind, name)), None)
    if found is None:
        return ""
    sides = small(f"{words.number(found.usd_low)} to {words.number(found.usd_high)}")
    return tag("span", words.usd(found.usd_per_unit), tag("br"), sides)
