"""What DESIGN hands on: the front for people, the space for pricing."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rackwright.records.base import FloatArray, Record
from rackwright.records.provenance import Grade
from rackwright.records.reliability import Size

Level = Literal["L10", "L11", "L12"]
LEVELS: tuple[Level, ...] = ("L10", "L11", "L12")


class BillLine(Record):
    """A part of one block, at the level of integration where it is needed."""

    part: str
    quantity: float = Field(gt=0)
    level: Level
    unit_usd: float = Field(ge=0, description="catalog price (middle of its range)")
    unit_usd_low: float = Field(ge=0)
    unit_usd_high: float = Field(ge=0)
    grade: Grade


class LevelHours(Record):
    """Hours of one block at one level."""

    level: Level
    touch_hours: float = Field(ge=0)
    bay_hours: float = Field(ge=0)


class SoftwarePlan(Record):
    """How a workload runs on a block."""

    kind: Literal["training", "serving"]
    precision: str
    tensor_parallel: int = Field(gt=0)
    pipeline_parallel: int = Field(gt=0)
    data_parallel: int = Field(gt=0)
    expert_parallel: int = Field(gt=0)
    interleave: int = 1
    micro_batch: int = 1
    recompute: str = "none"
    batch: int = Field(default=0, ge=0, description="requests in flight per replica (serving)")
    replicas: int = Field(default=1, gt=0)
    prefill_chunk_tokens: int = 0
    context_parallel: int = Field(default=1, gt=0)
    zero: int = Field(default=1, ge=0, le=3)
    offload: str = "none"
    sequence_parallel: bool = True
    cache_precision: str = ""
    draft_tokens: int = Field(default=0, ge=0)
    prefill_share: float = Field(default=0.0, ge=0, lt=1)


class TimePart(Record):
    """One named share of a step's time."""

    name: str
    seconds: float = Field(ge=0)


class Service(Record):
    """What a block does for one workload with its best software plan, at nominal parameters.

    `rate_tokens_per_s`: training tokens, or output tokens within the limits. Training is one
    gang-scheduled job: the block's rate does not add to another block's.
    """

    workload: str
    plan: SoftwarePlan
    rate_tokens_per_s: float = Field(ge=0)
    step_s: float = Field(gt=0, description="training step, or one decode iteration")
    ttft_s: float | None = None
    tpot_s: float | None = None
    memory_bytes: float = Field(gt=0, description="per accelerator")
    mfu: float | None = Field(default=None, description="shown, never compared across sources")
    average_power_w: float = Field(gt=0, description="IT power of the block while doing this")
    parts: tuple[TimePart, ...] = Field(description="breakdown of step_s")
    prefill_share: float = Field(
        default=0.0, ge=0, le=1, description="share of the time in steps with prefill"
    )
    used_share: float = Field(
        default=1.0, gt=0, le=1, description="share of the block's accelerators that work"
    )
    goodput: Size | None = Field(
        default=None, description="of training: the rate is less what failures take"
    )
    grade: Grade


class PriceLine(Record):
    """One share of a block's price, bottom-up."""

    name: str
    usd: float
    usd_low: float
    usd_high: float
    grade: Grade


class PricedSystem(Record):
    """A system with a published price beside its own bill: what the method does not explain."""

    system: str
    price_usd: float = Field(gt=0)
    bill_usd: float = Field(gt=0, description="up to L11, with the NICs its maker sells it with")
    residual_share: float = Field(description="price / bill - 1; charged to it, which gives back")
    as_of: str
    grade: Grade


class Axes(Record):
    """Where a design stands on the hardware axes that its key does not tell."""

    composed: bool = Field(
        default=False, description="from parts on a declared interface; charged its upper price"
    )
    interface: str = ""
    accelerators_per_rack: int = Field(default=0, ge=0)
    scale_up: str = Field(default="", description="kind of the scale-up domain")
    scale_up_accelerators: int = Field(default=0, ge=0)
    nic: str = ""
    nics_per_accelerator: int = Field(default=1, gt=0)
    planes: int = Field(default=1, gt=0)
    fabric_tiers: int = Field(default=0, ge=0)
    switch: str = ""
    cooling: str = ""
    power_shelf: str = ""
    power_shelves: int = Field(default=0, ge=0)
    host_cpu: str = ""
    host_memory_bytes: float = Field(default=0.0, ge=0, description="per accelerator")


class PowerLine(Record):
    """One share of a block's reserved power."""

    name: str
    w: float = Field(ge=0)


class ComponentSource(Record):
    """A document that says something of a component that the designs lean on."""

    component: str
    states: tuple[str, ...] = Field(description="fields of the component, or its price")
    title: str
    url: str = ""
    retrieved: str
    kind: str
    grade: Grade


class SpaceRow(Record):
    """One design: a block that can be bought, and what it does for each workload."""

    key: str
    platform: str = Field(description="rack design; set-up is paid once per platform and factory")
    system: str
    accelerator: str
    revision: str
    accelerators: int = Field(gt=0)
    racks: int = Field(gt=0)
    cluster_accelerators: tuple[int, int] = Field(description="cluster sizes it is valid for")
    nic_gbit_per_s: int
    oversubscription: float
    axes: Axes = Axes()
    bill: tuple[BillLine, ...]
    price: tuple[PriceLine, ...] = Field(description="bill plus residual; sums to price_usd")
    price_usd: float = Field(gt=0)
    residual_usd: float = Field(
        description="NRE, integration, licence and margin: the priced system less its bill"
    )
    provisioned_power_w: float = Field(gt=0, description="IT basis, reserved")
    power: tuple[PowerLine, ...] = Field(
        default=(), description="shares of provisioned_power_w, which they sum to"
    )
    liquid_w: float = Field(ge=0)
    air_w: float = Field(ge=0)
    floor_m2: float = Field(gt=0)
    mass_kg: float = Field(gt=0)
    max_coolant_supply_c: float
    hours: tuple[LevelHours, ...]
    first_week: float = Field(ge=0)
    services: tuple[Service | None, ...] = Field(description="by workload, None = cannot")
    grade: Grade
    assumptions: tuple[str, ...] = ()


class Parameters(Record):
    """Joint draws of the model's parameters; the same index is the same world everywhere."""

    names: tuple[str, ...]
    nominal: FloatArray = Field(description="shape (P,)")
    values: FloatArray = Field(description="shape (S, P)")
    weights: FloatArray = Field(description="shape (S,), sums to 1; 1/S before any measurement")
    grades: tuple[Grade, ...]


class KindStats(Record):
    """Counts of one search. Evaluated: time and memory were both computed."""

    evaluated: int = 0
    pruned: int = 0
    feasible: int = 0
    rejected: dict[str, int] = Field(default_factory=dict, description="by reason")


class SearchStats(Record):
    """What was searched."""

    hardware: int = 0
    hardware_rejected: dict[str, int] = Field(default_factory=dict, description="by reason")
    training: KindStats = KindStats()
    serving: KindStats = KindStats()


class Space(Record):
    """All rows that some prices could prefer, with the draws of their rates."""

    study_sha256: str
    workloads: tuple[str, ...]
    rows: tuple[SpaceRow, ...]
    rates: FloatArray = Field(description="tokens/s per block, shape (D, W, S)")
    parameters: Parameters
    dominated: int = Field(ge=0, description="rows dropped: no worse anywhere is kept")
    priced_systems: tuple[PricedSystem, ...] = Field(
        default=(), description="priced systems against their bills; the spread of their residual"
    )
    search: SearchStats
    sources: tuple[ComponentSource, ...] = Field(
        default=(), description="of the components in the rows' bills and racks"
    )
    assumptions: tuple[str, ...] = ()
    grade: Grade


class Confirmed(Record):
    """Percentiles of a serving row as the analytic model and as the simulator say them.

    Simulated: Poisson arrivals at the row's rate, every request of the workload's mean lengths,
    nominal parameters. Corrected: more than 5 % and two standard errors apart.
    """

    percentile: float = Field(gt=0, lt=1)
    requests: int = Field(gt=0, description="simulated, without those that fill the replica")
    ttft_s: float = Field(ge=0)
    ttft_simulated_s: float = Field(ge=0)
    ttft_error_s: float = Field(ge=0, description="standard error of the simulated one")
    ttft_corrected: bool
    tpot_s: float = Field(ge=0)
    tpot_simulated_s: float = Field(ge=0)
    tpot_error_s: float = Field(ge=0)
    tpot_corrected: bool
    rate_share: float = Field(
        ge=0, le=1, description="of the row's rate, at which both simulated ones keep the limits"
    )

    def corrections(self) -> tuple[str, ...]:
        """Return what was corrected in words: which percentile, from what to what."""
        named = f"p{100 * self.percentile:g}"
        found = []
        if self.ttft_corrected:
            found.append(f"TTFT {named} {self.ttft_s:.3g} s -> {self.ttft_simulated_s:.3g} s")
        if self.tpot_corrected:
            here, there = 1e3 * self.tpot_s, 1e3 * self.tpot_simulated_s
            found.append(f"TPOT {named} {here:.3g} ms -> {there:.3g} ms")
        if self.rate_share < 1.0:
            found.append(f"rate within the limits 100 % -> {100 * self.rate_share:.0f} %")
        return tuple(found)


class FrontRow(Record):
    """One line of the front: a design and what people compare."""

    rank: int
    key: str
    workload: str
    rate_tokens_per_s: float
    rate_low: float
    rate_high: float
    usd_per_million_tokens: float = Field(description="owning cost over the block's life")
    capital_share: float = Field(default=0.0, ge=0, le=1, description="of that cost: the price")
    energy_share: float = Field(default=0.0, ge=0, le=1)
    reserved_share: float = Field(default=0.0, ge=0, le=1, description="of reserved power")
    tokens_per_s_per_w: float
    price_usd: float
    baseline: bool
    composed: bool = Field(default=False, description="ranked at the upper end of its price")
    chance_best: float = Field(description="share of worlds in which it is cheapest per token")
    confirmed: Confirmed | None = Field(
        default=None, description="of a serving row: its percentiles, request by request"
    )
    grade: Grade


class Front(Record):
    """Designs that no other beats on cost, power and rate at once; the baseline always shown."""

    rows: tuple[FrontRow, ...]
