"""The best software plan of each hardware candidate for each workload, and what it then does.

One performance model, two uses: the kernels that score every plan are those that print the
chosen plan's breakdown, and those that run it again in every world of the draws.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from rackwright.design.numbers import compute_precision, machine_numbers, model_numbers
from rackwright.design.parameters import serving_efficiencies, training_efficiencies
from rackwright.design.plans import serving_record, training_record
from rackwright.design.power import average_power
from rackwright.design.software import serving_layouts, training_plans
from rackwright.kernels import serving, serving_point, training
from rackwright.kernels.numbers import MachineNumbers, ModelNumbers, ServingEfficiency
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
Workload = TrainingWorkload | ServingWorkload

_REASONS = {
    int(serving_point.NO_MEMORY): "memory: weights and cache of the batch",
    int(serving_point.NO_PREFILL): "prompts arrive faster than chunks",
    int(serving_point.LATE_FIRST): "time to first token",
    int(serving_point.LATE_TOKEN): "time per output token",
}
_MEMORY = "memory: weights, optimizer and activations"
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

    def why_not(self, workload: str) -> str:
        """Return which limits bind a workload and by how much the nearest plan misses them."""
        found = self.excess.get(workload, {})
        if not found:
            return "no plan divides; see the reasons counted in the search"
        parts = [
            f"{reason} misses by {100 * (x - 1):.0f} %"
            if x >= 1.005
            else f"{reason} only just misses"
            for reason, x in sorted(found.items())
        ]
        return "the nearest plans: " + ", ".join(parts)


@dataclass(frozen=True)
class Best:
    """The best plan of one candidate for one workload, what was counted, and its draws."""

    service: Service | None
    rates: Array
    evaluated: int
    feasible: int
    rejected: Mapping[str, int]
    structural: Mapping[str, int]
    excess: Mapping[str, float]


def evaluate(
    hardware: Sequence[Hardware],
    workloads: Sequence[Workload],
    models: Mapping[str, ModelShape],
    software: SoftwareSpace,
    parameters: Parameters,
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

    Returns:
        Services, rates (H, W, S) and counts.
    """
    samples = parameters.values.shape[0]
    rates = np.zeros((len(hardware), len(workloads), samples))
    rows: list[tuple[Service | None, ...]] = []
    counts = {"training": _Counts(), "serving": _Counts()}
    excess: dict[str, dict[str, float]] = {}
    for h, block in enumerate(hardware):
        services = []
        for w, workload in enumerate(workloads):
            best = best_plan(block, workload, models[workload.model], software, parameters)
            rates[h, w] = best.rates
            services.append(best.service)
            counts[workload.kind].add(best)
            known = excess.setdefault(workload.name, {})
            for reason, ratio in best.excess.items():
                known[reason] = min(known.get(reason, np.inf), ratio)
        rows.append(tuple(services))
    return PerformanceTable(
        workloads=tuple(workload.name for workload in workloads),
        services=tuple(rows),
        rates=rates,
        stats=SearchStats(
            hardware=len(hardware),
            training=counts["training"].stats(),
            serving=counts["serving"].stats(),
        ),
        excess=excess,
    )


def best_plan(
    block: Hardware,
    workload: Workload,
    shape: ModelShape,
    software: SoftwareSpace,
    parameters: Parameters,
) -> Best:
    """Return the best software plan of one block for one workload, with its draws."""
    if isinstance(workload, TrainingWorkload):
        return _best_training(block, workload, shape, software, parameters)
    return _best_serving(block, workload, shape, software, parameters)


def _best_training(
    block: Hardware,
    workload: TrainingWorkload,
    shape: ModelShape,
    software: SoftwareSpace,
    parameters: Parameters,
) -> Best:
    plans, structural = training_plans(block, workload, shape, software)
    m, h = model_numbers(shape), machine_numbers(block, workload.precision, shape)
    at = compute_precision(block.accelerator, workload.precision)
    family = block.accelerator.family
    e, draws, grade = training_efficiencies(parameters, family, at)
    sequence = float(workload.sequence_length)
    parts, held = training.training_over_plans(m, h, e, sequence, plans)
    fits = held <= h.memory_bytes
    feasible = int(np.count_nonzero(fits))
    rejected = {_MEMORY: len(plans) - feasible} if feasible < len(plans) else {}
    none = np.zeros(draws.shape[0])
    if not feasible:
        near = {_MEMORY: float(held.min() / h.memory_bytes)} if len(plans) else {}
        return Best(None, none, len(plans), 0, rejected, structural, near)
    step = parts.sum(axis=1)
    i = int(np.argmin(np.where(fits, step, np.inf)))
    tokens = workload.global_batch_sequences * sequence
    rate = float(tokens / step[i])
    flop = 3.0 * forward_flop_per_token(shape, sequence / 2.0)
    service = Service(
        workload=workload.name,
        plan=training_record(plans[i], workload.precision),
        rate_tokens_per_s=rate,
        step_s=float(step[i]),
        memory_bytes=float(held[i]),
        mfu=flop * rate / (block.accelerators * h.matmul_flop_per_s),
        average_power_w=average_power(block, parameters, training.PARTS, parts[i], 0.0, 1.0)[0],
        parts=_parts(training.PARTS, parts[i]),
        grade=_grade(block, grade),
    )
    steps = training.training_over_draws(m, h, draws, sequence, plans[i])
    return Best(service, tokens / steps, len(plans), feasible, rejected, structural, {})


def _best_serving(
    block: Hardware,
    workload: ServingWorkload,
    shape: ModelShape,
    software: SoftwareSpace,
    parameters: Parameters,
) -> Best:
    layouts, structural = serving_layouts(block, workload, shape, software)
    m, h = model_numbers(shape), machine_numbers(block, workload.precision, shape)
    at = compute_precision(block.accelerator, workload.precision)
    family = block.accelerator.family
    e, draws, grade = serving_efficiencies(parameters, family, at)
    load = serving_load(workload)
    batches = np.array(sorted(software.batch), dtype=np.float64)
    counts, batch, points, over = serving_point.serving_over_layouts(
        m, h, e, load, layouts, batches
    )
    evaluated, feasible = int(counts.sum()), int(counts[int(serving_point.FEASIBLE)])
    rejected = {text: int(counts[r]) for r, text in _REASONS.items() if counts[r]}
    # a layout that does not divide stands for all its batches
    structural = {reason: n * len(batches) for reason, n in structural.items()}
    none = np.zeros(draws.shape[0])
    if not feasible:
        near = {text: float(over[r]) for r, text in _REASONS.items() if np.isfinite(over[r])}
        return Best(None, none, evaluated, 0, rejected, structural, near)
    ranks = np.maximum(layouts[:, 0], layouts[:, 2]) * layouts[:, 1]
    replicas = np.floor(block.accelerators / ranks)
    i = int(np.argmax(replicas * points[:, 0]))
    plan = layouts[i].copy()
    plan[4] = batch[i]
    parts, busy = _mean_step(m, h, e, load, plan)
    used = float(replicas[i] * ranks[i] / block.accelerators)
    power = average_power(block, parameters, serving.PARTS, parts, busy, used)
    service = Service(
        workload=workload.name,
        plan=serving_record(plan, workload.precision, int(replicas[i])),
        rate_tokens_per_s=float(replicas[i] * points[i, 0]),
        step_s=float(parts.sum()),
        ttft_s=float(points[i, 2]),
        tpot_s=float(points[i, 1]),
        memory_bytes=float(points[i, 3]),
        average_power_w=power[0],
        parts=_parts(serving.PARTS, parts),
        prefill_share=min(float(busy), 1.0),
        used_share=min(used, 1.0),
        grade=_grade(block, grade),
    )
    rates = replicas[i] * serving_point.serving_over_draws(m, h, draws, load, plan)
    return Best(service, rates, evaluated, feasible, rejected, structural, {})


def serving_load(workload: ServingWorkload) -> Array:
    """Return a serving workload as the kernels read it: lengths, limits, percentile."""
    return np.array(
        (
            workload.input_tokens,
            workload.output_tokens,
            workload.ttft_s,
            workload.tpot_s,
            NormalDist().inv_cdf(workload.percentile),
            workload.percentile,
        )
    )


def _mean_step(
    m: ModelNumbers, h: MachineNumbers, e: ServingEfficiency, load: Array, plan: Array
) -> tuple[Array, float]:
    """Parts of the mean step, and the share of its time in steps that carry prefill."""
    isl, osl = load[0], load[1]
    context = isl + 0.5 * osl
    chunk, share = serving_point.prefill_mix(isl, osl, plan[3], plan[4])
    plain = np.array(serving.step_parts(m, h, e, plan, plan[4], context, 0.0, 0.0))
    mixed = np.array(serving.step_parts(m, h, e, plan, plan[4], context, chunk, 0.5 * isl))
    mean = (1.0 - share) * plain + share * mixed
    return mean, float(share * mixed.sum() / mean.sum())


def _parts(names: Sequence[str], seconds: Array) -> tuple[TimePart, ...]:
    pairs = zip(names, seconds.tolist(), strict=True)
    return tuple(TimePart(name=name, seconds=value) for name, value in pairs if value > 0.0)


def _grade(block: Hardware, efficiency: Grade) -> Grade:
    return worst([block.accelerator.grade_of(_LEANED_ON), efficiency])


class _Counts:
    """Running totals of one kind of workload; only `evaluate` holds one."""

    def __init__(self) -> None:
        self.evaluated = self.feasible = 0
        self.rejected: Counter[str] = Counter()
        self.pruned = 0

    def add(self, best: Best) -> None:
        self.evaluated += best.evaluated
        self.feasible += best.feasible
        self.pruned += sum(best.structural.values())
        self.rejected.update(best.rejected)
        self.rejected.update(best.structural)

    def stats(self) -> KindStats:
        return KindStats(
            evaluated=self.evaluated,
            pruned=self.pruned,
            feasible=self.feasible,
            rejected=dict(sorted(self.rejected.items())),
        )
