"""The request-level simulator: against a loop over every step, and against queueing theory."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rackwright.formats.trace import read_trace
from rackwright.kernels.fleet_state import (
    EMPTY,
    LEAST_LOADED,
    ONE_LINE,
    PREFIX_AWARE,
    ROUND_ROBIN,
    SERVED,
    TOO_LONG,
    Fleet,
    Limits,
)
from rackwright.kernels.prefix import shared_runs
from rackwright.kernels.serving import StepTerms, seconds_of, step_terms
from rackwright.kernels.simulator import Requests, simulate, simulate_fleet
from tests.kernels.inputs import MACHINE, SERVING, dense, sparse
from tests.kernels.plain_fleet import plain_fleet

MOONCAKE = Path(os.environ.get("RACKWRIGHT_DATA", "")) / "trace_mooncake_conversation.jsonl"
PLAN = np.array([1.0, 1.0, 1.0, 2048.0, 0.0, 0.0, 0.0])
SMALL = dense(layers=32.0, hidden=4096.0, ffn=14336.0)
TERMS = {"dense": step_terms(SMALL, MACHINE, SERVING, PLAN),
         "windows": step_terms(sparse(), MACHINE, SERVING, PLAN)}  # fmt: skip
TERMS["host"] = TERMS["dense"]._replace(request=2e-3, cache_context=1e-6)
"""The host's time is the longer with many requests, the accelerator's with long contexts."""


TIMES = ("arrived", "scheduled", "first", "finished")
COUNTS = ("outcome", "preemptions", "hit", "replica", "steps")


def requests(rng, clients=0, span=0, shared=0.7):
    """Requests at random; with a span their prompts begin with runs of a small tree."""
    n = int(rng.integers(1, 30))
    arrivals = rng.exponential(0.05, n)
    inputs, outputs = rng.integers(0, 300, n), rng.integers(0, 200, n)
    links, chain, names = np.zeros(n, dtype=np.int64), [], {}
    for i in range(n if span else 0):
        path = ()
        while rng.random() < shared and (len(path) + 1) * span <= inputs[i]:
            path = (*path, int(rng.integers(0, 2)))
            chain.append(names.setdefault(path, len(names)))
        links[i] = len(path)
    return Requests(arrivals if clients else arrivals.cumsum(), inputs, outputs, links,
                    np.array(chain, dtype=np.int64), span, clients)  # fmt: skip


def compare(t, t_prefill, asked, limits, limits_prefill, fleet):
    """The fleet from event to event, step by step, and told plainly, are the same."""
    plain = plain_fleet(t, t_prefill, asked, limits, limits_prefill, fleet)
    for fast in (True, False):
        got = simulate_fleet(t, t_prefill, asked, limits, limits_prefill, fleet, fast)
        for name in COUNTS:
            np.testing.assert_array_equal(getattr(got, name), plain[name], name)
        for name in (*TIMES, "busy"):
            np.testing.assert_allclose(getattr(got, name), plain[name], rtol=0, atol=1e-9)
    served = got.outcome == SERVED
    assert np.all(np.isfinite(got.finished[served]))
    assert np.isnan(got.finished[~served]).all()
    assert np.all(got.finished[served] >= got.first[served])
    assert np.all(got.scheduled[served] >= got.arrived[served])


@given(
    seed=st.integers(0, 10**6),
    model=st.sampled_from(["dense", "windows", "host"]),
    places=st.integers(1, 12),
    more=st.integers(0, 600),
    blocks=st.integers(8, 90),
    whole=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_one_replica_gives_what_a_loop_over_every_step_gives(
    seed, model, places, more, blocks, whole
):
    asked = requests(np.random.default_rng(seed))
    limits = Limits(places, places + more, blocks, 16, whole)
    compare(TERMS[model], TERMS[model], asked, limits, limits, Fleet(0, 1, 0, False, 0.0, 0.0))


@given(
    seed=st.integers(0, 10**6),
    replicas=st.integers(1, 3),
    prefill=st.integers(0, 2),
    route=st.sampled_from([ROUND_ROBIN, LEAST_LOADED, PREFIX_AWARE, ONE_LINE]),
    clients=st.integers(0, 9),
    places=st.integers(1, 8),
    more=st.integers(0, 300),
    blocks=st.integers(12, 70),
    span=st.sampled_from([0, 16, 48]),
    whole=st.booleans(),
)
@settings(max_examples=400, deadline=None)
def test_a_fleet_gives_what_a_loop_over_every_step_gives(
    seed, replicas, prefill, route, clients, places, more, blocks, span, whole
):
    rng = np.random.default_rng(seed)
    asked = requests(rng, clients, span)
    limits = Limits(places, places + more, blocks, 16, whole)
    pool = Limits(int(rng.integers(1, 5)), 64, int(rng.integers(20, 60)), 16, whole)
    fleet = Fleet(prefill, replicas, route, bool(rng.random() < 0.8), 1e-3, 2e-6)
    compare(TERMS["dense"], TERMS["host"], asked, limits, pool, fleet)


def one(seconds):
    """Terms of a step that takes a fixed time, whatever is in it."""
    zero = dict.fromkeys(StepTerms._fields, 0.0)
    return StepTerms(**{**zero, "copies": 1.0, "shared": 1.0, "drafted": 1.0, "step": seconds,
                        "stack": 1.0})  # fmt: skip


def test_one_request_takes_its_prompt_and_its_tokens():
    t = TERMS["dense"]
    got = simulate(t, np.array([1.0]), np.array([1000]), np.array([3]),
                   Limits(8, 512, 100, 16), True)  # fmt: skip
    prompt = seconds_of(t, 0.0, 0.0, 512.0, 256.0) + seconds_of(t, 0.0, 0.0, 488.0, 512.0 + 244.0)
    tokens = seconds_of(t, 1.0, 1000.0, 0.0, 0.0) + seconds_of(t, 1.0, 1001.0, 0.0, 0.0)

    assert got.first[0] == pytest.approx(1.0 + prompt)
    assert got.finished[0] == pytest.approx(1.0 + prompt + tokens)
    assert got.steps == 4


def test_one_place_and_one_step_a_request_is_the_queue_of_pollaczek_and_khinchine():
    # M/D/1 at load 0.7, service 1 s: mean wait = rho / (2 (1 - rho)) = 1.167 s
    rng = np.random.default_rng(3)
    n = 200_000
    arrivals = rng.exponential(1 / 0.7, n).cumsum()
    whole = np.ones(n, dtype=np.int64)
    got = simulate(one(1.0), arrivals, whole, whole, Limits(1, 8, 100, 16), True)
    waits = got.scheduled - arrivals
    batches = waits.reshape(200, -1).mean(axis=1)

    error = 4 * batches.std(ddof=1) / np.sqrt(200)
    assert waits.mean() == pytest.approx(0.7 / (2 * 0.3), abs=error)


def test_what_cannot_be_served_has_a_stated_outcome():
    got = simulate(TERMS["dense"], np.zeros(3), np.array([10, 5000, 10]), np.array([5, 5, 0]),
                   Limits(4, 512, 64, 16), True)  # fmt: skip

    assert got.outcome.tolist() == [SERVED, TOO_LONG, EMPTY]
    assert np.isnan(got.finished[1:]).all()


def test_a_full_cache_preempts_and_everyone_is_served_all_the_same():
    n = 12
    got = simulate(TERMS["dense"], np.zeros(n), np.full(n, 100), np.full(n, 200),
                   Limits(12, 512, 100, 16), True)  # fmt: skip

    assert got.preemptions.sum() > 0
    assert np.all(np.isfinite(got.finished))


@pytest.mark.parametrize("route", [ONE_LINE, LEAST_LOADED])
def test_several_places_are_the_queue_of_erlang(route):
    # M/M/c, c = 3 at load 0.8: mean wait by Erlang's C. A service is a geometric number of short
    # steps (mean 1,000): of coefficient of variation 0.9995, so the wait is within 0.05 % of it.
    # One line for replicas of one place, or one replica of three places, is that queue.
    rng = np.random.default_rng(5)
    n, load, step = 200_000, 0.8, 1e-3
    arrivals = rng.exponential(1 / (3 * load), n).cumsum()
    inputs, outputs = np.ones(n, dtype=np.int64), rng.geometric(1e-3, n)
    if route == ONE_LINE:
        fleet, limits = Fleet(0, 3, ONE_LINE, False, 0.0, 0.0), Limits(1, 8, 10**6, 16)
    else:
        fleet, limits = Fleet(0, 1, LEAST_LOADED, False, 0.0, 0.0), Limits(3, 8, 10**6, 16)
    asked = Requests(arrivals, inputs, outputs, inputs * 0, inputs[:0], 0, 0)
    got = simulate_fleet(one(step), one(step), asked, limits, limits, fleet, True)
    waits = got.scheduled - got.arrived
    batches = waits.reshape(100, -1).mean(axis=1)

    a = 3 * load
    erlang = a**3 / 6 / (1 - load) / (1 + a + a**2 / 2 + a**3 / 6 / (1 - load))
    error = 4 * batches.std(ddof=1) / 10
    assert waits.mean() == pytest.approx(erlang / (3 * (1 - load)), abs=error + step)
    assert error < 0.15


def test_a_cache_that_holds_all_hits_every_shared_run_but_the_first():
    n, span = 40, 32
    inputs, outputs = np.full(n, 100), np.full(n, 5)
    links, chain = np.full(n, 3), np.tile(np.arange(3), n)
    asked = Requests(np.arange(n) * 10.0, inputs, outputs, links, chain, span, 0)
    limits = Limits(4, 512, 4000, 16)
    fleet = Fleet(0, 1, ROUND_ROBIN, True, 0.0, 0.0)
    got = simulate_fleet(TERMS["dense"], TERMS["dense"], asked, limits, limits, fleet, True)

    assert got.hit.tolist() == [0] + [96] * (n - 1)


def test_the_router_that_knows_caches_computes_least():
    rng = np.random.default_rng(2)
    n, span = 600, 64
    group = rng.integers(0, 24, n)
    chain = np.concatenate([g * 8 + np.arange(8) for g in group])
    inputs, outputs = np.full(n, 600), rng.integers(2, 40, n)
    asked = Requests(rng.exponential(0.05, n).cumsum(), inputs, outputs, np.full(n, 8), chain,
                     span, 0)  # fmt: skip
    limits = Limits(16, 1024, 300, 16)
    hits = {}
    for route in (ROUND_ROBIN, LEAST_LOADED, PREFIX_AWARE):
        fleet = Fleet(0, 4, route, True, 0.0, 0.0)
        got = simulate_fleet(TERMS["dense"], TERMS["dense"], asked, limits, limits, fleet, True)
        hits[route] = got.hit.sum()

    assert hits[PREFIX_AWARE] > 1.2 * max(hits[ROUND_ROBIN], hits[LEAST_LOADED])


def test_a_cache_that_moves_makes_the_first_token_wait_for_it():
    one_ask = Requests(np.zeros(1), np.array([1000]), np.array([5]), np.zeros(1, dtype=np.int64),
                       np.zeros(0, dtype=np.int64), 0, 0)  # fmt: skip
    limits = Limits(8, 2048, 1000, 16)
    here, there = (
        simulate_fleet(TERMS["dense"], TERMS["dense"], one_ask, limits, limits,
                       Fleet(pool, 1, ROUND_ROBIN, False, 0.01, 1e-5), True)
        for pool in (0, 1)
    )  # fmt: skip

    assert there.first[0] - here.first[0] == pytest.approx(0.01 + 1000 * 1e-5)
    assert there.finished[0] - there.first[0] == pytest.approx(here.finished[0] - here.first[0])


def test_clients_ask_again_after_their_answer():
    n = 50
    asked = Requests(np.full(n, 0.25), np.full(n, 10), np.full(n, 4), np.zeros(n, dtype=np.int64),
                     np.zeros(0, dtype=np.int64), 0, 1)  # fmt: skip
    limits = Limits(8, 2048, 1000, 16)
    got = simulate_fleet(TERMS["dense"], TERMS["dense"], asked, limits, limits,
                         Fleet(0, 1, ROUND_ROBIN, False, 0.0, 0.0), True)  # fmt: skip

    assert got.arrived[0] == 0.25
    np.testing.assert_allclose(got.arrived[1:], got.finished[:-1] + 0.25)


def test_what_is_counted_over_time_is_what_the_requests_say():
    rng = np.random.default_rng(4)
    n = 300
    arrivals = rng.exponential(0.05, n).cumsum()
    inputs, outputs = rng.integers(1, 300, n), rng.integers(1, 200, n)
    got = simulate(TERMS["dense"], arrivals, inputs, outputs, Limits(4, 512, 4000, 16))
    there = (got.finished - got.arrived).sum()

    assert got.preemptions.sum() == 0
    assert got.curves[:, 0].sum() == pytest.approx((got.scheduled - got.arrived).sum())
    assert got.curves[:, :2].sum() == pytest.approx(there)
    assert got.curves[:, 3].sum() == pytest.approx(got.busy.sum())


@pytest.mark.slow
@pytest.mark.skipif(not MOONCAKE.is_file(), reason="RACKWRIGHT_DATA names no folder with it")
def test_an_hour_of_mooncake_in_short_is_told_plainly_too():
    trace = read_trace(MOONCAKE)
    n = 400
    named = trace.names[: int(trace.counts[:n].sum())]
    links, chain = shared_runs(trace.counts[:n], named, trace.inputs[:n], 512)
    asked = Requests(trace.arrivals[:n] + 1e-3 * np.arange(n), trace.inputs[:n] // 8,
                     trace.outputs[:n] // 4 + 1, links, chain, 64, 0)  # fmt: skip
    limits = Limits(32, 512, 700, 16, True)
    fleet = Fleet(0, 3, PREFIX_AWARE, True, 0.0, 0.0)
    compare(TERMS["dense"], TERMS["dense"], asked, limits, limits, fleet)
