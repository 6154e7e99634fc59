"""What a request-level simulation was given, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from rackwright.records.base import Record
from rackwright.records.provenance import Grade


class Deployed(Record):
    """Replicas of a model, with the limits of their engine."""

    model: str
    accelerator: str
    precision: str
    tensor_parallel: int = Field(gt=0)
    pipeline_parallel: int = Field(gt=0)
    expert_parallel: int = Field(gt=0)
    accelerators_per_replica: int = Field(gt=0)
    replicas: int = Field(gt=0, description="that decode; without a prefill pool, that do both")
    prefill_replicas: int = Field(ge=0, description="that only prefill; 0: no pool apart")
    accelerators_per_prefill_replica: int = Field(default=1, gt=0)
    requests_at_once: int = Field(gt=0, description="of one replica")
    step_tokens: int = Field(gt=0, description="in one step, decoded and prefilled together")
    block_tokens: int = Field(gt=0)
    cache_tokens: int = Field(ge=0, description="that one replica's memory holds")
    prefix_cache: bool
    whole_prompt: bool = Field(description="a prompt waits until all its blocks are free")
    route: str
    grade: Grade
    assumptions: tuple[str, ...] = ()


class Asked(Record):
    """The requests: from a trace or made, with their seed."""

    source: str = Field(description="the trace's name, or the kind of arrivals")
    requests: int = Field(gt=0)
    clients: int = Field(ge=0, description="that ask in turn; 0: requests come as they come")
    seconds: float = Field(ge=0, description="from the first arrival to the last")
    input_mean: float
    output_mean: float
    shared_share: float = Field(ge=0, le=1, description="of prompt tokens that others share")
    notes: tuple[str, ...] = ()


class Spread(Record):
    """How a latency [s] is spread over the requests."""

    mean_s: float
    p50_s: float
    p90_s: float
    p95_s: float
    p99_s: float
    max_s: float
    curve_s: tuple[float, ...] = Field(description="quantiles 0, 1, ... 100 %")


class WithinLimits(Record):
    """What keeps the limits of TTFT and TPOT."""

    ttft_s: float | None
    tpot_s: float | None
    share: float = Field(ge=0, le=1, description="of the requests that were asked")
    requests_per_s: float
    tokens_per_s: float


class OverTime(Record):
    """Means over equal spans of time, of the whole fleet."""

    span_s: float
    waiting: tuple[float, ...]
    running: tuple[float, ...]
    cache_share: tuple[float, ...] = Field(description="of all blocks, held by requests")
    busy_share: tuple[float, ...] = Field(description="of the replicas, in a step")


class Simulation(Record):
    """A simulation: what was deployed and asked, and what became of the requests."""

    deployed: Deployed
    asked: Asked
    seed: int
    outcomes: Mapping[str, int] = Field(description="served, too long for the cache, empty")
    seconds: float = Field(ge=0, description="until the last answer")
    ttft: Spread | None = Field(description="None: nothing was served")
    tpot: Spread | None = Field(description="of answers of two tokens and more")
    e2e: Spread | None
    requests_per_s: float
    output_tokens_per_s: float
    within: WithinLimits | None = Field(description="None: no limits were given")
    busy_share: tuple[float, ...] = Field(description="of each replica, the prefill pool first")
    hit_share: float = Field(ge=0, description="of prompt tokens, found in a prefix cache")
    preemptions: int = Field(ge=0)
    steps: int = Field(ge=0, description="of all engines")
    over_time: OverTime
    grade: Grade
