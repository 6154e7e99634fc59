"""Time of one serving step, part by part.

A step carries the decode tokens of the running requests and, when prompts wait, a chunk of
prefill. `serving_point` makes rates and latencies of it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.kernels.collectives import (
    all_reduce_seconds,
    expert_exchange_seconds,
    group_bytes_per_s,
)
from rackwright.kernels.compiled import compiled
from rackwright.kernels.numbers import MachineNumbers, ModelNumbers, ServingEfficiency

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

PLAN: tuple[str, ...] = (
    "tensor",
    "pipeline",
    "expert",
    "chunk",
    "batch",
    "draft",  # tokens drafted ahead by a prediction layer and checked in the same step
    "prefill_share",  # of equal replicas that only prefill; 0: every replica does both
)
"""Columns of a plan array. An expert group larger than the tensor group copies attention."""


class StepTerms(NamedTuple):
    """What a layout's step is made of: every part is linear in tokens, save the experts touched.

    "each" is per token of one attention copy and stage, or per request of it; seconds throughout.
    """

    copies: float  # of the attention part; each takes a share of the requests
    shared: float  # copies × stages: a pipeline splits the batch
    drafted: float  # tokens per request and step
    body: float  # matrices of all layers, read once
    body_each: float
    experts: float  # all experts of all layers, read
    untouched_log: float  # log of the chance that a token leaves an expert alone
    experts_each: float
    cache: float  # fixed-size states of a request
    cache_context: float  # per cached token
    cache_window: float
    window: float
    prefill: float  # attention core per prompt token and token that it sees
    prefill_window: float
    tensor: float  # latencies of all layers
    tensor_each: float
    expert: float
    expert_each: float
    head: float  # vocabulary table, read once per stage
    head_each: float  # per token handed out
    layer: float
    step: float
    request: float
    stack: float


class StepLine(NamedTuple):
    """A step's time as it grows with batch and prefill [s]; experts left alone bend it."""

    fixed: float
    by_request: float
    by_prompt: float  # per prompt token
    first: float  # the token that a prompt hands out
    experts: float  # all experts read
    request_log: float  # log of the chance that a request leaves an expert alone
    prompt_log: float


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
        batch: requests that decode in the step, over the replica.
        context: mean tokens that each of them sees.
        prefill: prompt tokens in the step.
        prefill_context: mean tokens that each prompt token sees.
    """
    return parts_of(step_terms(m, h, e, plan), batch, context, prefill, prefill_context)


@compiled
def parts_of(
    t: StepTerms, batch: float, context: float, prefill: float, prefill_context: float
) -> tuple[float, ...]:
    """Return the parts of a step [s] from the terms of its layout; arguments as `step_parts`."""
    tokens = (batch * t.drafted + prefill) / t.shared
    requests = batch / t.shared
    touched = 1.0 - math.exp(t.untouched_log * tokens * t.copies)
    read = t.cache + t.cache_context * context + t.cache_window * min(context, t.window)
    seen = t.prefill * prefill_context + t.prefill_window * min(prefill_context, t.window)
    emitted = requests * (2.0 * t.drafted - 1.0) + min(prefill, 1.0)
    return (
        (t.body + t.body_each * tokens) * t.stack,
        (t.experts * touched + t.experts_each * tokens) * t.stack,
        read * requests * t.stack,
        seen * prefill / t.shared * t.stack,
        (t.tensor + t.tensor_each * tokens) * t.stack,
        (t.expert + t.expert_each * tokens) * t.stack,
        (t.head + t.head_each * emitted) * t.stack,
        t.layer * t.stack,
        (t.step + t.request * batch / t.copies) * t.stack,
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
    return seconds_of(step_terms(m, h, e, plan), batch, context, prefill, prefill_context)


@compiled
def seconds_of(
    t: StepTerms, batch: float, context: float, prefill: float, prefill_context: float
) -> float:
    """Return the time of one step [s] from the terms of its layout."""
    return seconds_on(line_of(t, context, prefill_context), batch, prefill)


@compiled
def line_of(t: StepTerms, context: float, prefill_context: float) -> StepLine:
    """Return the time of a layout's step as it grows with batch and prefill, contexts given.

    Args:
        t: terms of the layout.
        context: mean tokens that each request sees.
        prefill_context: mean tokens that each prompt token sees.
    """
    each = t.body_each + t.experts_each + t.tensor_each + t.expert_each  # per token
    read = t.cache + t.cache_context * context + t.cache_window * min(context, t.window)
    read += t.head_each * (2.0 * t.drafted - 1.0)
    seen = t.prefill * prefill_context + t.prefill_window * min(prefill_context, t.window)
    fixed = t.body + t.experts + t.tensor + t.expert + t.head + t.layer + t.step
    by_request = (each * t.drafted + read) / t.shared + t.request / t.copies
    untouched = t.untouched_log * t.copies / t.shared
    return StepLine(
        fixed * t.stack,
        by_request * t.stack,
        (each + seen) / t.shared * t.stack,
        t.head_each * t.stack,
        t.experts * t.stack,
        untouched * t.drafted,
        untouched,
    )


@compiled
def seconds_on(line: StepLine, batch: float, prefill: float) -> float:
    """Return the time of one step [s]: the sum of `parts_of`, from what a search computes once."""
    seconds = line.fixed + line.by_request * batch + line.by_prompt * prefill
    seconds += line.first * min(prefill, 1.0)
    if line.experts > 0.0:  # those that no token of the step chooses are not read
        seconds -= line.experts * math.exp(line.request_log * batch + line.prompt_log * prefill)
    return seconds


@compiled
def step_terms(m: ModelNumbers, h: MachineNumbers, e: ServingEfficiency, plan: Array) -> StepTerms:
    """Return what a layout's step is made of: computed once, used for every batch."""
    tensor, pipeline, expert = plan[0], plan[1], plan[2]
    copies = max(expert / tensor, 1.0)
    drafted = 1.0 + plan[5] / m.layers  # each drafted token passes one more layer
    speed = h.memory_bytes_per_s * e.memory
    body, body_each = _body(m, h, e, tensor, speed)
    experts, experts_each = _experts(m, h, e, tensor, expert, copies, speed)
    untouched = math.log1p(-m.top_k / m.experts) if m.moe_layers > 0.0 else 0.0
    wide = h.bf16_flop_per_s * e.attention
    parts = min(tensor, m.cache_parts)
    cached = h.cache_bytes / parts / speed
    full = m.cache_full * cached + 2.0 * m.decode_core * m.full_layers / (tensor * wide)
    window = m.cache_window * cached + 2.0 * m.core_window / (tensor * wide)
    by_tensor, tensor_each, by_expert, expert_each = _traffic(m, h, e, tensor, expert)
    fixed = m.layers * e.layer_s + m.moe_layers * e.moe_layer_s + m.linear_layers * e.state_layer_s
    return StepTerms(
        copies,
        copies * pipeline,
        1.0 + plan[5],
        body * drafted,
        body_each * drafted,
        experts * drafted,
        untouched,
        experts_each * drafted,
        2.0 * m.state * 4.0 / tensor / speed * drafted,  # read and written, at four bytes
        full * drafted,
        window * drafted,
        m.window,
        2.0 * m.core_full / (tensor * wide),
        2.0 * m.core_window / (tensor * wide),
        by_tensor,
        tensor_each,
        by_expert,
        expert_each,
        m.table / tensor * 2.0 / speed * pipeline,
        2.0 * m.table / (tensor * h.bf16_flop_per_s * e.matmul_bf16) * pipeline,
        fixed * drafted,
        e.step_s,
        e.request_s,
        e.stack,
    )


@compiled
def _body(
    m: ModelNumbers, h: MachineNumbers, e: ServingEfficiency, tensor: float, speed: float
) -> tuple[float, float]:
    """Dense matrices of all layers: read once, multiplied by each token; norms and residuals."""
    rate = h.matmul_flop_per_s * e.matmul
    kept = m.attention_layers * (m.attention_in + m.attention_out)
    kept += m.linear_layers * m.linear_mixer + m.dense_layers * (m.mlp_up + m.mlp_down)
    kept += m.moe_layers * (m.shared_up + m.shared_down + m.router)
    wide = h.other_weight_bytes if m.moe_layers > 0.0 else h.weight_bytes
    dense_rate = rate if wide < 2.0 else h.bf16_flop_per_s * e.matmul_bf16
    passes = 2.0 * 2.0 * m.layers * 4.0 * m.hidden
    return kept * wide / tensor / speed, passes / speed + 2.0 * kept / (tensor * dense_rate)


@compiled
def _experts(
    m: ModelNumbers,
    h: MachineNumbers,
    e: ServingEfficiency,
    tensor: float,
    expert: float,
    copies: float,
    speed: float,
) -> tuple[float, float]:
    """Experts of all layers: all of them read, and what each token of a copy takes."""
    if m.moe_layers == 0.0:
        return 0.0, 0.0
    ranks = max(tensor, expert)
    one = m.expert_up + m.expert_down
    uneven = (e.imbalance if expert > 1.0 else 1.0) * m.moe_layers / ranks
    read = m.experts * one * h.weight_bytes / speed
    moved = m.top_k * (2.0 * m.expert_width + (m.gated + 1.0) * m.moe_ffn) * 2.0 / speed
    product = 2.0 * m.top_k * one / (h.matmul_flop_per_s * e.matmul * e.grouped)
    return read * uneven, (moved + product) * copies * uneven


@compiled
def _traffic(
    m: ModelNumbers, h: MachineNumbers, e: ServingEfficiency, tensor: float, expert: float
) -> tuple[float, float, float, float]:
    """Two all-reduces per layer in the tensor group; dispatch and combine in the expert group.

    Each as a fixed time and a time per token, of the tensor group and of the expert group.
    """
    up, out = h.scale_up_bytes_per_s * e.scale_up, h.scale_out_bytes_per_s * e.scale_out
    near = min(tensor, h.scale_up_accelerators)
    rate = group_bytes_per_s(tensor, near, up, out, h.oversubscription)
    latency = e.scale_up_latency_s if tensor <= near else e.scale_out_latency_s
    wait = all_reduce_seconds(0.0, tensor, rate, latency)
    each = all_reduce_seconds(2.0 * m.hidden, tensor, rate, 0.0)
    if expert <= tensor:  # the all-reduce after the experts also gathers them
        return 2.0 * m.layers * wait, 2.0 * m.layers * each, 0.0, 0.0
    latency = e.scale_out_latency_s
    if expert <= h.scale_up_accelerators:
        latency = e.exchange_latency_s
    exchange = expert_exchange_seconds(
        1.0 / tensor,
        m.top_k,
        2.0 * m.expert_width,
        expert,
        min(expert, h.scale_up_accelerators),
        up,
        out / h.oversubscription,
        0.0,
        1.0,
    )
    reduces, exchanges = 2.0 * m.layers - m.moe_layers, 2.0 * m.moe_layers
    return reduces * wait, reduces * each, exchanges * latency, exchanges * exchange
