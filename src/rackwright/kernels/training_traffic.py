"""Traffic of a training plan that compute does not hide, one function per kind of parallelism."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rackwright.kernels.collectives import (
    expert_exchange_seconds,
    group_bytes_per_s,
    ring_seconds,
)
from rackwright.kernels.compiled import compiled
from rackwright.kernels.memory import FULL, stage_split
from rackwright.kernels.numbers import MachineNumbers, ModelNumbers, TrainingEfficiency

Array = NDArray[np.float64]


@compiled
def tensor_seconds(
    m: ModelNumbers,
    h: MachineNumbers,
    e: TrainingEfficiency,
    tokens: float,
    tensor: float,
    recompute: float,
) -> float:
    """Return the exposed tensor-parallel time [s] of one micro-batch over all layers.

    Sequence parallelism: four gathers or scatters of the activations per layer and pass.

    Args:
        m, h, e: model, machine, efficiencies.
        tokens: of the micro-batch on one tensor-parallel group.
        tensor: members of the group.
        recompute: as in `memory`; full recomputation adds a pass.

    Source:
        Korthikanti et al. (arXiv 2205.05198), section 4.2.2.
    """
    if tensor <= 1.0:
        return 0.0
    inside = min(tensor, h.scale_up_accelerators)
    rate = group_bytes_per_s(
        tensor,
        inside,
        h.scale_up_bytes_per_s * e.scale_up,
        h.scale_out_bytes_per_s * e.scale_out,
        h.oversubscription,
    )
    latency = e.scale_up_latency_s if tensor <= inside else e.scale_out_latency_s
    one = ring_seconds(2.0 * tokens * m.hidden, tensor, rate, latency)
    passes = 3.0 if recompute == FULL else 2.0
    return e.tensor_exposed * 4.0 * passes * m.layers * one


@compiled
def context_seconds(
    m: ModelNumbers,
    h: MachineNumbers,
    e: TrainingEfficiency,
    tokens: float,
    tensor: float,
    context: float,
    core: float,
) -> float:
    """Return the exposed context-parallel time [s] of one micro-batch over all layers.

    Keys and values go round the ring, forward once and backward twice, under the attention
    core, whose time `core` [s] hides what is not exposed by the software.
    """
    if context <= 1.0:
        return 0.0
    group = tensor * context
    inside = max(min(h.scale_up_accelerators / tensor, context), 1.0)
    rate = group_bytes_per_s(
        context,
        inside,
        h.scale_up_bytes_per_s * e.scale_up,
        h.scale_out_bytes_per_s * e.scale_out,
        h.oversubscription,
    )
    latency = e.scale_up_latency_s
    if group > h.scale_up_accelerators:
        latency = e.scale_out_latency_s
    parts = min(tensor, m.cache_parts)
    moved = 2.0 * (m.cache_full + m.cache_window) * tokens / parts
    steps = (context - 1.0) * m.attention_layers
    whole = 3.0 * (moved * (context - 1.0) / rate + steps * latency)
    return max(whole - core, e.context_exposed * whole)


@compiled
def expert_seconds(
    m: ModelNumbers,
    h: MachineNumbers,
    e: TrainingEfficiency,
    tokens: float,
    tensor: float,
    expert: float,
    recompute: float,
) -> float:
    """Return the exposed expert-parallel time [s] of one micro-batch over all layers.

    Dispatch and combine of every layer with experts, forward and backward, at 16 bit.
    """
    if expert <= 1.0 or m.moe_layers == 0.0:
        return 0.0
    one = expert_exchange_seconds(
        tokens / tensor,
        m.top_k,
        2.0 * m.expert_width,
        expert,
        min(expert, h.scale_up_accelerators),
        h.scale_up_bytes_per_s * e.scale_up,
        h.scale_out_bytes_per_s * e.scale_out / h.oversubscription,
        e.scale_up_latency_s if expert <= h.scale_up_accelerators else e.scale_out_latency_s,
        e.copies_per_rank,
    )
    passes = 3.0 if recompute == FULL else 2.0
    return e.expert_exposed * 2.0 * passes * m.moe_layers * one


@compiled
def pipeline_seconds(
    m: ModelNumbers,
    h: MachineNumbers,
    e: TrainingEfficiency,
    tokens: float,
    tensor: float,
    pipeline: float,
    interleave: float,
) -> float:
    """Return the exposed pipeline transfer [s] of one micro-batch on one stage.

    Activations to the next stage and gradients back, once per interleaved chunk. Stages are
    neighbours across the fabric unless the whole block is one scale-up domain.
    """
    if pipeline <= 1.0:
        return 0.0
    rate, latency = (
        h.scale_out_bytes_per_s * e.scale_out / h.oversubscription,
        e.scale_out_latency_s,
    )
    if h.accelerators <= h.scale_up_accelerators:
        rate, latency = h.scale_up_bytes_per_s * e.scale_up, e.scale_up_latency_s
    one = latency + 2.0 * tokens * m.hidden / (tensor * rate)
    return e.pipeline_exposed * 2.0 * interleave * one


@compiled
def data_seconds(
    m: ModelNumbers, h: MachineNumbers, e: TrainingEfficiency, plan: Array, one: float
) -> tuple[float, float]:
    """Return the data-parallel time of one step that compute does not hide, and the optimizer's.

    Args:
        m, h, e: model, machine, efficiencies.
        plan: the columns of `training.PLAN`.
        one: time of one micro-batch on the fullest stage [s].

    Returns:
        Seconds, twice.

    Notes:
        Weights are gathered at two bytes, gradients reduced at what the software keeps. Up to
        ZeRO stage 2 once per step, under one micro-batch; at stage 3 once per micro-batch, under
        that one. An expert is replicated over fewer ranks than the rest: over those of the
        tensor, context and data groups that do not hold other experts.
        The optimizer reads and writes 34 bytes per parameter that is its own; where it is kept
        by the host, gradients and weights cross the host link instead.
    """
    tensor, context, expert, data, zero = plan[0], plan[3], plan[4], plan[5], plan[9]
    kept, routed = stage_split(m, tensor, plan[1], expert)
    group = data * context
    near = max(min(h.scale_up_accelerators / tensor, group), 1.0)
    copies = max(group * tensor / max(expert, tensor), 1.0)
    beside = max(min(h.scale_up_accelerators / max(expert, tensor), copies), 1.0)
    reduced, gathered = _exchange(h, e, kept, group, near)
    more, back = _exchange(h, e, routed, copies, beside)
    reduced, gathered = reduced + more, gathered + back
    sharded = kept / (group if zero >= 1.0 else 1.0) + routed / (copies if zero >= 1.0 else 1.0)
    adam = 34.0 * sharded / (h.memory_bytes_per_s * e.memory)
    if plan[10] > 0.0:  # gradients to the host, weights back; the host's own work is hidden
        adam = (e.gradient_bytes + 2.0) * sharded / h.host_bytes_per_s
    if zero >= 3.0:
        traffic = reduced + 2.0 * gathered
        hidden = (1.0 - e.data_exposed) * one
        return plan[7] * max(traffic - hidden, e.data_exposed * traffic), adam
    forward = one / 3.0 * (1.0 - e.data_exposed)
    exposed = max(reduced - 2.0 * forward, e.data_exposed * reduced)
    return exposed + max(gathered - forward, e.data_exposed * gathered), adam


@compiled
def _exchange(
    h: MachineNumbers, e: TrainingEfficiency, parameters: float, group: float, near: float
) -> tuple[float, float]:
    """Seconds to reduce the gradients and to gather the weights of one rank's parameters."""
    if group <= 1.0 or parameters == 0.0:
        return 0.0, 0.0
    rate = group_bytes_per_s(
        group,
        near,
        h.scale_up_bytes_per_s * e.scale_up,
        h.scale_out_bytes_per_s * e.scale_out,
        h.oversubscription,
    )
    latency = e.scale_out_latency_s if group > near else e.scale_up_latency_s
    reduced = ring_seconds(e.gradient_bytes * parameters, group, rate, latency)
    return reduced, ring_seconds(2.0 * parameters, group, rate, latency)
