"""From the stages' records to what the one page says: headlines, comparisons, what would change."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rackwright.kernels.quantile import weighted_quantile
from rackwright.records.acceptance import AcceptanceReport
from rackwright.records.decision import Decision
from rackwright.records.errors import NothingFeasibleError
from rackwright.records.plan import BuildPlan, WorkRow
from rackwright.records.provenance import Grade, worst
from rackwright.records.run import DesignBlocks, Evidence, RunSummary, ScenarioResult, Statement
from rackwright.records.space import Front, Space
from rackwright.records.study import Scenario, Study

NEAREST = 3
"""How many estimates the page names as able to move a decision back."""


def summarise(
    study: Study,
    space: Space,
    front: Front,
    plan: BuildPlan,
    lead: str,
    scenarios: tuple[ScenarioResult, ...],
    decision: Decision,
    evidence: Evidence | None,
) -> RunSummary:
    """Return the page in words and numbers; every headline carries its grade."""
    best = {w: next(r.key for r in front.rows if r.workload == w) for w in _served(front)}
    idle = [note for note in space.assumptions if "NO DESIGN DOES IT" in note]
    statements = [
        *(Statement(text=f"{note}.", grade=space.grade, leans_on="search") for note in idle),
        *(_best_statement(front, w) for w in best),
        _plan_statement(space, plan),
        *(Statement(text=s.text, grade=s.grade, leans_on="scenario") for s in scenarios),
        Statement(
            text=f"Before any reading: {decision.text}" if evidence else decision.text,
            grade=decision.grade,
            leans_on="market and strike",
        ),
    ]
    if evidence is not None:
        statements.append(_evidence_statement(evidence, decision))
    return RunSummary(
        study_sha256=space.study_sha256,
        title=study.title or study.name,
        statements=tuple(statements),
        best=best,
        mix=design_blocks(space, plan),
        lead_design=lead,
        scenarios=scenarios,
        evidence=evidence,
        evidence_value_usd=decision.early_access_usd,
        grade=worst([s.grade for s in statements]),
        assumptions=tuple(
            dict.fromkeys((*space.assumptions, *plan.assumptions, *decision.assumptions))
        ),
    )


def lead_design(study: Study, space: Space, plan: BuildPlan) -> str:
    """Return the design that the test and the option are about: most money in the plan.

    Where the study has a market, only designs that serve its workload count.

    Raises:
        NothingFeasibleError: the plan builds nothing that could be tested.
    """
    w = space.workloads.index(study.market.workload) if study.market is not None else None
    rows = {row.key: row for row in space.rows}
    money: dict[str, float] = {}
    for x in plan.deliveries:
        if w is None or rows[x.design].services[w] is not None:
            money[x.design] = money.get(x.design, 0.0) + x.blocks * rows[x.design].price_usd
    if not money and plan.deliveries and study.market is not None:
        raise NothingFeasibleError(_nothing_for(study.market.workload, space))
    if not money:
        raise NothingFeasibleError(nothing_built(plan))
    return max(sorted(money), key=lambda key: money[key])


def nothing_built(plan: BuildPlan) -> str:
    """Return why a plan builds nothing, a line for each reason."""
    return "\n".join(["the plan builds nothing:", *(f"  {text}" for text in plan.binding)])


def _nothing_for(workload: str, space: Space) -> str:
    """Return why a plan that builds something has nothing for the market's workload."""
    why = [note for note in space.assumptions if note.startswith(f"{workload}: NO DESIGN")]
    why = why or ["no block for it is worth its cost in this plan"]
    head = f"the plan builds no design that does {workload}, the market's workload:"
    return "\n".join([head, *(f"  {note}" for note in why), "  nothing can be tested or bought"])


def design_blocks(space: Space, plan: BuildPlan) -> tuple[DesignBlocks, ...]:
    """Return the whole blocks of each design in a plan by weeks, most accelerators first."""
    rows = {row.key: row for row in space.rows}
    program: dict[str, float] = {}
    for x in plan.deliveries:
        program[x.design] = program.get(x.design, 0.0) + x.blocks
    made = []
    for key, part in program.items():
        n = plan.whole_blocks(key)
        made.append(
            DesignBlocks(
                design=key,
                blocks=n,
                racks=n * rows[key].racks,
                accelerators=n * rows[key].accelerators,
                program_blocks=part,
            )
        )
    return tuple(sorted(made, key=lambda b: (-b.accelerators, b.design)))


def _racks(mix: Sequence[DesignBlocks]) -> str:
    built = (b for b in mix if b.racks > 0)
    return ", ".join(f"{b.racks:,.0f} racks of {b.design}" for b in built) or "nothing"


def scenario_result(
    scenario: Scenario, space: Space, base: BuildPlan, free: BuildPlan, control: BuildPlan
) -> ScenarioResult:
    """Return a scenario beside the base plan and beside its control without redesign.

    Args:
        free: the scenario's plan over the whole space.
        control: the scenario's plan over the base plan's designs only; `free` itself when it
            uses no other design.
    """
    changes = bool(set(free.designs) - set(base.designs))
    gain = free.surplus_usd - control.surplus_usd
    work = _work_gained(free.work, control.work)
    mix = design_blocks(space, free)
    text = (
        f"{scenario.name}: surplus {free.surplus_usd / 1e6:,.0f} MUSD, "
        f"{(base.surplus_usd - free.surplus_usd) / 1e6:,.0f} MUSD less than the base plan; builds "
        f"{_racks(mix)}. "
    )
    tight = _slack(free, control)
    if not changes:
        text += "No new design is used: redesign gains nothing."
    elif gain <= tight:
        text += (
            f"Other designs are chosen, but redesign gains {gain / 1e6:,.1f} MUSD, within the "
            f"plans' gap of {tight / 1e6:,.1f} MUSD: no proven gain."
        )
    else:
        text += (
            f"The best design changes: without redesign {control.surplus_usd / 1e6:,.0f} MUSD; "
            f"co-design is worth {gain / 1e6:,.0f} MUSD{work}."
        )
    return ScenarioResult(
        name=scenario.name,
        note=scenario.note,
        grade=worst([scenario.grade, free.grade, base.grade]),
        mix=mix,
        surplus_usd=free.surplus_usd,
        cost_usd=base.surplus_usd - free.surplus_usd,
        work=free.work,
        shadow_prices=free.shadow_prices,
        proved=free.proved,
        gap_fraction=free.gap_fraction,
        design_changes=changes,
        control_mix=design_blocks(space, control),
        control_work=control.work,
        control_surplus_usd=control.surplus_usd,
        control_bound_usd=control.bound_usd,
        redesign_usd=gain,
        text=text,
    )


def evidence_of(
    space: Space,
    learned: Space,
    base: BuildPlan,
    rebuilt: BuildPlan,
    report: AcceptanceReport,
    lead: str,
    before: Decision,
    after: Decision,
) -> Evidence:
    """Return what the readings did: to the rate, to the plan, to the decision, and what undoes it.

    `learned` is the space with the worlds reweighted by the report.
    """
    moved = before.action != after.action
    back = [c for c in after.conditions if c.flips_at is not None and c.becomes == before.action]
    return Evidence(
        kind="fictitious" if report.fictitious else "measured",
        lot=report.lot,
        summary=report.summary,
        rate_before_tokens_per_s=_rate(space, lead),
        rate_after_tokens_per_s=_rate(learned, lead),
        surplus_before_usd=base.surplus_usd,
        surplus_after_usd=rebuilt.surplus_usd,
        decision=after,
        moved=moved,
        back=tuple(back[:NEAREST]),
    )


def _served(front: Front) -> list[str]:
    return list(dict.fromkeys(row.workload for row in front.rows))


def _best_statement(front: Front, workload: str) -> Statement:
    row = next(r for r in front.rows if r.workload == workload)
    at = "at the upper end of its price" if row.composed else "at list prices"
    text = (
        f"Best for {workload} without shortage: {row.key}, "
        f"{row.usd_per_million_tokens:.3g} USD per million tokens {at} "
        f"(cheapest in {100 * row.chance_best:.0f} % of worlds)."
    )
    return Statement(text=text, grade=row.grade, leans_on="catalog prices and efficiencies")


def _plan_statement(space: Space, plan: BuildPlan) -> Statement:
    draws, weights = np.asarray(plan.surplus_draws), np.asarray(space.parameters.weights)
    low, high = weighted_quantile(draws, weights, (0.1, 0.9))
    proof = "proved over the space" if plan.proved else f"{plan.remaining} designs not excluded"
    loss = plan.weekly_loss_usd / 1e6
    text = (
        f"Build {_racks(design_blocks(space, plan))}: surplus {plan.surplus_usd / 1e6:,.0f} MUSD "
        "at expected rates, "
        f"at most {100 * plan.gap_fraction:.2f} % below the best possible ({proof}); this plan "
        "earns "
        f"{float(draws @ weights) / 1e6:,.0f} MUSD on average over the worlds "
        f"({low / 1e6:,.0f} to {high / 1e6:,.0f} in 80 %), since demand caps the fast ones; taken "
        f"to whole racks week by week, as counted here, it loses {loss:,.0f} MUSD."
    )
    return Statement(text=text, grade=plan.grade, leans_on="prices, supply and value of work")


def _evidence_statement(evidence: Evidence, before: Decision) -> Statement:
    kind = "Fictitious readings" if evidence.kind == "fictitious" else "Readings"
    share = evidence.rate_after_tokens_per_s / max(evidence.rate_before_tokens_per_s, 1e-300) - 1
    move = (
        f"the decision moves from {before.action} to {evidence.decision.action}"
        if evidence.moved
        else f"the decision stays: {before.action}"
    )
    text = f"{kind}: {evidence.summary} Expected rate {100 * share:+.1f} %; {move}."
    return Statement(
        text=text,
        grade=Grade.D if evidence.kind == "fictitious" else evidence.decision.grade,
        leans_on="fictitious readings" if evidence.kind == "fictitious" else "readings",
    )


def _work_gained(free: Sequence[WorkRow], control: Sequence[WorkRow]) -> str:
    parts = []
    for a, b in zip(free, control, strict=True):
        if abs(a.tokens - b.tokens) > 1e-3 * max(a.tokens, b.tokens):
            parts.append(f"{_three_digits((a.tokens - b.tokens) / 1e12)} T tokens of {a.workload}")
    return f", {' and '.join(parts)} within the horizon" if parts else ""


def _three_digits(value: float) -> str:
    """Return a signed number with three significant digits, none cut before the point.

    >>> _three_digits(1529.2), _three_digits(-0.4812)
    ('+1,529', '-0.481')
    """
    return f"{value:+,.0f}" if abs(value) >= 99.95 else f"{value:+,.3g}"


def _slack(free: BuildPlan, control: BuildPlan) -> float:
    """Return the part of a difference that the control's own gap could explain."""
    return max(control.bound_usd - control.surplus_usd, 0.0)


def _rate(space: Space, key: str) -> float:
    """Return the expected rate of a design, its best workload's, tokens/s per block."""
    d = next(i for i, row in enumerate(space.rows) if row.key == key)
    return float(np.max(np.asarray(space.rates[d]) @ np.asarray(space.parameters.weights)))
