"""Time of one training step, part by part.

`micro_batch` is what one micro-batch takes over all layers; it depends on the sizes of the
tensor, context and expert groups, the micro-batch and recomputation. `step_parts` makes the step
of it for a number of stages, replicas and micro-batches, and costs little: a search computes the
first once and the second for every way to split the rest. The parts sum to the step.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.kernels.compiled import compiled
from rackwright.kernels.memory import FULL, SELECTIVE, training_bytes
from rackwright.kernels.numbers import (
    MachineNumbers,
    ModelNumbers,
    TrainingEfficiency,
    machine_row,
    model_row,
    training_efficiency,
)
from rackwright.kernels.operators import (
    linear_backward_seconds,
    linear_forward_seconds,
    matmul_seconds,
)
from rackwright.kernels.training_traffic import (
    context_seconds,
    data_seconds,
    expert_seconds,
    pipeline_seconds,
    tensor_seconds,
)

Array = NDArray[np.float64]

PARTS: tuple[str, ...] = (
    "matmul",
    "experts",
    "attention",
    "memory passes",
    "vocabulary head",
    "launch",
    "tensor parallel",
    "context parallel",
    "expert parallel",
    "pipeline transfer",
    "pipeline bubble",
    "data parallel",
    "optimizer",
)
"""Names of the parts, in the order of the arrays below."""

PLAN: tuple[str, ...] = (
    "tensor",
    "pipeline",
    "interleave",
    "context",
    "expert",
    "data",
    "micro_batch",
    "micro_batches",
    "recompute",
    "zero",
    "offload",  # 1: the optimizer lives in the memory of the host
    "sequence_parallel",  # 1: norms are split by the tensor group
)
"""Columns of a plan array."""

_SOFTMAX_BACKWARD = 1.0  # exponentials per score in the backward pass: they are computed again
_SCORES_BACKWARD = 1.6  # bytes moved per score backward, over forward, where scores are kept
_MATMULS_FLASH, _MATMULS_KEPT = 2.5, 2.0  # backward over forward products of the attention core


class MicroBatch(NamedTuple):
    """Seconds of one micro-batch over all layers, forward, backward and what is recomputed."""

    product: float
    experts: float
    attention: float
    passes: float
    head: float
    launch: float  # host time; it shows where it is longer than the device's work
    by_tensor: float
    by_context: float
    by_expert: float


@compiled
def training_parts(
    m: ModelNumbers, h: MachineNumbers, e: TrainingEfficiency, sequence: float, plan: Array
) -> tuple[float, ...]:
    """Return the parts of one step's time [s], in the order of `PARTS`.

    Args:
        m: the model.
        h: the machine at the plan's precision.
        e: its efficiencies.
        sequence: tokens per sequence.
        plan: the columns of `PLAN`.

    Notes:
        Every micro-batch meets an even load: experts are balanced, stages hold the same number
        of layers within one. The attention core is causal.
    """
    one = micro_batch(m, h, e, sequence, plan[0], plan[3], plan[4], plan[6], plan[8], plan[11])
    return step_parts(m, h, e, sequence, one, plan)


@compiled
def micro_batch(
    m: ModelNumbers,
    h: MachineNumbers,
    e: TrainingEfficiency,
    sequence: float,
    tensor: float,
    context: float,
    expert: float,
    micro: float,
    recompute: float,
    sequence_parallel: float,
) -> MicroBatch:
    """Return what one micro-batch takes over all layers.

    Args:
        m, h, e, sequence: as for `training_parts`.
        tensor, context, expert: members of the groups.
        micro: sequences in the micro-batch.
        recompute: as in `memory`.
        sequence_parallel: 1 where norms are split by the tensor group, if the software can.
    """
    tokens = micro * sequence / context
    product, routed = _products(m, h, e, tokens, tensor, recompute)
    core = _core(m, h, e, tokens, sequence, tensor, recompute)
    whole = 1.0 / tensor if e.sequence_parallel * sequence_parallel > 0.0 else 1.0
    passes, permuted = _passes(m, h, e, tokens, tensor, whole, recompute)
    layers = m.layers + m.mtp_layers
    again = 4.0 if recompute == FULL else 3.0
    beside = e.moe_layer_host_s + m.experts / expert * e.expert_host_s
    host = layers * again * (e.layer_host_s + m.moe_layers / m.layers * beside)
    return MicroBatch(
        product,
        routed + permuted * e.experts_stack,
        core,
        passes,
        _head(m, h, e, tokens, tensor) * (1.0 + m.mtp_layers),
        host,
        tensor_seconds(m, h, e, tokens, tensor, recompute),
        context_seconds(m, h, e, tokens, tensor, context, core),
        expert_seconds(m, h, e, tokens, tensor, expert, recompute),
    )


@compiled
def step_parts(
    m: ModelNumbers,
    h: MachineNumbers,
    e: TrainingEfficiency,
    sequence: float,
    one: MicroBatch,
    plan: Array,
) -> tuple[float, ...]:
    """Return the parts of a step [s] whose micro-batches take `one` each.

    The fullest stage decides: 1F1B repeats it, then come what the reduction of the gradients does
    not hide, and the optimizer.
    """
    tensor, pipeline, interleave, count = plan[0], plan[1], plan[2], plan[7]
    layers = m.layers + m.mtp_layers
    stage = np.ceil(layers / (pipeline * interleave)) * interleave / layers
    inner = one.product + one.experts + one.attention + one.passes
    head = one.head
    if pipeline > 1.0:  # the last stage holds the head; frameworks give it fewer layers
        head = max(0.0, (inner + head) / pipeline - inner * stage)
    by_expert = one.by_expert * (e.expert_interleaved if interleave > 1.0 else 1.0)
    busy = (inner + one.by_tensor + one.by_context + by_expert) * stage + head
    launch = max(0.0, one.launch * stage - busy)
    tokens = plan[6] * sequence / plan[3]
    transfer = pipeline_seconds(m, h, e, tokens, tensor, pipeline, interleave)
    whole = busy + launch + transfer
    exposed, adam = data_seconds(m, h, e, plan, whole)
    times = count * e.stack
    return (
        one.product * stage * times,
        one.experts * stage * times,
        one.attention * stage * times,
        one.passes * stage * times,
        head * times,
        launch * times + e.step_host_s,
        one.by_tensor * stage * times,
        one.by_context * stage * times,
        by_expert * stage * times,
        transfer * times,
        whole * (pipeline - 1.0) / interleave * e.stack,
        exposed * e.stack,
        adam * e.stack,
    )


@compiled
def training_over_plans(
    m: ModelNumbers, h: MachineNumbers, e: TrainingEfficiency, sequence: float, plans: Array
) -> tuple[Array, Array]:
    """Return the parts (N, 13) [s] and the bytes (N,) of each plan (N, 12)."""
    parts = np.empty((plans.shape[0], 13))
    held = np.empty(plans.shape[0])
    for i in range(plans.shape[0]):
        p = plans[i]
        one = training_parts(m, h, e, sequence, p)
        for j in range(13):
            parts[i, j] = one[j]
        held[i] = training_bytes(m, p, p[6] * sequence / p[3], h.activation_bytes)
    return parts, held


@compiled
def training_over_draws(
    m: ModelNumbers, h: MachineNumbers, draws: Array, sequence: float, plan: Array
) -> Array:
    """Return the step time (S,) [s] of one plan in each draw of the efficiencies (S, E)."""
    steps = np.empty(draws.shape[0])
    for s in range(draws.shape[0]):
        steps[s] = 0.0
        for part in training_parts(m, h, training_efficiency(draws[s]), sequence, plan):
            steps[s] += part
    return steps


@compiled
def training_over_rows(
    models: Array, machines: Array, efficiencies: Array, sequences: Array, plans: Array
) -> Array:
    """Return the step times (N,) [s] of N runs, each with its own model, machine and efficiencies.

    Args:
        models: (N, M), the fields of `ModelNumbers`.
        machines: (N, H), the fields of `MachineNumbers`.
        efficiencies: (N, E), the fields of `TrainingEfficiency`.
        sequences: tokens per sequence (N,).
        plans: (N, 12), the columns of `PLAN`.
    """
    steps = np.zeros(plans.shape[0])
    for i in range(plans.shape[0]):
        m, h, e = (
            model_row(models[i]),
            machine_row(machines[i]),
            training_efficiency(efficiencies[i]),
        )
        for part in training_parts(m, h, e, sequences[i], plans[i]):
            steps[i] += part
    return steps


@compiled
def _products(
    m: ModelNumbers,
    h: MachineNumbers,
    e: TrainingEfficiency,
    tokens: float,
    tensor: float,
    recompute: float,
) -> tuple[float, float]:
    """Products of all layers: of the dense parts, and of the routed experts."""
    rate, speed = h.matmul_flop_per_s * e.matmul, h.memory_bytes_per_s * e.memory
    forward = 2.0 if recompute == FULL else 1.0
    size = h.activation_bytes
    product = 0.0
    for n, width, weights in (
        (m.attention_layers, m.hidden, m.attention_in),
        (m.attention_layers, m.hidden, m.attention_out),
        (m.linear_layers, m.hidden, m.linear_mixer),
        (m.dense_layers, m.hidden, m.mlp_up),
        (m.dense_layers, m.hidden, m.mlp_down),
        (m.moe_layers, m.hidden, m.shared_up),
        (m.moe_layers, m.hidden, m.shared_down),
    ):
        if n > 0.0 and weights > 0.0:
            share = weights / tensor
            once = linear_forward_seconds(tokens, width, share, rate, speed, size)
            product += n * forward * once
            product += n * linear_backward_seconds(tokens, width, share, rate, speed, size)
    routed = 0.0
    if m.moe_layers > 0.0:
        rows = tokens * m.top_k / tensor
        rate *= e.grouped
        for weights in (m.expert_up, m.expert_down):
            once = linear_forward_seconds(rows, m.expert_width, weights, rate, speed, size)
            routed += forward * once
            routed += linear_backward_seconds(rows, m.expert_width, weights, rate, speed, size)
        routed *= m.moe_layers
    return product, routed


@compiled
def _core(
    m: ModelNumbers,
    h: MachineNumbers,
    e: TrainingEfficiency,
    tokens: float,
    sequence: float,
    tensor: float,
    recompute: float,
) -> float:
    """Attention core of all layers: products, exponentials, and scores where they are kept.

    Kept scores (before flash attention) are computed over the whole square and masked; they go
    through memory for the mask, the softmax, dropout and the second product.
    """
    kept = e.score_bytes > 0.0
    causal = 1.0 if kept else 0.5
    seen = sequence * causal
    pairs = tokens / tensor * (m.full_layers * seen + _windowed(m) * min(seen, m.window))
    flop = 2.0 * tokens / tensor * (m.core_full * seen + m.core_window * min(seen, m.window))
    flop += 2.0 * 2.0 * tokens / tensor * m.state  # state layers: update and read
    forward = 1.0
    if recompute == FULL or (kept and recompute >= SELECTIVE):
        forward = 2.0
    backward = _MATMULS_KEPT if kept else _MATMULS_FLASH
    seconds = flop * (forward + backward) / (h.bf16_flop_per_s * e.attention)
    scores = pairs * m.heads
    seconds += scores * (forward + _SOFTMAX_BACKWARD) / e.exponentials_per_s
    moved = scores * e.score_bytes * (forward + _SCORES_BACKWARD)
    return seconds + moved / (h.memory_bytes_per_s * e.memory)


@compiled
def _windowed(m: ModelNumbers) -> float:
    return m.attention_layers - m.full_layers


@compiled
def _passes(
    m: ModelNumbers,
    h: MachineNumbers,
    e: TrainingEfficiency,
    tokens: float,
    tensor: float,
    whole: float,
    recompute: float,
) -> tuple[float, float]:
    """Return passes of all layers through memory (norms, residuals, gates) and of the experts.

    Reads and writes at two bytes: a norm and its residual 8 hidden per layer, rotary twice the
    projections, the gate reads what it multiplies; expert inputs are copied there and back.
    Narrower products quantise their inputs first: one more read, and a narrow write twice.
    """
    projections = m.attention_in / m.hidden
    split = 1.0 / tensor
    elements = m.layers * 8.0 * m.hidden * whole
    elements += m.attention_layers * 2.0 * projections * split
    states = 4.0 * m.linear_mixer / m.hidden * e.state_passes
    elements += m.linear_layers * states * split
    elements += m.dense_layers * (m.gated + 1.0) * m.ffn * split
    routed = m.top_k * (4.0 * m.expert_width + (m.gated + 1.0) * m.moe_ffn)
    routed = m.moe_layers * (routed + (m.gated + 1.0) * m.shared_ffn) * split
    cast, cast_routed = 0.0, 0.0
    if h.activation_bytes < 2.0:
        each = 2.0 + 2.0 * h.activation_bytes
        cast = (m.layers * 3.0 * m.hidden + m.dense_layers * m.ffn) * split * each
        cast_routed = m.moe_layers * split * each
        cast_routed *= m.top_k * (m.expert_width + m.moe_ffn) + m.shared_ffn
    times = (4.0 if recompute >= SELECTIVE else 3.0) * tokens
    times /= h.memory_bytes_per_s * e.memory
    return (2.0 * elements + cast) * times, (2.0 * routed + cast_routed) * times


@compiled
def _head(
    m: ModelNumbers, h: MachineNumbers, e: TrainingEfficiency, tokens: float, tensor: float
) -> float:
    """Vocabulary product (16 bit) with its gradients, and the loss over all logits."""
    rate, speed = h.bf16_flop_per_s * e.matmul_bf16, h.memory_bytes_per_s * e.memory
    columns = m.vocab / tensor
    seconds = 3.0 * matmul_seconds(tokens, m.hidden, columns, rate, speed, 2.0, 2.0)
    return seconds + 16.0 * tokens * columns / speed
