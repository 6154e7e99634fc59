"""A fleet that serves requests one by one: replicas, a router, and what becomes of each request.

Between an arrival, an admission, an end and a full cache nothing changes but that every context
grows by a token a step: those steps are summed at once. `replica` is one engine, `block_cache` its
memory; a plain loop over every step is the reference in the tests.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.kernels.compiled import compiled
from rackwright.kernels.fleet import CURVE, TALLIES, serve
from rackwright.kernels.fleet_state import (
    ARRIVED,
    AT,
    BUSY,
    CHAIN,
    COLUMNS,
    EMPTY,
    END,
    FINISHED,
    FIRST,
    FREE,
    HIT,
    INPUT,
    LINKS,
    NONE,
    OLD_FIRST,
    OLD_LAST,
    OUTCOME,
    OUTPUT,
    PARTIAL,
    PHASES,
    PREEMPTIONS,
    ROUND_ROBIN,
    RUN_COLUMNS,
    RUN_FIRST,
    RUN_LAST,
    SCHEDULED,
    STAMPS,
    STEPS,
    TARGET,
    TIMES,
    TOO_LONG,
    WAIT_FIRST,
    WAIT_LAST,
    Fleet,
    Limits,
    Sizes,
    Table,
    blocks_of,
)
from rackwright.kernels.serving import StepTerms

Array = NDArray[np.float64]
Whole = NDArray[np.int64]


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
    # one kind of number for each field, so that one compiled version serves all callers
    asked, n = _asked(asked), asked.inputs.size
    limits, limits_prefill = _limits(limits, n), _limits(limits_prefill, n)
    fleet = Fleet(
        int(fleet.prefill), int(fleet.replicas), int(fleet.route), bool(fleet.caching),
        float(fleet.moved_s), float(fleet.moved_each_s),
    )  # fmt: skip
    asks, reps, runs, clock, stamps, z = _state(asked, limits, limits_prefill, fleet)
    _outcomes(asks, limits, limits_prefill, fleet)
    most = max(limits.requests, limits_prefill.requests)
    curves = np.zeros((CURVE, 4))
    span = serve(
        asks, reps, runs, clock, stamps, asked.chain, z, t, t_prefill, asked.arrivals,
        asked.clients, limits, limits_prefill, fleet, fast, np.empty(2 * n + 2),
        np.empty((2 * n + 2, 2), dtype=np.int64), np.empty(most + 1, dtype=np.int64), curves,
        np.zeros(TALLIES, dtype=np.int64),
    )  # fmt: skip
    total = fleet.prefill + fleet.replicas
    return Served(
        stamps[:, ARRIVED].copy(),
        stamps[:, SCHEDULED].copy(),
        stamps[:, FIRST].copy(),
        stamps[:, FINISHED].copy(),
        asks[:, OUTCOME].copy(),
        asks[:, PREEMPTIONS].copy(),
        asks[:, HIT].copy(),
        asks[:, AT].copy(),
        reps[:total, STEPS].copy(),
        clock[:total, BUSY].copy(),
        curves,
        span,
    )


def _limits(limits: Limits, n: int) -> Limits:
    """Return limits as the kernel reads them; no more than n requests can run at once."""
    requests, tokens, blocks, size, whole = limits
    return Limits(max(min(int(requests), n), 1), int(tokens), int(blocks), int(size), bool(whole))


def _asked(asked: Requests) -> Requests:
    whole = np.int64
    return Requests(
        np.ascontiguousarray(asked.arrivals, dtype=np.float64),
        np.ascontiguousarray(asked.inputs, dtype=whole),
        np.ascontiguousarray(asked.outputs, dtype=whole),
        np.ascontiguousarray(asked.links, dtype=whole),
        np.ascontiguousarray(asked.chain, dtype=whole),
        int(asked.run_tokens),
        int(asked.clients),
    )


@compiled
def _state(
    asked: Requests, limits: Limits, limits_prefill: Limits, fleet: Fleet
) -> tuple[Table, Table, Table, Array, Array, Sizes]:
    """Return an empty fleet: its tables and their sizes."""
    n, total = asked.inputs.size, fleet.prefill + fleet.replicas
    size, shared = limits.block_tokens, 0
    if fleet.caching and asked.chain.size > 0:
        shared = asked.chain.max() + 1
    asks = np.zeros((n, COLUMNS), dtype=np.int64)
    at = 0
    for i in range(n):
        asks[i, INPUT], asks[i, OUTPUT] = asked.inputs[i], asked.outputs[i]
        asks[i, TARGET], asks[i, AT] = asked.inputs[i], NONE
        asks[i, CHAIN] = at
        asks[i, LINKS] = asked.links[i] if fleet.caching else 0
        at += asked.links[i]
    most = max(limits.requests, limits_prefill.requests) + 1
    reps = np.zeros((total + 1, PHASES + size + 2 * most), dtype=np.int64)
    for column in (PARTIAL, RUN_FIRST, RUN_LAST, WAIT_FIRST, WAIT_LAST, OLD_FIRST, OLD_LAST):
        reps[:, column] = NONE
    for r in range(total):
        reps[r, FREE] = limits_prefill.blocks if r < fleet.prefill else limits.blocks
    clock = np.zeros((total, TIMES))
    clock[:, END] = np.inf
    ends = PHASES + size
    z = Sizes(size, shared, asked.run_tokens // size, ends, ends + most, fleet.caching)
    runs = np.zeros((shared * (total + 1) + 2 * n, RUN_COLUMNS), dtype=np.int64)
    return asks, reps, runs, clock, np.full((n, STAMPS), np.nan), z


@compiled
def _outcomes(asks: Table, limits: Limits, limits_prefill: Limits, fleet: Fleet) -> None:
    """Set apart what cannot be served."""
    size = limits.block_tokens
    for i in range(asks.shape[0]):
        given, said = asks[i, INPUT], asks[i, OUTPUT]
        if given <= 0 or said <= 0:
            asks[i, OUTCOME] = EMPTY
        elif blocks_of(given + said, size) > limits.blocks or (
            fleet.prefill > 0 and blocks_of(given, size) > limits_prefill.blocks
        ):
            asks[i, OUTCOME] = TOO_LONG
