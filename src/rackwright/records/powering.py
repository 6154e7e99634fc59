"""What brings power to a rack and keeps it there: backup, supplies, feeds, voltages, facilities."""

from __future__ import annotations

from pydantic import Field

from rackwright.records.base import Record
from rackwright.records.component import Component


class Backup(Record):
    """A power that a backup shelf holds, and for how long."""

    power_w: float = Field(gt=0)
    duration_s: float = Field(gt=0)


class BackupShelf(Component):
    """A shelf of battery modules on the busbar."""

    height_units: float = Field(gt=0)
    unit: str = "OU"
    modules: int = Field(gt=0)
    module_w: float = Field(gt=0)
    redundancy: str = ""
    backup: tuple[Backup, ...] = ()  # with one module lost
    backup_all_modules: tuple[Backup, ...] = ()
    end_of_life_backup_s: float | None = Field(default=None, gt=0)
    continuous_a: float = Field(gt=0)
    peak_a: float = Field(gt=0)
    life_years: float = Field(gt=0)


class LoadEfficiency(Record):
    """A power supply's efficiency at a share of its load."""

    load_fraction: float = Field(gt=0, le=1)
    efficiency: float = Field(gt=0, le=1)


class InputEfficiency(Record):
    """A power supply's efficiency at an input voltage and full load."""

    input_v: float = Field(gt=0)
    efficiency: float = Field(gt=0, le=1)


class PowerSupply(Component):
    """How much of its input a class of power supplies delivers."""

    efficiency_peak: float | None = Field(default=None, gt=0, le=1)
    efficiency_by_load: tuple[LoadEfficiency, ...] = ()
    efficiency_by_input: tuple[InputEfficiency, ...] = ()


class BusVoltage(Component):
    """A nominal direct voltage in the rack, with its window."""

    nominal_v: float = Field(gt=0)
    window_low_v: float | None = Field(default=None, gt=0)
    window_high_v: float | None = Field(default=None, gt=0)
    form: str = ""
    efficiency_gain_max_fraction: float | None = Field(default=None, ge=0, le=1)  # claimed
    maintenance_saving_max_fraction: float | None = Field(default=None, ge=0, le=1)  # claimed


class Outlets(Record):
    """Equal outlets of a power distribution unit."""

    kind: str
    count: int = Field(gt=0)


class Pdu(Component):
    """A rack power distribution unit."""

    input_v: float = Field(gt=0)
    input_a: float = Field(gt=0)
    phases: int = Field(gt=0)
    apparent_va: float = Field(gt=0)
    outlets: tuple[Outlets, ...] = ()


class Feed(Component):
    """A branch circuit to a rack."""

    code: str = ""  # NEC or IEC
    voltage_v: float = Field(gt=0)
    phases: int = Field(gt=0)
    breaker_a: float = Field(gt=0)
    continuous_a: float | None = Field(default=None, gt=0)
    apparent_va: float = Field(gt=0)  # at the continuous current where there is one


class PowerTree(Component):
    """A published example of a power hierarchy, with its ratings from the top down."""

    racks: int = Field(gt=0)
    nodes: int = Field(gt=0)
    utility_w: float = Field(gt=0)
    switchboard_w: float = Field(gt=0)
    floor_pdus: int = Field(gt=0)
    floor_pdu_w: float = Field(gt=0)
    racks_per_pdu: int = Field(gt=0)


class FleetEfficiency(Component):
    """An operator's published efficiency over its data centers in a year."""

    year: int = Field(gt=2000, lt=2100)
    fiscal_year: bool = False
    pue: float | None = Field(default=None, ge=1)
    pue_best_site: float | None = Field(default=None, ge=1)
    pue_as_low_as: float | None = Field(default=None, ge=1)
    wue_l_per_kwh: float | None = Field(default=None, ge=0)


class LinkMedium(Component):
    """What a signal runs through: its delay, or the reach it is planned for."""

    medium: str
    latency_s_per_m: float | None = Field(default=None, gt=0)
    reach_max_m: float | None = Field(default=None, gt=0)
    reach_optimum_m: float | None = Field(default=None, gt=0)
    rule: str = ""  # what is easily taken for another
