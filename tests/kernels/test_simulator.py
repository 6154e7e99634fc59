"""The request-level simulator: against a loop over every step, and against queueing theory."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rackwright.kernels.serving import StepTerms, seconds_of, step_terms
from rackwright.kernels.simulator import EMPTY, SERVED, TOO_LONG, Limits, simulate
from tests.kernels.inputs import MACHINE, SERVING, dense, sparse

PLAN = np.array([1.0, 1.0, 1.0, 2048.0, 0.0, 0.0, 0.0])
SMALL = dense(layers=32.0, hidden=4096.0, ffn=14336.0)
TERMS = {"dense": step_terms(SMALL, MACHINE, SERVING, PLAN),
         "windows": step_terms(sparse(), MACHINE, SERVING, PLAN)}  # fmt: skip
TERMS["host"] = TERMS["dense"]._replace(request=2e-3, cache_context=1e-6)
"""The host's time is the longer with many requests, the accelerator's with long contexts."""


@given(
    seed=st.integers(0, 10**6),
    model=st.sampled_from(["dense", "windows", "host"]),
    requests=st.integers(1, 12),
    tokens=st.integers(16, 600),
    blocks=st.integers(8, 90),
)
@settings(max_examples=150)
def test_events_give_what_a_loop_over_every_step_gives(seed, model, requests, tokens, blocks):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 30))
    arrivals = rng.exponential(0.05, n).cumsum()
    inputs, outputs = rng.integers(1, 300, n), rng.integers(0, 200, n)
    limits = Limits(requests, tokens, blocks, 16)
    fast, plain = (
        simulate(TERMS[model], arrivals, inputs, outputs, limits, how) for how in (True, False)
    )

    for ours, theirs in zip(fast[:3], plain[:3], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(fast.preemptions, plain.preemptions)
    assert fast.steps == plain.steps
    served = fast.outcome == SERVED
    assert np.all(np.isfinite(fast.finished[served]))
    assert np.all(fast.finished[served] >= fast.first[served])
    assert np.all(fast.scheduled[served] >= arrivals[served])


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
