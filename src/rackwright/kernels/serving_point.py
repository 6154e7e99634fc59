"""The operating point of a replica that batches continuously: rate, latencies, memory.

Everything follows from the time of a step with and without a chunk of prefill.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rackwright.kernels.compiled import compiled
from rackwright.kernels.memory import (
    RESERVE_BYTES,
    sequence_cache_bytes,
    serving_weight_bytes,
)
from rackwright.kernels.numbers import (
    MachineNumbers,
    ModelNumbers,
    ServingEfficiency,
    serving_efficiency,
)
from rackwright.kernels.serving import step_seconds

Array = NDArray[np.float64]

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
    e: ServingEfficiency,
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
    first += e.first_s + e.first_steps * mean
    rate = batch / mean
    reason = FEASIBLE
    if late > tpot_limit:
        reason = LATE_TOKEN
    elif first > ttft_limit:
        reason = LATE_FIRST
    return reason, rate, late, first, held, share * mixed / mean, mean


@compiled
def serving_over_layouts(
    m: ModelNumbers,
    h: MachineNumbers,
    e: ServingEfficiency,
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


@compiled
def largest_batch(
    m: ModelNumbers,
    h: MachineNumbers,
    e: ServingEfficiency,
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
    """Return the rate per replica (S,) of one plan in each draw of the efficiencies (S, E).

    The plan's batch is a ceiling: in a world in which it breaks a limit the replica runs the
    largest batch that does not, or serves nothing. A broken promise is never counted as work.
    """
    rates = np.zeros(draws.shape[0])
    for s in range(draws.shape[0]):
        e = serving_efficiency(draws[s])
        batch = largest_batch(m, h, e, load, plan, plan[4])
        if batch >= 1.0:
            rates[s] = operating_point(m, h, e, load, plan, batch)[1]
    return rates


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
def mean_step_seconds(
    m: ModelNumbers,
    h: MachineNumbers,
    e: ServingEfficiency,
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
        e = serving_efficiency(draws[s])
        rates[s] = plan[4] / mean_step_seconds(m, h, e, isl, osl, plan, plan[4])
    return rates


@compiled
def closed_loop(
    m: ModelNumbers,
    h: MachineNumbers,
    e: ServingEfficiency,
    isl: float,
    osl: float,
    plan: Array,
    clients: float,
    most: float,
    burst: float,
) -> tuple[float, float]:
    """Return mean TPOT and TTFT [s] when a fixed number of clients ask again at once.

    Args:
        m, h, e, plan: model, machine, efficiencies, the columns of `PLAN`.
        isl, osl: input and output tokens of a request.
        clients: of one replica.
        most: requests that it runs at once.
        burst: share of all clients' prompts that a mean first token waits for.

    Notes:
        The clients split into those that decode and those that wait for their first token; the
        split is a fixed point: clients = batch × (1 + TTFT / (output tokens × TPOT)). A first
        token takes the prompt's own prefill, the decode steps after which the engine hands out
        tokens, and a share of the prefill of all clients: they start together, and a mean over a
        run keeps some of that first crowd.
    """
    batch, tpot, ttft = min(clients, most), 0.0, 0.0
    context = isl + 0.5 * osl
    for _ in range(12):
        chunk, wanted = prefill_mix(isl, osl, plan[3], batch)
        share = min(wanted, 1.0)
        plain = step_seconds(m, h, e, plan, batch, context, 0.0, 0.0)
        mixed = step_seconds(m, h, e, plan, batch, context, chunk, 0.5 * isl)
        tpot = (1.0 - share) * plain + share * mixed
        one = min(isl, plan[3])
        own = math.ceil(isl / plan[3]) * step_seconds(m, h, e, plan, batch, context, one, 0.5 * isl)
        full = step_seconds(m, h, e, plan, 0.0, 0.0, plan[3], 0.5 * isl)
        crowd = clients * full * isl / plan[3]
        wait = e.first_s + e.first_token_stack * own + burst * crowd
        if wanted > 1.0:  # prompts queue until the batch has shrunk to what chunks can feed
            wait = max(wait, clients * osl * tpot / batch * (wanted - 1.0))
        running = clients / (1.0 + wait / (osl * tpot))
        if running > most:  # the others wait for a place
            wait = osl * tpot * (clients / most - 1.0)
            running = most
        ttft = wait + e.first_steps * tpot  # handed out late, decoded all the same
        batch = 0.5 * batch + 0.5 * running
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
    e: ServingEfficiency, mixed: float, load: float, isl: float, chunk: float, percentile: float
) -> float:
    """Time to first token at a percentile: the prompt's own chunks, and the queue before it."""
    served = math.ceil(isl / chunk) * mixed
    own: float = served * e.first_token_stack
    if load <= 1.0 - percentile:  # so few wait that the percentile does not
        return own
    tail: float = math.log(load / (1.0 - percentile))
    return own + served / (2.0 * (1.0 - load)) * tail
