"""A rack's cooling as its rules need it: loops, units, connectors, pipes, air, doors."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from rackwright.records.base import Record


class Loop(Record):
    """One liquid loop: the heat it takes, what flows, the temperatures it keeps."""

    where: str = "rack loop"
    heat_w: float = Field(gt=0)
    flow_l_per_min: float = Field(gt=0)
    density_kg_per_m3: float = Field(gt=0)
    heat_capacity_j_per_kg_k: float = Field(gt=0)
    rise_max_k: float | None = Field(default=None, gt=0)  # that the parts allow
    facility_c: float | None = None  # supply of the facility's water, warmest
    approach_k: float | None = Field(default=None, ge=0)
    supply_c: float | None = None
    supply_max_c: float | None = None  # that the weakest part takes
    supply_min_c: float | None = None  # that connectors and doors ask for
    room_dew_point_c: float | None = None
    pressure_pa: float | None = Field(default=None, gt=0)  # highest in the loop, gauge


class Part(Record):
    """A wetted part with the pressure that it stands."""

    name: str
    pressure_max_pa: float = Field(gt=0)


class CduGroup(Record):
    """Coolant distribution units that share a loop."""

    count: int = Field(gt=0)
    rated_w: float = Field(gt=0)  # of one, at `rated_approach_k`
    rated_approach_k: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        min_length=1
    )  # of each kind in the group
    approach_k: float = Field(gt=0)  # that the loop is designed for
    heat_w: float = Field(gt=0)
    spare: int = Field(default=0, ge=0)
    flow_each_l_per_min: float | None = Field(default=None, gt=0)  # rated, at `head_pa`
    head_pa: float | None = Field(default=None, gt=0)
    flow_l_per_min: float | None = Field(default=None, gt=0)  # that the loop needs
    drop_pa: float | None = Field(default=None, ge=0)  # of the loop at that flow

    @model_validator(mode="after")
    def _one_works(self) -> CduGroup:
        if self.spare >= self.count:
            raise ValueError(f"spare is {self.spare} of {self.count}: one unit at least must work")
        return self


class ConnectorUse(Record):
    """Equal couplings and the flow through one."""

    where: str
    kind: str
    flow_l_per_min: float = Field(gt=0)
    rated_l_per_min: float = Field(gt=0)
    cv: float | None = Field(default=None, gt=0)


class PipeUse(Record):
    """A pipe or manifold and what runs through it."""

    where: str
    bore_m: float = Field(gt=0)
    flow_l_per_min: float | None = Field(default=None, gt=0)
    velocity_max_m_per_s: float | None = Field(default=None, gt=0)
    heat_w: float | None = Field(default=None, gt=0)
    rise_k: float | None = Field(default=None, gt=0)
    rated_w: float | None = Field(default=None, gt=0)  # at `rated_rise_k`
    rated_rise_k: float = Field(default=10.0, gt=0)


class CoolantUse(Record):
    """The coolant in a loop against the limits of its maker."""

    name: str
    glycol_fraction: float | None = Field(default=None, ge=0, le=1)  # by volume
    glycol_low_fraction: float | None = None
    glycol_high_fraction: float | None = None
    ph: float | None = None
    ph_low: float | None = None
    ph_high: float | None = None
    hottest_c: float | None = None
    typical_max_c: float | None = None
    max_c: float | None = None
    filter_m: float | None = Field(default=None, gt=0)  # of the technology loop
    filter_max_m: float | None = Field(default=None, gt=0)
    facility_filter_m: float | None = Field(default=None, gt=0)
    facility_filter_max_m: float | None = Field(default=None, gt=0)


class AirUse(Record):
    """The air side of a rack and its room."""

    inlet_c: float | None = None
    allowable_high_c: float | None = None
    recommended_low_c: float | None = None
    recommended_high_c: float | None = None
    heat_w: float | None = Field(default=None, ge=0)  # that the rack gives to the air
    flow_needed_m3_per_s: float | None = Field(default=None, ge=0)  # sum of the servers' fans
    flow_available_m3_per_s: float | None = Field(default=None, ge=0)  # of room or aisle
    room_w: float | None = Field(default=None, ge=0)  # heat that the room's air can take
    liquid_cooled: bool = False


class Directed(Record):
    """A device with a direction of air, and which aisle its ports face."""

    name: str
    direction: Literal["P2C", "C2P"]  # from ports to connectors (supplies), or back
    ports_face: Literal["cold", "hot"]


class DoorUse(Record):
    """A heat exchanger in the door against its limits."""

    depth_m: float = Field(gt=0)
    mass_kg: float = Field(gt=0)
    aisle_m: float = Field(gt=0)
    drop_pa: float | None = Field(default=None, gt=0)
    depth_max_m: float = Field(gt=0)
    mass_max_kg: float = Field(gt=0)
    aisle_min_m: float = Field(gt=0)
    drop_max_pa: float | None = Field(default=None, gt=0)


class FacilityClaim(Record):
    """What a site says of its efficiency, beside what fleets publish."""

    pue: float | None = Field(default=None, ge=1)
    wue_l_per_kwh: float | None = Field(default=None, ge=0)
    fleet_pue_low: float = Field(gt=1)
    fleet_pue_high: float = Field(gt=1)
    fleet_wue_low_l_per_kwh: float = Field(ge=0)
    fleet_wue_high_l_per_kwh: float = Field(ge=0)


class ThermalDesign(Record):
    """All that the cooling rules look at."""

    loops: tuple[Loop, ...] = ()
    wetted: tuple[Part, ...] = ()
    cdus: CduGroup | None = None
    connectors: tuple[ConnectorUse, ...] = ()
    pipes: tuple[PipeUse, ...] = ()
    branch_flows_l_per_min: tuple[float, ...] = ()
    branch_spread_max_fraction: float = Field(default=0.05, gt=0)
    coolant: CoolantUse | None = None
    air: AirUse | None = None
    directed: tuple[Directed, ...] = ()
    door: DoorUse | None = None
    claim: FacilityClaim | None = None
