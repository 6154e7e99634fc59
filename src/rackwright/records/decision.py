"""The decision on the option to buy."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rackwright.records.base import Record
from rackwright.records.provenance import Grade

Action = Literal["exercise", "test", "wait", "decline"]


class Gate(Record):
    """What the policy does at one gate: the boundary in price, at the expected performance."""

    week: float = Field(ge=0)
    exercise_above_usd_per_million_tokens: float | None = Field(
        description="lowest price at which exercise is best; None = at no price on the grid"
    )
    decline_below_usd_per_million_tokens: float | None
    chance: dict[str, float] = Field(description="chance of each action, seen from today")


class BoundaryPoint(Record):
    """A point of the boundary between acting and waiting at a gate."""

    week: float
    performance: float = Field(gt=0, description="believed performance over nominal")
    price_usd_per_million_tokens: float | None


class Condition(Record):
    """A statement that has to hold for the decision to stand."""

    estimate: str
    grade: Grade
    now: float
    flips_at: float | None = Field(description="None: no value in the range tried flips it")
    unit: str
    tried: tuple[float, float]
    becomes: Action | None
    text: str


class Decision(Record):
    """The answer of BUY."""

    study_sha256: str
    design: str
    lot_blocks: float = Field(gt=0)
    action: Action
    strike_usd_per_block: float
    exercise_now_usd: float = Field(description="value of exercising all today; may be negative")
    option_usd: float = Field(ge=0, description="value of the option with all gates and tests")
    option_without_tests_usd: float = Field(ge=0)
    early_access_usd: float = Field(ge=0, description="gross of the cost of tests")
    early_access_net_usd: float
    tests_cost_usd: float = Field(ge=0, description="expected")
    perfect_information_usd: float = Field(ge=0)
    lower_bound_usd: float = Field(description="the policy on fresh paths")
    lower_bound_standard_error_usd: float = Field(ge=0)
    gates: tuple[Gate, ...]
    boundary: tuple[BoundaryPoint, ...]
    partial_exercise: str = Field(description="why all or nothing, or what curves")
    conditions: tuple[Condition, ...]
    text: str
    grade: Grade
    assumptions: tuple[str, ...] = ()
