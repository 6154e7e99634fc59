"""The build plan: what is built where and when, what it is worth, and how sure that is."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rackwright.records.base import FloatArray, Record
from rackwright.records.provenance import EvidenceKind, Grade


class Delivery(Record):
    """Blocks of one design, built at one factory in one bucket, for one data center."""

    design: str
    factory: str
    data_center: str
    bucket: int = Field(ge=0)
    build_week: float = Field(ge=0, description="start of the bucket")
    arrival_week: float = Field(ge=0)
    blocks: float = Field(gt=0)


class Assignment(Record):
    """Blocks of one design at work on one workload in one period."""

    design: str
    workload: str
    data_center: str
    period: int = Field(ge=0)
    blocks: float = Field(gt=0)


class CellPurchase(Record):
    """Robot cells that start work at a factory in a bucket."""

    factory: str
    bucket: int = Field(ge=0)
    cells: int = Field(gt=0)


class WorkRow(Record):
    """Work of one workload over the horizon, expected over the draws."""

    workload: str
    tokens: float = Field(ge=0, description="within the horizon")
    tokens_after: float = Field(ge=0, description="in the life after the horizon")
    wanted_tokens: float = Field(ge=0, description="within the horizon")
    finished_week: float | None = Field(default=None, description="training: when it is done")
    value_usd: float


class MoneyLine(Record):
    """One line of the surplus, discounted to week 0; costs are negative.

    "residual of system prices" is what systems are priced beyond their bills; it is income where
    estimates of parts add up to more than the price of the system.
    """

    name: str
    usd: float


class ShadowPrice(Record):
    """What one more unit would be worth, bracketed by one-sided re-solves."""

    kind: Literal["part", "power", "floor", "liquid", "air", "touch_hours", "bay_hours", "budget"]
    name: str
    unit: str
    usd_per_unit: float
    usd_low: float = Field(description="gain per unit when a little more is given")
    usd_high: float = Field(description="loss per unit when a little is taken")
    step: float = Field(gt=0, description="size of the re-solves, in the unit")
    basis: str = Field(description="LP, or LP at fixed integers")


class LandedCost(Record):
    """What the plan spends on one block of a design, delivered: undiscounted average."""

    design: str
    usd_per_block: float = Field(gt=0)
    parts_usd: float = Field(description="bill and residual, as bought")
    duty_usd: float
    labour_usd: float = Field(description="people, robot cells, bays and rework")
    freight_usd: float
    setup_usd: float = Field(description="tooling and cells, shared over the blocks")


class WeekRow(Record):
    """The plan taken apart to one week."""

    week: int
    design: str
    factory: str
    data_center: str
    blocks: float


class BuildPlan(Record):
    """The answer of BUILD. The bound holds for the bucketed model over the whole space."""

    study_sha256: str
    scenario: str = "base"
    evidence: EvidenceKind = "none"
    designs: tuple[str, ...]
    buckets: tuple[tuple[float, float], ...] = Field(description="(start, end) weeks")
    deliveries: tuple[Delivery, ...]
    assignments: tuple[Assignment, ...]
    cells: tuple[CellPurchase, ...]
    work: tuple[WorkRow, ...]
    money: tuple[MoneyLine, ...]
    landed: tuple[LandedCost, ...] = Field(description="by design of the plan")
    surplus_usd: float
    bound_usd: float = Field(description="no plan over the space is worth more")
    gap_fraction: float = Field(ge=0)
    proved: bool = Field(description="the gap is within what the search was asked for")
    remaining: int = Field(ge=0, description="designs that the completion rule could not exclude")
    columns: int = Field(ge=0, description="columns generated")
    rounds: int = Field(ge=0, description="pricing rounds")
    stopped_by: str = ""
    shadow_prices: tuple[ShadowPrice, ...]
    binding: tuple[str, ...] = Field(description="limits that bind, in words with their numbers")
    weekly: tuple[WeekRow, ...]
    weekly_loss_usd: float = Field(description="surplus lost when buckets are taken to weeks")
    surplus_draws: FloatArray = Field(description="surplus of this plan in each world, shape (S,)")
    certificate_sha256: str
    grade: Grade
    assumptions: tuple[str, ...] = ()

    def whole_blocks(self, design: str) -> float:
        """Return the blocks of a design that are built, week by week and whole.

        Parts of a block that no week finishes are not among them; `deliveries` have them.
        """
        return round(sum(w.blocks for w in self.weekly if w.design == design), 6)
