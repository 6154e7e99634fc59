"""The decision on the option to buy."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rackwright.records.base import Record
from rackwright.records.provenance import EvidenceKind, Grade

Action = Literal["exercise", "test", "wait", "decline"]


class OptionCase(Record):
    """The option as numbers: what BUY needs to know of the plan, the product and the market."""

    study_sha256: str
    design: str
    workload: str
    lot_blocks: float = Field(gt=0)
    strike_usd_per_block: float = Field(ge=0, description="landed price of the final revision")
    delivery_weeks: float = Field(ge=0, description="from exercise to work; paid on delivery")
    rate_tokens_per_s: float = Field(
        ge=0, description="per block at performance 1: what is expected now"
    )
    performance_log_mean: float = Field(description="of log(rate / expected) over the worlds")
    performance_log_sd: float = Field(ge=0)
    average_power_w: float = Field(ge=0)
    reserved_power_w: float = Field(ge=0)
    pue: float = Field(ge=1)
    energy_usd_per_kwh: float = Field(ge=0)
    infrastructure_usd_per_w_year: float = Field(ge=0)
    operation_usd_per_block_year: float = Field(ge=0)
    availability: float = Field(gt=0, le=1)
    utilisation: float = Field(gt=0, le=1)
    life_weeks: float = Field(gt=0)
    salvage: float = Field(ge=0, le=1, description="share of the strike at the end of life")
    gate_weeks: tuple[float, ...] = Field(min_length=1)
    lapse_per_week: float = Field(ge=0, le=1)
    discount_rate_per_year: float = Field(ge=0)
    price_usd_per_million_tokens: float = Field(gt=0, description="today")
    long_run_usd_per_million_tokens: float = Field(gt=0, description="today's long run")
    mean_reversion_per_year: float = Field(ge=0)
    volatility_per_year: float = Field(ge=0)
    decay_per_year: float = Field(ge=0)
    jumps_per_year: float = Field(ge=0)
    jump_log_mean: float
    jump_log_sd: float = Field(ge=0)
    forward: tuple[tuple[float, float], ...] = Field(
        default=(), description="(week, USD per million tokens); replaces the drift where given"
    )
    campaign_racks: int = Field(gt=0, description="early racks tested between two gates")
    campaign_usd: float = Field(ge=0, description="cost of one campaign")
    reading_log_sd: float = Field(gt=0, description="of one rack's reading")
    model_log_sd: float = Field(ge=0, description="what no number of racks resolves")
    grades: dict[str, Grade] = Field(default_factory=dict, description="by field; D where absent")


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
    evidence: EvidenceKind = "none"
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
