"""The test of early hardware: predicted, frozen, measured, judged."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from rackwright.records.base import FloatArray, Record
from rackwright.records.provenance import Grade


class ProbePrediction(Record):
    """What one probe should read on one rack of a design, in every world."""

    probe: str
    unit: str
    better: Literal["higher", "lower"]
    nominal: float = Field(gt=0)
    draws: FloatArray = Field(description="shape (S,), same worlds as the space")
    how: str = Field(description="what is run, in one line")
    grade: Grade


class PlannedProbe(Record):
    """A probe with its promise and its limits. Logs are natural; "good" means not slower."""

    probe: str
    unit: str
    better: Literal["higher", "lower"]
    predicted: float = Field(gt=0)
    draws: FloatArray = Field(description="shape (S,)")
    promised: float = Field(gt=0)
    good: float = Field(gt=0, description="value of a lot exactly at p0")
    bad: float = Field(gt=0, description="value of a lot exactly at p1")
    unit_log_sd: float = Field(gt=0)
    repeat_log_sd: float = Field(gt=0)
    model_log_sd: float = Field(gt=0)
    racks_needed: int = Field(gt=0, description="fixed sample that meets alpha and beta")
    expected_racks_good: float = Field(gt=0, description="sequential, when the lot is at p0")
    expected_racks_bad: float = Field(gt=0, description="sequential, when the lot is at p1")
    smallest_detectable: float = Field(
        gt=0, description="share of slowdown of a unit found at alpha with power 1 - beta"
    )
    how: str
    grade: Grade


class AcceptancePlan(Record):
    """Frozen before the first measurement; measurements name its hash."""

    study_sha256: str
    design: str
    design_sha256: str
    revision: str
    racks: int = Field(gt=0)
    hours_per_rack: float = Field(gt=0)
    alpha: float
    beta: float
    unit_limit_z: float = Field(
        gt=0, description="robust z of a unit against its siblings, family-wise alpha"
    )
    probes: tuple[PlannedProbe, ...] = Field(min_length=1)
    prior: FloatArray = Field(description="weights of the worlds before the test, shape (S,)")
    grade: Grade
    assumptions: tuple[str, ...] = ()


class Measurement(Record):
    """One reading: a line of the measurements file."""

    plan_sha256: str
    rack: str = Field(min_length=1)
    probe: str
    value: float | None = Field(description="null: the probe ran and gave nothing")
    unit: str
    hours: float = Field(default=0.0, ge=0)
    revision: str = ""
    skipped: bool = False
    fictitious: bool = False
    note: str = ""


class Verdict(StrEnum):
    """Verdict on a measurement. Never PASS without one."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    INCOMPLETE = "INCOMPLETE"
    SKIP = "SKIP"


class UnitVerdict(Record):
    """Is this unit unlike its siblings?"""

    rack: str
    probe: str
    verdict: Verdict
    value: float | None
    center: float | None = Field(description="robust center of the siblings")
    z: float | None
    why: str


class PromiseVerdict(Record):
    """Does the product deliver what was sold, by this probe?"""

    probe: str
    unit: str
    verdict: Verdict
    measured: float | None = Field(description="center of the units judged")
    promised: float
    good: float
    bad: float
    log_likelihood_ratio: float | None
    accept_at: float
    reject_at: float
    racks: int = Field(ge=0)
    further_racks: int = Field(ge=0, description="expected, at the truth that the data suggest")
    why: str


class CommonFactor(Record):
    """Measured over predicted, shared by all units: what the model learns."""

    probe: str
    factor: float = Field(gt=0)
    low: float = Field(gt=0, description="80 % interval")
    high: float = Field(gt=0)
    racks: int = Field(ge=0)


class AcceptanceReport(Record):
    """The answer of ACCEPT."""

    plan_sha256: str
    design: str
    revision: str
    units: tuple[UnitVerdict, ...]
    promises: tuple[PromiseVerdict, ...]
    lot: Literal["accept", "reject", "continue"]
    further_racks: int = Field(ge=0)
    further_hours: float = Field(ge=0)
    summary: str
    calibration: tuple[CommonFactor, ...]
    weights: FloatArray = Field(description="new weights of the worlds, shape (S,), sums to 1")
    effective_draws: float = Field(gt=0)
    tempered: float = Field(
        gt=0, le=1, description="exponent of the likelihood; below 1 to keep enough worlds"
    )
    fictitious: bool
    grade: Grade
