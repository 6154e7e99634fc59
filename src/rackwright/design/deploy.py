"""A deployment for the request-level simulator: replicas of a model, and its engine's limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.catalog import Catalog
from rackwright.design.candidates import enumerate_candidates
from rackwright.design.choose import choose, serving_load
from rackwright.design.numbers import compute_precision, machine_numbers, model_numbers
from rackwright.design.parameters import draw, serving_efficiencies
from rackwright.design.software import CACHE_BYTES
from rackwright.kernels import serving_point
from rackwright.kernels.fleet_state import (
    LEAST_LOADED,
    ONE_LINE,
    PREFIX_AWARE,
    ROUND_ROBIN,
    Fleet,
    Limits,
)
from rackwright.kernels.memory import sequence_cache_bytes
from rackwright.kernels.numbers import MachineNumbers, ModelNumbers, ServingEfficiency
from rackwright.kernels.serving import StepTerms, step_terms
from rackwright.records.errors import InputError, NothingFeasibleError, RackwrightError, nearest
from rackwright.records.hardware import Hardware
from rackwright.records.model import ModelShape
from rackwright.records.provenance import worst
from rackwright.records.rates import ServingEngine
from rackwright.records.simulation import Deployed
from rackwright.records.space import Parameters, SoftwarePlan
from rackwright.records.study import ServingWorkload, Study

Array = NDArray[np.float64]

ROUTES: Mapping[str, int] = {
    "round-robin": ROUND_ROBIN,
    "least-loaded": LEAST_LOADED,
    "prefix-aware": PREFIX_AWARE,
    "one-line": ONE_LINE,
}
BLOCK_TOKENS = 16
STEP_TOKENS = 8192
"""Tokens in a step where nothing else is said: vLLM's default for a server."""


class Engine(NamedTuple):
    """How an engine is set; what is None follows from the memory or the engine's defaults."""

    requests_at_once: int | None = None
    step_tokens: int | None = None
    block_tokens: int = BLOCK_TOKENS
    cache_tokens: int | None = None
    prefix_cache: bool = True
    whole_prompt: bool = True
    route: str = "round-robin"


class Layout(NamedTuple):
    """How a replica is spread over accelerators, and how many replicas there are."""

    precision: str
    cache_precision: str = ""
    tensor: int = 1
    pipeline: int = 1
    expert: int = 1
    draft_tokens: int = 0
    replicas: int = 1
    prefill_replicas: int = 0
    prefill_tensor: int | None = None  # of the pool apart; None: as the others
    prefill_expert: int | None = None

    def of_prefill(self) -> Layout:
        """Return the layout of a replica of the pool that only prefills."""
        return self._replace(
            tensor=self.prefill_tensor or self.tensor, expert=self.prefill_expert or self.expert
        )


class Deployment(NamedTuple):
    """What the kernels read of a deployment, and the record of it."""

    terms: StepTerms
    terms_prefill: StepTerms  # of a replica of the pool apart
    limits: Limits
    limits_prefill: Limits
    fleet: Fleet
    host_s: float  # the host's part of a first token
    kept: float  # tokens that a request keeps per step
    record: Deployed


def deploy(
    hardware: Hardware,
    shape: ModelShape,
    name: str,
    layout: Layout,
    engine: Engine,
    lengths: tuple[float, float],
    parameters: Parameters,
    software: ServingEngine | None = None,
) -> Deployment:
    """Return replicas of a model on accelerators.

    Args:
        hardware: has the accelerators; only their kind and network matter here.
        shape, name: the model.
        layout: of a replica, and how many.
        engine: how it is set.
        lengths: mean prompt and answer tokens; with windows or states the cache of a token
            depends on them.
        parameters: draws, with the accelerator's family.
        software: the inference engine; None: the default one.

    Raises:
        InputError: what cannot be, all at once.
        NothingFeasibleError: weights leave no room for a cache.
    """
    apart = layout.of_prefill()
    _possible(hardware, shape, layout, engine)
    if apart != layout and layout.prefill_replicas:
        _possible(hardware, shape, apart, engine)
    accelerator = hardware.accelerator
    cache = CACHE_BYTES.get(layout.cache_precision)
    m = model_numbers(shape)
    h = machine_numbers(hardware, layout.precision, shape, cache)
    at = compute_precision(accelerator, layout.precision)
    e, _, grade = serving_efficiencies(parameters, accelerator.family, at, software)
    plan, limits = _replica(m, h, e, layout, engine, lengths, software)
    terms = terms_prefill = step_terms(m, h, e, plan)
    limits_prefill = limits
    if apart != layout and layout.prefill_replicas:
        other, limits_prefill = _replica(m, h, e, apart, engine, lengths, software)
        terms_prefill = step_terms(m, h, e, other)
    notes = []
    if shape.sliding_window is not None or m.state > 0.0:
        notes.append(f"the cache of a token is that of a request of {sum(lengths):,.0f} tokens")
    if layout.draft_tokens:
        notes.append("drafted tokens are kept at their mean rate in every step")
    moved = sequence_cache_bytes(m, h, lengths[0], plan[0], plan[1]) / max(lengths[0], 1.0)
    fleet = Fleet(
        layout.prefill_replicas,
        layout.replicas,
        ROUTES[engine.route],
        engine.prefix_cache,
        e.scale_out_latency_s,
        moved / (h.scale_out_bytes_per_s * e.scale_out),
    )
    record = Deployed(
        model=name,
        accelerator=accelerator.key,
        precision=layout.precision,
        tensor_parallel=layout.tensor,
        pipeline_parallel=layout.pipeline,
        expert_parallel=layout.expert,
        accelerators_per_replica=max(layout.tensor, layout.expert) * layout.pipeline,
        replicas=layout.replicas,
        prefill_replicas=layout.prefill_replicas,
        accelerators_per_prefill_replica=max(apart.tensor, apart.expert) * apart.pipeline,
        requests_at_once=limits.requests,
        step_tokens=limits.tokens,
        block_tokens=limits.block_tokens,
        cache_tokens=limits.blocks * limits.block_tokens,
        prefix_cache=engine.prefix_cache,
        whole_prompt=engine.whole_prompt,
        route=engine.route,
        grade=worst([accelerator.grade_of(("memory_bytes", "memory_bytes_per_s")), grade]),
        assumptions=tuple(notes),
    )
    kept = serving_point.kept_per_step(float(layout.draft_tokens), e.acceptance)
    host = serving_point.first_host_seconds(m, e)
    return Deployment(terms, terms_prefill, limits, limits_prefill, fleet, host, kept, record)


def _replica(
    m: ModelNumbers,
    h: MachineNumbers,
    e: ServingEfficiency,
    layout: Layout,
    engine: Engine,
    lengths: tuple[float, float],
    software: ServingEngine | None,
) -> tuple[Array, Limits]:
    """Return a replica's plan as the step's terms read it, and what its engine keeps to."""
    most = engine.requests_at_once or (software.max_requests if software else 0)
    tokens = engine.step_tokens or STEP_TOKENS
    plan = np.array(
        (layout.tensor, layout.pipeline, layout.expert, tokens, most,
         layout.draft_tokens, 0.0)
    )  # fmt: skip
    room = engine.cache_tokens
    if room is None:
        room = _cache_tokens(m, h, e, plan, lengths)
    if most == 0:  # nothing but the memory says how many
        most = max(int(room / sum(lengths)), 1)
    size = engine.block_tokens
    return plan, Limits(most, tokens, room // size, size, engine.whole_prompt)


class Designed(NamedTuple):
    """A design of a study that serves a workload, deployed, and what the analytic model says."""

    deployment: Deployment
    workload: ServingWorkload
    requests_per_s: float  # of the whole block, at the plan's mean batch
    ttft_s: float
    tpot_s: float


def of_design(
    study: Study,
    catalog: Catalog,
    models: Mapping[str, ModelShape],
    workload: str,
    design: str,
    engine: Engine | None = None,
    replicas: int | None = None,
    prefill_replicas: int | None = None,
) -> Designed:
    """Return a block of a study's space with its best plan for a serving workload.

    Args:
        study, catalog, models: the study with all that it names.
        workload, design: names in it.
        engine: settings other than the plan's.
        replicas, prefill_replicas: other numbers of replicas than the block's.

    Raises:
        InputError: no such workload or design, with the nearest names.
        NothingFeasibleError: the design cannot serve the workload.
    """
    serving = {w.name: w for w in study.workloads if isinstance(w, ServingWorkload)}
    if workload not in serving:
        raise InputError(
            [f"no serving workload named {workload!r} in the study; it has "
             f"{', '.join(serving) or 'none'}.{nearest(workload, serving)}"]
        )  # fmt: skip
    blocks = {c.hardware.key: c.hardware for c in enumerate_candidates(study, catalog).all}
    if design not in blocks:
        raise InputError([f"no design {design!r} in the study's space.{nearest(design, blocks)}"])
    block, work = blocks[design], serving[workload]
    parameters = draw(catalog, (block.accelerator.family,), study.draws, study.seed)
    shape = models[work.model]
    choice = choose(block, work, shape, study.design_space.software, parameters)
    if not choice.plan:
        raise NothingFeasibleError(f"{design}: no plan of the study serves {workload} on it")
    from_plan = planned(np.array(choice.plan), choice.precision, choice.cache_precision, block)
    return designed(block, shape, work, from_plan, parameters, engine, replicas, prefill_replicas)


def planned(plan: Array, precision: str, cache: str, block: Hardware) -> SoftwarePlan:
    """Return a chosen plan of the search as a record."""
    from rackwright.design.plans import serving_record

    ranks = max(plan[0], plan[2]) * plan[1]
    return serving_record(plan, precision, cache, int(block.accelerators // ranks))


def designed(
    block: Hardware,
    shape: ModelShape,
    work: ServingWorkload,
    plan: SoftwarePlan,
    parameters: Parameters,
    engine: Engine | None = None,
    replicas: int | None = None,
    prefill_replicas: int | None = None,
) -> Designed:
    """Return a block that serves a workload by a plan, as the simulator and the model see it.

    Arguments as for `of_design`; without settings the plan's chunk and no prefix cache.
    """
    apart = round(plan.prefill_share * plan.replicas) if plan.prefill_share > 0.0 else 0
    if plan.prefill_share > 0.0:
        apart = min(max(apart, 1), plan.replicas - 1)
    layout = Layout(
        plan.precision,
        plan.cache_precision,
        plan.tensor_parallel,
        plan.pipeline_parallel,
        plan.expert_parallel,
        plan.draft_tokens,
        max(plan.replicas - apart, 1) if replicas is None else replicas,
        apart if prefill_replicas is None else prefill_replicas,
    )
    columns = np.array(
        (plan.tensor_parallel, plan.pipeline_parallel, plan.expert_parallel,
         plan.prefill_chunk_tokens, plan.batch, plan.draft_tokens, plan.prefill_share),
        dtype=np.float64,
    )  # fmt: skip
    copies = max(plan.expert_parallel // plan.tensor_parallel, 1)
    lengths = (float(work.input_tokens), float(work.output_tokens))
    engine = engine or Engine(prefix_cache=False)
    if engine.step_tokens is None:
        engine = engine._replace(step_tokens=plan.prefill_chunk_tokens * copies + plan.batch)
    made = deploy(block, shape, work.model, layout, engine, lengths, parameters)
    m = model_numbers(shape)
    h = machine_numbers(block, plan.precision, shape, CACHE_BYTES.get(plan.cache_precision))
    at = compute_precision(block.accelerator, plan.precision)
    e, _, _ = serving_efficiencies(parameters, block.accelerator.family, at)
    point = serving_point.operating_point(m, h, e, serving_load(work), columns, columns[4])
    rate = plan.replicas * point[1] / work.output_tokens
    return Designed(made, work, float(rate), float(point[3]), float(point[2]))


def _cache_tokens(
    m: ModelNumbers,
    h: MachineNumbers,
    e: ServingEfficiency,
    plan: Array,
    lengths: tuple[float, float],
) -> int:
    """Return the tokens that fit into what weights and activations leave of a replica's memory."""
    load = np.array((*lengths, 1.0, 1.0, 0.0, 0.5))
    terms = serving_point.point_terms(m, h, e, load, plan)
    left = h.memory_bytes - terms.held
    if left <= 0.0:
        raise NothingFeasibleError(
            f"weights and activations take {terms.held / 1e9:.1f} GB of each accelerator, which "
            f"has {h.memory_bytes / 1e9:.1f} GB: spread the model over more of them (--tensor, "
            "--pipeline, --expert) or store it at a narrower --precision"
        )
    return int(left / terms.held_each * sum(lengths))


def _possible(hardware: Hardware, shape: ModelShape, layout: Layout, engine: Engine) -> None:
    """Raise on what no replica can be, everything at once."""
    mistakes = []
    numbers = {
        "tensor": layout.tensor, "pipeline": layout.pipeline, "expert": layout.expert,
        "replicas": layout.replicas, "step tokens": engine.step_tokens or STEP_TOKENS,
        "requests at once": 1 if engine.requests_at_once is None else engine.requests_at_once,
        "block tokens": engine.block_tokens,
    }  # fmt: skip
    mistakes += [f"{name}: found {n}, at least 1 is needed" for name, n in numbers.items() if n < 1]
    if engine.route not in ROUTES:
        mistakes.append(
            f"no route named {engine.route!r}; allowed: {', '.join(ROUTES)}."
            f"{nearest(engine.route, ROUTES)}"
        )
    if not mistakes:
        if shape.heads % layout.tensor:
            mistakes.append(f"tensor: {layout.tensor} does not divide the {shape.heads} heads")
        if shape.layers % layout.pipeline:
            mistakes.append(f"pipeline: {layout.pipeline} does not divide {shape.layers} layers")
        experts = shape.moe.experts if shape.moe is not None else 1
        if experts % layout.expert:
            mistakes.append(f"expert: {layout.expert} does not divide the {experts} experts")
        wide, narrow = max(layout.tensor, layout.expert), min(layout.tensor, layout.expert)
        if wide % narrow:
            mistakes.append(f"tensor {layout.tensor} and expert {layout.expert} do not nest")
    try:
        compute_precision(hardware.accelerator, layout.precision)
    except RackwrightError as error:
        mistakes.append(str(error))
    if mistakes:
        raise InputError(mistakes)
