"""Time of one serving step, and the operating point of a replica that batches continuously.

A step carries the decode tokens of the running requests and, when prompts wait, a chunk of
prefill. Everything else (time per output token, time to first token, rate) follows from the
time of that step with and without a chunk.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rackwright.kernels.collectives import (
    all_reduce_seconds,
    expert_exchange_seconds,
    group_bytes_per_s,
)
from rackwright.kernels.compiled import compiled
from rackwright.kernels.memory import (
    RESERVE_BYTES,
    sequence_cache_bytes,
    serving_weight_bytes,
)
from rackwright.kernels.numbers import EfficiencyNumbers, MachineNumbers, ModelNumbers
from rackwright.kernels.operators import touched_fraction
from rackwright.kernels.training import efficiency_row

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

POINT: tuple[str, ...] = (
    "rate_tokens_per_s",
    "tpot_s",
    "ttft_s",
    "held_bytes",
    "prefill_share",
    "step_s",
)
"""Columns of an operating point: rate is per replica; times are at the percentile asked for."""

FEASIBLE, NO_MEMORY, NO_PREFILL, LATE_FIRST, LATE_TOKEN = 0.0, 1.0, 2.0, 3.0, 4.0
"""Reasons: fits; cache does not fit; prompts arrive faster than chunks; TTFT; TPOT."""


@compiled
def operating_point(
    m: ModelNumbers,
    h: MachineNumbers,
    e: EfficiencyNumbers,
    load: Array,
    plan: Array,
    batch: float,
) -> tuple[float, ...]:
    """Return the reason (0: feasible) and the columns of `POINT` for a mean batch.

    Args:
        m: the model.
        h: the machine at the plan's precision.
        e: its efficiencies.
        load: input tokens, output tokens, TTFT limit [s], TPOT limit [s], normal quantile of
            the percentile, the percentile.
        plan: the columns of `PLAN`; its batch is not used here.
        batch: mean number of requests that decode at once in the replica.

    Notes:
        Little's law ties the mean batch to the arrival rate: batch = rate × decode time. With
        Poisson arrivals the batch itself is Poisson; a request meets the limit at the
        percentile when the step at batch + z √batch does, and the cache must hold that many.
        The wait for prefill is that of an M/D/1 queue whose tail is taken exponential.

    Source:
        M/D/1: Pollaczek-Khinchine; exponential tail: Kingman's heavy-traffic limit.
    """
    isl, osl, ttft_limit, tpot_limit, z = load[0], load[1], load[2], load[3], load[4]
    busy = batch + z * math.sqrt(batch)
    held = _held_bytes(m, h, plan, busy, isl + osl)
    if held > h.memory_bytes:
        return NO_MEMORY, 0.0, 0.0, 0.0, held, 0.0, 0.0
    chunk, share = prefill_mix(isl, osl, plan[3], batch)
    if share >= 1.0:
        return NO_PREFILL, 0.0, 0.0, 0.0, held, share, 0.0
    context = isl + 0.5 * osl
    plain = step_seconds(m, h, e, plan, batch, context, 0.0, 0.0)
    mixed = step_seconds(m, h, e, plan, batch, context, chunk, 0.5 * isl)
    mean = (1.0 - share) * plain + share * mixed
    late = step_seconds(m, h, e, plan, busy, context, 0.0, 0.0) * (1.0 - share)
    late += step_seconds(m, h, e, plan, busy, context, chunk, 0.5 * isl) * share
    first = _first_token(e, mixed, share * mixed / mean, isl, chunk, load[5])
    rate = batch / mean
    reason = FEASIBLE
    if late > tpot_limit:
        reason = LATE_TOKEN
    elif first > ttft_limit:
        reason = LATE_FIRST
    return reason, rate, late, first, held, share * mixed / mean, mean


@compiled
def prefill_mix(isl: float, osl: float, budget: float, batch: float) -> tuple[float, float]:
    """Return the prompt tokens of a step that carries any, and the share of steps that do.

    Args:
        isl, osl: input and output tokens of a request.
        budget: most prompt tokens in a step.
        batch: requests that decode at once; each brings isl / osl prompt tokens per step.

    Returns:
        One prompt at a time, up to the budget, until more arrive in a step than one prompt
        has. A share of 1 or more: prompts arrive faster than they can be taken in.
    """
    wanted = batch * isl / osl
    chunk = max(min(budget, max(wanted, min(isl, budget))), 1.0)
    return chunk, wanted / chunk


@compiled
def step_parts(
    m: ModelNumbers,
    h: MachineNumbers,
    e: EfficiencyNumbers,
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
    emitted = batch / (copies * pipeline) + min(prefill, 1.0)
    head = m.table / tensor * 2.0 / (h.memory_bytes_per_s * e.memory)
    head += 2.0 * emitted * m.table / (tensor * h.bf16_flop_per_s * e.matmul_bf16)
    fixed = m.layers * e.layer_s + m.moe_layers * e.moe_layer_s
    stack = e.serving_stack
    return (
        body * stack,
        routed * stack,
        read * stack,
        core * stack,
        by_tensor * stack,
        by_expert * stack,
        head * pipeline * stack,
        fixed * stack,
        e.step_s * stack,
    )


@compiled
def step_seconds(
    m: ModelNumbers,
    h: MachineNumbers,
    e: EfficiencyNumbers,
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
def largest_batch(
    m: ModelNumbers,
    h: MachineNumbers,
    e: EfficiencyNumbers,
    load: Array,
    plan: Array,
    top: float,
) -> float:
    """Return the largest whole batch up to `top` that keeps every limit, 0 when none does.

    Every limit tightens as the batch grows, so halving finds the last one that fits.
    """
    low, high = 0.0, top
    if operating_point(m, h, e, load, plan, top)[0] == FEASIBLE:
        return top
    while high - low > 1.0:
        middle = math.floor(0.5 * (low + high))
        if operating_point(m, h, e, load, plan, middle)[0] == FEASIBLE:
            low = middle
        else:
            high = middle
    return low


@compiled
def serving_over_draws(
    m: ModelNumbers, h: MachineNumbers, draws: Array, load: Array, plan: Array
) -> Array:
    """Return the rate per replica (S,) of one plan in each draw of the efficiencies (S, 20).

    The plan's batch is a ceiling: in a world in which it breaks a limit the replica runs the
    largest batch that does not, or serves nothing. A broken promise is never counted as work.
    """
    rates = np.zeros(draws.shape[0])
    for s in range(draws.shape[0]):
        e = efficiency_row(draws[s])
        batch = largest_batch(m, h, e, load, plan, plan[4])
        if batch >= 1.0:
            rates[s] = operating_point(m, h, e, load, plan, batch)[1]
    return rates


@compiled
def mean_step_seconds(
    m: ModelNumbers,
    h: MachineNumbers,
    e: EfficiencyNumbers,
    isl: float,
    osl: float,
    plan: Array,
    batch: float,
) -> float:
    """Return the mean step time [s] at a batch, steps with and without prefill mixed."""
    chunk, share = prefill_mix(isl, osl, plan[3], batch)
    share = min(share, 1.0)
    context = isl + 0.5 * osl
    plain = step_seconds(m, h, e, plan, batch, context, 0.0, 0.0)
    return (1.0 - share) * plain + share * step_seconds(
        m, h, e, plan, batch, context, chunk, 0.5 * isl
    )


@compiled
def batch_rate_over_draws(
    m: ModelNumbers, h: MachineNumbers, draws: Array, isl: float, osl: float, plan: Array
) -> Array:
    """Return output tokens per second of a replica (S,) that runs the plan's batch, come what may.

    What a measurement at a fixed number of clients reads; `serving_over_draws` is what counts.
    """
    rates = np.empty(draws.shape[0])
    for s in range(draws.shape[0]):
        e = efficiency_row(draws[s])
        rates[s] = plan[4] / mean_step_seconds(m, h, e, isl, osl, plan, plan[4])
    return rates


@compiled
def closed_loop_tpot(
    m: ModelNumbers,
    h: MachineNumbers,
    e: EfficiencyNumbers,
    isl: float,
    osl: float,
    plan: Array,
    clients: float,
) -> tuple[float, float]:
    """Return mean TPOT and TTFT [s] when a fixed number of clients ask again at once.

    The clients split into those that decode and those that wait for their prompt; the split is
    a fixed point: clients = batch × (1 + TTFT / (output tokens × TPOT)).
    """
    batch, tpot, ttft = clients, 0.0, 0.0
    context = isl + 0.5 * osl
    for _ in range(12):
        chunk, wanted = prefill_mix(isl, osl, plan[3], batch)
        share = min(wanted, 1.0)
        plain = step_seconds(m, h, e, plan, batch, context, 0.0, 0.0)
        mixed = step_seconds(m, h, e, plan, batch, context, chunk, 0.5 * isl)
        tpot = (1.0 - share) * plain + share * mixed
        ttft = math.ceil(isl / chunk) * mixed * e.first_token_stack
        if wanted > 1.0:  # prompts queue until the batch has shrunk to what chunks can feed
            ttft = max(ttft, clients * osl * tpot / batch * (wanted - 1.0))
        batch = 0.5 * batch + 0.5 * clients / (1.0 + ttft / (osl * tpot))
    return tpot, ttft


@compiled
def _held_bytes(
    m: ModelNumbers, h: MachineNumbers, plan: Array, requests: float, tokens: float
) -> float:
    """Weights, cache of all running requests, activations of a chunk, a reserve."""
    tensor, pipeline, expert = plan[0], plan[1], plan[2]
    copies = max(expert / tensor, 1.0)
    cache: float = sequence_cache_bytes(m, h, tokens, tensor, pipeline) * requests / copies
    wide = max(m.gated * m.ffn, m.top_k * m.gated * m.moe_ffn) / tensor + 6.0 * m.hidden
    activations = 2.0 * (plan[3] + requests) * wide
    weights = serving_weight_bytes(m, h, tensor, pipeline, expert)
    held: float = weights + cache + activations + RESERVE_BYTES
    return held


@compiled
def _first_token(
    e: EfficiencyNumbers, mixed: float, load: float, isl: float, chunk: float, percentile: float
) -> float:
    """Time to first token at a percentile: the prompt's own chunks, and the queue before it."""
    served = math.ceil(isl / chunk) * mixed
    own: float = served * e.first_token_stack
    if load <= 1.0 - percentile:  # so few wait that the percentile does not
        return own
    tail: float = math.log(load / (1.0 - percentile))
    return own + served / (2.0 * (1.0 - load)) * tail


@compiled
def _weights(
    m: ModelNumbers,
    h: MachineNumbers,
    e: EfficiencyNumbers,
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
    return body, m.moe_layers * ((read + moved) / speed + product) / ranks


@compiled
def _cache_read(
    m: ModelNumbers,
    h: MachineNumbers,
    e: EfficiencyNumbers,
    tensor: float,
    requests: float,
    context: float,
) -> float:
    """Each decode token reads its request's cache once, and multiplies it."""
    elements = m.cache_full * context + m.cache_window * min(context, m.window)
    held = elements * h.cache_bytes / min(tensor, m.cache_parts) + m.state * 4.0 / tensor
    core = 2.0 * (m.decode_core * m.full_layers * context + m.core_window * min(context, m.window))
    product = core / (tensor * h.bf16_flop_per_s * e.attention)
    return requests * (held / (h.memory_bytes_per_s * e.memory) + product)


@compiled
def _traffic(
    m: ModelNumbers,
    h: MachineNumbers,
    e: EfficiencyNumbers,
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
        e.scale_up_latency_s if expert <= h.scale_up_accelerators else e.scale_out_latency_s,
    )
    return (2.0 * m.layers - m.moe_layers) * one, 2.0 * m.moe_layers * exchange


@compiled
def serving_over_layouts(
    m: ModelNumbers,
    h: MachineNumbers,
    e: EfficiencyNumbers,
    load: Array,
    layouts: Array,
    batches: Array,
) -> tuple[NDArray[np.int64], Array, Array, Array]:
    """Return what each layout can do over all declared batches.

    Args:
        m, h, e, load: as for `operating_point`.
        layouts: (N, 5), the columns of `PLAN`; the batch column is ignored.
        batches: (B,) declared batches, ascending.

    Returns:
        Counts by reason (5,); the largest batch within every limit (N,), refined to whole
        requests up to the next declared batch, 0 where there is none; its operating point
        (N, 6); and by reason the least excess of any point that failed by it (5,): held over
        available bytes, prefill share, TTFT and TPOT over their limits.
    """
    counts = np.zeros(5, dtype=np.int64)
    best = np.zeros(layouts.shape[0])
    points = np.zeros((layouts.shape[0], 6))
    excess = np.full(5, np.inf)
    for i in range(layouts.shape[0]):
        ceiling = batches[-1]
        for j in range(batches.shape[0]):
            got = operating_point(m, h, e, load, layouts[i], batches[j])
            reason = int(got[0])
            counts[reason] += 1
            if got[0] == FEASIBLE:
                best[i] = batches[j]
                ceiling = batches[min(j + 1, batches.shape[0] - 1)]
            else:
                over = (0.0, got[4] / h.memory_bytes, got[5], got[3] / load[2], got[2] / load[3])
                excess[reason] = min(excess[reason], over[reason])
        if best[i] > 0.0:
            if ceiling > best[i]:
                best[i] = largest_batch(m, h, e, load, layouts[i], ceiling)
            got = operating_point(m, h, e, load, layouts[i], best[i])
            for k in range(6):
                points[i, k] = got[k + 1]
    return counts, best, points, excess
