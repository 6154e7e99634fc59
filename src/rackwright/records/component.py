"""What one thing in the catalog is: the base of all, and what computes (accelerator to rack).

A component is read from one TOML file. Every number in it is named by a `Source`; money and lead
times are dated ranges. Absent means not found in what was read, never zero.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field, model_validator

from rackwright.records.base import Record
from rackwright.records.provenance import Grade, Source, worst


class Price(Record):
    """A price range with the day and the basis it was read on; US dollars of that day."""

    usd_low: float = Field(ge=0)
    usd_high: float = Field(ge=0)
    as_of: str
    basis: str
    source: str
    grade: Grade
    kind: str = "secondary"  # list | filing | secondary | estimate
    note: str = ""

    @model_validator(mode="after")
    def _ordered(self) -> Price:
        if self.usd_low > self.usd_high:
            raise ValueError(f"usd_low {self.usd_low:g} exceeds usd_high {self.usd_high:g}")
        return self

    @property
    def usd_mid(self) -> float:
        """The middle of the range."""
        return 0.5 * (self.usd_low + self.usd_high)


class LeadTime(Record):
    """Weeks from order to delivery, as a dated range."""

    weeks_low: float = Field(ge=0)
    weeks_high: float = Field(ge=0)
    as_of: str
    basis: str
    source: str
    grade: Grade
    kind: str = "secondary"
    note: str = ""

    @model_validator(mode="after")
    def _ordered(self) -> LeadTime:
        if self.weeks_low > self.weeks_high:
            raise ValueError(f"weeks_low {self.weeks_low:g} exceeds weeks_high {self.weeks_high:g}")
        return self


class Alternative(Record):
    """What another source says of a field: kept beside the value in use, with its source.

    A dotted field reaches into a table (`matmul_flop_per_s.fp4`). The better graded of two values
    is in use, unless `not_taken` says why it is not.
    """

    field: str
    value: float | int | str | tuple[float, ...]
    title: str
    url: str = ""
    retrieved: str
    kind: str
    grade: Grade
    note: str = ""
    not_taken: str = ""


class Component(Record):
    """What every catalog entry has: a key, names, sources, prices, lead times."""

    key: str
    name: str
    vendor: str = ""
    status: str = "shipping"  # shipping | rent-only | announced | draft
    aliases: tuple[str, ...] = ()
    note: str = ""
    hts: str = ""  # Harmonized Tariff Schedule heading it usually enters under
    origins: tuple[str, ...] = ()  # ISO 3166 codes of where it is usually made
    source: tuple[Source, ...] = ()
    alternative: tuple[Alternative, ...] = ()
    price: tuple[Price, ...] = ()
    lead_time: tuple[LeadTime, ...] = ()

    def grade_of(self, fields: Iterable[str] = ()) -> Grade:
        """Return the worst grade over the fields used; each field takes its best source.

        Args:
            fields: names of the fields a result leaned on; none means all that are sourced.

        Returns:
            A when nothing sourced was used, D for a field that no source names.
        """
        names = tuple(fields) or tuple({f for s in self.source for f in s.fields})
        return worst(
            min((s.grade for s in self.source if name in s.fields), default=Grade.D)
            for name in names
        )

    def is_estimate(self, field: str) -> bool:
        """Return whether every source of the field is an estimate or is quoted from memory."""
        kinds = [s.kind for s in self.source if field in s.fields]
        return not kinds or all(kind in ("estimate", "recalled") for kind in kinds)

    def latest_price(self) -> Price | None:
        """Return the best-graded price, the newest among equals; None when there is none."""
        if not self.price:
            return None
        best = min(p.grade for p in self.price)
        return max((p for p in self.price if p.grade == best), key=lambda p: p.as_of)

    def latest_lead_time(self) -> LeadTime | None:
        """Return the best-graded lead time, the newest among equals; None when there is none."""
        if not self.lead_time:
            return None
        best = min(t.grade for t in self.lead_time)
        return max((t for t in self.lead_time if t.grade == best), key=lambda t: t.as_of)


class MatmulRates(Record):
    """Matrix-product rates by precision [FLOP/s], dense (no sparsity)."""

    fp64: float | None = Field(default=None, gt=0)
    fp32: float | None = Field(default=None, gt=0)
    tf32: float | None = Field(default=None, gt=0)
    fp16: float | None = Field(default=None, gt=0)
    bf16: float | None = Field(default=None, gt=0)
    int8: float | None = Field(default=None, gt=0)
    fp8: float | None = Field(default=None, gt=0)
    fp6: float | None = Field(default=None, gt=0)
    fp4: float | None = Field(default=None, gt=0)

    def at(self, precision: str) -> float | None:
        """Return the rate at a precision, None where the source gives none."""
        value = getattr(self, precision, None)
        return None if value is None else float(value)


class Accelerator(Component):
    """One accelerator as its vendor counts them: rates, memory, links, power."""

    family: str  # chip generation; efficiencies are keyed by it
    matmul_flop_per_s: MatmulRates
    measured_matmul_flop_per_s: MatmulRates = MatmulRates()
    sustained_clock_fraction: float = Field(default=1.0, gt=0, le=1)  # under the power limit
    memory_bytes: float = Field(gt=0)
    memory_kind: str = ""
    memory_bytes_per_s: float = Field(gt=0)
    memory_stacks: int | None = Field(default=None, gt=0)
    memory_stack_part: str = ""  # key of the part: one stack
    scale_up: str = ""
    scale_up_topology: str = ""
    scale_up_links: int | None = Field(default=None, gt=0)
    scale_up_bytes_per_s: float | None = Field(default=None, gt=0)  # one way, all links
    scale_up_effective_bytes_per_s: float | None = Field(default=None, gt=0)
    scale_up_link_bytes_per_s: float | None = Field(default=None, gt=0)  # one way, one link
    scale_up_domain: int | None = Field(default=None, gt=0)
    scale_up_domain_small: int | None = Field(default=None, gt=0)  # smaller product of the same
    peer_bytes_per_s: float | None = Field(default=None, gt=0)  # one way to one neighbour
    measured_peer_bytes_per_s: float | None = Field(default=None, gt=0)
    host: str = ""
    host_bytes_per_s: float | None = Field(default=None, gt=0)  # one way
    host_memory_bytes: float | None = Field(default=None, gt=0)
    host_accelerators: int | None = Field(default=None, gt=0)
    scale_out_bit_per_s: float | None = Field(default=None, gt=0)  # where the vendor fixes it
    tdp_w: float | None = Field(default=None, gt=0)
    process: str = ""
    die_area_m2: float | None = Field(default=None, gt=0)
    dies: int | None = Field(default=None, gt=0)
    package: str = ""
    cores: int | None = Field(default=None, gt=0)
    accelerators_per_card: int | None = Field(default=None, gt=0)
    max_job_accelerators: int | None = Field(default=None, gt=0)
    coolant: str = ""
    coolant_l_per_min: float | None = Field(default=None, gt=0)
    coolant_max_inlet_c: float | None = None


class PortGroup(Record):
    """Equal network ports of a server or rack; rates one way."""

    network: str  # compute | storage | frontend | mgmt | bmc
    ports: int | None = Field(default=None, gt=0)
    cards: int | None = Field(default=None, gt=0)
    bit_per_s: float | None = Field(default=None, gt=0)  # of one port
    total_bit_per_s: float | None = Field(default=None, gt=0)
    cage: str = ""
    nic: str = ""


class Server(Component):
    """A server or tray with its envelope; power is the published maximum unless noted."""

    role: str = "compute"  # compute | scale-up-switch | fabric-manager
    accelerator: str = ""
    accelerator_count: int = Field(default=0, ge=0)
    cpu: str = ""
    cpus: int | None = Field(default=None, ge=0)
    vcpus: int | None = Field(default=None, gt=0)
    host_memory_bytes: float | None = Field(default=None, gt=0)
    height_u: float | None = Field(default=None, gt=0)
    height_m: float | None = Field(default=None, gt=0)
    width_m: float | None = Field(default=None, gt=0)
    depth_m: float | None = Field(default=None, gt=0)
    mass_kg: float | None = Field(default=None, gt=0)
    power_w: float | None = Field(default=None, gt=0)
    power_managed_w: float | None = Field(default=None, gt=0)
    power_static_w: float | None = Field(default=None, gt=0)
    psus: int | None = Field(default=None, gt=0)
    psu_w: float | None = Field(default=None, gt=0)
    psu_redundancy: str = ""
    psu_input_v: tuple[float, ...] = ()
    psu_input_a: float | None = Field(default=None, gt=0)
    dc_input_v: float | None = Field(default=None, gt=0)
    power_cords: int | None = Field(default=None, gt=0)
    cord: str = ""
    airflow_m3_per_s: float | None = Field(default=None, gt=0)
    airflow_direction: str = ""
    cooling: str = "air"  # air | liquid | hybrid
    liquid_heat_w: float | None = Field(default=None, gt=0)
    liquid_fraction: float | None = Field(default=None, ge=0, le=1)
    coolant_l_per_min: float | None = Field(default=None, gt=0)
    coolant_max_inlet_c: float | None = None
    switch_asics: int | None = Field(default=None, gt=0)
    scale_up_links: int | None = Field(default=None, gt=0)
    scale_up_ports_per_asic: int | None = Field(default=None, gt=0)
    scale_up_port_bytes_per_s: float | None = Field(default=None, gt=0)
    scale_up_asic_bit_per_s: float | None = Field(default=None, gt=0)
    ports: tuple[PortGroup, ...] = ()


class CoolantPoint(Record):
    """Coolant flow that a rack needs at a supply temperature."""

    supply_c: float
    flow_l_per_min: float = Field(gt=0)


class RackSystem(Component):
    """A complete rack as its vendor sells it."""

    frame: str = ""
    accelerator: str = ""
    accelerator_count: int = Field(default=0, ge=0)
    server: str = ""
    server_count: int | None = Field(default=None, gt=0)
    compute_tray: str = ""  # key of the server that is one compute tray
    switch_tray: str = ""
    cpus: int | None = Field(default=None, ge=0)
    compute_trays: int | None = Field(default=None, gt=0)
    switch_trays: int | None = Field(default=None, gt=0)
    management_switches: int | None = Field(default=None, gt=0)
    power_shelves: int | None = Field(default=None, gt=0)
    power_shelf: str = ""
    power_overprovision: float | None = Field(default=None, gt=0)
    pdus: int | None = Field(default=None, gt=0)
    pdu_height_u: float | None = Field(default=None, gt=0)
    mass_kg: float | None = Field(default=None, gt=0)
    power_w: float | None = Field(default=None, gt=0)
    power_low_w: float | None = Field(default=None, gt=0)  # of the reported range
    power_high_w: float | None = Field(default=None, gt=0)
    transient_factor: float | None = Field(default=None, gt=0)
    height_u: float | None = Field(default=None, gt=0)
    cooling: str = "air"
    liquid_cooled: tuple[str, ...] = ()
    air_cooled: tuple[str, ...] = ()
    liquid_heat_w: float | None = Field(default=None, gt=0)
    air_heat_w: float | None = Field(default=None, gt=0)
    airflow_m3_per_s: float | None = Field(default=None, gt=0)
    coolant_l_per_min: float | None = Field(default=None, gt=0)
    coolant_supply_c: float | None = None
    coolant_rise_k: float | None = Field(default=None, gt=0)
    coolant_max_supply_c: float | None = None
    coolant_at_supply: tuple[CoolantPoint, ...] = ()
    in_rack_cdu_u: float | None = Field(default=None, gt=0)
    scale_up_cables: int | None = Field(default=None, gt=0)
    scale_up_cable_m: float | None = Field(default=None, gt=0)  # total length
    scale_out_ports: int | None = Field(default=None, gt=0)
    scale_out_bit_per_s: float | None = Field(default=None, gt=0)  # of one port
    dc_bus_v: float | None = Field(default=None, gt=0)
    dc_bus_a: float | None = Field(default=None, gt=0)
    feed: str = ""


class Part(Component):
    """A thing a bill names that has no datasheet of its own here: a stack, a CPU, sheet metal."""

    category: str  # package | memory | host | network | scale-up | power | cooling | frame | ...
    unit: str = "each"  # what one of it is: each, GB, W ...
    memory_bytes: float | None = Field(default=None, gt=0)
    power_w: float | None = Field(default=None, ge=0)
    mass_kg: float | None = Field(default=None, ge=0)
    for_component: str = ""  # key of the component it belongs to
