"""The best software plan of one block for one workload: every plan of the declared axes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from rackwright.design.numbers import compute_precision, machine_numbers, model_numbers
from rackwright.design.parameters import serving_efficiencies, training_efficiencies
from rackwright.design.software import (
    CACHE_BYTES,
    serving_layouts,
    serving_points,
    training_axes,
    training_job,
    training_points,
)
from rackwright.kernels import serving_point
from rackwright.kernels.training_search import HOST_MEMORY, MEMORY, REASONS, training_search
from rackwright.records.choice import Choice
from rackwright.records.errors import InputError
from rackwright.records.hardware import Hardware
from rackwright.records.model import ModelShape
from rackwright.records.space import Parameters
from rackwright.records.study import ServingWorkload, SoftwareSpace, TrainingWorkload

Array = NDArray[np.float64]
Workload = TrainingWorkload | ServingWorkload

LIMITS = {
    int(serving_point.NO_MEMORY): "memory: weights and cache of the batch",
    int(serving_point.NO_PREFILL): "prompts arrive faster than chunks",
    int(serving_point.LATE_FIRST): "time to first token",
    int(serving_point.LATE_TOKEN): "time per output token",
}
"""Why an evaluated serving point is not taken, by the kernel's reason."""


def choose(
    block: Hardware,
    workload: Workload,
    shape: ModelShape,
    software: SoftwareSpace,
    parameters: Parameters,
) -> Choice:
    """Return the best plan of a block: the highest rate at nominal parameters within every limit.

    Precisions are tried in the order declared, the workload's own first; of equal rates the first
    wins. A precision for which the accelerator has no rate is pruned whole, with the reason.
    """
    choices = []
    for precision, cache in variants(workload, software):
        try:
            compute_precision(block.accelerator, precision)
        except InputError:
            declared = points(workload, shape, software)
            reason = f"no matmul rate at {precision} or wider"
            choices.append(Choice(pruned={reason: declared}))
            continue
        if isinstance(workload, TrainingWorkload):
            choices.append(_training(block, workload, shape, software, parameters, precision))
        else:
            choices.append(_serving(block, workload, shape, software, parameters, precision, cache))
    return _best(choices)


def variants(workload: Workload, software: SoftwareSpace) -> Iterator[tuple[str, str]]:
    """Yield each precision with each precision of the cache that a search tries."""
    precisions = dict.fromkeys((workload.precision, *software.precision))
    caches = software.cache_precision if isinstance(workload, ServingWorkload) else ()
    for precision in precisions:
        for cache in caches or ("",):
            yield precision, cache


def points(workload: Workload, shape: ModelShape, software: SoftwareSpace) -> int:
    """Return how many points one precision declares for a block."""
    count = training_points if isinstance(workload, TrainingWorkload) else serving_points
    return count(shape, software)


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


def _training(
    block: Hardware,
    workload: TrainingWorkload,
    shape: ModelShape,
    software: SoftwareSpace,
    parameters: Parameters,
    precision: str,
) -> Choice:
    m, h = model_numbers(shape), machine_numbers(block, precision, shape)
    at = compute_precision(block.accelerator, precision)
    e, _, _ = training_efficiencies(parameters, block.accelerator.family, at)
    job, axes = training_job(block, workload, shape), training_axes(shape, software)
    refused, evaluated, plan, step, least, away = training_search(m, h, e, job, axes)
    rejected = {REASONS[i]: int(refused[i]) for i in (MEMORY, HOST_MEMORY) if refused[i]}
    pruned = {REASONS[i]: int(n) for i, n in enumerate(refused[:MEMORY]) if n}
    feasible = evaluated - sum(rejected.values())
    if not feasible:
        excess = {}
        if refused[HOST_MEMORY]:  # fits but for what the host holds
            excess = {REASONS[HOST_MEMORY]: float(away / h.host_memory_bytes)}
        elif evaluated:
            excess = {REASONS[MEMORY]: float(least / h.memory_bytes)}
        return Choice(evaluated=evaluated, rejected=rejected, pruned=pruned, excess=excess)
    return Choice(
        evaluated=evaluated,
        feasible=feasible,
        rejected=rejected,
        pruned=pruned,
        plan=tuple(plan.tolist()),
        precision=precision,
        rate=float(workload.global_batch_sequences * workload.sequence_length / step),
    )


def _serving(
    block: Hardware,
    workload: ServingWorkload,
    shape: ModelShape,
    software: SoftwareSpace,
    parameters: Parameters,
    precision: str,
    cache: str,
) -> Choice:
    m = model_numbers(shape)
    h = machine_numbers(block, precision, shape, CACHE_BYTES.get(cache))
    at = compute_precision(block.accelerator, precision)
    e, _, _ = serving_efficiencies(parameters, block.accelerator.family, at)
    load = serving_load(workload)
    batches = np.array(sorted(software.batch), dtype=np.float64)
    counts, unseen = np.zeros(5, dtype=np.int64), np.zeros(5, dtype=np.int64)
    over = np.full(5, np.inf)
    structural: Counter[str] = Counter()
    plan, rate = np.zeros(0), 0.0
    for layouts, refused in serving_layouts(block, shape, software):
        # a layout that does not divide stands for all its batches
        structural.update({reason: n * len(batches) for reason, n in refused.items()})
        found = serving_point.serving_over_layouts(m, h, e, load, layouts, batches)
        counts, unseen = counts + found[0], unseen + found[1]
        over = np.minimum(over, found[5])
        if found[4] > rate:
            plan, rate = layouts[found[2]].copy(), found[4]
            plan[4] = found[3]
    kept = Choice(
        evaluated=int(counts.sum()),
        feasible=int(counts[int(serving_point.FEASIBLE)]),
        rejected={text: int(counts[r]) for r, text in LIMITS.items() if counts[r]},
        pruned={
            **structural,
            **{text: int(unseen[r]) for r, text in LIMITS.items() if unseen[r]},
        },
    )
    if not plan.size:
        near = {text: float(over[r]) for r, text in LIMITS.items() if np.isfinite(over[r])}
        return Choice(**{**dict(kept), "excess": near})
    return Choice(
        **{
            **dict(kept),
            "plan": tuple(plan.tolist()),
            "precision": precision,
            "cache_precision": cache,
            "rate": float(rate),
        }
    )


def _best(choices: list[Choice]) -> Choice:
    """Add up what was counted, keep the best plan; misses only where nothing fits."""
    winner = max(choices, key=lambda c: c.rate)
    rejected: Counter[str] = Counter()
    pruned: Counter[str] = Counter()
    excess: dict[str, float] = {}
    for choice in choices:
        rejected.update(choice.rejected)
        pruned.update(choice.pruned)
        for reason, ratio in choice.excess.items():
            excess[reason] = min(excess.get(reason, np.inf), ratio)
    return Choice(
        **{
            **dict(winner),
            "evaluated": sum(c.evaluated for c in choices),
            "feasible": sum(c.feasible for c in choices),
            "rejected": dict(rejected),
            "pruned": dict(pruned),
            "excess": {} if winner.plan else excess,
        }
    )
