"""One replica's engine: what its next step holds, how long it takes, and what comes of it.

All requests that decode move on together, a token a step, so their contexts, blocks and ends are
known from sums: a step costs the same whatever the batch. Steps in which nothing but that happens
are taken at once.
"""

from __future__ import annotations

import math

import numpy as np

from rackwright.kernels.block_cache import allocate, found, hold, own_run, publish, release
from rackwright.kernels.compiled import inlined
from rackwright.kernels.fleet_state import (
    AHEAD,
    BACKLOG,
    BATCH,
    BEGAN,
    BEND_S,
    BUSY,
    CARRIED,
    CONTEXT,
    COUNT,
    DECODED,
    DECODING,
    END,
    FINISH,
    FIRST,
    FIRST_S,
    FREE,
    HIT,
    IDLE_BLOCKS,
    INPUT,
    KEY,
    LOAD,
    MADE,
    NONE,
    OUTPUT,
    OWN,
    PARTIAL,
    PHASES,
    PREEMPTIONS,
    RUN_FIRST,
    RUN_LAST,
    SCHEDULED,
    SHARED,
    SLOPE_S,
    STEPS,
    SUM,
    TAKEN,
    TARGET,
    WAIT_FIRST,
    WAIT_LAST,
    WAITING,
    Array,
    Limits,
    Sizes,
    Table,
    Whole,
    blocks_of,
    heap_push,
    heap_remove,
    push_first,
    push_last,
    take_out,
)
from rackwright.kernels.serving import StepTerms, seconds_of

SMOOTH = 0.003
"""Growth of a step, as a share of its time, over which it is a parabola to 1e-11 of it."""


@inlined
def plan(
    asks: Table,
    reps: Table,
    runs: Table,
    clock: Array,
    stamps: Array,
    chain: Whole,
    z: Sizes,
    r: int,
    now: float,
    t: StepTerms,
    limits: Limits,
    apart: bool,
    fast: bool,
    evict: bool,
) -> None:
    """Plan a replica's next step, or the steps until something else happens to it.

    Args:
        asks, reps, runs, clock, stamps, chain, z: tables of the fleet.
        r: the replica; none of its steps is in flight.
        now: [s].
        t: terms of its step.
        limits: of its engine.
        apart: it decodes what another pool has prefilled.
        fast: False: one step at a time.
        evict: False: steps taken at once evict nothing (the router looks into the cache).

    Notes:
        First come, first served. A token of every request that decodes; then the begun prompt;
        then waiting ones, while places, tokens and blocks last, but none in a step that preempts.
        What finds no block takes those of the request admitted last, which waits at the front.
    """
    size = limits.block_tokens
    while True:
        preempted = _decode(asks, reps, runs, chain, z, r, limits, apart)
        reps[r, BATCH] = 0
        room = limits.tokens - reps[r, DECODING]
        room, tokens, seen, stopped = _go_on(asks, reps, runs, chain, z, r, room, limits, apart)
        if not (preempted or stopped):
            tokens, seen = _admit(
                asks, reps, runs, stamps, chain, z, r, now, room, tokens, seen, limits, apart
            )
        if reps[r, DECODING] > 0 or reps[r, BATCH] > 0:
            break
        if not (preempted or stopped):
            clock[r, END] = np.inf
            return
    batch = float(reps[r, DECODING])
    mean = 0.0
    if batch > 0.0:
        mean = (reps[r, SUM] + batch * reps[r, DECODED]) / batch
    begin = seconds_of(t, batch, mean, float(tokens), seen / max(tokens, 1))
    clock[r, BEGAN], reps[r, AHEAD] = now, 1
    clock[r, FIRST_S], clock[r, SLOPE_S], clock[r, BEND_S] = begin, 0.0, 0.0
    if fast and reps[r, BATCH] == 0 and not (preempted or stopped):
        if reps[r, WAITING] > 0 and reps[r, COUNT] < limits.requests:
            evict = False  # what one that waits would find may change with what is dropped
        spare = reps[r, FREE] + (reps[r, IDLE_BLOCKS] if evict else 0)
        n = _steps(asks, reps, z, r, t, batch, mean, begin, spare, size)
        if n > 1:
            last = n - 1.0
            end = seconds_of(t, batch, mean + last, 0.0, 0.0)
            if n > 2:
                half = seconds_of(t, batch, mean + 0.5 * last, 0.0, 0.0)
                clock[r, BEND_S] = 2.0 * (begin - 2.0 * half + end) / (last * last)
            clock[r, SLOPE_S] = (end - begin) / last - clock[r, BEND_S] * last
            reps[r, AHEAD] = n
    clock[r, END] = now + _lasts(clock, r, reps[r, AHEAD])


@inlined
def shorten(reps: Table, clock: Array, r: int, until: float) -> None:
    """End a replica's steps in flight with the first one that ends at `until` or later."""
    n = reps[r, AHEAD]
    if n <= 1:
        return
    span = until - clock[r, BEGAN]
    begin = clock[r, FIRST_S]
    m = min(max(int(span / begin), 1), n)
    m = min(max(int(span / (begin + 0.5 * clock[r, SLOPE_S] * (m - 1))), 1), n)
    while m > 1 and _lasts(clock, r, m - 1) >= span:
        m -= 1
    while m < n and _lasts(clock, r, m) < span:
        m += 1
    reps[r, AHEAD] = m
    clock[r, END] = clock[r, BEGAN] + _lasts(clock, r, m)


@inlined
def take(
    asks: Table,
    reps: Table,
    runs: Table,
    clock: Array,
    stamps: Array,
    z: Sizes,
    r: int,
    limits: Limits,
    handed_on: bool,
    done: Whole,
) -> int:
    """Take the steps in flight; return how many requests left, listed in `done`.

    Args:
        asks, reps, runs, clock, stamps, chain, z, r, limits: as for `plan`.
        handed_on: the replica's requests leave with their first token, and keep their blocks.
        done: filled, those that decoded first, in the order of the requests.
    """
    size, now = limits.block_tokens, clock[r, END]
    ahead, left = reps[r, AHEAD], 0
    clock[r, BUSY] += now - clock[r, BEGAN]
    clock[r, END] = np.inf
    reps[r, STEPS] += ahead
    reps[r, AHEAD] = 0
    if reps[r, DECODING] > 0:
        if ahead > 1:
            allocate(reps, runs, z, r, _needed(reps, r, reps[r, DECODED] + 1, ahead - 1, size))
        reps[r, DECODED] += ahead
        while reps[r, DECODING] > 0:
            i = reps[r, z.ends + 0]
            if asks[i, FINISH] > reps[r, DECODED]:
                break
            _stop(asks, reps, z, r, i, size)
            take_out(asks, reps, r, i, RUN_FIRST, RUN_LAST)
            done[left] = i
            left += 1
    for k in range(reps[r, BATCH]):
        i = reps[r, z.batch + k]
        asks[i, CONTEXT] += asks[i, TAKEN]
        reps[r, BACKLOG] -= asks[i, TAKEN]
        if asks[i, CONTEXT] < asks[i, TARGET]:
            continue
        if i == reps[r, PARTIAL]:
            reps[r, PARTIAL] = NONE
        asks[i, MADE] += 1
        if math.isnan(stamps[i, FIRST]):
            stamps[i, FIRST] = now
        if handed_on or asks[i, MADE] >= asks[i, OUTPUT]:
            take_out(asks, reps, r, i, RUN_FIRST, RUN_LAST)
            done[left] = i
            left += 1
        else:
            _start(asks, reps, z, r, i, size)
    reps[r, BATCH] = 0
    reps[r, COUNT] -= left
    reps[r, LOAD] -= left
    return left


@inlined
def enqueue(asks: Table, reps: Table, r: int, i: int) -> None:
    """Let a request wait at a replica, with its prompt to compute."""
    push_last(asks, reps, r, i, WAIT_FIRST, WAIT_LAST)
    reps[r, WAITING] += 1
    reps[r, LOAD] += 1
    if asks[i, CARRIED] == 0:
        reps[r, BACKLOG] += asks[i, TARGET]


@inlined
def _decode(
    asks: Table,
    reps: Table,
    runs: Table,
    chain: Whole,
    z: Sizes,
    r: int,
    limits: Limits,
    apart: bool,
) -> bool:
    """Find a block for each request that decodes and whose last one is full."""
    size, given, preempted = limits.block_tokens, 0, False
    while True:
        need = _needed(reps, r, reps[r, DECODED], 1, size) - given
        spare = reps[r, FREE] + reps[r, IDLE_BLOCKS]
        allocate(reps, runs, z, r, min(need, spare))
        if need <= spare:
            return preempted
        given += spare  # those admitted first have theirs; the last one is not among them
        _preempt(asks, reps, runs, chain, z, r, reps[r, RUN_LAST], size, apart)
        preempted = True


@inlined
def _go_on(
    asks: Table,
    reps: Table,
    runs: Table,
    chain: Whole,
    z: Sizes,
    r: int,
    room: int,
    limits: Limits,
    apart: bool,
) -> tuple[int, int, float, bool]:
    """Compute more of the begun prompt; it gives way where it finds no blocks.

    Returns: tokens left, tokens taken, sum of what they see, and whether it gave way.
    """
    i, size = reps[r, PARTIAL], limits.block_tokens
    if i == NONE or room <= 0:
        return room, 0, 0.0, False
    context = asks[i, CONTEXT]
    chunk = min(asks[i, TARGET] - context, room)
    held = asks[i, SHARED] * z.span + asks[i, OWN]
    need = max(blocks_of(context + chunk, size) - held, 0)
    if need > reps[r, FREE] + reps[r, IDLE_BLOCKS]:
        _preempt(asks, reps, runs, chain, z, r, i, size, apart)
        return room, 0, 0.0, True
    allocate(reps, runs, z, r, need)
    asks[i, OWN] += need
    _into_step(asks, reps, runs, chain, z, r, i, chunk, size)
    return room - chunk, chunk, chunk * (context + 0.5 * chunk), False


@inlined
def _admit(
    asks: Table,
    reps: Table,
    runs: Table,
    stamps: Array,
    chain: Whole,
    z: Sizes,
    r: int,
    now: float,
    room: int,
    tokens: int,
    seen: float,
    limits: Limits,
    apart: bool,
) -> tuple[int, float]:
    """Begin waiting requests; return prompt tokens of the step and the sum of what they see."""
    size = limits.block_tokens
    while room > 0 and reps[r, COUNT] < limits.requests:
        i = reps[r, WAIT_FIRST]
        if i == NONE:
            break
        own = own_run(asks, reps, z, r, i, apart)
        shared, kept, hit, idle = found(asks, runs, chain, z, r, i, own, size)
        target, carried = asks[i, TARGET], asks[i, CARRIED] == 1
        held = shared * z.span + kept
        chunk = min(target - hit, room)
        need = max(blocks_of(target + 1 if carried else hit + chunk, size) - held, 0)
        gate = need
        if limits.whole_prompt:
            gate = max(need, blocks_of(target, size) - held)
        if gate > reps[r, FREE] + reps[r, IDLE_BLOCKS] - idle:
            break
        take_out(asks, reps, r, i, WAIT_FIRST, WAIT_LAST)
        reps[r, WAITING] -= 1
        hold(asks, reps, runs, chain, z, r, i, own, shared, kept)
        allocate(reps, runs, z, r, need)
        asks[i, OWN] += need
        push_last(asks, reps, r, i, RUN_FIRST, RUN_LAST)
        reps[r, COUNT] += 1
        if math.isnan(stamps[i, SCHEDULED]):
            stamps[i, SCHEDULED] = now
        if carried:
            asks[i, CARRIED] = 0
            asks[i, CONTEXT] = target
            publish(asks, reps, runs, chain, z, r, i, target, size)
            _start(asks, reps, z, r, i, size)
            room -= 1
            continue
        asks[i, CONTEXT] = hit
        asks[i, HIT] += hit
        reps[r, BACKLOG] -= hit
        _into_step(asks, reps, runs, chain, z, r, i, chunk, size)
        room -= chunk
        tokens += chunk
        seen += chunk * (hit + 0.5 * chunk)
        if hit + chunk < target:
            reps[r, PARTIAL] = i
    return tokens, seen


@inlined
def _into_step(
    asks: Table,
    reps: Table,
    runs: Table,
    chain: Whole,
    z: Sizes,
    r: int,
    i: int,
    chunk: int,
    size: int,
) -> None:
    asks[i, TAKEN] = chunk
    reps[r, z.batch + reps[r, BATCH]] = i
    reps[r, BATCH] += 1
    publish(asks, reps, runs, chain, z, r, i, asks[i, CONTEXT] + chunk, size)


@inlined
def _preempt(
    asks: Table,
    reps: Table,
    runs: Table,
    chain: Whole,
    z: Sizes,
    r: int,
    i: int,
    size: int,
    apart: bool,
) -> None:
    """Take a request's blocks away; it waits at the front to be computed again."""
    if i == reps[r, PARTIAL]:
        reps[r, PARTIAL] = NONE
        reps[r, BACKLOG] -= asks[i, TARGET] - asks[i, CONTEXT]
    else:
        _stop(asks, reps, z, r, i, size)
    take_out(asks, reps, r, i, RUN_FIRST, RUN_LAST)
    reps[r, COUNT] -= 1
    release(asks, reps, runs, chain, z, r, i, own_run(asks, reps, z, r, i, apart), size)
    asks[i, CONTEXT] = 0
    asks[i, TARGET] = asks[i, INPUT] + asks[i, MADE]
    asks[i, PREEMPTIONS] += 1
    push_first(asks, reps, r, i, WAIT_FIRST, WAIT_LAST)
    reps[r, WAITING] += 1
    reps[r, BACKLOG] += asks[i, TARGET]


@inlined
def _start(asks: Table, reps: Table, z: Sizes, r: int, i: int, size: int) -> None:
    """Let a request decode from the next step on."""
    decoded = reps[r, DECODED]
    key = asks[i, CONTEXT] - decoded
    asks[i, KEY] = key
    asks[i, FINISH] = decoded + asks[i, OUTPUT] - asks[i, MADE]
    heap_push(asks, reps, z, r, i, reps[r, DECODING])
    reps[r, DECODING] += 1
    reps[r, SUM] += key
    reps[r, PHASES + key % size] += 1


@inlined
def _stop(asks: Table, reps: Table, z: Sizes, r: int, i: int, size: int) -> None:
    """Let a request decode no more; count its tokens and the blocks that it holds alone."""
    decoded, key = reps[r, DECODED], asks[i, KEY]
    heap_remove(asks, reps, z, r, i, reps[r, DECODING])
    reps[r, DECODING] -= 1
    reps[r, SUM] -= key
    reps[r, PHASES + key % size] -= 1
    asks[i, CONTEXT] = key + decoded
    asks[i, MADE] = asks[i, OUTPUT] - (asks[i, FINISH] - decoded)
    asks[i, OWN] = blocks_of(key + decoded, size) - asks[i, SHARED] * z.span


@inlined
def _needed(reps: Table, r: int, first: int, steps: int, size: int) -> int:
    """Return the blocks that decode steps from the first on take."""
    need = steps // size * reps[r, DECODING]
    for k in range(first, first + steps % size):
        need += reps[r, PHASES + -k % size]
    whole: int = need
    return whole


@inlined
def _steps(
    asks: Table,
    reps: Table,
    z: Sizes,
    r: int,
    t: StepTerms,
    batch: float,
    mean: float,
    begin: float,
    spare: int,
    size: int,
) -> int:
    """Return how many steps can be taken at once: until an end, a full cache, a kink, growth."""
    decoded = reps[r, DECODED]
    n = asks[reps[r, z.ends + 0], FINISH] - decoded
    if mean < t.window:
        n = min(n, max(math.ceil(t.window - mean), 1))
    if mean < t.chosen:
        n = min(n, max(math.ceil(t.chosen - mean), 1))
    each = t.cache_context + t.cache_window + t.index_context + t.sparse_context
    growth = each * t.stack * batch / t.shared
    if growth * n > SMOOTH * begin:
        n = max(int(SMOOTH * begin / growth), 1)
    if n > 1 and (n // size + 1) * reps[r, DECODING] > spare:
        n = 1 + _covered(reps, r, decoded + 1, n - 1, spare, size)
    whole: int = n
    return whole


@inlined
def _covered(reps: Table, r: int, first: int, most: int, spare: int, size: int) -> int:
    """Return how many decode steps, at most so many, the spare blocks are enough for."""
    rounds = spare // reps[r, DECODING]
    left = spare - rounds * reps[r, DECODING]
    steps = rounds * size
    for k in range(size):
        left -= reps[r, PHASES + -(first + k) % size]
        if left < 0:
            break
        steps += 1
    whole: int = min(steps, most)
    return whole


@inlined
def _lasts(clock: Array, r: int, m: int) -> float:
    """Return how long the first m steps in flight last."""
    low = m - 1.0
    bent = clock[r, BEND_S] * low * m * (2.0 * low + 1.0) / 6.0
    lasts: float = m * clock[r, FIRST_S] + 0.5 * clock[r, SLOPE_S] * low * m + bent
    return lasts
