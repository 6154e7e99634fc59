"""One replica's engine: what its next step holds, how long it takes, and what comes of it.

All requests that decode move on together, a token a step, so their contexts, blocks and ends are
known from sums: a step costs the same whatever the batch. Steps in which nothing but that happens
are taken at once.
"""

from __future__ import annotations

import math

import numpy as np

from rackwright.kernels.block_cache import allocate, found, hold, own_run, publish, release
from rackwright.kernels.compiled import compiled
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
    Limits,
    State,
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


@compiled
def plan(
    s: State, r: int, now: float, t: StepTerms, limits: Limits, apart: bool, fast: bool, evict: bool
) -> None:
    """Plan a replica's next step, or the steps until something else happens to it.

    Args:
        s: of the fleet.
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
        preempted = _decode(s, r, limits, apart)
        s.replicas[r, BATCH] = 0
        room = limits.tokens - s.replicas[r, DECODING]
        room, tokens, seen, stopped = _go_on(s, r, room, limits, apart)
        if not (preempted or stopped):
            tokens, seen = _admit(s, r, now, room, tokens, seen, limits, apart)
        if s.replicas[r, DECODING] > 0 or s.replicas[r, BATCH] > 0:
            break
        if not (preempted or stopped):
            s.times[r, END] = np.inf
            return
    batch = float(s.replicas[r, DECODING])
    mean = 0.0
    if batch > 0.0:
        mean = (s.replicas[r, SUM] + batch * s.replicas[r, DECODED]) / batch
    begin = seconds_of(t, batch, mean, float(tokens), seen / max(tokens, 1))
    s.times[r, BEGAN], s.replicas[r, AHEAD] = now, 1
    s.times[r, FIRST_S], s.times[r, SLOPE_S], s.times[r, BEND_S] = begin, 0.0, 0.0
    if fast and s.replicas[r, BATCH] == 0 and not (preempted or stopped):
        if s.replicas[r, WAITING] > 0 and s.replicas[r, COUNT] < limits.requests:
            evict = False  # what one that waits would find may change with what is dropped
        spare = s.replicas[r, FREE] + (s.replicas[r, IDLE_BLOCKS] if evict else 0)
        n = _steps(s, r, t, batch, mean, begin, spare, size)
        if n > 1:
            last = n - 1.0
            half = seconds_of(t, batch, mean + 0.5 * last, 0.0, 0.0)
            end = seconds_of(t, batch, mean + last, 0.0, 0.0)
            bend = 2.0 * (begin - 2.0 * half + end) / (last * last)
            s.times[r, BEND_S], s.times[r, SLOPE_S] = bend, (end - begin) / last - bend * last
            s.replicas[r, AHEAD] = n
    s.times[r, END] = now + _lasts(s, r, s.replicas[r, AHEAD])


@compiled
def shorten(s: State, r: int, until: float) -> None:
    """End a replica's steps in flight with the first one that ends at `until` or later."""
    n = s.replicas[r, AHEAD]
    if n <= 1:
        return
    span = until - s.times[r, BEGAN]
    begin = s.times[r, FIRST_S]
    m = min(max(int(span / begin), 1), n)
    m = min(max(int(span / (begin + 0.5 * s.times[r, SLOPE_S] * (m - 1))), 1), n)
    while m > 1 and _lasts(s, r, m - 1) >= span:
        m -= 1
    while m < n and _lasts(s, r, m) < span:
        m += 1
    s.replicas[r, AHEAD] = m
    s.times[r, END] = s.times[r, BEGAN] + _lasts(s, r, m)


@compiled
def take(s: State, r: int, limits: Limits, handed_on: bool, done: np.ndarray) -> int:
    """Take the steps in flight; return how many requests left, listed in `done`.

    Args:
        s, r, limits: as for `plan`.
        handed_on: the replica's requests leave with their first token, and keep their blocks.
        done: filled, those that decoded first, in the order of the requests.
    """
    size, now = limits.block_tokens, s.times[r, END]
    ahead, left = s.replicas[r, AHEAD], 0
    s.times[r, BUSY] += now - s.times[r, BEGAN]
    s.times[r, END] = np.inf
    s.replicas[r, STEPS] += ahead
    s.replicas[r, AHEAD] = 0
    if s.replicas[r, DECODING] > 0:
        if ahead > 1:
            allocate(s, r, _needed(s, r, s.replicas[r, DECODED] + 1, ahead - 1, size))
        s.replicas[r, DECODED] += ahead
        while s.replicas[r, DECODING] > 0:
            i = s.ends[r, 0]
            if s.requests[i, FINISH] > s.replicas[r, DECODED]:
                break
            _stop(s, r, i, size)
            take_out(s, r, i, RUN_FIRST, RUN_LAST)
            done[left] = i
            left += 1
    for k in range(s.replicas[r, BATCH]):
        i = s.batch[r, k]
        s.requests[i, CONTEXT] += s.requests[i, TAKEN]
        s.replicas[r, BACKLOG] -= s.requests[i, TAKEN]
        if s.requests[i, CONTEXT] < s.requests[i, TARGET]:
            continue
        if i == s.replicas[r, PARTIAL]:
            s.replicas[r, PARTIAL] = NONE
        s.requests[i, MADE] += 1
        if math.isnan(s.stamps[i, FIRST]):
            s.stamps[i, FIRST] = now
        if handed_on or s.requests[i, MADE] >= s.requests[i, OUTPUT]:
            take_out(s, r, i, RUN_FIRST, RUN_LAST)
            done[left] = i
            left += 1
        else:
            _start(s, r, i, size)
    s.replicas[r, BATCH] = 0
    s.replicas[r, COUNT] -= left
    s.replicas[r, LOAD] -= left
    return left


@compiled
def enqueue(s: State, r: int, i: int) -> None:
    """Let a request wait at a replica, with its prompt to compute."""
    push_last(s, r, i, WAIT_FIRST, WAIT_LAST)
    s.replicas[r, WAITING] += 1
    s.replicas[r, LOAD] += 1
    if s.requests[i, CARRIED] == 0:
        s.replicas[r, BACKLOG] += s.requests[i, TARGET]


@compiled
def _decode(s: State, r: int, limits: Limits, apart: bool) -> bool:
    """Find a block for each request that decodes and whose last one is full."""
    size, given, preempted = limits.block_tokens, 0, False
    while True:
        need = _needed(s, r, s.replicas[r, DECODED], 1, size) - given
        spare = s.replicas[r, FREE] + s.replicas[r, IDLE_BLOCKS]
        allocate(s, r, min(need, spare))
        if need <= spare:
            return preempted
        given += spare  # those admitted first have theirs; the last one is not among them
        _preempt(s, r, s.replicas[r, RUN_LAST], size, apart)
        preempted = True


@compiled
def _go_on(
    s: State, r: int, room: int, limits: Limits, apart: bool
) -> tuple[int, int, float, bool]:
    """Compute more of the begun prompt; it gives way where it finds no blocks.

    Returns: tokens left, tokens taken, sum of what they see, and whether it gave way.
    """
    i, size = s.replicas[r, PARTIAL], limits.block_tokens
    if i == NONE or room <= 0:
        return room, 0, 0.0, False
    context = s.requests[i, CONTEXT]
    chunk = min(s.requests[i, TARGET] - context, room)
    held = s.requests[i, SHARED] * s.span + s.requests[i, OWN]
    need = max(blocks_of(context + chunk, size) - held, 0)
    if need > s.replicas[r, FREE] + s.replicas[r, IDLE_BLOCKS]:
        _preempt(s, r, i, size, apart)
        return room, 0, 0.0, True
    allocate(s, r, need)
    s.requests[i, OWN] += need
    _into_step(s, r, i, chunk, size)
    return room - chunk, chunk, chunk * (context + 0.5 * chunk), False


@compiled
def _admit(
    s: State,
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
    while room > 0 and s.replicas[r, COUNT] < limits.requests:
        i = s.replicas[r, WAIT_FIRST]
        if i == NONE:
            break
        own = own_run(s, r, i, apart)
        shared, kept, hit, idle = found(s, r, i, own, size)
        target, carried = s.requests[i, TARGET], s.requests[i, CARRIED] == 1
        held = shared * s.span + kept
        chunk = min(target - hit, room)
        need = max(blocks_of(target + 1 if carried else hit + chunk, size) - held, 0)
        gate = need
        if limits.whole_prompt:
            gate = max(need, blocks_of(target, size) - held)
        if gate > s.replicas[r, FREE] + s.replicas[r, IDLE_BLOCKS] - idle:
            break
        take_out(s, r, i, WAIT_FIRST, WAIT_LAST)
        s.replicas[r, WAITING] -= 1
        hold(s, r, i, own, shared, kept)
        allocate(s, r, need)
        s.requests[i, OWN] += need
        push_last(s, r, i, RUN_FIRST, RUN_LAST)
        s.replicas[r, COUNT] += 1
        if math.isnan(s.stamps[i, SCHEDULED]):
            s.stamps[i, SCHEDULED] = now
        if carried:
            s.requests[i, CARRIED] = 0
            s.requests[i, CONTEXT] = target
            publish(s, r, i, target, size)
            _start(s, r, i, size)
            room -= 1
            continue
        s.requests[i, CONTEXT] = hit
        s.requests[i, HIT] += hit
        s.replicas[r, BACKLOG] -= hit
        _into_step(s, r, i, chunk, size)
        room -= chunk
        tokens += chunk
        seen += chunk * (hit + 0.5 * chunk)
        if hit + chunk < target:
            s.replicas[r, PARTIAL] = i
    return tokens, seen


@compiled
def _into_step(s: State, r: int, i: int, chunk: int, size: int) -> None:
    s.requests[i, TAKEN] = chunk
    s.batch[r, s.replicas[r, BATCH]] = i
    s.replicas[r, BATCH] += 1
    publish(s, r, i, s.requests[i, CONTEXT] + chunk, size)


@compiled
def _preempt(s: State, r: int, i: int, size: int, apart: bool) -> None:
    """Take a request's blocks away; it waits at the front to be computed again."""
    if i == s.replicas[r, PARTIAL]:
        s.replicas[r, PARTIAL] = NONE
        s.replicas[r, BACKLOG] -= s.requests[i, TARGET] - s.requests[i, CONTEXT]
    else:
        _stop(s, r, i, size)
    take_out(s, r, i, RUN_FIRST, RUN_LAST)
    s.replicas[r, COUNT] -= 1
    release(s, r, i, own_run(s, r, i, apart), size)
    s.requests[i, CONTEXT] = 0
    s.requests[i, TARGET] = s.requests[i, INPUT] + s.requests[i, MADE]
    s.requests[i, PREEMPTIONS] += 1
    push_first(s, r, i, WAIT_FIRST, WAIT_LAST)
    s.replicas[r, WAITING] += 1
    s.replicas[r, BACKLOG] += s.requests[i, TARGET]


@compiled
def _start(s: State, r: int, i: int, size: int) -> None:
    """Let a request decode from the next step on."""
    decoded = s.replicas[r, DECODED]
    key = s.requests[i, CONTEXT] - decoded
    s.requests[i, KEY] = key
    s.requests[i, FINISH] = decoded + s.requests[i, OUTPUT] - s.requests[i, MADE]
    heap_push(s, r, i, s.replicas[r, DECODING])
    s.replicas[r, DECODING] += 1
    s.replicas[r, SUM] += key
    s.phases[r, key % size] += 1


@compiled
def _stop(s: State, r: int, i: int, size: int) -> None:
    """Let a request decode no more; count its tokens and the blocks that it holds alone."""
    decoded, key = s.replicas[r, DECODED], s.requests[i, KEY]
    heap_remove(s, r, i, s.replicas[r, DECODING])
    s.replicas[r, DECODING] -= 1
    s.replicas[r, SUM] -= key
    s.phases[r, key % size] -= 1
    s.requests[i, CONTEXT] = key + decoded
    s.requests[i, MADE] = s.requests[i, OUTPUT] - (s.requests[i, FINISH] - decoded)
    s.requests[i, OWN] = blocks_of(key + decoded, size) - s.requests[i, SHARED] * s.span


@compiled
def _needed(s: State, r: int, first: int, steps: int, size: int) -> int:
    """Return the blocks that decode steps from the first on take."""
    need = steps // size * s.replicas[r, DECODING]
    for k in range(first, first + steps % size):
        need += s.phases[r, -k % size]
    whole: int = need
    return whole


@compiled
def _steps(
    s: State, r: int, t: StepTerms, batch: float, mean: float, begin: float, spare: int, size: int
) -> int:
    """Return how many steps can be taken at once: until an end, a full cache, a kink, growth."""
    decoded = s.replicas[r, DECODED]
    n = s.requests[s.ends[r, 0], FINISH] - decoded
    if mean < t.window:
        n = min(n, max(math.ceil(t.window - mean), 1))
    if mean < t.chosen:
        n = min(n, max(math.ceil(t.chosen - mean), 1))
    each = t.cache_context + t.cache_window + t.index_context + t.sparse_context
    growth = each * t.stack * batch / t.shared
    if growth * n > SMOOTH * begin:
        n = max(int(SMOOTH * begin / growth), 1)
    if n > 1 and (n // size + 1) * s.replicas[r, DECODING] > spare:
        n = 1 + _covered(s, r, decoded + 1, n - 1, spare, size)
    whole: int = n
    return whole


@compiled
def _covered(s: State, r: int, first: int, most: int, spare: int, size: int) -> int:
    """Return how many decode steps, at most so many, the spare blocks are enough for."""
    rounds = spare // s.replicas[r, DECODING]
    left = spare - rounds * s.replicas[r, DECODING]
    steps = rounds * size
    for k in range(size):
        left -= s.phases[r, -(first + k) % size]
        if left < 0:
            break
        steps += 1
    whole: int = min(steps, most)
    return whole


@compiled
def _lasts(s: State, r: int, m: int) -> float:
    """Return how long the first m steps in flight last."""
    low = m - 1.0
    bent = s.times[r, BEND_S] * low * m * (2.0 * low + 1.0) / 6.0
    lasts: float = m * s.times[r, FIRST_S] + 0.5 * s.times[r, SLOPE_S] * low * m + bent
    return lasts
