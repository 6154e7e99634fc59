"""Time of one serving step, part by part.

A step carries the decode tokens of the running requests and, when prompts wait, a chunk of
prefill. `serving_point` makes rates and latencies of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rackwright.kernels.collectives import (
    all_reduce_seconds,
    expert_exchange_seconds,
    group_bytes_per_s,
)
from rackwright.kernels.compiled import compiled
from rackwright.kernels.numbers import MachineNumbers, ModelNumbers, ServingEfficiency
from rackwright.kernels.operators import touched_fraction

Array = NDArray[np.float64]

PARTS: tuple[str, ...] = (
    "weights and products",
    "expert weights and products",
    "cache read",
    "prefill attention",
    "tensor parallel",
    "expert parallel",
    "vocabulary head",
    "layer overhead",
    "step overhead",
)
"""Names of the parts of a step, in the order that `step_parts` returns them."""

PLAN: tuple[str, ...] = ("tensor", "pipeline", "expert", "chunk", "batch")
"""Columns of a plan array. An expert group larger than the tensor group copies attention."""


@compiled
def step_parts(
    m: ModelNumbers,
    h: MachineNumbers,
    e: ServingEfficiency,
    plan: Array,
    batch: float,
    context: float,
    prefill: float,
    prefill_context: float,
) -> tuple[float, ...]:
    """Return the parts of one step's time [s], in the order of `PARTS`.

    Args:
        m, h, e: model, machine, efficiencies.
        plan: the columns of `PLAN`.
        batch: decode tokens in the step, over the replica.
        context: mean tokens that each of them sees.
        prefill: prompt tokens in the step.
        prefill_context: mean tokens that each prompt token sees.
    """
    tensor, pipeline, expert = plan[0], plan[1], plan[2]
    copies = max(expert / tensor, 1.0)  # of the attention part; each takes a share of requests
    # a pipeline splits the batch: each stage runs 1/p of it p times
    tokens = (batch + prefill) / (copies * pipeline)
    body, routed = _weights(m, h, e, tensor, expert, tokens, copies)
    read = _cache_read(m, h, e, tensor, batch / (copies * pipeline), context)
    core = 2.0 * prefill / (copies * pipeline)
    core *= m.core_full * prefill_context + m.core_window * min(prefill_context, m.window)
    core /= tensor * h.bf16_flop_per_s * e.attention
    by_tensor, by_expert = _traffic(m, h, e, tensor, expert, tokens)
    requests = batch / (copies * pipeline)
    emitted = requests + min(prefill, 1.0)
    head = m.table / tensor * 2.0 / (h.memory_bytes_per_s * e.memory)
    head += 2.0 * emitted * m.table / (tensor * h.bf16_flop_per_s * e.matmul_bf16)
    fixed = m.layers * e.layer_s + m.moe_layers * e.moe_layer_s + m.linear_layers * e.state_layer_s
    stack = e.stack
    return (
        body * stack,
        routed * stack,
        read * stack,
        core * stack,
        by_tensor * stack,
        by_expert * stack,
        head * pipeline * stack,
        fixed * stack,
        (e.step_s + requests * pipeline * e.request_s) * stack,
    )


@compiled
def step_seconds(
    m: ModelNumbers,
    h: MachineNumbers,
    e: ServingEfficiency,
    plan: Array,
    batch: float,
    context: float,
    prefill: float,
    prefill_context: float,
) -> float:
    """Return the time of one step [s]: the sum of `step_parts`."""
    total = 0.0
    for part in step_parts(m, h, e, plan, batch, context, prefill, prefill_context):
        total += part
    return total


@compiled
def _weights(
    m: ModelNumbers,
    h: MachineNumbers,
    e: ServingEfficiency,
    tensor: float,
    expert: float,
    tokens: float,
    copies: float,
) -> tuple[float, float]:
    """Matrices of all layers: read once, multiplied by the tokens; dense parts, then experts."""
    speed = h.memory_bytes_per_s * e.memory
    rate = h.matmul_flop_per_s * e.matmul
    kept = m.attention_layers * (m.attention_in + m.attention_out)
    kept += m.linear_layers * m.linear_mixer + m.dense_layers * (m.mlp_up + m.mlp_down)
    kept += m.moe_layers * (m.shared_up + m.shared_down + m.router)
    wide = h.other_weight_bytes if m.moe_layers > 0.0 else h.weight_bytes
    dense_rate = rate if wide < 2.0 else h.bf16_flop_per_s * e.matmul_bf16
    passes = 2.0 * 2.0 * tokens * m.layers * 4.0 * m.hidden  # norms and residuals
    body = (kept * wide / tensor + passes) / speed + 2.0 * tokens * kept / (tensor * dense_rate)
    if m.moe_layers == 0.0:
        return body, 0.0
    ranks = max(tensor, expert)
    one = m.expert_up + m.expert_down
    everyone = tokens * copies
    read = m.experts * touched_fraction(m.experts, m.top_k, everyone) * one * h.weight_bytes
    moved = everyone * m.top_k * (2.0 * m.expert_width + (m.gated + 1.0) * m.moe_ffn) * 2.0
    product = 2.0 * everyone * m.top_k * one / (rate * e.grouped)
    uneven = e.imbalance if expert > 1.0 else 1.0
    return body, m.moe_layers * ((read + moved) / speed + product) / ranks * uneven


@compiled
def _cache_read(
    m: ModelNumbers,
    h: MachineNumbers,
    e: ServingEfficiency,
    tensor: float,
    requests: float,
    context: float,
) -> float:
    """Each decode token reads its request's cache once, and multiplies it."""
    elements = m.cache_full * context + m.cache_window * min(context, m.window)
    held = elements * h.cache_bytes / min(tensor, m.cache_parts)
    held += 2.0 * m.state * 4.0 / tensor  # read and written, at four bytes
    core = 2.0 * (m.decode_core * m.full_layers * context + m.core_window * min(context, m.window))
    product = core / (tensor * h.bf16_flop_per_s * e.attention)
    return requests * (held / (h.memory_bytes_per_s * e.memory) + product)


@compiled
def _traffic(
    m: ModelNumbers,
    h: MachineNumbers,
    e: ServingEfficiency,
    tensor: float,
    expert: float,
    tokens: float,
) -> tuple[float, float]:
    """Two all-reduces per layer in the tensor group; dispatch and combine in the expert group."""
    up, out = h.scale_up_bytes_per_s * e.scale_up, h.scale_out_bytes_per_s * e.scale_out
    near = min(tensor, h.scale_up_accelerators)
    rate = group_bytes_per_s(tensor, near, up, out, h.oversubscription)
    latency = e.scale_up_latency_s if tensor <= near else e.scale_out_latency_s
    one = all_reduce_seconds(2.0 * tokens * m.hidden, tensor, rate, latency)
    if expert <= tensor:  # the all-reduce after the experts also gathers them
        return 2.0 * m.layers * one, 0.0
    exchange = expert_exchange_seconds(
        tokens / tensor,
        m.top_k,
        2.0 * m.expert_width,
        expert,
        min(expert, h.scale_up_accelerators),
        up,
        out / h.oversubscription,
        e.exchange_latency_s if expert <= h.scale_up_accelerators else e.scale_out_latency_s,
        1.0,
    )
    return (2.0 * m.layers - m.moe_layers) * one, 2.0 * m.moe_layers * exchange
