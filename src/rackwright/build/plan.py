"""BUILD: what is built where and when, with a bound over the whole space and its certificate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rackwright.build.assumptions import assumptions, proof_notes, untouched_by
from rackwright.build.bills import bills_of
from rackwright.build.blocks import blocks_of
from rackwright.build.branch import Cells, Decision, Only, Setup
from rackwright.build.certify import certificate_of
from rackwright.build.core import core_of
from rackwright.build.diagnose import break_even, require_something
from rackwright.build.draws import surplus_by_world
from rackwright.build.facts import Array, facts_of
from rackwright.build.known import known_rows, structure_of
from rackwright.build.landed import landed_costs
from rackwright.build.loop import first_rows, violation_usd
from rackwright.build.master import Master
from rackwright.build.model import Model, Point
from rackwright.build.money import Ledger, ledger_of
from rackwright.build.prices import Price
from rackwright.build.scenario import apply_scenario
from rackwright.build.setups import setups_of
from rackwright.build.shadow import shadow_prices
from rackwright.build.tree import Found, Limits, search
from rackwright.build.weekly import Weekly, by_week
from rackwright.build.whole import complete_as, is_whole
from rackwright.build.words import binding
from rackwright.records.base import record_sha256
from rackwright.records.certificate import Certificate
from rackwright.records.plan import Assignment, BuildPlan, CellPurchase, Delivery
from rackwright.records.provenance import Grade, worst
from rackwright.records.rates import Duty
from rackwright.records.space import Space
from rackwright.records.study import Scenario, Study

LEAST = 1e-7
"""Blocks below this are rounding of the solver."""


def plan(
    study: Study,
    space: Space,
    price: Price,
    duties: Sequence[Duty] = (),
    *,
    scenario: Scenario | None = None,
    known_designs: Sequence[str] = (),
    known_plans: Sequence[BuildPlan] = (),
    work_limits: Limits | None = None,
) -> tuple[BuildPlan, Certificate]:
    """Return the plan with the largest joint surplus found, and the proof of how good it is.

    Args:
        study: the question.
        space: designs with their rates; the only thing of DESIGN that is looked at.
        price: DESIGN's answer to prices (`design.price`); called many times.
        duties: dated customs measures.
        scenario: a world, or a rule, under which the question is asked.
        known_designs: keys of designs to start from.
        known_plans: earlier plans for the same horizon; where their structure is possible here,
            the plan found is worth no less than it.
        work_limits: deterministic limits of the search.

    Returns:
        The plan, and the certificate that `tools/recheck_certificate.py` re-computes.

    Raises:
        NothingFeasibleError: no block of any design can be built before the horizon ends.
        InputError: the study says something that the model cannot express.
    """
    limits = work_limits or Limits()
    asked = apply_scenario(study, scenario)
    model, notes = model_of(asked, space, duties, limits)
    require_something(model)
    master = Master(model, limits.iterations)
    master.add([*known_rows(model, known_designs, known_plans), *first_rows(model)])
    known = [s for s in (structure_of(model, p) for p in known_plans) if s is not None]
    found = search(master, space, price, limits, known)
    name = "base" if scenario is None else scenario.name
    untouched = untouched_by(scenario, study, space, found.best) if scenario is not None else ()
    notes = (*notes, *untouched)
    return _report(asked, study, name, space, price, master, found, limits, notes)


def model_of(
    study: Study, space: Space, duties: Sequence[Duty], limits: Limits
) -> tuple[Model, tuple[str, ...]]:
    """Return the model of a study over a space, and what was assumed."""
    bills = bills_of(space)
    facts = facts_of(study, bills, duties)
    blocks = blocks_of(study, space, facts, limits.whole_share)
    model = Model(facts, blocks, core_of(facts, blocks), setups_of(facts, blocks))
    return model, (*facts.notes, *assumptions(study, bills, model))


def _report(
    asked: Study,
    study: Study,
    scenario: str,
    space: Space,
    price: Price,
    master: Master,
    found: Found,
    limits: Limits,
    notes: tuple[str, ...],
) -> tuple[BuildPlan, Certificate]:
    model, point = master.model, found.best
    ledger = ledger_of(model, point, space)
    # What is spent whatever is built is no part of the program, but of every plan's worth.
    always_usd = model.facts.fixed_energy_usd
    apart = abs(ledger.surplus_usd + always_usd - point.objective_usd)
    assert apart <= 1e-5 * max(1.0, abs(found.bound_usd)), "the ledger is not the program's worth"
    assert is_whole(model, point), "only whole plans are kept"
    violation = violation_usd(found.bound_usd)
    shadows, priced = shadow_prices(master, found.fixed, limits.shadow_prices, violation)
    weekly, loss = _weekly(asked, master, found, ledger, violation)
    said = binding(model, point, shadows, priced)
    if not point.x.any():
        said = (*break_even(model, space, price), *said)
    sha = record_sha256(study)
    bound_usd = max(found.bound_usd - always_usd, ledger.surplus_usd)
    certificate = certificate_of(model, found, ledger.surplus_usd, sha, scenario)
    gap = (bound_usd - ledger.surplus_usd) / max(abs(ledger.surplus_usd), 1.0)
    remaining = _remaining(model, found, ledger.surplus_usd, limits)
    designs = [model.blocks.keys[d] for d in np.flatnonzero(point.x.any(axis=(1, 2, 3)))]
    rows = {row.key: row for row in space.rows}
    edges = model.facts.edges
    built = BuildPlan(
        study_sha256=sha,
        scenario=scenario,
        designs=tuple(designs),
        buckets=tuple(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)),
        deliveries=_deliveries(model, point),
        assignments=_assignments(model, point),
        cells=_cells(model, point),
        work=ledger.work,
        money=ledger.lines,
        landed=landed_costs(model, point),
        surplus_usd=ledger.surplus_usd,
        bound_usd=bound_usd,
        gap_fraction=max(0.0, gap),
        proved=bool(gap <= limits.gap * (1 + 1e-9)),
        remaining=remaining,
        columns=sum(int(model.blocks.buildable[d].sum()) for d in master.designs),
        rounds=found.rounds,
        stopped_by=found.stopped_by,
        shadow_prices=shadows,
        binding=said,
        weekly=weekly.rows,
        weekly_loss_usd=loss,
        surplus_draws=surplus_by_world(model, point, space, ledger.surplus_usd),
        certificate_sha256=record_sha256(certificate),
        grade=worst([*(rows[key].grade for key in designs), *_grades(asked)]),
        assumptions=(*notes, *weekly.held_back, *proof_notes(found, gap, limits)),
    )
    return built, certificate


def _weekly(
    asked: Study, master: Master, found: Found, ledger: Ledger, violation: float
) -> tuple[Weekly, float]:
    """Take the plan apart to weeks and price what that loses."""
    model = master.model
    cells = _cells_at_work(model, found.best)
    weekly = by_week(asked, model.facts, model.blocks, found.best, cells)
    kept: tuple[Decision, ...] = tuple(
        d for d in found.fixed if isinstance(d, Setup | Cells | Only)
    )
    master.decide((*kept, *complete_as(model, weekly.built)), violation)
    # Hours that go into a block of the next week may count in the next bucket.
    master.limit(*_with_hours_of(model, weekly.built))
    master.limit_built(weekly.built)
    point, _ = master.solve()
    master.limit_built(None)
    master.limit(model.core.limit, model.core.upper)
    master.decide((), 0.0)
    return weekly, ledger.surplus_usd + model.facts.fixed_energy_usd - point.objective_usd


def _with_hours_of(model: Model, x: Array) -> tuple[Array, Array]:
    """Limits and upper bounds of the core with room for the hours that these blocks take."""
    blocks, row, column = model.blocks, model.core.row, model.core.column
    limit, upper = model.core.limit.copy(), model.core.upper.copy()
    by_bucket = x.sum(axis=2)  # (D, F, T)
    bays = np.einsum("dft,df->ft", by_bucket, blocks.bay_at_h)
    touch = np.einsum("dft,df->ft", by_bucket, blocks.touch_at_h)
    limit[row.bay] = np.maximum(limit[row.bay], bays)
    there = column.people >= 0
    people = column.people[there]
    upper[people] = np.maximum(upper[people], touch[there])
    return limit, upper


def _cells_at_work(model: Model, point: Point) -> Array:
    where = model.core.column.cells
    bought = np.where(where >= 0, point.core[np.maximum(where, 0)], 0.0)
    return np.asarray(bought.cumsum(axis=1))


def _remaining(model: Model, found: Found, surplus_usd: float, limits: Limits) -> int:
    """Designs outside of the plan that no leaf excludes.

    One block of such a design could still be part of a plan worth more than the one found.
    """
    surplus_usd += model.facts.fixed_energy_usd
    target = surplus_usd + limits.gap * abs(surplus_usd)
    open_rows = np.zeros(model.blocks.power_w.size, dtype=bool)
    for leaf in found.leaves:
        open_rows |= leaf.closed.bound.usd - leaf.closed.bound.loss_usd > target
    used = found.best.x.any(axis=(1, 2, 3))
    return int(np.count_nonzero(open_rows & ~used))


def _deliveries(model: Model, point: Point) -> tuple[Delivery, ...]:
    facts = model.facts
    return tuple(
        Delivery(
            design=model.blocks.keys[d],
            factory=facts.factories[f],
            data_center=facts.data_centers[k],
            bucket=int(t),
            build_week=float(facts.edges[t]),
            arrival_week=float(facts.edges[facts.arrival[f, k, t]]),
            blocks=float(point.x[d, f, k, t]),
        )
        for d, f, k, t in np.argwhere(point.x > LEAST)
    )


def _assignments(model: Model, point: Point) -> tuple[Assignment, ...]:
    facts = model.facts
    return tuple(
        Assignment(
            design=model.blocks.keys[d],
            workload=facts.workloads[w],
            data_center=facts.data_centers[k],
            period=int(v),
            blocks=float(point.n[d, w, k, v]),
        )
        for d, w, k, v in np.argwhere(point.n > LEAST)
    )


def _cells(model: Model, point: Point) -> tuple[CellPurchase, ...]:
    where = model.core.column.cells
    return tuple(
        CellPurchase(factory=model.facts.factories[f], bucket=int(t), cells=number)
        for f, t in np.argwhere(where >= 0)
        if (number := round(float(point.core[where[f, t]]))) > 0
    )


def _grades(study: Study) -> list[Grade]:
    tables = [study.workloads, study.data_centers, study.factories, study.supplies]
    return [row.grade for table in tables for row in table]
