"""What carries heat away beside the distribution units: connectors, pipes, coolants, classes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rackwright.records.base import Record
from rackwright.records.component import Component


class QuickConnector(Component):
    """A dry-break coupling of a liquid loop."""

    standard: str = ""
    blind_mate: bool = False
    flow_coefficient_cv: float | None = Field(default=None, gt=0)  # US gal/min at 1 psi, water
    rated_l_per_min: float = Field(gt=0)
    pressure_max_pa: float = Field(gt=0)
    fluid_low_c: float | None = None
    fluid_high_c: float | None = None


class Pipe(Component):
    """A pipe of a row or hall, by the heat it carries at a temperature rise."""

    bore_m: float = Field(gt=0)  # nominal
    heat_w: float = Field(gt=0)  # at `rise_k`; proportional to it
    rise_k: float = Field(gt=0)
    velocity_m_per_s: float = Field(gt=0)
    coolant: str = ""


class CoolantState(Record):
    """A coolant's properties at a temperature."""

    temperature_c: float
    density_kg_per_m3: float = Field(gt=0)
    heat_capacity_j_per_kg_k: float = Field(gt=0)
    viscosity_pa_s: float = Field(gt=0)
    conductivity_w_per_m_k: float = Field(gt=0)


class Coolant(Component):
    """A liquid or air that carries heat, by its properties over temperature."""

    phase: Literal["liquid", "gas"] = "liquid"
    properties: tuple[CoolantState, ...] = ()
    density_kg_per_m3: float | None = Field(default=None, gt=0)  # where one number is given
    heat_capacity_j_per_kg_k: float | None = Field(default=None, gt=0)
    flow_l_per_min_per_w_at_10k: float | None = Field(default=None, gt=0)
    flow_m3_per_s_per_w_at_12k: float | None = Field(default=None, gt=0)
    rise_optimum_min_k: float | None = Field(default=None, gt=0)
    glycol_low_fraction: float | None = Field(default=None, ge=0, le=1)  # by volume
    glycol_high_fraction: float | None = Field(default=None, ge=0, le=1)
    ph_low: float | None = Field(default=None, ge=0, le=14)
    ph_high: float | None = Field(default=None, ge=0, le=14)
    typical_max_c: float | None = None
    max_c: float | None = None
    side_stream_filter_m: float | None = Field(default=None, gt=0)


class CoolingClass(Component):
    """A named class of supply temperatures, or of how much heat goes into liquid."""

    medium: Literal["liquid", "air"]
    max_supply_c: float | None = None
    above_c: float | None = None  # a class that begins where the last one ends
    recommended_low_c: float | None = None
    recommended_high_c: float | None = None
    allowable_low_c: float | None = None
    allowable_high_c: float | None = None
    liquid_low_fraction: float | None = Field(default=None, ge=0, le=1)
    liquid_high_fraction: float | None = Field(default=None, ge=0, le=1)


class Manifold(Component):
    """The limits of a rack manifold."""

    velocity_max_m_per_s: float = Field(gt=0)
    burst_factor_min: float = Field(gt=0)
    branch_flow_spread_max_fraction: float = Field(gt=0, le=1)
    branch_drop_low_pa: float = Field(gt=0)
    branch_drop_high_pa: float = Field(gt=0)


class DoorExchanger(Component):
    """A heat exchanger in a rack's door."""

    depth_max_m: float = Field(gt=0)
    mass_max_kg: float = Field(gt=0)  # filled
    aisle_open_min_m: float = Field(gt=0)
    supply_min_c: float
    coolant_drop_max_pa: float = Field(gt=0)
    air_drop_max_pa: float = Field(gt=0)
    rating_water_c: float
    rating_air_in_c: float
    rating_air_out_c: float


class PumpUnit(Component):
    """A reservoir and pumping unit in the rack."""

    height_u: float = Field(gt=0)
    flow_low_l_per_min: float = Field(gt=0)
    flow_high_l_per_min: float = Field(gt=0)
    pumps: str = ""
    power_max_fraction: float = Field(gt=0, le=1)  # of the rack's power
