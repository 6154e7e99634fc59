"""Every training plan of a block, from nested loops: what repeats is computed once.

The loops run through the declared axes; what a group of plans shares is computed outside it. Time
and memory of a plan come from the functions that print its breakdown (`training`, `memory`), so a
search and an explanation cannot disagree.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.kernels.compiled import compiled
from rackwright.kernels.memory import (
    FULL,
    NONE,
    host_bytes,
    kept_bytes_per_token,
    plan_bytes,
    stage_split,
)
from rackwright.kernels.numbers import MachineNumbers, ModelNumbers, TrainingEfficiency
from rackwright.kernels.training import PLAN, micro_batch, step_parts

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

REASONS: tuple[str, ...] = (
    "tensor parallel does not divide the heads",
    "sequence parallelism needs a tensor group",
    "context parallel does not divide the sequence",
    "expert parallel does not divide the experts",
    "tensor × context × pipeline does not divide the block",
    "pipeline does not divide the layers",
    "interleaving needs a pipeline",
    "expert parallel does not divide its ranks",
    "micro-batch × data parallel does not divide the global batch",
    "interleaving needs a multiple of the pipeline in micro-batches",
    "memory: weights, optimizer and activations",
    "host memory: the offloaded optimizer",
)
"""Why a plan is not taken, in the order of the counts; only the last two were evaluated."""

MEMORY, HOST_MEMORY = len(REASONS) - 2, len(REASONS) - 1


class Axes(NamedTuple):
    """The declared values of each axis, each an array of its own."""

    tensor: Array
    context: Array
    expert: Array
    micro: Array
    recompute: Array
    sequence_parallel: Array
    pipeline: Array
    interleave: Array
    zero: Array
    offload: Array


class Job(NamedTuple):
    """What has to divide: the block, the batch, and the model's parts."""

    accelerators: float
    global_batch: float
    sequence: float
    heads: float
    layers: float
    experts: float  # 1 where there are none


@compiled
def training_search(
    m: ModelNumbers, h: MachineNumbers, e: TrainingEfficiency, job: Job, axes: Axes
) -> tuple[Counts, int, Array, float, float, float]:
    """Return the fastest plan that fits, and what became of all others.

    Args:
        m, h, e: model, machine, efficiencies.
        job: what has to divide.
        axes: the declared values.

    Returns:
        Rejections by reason (12,); plans evaluated (time and memory computed); the best plan (12,),
        zeros where none fits; its step time [s]; the least memory of any plan evaluated [B], and
        the least that one which fits it would need of the host [B], inf where none was refused.
        Of plans that take equally long the first in the order of the loops.
    """
    rejected = np.zeros(12, dtype=np.int64)
    best, plan = np.zeros(12), np.zeros(12)
    fastest, evaluated = np.inf, 0
    least = np.full(2, np.inf)
    inner = axes.pipeline.size * axes.interleave.size * axes.zero.size * axes.offload.size
    per_stage = axes.zero.size * axes.offload.size
    after_expert = axes.micro.size * axes.recompute.size * axes.sequence_parallel.size * inner
    after_context = axes.expert.size * after_expert
    for tensor in axes.tensor:
        if job.heads % tensor != 0.0:
            rejected[0] += axes.context.size * after_context
            continue
        for context in axes.context:
            if job.sequence % (2.0 * context) != 0.0 and context > 1.0:
                rejected[2] += after_context
                continue
            for expert in axes.expert:
                if job.experts % expert != 0.0:
                    rejected[3] += after_expert
                    continue
                for micro in axes.micro:
                    for recompute in axes.recompute:
                        for split in axes.sequence_parallel:
                            if split > 0.0 and tensor == 1.0 and axes.sequence_parallel.size > 1:
                                rejected[1] += inner
                                continue
                            plan[0], plan[3], plan[4] = tensor, context, expert
                            plan[6], plan[8], plan[11] = micro, recompute, split
                            got = _stages(
                                m, h, e, job, axes, plan, best, rejected, fastest, least, per_stage
                            )
                            fastest = got[0]
                            evaluated += got[1]
    return rejected, evaluated, best, fastest, least[0], least[1]


@compiled
def _stages(
    m: ModelNumbers,
    h: MachineNumbers,
    e: TrainingEfficiency,
    job: Job,
    axes: Axes,
    plan: Array,
    best: Array,
    rejected: Counts,
    fastest: float,
    least: Array,
    per_stage: int,
) -> tuple[float, int]:
    """Run through stages, interleaving, sharding and offload of plans with the same micro-batch."""
    tensor, context, expert, micro = plan[0], plan[3], plan[4], plan[6]
    tokens = micro * job.sequence / context
    one = micro_batch(m, h, e, job.sequence, tensor, context, expert, micro, plan[8], plan[11])
    per_token = kept_bytes_per_token(m, plan[8], h.activation_bytes, tensor, plan[11])
    expanded = 0.0
    if plan[8] == FULL:
        whole = kept_bytes_per_token(m, NONE, h.activation_bytes, tensor, plan[11])
        expanded = whole / m.layers
    evaluated = 0
    for pipeline in axes.pipeline:
        data = job.accelerators / (tensor * context * pipeline)
        count = job.global_batch / (data * micro)
        reason = -1
        if data % 1.0 != 0.0:
            reason = 4
        elif (data * tensor * context) % expert != 0.0:
            reason = 7
        elif count % 1.0 != 0.0:
            reason = 8
        if reason >= 0:
            rejected[reason] += axes.interleave.size * per_stage
            continue
        plan[1], plan[5], plan[7] = pipeline, data, count
        kept, routed = stage_split(m, tensor, pipeline, expert)
        for interleave in axes.interleave:
            stages = pipeline * interleave
            # embedding and head take a layer's place each where frameworks balance them
            balanced = job.layers % stages == 0.0 or (
                stages > 1.0 and (job.layers + 2) % stages == 0
            )
            reason = -1
            if interleave > 1.0 and pipeline == 1.0:
                reason = 6
            elif not balanced:
                reason = 5
            elif interleave > 1.0 and count % pipeline != 0.0:
                reason = 9
            if reason >= 0:
                rejected[reason] += per_stage
                continue
            plan[2] = interleave
            for zero in axes.zero:
                for offload in axes.offload:
                    plan[9], plan[10] = zero, offload
                    evaluated += 1
                    held = plan_bytes(m, plan, kept, routed, per_token, expanded, tokens)
                    step = 0.0
                    for part in step_parts(m, h, e, job.sequence, one, plan):
                        step += part
                    least[0] = min(least[0], held)
                    if held > h.memory_bytes:
                        rejected[10] += 1
                        continue
                    away = host_bytes(plan, kept, routed)
                    if away > h.host_memory_bytes:
                        rejected[11] += 1
                        least[1] = min(least[1], away)
                    elif step < fastest:
                        fastest = step
                        best[:] = plan
    return fastest, evaluated


assert len(PLAN) == 12, "a plan here has the columns of a plan there"
