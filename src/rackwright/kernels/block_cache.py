"""Cache memory of a replica: blocks with a prefix that others may use again, and blocks without.

A prompt's beginning that other requests name too is a chain of shared runs, each some blocks long
and kept or dropped as one; the rest of a request is its own run, which only it can find again, when
it was preempted. Runs that nobody holds stay until their blocks are needed; the one longest unused
goes first, an own run from its end.
"""

from __future__ import annotations

from rackwright.kernels.compiled import compiled
from rackwright.kernels.fleet_state import (
    CHAIN,
    CONTEXT,
    FREE,
    HAVE,
    IDLE_BLOCKS,
    LINKS,
    NEWER,
    NONE,
    OLD_FIRST,
    OLD_LAST,
    OLDER,
    OWN,
    REFS,
    SHARED,
    TARGET,
    State,
)


@compiled
def own_run(s: State, r: int, i: int, apart: bool) -> int:
    """Return the index of a request's own run; the decode pool has its own, after the others."""
    n = s.requests.shape[0]
    run: int = s.shared_runs * s.replicas.shape[0] + i + (n if apart else 0)
    return run


@compiled
def found(s: State, r: int, i: int, own: int, size: int) -> tuple[int, int, int, int]:
    """Return what of a request a replica has in its cache.

    Returns:
        Shared runs, blocks of its own run, tokens of both that need no computing (the last one of
        the prompt always does), and blocks among them that nobody holds.
    """
    links, at, base = s.requests[i, LINKS], s.requests[i, CHAIN], r * s.shared_runs
    shared, idle, kept = 0, 0, 0
    while shared < links:
        run = base + s.chain[at + shared]
        if s.runs[run, HAVE] == 0:
            break
        if s.runs[run, REFS] == 0:
            idle += s.span
        shared += 1
    if shared == links and s.caching:
        kept = s.runs[own, HAVE]
        idle += kept
    most = (s.requests[i, TARGET] - 1) // size * size
    return shared, kept, min((shared * s.span + kept) * size, most), idle


@compiled
def hold(s: State, r: int, i: int, own: int, shared: int, kept: int) -> None:
    """Hold what was found."""
    base, at = r * s.shared_runs, s.requests[i, CHAIN]
    for k in range(shared):
        run = base + s.chain[at + k]
        if s.runs[run, REFS] == 0:
            _out_of_line(s, r, run)
            s.replicas[r, IDLE_BLOCKS] -= s.span
        s.runs[run, REFS] += 1
    s.requests[i, SHARED] = shared
    if kept > 0:
        _out_of_line(s, r, own)
        s.replicas[r, IDLE_BLOCKS] -= kept
        s.runs[own, HAVE] = 0
    s.requests[i, OWN] = kept


@compiled
def allocate(s: State, r: int, blocks: int) -> None:
    """Take blocks: empty ones first, then of the runs longest unused."""
    while s.replicas[r, FREE] < blocks:
        run = s.replicas[r, OLD_FIRST]
        have = s.runs[run, HAVE]
        taken = have
        if run >= s.shared_runs * s.replicas.shape[0]:
            taken = min(have, blocks - s.replicas[r, FREE])
        s.runs[run, HAVE] = have - taken
        s.replicas[r, FREE] += taken
        s.replicas[r, IDLE_BLOCKS] -= taken
        if taken == have:
            _out_of_line(s, r, run)
    s.replicas[r, FREE] -= blocks


@compiled
def publish(s: State, r: int, i: int, tokens: int, size: int) -> None:
    """Let others find the shared runs that are whole once a request's first tokens are computed.

    A run that another request computed meanwhile is held, and the own copy given back.
    """
    links, base = s.requests[i, LINKS], r * s.shared_runs
    while s.requests[i, SHARED] < links:
        shared = s.requests[i, SHARED]
        if (shared + 1) * s.span * size > tokens:
            break
        run = base + s.chain[s.requests[i, CHAIN] + shared]
        if s.runs[run, HAVE] == 0:
            s.runs[run, HAVE] = s.span
        else:
            s.replicas[r, FREE] += s.span
            if s.runs[run, REFS] == 0:
                _out_of_line(s, r, run)
                s.replicas[r, IDLE_BLOCKS] -= s.span
        s.runs[run, REFS] += 1
        s.requests[i, OWN] -= s.span
        s.requests[i, SHARED] = shared + 1


@compiled
def release(s: State, r: int, i: int, own: int, size: int) -> None:
    """Give back all blocks of a request; what is whole of its runs stays to be found again."""
    held, shared = s.requests[i, OWN], s.requests[i, SHARED]
    whole = 0
    if s.caching and shared == s.requests[i, LINKS]:
        whole = min(max(s.requests[i, CONTEXT] // size - shared * s.span, 0), held)
    if whole > 0:
        s.runs[own, HAVE] = whole
        _into_line(s, r, own)
        s.replicas[r, IDLE_BLOCKS] += whole
    s.replicas[r, FREE] += held - whole
    s.requests[i, OWN], s.requests[i, SHARED] = 0, 0
    base, at = r * s.shared_runs, s.requests[i, CHAIN]
    for k in range(shared - 1, -1, -1):
        run = base + s.chain[at + k]
        s.runs[run, REFS] -= 1
        if s.runs[run, REFS] == 0:
            _into_line(s, r, run)
            s.replicas[r, IDLE_BLOCKS] += s.span


@compiled
def _into_line(s: State, r: int, run: int) -> None:
    last = s.replicas[r, OLD_LAST]
    s.runs[run, OLDER], s.runs[run, NEWER] = last, NONE
    if last == NONE:
        s.replicas[r, OLD_FIRST] = run
    else:
        s.runs[last, NEWER] = run
    s.replicas[r, OLD_LAST] = run


@compiled
def _out_of_line(s: State, r: int, run: int) -> None:
    older, newer = s.runs[run, OLDER], s.runs[run, NEWER]
    if older == NONE:
        s.replicas[r, OLD_FIRST] = newer
    else:
        s.runs[older, NEWER] = newer
    if newer == NONE:
        s.replicas[r, OLD_LAST] = older
    else:
        s.runs[newer, OLDER] = older
