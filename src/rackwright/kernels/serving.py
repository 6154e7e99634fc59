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
    """What a layout's step is made of, computed once and used for every batch.

    "each" is per token of one attention copy and stage, or per request of it; seconds throughout.
    """

    copies: float  # of the attention part; each takes a share of the requests
    shared: float  # copies × stages: a pipeline splits the batch
    drafted: float  # tokens per request and step
    body: float  # matrices of all layers, read once
    body_each: float  # multiplied by a token
    passes_each: float  # norms, residuals and gates
    experts: float  # all experts of all layers, read
    untouched_log: float  # log of the chance that a further token leaves an expert alone
    first_log: float  # added for the first token
    experts_each: float  # multiplied by a token
    experts_padded: float  # what tiles of all experts multiply in vain
    moved_each: float  # tokens carried to their experts and back
    read_uneven: float  # standard deviations of the fullest rank: experts touched
    work_uneven: float  # and tokens received, of one token
    cache: float  # fixed-size states of a request
    cache_context: float  # per cached token
    cache_window: float
    window: float
    index_context: float  # per cached token: what chooses the tokens that sparse layers read
    sparse_context: float  # per cached token, of sparse layers
    chosen: float  # tokens that sparse layers read at most
    prefill: float  # attention core per prompt token and token that it sees
    prefill_window: float
    prefill_index: float
    prefill_sparse: float
    tensor: float  # latencies of all layers
    tensor_each: float
    expert: float
    expert_each: float
    head: float  # vocabulary table, read once per stage
    head_each: float  # per token handed out
    layer: float
    step: float  # host, once per step
    prefill_step: float  # host, once per step that carries prefill
    request: float  # host, per request; runs beside the accelerator
    stack: float


class StepLine(NamedTuple):
    """A step's time as it grows with batch and prefill [s], contexts given."""

    copies: float
    fixed: float
    by_request: float
    by_prompt: float  # per prompt token
    first: float  # the token that a prompt hands out
    tokens_request: float  # of one attention copy and stage, per request
    tokens_prompt: float  # per prompt token
    body: float
    body_each: float
    experts: float
    untouched_log: float
    first_log: float
    experts_each: float
    experts_padded: float
    moved_each: float
    read_uneven: float
    work_uneven: float
    step: float
    prefill_step: float
    request: float


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
    everyone = tokens * t.copies
    touched = 1.0 - math.exp(t.untouched_log * everyone + t.first_log * min(everyone, 1.0))
    fullest = min(touched + t.read_uneven * math.sqrt(touched * (1.0 - touched)), 1.0)
    busiest = tokens + t.work_uneven * math.sqrt(tokens)
    product = t.experts_each * busiest + t.experts_padded * fullest
    emitted = requests * (2.0 * t.drafted - 1.0) + min(prefill, 1.0)
    body = (both(t.body, t.body_each * tokens) + t.passes_each * tokens) * t.stack
    routed = (both(t.experts * fullest, product) + t.moved_each * busiest) * t.stack
    held = _read_of(t, context) * requests * t.stack
    core = _seen_of(t, prefill_context) * prefill / t.shared * t.stack
    by_tensor = (t.tensor + t.tensor_each * tokens) * t.stack
    by_expert = (t.expert + t.expert_each * tokens) * t.stack
    head = (t.head + t.head_each * emitted) * t.stack
    layer = t.layer * t.stack
    device = body + routed + held + core + by_tensor + by_expert + head + layer
    # the host prepares the next step while this one runs: it shows where it takes longer
    host = t.step + t.prefill_step * min(prefill, 1.0)
    host += larger(device, t.request * batch / t.copies) - device
    return body, routed, held, core, by_tensor, by_expert, head, layer, host


OVERLAP = 0.83
"""How far reading and multiplying overlap; fits with a free exponent of a norm chose its like."""


@compiled
def both(read: float, product: float) -> float:
    """Return the time of products whose matrices are read while others are multiplied.

    Both, less what overlaps: up to OVERLAP of the shorter, 0.41 of it where they are equal.
    """
    total = read + product
    if total <= 0.0:
        return 0.0
    return total - OVERLAP * read * product / total


@compiled
def larger(device: float, host: float) -> float:
    """Return about the longer of two times: the 4-norm, which is smooth where they are equal."""
    a, b = device * device, host * host
    return math.sqrt(math.sqrt(a * a + b * b))


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
    each = t.passes_each + t.tensor_each + t.expert_each  # per token
    read = _read_of(t, context) + t.head_each * (2.0 * t.drafted - 1.0)
    return StepLine(
        t.copies,
        (t.tensor + t.expert + t.head + t.layer) * t.stack,
        (each * t.drafted + read) / t.shared * t.stack,
        (each + _seen_of(t, prefill_context)) / t.shared * t.stack,
        t.head_each * t.stack,
        t.drafted / t.shared,
        1.0 / t.shared,
        t.body * t.stack,
        t.body_each * t.stack,
        t.experts * t.stack,
        t.untouched_log * t.copies,
        t.first_log,
        t.experts_each * t.stack,
        t.experts_padded * t.stack,
        t.moved_each * t.stack,
        t.read_uneven,
        t.work_uneven,
        t.step,
        t.prefill_step,
        t.request / t.copies,
    )


@compiled
def seconds_on(line: StepLine, batch: float, prefill: float) -> float:
    """Return the time of one step [s]: the sum of `parts_of`, from what a search computes once."""
    tokens = line.tokens_request * batch + line.tokens_prompt * prefill
    some = min(prefill, 1.0)
    device = line.fixed + line.by_request * batch + line.by_prompt * prefill + line.first * some
    device += both(line.body, line.body_each * tokens)
    if line.experts > 0.0:
        left = line.untouched_log * tokens + line.first_log * min(tokens * line.copies, 1.0)
        touched = 1.0 - math.exp(left)
        fullest = min(touched + line.read_uneven * math.sqrt(touched * (1.0 - touched)), 1.0)
        busiest = tokens + line.work_uneven * math.sqrt(tokens)
        product = line.experts_each * busiest + line.experts_padded * fullest
        device += both(line.experts * fullest, product) + line.moved_each * busiest
    return larger(device, line.request * batch) + line.step + line.prefill_step * some


@compiled
def _read_of(t: StepTerms, context: float) -> float:
    """Time in which one request's cache and states are read."""
    read = t.cache + t.cache_context * context + t.cache_window * min(context, t.window)
    return read + t.index_context * context + t.sparse_context * min(context, t.chosen)


@compiled
def _seen_of(t: StepTerms, context: float) -> float:
    """Time of the attention core of one prompt token."""
    seen = t.prefill * context + t.prefill_window * min(context, t.window)
    return seen + t.prefill_index * context + t.prefill_sparse * min(context, t.chosen)


@compiled
def step_terms(m: ModelNumbers, h: MachineNumbers, e: ServingEfficiency, plan: Array) -> StepTerms:
    """Return what a layout's step is made of: computed once, used for every batch."""
    tensor, pipeline, expert = plan[0], plan[1], plan[2]
    copies = max(expert / tensor, 1.0)
    drafted = 1.0 + plan[5] / m.layers  # each drafted token passes one more layer
    speed = h.memory_bytes_per_s * e.memory
    body, body_each, passes_each = _body(m, h, e, tensor, speed)
    experts, experts_each, padded, moved_each = _experts(m, h, e, tensor, expert, copies, speed)
    untouched, read_uneven, work_uneven = _choice(m, e, expert, copies)
    wide = tensor * h.bf16_flop_per_s * e.attention
    cached = h.cache_bytes / min(tensor, m.cache_parts) / (h.memory_bytes_per_s * e.cache)
    full = m.cache_full * cached + 2.0 * m.decode_core * m.full_layers / wide
    window = m.cache_window * cached + 2.0 * m.core_window / wide
    sparse = m.sparse_layers / m.full_layers if m.full_layers > 0.0 else 0.0
    index = m.index_cache * cached + 2.0 * m.index_core / wide
    by_tensor, tensor_each, by_expert, expert_each = _traffic(m, h, e, tensor, expert)
    fixed = m.layers * e.layer_s + m.moe_layers * e.moe_layer_s + m.linear_layers * e.state_layer_s
    return StepTerms(
        copies,
        copies * pipeline,
        1.0 + plan[5],
        body * drafted,
        body_each * drafted,
        passes_each * drafted,
        experts * drafted,
        untouched * e.apart,
        untouched * (1.0 - e.apart),
        experts_each * drafted,
        padded * drafted,
        moved_each * drafted,
        read_uneven,
        work_uneven,
        2.0 * m.state * 4.0 / tensor / speed * drafted,  # read and written, at four bytes
        full * (1.0 - sparse) * drafted,
        window * drafted,
        m.window,
        index * drafted,
        full * sparse * drafted,
        m.chosen,
        2.0 * m.core_full * (1.0 - sparse) / wide,
        2.0 * m.core_window / wide,
        2.0 * m.index_core / wide,
        2.0 * m.core_full * sparse / wide,
        by_tensor,
        tensor_each,
        by_expert,
        expert_each,
        m.table / tensor * 2.0 / speed * pipeline,
        2.0 * m.table / (tensor * h.bf16_flop_per_s * e.matmul_bf16) * pipeline,
        fixed * drafted,
        e.step_s,
        e.prefill_step_s,
        e.request_s,
        e.stack,
    )


def of_one_copy(t: StepTerms) -> StepTerms:
    """Return the terms of a step told by the batch of one attention copy, the others alike.

    Where each copy has a scheduler of its own, as with data parallel attention, it is simulated by
    itself; its experts serve all copies, and its step lasts as if each had as much in it.
    """
    return t._replace(shared=t.shared / t.copies, request=t.request * t.copies)


@compiled
def _body(
    m: ModelNumbers, h: MachineNumbers, e: ServingEfficiency, tensor: float, speed: float
) -> tuple[float, float, float]:
    """Dense matrices of all layers: read once, multiplied by each token; norms and gates.

    Norms and residuals are copied by the tensor group (8 passes of the width, read or written);
    a gate reads two activations and writes one.
    """
    rate = h.matmul_flop_per_s * e.matmul
    kept = m.attention_layers * (m.attention_in + m.attention_out)
    kept += m.linear_layers * m.linear_mixer + m.dense_layers * (m.mlp_up + m.mlp_down)
    kept += m.moe_layers * (m.shared_up + m.shared_down + m.router)
    wide = h.other_weight_bytes if m.moe_layers > 0.0 else h.weight_bytes
    dense_rate = rate if wide < 2.0 else h.bf16_flop_per_s * e.matmul_bf16
    gates = 3.0 * (m.dense_layers * m.ffn + m.moe_layers * m.shared_ffn) / tensor
    passes = 2.0 * (8.0 * m.layers * m.hidden + gates) / speed
    return kept * wide / tensor / speed, 2.0 * kept / (tensor * dense_rate), passes


@compiled
def _experts(
    m: ModelNumbers,
    h: MachineNumbers,
    e: ServingEfficiency,
    tensor: float,
    expert: float,
    copies: float,
    speed: float,
) -> tuple[float, float, float, float]:
    """Experts of all layers: read, a token's products, products of padding, a token's moves."""
    if m.moe_layers == 0.0:
        return 0.0, 0.0, 0.0, 0.0
    split = m.moe_layers / max(tensor, expert)
    one = m.expert_up + m.expert_down
    row = 2.0 * one / (h.matmul_flop_per_s * e.matmul * e.grouped) * split
    read = m.experts * one * h.weight_bytes / speed * split
    moved = m.top_k * (2.0 * m.expert_width + (m.gated + 1.0) * m.moe_ffn) * 2.0 / speed * split
    return read, m.top_k * row * copies, m.experts * e.tile * row, moved * copies


@compiled
def _choice(
    m: ModelNumbers, e: ServingEfficiency, expert: float, copies: float
) -> tuple[float, float, float]:
    """How tokens choose experts: log of leaving one alone; how far the fullest rank stands out.

    The largest of n normal values lies about sqrt(2 ln n) standard deviations above their mean;
    `skew` is the share of that which shows.
    """
    if m.moe_layers == 0.0:
        return 0.0, 0.0, 0.0
    untouched = math.log1p(-min(m.top_k / m.experts, 0.999999))
    if expert <= 1.0:
        return untouched, 0.0, 0.0
    far = e.skew * math.sqrt(2.0 * math.log(expert))
    return (
        untouched,
        far * math.sqrt(expert / m.experts),
        far * math.sqrt(expert / (m.top_k * copies)),
    )


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
    latency = e.scale_up_latency_s * math.log2(max(near, 1.0))
    if tensor > near:
        latency += e.scale_out_latency_s
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
