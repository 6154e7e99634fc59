"""Bytes on one accelerator: what a training plan or a serving replica keeps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rackwright.kernels.compiled import compiled
from rackwright.kernels.numbers import MachineNumbers, ModelNumbers

Array = NDArray[np.float64]

RESERVE_BYTES = 2.0e9
"""Context, communication buffers and workspaces; an estimate of what frameworks keep.

Fragmentation is not added: labelled capacities are binary gigabytes and counted as decimal ones,
and those 7 % are left for it.
"""

_OPTIMIZER = 12.0  # bytes per parameter: weights at 32 bit and both moments of Adam

NONE, SELECTIVE, FULL = 0.0, 1.0, 2.0
"""Recomputation: nothing; norms, activations and expert inputs; whole layers."""


@compiled
def training_bytes(
    m: ModelNumbers, plan: Array, micro_tokens: float, activation_bytes: float
) -> float:
    """Return the bytes of the fullest accelerator of a training plan.

    Args:
        m: the model.
        plan: the columns of `training.PLAN`; recompute is NONE, SELECTIVE or FULL; zero is 0 none,
            1 optimizer, 2 and gradients, 3 and weights, sharded over data parallel.
        micro_tokens: tokens of one micro-batch on one tensor-parallel group.
        activation_bytes: per element that a product reads, 2 at 16 bit.

    Returns:
        Weights (2 B), gradients (2 B), optimizer (12 B), activations of the micro-batches in
        flight on the first stage, logits when there is one stage, and a reserve.

    Source:
        Mixed-precision Adam: Rajbhandari et al., ZeRO (arXiv 1910.02054), section 3.
        Activations in flight: Narayanan et al. (arXiv 2104.04473), section 2.2.
    """
    kept, routed = stage_split(m, plan[0], plan[1], plan[4])
    per_token = kept_bytes_per_token(m, plan[8], activation_bytes, plan[0], plan[11])
    expanded = 0.0
    if plan[8] == FULL:  # one layer is expanded while it runs backward
        expanded = kept_bytes_per_token(m, NONE, activation_bytes, plan[0], plan[11]) / m.layers
    return plan_bytes(m, plan, kept, routed, per_token, expanded, micro_tokens)


@compiled
def plan_bytes(
    m: ModelNumbers,
    plan: Array,
    kept: float,
    routed: float,
    per_token: float,
    expanded: float,
    micro_tokens: float,
) -> float:
    """Return `training_bytes` from what a search computes once for many plans.

    Args:
        m, plan, micro_tokens: as there.
        kept, routed: from `stage_split`.
        per_token: from `kept_bytes_per_token`; expanded: of the one layer that runs backward.
    """
    tensor, pipeline, interleave, zero = plan[0], plan[1], plan[2], plan[9]
    shards = plan[3] * plan[5]
    copies = max(shards * tensor / max(plan[4], tensor), 1.0)  # of each expert
    optimizer = 0.0 if plan[10] > 0.0 else _OPTIMIZER
    held = kept * _bytes_per_parameter(shards, zero, optimizer)
    held += routed * _bytes_per_parameter(copies, zero, optimizer)
    flight = 1.0
    if pipeline > 1.0:
        flight = pipeline * (1.0 + (pipeline - 1.0) / (pipeline * interleave) * (interleave > 1.0))
        flight = min(flight, plan[7])
    activations = (flight * per_token / pipeline + expanded) * micro_tokens
    logits = 4.0 * micro_tokens * m.vocab / tensor if pipeline == 1.0 else 0.0
    whole: float = held + activations + logits + RESERVE_BYTES
    return whole


@compiled
def host_bytes(plan: Array, kept: float, routed: float) -> float:
    """Return what a plan keeps in its host's memory for one accelerator: the optimizer, or 0.

    Args:
        plan: the columns of `training.PLAN`.
        kept, routed: from `stage_split`.
    """
    if plan[10] <= 0.0:
        return 0.0
    shards = plan[3] * plan[5]
    copies = max(shards * plan[0] / max(plan[4], plan[0]), 1.0)
    split = plan[9] >= 1.0
    return _OPTIMIZER * (kept / (shards if split else 1.0) + routed / (copies if split else 1.0))


@compiled
def _bytes_per_parameter(shards: float, zero: float, optimizer: float) -> float:
    """Return weights, gradients and optimizer of a parameter whose copies share what zero says."""
    held = 2.0 / (shards if zero >= 3.0 else 1.0)
    held += 2.0 / (shards if zero >= 2.0 else 1.0)
    return held + optimizer / (shards if zero >= 1.0 else 1.0)


@compiled
def stage_parameters(m: ModelNumbers, tensor: float, pipeline: float, expert: float) -> float:
    """Return the parameters on one accelerator of the first pipeline stage."""
    kept, routed = stage_split(m, tensor, pipeline, expert)
    return kept + routed


@compiled
def stage_split(
    m: ModelNumbers, tensor: float, pipeline: float, expert: float
) -> tuple[float, float]:
    """Return the parameters on one accelerator of the first stage: of experts, the second."""
    split = m.attention_layers * (m.attention_in + m.attention_out)
    split += m.linear_layers * m.linear_mixer + m.dense_layers * (m.mlp_up + m.mlp_down)
    split += m.moe_layers * (m.shared_up + m.shared_down + m.router)
    routed = m.moe_layers * m.experts * (m.expert_up + m.expert_down)
    tables = m.table if pipeline > 1.0 or m.tied == 1.0 else 2.0 * m.table
    # where the expert group is smaller than the tensor group, tensor ranks slice the experts
    ranks = max(expert, tensor)
    return split / (tensor * pipeline) + tables / tensor, routed / (ranks * pipeline)


@compiled
def kept_bytes_per_token(
    m: ModelNumbers, recompute: float, size: float, tensor: float, sequence_parallel: float
) -> float:
    """Return the activation bytes of one token over all layers on one rank of a tensor group.

    Args:
        m: the model.
        recompute: NONE, SELECTIVE (norms and activations are computed again) or FULL.
        size: bytes per element that a product reads.
        tensor: members of the group.
        sequence_parallel: 1 where what enters and leaves norms is split too, 0 where it is copied.

    Notes:
        Kept at 16 bit: what enters each norm, queries, keys, values, the attention's result,
        what enters the gate. Kept as products read them: outputs of norms and of the gate.
        Flash attention keeps no score matrix.
    """
    whole = 1.0 / tensor if sequence_parallel > 0.0 else 1.0
    if recompute == FULL:
        return 2.0 * m.hidden * m.layers * whole
    again = size * (recompute == NONE)
    norms = (m.attention_layers + m.linear_layers) * (2.0 + again) * m.hidden
    norms += (m.dense_layers + m.moe_layers) * (2.0 + again) * m.hidden
    parts = m.attention_layers * 2.0 * (m.attention_in + m.attention_out) / m.hidden
    parts += m.linear_layers * 2.0 * m.linear_mixer / m.hidden
    gate = 2.0 * m.gated + again
    parts += m.dense_layers * gate * m.ffn
    routed = m.top_k * (again * m.expert_width + gate * m.moe_ffn) + gate * m.shared_ffn
    parts += m.moe_layers * routed
    return norms * whole + parts / tensor


@compiled
def serving_weight_bytes(
    m: ModelNumbers, h: MachineNumbers, tensor: float, pipeline: float, expert: float
) -> float:
    """Return the weight bytes on one accelerator of a serving replica."""
    split = m.attention_layers * (m.attention_in + m.attention_out)
    split += m.linear_layers * m.linear_mixer + m.dense_layers * (m.mlp_up + m.mlp_down)
    split += m.moe_layers * (m.shared_up + m.shared_down + m.router)
    routed = m.moe_layers * m.experts * (m.expert_up + m.expert_down)
    tables = m.table * (1.0 if m.tied == 1.0 else 2.0) * 2.0
    ranks = max(tensor, expert)
    dense_bytes = split * (h.other_weight_bytes if m.moe_layers > 0.0 else h.weight_bytes)
    return (dense_bytes / tensor + routed * h.weight_bytes / ranks) / pipeline + tables / tensor


@compiled
def sequence_cache_bytes(
    m: ModelNumbers, h: MachineNumbers, tokens: float, tensor: float, pipeline: float
) -> float:
    """Return the cache bytes of one sequence on one accelerator of its attention group."""
    elements = m.cache_full * tokens + m.cache_window * min(tokens, m.window)
    state = m.state * max(h.cache_bytes, 2.0)
    parts = min(tensor, m.cache_parts)
    return (elements * h.cache_bytes / parts + state / tensor) / pipeline
