"""Cache memory of a replica: blocks with a prefix that others may use again, and blocks without.

A prompt's beginning that other requests name too is a chain of shared runs, each some blocks long
and kept or dropped as one; the rest of a request is its own run, which only it can find again, when
it was preempted. Runs that nobody holds stay until their blocks are needed; the one longest unused
goes first, an own run from its end.
"""

from __future__ import annotations

from rackwright.kernels.compiled import inlined
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
    Sizes,
    Table,
    Whole,
)


@inlined
def own_run(asks: Table, reps: Table, z: Sizes, r: int, i: int, apart: bool) -> int:
    """Return the index of a request's own run; the decode pool has its own, after the others."""
    n = asks.shape[0]
    run: int = z.shared * reps.shape[0] + i + (n if apart else 0)
    return run


@inlined
def found(
    asks: Table, runs: Table, chain: Whole, z: Sizes, r: int, i: int, own: int, size: int
) -> tuple[int, int, int, int]:
    """Return what of a request a replica has in its cache.

    Returns:
        Shared runs, blocks of its own run, tokens of both that need no computing (the last one of
        the prompt always does), and blocks among them that nobody holds.
    """
    links, at, base = asks[i, LINKS], asks[i, CHAIN], r * z.shared
    shared, idle, kept = 0, 0, 0
    while shared < links:
        run = base + chain[at + shared]
        if runs[run, HAVE] == 0:
            break
        if runs[run, REFS] == 0:
            idle += z.span
        shared += 1
    if shared == links and z.caching:
        kept = runs[own, HAVE]
        idle += kept
    most = (asks[i, TARGET] - 1) // size * size
    return shared, kept, min((shared * z.span + kept) * size, most), idle


@inlined
def hold(
    asks: Table,
    reps: Table,
    runs: Table,
    chain: Whole,
    z: Sizes,
    r: int,
    i: int,
    own: int,
    shared: int,
    kept: int,
) -> None:
    """Hold what was found."""
    base, at = r * z.shared, asks[i, CHAIN]
    for k in range(shared):
        run = base + chain[at + k]
        if runs[run, REFS] == 0:
            _out_of_line(reps, runs, r, run)
            reps[r, IDLE_BLOCKS] -= z.span
        runs[run, REFS] += 1
    asks[i, SHARED] = shared
    if kept > 0:
        _out_of_line(reps, runs, r, own)
        reps[r, IDLE_BLOCKS] -= kept
        runs[own, HAVE] = 0
    asks[i, OWN] = kept


@inlined
def allocate(reps: Table, runs: Table, z: Sizes, r: int, blocks: int) -> None:
    """Take blocks: empty ones first, then of the runs longest unused."""
    while reps[r, FREE] < blocks:
        run = reps[r, OLD_FIRST]
        have = runs[run, HAVE]
        taken = have
        if run >= z.shared * reps.shape[0]:
            taken = min(have, blocks - reps[r, FREE])
        runs[run, HAVE] = have - taken
        reps[r, FREE] += taken
        reps[r, IDLE_BLOCKS] -= taken
        if taken == have:
            _out_of_line(reps, runs, r, run)
    reps[r, FREE] -= blocks


@inlined
def publish(
    asks: Table,
    reps: Table,
    runs: Table,
    chain: Whole,
    z: Sizes,
    r: int,
    i: int,
    tokens: int,
    size: int,
) -> None:
    """Let others find the shared runs that are whole once a request's first tokens are computed.

    A run that another request computed meanwhile is held, and the own copy given back.
    """
    links, base = asks[i, LINKS], r * z.shared
    while asks[i, SHARED] < links:
        shared = asks[i, SHARED]
        if (shared + 1) * z.span * size > tokens:
            break
        run = base + chain[asks[i, CHAIN] + shared]
        if runs[run, HAVE] == 0:
            runs[run, HAVE] = z.span
        else:
            reps[r, FREE] += z.span
            if runs[run, REFS] == 0:
                _out_of_line(reps, runs, r, run)
                reps[r, IDLE_BLOCKS] -= z.span
        runs[run, REFS] += 1
        asks[i, OWN] -= z.span
        asks[i, SHARED] = shared + 1


@inlined
def release(
    asks: Table,
    reps: Table,
    runs: Table,
    chain: Whole,
    z: Sizes,
    r: int,
    i: int,
    own: int,
    size: int,
) -> None:
    """Give back all blocks of a request; what is whole of its runs stays to be found again."""
    held, shared = asks[i, OWN], asks[i, SHARED]
    whole = 0
    if z.caching and shared == asks[i, LINKS]:
        whole = min(max(asks[i, CONTEXT] // size - shared * z.span, 0), held)
    if whole > 0:
        runs[own, HAVE] = whole
        _into_line(reps, runs, r, own)
        reps[r, IDLE_BLOCKS] += whole
    reps[r, FREE] += held - whole
    asks[i, OWN], asks[i, SHARED] = 0, 0
    base, at = r * z.shared, asks[i, CHAIN]
    for k in range(shared - 1, -1, -1):
        run = base + chain[at + k]
        runs[run, REFS] -= 1
        if runs[run, REFS] == 0:
            _into_line(reps, runs, r, run)
            reps[r, IDLE_BLOCKS] += z.span


@inlined
def _into_line(reps: Table, runs: Table, r: int, run: int) -> None:
    last = reps[r, OLD_LAST]
    runs[run, OLDER], runs[run, NEWER] = last, NONE
    if last == NONE:
        reps[r, OLD_FIRST] = run
    else:
        runs[last, NEWER] = run
    reps[r, OLD_LAST] = run


@inlined
def _out_of_line(reps: Table, runs: Table, r: int, run: int) -> None:
    older, newer = runs[run, OLDER], runs[run, NEWER]
    if older == NONE:
        reps[r, OLD_FIRST] = newer
    else:
        runs[older, NEWER] = newer
    if newer == NONE:
        reps[r, OLD_LAST] = older
    else:
        runs[newer, OLDER] = older
