"""Write the model, the plan and the leaves of the search as a certificate."""

from __future__ import annotations

import numpy as np

from rackwright.build.branch import Active, Cells, Count, Decision, Only, Setup
from rackwright.build.facts import Array
from rackwright.build.model import Model, Point
from rackwright.build.tree import Found, Leaf
from rackwright.records.certificate import (
    NO_LIMIT,
    Certificate,
    CountDual,
    Decided,
    Incumbent,
    LeafProof,
    PlaceDuals,
)

_FACTS = """
    edges annuity money work_s arrival serving value_usd energy_usd_per_w fixed_energy_usd
    site_usd_per_w power_w liquid_w air_w floor_m2 coolant_c salvage people_h bay_h
    bay_usd_per_h first_pass_yield rework_h cell_h_per_week cell_share cell_first cells_max
    setup_usd freight_usd_per_kg rack_duty supply_part supply_units supply_stock group
    period_weeks availability
"""
_BLOCKS = """
    platform accelerator rate average_power_w power_w liquid_w air_w floor_m2 mass_kg price_usd
    other_usd quantity touch_h bay_h racks first_week max_coolant_c allowed whole needs_all
"""
_CORE = "limit objective spend upper integer entry_row entry_column entry_value"
_ROWS = "balance touch bay demand tokens gang power liquid air floor budget"
_SETUPS = "window window_thing total_thing"


def certificate_of(
    model: Model, found: Found, surplus_usd: float, study_sha256: str, scenario: str
) -> Certificate:
    """Return the certificate of a finished search.

    Args:
        model: limits, rows and set-ups.
        found: the plan and the leaves.
        surplus_usd: worth of the plan as its money lines add up.
        study_sha256: of the study asked about, before any scenario.
        scenario: name of the scenario, "base" for none.
    """
    facts, blocks, core, setups = model.facts, model.blocks, model.core, model.setups
    data = {
        f"{kind}.{name}": np.asarray(getattr(owner, name), dtype=float)
        for kind, owner, names in (
            ("facts", facts, _FACTS),
            ("blocks", blocks, _BLOCKS),
            ("core", core, _CORE),
            ("setups", setups, _SETUPS),
        )
        for name in names.split()
    }
    index = {name: np.asarray(getattr(core.row, name), dtype=float) for name in _ROWS.split()}
    return Certificate(
        study_sha256=study_sha256,
        scenario=scenario,
        designs=blocks.keys,
        platforms=blocks.platforms,
        parts=facts.parts,
        factories=facts.factories,
        data_centers=facts.data_centers,
        workloads=facts.workloads,
        data=data,
        index=index,
        incumbent=_incumbent(found.best, surplus_usd),
        leaves=tuple(_leaf(leaf, facts.fixed_energy_usd) for leaf in found.leaves),
        bound_usd=found.bound_usd - facts.fixed_energy_usd,
    )


def _incumbent(point: Point, surplus_usd: float) -> Incumbent:
    return Incumbent(
        surplus_usd=surplus_usd,
        built=_entries(point.x),
        at_work=_entries(point.n),
        setups=np.argwhere(point.setup > 0.5).astype(float).reshape(-1, 2),
        core=_entries(point.core),
    )


def _entries(table: Array) -> Array:
    where = np.argwhere(table > 0)
    return np.column_stack([where.astype(float), table[table > 0]])


def _leaf(leaf: Leaf, always_usd: float) -> LeafProof:
    duals = leaf.closed.duals
    used = np.flatnonzero(duals.core)
    return LeafProof(
        decisions=tuple(_decided(decision) for decision in leaf.decisions),
        bound_usd=leaf.closed.bound.usd - always_usd,
        dual_row=tuple(int(i) for i in used),
        dual_usd=tuple(float(v) for v in duals.core[used]),
        setup_total=duals.setup_total,
        counts=tuple(
            CountDual(rows=rows, data_center=center, usd=usd)
            for (rows, center), usd in duals.counts.items()
        ),
        places=tuple(
            PlaceDuals(rows=rows, data_center=center, cap=cap, floor=duals.floors[rows, center])
            for (rows, center), cap in duals.caps.items()
        ),
    )


def _decided(decision: Decision) -> Decided:
    if isinstance(decision, Setup):
        return Decided(
            kind="setup",
            platform=decision.platform,
            factory=decision.factory,
            yes=decision.on,
        )
    if isinstance(decision, Only):
        return Decided(
            kind="only",
            workload=decision.workload,
            rows=decision.rows,
            data_center=decision.data_center,
            yes=decision.there,
        )
    if isinstance(decision, Active):
        return Decided(
            kind="active",
            rows=decision.rows,
            data_center=decision.data_center,
            period=decision.period,
            yes=decision.at_least,
            low=float(decision.blocks),
        )
    high = decision.high if np.isfinite(decision.high) else NO_LIMIT
    if isinstance(decision, Cells):
        return Decided(kind="cells", column=decision.column, low=decision.low, high=high)
    assert isinstance(decision, Count), "five kinds of decisions"
    return Decided(
        kind="count",
        rows=decision.rows,
        data_center=decision.data_center,
        low=decision.low,
        high=high,
    )
