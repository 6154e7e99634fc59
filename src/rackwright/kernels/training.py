"""Time of one training step, part by part.

One micro-batch runs forward and backward through the fullest pipeline stage; 1F1B repeats it,
then come the gradients' reduction and the optimizer. The parts returned sum to the step.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rackwright.kernels.compiled import compiled
from rackwright.kernels.memory import FULL, SELECTIVE, stage_parameters, training_bytes
from rackwright.kernels.numbers import (
    MachineNumbers,
    ModelNumbers,
    TrainingEfficiency,
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
)
"""Columns of a plan array."""

_KERNELS_DENSE = 14.0  # launches of a layer forward; counted in open frameworks, fused norms
_KERNELS_MOE = 26.0


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
    tensor, pipeline, interleave, context = plan[0], plan[1], plan[2], plan[3]
    expert, data, count = plan[4], plan[5], plan[7]
    tokens = plan[6] * sequence / context
    layers = m.layers + m.mtp_layers
    stage = np.ceil(layers / (pipeline * interleave)) * interleave / layers
    product, core, passes = _compute(m, h, e, tokens, sequence, tensor, plan[8])
    head = _head(m, h, e, tokens, tensor) * (1.0 + m.mtp_layers)
    if pipeline > 1.0:  # the last stage holds the head; frameworks give it fewer layers
        share = 1.0 / pipeline
        head = max(
            0.0, (product + core + passes + head) * share - (product + core + passes) * stage
        )
        head = max(head, 0.0)
    by_tensor = tensor_seconds(m, h, e, tokens, tensor, plan[8])
    by_context = context_seconds(m, h, e, tokens, tensor, context, core)
    by_expert = expert_seconds(m, h, e, tokens, tensor, expert, plan[8])
    work = np.array((product, core, passes, by_tensor, by_context, by_expert)) * stage
    busy = work.sum() + head
    launches = (_KERNELS_DENSE + (_KERNELS_MOE - _KERNELS_DENSE) * m.moe_layers / m.layers) * 3.0
    launch = max(0.0, launches * layers * stage * e.launch_s - busy)
    transfer = pipeline_seconds(m, h, e, tokens, tensor, pipeline, interleave)
    one = busy + launch + transfer
    reduce_ = data_seconds(m, h, e, plan, one)
    body = stage_parameters(m, tensor, pipeline, expert)
    adam = 34.0 * body / (data * context if plan[9] >= 1.0 else 1.0)
    stack = e.stack
    return (
        work[0] * count * stack,
        work[1] * count * stack,
        work[2] * count * stack,
        head * count * stack,
        launch * count * stack,
        work[3] * count * stack,
        work[4] * count * stack,
        work[5] * count * stack,
        transfer * count * stack,
        one * (pipeline - 1.0) / interleave * stack,
        reduce_ * stack,
        adam / (h.memory_bytes_per_s * e.memory) * stack,
    )


@compiled
def training_over_plans(
    m: ModelNumbers, h: MachineNumbers, e: TrainingEfficiency, sequence: float, plans: Array
) -> tuple[Array, Array]:
    """Return the parts (N, 12) [s] and the bytes (N,) of each plan (N, 10)."""
    parts = np.empty((plans.shape[0], 12))
    held = np.empty(plans.shape[0])
    for i in range(plans.shape[0]):
        p = plans[i]
        one = training_parts(m, h, e, sequence, p)
        for j in range(12):
            parts[i, j] = one[j]
        tokens = p[6] * sequence / p[3]
        held[i] = training_bytes(
            m, p[0], p[1], p[2], p[3], p[4], p[5], tokens, p[7], p[8], p[9], h.activation_bytes
        )
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
def _compute(
    m: ModelNumbers,
    h: MachineNumbers,
    e: TrainingEfficiency,
    tokens: float,
    sequence: float,
    tensor: float,
    recompute: float,
) -> tuple[float, float, float]:
    """All layers, forward, backward and recomputed: products, attention core, memory passes."""
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
            product += (
                n
                * forward
                * linear_forward_seconds(tokens, width, weights / tensor, rate, speed, size)
            )
            product += n * linear_backward_seconds(
                tokens, width, weights / tensor, rate, speed, size
            )
    if m.moe_layers > 0.0:
        product += _experts(m, h, e, tokens, tensor, forward)
    core = (
        2.0
        * tokens
        * (m.core_full * sequence / 2.0 + m.core_window * min(sequence / 2.0, m.window))
    )
    core += 2.0 * 2.0 * tokens * m.state  # state layers: update and read
    core *= (forward + 2.5) / (tensor * h.bf16_flop_per_s * e.attention)
    again = 1.0 if recompute >= SELECTIVE else 0.0
    moved = _pass_bytes(m, h) * tokens / tensor
    return product, core, moved * (3.0 + again) / speed


@compiled
def _experts(
    m: ModelNumbers,
    h: MachineNumbers,
    e: TrainingEfficiency,
    tokens: float,
    tensor: float,
    forward: float,
) -> float:
    """Products of the routed experts: tokens × top_k rows, spread over many matrices."""
    rate = h.matmul_flop_per_s * e.matmul * e.grouped
    speed = h.memory_bytes_per_s * e.memory
    rows = tokens * m.top_k / tensor
    seconds = 0.0
    for weights in (m.expert_up, m.expert_down):
        seconds += forward * linear_forward_seconds(
            rows, m.expert_width, weights, rate, speed, h.activation_bytes
        )
        seconds += linear_backward_seconds(
            rows, m.expert_width, weights, rate, speed, h.activation_bytes
        )
    return seconds * m.moe_layers


@compiled
def _pass_bytes(m: ModelNumbers, h: MachineNumbers) -> float:
    """Bytes per token of one forward pass through norms, residuals, activations, permutation.

    Reads and writes at two bytes: a norm and its residual 8 hidden per layer, rotary twice the
    projections, the gate reads what it multiplies; expert inputs are copied there and back.
    Narrower products quantise their inputs first: one more read, and a narrow write twice.
    """
    projections = m.attention_in / m.hidden
    elements = m.layers * 8.0 * m.hidden + m.attention_layers * 2.0 * projections
    elements += m.linear_layers * 4.0 * m.linear_mixer / m.hidden
    elements += m.dense_layers * (m.gated + 1.0) * m.ffn
    routed = m.top_k * (4.0 * m.expert_width + (m.gated + 1.0) * m.moe_ffn)
    elements += m.moe_layers * (routed + (m.gated + 1.0) * m.shared_ffn)
    cast = 0.0
    if h.activation_bytes < 2.0:
        inputs = m.layers * 3.0 * m.hidden + m.dense_layers * m.ffn
        inputs += m.moe_layers * (m.top_k * (m.expert_width + m.moe_ffn) + m.shared_ffn)
        cast = inputs * (2.0 + 2.0 * h.activation_bytes)
    return 2.0 * elements + cast


@compiled
def _head(
    m: ModelNumbers, h: MachineNumbers, e: TrainingEfficiency, tokens: float, tensor: float
) -> float:
    """Vocabulary product (16 bit) with its gradients, and the loss over all logits."""
    rate, speed = h.bf16_flop_per_s * e.matmul_bf16, h.memory_bytes_per_s * e.memory
    columns = m.vocab / tensor
    seconds = 3.0 * matmul_seconds(tokens, m.hidden, columns, rate, speed, 2.0, 2.0)
    return seconds + 16.0 * tokens * columns / speed
