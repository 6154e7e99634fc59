"""A fleet that serves requests one by one: replicas, a router, and what becomes of each request.

Between an arrival, an admission, an end and a full cache nothing changes but that every context
grows by a token a step: those steps are summed at once. `replica` is one engine, `block_cache` its
memory; a plain loop over every step is the reference in the tests.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.kernels.block_cache import found, own_run, release
from rackwright.kernels.compiled import compiled
from rackwright.kernels.fleet_state import (
    ARRIVED,
    AT,
    BACKLOG,
    BUSY,
    CARRIED,
    CHAIN,
    COLUMNS,
    COUNT,
    DIRTY,
    END,
    FINISHED,
    FIRST,
    FREE,
    HIT,
    IDLE_BLOCKS,
    INPUT,
    LINK,
    LINKS,
    LOAD,
    NONE,
    OLD_FIRST,
    OLD_LAST,
    OUTCOME,
    OUTPUT,
    PARTIAL,
    PREEMPTIONS,
    REPLICA_COLUMNS,
    RUN_COLUMNS,
    RUN_FIRST,
    RUN_LAST,
    SCHEDULED,
    STAMPS,
    STEPS,
    TARGET,
    TIMES,
    USED,
    WAIT_FIRST,
    WAIT_LAST,
    WAITING,
    Limits,
    State,
    blocks_of,
    push_first,
    push_last,
    take_out,
)
from rackwright.kernels.replica import enqueue, plan, shorten, take
from rackwright.kernels.serving import StepTerms

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

SERVED, TOO_LONG, EMPTY = 0, 1, 2
"""Outcomes: answered; longer than the whole cache; no prompt is given or no output asked for."""

ROUND_ROBIN, LEAST_LOADED, PREFIX_AWARE, ONE_LINE = 0, 1, 2, 3
"""Routes: in turn; to the fewest requests; to the least prompt still to be computed there, what its
cache holds left out; one line for all, from which a replica takes when it has room."""

CURVE = 256
"""Spans of the curves over time."""


class Fleet(NamedTuple):
    """Replicas of one or two kinds and how requests find them."""

    prefill: int  # replicas that only prefill; 0: every replica does both
    replicas: int  # the others
    route: int
    caching: bool
    moved_s: float  # of a request's cache to the other pool, fixed
    moved_each_s: float  # per token; one request at a time on each replica's link


class Requests(NamedTuple):
    """What is asked; with clients, the arrivals are thinking times."""

    arrivals: Array  # (N,) [s], sorted; with clients: from an answer to the next request
    inputs: Whole  # (N,) tokens
    outputs: Whole
    links: Whole  # (N,) shared runs at the beginning of each prompt
    chain: Whole  # their numbers, request after request
    run_tokens: int  # of a shared run: whole blocks
    clients: int  # that ask the requests in turn, each after its last answer; 0: as they arrive


class Served(NamedTuple):
    """What became of each request; times in seconds on the clock of the arrivals."""

    arrived: Array
    scheduled: Array  # when its prefill began, the first time
    first: Array  # its first token; where another pool decodes, when its cache is there
    finished: Array
    outcome: Whole
    preemptions: Whole
    hit: Whole  # prompt tokens found in a cache, when computed again too
    replica: Whole  # that answered last
    steps: Whole  # (R,) of each engine
    busy: Array  # (R,) [s]
    curves: Array  # (CURVE, 4) sums over spans [s]: waiting, running, blocks used, replicas busy
    span_s: float  # of time


def alone(arrivals: Array, inputs: Whole, outputs: Whole) -> Requests:
    """Return requests that share no beginning."""
    none = np.zeros(inputs.size, dtype=np.int64)
    return Requests(arrivals, inputs, outputs, none, none[:0], 0, 0)


def simulate(
    t: StepTerms, arrivals: Array, inputs: Whole, outputs: Whole, limits: Limits, fast: bool = True
) -> Served:
    """Return what becomes of requests at one replica without a prefix cache.

    Args:
        t: terms of the replica's step.
        arrivals: (N,) [s], sorted.
        inputs, outputs: (N,) tokens.
        limits: of the engine.
        fast: False: every step by itself.
    """
    fleet = Fleet(0, 1, ROUND_ROBIN, False, 0.0, 0.0)
    return simulate_fleet(t, t, alone(arrivals, inputs, outputs), limits, limits, fleet, fast)


@compiled
def simulate_fleet(
    t: StepTerms,
    t_prefill: StepTerms,
    asked: Requests,
    limits: Limits,
    limits_prefill: Limits,
    fleet: Fleet,
    fast: bool,
) -> Served:
    """Return what becomes of requests at a fleet.

    Args:
        t: terms of the step of a replica that decodes.
        t_prefill: of one that only prefills.
        asked: the requests.
        limits, limits_prefill: of their engines; blocks are of one size in both.
        fleet: how many of each, and the route.
        fast: False: every step by itself.

    Notes:
        At one instant steps end first, then caches arrive from the other pool, then requests
        arrive and find a replica, then replicas plan. A request longer than all blocks of a
        replica is refused on arrival. Caches go to the decoding replica with the fewest requests,
        or in turn where the route is in turn.
    """
    n = asked.inputs.size
    s = _state(asked, limits, limits_prefill, fleet)
    _outcomes(s, limits, limits_prefill, fleet)
    total, pool = fleet.prefill + fleet.replicas, fleet.prefill
    front = pool if pool > 0 else total  # replicas that new requests go to
    due = np.empty(2 * n + 2)  # heap of what comes: arrivals of clients, caches on their way
    who = np.empty((2 * n + 2, 2), dtype=np.int64)
    size, coming, upcoming, issued, turn, turn_decode = limits.block_tokens, 0, 0, 0, 0, 0
    done = np.empty(max(limits.requests, limits_prefill.requests) + 1, dtype=np.int64)
    if asked.clients > 0:
        while issued < min(asked.clients, n):
            coming = _later(due, who, coming, asked.arrivals[issued], issued, 0)
            issued += 1
        upcoming = n
    curves, span, last = np.zeros((CURVE, 4)), 0.0, 0.0
    waiting, running, used, busy = 0, 0, 0, 0
    line = total  # row of the one line
    while True:
        now = np.inf
        if upcoming < n:
            now = asked.arrivals[upcoming]
        if coming > 0:
            now = min(now, due[0])
        for r in range(total):
            now = min(now, s.times[r, END])
        if now == np.inf:
            break
        if now > last:
            span = _count(curves, span, last, now, waiting, running, used, busy)
            last = now
        for r in range(total):
            if s.times[r, END] != now:
                continue
            first = r < pool
            left = take(s, r, limits_prefill if first else limits, first, done)
            s.replicas[r, DIRTY] = 1
            busy -= 1
            running -= left
            for k in range(left):
                i = done[k]
                if first and s.requests[i, OUTPUT] > 1:  # its cache goes to the other pool
                    begin = max(s.times[r, LINK], now)
                    s.times[r, LINK] = begin + fleet.moved_each_s * s.requests[i, INPUT]
                    coming = _later(due, who, coming, s.times[r, LINK] + fleet.moved_s, i, 1)
                    continue
                s.stamps[i, FINISHED] = now
                release(s, r, i, own_run(s, r, i, pool > 0 and not first), size)
                if asked.clients > 0 and issued < n:
                    coming = _later(due, who, coming, now + asked.arrivals[issued], issued, 0)
                    issued += 1
        while coming > 0 and due[0] <= now or upcoming < n and asked.arrivals[upcoming] <= now:
            if coming > 0 and due[0] <= now:
                i, moved = who[0, 0], who[0, 1] == 1
                coming = _pop(due, who, coming)
            else:
                i, moved = upcoming, False
                upcoming += 1
            if moved:
                r = s.requests[i, AT]
                release(s, r, i, own_run(s, r, i, False), size)
                s.replicas[r, DIRTY] = 1
                s.stamps[i, FIRST] = now
                s.requests[i, CARRIED] = 1
                if fleet.route == ROUND_ROBIN:
                    r = pool + turn_decode % fleet.replicas
                    turn_decode += 1
                else:
                    r = _least(s, pool, total)
            else:
                s.stamps[i, ARRIVED] = now
                if s.requests[i, OUTCOME] != SERVED:
                    if asked.clients > 0 and issued < n:
                        coming = _later(due, who, coming, now + asked.arrivals[issued], issued, 0)
                        issued += 1
                    continue
                if fleet.route == ONE_LINE:
                    push_last(s, line, i, WAIT_FIRST, WAIT_LAST)
                    s.replicas[line, WAITING] += 1
                    waiting += 1
                    continue
                if fleet.route == ROUND_ROBIN:
                    r = turn % front
                    turn += 1
                elif fleet.route == LEAST_LOADED:
                    r = _least(s, 0, front)
                else:
                    r = _nearest(s, front, i, size)
            s.requests[i, AT] = r
            most = limits_prefill.requests if r < pool else limits.requests
            if s.replicas[r, WAITING] == 0 and s.replicas[r, COUNT] < most:
                shorten(s, r, now)
            enqueue(s, r, i)
            waiting += 1
            if s.times[r, END] == np.inf:
                s.replicas[r, DIRTY] = 1
        if fleet.route == ONE_LINE and s.replicas[line, WAITING] > 0:
            for r in range(front):
                if s.times[r, END] == np.inf:
                    s.replicas[r, DIRTY] = 1
        for r in range(total):
            if s.replicas[r, DIRTY] == 0:
                continue
            s.replicas[r, DIRTY] = 0
            if s.times[r, END] != np.inf:
                continue
            first = r < pool
            bound = limits_prefill if first else limits
            before, count = s.replicas[r, WAITING] + s.replicas[line, WAITING], s.replicas[r, COUNT]
            if fleet.route == ONE_LINE and r < front:
                _draw(s, line, r, bound)
            evict = fleet.route != PREFIX_AWARE or total == 1 or r >= front
            plan(s, r, now, t_prefill if first else t, bound, pool > 0 and not first, fast, evict)
            if fleet.route == ONE_LINE and r < front:
                _give_back(s, line, r)
            waiting += s.replicas[r, WAITING] + s.replicas[line, WAITING] - before
            running += s.replicas[r, COUNT] - count
            if s.times[r, END] != np.inf:
                busy += 1
            in_use = bound.blocks - s.replicas[r, FREE] - s.replicas[r, IDLE_BLOCKS]
            used += in_use - s.replicas[r, USED]
            s.replicas[r, USED] = in_use
        if fleet.route == ONE_LINE and s.replicas[line, WAITING] > 0:
            for r in range(front):
                most = limits_prefill.requests if r < pool else limits.requests
                if s.times[r, END] != np.inf and s.replicas[r, COUNT] < most:
                    shorten(s, r, now)
    stamps = s.stamps
    return Served(
        stamps[:, ARRIVED].copy(),
        stamps[:, SCHEDULED].copy(),
        stamps[:, FIRST].copy(),
        stamps[:, FINISHED].copy(),
        s.requests[:, OUTCOME].copy(),
        s.requests[:, PREEMPTIONS].copy(),
        s.requests[:, HIT].copy(),
        s.requests[:, AT].copy(),
        s.replicas[:total, STEPS].copy(),
        s.times[:total, BUSY].copy(),
        curves,
        span,
    )


@compiled
def _state(asked: Requests, limits: Limits, limits_prefill: Limits, fleet: Fleet) -> State:
    """Return an empty fleet; the last replica's row is the one line."""
    n, total = asked.inputs.size, fleet.prefill + fleet.replicas
    size, shared = limits.block_tokens, 0
    if fleet.caching and asked.chain.size > 0:
        shared = asked.chain.max() + 1
    requests = np.zeros((n, COLUMNS), dtype=np.int64)
    at = 0
    for i in range(n):
        requests[i, INPUT], requests[i, OUTPUT] = asked.inputs[i], asked.outputs[i]
        requests[i, TARGET], requests[i, AT] = asked.inputs[i], NONE
        requests[i, CHAIN] = at
        requests[i, LINKS] = asked.links[i] if fleet.caching else 0
        at += asked.links[i]
    replicas = np.zeros((total + 1, REPLICA_COLUMNS), dtype=np.int64)
    for column in (PARTIAL, RUN_FIRST, RUN_LAST, WAIT_FIRST, WAIT_LAST, OLD_FIRST, OLD_LAST):
        replicas[:, column] = NONE
    for r in range(total):
        replicas[r, FREE] = limits_prefill.blocks if r < fleet.prefill else limits.blocks
    times = np.zeros((total, TIMES))
    times[:, END] = np.inf
    most = max(limits.requests, limits_prefill.requests) + 1
    return State(
        requests,
        np.full((n, STAMPS), np.nan),
        replicas,
        times,
        np.zeros((shared * (total + 1) + 2 * n, RUN_COLUMNS), dtype=np.int64),
        np.zeros((total, size), dtype=np.int64),
        np.zeros((total, most), dtype=np.int64),
        np.zeros((total, most), dtype=np.int64),
        asked.chain,
        shared,
        asked.run_tokens // size,
        fleet.caching,
    )


@compiled
def _outcomes(s: State, limits: Limits, limits_prefill: Limits, fleet: Fleet) -> None:
    """Set apart what cannot be served."""
    size = limits.block_tokens
    for i in range(s.requests.shape[0]):
        given, said = s.requests[i, INPUT], s.requests[i, OUTPUT]
        if given <= 0 or said <= 0:
            s.requests[i, OUTCOME] = EMPTY
        elif blocks_of(given + said, size) > limits.blocks:
            s.requests[i, OUTCOME] = TOO_LONG
        elif fleet.prefill > 0 and blocks_of(given, size) > limits_prefill.blocks:
            s.requests[i, OUTCOME] = TOO_LONG


@compiled
def _least(s: State, first: int, last: int) -> int:
    """Return the replica with the fewest requests, waiting or running."""
    best = first
    for r in range(first + 1, last):
        if s.replicas[r, LOAD] < s.replicas[best, LOAD]:
            best = r
    return best


@compiled
def _nearest(s: State, last: int, i: int, size: int) -> int:
    """Return the replica with the least prompt to compute, this one's included."""
    best, least, load = 0, np.int64(2**62), np.int64(0)
    for r in range(last):
        _, _, hit, _ = found(s, r, i, own_run(s, r, i, False), size)
        cost = s.replicas[r, BACKLOG] + s.requests[i, INPUT] - hit
        if cost < least or (cost == least and s.replicas[r, LOAD] < load):
            best, least, load = r, cost, s.replicas[r, LOAD]
    return best


@compiled
def _draw(s: State, line: int, r: int, limits: Limits) -> None:
    """Take from the one line what a replica has room for."""
    while s.replicas[r, COUNT] + s.replicas[r, WAITING] < limits.requests:
        i = s.replicas[line, WAIT_FIRST]
        if i == NONE:
            return
        take_out(s, line, i, WAIT_FIRST, WAIT_LAST)
        s.replicas[line, WAITING] -= 1
        s.requests[i, AT] = r
        enqueue(s, r, i)


@compiled
def _give_back(s: State, line: int, r: int) -> None:
    """Put back into the one line what a replica did not begin."""
    while s.replicas[r, WAITING] > 0:
        i = s.replicas[r, WAIT_LAST]
        if not math.isnan(s.stamps[i, SCHEDULED]):
            return
        take_out(s, r, i, WAIT_FIRST, WAIT_LAST)
        s.replicas[r, WAITING] -= 1
        s.replicas[r, LOAD] -= 1
        s.replicas[r, BACKLOG] -= s.requests[i, TARGET]
        push_first(s, line, i, WAIT_FIRST, WAIT_LAST)
        s.replicas[line, WAITING] += 1


@compiled
def _later(due: Array, who: NDArray[np.int64], size: int, at: float, i: int, moved: int) -> int:
    """Put what comes later into the heap; return its size."""
    k = size
    while k > 0 and due[(k - 1) // 2] > at:
        above = (k - 1) // 2
        due[k], who[k, 0], who[k, 1] = due[above], who[above, 0], who[above, 1]
        k = above
    due[k], who[k, 0], who[k, 1] = at, i, moved
    return size + 1


@compiled
def _pop(due: Array, who: NDArray[np.int64], size: int) -> int:
    """Take the first out of the heap of what comes; return its size."""
    last = size - 1
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
    return last


@compiled
def _count(
    curves: NDArray[np.float64],
    span: float,
    last: float,
    now: float,
    waiting: int,
    running: int,
    used: int,
    busy: int,
) -> float:
    """Add what was there since the last event; return the width of a span, doubled as needed."""
    if span == 0.0:
        span = max(now, 1e-9) / 8.0
    while now > span * CURVE:
        half = CURVE // 2
        for k in range(half):
            for c in range(4):
                curves[k, c] = curves[2 * k, c] + curves[2 * k + 1, c]
        curves[half:] = 0.0
        span *= 2.0
    first, final = int(last / span), min(int(now / span), CURVE - 1)
    for k in range(first, final + 1):
        there = min(now, (k + 1) * span) - max(last, k * span)
        curves[k, 0] += there * waiting
        curves[k, 1] += there * running
        curves[k, 2] += there * used
        curves[k, 3] += there * busy
    return span
