"""What stands around the accelerators: network, power shelves, cooling units, frames."""

from __future__ import annotations

from pydantic import Field

from rackwright.records.base import Record
from rackwright.records.component import Component


class Nic(Component):
    """A network adapter."""

    model: str = ""
    ports: int = Field(default=1, gt=0)
    port_bit_per_s: float = Field(gt=0)
    protocols: tuple[str, ...] = ()
    host: str = ""
    planes: int | None = Field(default=None, gt=0)
    cages: tuple[str, ...] = ()
    power_typical_w: float | None = Field(default=None, gt=0)
    power_max_w: float | None = Field(default=None, gt=0)


class Switch(Component):
    """A scale-out switch or switch chip; power without optics unless noted."""

    model: str = ""
    protocol: str = ""
    role: str = ""
    ports: int | None = Field(default=None, gt=0)
    port_bit_per_s: float | None = Field(default=None, gt=0)
    net_ports: int | None = Field(default=None, gt=0)
    fabric_ports: int | None = Field(default=None, gt=0)
    uplink_ports: int | None = Field(default=None, gt=0)
    uplink_bit_per_s: float | None = Field(default=None, gt=0)
    capacity_bit_per_s: float | None = Field(default=None, gt=0)
    port_configurations: tuple[str, ...] = ()
    breakout: str = ""
    cages: int | None = Field(default=None, gt=0)
    cage: str = ""
    height_u: float | None = Field(default=None, gt=0)
    height_m: float | None = Field(default=None, gt=0)
    width_m: float | None = Field(default=None, gt=0)
    depth_m: float | None = Field(default=None, gt=0)
    mass_kg: float | None = Field(default=None, gt=0)
    power_typical_w: float | None = Field(default=None, gt=0)
    power_max_w: float | None = Field(default=None, gt=0)
    power_typical_basis: str = ""
    power_max_basis: str = ""
    psus: int | None = Field(default=None, gt=0)
    psu_w: float | None = Field(default=None, gt=0)
    psu_redundancy: str = ""
    airflow: tuple[str, ...] = ()
    managed: bool | None = None
    process: str = ""


class Cable(Component):
    """A copper cable or backplane; power is that of one end."""

    medium: str
    bit_per_s: float | None = Field(default=None, gt=0)
    pair_bit_per_s: float | None = Field(default=None, gt=0)
    pairs_per_accelerator: int | None = Field(default=None, gt=0)
    reach_m: float | None = Field(default=None, gt=0)
    reach_min_m: float | None = Field(default=None, gt=0)
    power_w: float | None = Field(default=None, ge=0)
    failures_per_1e9_h: float | None = Field(default=None, gt=0)
    example: str = ""


class Optic(Component):
    """An optical module or active optical cable; power is that of one module."""

    bit_per_s: float = Field(gt=0)
    standard: str = ""
    media: str = ""
    reach_m: float | None = Field(default=None, gt=0)
    power_w: float | None = Field(default=None, ge=0)
    power_typical_w: float | None = Field(default=None, ge=0)
    power_low_rate_w: float | None = Field(default=None, ge=0)
    power_high_w: float | None = Field(default=None, ge=0)  # highest reported


class PowerShelf(Component):
    """A rack power shelf; power is DC output."""

    standard: str = ""
    height_units: float = Field(gt=0)
    unit: str = "OU"
    psus: int | None = Field(default=None, gt=0)
    psu_w: float | None = Field(default=None, gt=0)
    power_w: float = Field(gt=0)
    power_n_plus_1_w: float | None = Field(default=None, gt=0)
    input_v: tuple[float, ...] = ()
    output_v: tuple[float, ...] = ()
    output_a: float | None = Field(default=None, gt=0)
    connector_still_air_a: float | None = Field(default=None, gt=0)
    connector_airflow_a: float | None = Field(default=None, gt=0)
    connector_airflow_m_per_s: float | None = Field(default=None, gt=0)
    efficiency_peak: float | None = Field(default=None, gt=0, le=1)
    ac_input: str = ""
    ac_inputs: int | None = Field(default=None, gt=0)
    fault_a: float | None = Field(default=None, gt=0)
    parallel_max: int | None = Field(default=None, gt=0)
    hold_up_s: float | None = Field(default=None, gt=0)
    width_m: float | None = Field(default=None, gt=0)
    height_m: float | None = Field(default=None, gt=0)
    depth_m: float | None = Field(default=None, gt=0)


class Cdu(Component):
    """A coolant distribution unit."""

    heat_w: float | None = Field(default=None, gt=0)
    approach_k: float = Field(gt=0)
    power_w: float | None = Field(default=None, gt=0)
    mass_kg: float | None = Field(default=None, gt=0)  # filled
    width_m: float | None = Field(default=None, gt=0)
    depth_m: float | None = Field(default=None, gt=0)
    height_m: float | None = Field(default=None, gt=0)
    flow_l_per_min: float | None = Field(default=None, gt=0)
    primary_flow_l_per_min: float | None = Field(default=None, gt=0)
    flow_l_per_min_per_w: float | None = Field(default=None, gt=0)
    head_pa: float | None = Field(default=None, gt=0)
    head_low_pa: float | None = Field(default=None, gt=0)
    head_in_rack_pa: float | None = Field(default=None, gt=0)
    facility_drop_max_pa: float | None = Field(default=None, gt=0)
    pressure_max_pa: float | None = Field(default=None, gt=0)
    secondary_supply_c: float | None = None
    primary_supply_c: float | None = None
    supply_low_c: float | None = None
    supply_high_c: float | None = None
    filter_m: float | None = Field(default=None, gt=0)
    facility_filter_m: float | None = Field(default=None, gt=0)
    pumps: str = ""
    coolant: str = ""
    racks_gb300: int | None = Field(default=None, gt=0)


class InputPower(Record):
    """Power that a rack gives at an input voltage."""

    input_v: float = Field(gt=0)
    power_w: float = Field(gt=0)


class Enclosure(Component):
    """An empty rack frame, or a power rack beside the row."""

    standard: str = ""
    role: str = "frame"
    rack_units: int | None = Field(default=None, gt=0)
    unit_m: float | None = Field(default=None, gt=0)
    rack_units_eia: int | None = Field(default=None, gt=0)
    width_m: float | None = Field(default=None, gt=0)
    depth_m: float | None = Field(default=None, gt=0)
    height_m: float | None = Field(default=None, gt=0)
    mass_kg: float | None = Field(default=None, gt=0)
    payload_kg: float | None = Field(default=None, gt=0)
    payload_condition: str = ""
    payload_excludes_frame: bool | None = None
    cross_brace_above_kg: float | None = Field(default=None, gt=0)
    shelf_set_kg: float | None = Field(default=None, gt=0)
    casters: bool | None = None
    dc_v: tuple[float, ...] = ()
    connector_a: float | None = Field(default=None, gt=0)
    busbar_rating: str = ""
    shelf_sets: int | None = Field(default=None, gt=0)
    shelf_sets_w: float | None = Field(default=None, gt=0)
    power_zone_units: int | None = Field(default=None, gt=0)
    power_n_plus_1_w: float | None = Field(default=None, gt=0)
    busbar_air_limit_w: float | None = Field(default=None, gt=0)
    output_v: float | None = Field(default=None, gt=0)
    output_form: str = ""
    power_by_input: tuple[InputPower, ...] = ()
    inputs: int | None = Field(default=None, gt=0)
    input_a: float | None = Field(default=None, gt=0)
    link_w: tuple[float, ...] = ()
    link_a: tuple[float, ...] = ()
    efficiency_full_load: float | None = Field(default=None, gt=0, le=1)
    ride_through_s: tuple[float, ...] = ()
    pdu_space_units: int | None = Field(default=None, gt=0)
    ambient_c: tuple[float, ...] = ()
