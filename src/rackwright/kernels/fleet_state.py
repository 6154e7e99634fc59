"""State of a simulated fleet: one row of whole numbers for each request, replica and cached run.

Rows lie together in memory, so that an event touches few cache lines. Functions of the fleet take
the `State` and change it in place; nothing outside of one simulation sees it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.kernels.compiled import compiled

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
OLD_FIRST, OLD_LAST, STEPS, USED, DIRTY, LOAD, REPLICA_COLUMNS = 15, 16, 17, 18, 19, 20, 21
"""Line of unused runs, least recently used first; steps done; blocks in use, as last counted; to be
planned; requests that it has, waiting or running."""

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


class State(NamedTuple):
    """All that changes while a fleet is simulated."""

    requests: Table  # (N, COLUMNS)
    stamps: Array  # (N, STAMPS)
    replicas: Table  # (R, REPLICA_COLUMNS)
    times: Array  # (R, TIMES)
    runs: Table  # (shared runs × R + own runs, RUN_COLUMNS)
    phases: Table  # (R, block tokens): requests that decode, by KEY modulo the block
    ends: Table  # (R, most requests): heap of requests by FINISH
    batch: Table  # (R, most requests): requests whose prompts are in the step
    chain: Whole  # shared runs of all requests, one after another
    shared_runs: int
    span: int  # blocks of a shared run
    caching: bool


@compiled
def push_last(s: State, r: int, i: int, first: int, last: int) -> None:
    """Put a request at the end of a replica's line."""
    tail = s.replicas[r, last]
    s.requests[i, PREV], s.requests[i, NEXT] = tail, NONE
    if tail == NONE:
        s.replicas[r, first] = i
    else:
        s.requests[tail, NEXT] = i
    s.replicas[r, last] = i


@compiled
def push_first(s: State, r: int, i: int, first: int, last: int) -> None:
    """Put a request at the front of a replica's line."""
    head = s.replicas[r, first]
    s.requests[i, PREV], s.requests[i, NEXT] = NONE, head
    if head == NONE:
        s.replicas[r, last] = i
    else:
        s.requests[head, PREV] = i
    s.replicas[r, first] = i


@compiled
def take_out(s: State, r: int, i: int, first: int, last: int) -> None:
    """Take a request out of a replica's line."""
    before, after = s.requests[i, PREV], s.requests[i, NEXT]
    if before == NONE:
        s.replicas[r, first] = after
    else:
        s.requests[before, NEXT] = after
    if after == NONE:
        s.replicas[r, last] = before
    else:
        s.requests[after, PREV] = before


@compiled
def heap_push(s: State, r: int, i: int, size: int) -> None:
    """Put a request into the heap of ends of a replica that holds `size` of them."""
    _rise(s, r, i, size)


@compiled
def heap_remove(s: State, r: int, i: int, size: int) -> None:
    """Take a request out of the heap of ends, which holds `size` of them."""
    at = s.requests[i, PLACE]
    other = s.ends[r, size - 1]
    if other == i:
        return
    if at > 0 and _before(s, other, s.ends[r, (at - 1) // 2]):
        _rise(s, r, other, at)
        return
    last = size - 1
    while True:
        child = 2 * at + 1
        if child >= last:
            break
        if child + 1 < last and _before(s, s.ends[r, child + 1], s.ends[r, child]):
            child += 1
        if not _before(s, s.ends[r, child], other):
            break
        s.ends[r, at] = s.ends[r, child]
        s.requests[s.ends[r, at], PLACE] = at
        at = child
    s.ends[r, at] = other
    s.requests[other, PLACE] = at


@compiled
def _rise(s: State, r: int, i: int, at: int) -> None:
    while at > 0:
        above = s.ends[r, (at - 1) // 2]
        if not _before(s, i, above):
            break
        s.ends[r, at] = above
        s.requests[above, PLACE] = at
        at = (at - 1) // 2
    s.ends[r, at] = i
    s.requests[i, PLACE] = at


@compiled
def _before(s: State, i: int, j: int) -> bool:
    a, b = s.requests[i, FINISH], s.requests[j, FINISH]
    before: bool = a < b or (a == b and i < j)
    return before


@compiled
def blocks_of(tokens: int, size: int) -> int:
    """Return the blocks that tokens take."""
    return (tokens + size - 1) // size
