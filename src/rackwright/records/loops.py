"""A rack's liquid loop as designed: segments with flow and drop, and the unit they hang on."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rackwright.records.base import Record
from rackwright.records.provenance import Grade


class Segment(Record):
    """One part of the loop, from the unit to the cold plates and back."""

    name: str
    kind: Literal["pipe", "hose", "coupling", "manifold", "cold plate"]
    parallel: int = Field(default=1, gt=0)  # equal ones beside it
    flow_l_per_min: float = Field(gt=0)  # through one
    bore_m: float | None = Field(default=None, gt=0)
    velocity_m_per_s: float | None = Field(default=None, ge=0)
    length_m: float | None = Field(default=None, ge=0)
    drop_pa: float = Field(ge=0)  # there and back where it is passed twice
    key: str = ""  # in the catalog
    grade: Grade


class CduChoice(Record):
    """What one kind of distribution unit would carry of such racks."""

    key: str
    approach_k: float = Field(gt=0)
    supply_c: float
    flow_l_per_min: float = Field(gt=0)  # of one rack at that supply
    racks_by_heat: int = Field(ge=0)
    racks_by_flow: int = Field(ge=0)
    racks: int = Field(ge=0)  # the fewer, where the pumps' head allows it
    bound_by: Literal["heat", "flow", "head"]
    head_pa: float | None = None  # at the flow of those racks
    drop_pa: float | None = None  # of the loop at that flow
    usd_per_rack: float | None = None


class CoolingPlan(Record):
    """How a rack of a design is cooled at a site."""

    coolant: str
    heat_w: float = Field(ge=0)  # into the liquid
    air_w: float = Field(ge=0)
    facility_supply_c: float
    approach_k: float = Field(ge=0)
    supply_c: float
    return_c: float
    rise_k: float = Field(gt=0)
    flow_l_per_min: float = Field(ge=0)
    water_class: str
    segments: tuple[Segment, ...]
    drop_pa: float = Field(ge=0)
    cdus: tuple[CduChoice, ...]  # the one taken first
    pump_point_l_per_min: float | None = None  # where the pumps' curve meets the loop's
    pump_point_pa: float | None = None
    air_flow_m3_per_s: float = Field(ge=0)
    air_rise_k: float = Field(gt=0)
    grade: Grade
    assumptions: tuple[str, ...]
