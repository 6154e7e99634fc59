"""State of a simulated fleet: one row of whole numbers for each request, replica and cached run.

Rows lie together in memory, so that an event touches few cache lines. Functions of the fleet take
the tables and change them in place; nothing outside of one simulation sees them. The tables come
one by one: numba counts references to arrays that lie in a tuple, at 100 ns a call.

    asks    (N, COLUMNS)            requests
    reps    (R + 1, PHASES + ...)   replicas; the last row is the one line for all
    runs    (..., RUN_COLUMNS)      cached runs: R + 1 times the shared ones, then own ones
    clock   (R, TIMES)              steps in flight
    stamps  (N, STAMPS)             when something happened to a request
    chain   (...,)                  shared runs of all requests, one after another
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.kernels.compiled import inlined

Array = NDArray[np.float64]
Whole = NDArray[np.int64]
Table = NDArray[np.int64]

NONE = -1
"""No such request, replica or run."""

# columns of a request
INPUT, OUTPUT, CONTEXT, MADE, TARGET, OWN, SHARED, CHAIN, LINKS = 0, 1, 2, 3, 4, 5, 6, 7, 8
"""Tokens asked and to say, in the cache, said, to compute; blocks held alone; shared runs held;
where its chain begins, and how many shared runs are in it."""
PREV, NEXT, KEY, FINISH, PLACE, TAKEN, CARRIED, AT = 9, 10, 11, 12, 13, 14, 15, 16
"""Neighbours in a line; context less the replica's decode steps; the decode step that says its last
token, and its place in the heap of those; tokens in this step; its cache came from another pool;
its replica."""
PREEMPTIONS, HIT, OUTCOME, COLUMNS = 17, 18, 19, 20

# columns of a replica
COUNT, DECODING, PARTIAL, FREE, IDLE_BLOCKS, DECODED, SUM, AHEAD = 0, 1, 2, 3, 4, 5, 6, 7
"""Requests that run, that decode; the one whose prompt is begun; blocks with nothing in them, with
something that nobody uses; decode steps so far; sum of the keys that decode; steps in flight."""
RUN_FIRST, RUN_LAST, WAIT_FIRST, WAIT_LAST, WAITING, BACKLOG, BATCH = 8, 9, 10, 11, 12, 13, 14
"""Lines of requests that run and that wait; how many wait; prompt tokens that wait; requests whose
prompts are in this step."""
OLD_FIRST, OLD_LAST, STEPS, USED, DIRTY, LOAD, PHASES = 15, 16, 17, 18, 19, 20, 21
"""Line of unused runs, least recently used first; steps done; blocks in use, as last counted; to be
planned; requests that it has, waiting or running; from there on, how many decode by KEY modulo the
block, then the heap of ends, then the requests whose prompts are in the step."""

BEGAN, END, BUSY, FIRST_S, SLOPE_S, BEND_S, LINK, TIMES = 0, 1, 2, 3, 4, 5, 6, 7
"""Of a replica's steps in flight: when they began and end; time busy so far; the parabola of their
times; when its link to the other pool is free."""

SCHEDULED, FIRST, FINISHED, ARRIVED, STAMPS = 0, 1, 2, 3, 4
"""Of a request [s]."""

OLDER, NEWER, REFS, HAVE, RUN_COLUMNS = 0, 1, 2, 3, 4
"""Of a cached run of blocks: neighbours among the unused ones; requests that hold it; blocks."""


class Limits(NamedTuple):
    """What an engine keeps to."""

    requests: int  # that run at once
    tokens: int  # in a step, decoded and prefilled together
    blocks: int  # of cache memory
    block_tokens: int
    whole_prompt: bool = False  # a prompt is begun only where blocks for all of it are free


SERVED, TOO_LONG, EMPTY = 0, 1, 2
"""Outcomes: answered; longer than the whole cache; no prompt is given or no output asked for."""

ROUND_ROBIN, LEAST_LOADED, PREFIX_AWARE, ONE_LINE = 0, 1, 2, 3
"""Routes: in turn; to the fewest requests; to the least prompt still to be computed there, what its
cache holds left out; one line for all, from which a replica takes when it has room."""


class Fleet(NamedTuple):
    """Replicas of one or two kinds and how requests find them."""

    prefill: int  # replicas that only prefill; 0: every replica does both
    replicas: int  # the others
    route: int
    caching: bool
    moved_s: float  # of a request's cache to the other pool, fixed
    moved_each_s: float  # per token; one request at a time on each replica's link


class Sizes(NamedTuple):
    """What does not change while a fleet is simulated."""

    block_tokens: int
    shared: int  # runs that several requests begin with; each replica has a row for each
    span: int  # blocks of such a run
    ends: int  # where in a replica's row its heap of ends begins
    batch: int  # and its requests whose prompts are in the step
    caching: bool


@inlined
def push_last(asks: Table, reps: Table, r: int, i: int, first: int, last: int) -> None:
    """Put a request at the end of a replica's line."""
    tail = reps[r, last]
    asks[i, PREV], asks[i, NEXT] = tail, NONE
    if tail == NONE:
        reps[r, first] = i
    else:
        asks[tail, NEXT] = i
    reps[r, last] = i


@inlined
def push_first(asks: Table, reps: Table, r: int, i: int, first: int, last: int) -> None:
    """Put a request at the front of a replica's line."""
    head = reps[r, first]
    asks[i, PREV], asks[i, NEXT] = NONE, head
    if head == NONE:
        reps[r, last] = i
    else:
        asks[head, PREV] = i
    reps[r, first] = i


@inlined
def take_out(asks: Table, reps: Table, r: int, i: int, first: int, last: int) -> None:
    """Take a request out of a replica's line."""
    before, after = asks[i, PREV], asks[i, NEXT]
    if before == NONE:
        reps[r, first] = after
    else:
        asks[before, NEXT] = after
    if after == NONE:
        reps[r, last] = before
    else:
        asks[after, PREV] = before


@inlined
def heap_push(asks: Table, reps: Table, z: Sizes, r: int, i: int, size: int) -> None:
    """Put a request into the heap of ends of a replica that holds `size` of them."""
    _rise(asks, reps, z, r, i, size)


@inlined
def heap_remove(asks: Table, reps: Table, z: Sizes, r: int, i: int, size: int) -> None:
    """Take a request out of the heap of ends, which holds `size` of them."""
    at = asks[i, PLACE]
    other = reps[r, z.ends + size - 1]
    if other == i:
        return
    if at > 0 and _before(asks, other, reps[r, z.ends + (at - 1) // 2]):
        _rise(asks, reps, z, r, other, at)
        return
    last = size - 1
    while True:
        child = 2 * at + 1
        if child >= last:
            break
        if child + 1 < last and _before(asks, reps[r, z.ends + child + 1], reps[r, z.ends + child]):
            child += 1
        if not _before(asks, reps[r, z.ends + child], other):
            break
        reps[r, z.ends + at] = reps[r, z.ends + child]
        asks[reps[r, z.ends + at], PLACE] = at
        at = child
    reps[r, z.ends + at] = other
    asks[other, PLACE] = at


@inlined
def _rise(asks: Table, reps: Table, z: Sizes, r: int, i: int, at: int) -> None:
    while at > 0:
        above = reps[r, z.ends + (at - 1) // 2]
        if not _before(asks, i, above):
            break
        reps[r, z.ends + at] = above
        asks[above, PLACE] = at
        at = (at - 1) // 2
    reps[r, z.ends + at] = i
    asks[i, PLACE] = at


@inlined
def _before(asks: Table, i: int, j: int) -> bool:
    a, b = asks[i, FINISH], asks[j, FINISH]
    before: bool = a < b or (a == b and i < j)
    return before


@inlined
def blocks_of(tokens: int, size: int) -> int:
    """Return the blocks that tokens take."""
    return (tokens + size - 1) // size
