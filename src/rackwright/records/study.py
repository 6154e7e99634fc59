"""The study: everything the user states. Read once at the border, trusted inside.

Weeks count from `start` (week 0 is the seven days that begin on it). A ramp is a step function:
each step holds from its week until the next one; before the first step the value is 0.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Annotated, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, model_validator

from rackwright.records.base import Record
from rackwright.records.interface import CoolingKind
from rackwright.records.provenance import Grade
from rackwright.records.quantity import (
    AreaM2,
    Bytes,
    BytesPerS,
    EnergyPriceUsdPerKwh,
    Fraction,
    Hours,
    PowerW,
    Ratio,
    Seconds,
    TemperatureC,
    Tokens,
    Usd,
    UsdPerHour,
    UsdPerKg,
    UsdPerMillionTokens,
    Weeks,
)

T = TypeVar("T")

Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="ISO 3166 code, e.g. US, TW")]
Name = Annotated[
    str,
    Field(
        min_length=1,
        pattern=r"^[a-z0-9][a-z0-9._-]*$",
        description="a name: small letters, digits and . _ - after the first",
    ),
]
Precision = Literal["bf16", "fp16", "fp8", "fp4"]


class Graded(Record):
    """A table of the study; says how far its numbers can be trusted."""

    grade: Grade = Field(default=Grade.D, description="worst grade of the table's numbers")
    source: str = Field(default="", description="where the numbers come from")


class Step(Record):
    """From this week on, this many per week (or this level)."""

    week: Weeks = 0.0
    value: float = Field(ge=0, le=1e18)


def _weeks_rise(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    for earlier, later in pairwise(steps):
        if later.week <= earlier.week:
            raise ValueError(
                f"the weeks of the steps must rise: found week {earlier.week:g} followed by "
                f"week {later.week:g}; each step holds until the next one"
            )
    return steps


Ramp = Annotated[tuple[Step, ...], Field(min_length=1), AfterValidator(_weeks_rise)]


# --- what is wanted -------------------------------------------------------------------------


class TrainingWorkload(Graded):
    """A pretraining run: worth its tokens, once, on one design."""

    kind: Literal["training"]
    name: Name
    model: str
    tokens: Tokens = Field(gt=0)
    sequence_length: int = Field(gt=0)
    global_batch_sequences: int = Field(gt=0)
    precision: Precision = "bf16"
    usd_per_million_tokens: UsdPerMillionTokens
    due_week: Weeks | None = None
    value_after_due: Fraction = Field(default=0.5, description="share of the value kept when late")


class ServingWorkload(Graded):
    """A stream of requests: worth its output tokens, up to the demand, within the limits."""

    kind: Literal["serving"]
    name: Name
    model: str
    input_tokens: int = Field(gt=0, description="mean prompt length (ISL)")
    output_tokens: int = Field(gt=0, description="mean answer length (OSL)")
    ttft_s: Seconds = Field(gt=0, description="limit of the time to first token")
    tpot_s: Seconds = Field(gt=0, description="limit of the time per output token")
    percentile: Fraction = Field(default=0.95, gt=0, lt=1, description="share of requests within")
    precision: Precision = "fp8"
    demand_tokens_per_s: Ramp = Field(description="output tokens per second wanted, by week")
    usd_per_million_tokens: UsdPerMillionTokens


Workload = Annotated[TrainingWorkload | ServingWorkload, Field(discriminator="kind")]


# --- where it runs --------------------------------------------------------------------------


class Climate(Record):
    """A site's air over a year as two waves: over the year and over the day."""

    mean_c: TemperatureC
    seasonal_k: float = Field(ge=0, description="half of coldest to warmest month")
    daily_k: float = Field(ge=0, description="half of night to day")


class DataCenter(Graded):
    """A site with power, coolant and floor, energised in steps."""

    name: Name
    country: Country = "US"
    power_w: PowerW = Field(gt=0)
    basis: Literal["utility", "it"] = Field(
        description="utility: power_w is at the meter, IT = (power - fixed) / PUE; it: at the racks"
    )
    pue: Ratio = 1.2
    fixed_power_w: PowerW = Field(default=0.0, description="load that does not scale with IT")
    energy_usd_per_kwh: EnergyPriceUsdPerKwh
    coolant_supply_c: TemperatureC = 40.0
    liquid_w: PowerW | None = Field(default=None, description="liquid heat capacity; none = all IT")
    air_w: PowerW | None = Field(default=None, description="air heat capacity; none = all IT")
    climate: Climate | None = Field(
        default=None, description="of its air; gives the PUE of a year, hour by hour"
    )
    floor_m2: AreaM2 = Field(gt=0)
    energised: Ramp = Field(description="share of power_w that is live, by week")
    infrastructure_usd_per_w_year: float = Field(
        default=0.0, ge=0, description="rent or carried cost of reserved IT power"
    )

    @model_validator(mode="after")
    def _energised_is_a_share(self) -> DataCenter:
        for step in self.energised:
            if step.value > 1:
                raise ValueError(f"energised is a share of power_w (0..1), found {step.value:g}")
        return self


class Route(Record):
    """How a factory reaches one data center."""

    data_center: Name
    transit_weeks: Weeks
    freight_usd_per_kg: UsdPerKg


class RobotCells(Graded):
    """Robot cells a factory may buy, in whole cells."""

    capex_usd: Usd
    touch_hours_per_week: Hours = Field(
        gt=0, description="hours of human touch labour that one cell replaces in a week"
    )
    usd_per_hour: UsdPerHour = Field(description="running cost per touch hour replaced")
    lead_time_weeks: Weeks = 12.0
    automatable: Fraction = Field(default=0.5, description="share of touch hours a cell can do")
    max_cells: int = Field(default=50, ge=0)


class Factory(Graded):
    """A place that builds trays (L10) and racks (L11) and tests clusters (L12)."""

    name: Name
    country: Country
    touch_hours_per_week: Ramp = Field(description="people hours on the line, by week")
    labour_usd_per_hour: UsdPerHour
    test_bays: Ramp = Field(description="rack test bays in service, by week")
    bay_usd_per_hour: UsdPerHour = 0.0
    first_pass_yield: Fraction = Field(default=0.85, gt=0)
    rework_touch_hours: Hours = Field(default=8.0, description="touch hours per failed rack")
    setup_usd: Usd = Field(default=0.0, description="tooling and qualification per rack platform")
    rack_hts: str = Field(default="8471.50", description="tariff heading of a finished rack")
    transit_weeks: Weeks = 1.0
    freight_usd_per_kg: UsdPerKg = 1.0
    routes: tuple[Route, ...] = ()
    robots: RobotCells | None = None


class Supply(Graded):
    """What one origin can deliver of one part.

    A part without any supply is bought freely at the catalog's price, ordered in time for its
    lead time; the result says so. Memory is named by its kind and counted in GB (`hbm3e`), since
    makers allocate wafers and a stack of any height is cut from them.
    """

    part: str
    origin: Country
    per_week: Ramp = Field(description="units per week that we are allocated, by week")
    unit_usd: Usd | None = Field(default=None, description="none = as the bill of each design says")
    lead_time_weeks: Weeks = Field(default=0.0, description="from order to the factory")
    stock: float = Field(default=0.0, ge=0, description="units on hand at week 0")
    ownership: Literal["buy_sell", "consigned", "agency"] = "buy_sell"
    hts: str = Field(default="", description="tariff heading, e.g. 8473.30; matched with duties")


# --- what may be designed -------------------------------------------------------------------


def _distinct(values: tuple[T, ...]) -> tuple[T, ...]:
    twice = next((value for i, value in enumerate(values) if value in values[:i]), None)
    if twice is not None:
        raise ValueError(f"found {twice} twice: each value of an axis is searched once")
    return values


Some = Annotated[tuple[T, ...], Field(min_length=1), AfterValidator(_distinct)]
"""Declared values of one axis: at least one, each once."""

Whole = Annotated[int, Field(gt=0, le=100_000_000)]


class Generation(Graded):
    """A rack system in the space and when its first production rack can be built."""

    system: str
    first_week: Weeks = 0.0
    revision: Literal["EVT", "DVT", "PVT", "production"] = "production"
    servers_per_rack: int | None = Field(
        default=None, gt=0, description="where `system` names a server; none = as many as fit"
    )


class Composed(Graded):
    """Racks composed on a declared interface of the catalog: every combination of these axes.

    An empty axis takes every value that the interface names and the catalog can plan and price.
    """

    interface: str = Field(description="key of an interface of the catalog: what mates with what")
    name: Name | None = Field(default=None, description="begins the racks' keys; none = interface")
    accelerators: tuple[str, ...] = ()
    accelerators_per_rack: tuple[Annotated[int, Field(gt=0)], ...] = Field(
        default=(), description="empty: as many as the rack holds"
    )
    scale_up_accelerators: tuple[Annotated[int, Field(gt=0)], ...] = Field(
        default=(), description="sizes of a scale-up domain"
    )
    cooling: tuple[CoolingKind, ...] = ()
    power_shelf: tuple[str, ...] = Field(
        default=(), description="as many as the rack's peak and the study's redundancy ask for"
    )
    host_cpu: tuple[str, ...] = ()
    host_memory_bytes_per_cpu: tuple[Bytes, ...] = Field(
        default=(), description="empty: the largest that the interface's boards are made with"
    )
    first_week: Weeks = 0.0
    revision: Literal["EVT", "DVT", "PVT", "production"] = "production"


class SoftwareSpace(Record):
    """The axes of the software search. Values that do not divide are rejected and counted."""

    tensor_parallel: Some[Whole] = (1, 2, 4, 8, 16)
    pipeline_parallel: Some[Whole] = (1, 2, 4, 7, 8, 9, 14, 16, 18)
    expert_parallel: Some[Whole] = (1, 2, 4, 8, 16, 32)
    micro_batch: Some[Whole] = (1, 2, 4)
    interleave: Some[Whole] = (1, 2)
    recompute: Some[Literal["none", "selective", "full"]] = ("none", "selective", "full")
    context_parallel: Some[Whole] = (1,)
    zero: Some[Literal[0, 1, 2, 3]] = Field(
        default=(1,), description="sharded over data parallel: 1 optimizer, 2 gradients, 3 weights"
    )
    offload: Some[Literal["none", "optimizer"]] = Field(
        default=("none",), description="what lives in the host's memory"
    )
    sequence_parallel: Some[bool] = (True,)
    precision: tuple[Precision, ...] = Field(
        default=(), description="tried beside the workload's own; empty: its own alone"
    )
    cache_precision: tuple[Literal["bf16", "fp8"], ...] = Field(
        default=(), description="of keys and values; empty: 16 bit with 16-bit weights, else 8"
    )
    draft_tokens: Some[Annotated[int, Field(ge=0, le=64)]] = Field(
        default=(0,), description="tokens drafted ahead and checked in one step (speculation)"
    )
    prefill_share: Some[Annotated[Fraction, Field(lt=1)]] = Field(
        default=(0.0,), description="replicas that only prefill; 0: every replica does both"
    )
    batch: Some[Whole] = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
    prefill_chunk_tokens: Some[Whole] = (512, 2048, 8192)


class DesignSpace(Record):
    """Hardware axes × software axes: the declared space that is searched exhaustively."""

    generations: tuple[Generation, ...] = Field(description="racks as vendors sell; may be empty")
    composed: tuple[Composed, ...] = Field(
        default=(), description="racks composed from parts on a declared interface"
    )
    nic_gbit_per_s: Some[Whole] = (400, 800)
    nics_per_accelerator: Some[Whole] = (1,)
    planes: Some[Whole] = Field(
        default=(1,), description="fabrics side by side; a NIC is split where there are fewer NICs"
    )
    fabric_tiers: Some[Literal[1, 2, 3]] = Field(
        default=(1, 2, 3), description="tiers of switches that a fabric may have"
    )
    oversubscription: Some[Ratio] = (1.0, 2.0)
    serving_block_racks: Some[Whole] = (1,)
    training_block_accelerators: tuple[Whole, ...] = ()
    baseline: str | None = Field(
        default=None, description="system in use today; always ranked beside the best"
    )
    software: SoftwareSpace = SoftwareSpace()

    @model_validator(mode="after")
    def _there_is_a_rack(self) -> DesignSpace:
        if not self.generations and not self.composed:
            raise ValueError(
                "no rack: name a system in [[design_space.generations]], or an interface in "
                "[[design_space.composed]]"
            )
        names = [c.name or c.interface for c in self.composed]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(f"composed: two tables are called {twice[0]!r}; give each a name")
        return self


# --- how it is judged and bought ------------------------------------------------------------


class Objective(Record):
    """Joint surplus: value of work less all real costs, discounted to week 0."""

    discount_rate_per_year: Fraction = 0.10
    life_weeks: Weeks = Field(default=260.0, ge=26, description="economic life of a block")
    salvage: Fraction = Field(default=0.0, description="share of cost a block is worth at its end")
    availability: Fraction = Field(default=0.97, gt=0)
    budget_usd: Usd | None = Field(default=None, description="cap on spending; none = no cap")
    redesign: bool = Field(default=True, description="false: only the designs in `allowed`")
    allowed_platforms: tuple[str, ...] = Field(
        default=(), description="platform keys the plan may use; empty = every one"
    )


class Reliability(Graded):
    """How often a training job fails, and how soon it goes on; what is left is its goodput."""

    failures: str = Field(
        default="llama3-405b-2024", description="a log of the catalog: which failures, how often"
    )
    detect_s: Seconds = Field(default=180.0, description="from a failure until it is noticed")
    restart_s: Seconds = Field(default=420.0, description="until the job runs again, without reads")
    storage_bytes_per_s: BytesPerS = Field(
        default=2e12, gt=0, description="that checkpoints are written and read at, by all together"
    )
    write_s: Seconds | None = Field(
        default=None, description="for which a checkpoint stops the job; none = all of its writing"
    )
    repair_hours: Hours = Field(default=72.0, description="until a node that failed is back")
    spares_share: Fraction | None = Field(
        default=None, description="spare nodes per node of the job; none = for halted_share"
    )
    halted_share: Fraction = Field(
        default=0.001, gt=0, description="of time that a job may wait for repairs, else more spares"
    )


class ProbeTerms(Record):
    """How well one probe repeats, and how alike the units are; logs are natural."""

    unit_log_sd: float = Field(default=0.02, gt=0, description="spread between healthy units")
    repeat_log_sd: float = Field(default=0.01, gt=0, description="spread of repeats on one unit")
    model_log_sd: float = Field(default=0.02, gt=0, description="what the probe says of the model")


class Rehearsal(Record):
    """Fictitious readings to rehearse the test on before any hardware exists."""

    racks: int = Field(default=6, gt=0)
    share_of_promise: float = Field(default=0.965, gt=0, description="what the product delivers")
    slow_racks: int = Field(default=0, ge=0, description="racks that are unlike their siblings")
    slow_share: float = Field(default=0.85, gt=0, description="what those deliver, of the others")


class AcceptanceTerms(Graded):
    """The test of early hardware."""

    racks: int = Field(default=8, gt=0, description="racks offered for early access")
    hours_per_rack: Hours = Field(default=24.0, gt=0)
    usd_per_rack_hour: UsdPerHour = 400.0
    alpha: Fraction = Field(default=0.05, gt=0, lt=0.5, description="risk of rejecting a good lot")
    beta: Fraction = Field(default=0.10, gt=0, lt=0.5, description="risk of accepting a bad lot")
    good: float = Field(default=1.0, gt=0, description="p0: share of the promise a good lot gives")
    bad: float = Field(default=0.93, gt=0, description="p1: share at which the lot is bad")
    promise_quantile: Fraction = Field(
        default=0.3, gt=0, lt=1, description="quantile of the predicted draws that is promised"
    )
    probes: dict[str, ProbeTerms] = Field(default_factory=dict)
    default_probe: ProbeTerms = ProbeTerms()
    rehearsal: Rehearsal | None = None


class Market(Graded):
    """X = log USD per unit of work of `workload`: mean reversion, decay, scarcity jumps."""

    workload: Name
    start_usd_per_million_tokens: UsdPerMillionTokens | None = Field(
        default=None, description="price today; none = the workload's own value"
    )
    mean_reversion_per_year: float = Field(default=0.8, ge=0, le=50)
    long_run_usd_per_million_tokens: UsdPerMillionTokens | None = None
    volatility_per_year: float = Field(default=0.45, ge=0, le=3)
    decay_per_year: float = Field(
        default=0.20, ge=0, le=3, description="fall of the long-run price"
    )
    jumps_per_year: float = Field(default=0.5, ge=0, le=20)
    jump_log_mean: float = Field(default=0.15, ge=-2, le=2)
    jump_log_sd: float = Field(default=0.15, ge=0, le=2)
    mean_reversion: bool = True
    decay: bool = True
    jumps: bool = True
    discount_rate_per_year: Fraction = 0.12
    forward_usd_per_million_tokens: Ramp | None = Field(
        default=None, description="a forward curve by week; replaces the drift"
    )


class OptionTerms(Graded):
    """The option to purchase: when it can be used, for what, and what waiting costs."""

    gate_weeks: tuple[Weeks, ...] = Field(
        default=(0.0, 8.0, 16.0, 26.0), min_length=1, description="rising; 0 is today"
    )
    maker_margin: Fraction = Field(default=0.06, description="strike = landed cost x (1 + margin)")
    lot_blocks: int | None = Field(default=None, gt=0, description="none = the plan's blocks")
    lapse_per_week: Fraction = Field(default=0.005, description="chance that the slot is lost")
    utilisation: Fraction = Field(default=0.7, gt=0)
    operation_usd_per_block_year: Usd = 0.0
    racks_per_gate: int = Field(default=4, gt=0, description="early racks tested between gates")

    @model_validator(mode="after")
    def _gates_rise(self) -> OptionTerms:
        for earlier, later in pairwise(self.gate_weeks):
            if later <= earlier:
                raise ValueError(f"gate_weeks must rise: found {earlier:g} followed by {later:g}")
        if self.gate_weeks[-1] > 520:
            raise ValueError(f"gate_weeks: found {self.gate_weeks[-1]:g}, allowed up to 520")
        return self


# --- what could happen ----------------------------------------------------------------------


class Window(Record):
    """From one week to another; the last week is not in it."""

    from_week: Weeks = 0.0
    to_week: Weeks = 10_000.0

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.to_week <= self.from_week:
            raise ValueError(
                f"to_week: found {self.to_week:g}, allowed a week after from_week "
                f"({self.from_week:g})"
            )
        return self


class SupplyEffect(Window):
    """Supply of matching parts is multiplied inside the window."""

    part: str | None = None
    origin: Country | None = None
    factor: float = Field(ge=0)


class FactoryEffect(Window):
    """Capacity of matching factories is multiplied inside the window."""

    factory: Name | None = None
    country: Country | None = None
    factor: float = Field(ge=0)


class DemandEffect(Record):
    """Demand (serving) or value (both kinds) of matching workloads is multiplied."""

    workload: Name | None = None
    demand_factor: float = Field(default=1.0, ge=0)
    value_factor: float = Field(default=1.0, ge=0)


class Scenario(Graded):
    """One way the world could go, or one rule that we set ourselves."""

    name: Name
    note: str = ""
    supply: tuple[SupplyEffect, ...] = ()
    factories: tuple[FactoryEffect, ...] = ()
    demand: tuple[DemandEffect, ...] = ()
    factory_countries: tuple[Country, ...] = Field(
        default=(), description="only factories of these countries may build; empty = all"
    )
    duties: tuple[str, ...] = Field(
        default=(), description="measures of the catalog that are not law but come into force here"
    )


class Study(Graded):
    """One question, with all that is needed to answer it."""

    name: Name
    title: str = ""
    note: str = ""
    seed: int = Field(default=1, ge=0)
    draws: int = Field(default=256, ge=2, le=4096)
    currency_year: int = Field(ge=2000, le=2100)
    start: date
    horizon_weeks: int = Field(default=104, ge=4, le=520)
    redundancy: Literal["N", "N+1", "2N", "distributed"] = "N+1"
    objective: Objective = Objective()
    reliability: Reliability = Reliability()
    workloads: tuple[Workload, ...] = Field(min_length=1)
    data_centers: tuple[DataCenter, ...] = Field(min_length=1)
    factories: tuple[Factory, ...] = Field(min_length=1)
    supplies: tuple[Supply, ...] = ()
    design_space: DesignSpace
    acceptance: AcceptanceTerms = AcceptanceTerms()
    market: Market | None = None
    option: OptionTerms = OptionTerms()
    scenarios: tuple[Scenario, ...] = ()
    scenario_files: tuple[str, ...] = Field(
        default=(), description="more scenarios, one TOML file each, beside the study"
    )

    @model_validator(mode="after")
    def _names_are_known_and_unique(self) -> Study:
        for table in ("workloads", "data_centers", "factories", "scenarios"):
            names = [row.name for row in getattr(self, table)]
            twice = sorted({n for n in names if names.count(n) > 1})
            if twice:
                raise ValueError(f"{table}: the name {twice[0]!r} is used twice")
        known = [w.name for w in self.workloads]
        if self.market is not None and self.market.workload not in known:
            raise ValueError(
                f"market.workload: no workload named {self.market.workload!r}; "
                f"there is {', '.join(known)}"
            )
        return self
