"""Money, what binds, and how far the plan can be from the best."""

from __future__ import annotations

import numpy as np

from rackwright.drawing import words
from rackwright.drawing.charts.spread import spread
from rackwright.drawing.charts.waterfall import waterfall
from rackwright.drawing.html import Html, join, tag
from rackwright.drawing.layout.plans import money_fall, surplus_spread
from rackwright.drawing.page import Page
from rackwright.drawing.parts import bullets, figure, heading, table


def proof(page: Page, number: int, anchor: str) -> Html:
    """Return the section: the plan's money, its worth over the worlds, limits and certificate."""
    answer = page.answer
    plan = answer.plan
    weights = np.asarray(answer.space.parameters.weights)
    drawn = np.asarray(plan.surplus_draws).size > 0
    return join(
        heading(number, anchor, "Money and proof"),
        tag(
            "p",
            "Joint surplus is the value of the work delivered less all real costs. What the buyer "
            "pays the maker is a transfer: it moves the surplus and does not change it.",
            class_="lead",
        ),
        figure(waterfall, money_fall(plan), "From the value of work to the surplus")
        if plan.money
        else None,
        tag("h3", "How good the plan is"),
        tag("p", _certified(page), class_="answer"),
        figure(spread, surplus_spread(plan, weights), "The plan's worth over the worlds",
               "The same plan, in each world at that world's rates. The surplus above is at "
               "expected rates; where demand caps the work, a fast world gains less than a slow "
               "one loses.")
        if drawn
        else None,
        join(tag("h3", "What binds"), bullets(plan.binding)) if plan.binding else None,
        _landed(page),
    )  # fmt: skip  # fmt: skip


def _certified(page: Page) -> str:
    plan = page.answer.plan
    head = (
        "In the plan's buckets of weeks, no plan over the space is worth more than "
        f"{words.usd(plan.bound_usd)}; this one is worth "
        f"{words.usd(plan.surplus_usd)}, at most {words.percent(plan.gap_fraction, 2)} less. "
    )
    if plan.proved:
        tail = "Proved over the whole space."
    else:
        tail = f"Not proved: {plan.remaining:,} designs could not be excluded"
        tail += f" (stopped by {plan.stopped_by})." if plan.stopped_by else "."
    loss = plan.weekly_loss_usd
    weekly = f"{words.usd(abs(loss))} {'less' if loss >= 0 else 'more'}"
    return (
        f"{head}{tail} {plan.columns:,} columns in {plan.rounds:,} rounds of pricing. Taken apart "
        f"to single weeks and whole blocks the plan is worth {weekly}."
    )


def _landed(page: Page) -> Html | None:
    landed = page.answer.plan.landed
    if not landed:
        return None
    head = ("design", "parts", "duty", "labour", "freight", "set-up", "landed")
    lines = [
        (
            page.design(x.design), *(
                words.musd(v)
                for v in (x.parts_usd, x.duty_usd, x.labour_usd, x.freight_usd, x.setup_usd,
                          x.usd_per_block)
            ),
        )
        for x in landed
    ]  # fmt: skip
    return table(head, lines, "tnnnnnn", title="Landed cost of a block, MUSD, undiscounted")
