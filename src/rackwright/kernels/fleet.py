"""The fleet as a whole: one event after another, and how requests find their replica.

At one instant steps end first, then caches arrive from the other pool and requests arrive and are
routed, then replicas plan.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rackwright.kernels.block_cache import found, own_run, release
from rackwright.kernels.compiled import bare, inlined
from rackwright.kernels.fleet_state import (
    ARRIVED,
    AT,
    BACKLOG,
    CARRIED,
    COUNT,
    DIRTY,
    END,
    FINISHED,
    FIRST,
    FREE,
    IDLE_BLOCKS,
    INPUT,
    LEAST_LOADED,
    LINK,
    LOAD,
    NONE,
    ONE_LINE,
    OUTCOME,
    OUTPUT,
    PREFIX_AWARE,
    ROUND_ROBIN,
    SCHEDULED,
    SERVED,
    TARGET,
    USED,
    WAIT_FIRST,
    WAIT_LAST,
    WAITING,
    Array,
    Fleet,
    Limits,
    Sizes,
    Table,
    Whole,
    push_first,
    push_last,
    take_out,
)
from rackwright.kernels.replica import enqueue, plan, shorten, take
from rackwright.kernels.serving import StepTerms

CURVE = 256
"""Spans of the curves over time."""

WAIT, RUN, BLOCKS, WORK, UPCOMING, COMING, ISSUED, TURN, TURN_DECODE, TALLIES = range(10)
"""Tallies of the whole fleet: requests that wait and run, blocks in use, replicas that work; the
next arrival; size of the heap of what comes; requests that clients have asked; turns of routes."""


@bare
def serve(
    asks: Table,
    reps: Table,
    runs: Table,
    clock: Array,
    stamps: Array,
    chain: Whole,
    z: Sizes,
    t: StepTerms,
    t_prefill: StepTerms,
    arrivals: Array,
    clients: int,
    limits: Limits,
    limits_prefill: Limits,
    fleet: Fleet,
    fast: bool,
    due: Array,
    who: Table,
    done: Whole,
    curves: NDArray[np.float64],
    tally: Whole,
) -> float:
    """Serve all requests; return the width of a span of the curves [s].

    Args:
        asks, reps, runs, clock, stamps, chain, z: tables of the fleet, empty.
        t, t_prefill, limits, limits_prefill, fleet, fast: as for `simulate_fleet`.
        arrivals, clients: of the requests.
        due, who: (2N + 2,) and (2N + 2, 2): room for the heap of what comes.
        done: room for the requests that leave one replica at once.
        curves: (CURVE, 4), filled.
        tally: (TALLIES,), zeros.
    """
    n, pool = arrivals.size, fleet.prefill
    total = pool + fleet.replicas
    front = pool if pool > 0 else total  # replicas that new requests go to
    while clients > 0 and tally[ISSUED] < min(clients, n):
        _ask(arrivals, due, who, tally, 0.0)
    if clients > 0:
        tally[UPCOMING] = n
    span, last = 0.0, 0.0
    while True:
        now = np.inf
        if tally[UPCOMING] < n:
            now = arrivals[tally[UPCOMING]]
        if tally[COMING] > 0:
            now = min(now, due[0])
        for r in range(total):
            now = min(now, clock[r, END])
        if now == np.inf:
            return span
        if now > last:
            span = _count(curves, span, last, now, tally)
            last = now
        for r in range(total):
            if clock[r, END] == now:
                _end(
                    asks, reps, runs, clock, stamps, chain, z, r, now, arrivals, clients,
                    limits_prefill if r < pool else limits, fleet, due, who, done, tally,
                )  # fmt: skip
        while True:
            if tally[COMING] > 0 and due[0] <= now:
                i, moved = who[0, 0], who[0, 1] == 1
                _pop(due, who, tally)
            elif tally[UPCOMING] < n and arrivals[tally[UPCOMING]] <= now:
                i, moved = tally[UPCOMING], False
                tally[UPCOMING] += 1
            else:
                break
            if moved:
                r = asks[i, AT]
                release(
                    asks,
                    reps,
                    runs,
                    chain,
                    z,
                    r,
                    i,
                    own_run(asks, reps, z, r, i, False),
                    z.block_tokens,
                )
                reps[r, DIRTY] = 1
                stamps[i, FIRST] = now
                asks[i, CARRIED] = 1
            else:
                stamps[i, ARRIVED] = now
                if asks[i, OUTCOME] != SERVED:
                    if clients > 0 and tally[ISSUED] < n:
                        _ask(arrivals, due, who, tally, now)
                    continue
                if fleet.route == ONE_LINE:
                    push_last(asks, reps, total, i, WAIT_FIRST, WAIT_LAST)
                    reps[total, WAITING] += 1
                    tally[WAIT] += 1
                    continue
            r = _route(asks, reps, runs, chain, z, i, moved, fleet, tally)
            asks[i, AT] = r
            most = limits_prefill.requests if r < pool else limits.requests
            if reps[r, WAITING] == 0 and reps[r, COUNT] < most:
                shorten(reps, clock, r, now)
            enqueue(asks, reps, r, i)
            tally[WAIT] += 1
            reps[r, DIRTY] = 1
        drawn = fleet.route == ONE_LINE
        for r in range(total):
            idle = clock[r, END] == np.inf
            called = drawn and r < front and reps[total, WAITING] > 0
            if not (idle and (called or reps[r, DIRTY] == 1)):
                reps[r, DIRTY] = 0
                continue
            if r < pool:
                _plan(
                    asks, reps, runs, clock, stamps, chain, z, r, now, t_prefill, limits_prefill,
                    fleet, fast, tally,
                )  # fmt: skip
            else:
                _plan(
                    asks, reps, runs, clock, stamps, chain, z, r, now, t, limits, fleet, fast, tally
                )  # fmt: skip
            reps[r, DIRTY] = 0
        if drawn and reps[total, WAITING] > 0:
            for r in range(front):
                most = limits_prefill.requests if r < pool else limits.requests
                if clock[r, END] != np.inf and reps[r, COUNT] < most:
                    shorten(reps, clock, r, now)


@bare
def _end(
    asks: Table,
    reps: Table,
    runs: Table,
    clock: Array,
    stamps: Array,
    chain: Whole,
    z: Sizes,
    r: int,
    now: float,
    arrivals: Array,
    clients: int,
    limits: Limits,
    fleet: Fleet,
    due: Array,
    who: Table,
    done: Whole,
    tally: Whole,
) -> None:
    """Take a replica's steps; let go who is answered, send on whose cache another pool needs."""
    first, apart = r < fleet.prefill, fleet.prefill > 0
    left = take(asks, reps, runs, clock, stamps, z, r, limits, first, done)
    reps[r, DIRTY] = 1
    tally[WORK] -= 1
    tally[RUN] -= left
    for k in range(left):
        i = done[k]
        if first and asks[i, OUTPUT] > 1:
            begin = max(clock[r, LINK], now)
            clock[r, LINK] = begin + fleet.moved_each_s * asks[i, INPUT]
            later(due, who, tally, clock[r, LINK] + fleet.moved_s, i, 1)
            continue
        stamps[i, FINISHED] = now
        own = own_run(asks, reps, z, r, i, apart and not first)
        release(asks, reps, runs, chain, z, r, i, own, limits.block_tokens)
        if clients > 0 and tally[ISSUED] < arrivals.size:
            _ask(arrivals, due, who, tally, now)


@bare
def _plan(
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
    fleet: Fleet,
    fast: bool,
    tally: Whole,
) -> None:
    """Plan a replica's steps, with what it takes from the one line, and keep the tallies."""
    total, apart = fleet.prefill + fleet.replicas, fleet.prefill > 0 and r >= fleet.prefill
    drawn = fleet.route == ONE_LINE and not apart
    before, count = reps[r, WAITING] + reps[total, WAITING], reps[r, COUNT]
    if drawn:
        _draw(asks, reps, total, r, limits)
    evict = fleet.route != PREFIX_AWARE or apart or total == 1
    plan(asks, reps, runs, clock, stamps, chain, z, r, now, t, limits, apart, fast, evict)
    if drawn:
        _give_back(asks, reps, stamps, total, r)
    tally[WAIT] += reps[r, WAITING] + reps[total, WAITING] - before
    tally[RUN] += reps[r, COUNT] - count
    if clock[r, END] != np.inf:
        tally[WORK] += 1
    in_use = limits.blocks - reps[r, FREE] - reps[r, IDLE_BLOCKS]
    tally[BLOCKS] += in_use - reps[r, USED]
    reps[r, USED] = in_use


@inlined
def _route(
    asks: Table,
    reps: Table,
    runs: Table,
    chain: Whole,
    z: Sizes,
    i: int,
    moved: bool,
    fleet: Fleet,
    tally: Whole,
) -> int:
    """Return the replica that a request goes to: a new one, or one whose cache has been moved."""
    pool, total = fleet.prefill, fleet.prefill + fleet.replicas
    front = pool if pool > 0 else total
    if fleet.route == ROUND_ROBIN and moved:
        tally[TURN_DECODE] += 1
        return pool + int(tally[TURN_DECODE] - 1) % fleet.replicas
    if fleet.route == ROUND_ROBIN:
        tally[TURN] += 1
        return int(tally[TURN] - 1) % front
    if moved:
        return _least(reps, pool, total)
    if fleet.route == LEAST_LOADED:
        return _least(reps, 0, front)
    return _nearest(asks, reps, runs, chain, z, front, i, z.block_tokens)


@inlined
def _ask(arrivals: Array, due: Array, who: Table, tally: Whole, now: float) -> None:
    """Let a client think and then ask the next request."""
    later(due, who, tally, now + arrivals[tally[ISSUED]], tally[ISSUED], 0)
    tally[ISSUED] += 1


@inlined
def _least(reps: Table, first: int, last: int) -> int:
    """Return the replica with the fewest requests, waiting or running."""
    best = first
    for r in range(first + 1, last):
        if reps[r, LOAD] < reps[best, LOAD]:
            best = r
    return best


@inlined
def _nearest(
    asks: Table, reps: Table, runs: Table, chain: Whole, z: Sizes, last: int, i: int, size: int
) -> int:
    """Return the replica with the least prompt to compute, this one's included."""
    best, least, load = 0, np.int64(2**62), np.int64(0)
    for r in range(last):
        _, _, hit, _ = found(asks, runs, chain, z, r, i, own_run(asks, reps, z, r, i, False), size)
        cost = reps[r, BACKLOG] + asks[i, INPUT] - hit
        if cost < least or (cost == least and reps[r, LOAD] < load):
            best, least, load = r, cost, reps[r, LOAD]
    return best


@inlined
def _draw(asks: Table, reps: Table, line: int, r: int, limits: Limits) -> None:
    """Take from the one line what a replica has room for."""
    while reps[r, COUNT] + reps[r, WAITING] < limits.requests:
        i = reps[line, WAIT_FIRST]
        if i == NONE:
            return
        take_out(asks, reps, line, i, WAIT_FIRST, WAIT_LAST)
        reps[line, WAITING] -= 1
        asks[i, AT] = r
        enqueue(asks, reps, r, i)


@inlined
def _give_back(asks: Table, reps: Table, stamps: Array, line: int, r: int) -> None:
    """Put back into the one line what a replica did not begin."""
    while reps[r, WAITING] > 0:
        i = reps[r, WAIT_LAST]
        if not math.isnan(stamps[i, SCHEDULED]):
            return
        take_out(asks, reps, r, i, WAIT_FIRST, WAIT_LAST)
        reps[r, WAITING] -= 1
        reps[r, LOAD] -= 1
        reps[r, BACKLOG] -= asks[i, TARGET]
        push_first(asks, reps, line, i, WAIT_FIRST, WAIT_LAST)
        reps[line, WAITING] += 1


@inlined
def later(due: Array, who: Table, tally: Whole, at: float, i: int, moved: int) -> None:
    """Put what comes later into the heap."""
    k = tally[COMING]
    tally[COMING] += 1
    while k > 0 and due[(k - 1) // 2] > at:
        above = (k - 1) // 2
        due[k], who[k, 0], who[k, 1] = due[above], who[above, 0], who[above, 1]
        k = above
    due[k], who[k, 0], who[k, 1] = at, i, moved


@inlined
def _pop(due: Array, who: Table, tally: Whole) -> None:
    """Take the first out of the heap of what comes."""
    last = tally[COMING] - 1
    tally[COMING] = last
    at, i, moved = due[last], who[last, 0], who[last, 1]
    k = 0
    while True:
        child = 2 * k + 1
        if child >= last:
            break
        if child + 1 < last and due[child + 1] < due[child]:
            child += 1
        if due[child] >= at:
            break
        due[k], who[k, 0], who[k, 1] = due[child], who[child, 0], who[child, 1]
        k = child
    due[k], who[k, 0], who[k, 1] = at, i, moved


@inlined
def _count(
    curves: NDArray[np.float64],
    span: float,
    last: float,
    now: float,
    tally: Whole,
) -> float:
    """Add what was there since the last event; return the width of a span, doubled as needed."""
    if span == 0.0:
        span = max(now, 1e-9) / 8.0
    while now > span * CURVE:
        half = CURVE // 2
        for k in range(half):
            for c in range(4):
                curves[k, c] = curves[2 * k, c] + curves[2 * k + 1, c]
        for k in range(half, CURVE):
            for c in range(4):
                curves[k, c] = 0.0
        span *= 2.0
    first, final = int(last / span), min(int(now / span), CURVE - 1)
    for k in range(first, final + 1):
        there = min(now, (k + 1) * span) - max(last, k * span)
        curves[k, 0] += there * tally[WAIT]
        curves[k, 1] += there * tally[RUN]
        curves[k, 2] += there * tally[BLOCKS]
        curves[k, 3] += there * tally[WORK]
    return span
