"""The answer of a whole run: what the one page tells."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rackwright.records.base import Record
from rackwright.records.decision import Condition, Decision
from rackwright.records.plan import ShadowPrice, WorkRow
from rackwright.records.provenance import Grade


class Statement(Record):
    """One headline. What rests on grade C or D is phrased as a condition."""

    text: str
    grade: Grade
    leans_on: str = Field(default="", description="what the grade comes from")


class DesignBlocks(Record):
    """Blocks of one design in a plan, as they are built week by week: whole ones."""

    design: str
    blocks: float
    racks: float
    accelerators: float
    program_blocks: float = Field(
        description="as the bucketed program has them, in parts; surplus and bound are of these"
    )


class ScenarioResult(Record):
    """One scenario beside the base plan, and what redesign is worth in it."""

    name: str
    note: str
    grade: Grade
    mix: tuple[DesignBlocks, ...]
    surplus_usd: float
    cost_usd: float = Field(description="surplus of the base plan less this one")
    work: tuple[WorkRow, ...]
    shadow_prices: tuple[ShadowPrice, ...]
    proved: bool
    gap_fraction: float
    design_changes: bool
    control_mix: tuple[DesignBlocks, ...] = Field(
        description="same scenario, only the base plan's designs allowed"
    )
    control_work: tuple[WorkRow, ...]
    control_surplus_usd: float
    control_bound_usd: float
    redesign_usd: float = Field(description="surplus with redesign less surplus without")
    text: str


class Evidence(Record):
    """What the readings did to the decision."""

    kind: Literal["measured", "fictitious"]
    lot: str
    summary: str
    rate_before_tokens_per_s: float
    rate_after_tokens_per_s: float
    surplus_before_usd: float
    surplus_after_usd: float
    decision: Decision
    moved: bool
    back: tuple[Condition, ...] = Field(
        description="the estimates that would move the decision back, easiest first"
    )


class RunSummary(Record):
    """Everything on the one page that is not in the stages' own records."""

    study_sha256: str
    title: str
    statements: tuple[Statement, ...]
    best: dict[str, str] = Field(description="best design by workload, at list prices")
    mix: tuple[DesignBlocks, ...]
    lead_design: str
    scenarios: tuple[ScenarioResult, ...]
    evidence: Evidence | None
    evidence_value_usd: float = Field(description="expected worth of the test, gross of its cost")
    grade: Grade
    assumptions: tuple[str, ...]
