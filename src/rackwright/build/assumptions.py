"""What a plan takes for granted, in words: it goes into the record with the plan."""

from __future__ import annotations

import numpy as np

from rackwright.build.bills import Bills
from rackwright.build.model import Model, Point
from rackwright.build.tree import Found, Limits
from rackwright.records.space import Space
from rackwright.records.study import Scenario, Study


def assumptions(study: Study, bills: Bills, model: Model) -> tuple[str, ...]:
    """Return what every plan of the model takes for granted."""
    facts = model.facts
    notes = [
        f"a token is worth the study's value until week {study.objective.life_weeks:.0f}: BUILD "
        "lets no price fall",
        "parts whose supply states a price are paid when they arrive, everything else in the "
        "bucket of building",
        "a block starts in the first period after its bucket ends and its transit is over",
        f"all blocks end together in week {study.objective.life_weeks:.0f}; one that arrived later "
        "is credited its unused life, straight-line, at its price",
        "duty is charged on parts with a supply when they enter a factory's country, at what is "
        "paid for them, and on finished racks when they enter the data center's, at their price",
    ]
    free = sorted(set(bills.unit_usd) - set(facts.parts))
    if free:
        notes.append(
            "bought freely at catalog price, no supply given: "
            + ", ".join(free[:8])
            + (f" and {len(free) - 8} more" if len(free) > 8 else "")
        )
    if facts.fixed_energy_usd > 0:
        notes.append(
            "the energy of site load that does not scale with IT costs "
            f"{facts.fixed_energy_usd:,.0f} USD over the life, whatever is built"
        )
    dutied = np.asarray(facts.supply_duty.any(axis=(1, 2)))
    unclear = sorted(
        part
        for p, part in enumerate(facts.parts)
        if not facts.part_stated[p]
        and part in bills.disagree
        and dutied[facts.supply_part == p].any()
    )
    if unclear:
        notes.append("duty on the highest price in any bill: " + ", ".join(unclear))
    if facts.supply_stock.any():
        notes.append("stock on hand is charged like what is bought: it could be used otherwise")
    consigned = sorted({s.part for s in study.supplies if s.ownership == "consigned"})
    if consigned:
        notes.append(
            "consigned parts are paid by the buyer; joint surplus counts their cost all the same: "
            + ", ".join(consigned)
        )
    if np.isfinite(facts.budget_usd):
        notes.append("the budget caps what is spent to build, not energy and site")
    small = model.blocks.buildable.any(axis=(1, 2, 3)) & ~model.blocks.whole
    if small.any():
        notes.append(
            f"blocks of {int(small.sum())} designs are small beside the sites' power: the bucketed "
            "plan may hold parts of them, the weekly plan only whole ones"
        )
    return tuple(notes)


def untouched_by(scenario: Scenario, study: Study, space: Space, point: Point) -> tuple[str, ...]:
    """Return a note on the parts of a plan that a scenario's supply effects cannot reach.

    A part without a supply table is bought freely, and its origin is not stated.
    """
    if not scenario.supply:
        return ()
    supplied = {supply.part for supply in study.supplies}
    used = np.flatnonzero(point.x.any(axis=(1, 2, 3)))
    free = sorted({b.part for d in used for b in space.rows[d].bill if b.part not in supplied})
    if not free:
        return ()
    return (
        f"scenario {scenario.name}: not touched, for no supply states their origin, though the "
        f"plan uses them: {', '.join(free)}",
    )


def proof_notes(found: Found, gap: float, limits: Limits) -> tuple[str, ...]:
    """Return how the bound came about, and that it does not prove the plan where it does not."""
    notes = [
        f"the bound is the largest of {len(found.leaves)} branches, each priced over the whole "
        "space; recompute it from the certificate"
    ]
    if gap > limits.gap:
        notes.append(
            f"not proved: the search stopped after {found.nodes} branches with a gap of {100 * gap:.2f} %"
        )
    return tuple(notes)
