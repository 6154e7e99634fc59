"""Fourth question: use the option to buy, test on, wait or decline, and what would change it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rackwright.drawing import words
from rackwright.drawing.charts.bars import bars
from rackwright.drawing.charts.curves import curves
from rackwright.drawing.html import Html, Part, join, tag
from rackwright.drawing.layout.option import boundary_curves, option_bars
from rackwright.drawing.page import Page
from rackwright.drawing.parts import (
    FICTITIOUS,
    bullets,
    figure,
    grade,
    heading,
    mark,
    side_by_side,
    table,
)
from rackwright.records.decision import Condition, Decision
from rackwright.records.plan import BuildPlan

NEAREST = 3
ACTIONS = ("exercise", "test", "wait", "decline")


def choice(page: Page, number: int, anchor: str) -> Html:
    """Return the section: before and after the readings, worth, boundary, gates, conditions."""
    evidence = page.answer.summary.evidence
    before = page.answer.decision
    now = evidence.decision if evidence is not None else before
    made_up = page.fictitious and evidence is not None
    report = page.answer.report
    weights = np.asarray(page.answer.space.parameters.weights)
    if evidence is not None and report is not None:
        weights = np.asarray(report.weights)
    boundary = boundary_curves(page.study, page.answer.space, now, weights)
    return join(
        heading(number, anchor, "The decision"),
        _said(page, before, now if evidence is not None else None),
        _changed(page),
        _values(page, before, now if evidence is not None else None),
        side_by_side(
            figure(bars, option_bars(now), "What the option is worth", half=True,
                   fictitious=made_up),
            figure(curves, boundary, "Where buying begins",
                   "The lowest price of work at which exercising is best, by performance. A flat "
                   "end is the lowest price tried.",
                   half=True, fictitious=made_up)
            if boundary is not None
            else None,
        ),
        tag("p", now.partial_exercise) if now.partial_exercise else None,
        _gates(now),
        _back(page, now),
        _conditions(now),
    )  # fmt: skip


def _said(page: Page, before: Decision, after: Decision | None) -> Html:
    if after is None:
        return tag("p", before.text, class_="answer")
    moved = before.action != after.action
    verb = f"moves from {before.action} to {after.action}" if moved else f"stays: {after.action}"
    return tag(
        "p",
        join(mark(), " ") if page.fictitious else None,
        tag("b", f"The decision {verb}."),
        tag("br"),
        "Before the readings: ",
        before.text,
        tag("br"),
        "After: ",
        after.text,
        class_="answer",
    )


def _changed(page: Page) -> Html | None:
    """Return what the readings did to the rate, the plan and the decision."""
    answer, evidence = page.answer, page.answer.summary.evidence
    if evidence is None:
        return None
    rows: list[tuple[str, str, str]] = [
        (
            f"expected rate of a block of {page.names.label(answer.summary.lead_design)}",
            words.rate(evidence.rate_before_tokens_per_s),
            words.rate(evidence.rate_after_tokens_per_s),
        ),
        (
            "surplus of the plan",
            words.usd(evidence.surplus_before_usd),
            words.usd(evidence.surplus_after_usd),
        ),
    ]
    if answer.rebuilt is not None:
        then, again = _racks(page, answer.plan), _racks(page, answer.rebuilt)
        for key in dict.fromkeys((*then, *again)):
            now, later = (words.count(plan.get(key, 0.0)) for plan in (then, again))
            rows.append((f"racks of {page.names.label(key)}", now, later))
    rows.append(("decision", answer.decision.action, evidence.decision.action))
    title = "What the readings change" + (f" ({FICTITIOUS})" if page.fictitious else "")
    return table(("", "before the readings", "after them"), rows, "tnn", title=title)


def _racks(page: Page, plan: BuildPlan) -> dict[str, float]:
    racks: dict[str, float] = {}
    for x in plan.deliveries:
        row = page.row(x.design)
        racks[x.design] = racks.get(x.design, 0.0) + x.blocks * (row.racks if row else 1)
    return racks


def _values(page: Page, before: Decision, after: Decision | None) -> Html:
    rows: list[tuple[str, str, str]] = []
    for name, of in _LINES:
        rows.append((name, _amount(before, of), _amount(after, of) if after is not None else ""))
    head = ("", "before the readings", "after them")
    if after is None:
        return table(("", "now"), [row[:2] for row in rows], "tn", title="The option")
    title = "The option" + (f" (after: {FICTITIOUS})" if page.fictitious else "")
    return table(head, rows, "tnn", title=title)


_LINES = (
    ("strike, per block", "strike_usd_per_block"),
    ("worth of exercising all today", "exercise_now_usd"),
    ("worth of the option, waiting but no tests", "option_without_tests_usd"),
    ("worth of the option, with tests", "option_usd"),
    ("worth of early access, gross", "early_access_usd"),
    ("expected cost of the tests", "tests_cost_usd"),
    ("worth of early access, net", "early_access_net_usd"),
    ("worth if all were known", "perfect_information_usd"),
    ("the policy on fresh paths", "lower_bound_usd"),
)


def _amount(decision: Decision, name: str) -> str:
    value: float = getattr(decision, name)
    if name == "lower_bound_usd":
        return f"{words.usd(value)} ± {words.usd(decision.lower_bound_standard_error_usd)}"
    return words.usd(value)


def _gates(decision: Decision) -> Html | None:
    if not decision.gates:
        return None
    lines = [
        (
            "today" if gate.week == 0 else f"week {words.number(gate.week)}",
            _price(gate.exercise_above_usd_per_million_tokens),
            _price(gate.decline_below_usd_per_million_tokens),
            *(words.percent(gate.chance.get(a, 0.0), 0) for a in ACTIONS),
        )
        for gate in decision.gates
    ]
    head = ("gate", "exercise above", "decline below", *(f"chance: {a}" for a in ACTIONS))
    return join(
        table(head, lines, "tnnnnnn", title="The gates"),
        tag("p", "Prices of work in USD per million tokens, at the expected performance; chances "
            "are seen from today; what is missing to 100 % was decided or had lapsed before.",
            class_="lead"),
    )  # fmt: skip


def _price(value: float | None) -> str:
    return "at no price" if value is None else words.number(value)


def _back(page: Page, now: Decision) -> Html | None:
    """Say which estimates would move the decision, or back where the readings moved it."""
    evidence = page.answer.summary.evidence
    if evidence is not None and evidence.moved:
        title = "What would move the decision back"
        if not evidence.back:
            text = "No single estimate, between half and twice its value, moves it back."
            return join(tag("h3", title), tag("p", text))
        return join(tag("h3", title), bullets(_condition(c) for c in evidence.back))
    flips = [c for c in now.conditions if c.flips_at is not None]
    title = "What would change our mind"
    if not flips:
        tried = f"none of the {len(now.conditions)} estimates tried flips the decision by itself"
        return join(tag("h3", title), tag("p", f"Between half and twice its value, {tried}."))
    return join(tag("h3", title), bullets(_condition(c) for c in flips[:NEAREST]))


def _condition(condition: Condition) -> Part:
    return join(condition.text, " ", grade(condition.grade))


def _name(condition: Condition) -> str:
    """Return the estimate in words: its text up to the value now."""
    return condition.text.partition(" (")[0].partition(" stays ")[0] or condition.estimate


def _sized(value: float, unit: str) -> str:
    """Return a value of an estimate in the multiple that reads best."""
    if unit == "USD":
        return words.usd(value)
    if unit == "share":
        return words.percent(value)
    return words.quantity(value, unit)


def _away(now: float, flips_at: float) -> str:
    """Return how far a flip is from the value now."""
    return f"{'+' if flips_at >= now else ''}{words.percent(flips_at / now - 1)}" if now else ""


def _conditions(decision: Decision) -> Html | None:
    flips: Sequence[Condition] = [c for c in decision.conditions if c.flips_at is not None]
    firm = [c for c in decision.conditions if c.flips_at is None]
    if not decision.conditions:
        return None
    rest = "; ".join(_name(c) for c in firm)
    return join(
        table(
            ("estimate", "now", "flips at", "which is", "becomes", "grade"),
            [
                (
                    _name(c), _sized(c.now, c.unit), _sized(c.flips_at, c.unit),
                    _away(c.now, c.flips_at), c.becomes or "", grade(c.grade),
                )
                for c in flips
                if c.flips_at is not None
            ],
            "tnnntt",
            title=f"Where each estimate, by itself, would end “{decision.action}”",
        )
        if flips
        else None,
        tag("p", f"By itself, none of these flips the decision in the range tried: {rest}.",
            class_="lead")
        if firm
        else None,
    )  # fmt: skip
