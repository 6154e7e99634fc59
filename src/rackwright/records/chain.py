"""The way of power from the utility to a tray, with what is lost, and what a loss leaves."""

from __future__ import annotations

from pydantic import Field

from rackwright.records.base import Record
from rackwright.records.provenance import Grade


class Stage(Record):
    """One stage of the chain, for one rack."""

    name: str
    kind: str  # transformer, UPS, busway, circuit, shelf, busbar, tray
    units: int = Field(default=1, gt=0)
    voltage_v: float | None = None
    current_a: float | None = None  # of one unit
    continuous_a: float | None = None  # that one unit carries all the time
    in_w: float = Field(ge=0)
    out_w: float = Field(ge=0)
    load_fraction: float | None = None  # of its rating
    grade: Grade
    note: str = ""


class FeedLoss(Record):
    """What is left when one thing fails."""

    lost: str
    left_w: float = Field(ge=0)
    load_w: float = Field(ge=0)

    @property
    def holds(self) -> bool:
        """Whether the rest carries the rack."""
        return self.left_w >= self.load_w


class PowerPlan(Record):
    """How a rack of a design is fed at a site."""

    load_w: float = Field(gt=0)  # most that the rack draws, at the shelves' output or the plugs
    stages: tuple[Stage, ...]
    losses: tuple[FeedLoss, ...]
    utility_w: float = Field(gt=0)
    efficiency: float = Field(gt=0, le=1)  # utility to tray, without cooling
    feeds: int = Field(gt=0)
    circuits_per_feed: int = Field(gt=0)
    circuit: str  # key of the feed in the catalog
    redundancy: str
    grade: Grade
    assumptions: tuple[str, ...]


class AnnualEnergy(Record):
    """A year of a load under a climate."""

    it_j: float = Field(ge=0)
    facility_j: float = Field(ge=0)
    pue: float = Field(ge=1)
    free_cooling_hours: float = Field(ge=0)
    hours: float = Field(gt=0)
    worst_hour_pue: float = Field(ge=1)
