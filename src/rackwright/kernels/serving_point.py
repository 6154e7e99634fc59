"""The operating point of a replica that batches continuously: rate, latencies, memory.

Everything follows from the time of a step with and without a chunk of prefill.
"""

from __future__ import annotations

import math
from typing import NamedTuple

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
from rackwright.kernels.serving import StepLine, line_of, seconds_of, seconds_on, step_terms

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
    return point_of(h, e, load, plan, batch, point_terms(m, h, e, load, plan))


class PointTerms(NamedTuple):
    """What all batches of a layout share: computed once for them."""

    line: StepLine  # of a step at the mean contexts of the load
    held: float  # bytes without any request
    held_each: float  # bytes of one request
    kept: float  # tokens that a request keeps per step
    moved_s: float  # a request's cache crossing the fabric between separate pools
    budget: float  # prompt tokens in a step, of all attention copies
    host_s: float  # the host's part of a first token


@compiled
def point_terms(
    m: ModelNumbers, h: MachineNumbers, e: ServingEfficiency, load: Array, plan: Array
) -> PointTerms:
    """Return the terms of a layout under a load; arguments as for `operating_point`."""
    isl, osl = load[0], load[1]
    terms = step_terms(m, h, e, plan)
    line = line_of(terms, isl + 0.5 * osl, 0.5 * isl)
    held, each = _held_bytes(m, h, plan, isl + osl)
    moved = sequence_cache_bytes(m, h, isl, plan[0], plan[1])
    return PointTerms(
        line,
        held,
        each,
        kept_per_step(plan[5], e.acceptance),
        moved / (h.scale_out_bytes_per_s * e.scale_out),
        plan[3] * terms.copies,
        first_host_seconds(m, e),
    )


@compiled
def point_of(
    h: MachineNumbers,
    e: ServingEfficiency,
    load: Array,
    plan: Array,
    batch: float,
    t: PointTerms,
) -> tuple[float, ...]:
    """Return `operating_point` from the terms of its layout.

    A point whose memory or prompts are over what there is has no step time: it is 0.
    """
    isl, osl = load[0], load[1]
    busy = batch + load[4] * math.sqrt(batch)
    held = t.held + t.held_each * busy
    if held > h.memory_bytes:
        return NO_MEMORY, 0.0, 0.0, 0.0, held, 0.0, 0.0
    if plan[6] > 0.0:
        return _separate(e, load, plan, batch, busy, held, t)
    chunk, share = prefill_mix(isl, osl, t.budget, batch * t.kept)
    if share >= 1.0:
        return NO_PREFILL, 0.0, 0.0, 0.0, held, share, 0.0
    plain, mixed = seconds_on(t.line, batch, 0.0), seconds_on(t.line, batch, chunk)
    mean = (1.0 - share) * plain + share * mixed
    late = seconds_on(t.line, busy, 0.0) * (1.0 - share)
    late += seconds_on(t.line, busy, chunk) * share
    load_ = share * mixed / mean
    served = math.ceil(isl / plan[3]) * mixed
    first = t.host_s + 0.5 * (load_ * mixed + (1.0 - load_) * plain)
    first += served + _waits(served, load_, load[5])
    reason = _verdict(load, first, late / t.kept)
    return reason, batch * t.kept / mean, late / t.kept, first, held, load_, mean


@compiled
def kept_per_step(draft: float, acceptance: float) -> float:
    """Return the tokens that a request keeps per step when each drafted one is kept by chance.

    Args:
        draft: tokens drafted ahead; 0: one token per step.
        acceptance: chance that a drafted token is kept, given that those before it were.

    Source:
        Leviathan, Kalman, Matias (arXiv 2211.17192), equation 1: (1 - a^(n+1)) / (1 - a).
    """
    if draft <= 0.0:
        return 1.0
    kept: float = (1.0 - acceptance ** (draft + 1.0)) / (1.0 - acceptance)
    return kept


@compiled
def _separate(
    e: ServingEfficiency,
    load: Array,
    plan: Array,
    batch: float,
    busy: float,
    held: float,
    t: PointTerms,
) -> tuple[float, ...]:
    """Return the point of a replica of which a share prefills and the rest decodes.

    Rates are per replica of both kinds together. The cache crosses the fabric once.
    """
    isl, osl, share = load[0], load[1], plan[6]
    mean = seconds_on(t.line, batch, 0.0)
    late = seconds_on(t.line, busy, 0.0) / t.kept
    rate = (1.0 - share) * batch * t.kept / mean
    served = math.ceil(isl / plan[3]) * seconds_on(t.line, 0.0, min(isl, plan[3]))
    used = rate / osl / share * served  # prompts per second and prefilling replica
    if used >= 1.0:
        return NO_PREFILL, 0.0, 0.0, 0.0, held, used, mean
    first = 2.0 * t.host_s + served + _waits(served, used, load[5]) + t.moved_s
    return _verdict(load, first, late), rate, late, first, held, share * used, mean


@compiled
def _verdict(load: Array, first: float, late: float) -> float:
    if late > load[3]:
        return LATE_TOKEN
    return LATE_FIRST if first > load[2] else FEASIBLE


@compiled
def serving_over_layouts(
    m: ModelNumbers,
    h: MachineNumbers,
    e: ServingEfficiency,
    load: Array,
    layouts: Array,
    batches: Array,
) -> tuple[NDArray[np.int64], NDArray[np.int64], int, float, float, Array]:
    """Return the layout and batch with the highest rate of the block within every limit.

    Args:
        m, h, e, load: as for `operating_point`; the block has the machine's accelerators.
        layouts: (N, 7), the columns of `PLAN`; the batch column is ignored.
        batches: (B,) declared batches, ascending.

    Returns:
        Points evaluated (time and memory computed) by reason (5,), and points pruned by reason
        (5,): over the memory, or with prompts that no chunk takes in, before any time was
        computed; the best layout, -1 where none fits, and its batch, refined to whole requests up
        to the next declared one; the block's rate; by reason the least excess of any point that
        failed by it (5,): held over available bytes, prefill share, TTFT and TPOT over limits.
        Of equal rates the first layout.

    Notes:
        Memory grows with the batch: where one does not fit the larger ones are pruned unseen.
        A layout is refined only if it could become the best: what its next declared batch would
        serve without limits, or in proportion to the batch where that is not known, is a bound.
    """
    evaluated = np.zeros(5, dtype=np.int64)
    pruned = np.zeros(5, dtype=np.int64)
    excess = np.full(5, np.inf)
    winner, chosen, top = -1, 0.0, 0.0
    for i in range(layouts.shape[0]):
        plan = layouts[i]
        replicas = math.floor(h.accelerators / (max(plan[0], plan[2]) * plan[1]))
        t = point_terms(m, h, e, load, plan)
        best, rate, ceiling, bound = 0.0, 0.0, batches[0], np.inf
        for j in range(batches.shape[0]):
            got = point_of(h, e, load, plan, batches[j], t)
            reason = int(got[0])
            if got[6] > 0.0:
                evaluated[reason] += 1
            else:
                pruned[reason] += 1
            if got[0] == FEASIBLE:
                best, rate = batches[j], got[1]
                ceiling, bound = best, rate
                continue
            over = (0.0, got[4] / h.memory_bytes, got[5], got[3] / load[2], got[2] / load[3])
            excess[reason] = min(excess[reason], over[reason])
            if best > 0.0 and ceiling == best:
                ceiling = batches[j]
                bound = got[1] if got[1] > 0.0 else rate * ceiling / best
            if got[0] == NO_MEMORY:
                pruned[reason] += batches.shape[0] - 1 - j
                break
        if best == 0.0 or replicas * bound <= top:
            continue
        if ceiling > best:
            best = _largest(h, e, load, plan, ceiling, t)
            rate = point_of(h, e, load, plan, best, t)[1]
        if replicas * rate > top:
            winner, chosen, top = i, best, replicas * rate
    return evaluated, pruned, winner, chosen, top, excess


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
    return _largest(h, e, load, plan, top, point_terms(m, h, e, load, plan))


@compiled
def _largest(
    h: MachineNumbers,
    e: ServingEfficiency,
    load: Array,
    plan: Array,
    top: float,
    t: PointTerms,
) -> float:
    low, high = 0.0, top
    if point_of(h, e, load, plan, top, t)[0] == FEASIBLE:
        return top
    while high - low > 1.0:
        middle = math.floor(0.5 * (low + high))
        if point_of(h, e, load, plan, middle, t)[0] == FEASIBLE:
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
    t = step_terms(m, h, e, plan)
    if plan[6] > 0.0:
        return seconds_of(t, batch, isl + 0.5 * osl, 0.0, 0.0)
    kept = kept_per_step(plan[5], e.acceptance)
    chunk, share = prefill_mix(isl, osl, plan[3] * t.copies, batch * kept)
    share = min(share, 1.0)
    context = isl + 0.5 * osl
    plain = seconds_of(t, batch, context, 0.0, 0.0)
    return (1.0 - share) * plain + share * seconds_of(t, batch, context, chunk, 0.5 * isl)


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
        kept = kept_per_step(plan[5], e.acceptance) * (1.0 - plan[6])
        rates[s] = plan[4] * kept / mean_step_seconds(m, h, e, isl, osl, plan, plan[4])
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
    together: float,
) -> tuple[float, float]:
    """Return mean TPOT and TTFT [s] when a fixed number of clients ask again at once.

    Args:
        m, h, e, plan: model, machine, efficiencies, the columns of `PLAN`.
        isl, osl: input and output tokens of a request.
        clients: of one replica.
        most: requests that it runs at once.
        together: share of requests whose prompt stands in one line with those of all clients.

    Notes:
        The clients split into those that decode and those that wait for their first token; the
        split is a fixed point: clients = batch × (1 + TTFT / (output tokens × TPOT)). A first
        token takes the host's part, half the step in flight, the prompt's own steps, and the
        prompts before it: those that wait for a busy engine, one that shares its step, and for
        the share `together` half of all clients' prompts. What those wait before their first
        token does not slow their next ones down.
    """
    batch, tpot, ttft = min(clients, most), 0.0, 0.0
    t, kept = step_terms(m, h, e, plan), kept_per_step(plan[5], e.acceptance)
    line, steps = line_of(t, isl + 0.5 * osl, 0.5 * isl), math.ceil(isl / plan[3])
    budget, host = plan[3] * t.copies, first_host_seconds(m, e)
    beside = e.joined * max(min(plan[3] / isl - 1.0, clients - 1.0, 1.0), 0.0)
    for _ in range(12):
        chunk, wanted = prefill_mix(isl, osl, budget, batch * kept)
        share = min(wanted, 1.0)
        plain, mixed = seconds_on(line, batch, 0.0), seconds_on(line, batch, chunk)
        alone = (mixed - plain) * isl / chunk  # what one prompt adds to the steps it is in
        mean = plain + share * (mixed - plain)
        tpot = (mean - 0.5 * together * share * (mixed - plain)) / kept
        busy = share * mixed / mean
        ahead = beside + 0.25 * busy / (1.0 - busy + 1.0 / clients)
        ahead += 0.5 * together * max(clients - 1.0, 0.0)
        ttft = host + 0.5 * (busy * mixed + (1.0 - busy) * plain) + steps * mixed + ahead * alone
        if wanted > 1.0:  # prompts queue until the batch has shrunk to what chunks can feed
            ttft = max(ttft, clients * osl * tpot / batch * (wanted - 1.0))
        running = clients / (1.0 + ttft / (osl * tpot))
        if running > most:  # the others wait for a place
            ttft = max(ttft, osl * tpot * (clients / most - 1.0))
            running = most
        batch = 0.5 * batch + 0.5 * max(running, min(clients, 1.0))
    return tpot, ttft


@compiled
def first_host_seconds(m: ModelNumbers, e: ServingEfficiency) -> float:
    """Return the host's part of a first token [s]: request handling, launches of a first pass.

    First passes are launched kernel by kernel, while other requests' decode steps replay graphs.
    """
    return e.first_s + m.layers * e.first_layer_s + m.moe_layers * e.first_moe_layer_s


@compiled
def _held_bytes(
    m: ModelNumbers, h: MachineNumbers, plan: Array, tokens: float
) -> tuple[float, float]:
    """Weights, activations of a chunk and a reserve; cache and activations of one request."""
    tensor, pipeline, expert = plan[0], plan[1], plan[2]
    copies = max(expert / tensor, 1.0)
    wide = max(m.gated * m.ffn, m.top_k * m.gated * m.moe_ffn) / tensor + 6.0 * m.hidden
    weights = serving_weight_bytes(m, h, tensor, pipeline, expert)
    cache = sequence_cache_bytes(m, h, tokens, tensor, pipeline) / copies
    return weights + 2.0 * plan[3] * wide + RESERVE_BYTES, cache + 2.0 * wide


@compiled
def _waits(served: float, load: float, percentile: float) -> float:
    """Return the wait for prefill [s] at a percentile: M/D/1 with an exponential tail."""
    if load <= 1.0 - percentile:  # so few wait that the percentile does not
        return 0.0
    tail: float = math.log(load / (1.0 - percentile))
    return served / (2.0 * (1.0 - load)) * tail
