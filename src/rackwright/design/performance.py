"""What the chosen plan of each hardware candidate does for each workload, in every world.

One performance model, two uses: the kernels that score every plan (`choose.py`) are those that
print the chosen plan's breakdown here, and those that run it again in every world of the draws.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.design.choose import Workload, serving_load
from rackwright.design.numbers import compute_precision, machine_numbers, model_numbers
from rackwright.design.parameters import serving_efficiencies, training_efficiencies
from rackwright.design.plans import serving_record, training_record
from rackwright.design.power import average_power
from rackwright.design.shards import Ledger, Meter, Question, Tell, run_shards
from rackwright.design.software import CACHE_BYTES
from rackwright.kernels import serving, serving_point, training
from rackwright.kernels.numbers import MachineNumbers, ModelNumbers, ServingEfficiency
from rackwright.records.choice import Choice
from rackwright.records.hardware import Hardware
from rackwright.records.model import ModelShape
from rackwright.records.model_counts import forward_flop_per_token
from rackwright.records.provenance import Grade, worst
from rackwright.records.space import (
    KindStats,
    Parameters,
    SearchStats,
    Service,
    TimePart,
)
from rackwright.records.study import ServingWorkload, SoftwareSpace, TrainingWorkload

Array = NDArray[np.float64]

_LEANED_ON = ("matmul_flop_per_s", "memory_bytes", "memory_bytes_per_s")


@dataclass(frozen=True)
class PerformanceTable:
    """What each hardware candidate does for each workload.

    `services[h][w]` is the best plan's service at nominal parameters, None where no plan keeps
    the limits. `rates` is tokens/s per block, shape (H, W, S); 0 where there is no service.
    """

    workloads: tuple[str, ...]
    services: tuple[tuple[Service | None, ...], ...]
    rates: Array
    stats: SearchStats
    excess: Mapping[str, Mapping[str, float]]
    pruned: Mapping[str, Mapping[str, int]]

    def why_not(self, workload: str) -> str:
        """Return which limits bind a workload and by how much the nearest plan misses them."""
        found = self.excess.get(workload, {})
        if not found:
            reasons = sorted(self.pruned.get(workload, {}).items(), key=lambda x: (-x[1], x[0]))
            counted = "; ".join(f"{reason} ({n:,})" for reason, n in reasons)
            return f"no plan of the declared axes can be tried: {counted}"
        parts = [f"{reason} {_missed(x)}" for reason, x in sorted(found.items())]
        return "the nearest plans: " + ", ".join(parts)


def _missed(times: float) -> str:
    """Return how far a limit is missed that is exceeded so many times.

    >>> _missed(1.25), _missed(33758.2), _missed(1.001)
    ('misses by 25 %', 'misses by a factor of 33,758', 'only just misses')
    """
    if times >= 11:
        return f"misses by a factor of {times:,.0f}"
    return f"misses by {100 * (times - 1):.0f} %" if times >= 1.005 else "only just misses"


class How(NamedTuple):
    """How a search is run; none of it changes what it finds."""

    ledger: Ledger | None = None
    jobs: int = 1
    meter: Meter | None = None
    tell: Tell = lambda _: None


def evaluate(
    hardware: Sequence[Hardware],
    workloads: Sequence[Workload],
    models: Mapping[str, ModelShape],
    software: SoftwareSpace,
    parameters: Parameters,
    how: How | None = None,
) -> PerformanceTable:
    """Return the best software plan of every hardware candidate for every workload.

    Every plan of the declared axes that divides is evaluated: time and memory. The best is the
    one with the highest rate per block at nominal parameters among those that fit the memory
    and, for serving, keep both limits at the percentile (see `kernels.serving`). That plan is
    then held fixed in every world of the draws; a world in which it breaks a serving limit is
    credited with the largest batch that does not, or with nothing.

    Args:
        hardware: candidates; each is one block.
        workloads: of the study.
        models: shape by the name that the workloads use.
        software: the axes.
        parameters: from `parameters.draw`, with the families of all candidates.
        how: processes, ledger, progress.

    Returns:
        Services, rates (H, W, S) and counts.
    """
    how = how or How()
    question = Question(tuple(hardware), tuple(workloads), models, software, parameters)
    choices = run_shards(question, how.ledger, how.jobs, how.meter, how.tell)
    samples = parameters.values.shape[0]
    rates = np.zeros((len(hardware), len(workloads), samples))
    rows: list[tuple[Service | None, ...]] = []
    excess: dict[str, dict[str, float]] = {}
    pruned: dict[str, Counter[str]] = {workload.name: Counter() for workload in workloads}
    for h, block in enumerate(hardware):
        services: list[Service | None] = []
        for w, workload in enumerate(workloads):
            choice = choices[h, w]
            pruned[workload.name].update(choice.pruned)
            known = excess.setdefault(workload.name, {})
            for reason, ratio in choice.excess.items():
                known[reason] = min(known.get(reason, np.inf), ratio)
            if not choice.plan:
                services.append(None)
                continue
            service, drawn = describe(block, workload, models[workload.model], choice, parameters)
            services.append(service)
            rates[h, w] = drawn
        rows.append(tuple(services))
    return PerformanceTable(
        workloads=tuple(workload.name for workload in workloads),
        services=tuple(rows),
        rates=rates,
        stats=SearchStats(
            hardware=len(hardware),
            training=_stats(choices, workloads, "training"),
            serving=_stats(choices, workloads, "serving"),
        ),
        excess=excess,
        pruned=pruned,
    )


def describe(
    block: Hardware,
    workload: Workload,
    shape: ModelShape,
    choice: Choice,
    parameters: Parameters,
) -> tuple[Service, Array]:
    """Return what a chosen plan does at nominal parameters, and its rate (S,) in every world."""
    plan = np.array(choice.plan)
    if isinstance(workload, TrainingWorkload):
        return _training(block, workload, shape, choice, plan, parameters)
    return _serving(block, workload, shape, choice, plan, parameters)


def _training(
    block: Hardware,
    workload: TrainingWorkload,
    shape: ModelShape,
    choice: Choice,
    plan: Array,
    parameters: Parameters,
) -> tuple[Service, Array]:
    m, h = model_numbers(shape), machine_numbers(block, choice.precision, shape)
    at = compute_precision(block.accelerator, choice.precision)
    e, draws, grade = training_efficiencies(parameters, block.accelerator.family, at)
    sequence = float(workload.sequence_length)
    parts, held = training.training_over_plans(m, h, e, sequence, plan[None, :])
    step = float(parts.sum())
    tokens = workload.global_batch_sequences * sequence
    flop = 3.0 * forward_flop_per_token(shape, sequence / 2.0)
    power = average_power(block, parameters, training.PARTS, parts[0], 0.0, 1.0)[0]
    service = Service(
        workload=workload.name,
        plan=training_record(plan, choice.precision),
        rate_tokens_per_s=tokens / step,
        step_s=step,
        memory_bytes=float(held[0]),
        mfu=flop * tokens / step / (block.accelerators * h.matmul_flop_per_s),
        average_power_w=power,
        parts=_parts(training.PARTS, parts[0]),
        grade=_grade(block, grade),
    )
    return service, tokens / training.training_over_draws(m, h, draws, sequence, plan)


def _serving(
    block: Hardware,
    workload: ServingWorkload,
    shape: ModelShape,
    choice: Choice,
    plan: Array,
    parameters: Parameters,
) -> tuple[Service, Array]:
    m = model_numbers(shape)
    cache = CACHE_BYTES.get(choice.cache_precision)
    h = machine_numbers(block, choice.precision, shape, cache)
    at = compute_precision(block.accelerator, choice.precision)
    e, draws, grade = serving_efficiencies(parameters, block.accelerator.family, at)
    load = serving_load(workload)
    point = serving_point.operating_point(m, h, e, load, plan, plan[4])
    ranks = max(plan[0], plan[2]) * plan[1]
    replicas = block.accelerators // ranks
    parts, busy = _mean_step(m, h, e, load, plan)
    used = float(replicas * ranks / block.accelerators)
    power = average_power(block, parameters, serving.PARTS, parts, busy, used)
    service = Service(
        workload=workload.name,
        plan=serving_record(plan, choice.precision, choice.cache_precision, int(replicas)),
        rate_tokens_per_s=float(replicas * point[1]),
        step_s=float(parts.sum()),
        ttft_s=float(point[3]),
        tpot_s=float(point[2]),
        memory_bytes=float(point[4]),
        average_power_w=power[0],
        parts=_parts(serving.PARTS, parts),
        prefill_share=min(float(busy), 1.0),
        used_share=min(used, 1.0),
        grade=_grade(block, grade),
    )
    return service, replicas * serving_point.serving_over_draws(m, h, draws, load, plan)


def _stats(
    choices: Mapping[tuple[int, int], Choice], workloads: Sequence[Workload], kind: str
) -> KindStats:
    some = [choice for (_, w), choice in sorted(choices.items()) if workloads[w].kind == kind]
    rejected: Counter[str] = Counter()
    for choice in some:
        rejected.update(choice.rejected)
        rejected.update(choice.pruned)
    return KindStats(
        evaluated=sum(c.evaluated for c in some),
        pruned=sum(sum(c.pruned.values()) for c in some),
        feasible=sum(c.feasible for c in some),
        rejected=dict(sorted(rejected.items())),
    )


def _mean_step(
    m: ModelNumbers, h: MachineNumbers, e: ServingEfficiency, load: Array, plan: Array
) -> tuple[Array, float]:
    """Parts of the mean step, and the share of its time in steps that carry prefill."""
    isl, osl = load[0], load[1]
    context = isl + 0.5 * osl
    plain = np.array(serving.step_parts(m, h, e, plan, plan[4], context, 0.0, 0.0))
    if plan[6] > 0.0:  # of a replica that only decodes; the others prefill
        return plain, float(plan[6])
    kept = serving_point.kept_per_step(plan[5], e.acceptance)
    chunk, share = serving_point.prefill_mix(isl, osl, plan[3], plan[4] * kept)
    mixed = np.array(serving.step_parts(m, h, e, plan, plan[4], context, chunk, 0.5 * isl))
    mean = (1.0 - share) * plain + share * mixed
    return mean, float(share * mixed.sum() / mean.sum())


def _parts(names: Sequence[str], seconds: Array) -> tuple[TimePart, ...]:
    pairs = zip(names, seconds.tolist(), strict=True)
    return tuple(TimePart(name=name, seconds=value) for name, value in pairs if value > 0.0)


def _grade(block: Hardware, efficiency: Grade) -> Grade:
    return worst([block.accelerator.grade_of(_LEANED_ON), efficiency])
