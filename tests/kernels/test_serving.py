"""The serving step and its operating point: brute force, laws, and queueing theory."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rackwright.kernels.memory import RESERVE_BYTES
from rackwright.kernels.serving import (
    PARTS,
    of_one_copy,
    seconds_of,
    step_parts,
    step_seconds,
    step_terms,
)
from rackwright.kernels.serving_modes import measured_over_draws, measured_over_rows
from rackwright.kernels.serving_point import (
    FEASIBLE,
    LATE_FIRST,
    LATE_TOKEN,
    NO_MEMORY,
    NO_PREFILL,
    batch_rate_over_draws,
    closed_loop,
    kept_per_step,
    largest_batch,
    mean_step_seconds,
    operating_point,
    prefill_mix,
    serving_over_draws,
    serving_over_layouts,
)
from tests.kernels.inputs import MACHINE, SERVING, dense, sparse

LOAD = np.array([1024.0, 512.0, 2.0, 0.05, 1.645, 0.95])
TIGHT = np.array([1024.0, 512.0, 2.0, 0.012, 1.645, 0.95])
ALONE = np.array([8.0, 1.0, 1.0, 2048.0, 64.0])


def layout(tensor=1, pipeline=1, expert=1, chunk=2048, batch=64, draft=0, share=0):
    return np.array([tensor, pipeline, expert, chunk, batch, draft, share], dtype=float)


def test_parts_are_named_and_not_negative():
    parts = step_parts(sparse(), MACHINE, SERVING, layout(4, 1, 8), 32.0, 2048.0, 512.0, 256.0)

    assert len(parts) == len(PARTS)
    assert min(parts) >= 0


def test_decode_of_one_request_reads_the_weights_once():
    m = dense()
    parts = step_parts(m, MACHINE, SERVING, layout(), 1e-9, 1.0, 0.0, 0.0)
    matrices = 80 * (m.attention_in + m.attention_out + m.mlp_up + m.mlp_down)
    speed = MACHINE.memory_bytes_per_s * SERVING.memory

    assert parts[0] == pytest.approx(matrices / speed * SERVING.stack, rel=1e-6)
    assert parts[6] == pytest.approx(2 * m.table / speed * SERVING.stack, rel=1e-6)


@given(st.floats(1, 500), st.floats(1, 500), st.sampled_from([1, 2, 4, 8]))
@settings(max_examples=60, deadline=None)
def test_a_larger_batch_never_takes_a_shorter_step_and_never_serves_less(a, b, tensor):
    low, high = sorted((a, b))
    for m in (dense(), sparse()):
        args = (m, MACHINE, SERVING, 1024.0, 512.0, layout(tensor))
        short, long = (mean_step_seconds(*args, x) for x in (low, high))
        if prefill_mix(1024.0, 512.0, 2048.0, high)[1] < 1:
            assert short <= long * (1 + 1e-9)
            assert low / short <= high / long * (1 + 1e-9)


@given(st.floats(1, 2000), st.floats(1, 4000), st.floats(1, 4000), st.floats(1, 16384))
def test_prefill_keeps_up_with_what_arrives(batch, isl, osl, budget):
    chunk, share = prefill_mix(isl, osl, budget, batch)

    assert chunk * share == pytest.approx(batch * isl / osl)
    assert chunk <= max(budget, 1.0)


@given(st.sampled_from([1, 2, 4, 8]), st.floats(0.004, 0.08), st.floats(0.05, 3.0))
@settings(max_examples=40, deadline=None)
def test_the_largest_batch_equals_a_linear_scan(tensor, tpot, ttft):
    load = np.array([1024.0, 512.0, ttft, tpot, 1.645, 0.95])
    p = layout(tensor)
    scan = [
        b
        for b in range(1, 257)
        if operating_point(sparse(), MACHINE, SERVING, load, p, float(b))[0] == FEASIBLE
    ]

    got = largest_batch(sparse(), MACHINE, SERVING, load, p, 256.0)
    assert got == max(scan, default=0)


def test_reasons_name_the_limit_that_is_broken():
    def reason(load, batch, **axes):
        return operating_point(dense(), MACHINE, SERVING, load, layout(**axes), batch)[0]

    assert reason(LOAD, 4.0, tensor=8) == FEASIBLE
    assert reason(TIGHT, 4.0, tensor=1) == LATE_TOKEN
    assert reason(LOAD, 4000.0, tensor=1) == NO_MEMORY
    assert reason(np.array([30000.0, 512.0, 0.1, 1.0, 1.645, 0.95]), 1.0) == LATE_FIRST


def test_memory_at_the_point_is_weights_cache_and_reserve():
    point = operating_point(dense(), MACHINE, SERVING, LOAD, layout(8), 8.0)
    busy = 8 + 1.645 * math.sqrt(8)
    weights = 80 * 8192 * (2 * 8192 + 2 * 1024 + 3 * 28672) / 8 + 2 * 128256 * 8192 * 2 / 8
    cache = busy * 80 * 8 * 2 * 128 * 1536 / 8

    # the rest is the activations of one chunk: well below a gigabyte here
    assert 0 < point[4] - weights - cache - RESERVE_BYTES < 1e9


def test_the_percentile_costs_rate():
    loads = [np.array([1024.0, 512.0, 2.0, 0.012, z, q]) for z, q in ((0.0, 0.5), (1.645, 0.95))]
    batches = [largest_batch(sparse(), MACHINE, SERVING, load, layout(), 512.0) for load in loads]

    assert batches[0] > batches[1] > 0


def test_waiting_for_prefill_is_that_of_a_deterministic_queue():
    # with one chunk per prompt and a share rho of the time in prefill: M/D/1
    point = operating_point(dense(), MACHINE, SERVING, LOAD, layout(8), 48.0)
    share = prefill_mix(1024.0, 512.0, 2048.0, 48.0)[1]
    mixed = step_seconds(dense(), MACHINE, SERVING, layout(8), 48.0, 1280.0, 1024.0, 512.0)
    load = share * mixed / point[6]
    wait = mixed / (2 * (1 - load)) * math.log(load / 0.05)

    assert point[5] == pytest.approx(load)
    plain = step_seconds(dense(), MACHINE, SERVING, layout(8), 48.0, 1280.0, 0.0, 0.0)
    in_flight = 0.5 * (load * mixed + (1 - load) * plain)
    host = SERVING.first_s + 80 * SERVING.first_layer_s

    assert point[3] == pytest.approx(host + in_flight + mixed + wait)


def test_a_simulated_queue_waits_no_longer_than_the_tail_says():
    # Lindley's recursion for M/D/1 at loads 0.3 to 0.8, unit service, seed fixed
    rng = np.random.default_rng(5)
    for load in (0.3, 0.5, 0.8):
        gaps = rng.exponential(1 / load, 200_000)
        wait, waits = 0.0, []
        for gap in gaps:
            waits.append(wait)
            wait = max(0.0, wait + 1.0 - gap)
        tail = math.log(load / 0.05) / (2 * (1 - load))
        # the exponential tail is exact in the limit of high load, cautious below it
        assert 0.8 * tail < np.quantile(waits, 0.95) < 1.1 * tail


def test_layouts_return_the_best_batch_and_count_every_point():
    layouts = np.array([layout(t, 1, 1, c) for t in (1, 2, 4) for c in (512, 8192)])
    batches = np.array([1.0, 4.0, 16.0, 64.0, 256.0])
    for load in (LOAD, TIGHT):
        counts, pruned, i, batch, rate, _ = serving_over_layouts(
            sparse(), MACHINE, SERVING, load, layouts, batches
        )
        by_hand = []
        for p in layouts:
            points = [
                (operating_point(sparse(), MACHINE, SERVING, load, p, float(b)), b)
                for b in range(1, 257)
            ]
            feasible = [(point[1], b) for point, b in points if point[0] == FEASIBLE]
            one, b = max(feasible, key=lambda pair: pair[1], default=(0.0, 0))
            by_hand.append((288 // p[0] * one, b))

        assert counts.sum() + pruned.sum() == layouts.shape[0] * batches.size
        assert (rate, batch) == by_hand[i]
        assert rate == max(r for r, _ in by_hand)


@given(
    tensors=st.lists(st.sampled_from([1, 2, 4, 8]), min_size=1, max_size=2, unique=True),
    experts=st.lists(st.sampled_from([1, 4, 16]), min_size=1, max_size=2, unique=True),
    chunks=st.lists(st.sampled_from([256, 2048, 8192]), min_size=1, max_size=2, unique=True),
    drafts=st.lists(st.sampled_from([0, 2]), min_size=1, max_size=2, unique=True),
    shares=st.lists(st.sampled_from([0.0, 0.25, 0.5]), min_size=1, max_size=2, unique=True),
    memory=st.sampled_from([3e10, 8e10, 1.8e11]),
    tpot=st.sampled_from([0.006, 0.012, 0.05]),
)
@settings(max_examples=40, deadline=None)
def test_the_loop_finds_what_one_point_at_a_time_finds(
    tensors, experts, chunks, drafts, shares, memory, tpot
):
    load = np.array([1024.0, 512.0, 2.0, tpot, 1.645, 0.95])
    machine = MACHINE._replace(memory_bytes=memory)
    batches = np.array([1.0, 3.0, 17.0, 64.0, 300.0, 2000.0])
    axes = product(tensors, experts, chunks, drafts, shares)
    layouts = np.array([layout(t, 1, x, c, 0, d, s) for t, x, c, d, s in axes])
    seen, feasible, declared, refined = 0, 0, 0.0, 0.0
    for p in layouts:
        replicas = machine.accelerators // max(p[0], p[2])
        for batch in batches:
            point = operating_point(sparse(), machine, SERVING, load, p, batch)
            seen += point[6] > 0  # a step time was computed
            feasible += point[0] == FEASIBLE
            if point[0] == FEASIBLE:
                declared = max(declared, replicas * point[1])
        best = largest_batch(sparse(), machine, SERVING, load, p, batches[-1])
        if best:
            point = operating_point(sparse(), machine, SERVING, load, p, best)
            refined = max(refined, replicas * point[1])
    counts, pruned, i, batch, rate, _ = serving_over_layouts(
        sparse(), machine, SERVING, load, layouts, batches
    )

    assert int(counts.sum()) == seen
    assert int(counts.sum() + pruned.sum()) == len(layouts) * batches.size
    assert int(counts[int(FEASIBLE)]) == feasible
    assert declared <= rate * (1 + 1e-12)
    assert rate <= refined * (1 + 1e-12)
    if i >= 0:
        point = operating_point(sparse(), machine, SERVING, load, layouts[i], batch)
        assert point[0] == FEASIBLE
        ranks = max(layouts[i][0], layouts[i][2])
        assert machine.accelerators // ranks * point[1] == pytest.approx(rate, rel=1e-12)


@given(
    batch=st.floats(0, 500),
    prefill=st.sampled_from([0.0, 1.0, 64.0, 2048.0]),
    context=st.floats(1, 40000),
    tensor=st.sampled_from([1, 2, 8]),
    expert=st.sampled_from([1, 8, 32]),
    pipeline=st.sampled_from([1, 4]),
    draft=st.sampled_from([0, 3]),
)
@settings(max_examples=80, deadline=None)
def test_what_a_search_computes_is_the_sum_of_the_parts_shown(
    batch, prefill, context, tensor, expert, pipeline, draft
):
    for m in (dense(), sparse()):
        p = layout(tensor, pipeline, expert if m.experts else 1, draft=draft)
        args = (m, MACHINE, SERVING, p, batch, context, prefill, 0.5 * context)

        assert step_seconds(*args) == pytest.approx(sum(step_parts(*args)), rel=1e-12)


def test_what_fails_says_by_how_much():
    load = np.array([1024.0, 512.0, 2.0, 1e-4, 1.645, 0.95])
    counts, _, best, _, _, excess = serving_over_layouts(
        dense(), MACHINE, SERVING, load, np.array([layout(8)]), np.array([1.0, 2.0])
    )
    late = operating_point(dense(), MACHINE, SERVING, load, layout(8), 1.0)[2]

    assert counts[int(LATE_TOKEN)] == 2
    assert best == -1
    assert excess[int(LATE_TOKEN)] == pytest.approx(late / 1e-4)


def test_a_world_that_breaks_a_limit_serves_a_smaller_batch_or_nothing():
    batch = largest_batch(sparse(), MACHINE, SERVING, TIGHT, layout(), 512.0)
    p = layout(batch=batch)
    worlds = np.array(
        [
            SERVING,
            SERVING._replace(stack=SERVING.stack * 1.2),
            SERVING._replace(stack=SERVING.stack * 0.8),
            SERVING._replace(step_s=0.02),
        ]
    )
    rates = serving_over_draws(sparse(), MACHINE, worlds, TIGHT, p)
    nominal = operating_point(sparse(), MACHINE, SERVING, TIGHT, p, batch)[1]
    fixed = batch_rate_over_draws(sparse(), MACHINE, worlds, 1024.0, 512.0, p)

    assert rates[0] == pytest.approx(nominal)
    assert rates[1] < nominal / 1.2  # smaller batches serve less than proportionally
    assert nominal < rates[2] < nominal / 0.8  # the host's share of a step stays
    assert rates[3] == 0.0
    assert nominal / 1.2 < fixed[1] < nominal


def test_attention_copies_share_the_requests():
    # an expert group of 8 on a tensor group of 1: each rank attends for an eighth of them
    one = step_parts(sparse(), MACHINE, SERVING, layout(1), 16.0, 2048.0, 0.0, 0.0)
    copies = step_parts(sparse(), MACHINE, SERVING, layout(1, 1, 8), 128.0, 2048.0, 0.0, 0.0)

    assert copies[2] == pytest.approx(one[2])
    assert copies[5] > 0 == one[5]


def test_few_clients_decode_at_about_the_plain_step():
    tpot, ttft = closed_loop(dense(), MACHINE, SERVING, 128.0, 4096.0, layout(8), 2.0, 64.0, 0.05)
    plain = step_seconds(dense(), MACHINE, SERVING, layout(8), 2.0, 2176.0, 0.0, 0.0)

    assert tpot == pytest.approx(plain, rel=0.02)
    assert 0 < ttft < 0.1


def test_clients_beyond_the_places_wait_for_one():
    # Little's law: 64 clients, 16 places, each held for the answer's time
    args = (dense(), MACHINE, SERVING, 128.0, 1024.0, layout(8))
    tpot, ttft = closed_loop(*args, 64.0, 16.0, 0.0)
    at_sixteen = step_seconds(dense(), MACHINE, SERVING, layout(8), 16.0, 640.0, 0.0, 0.0)

    assert at_sixteen < tpot < 1.3 * at_sixteen
    assert ttft == pytest.approx(1024 * tpot * 3, rel=1e-6)


def test_a_crowd_that_starts_together_waits_for_its_share():
    # a tenth of the requests stand in one line: half of all prompts are before each of them
    args = (dense(), MACHINE, SERVING, 128.0, 4096.0, layout(8))
    alone, crowded = closed_loop(*args, 32.0, 64.0, 0.0)[1], closed_loop(*args, 32.0, 64.0, 0.1)[1]
    plain, mixed = (
        step_seconds(dense(), MACHINE, SERVING, layout(8), 31.8, 2176.0, tokens, 64.0)
        for tokens in (0.0, 128.0)
    )

    assert crowded - alone == pytest.approx(0.1 * 0.5 * 31 * (mixed - plain), rel=0.02)


def test_padded_rows_and_uneven_ranks_slow_experts_but_never_past_all_of_them():
    few = step_parts(sparse(), MACHINE, SERVING, layout(8, 1, 8), 4.0, 64.0, 0.0, 0.0)[1]
    even = SERVING._replace(skew=1e-9)
    flat = step_parts(sparse(), MACHINE, even, layout(8, 1, 8), 4.0, 64.0, 0.0, 0.0)[1]
    bare = SERVING._replace(skew=1e-9, tile=1e-9)
    least = step_parts(sparse(), MACHINE, bare, layout(8, 1, 8), 4.0, 64.0, 0.0, 0.0)[1]
    m, every = sparse(), step_parts(sparse(), MACHINE, bare, layout(8), 1e5, 64.0, 0.0, 0.0)[1]
    read = 36 * 128 * (m.expert_up + m.expert_down) / 8 / (MACHINE.memory_bytes_per_s * 0.85)

    assert few > flat > least > 0.0
    assert every > read * SERVING.stack


def test_a_host_slower_than_the_accelerator_sets_the_step():
    slow = SERVING._replace(request_s=1e-3)
    parts = step_parts(dense(), MACHINE, slow, layout(8), 256.0, 1024.0, 0.0, 0.0)

    assert sum(parts) == pytest.approx(0.256 + slow.step_s, rel=0.01)
    assert parts[8] > 0.8 * sum(parts)


def test_sparse_attention_reads_the_chosen_tokens_and_an_index_of_all():
    m = dense()._replace(sparse_layers=80.0, chosen=2048.0, index_cache=80 * 128.0, index_core=0.0)

    def read(model, context):
        return step_parts(model, MACHINE, SERVING, layout(8), 16.0, context, 0.0, 0.0)[2]

    assert read(m, 1024.0) > read(dense(), 1024.0)  # the index comes on top
    beyond = read(m, 66048.0) - read(m, 2048.0)
    index = 16 * 64000 * 80 * 128 / 8 / (MACHINE.memory_bytes_per_s * SERVING.cache)
    assert beyond == pytest.approx(index * SERVING.stack)


def test_rows_and_draws_ask_the_same_question():
    row = np.array([0.0, 1024.0, 512.0, 32.0, 256.0, 0.0, 8.0, 1.0, 8.0, 2048.0, 0, 0, 0, 1.0, 1.0])
    draws = np.array([SERVING, SERVING._replace(stack=2.1)])
    by_draw = measured_over_draws(sparse(), MACHINE, draws, row)
    by_row = measured_over_rows(
        np.array([sparse()] * 2), np.array([MACHINE] * 2), draws, np.array([row] * 2)
    )

    np.testing.assert_allclose(by_draw, by_row, rtol=1e-12)
    assert by_draw[1, 0] > 1.8 * by_draw[0, 0]


def test_drafted_tokens_are_kept_as_the_geometric_series_says():
    # Leviathan et al. (arXiv 2211.17192), equation 1, summed by hand
    assert kept_per_step(0.0, 0.7) == 1.0
    assert kept_per_step(3.0, 0.7) == pytest.approx(1 + 0.7 + 0.49 + 0.343)


def test_drafting_helps_a_small_batch_and_its_limit():
    plain = operating_point(sparse(), MACHINE, SERVING, LOAD, layout(8), 4.0)
    ahead = operating_point(sparse(), MACHINE, SERVING, LOAD, layout(8, draft=2), 4.0)

    assert ahead[1] > 1.3 * plain[1]
    assert ahead[2] < plain[2]


def test_separate_pools_decode_without_prefill_in_their_steps():
    # two fifths of the replicas prefill: the others' steps carry none
    both = operating_point(dense(), MACHINE, SERVING, LOAD, layout(8), 64.0)
    apart = operating_point(dense(), MACHINE, SERVING, LOAD, layout(8, share=0.4), 64.0)
    plain = step_seconds(dense(), MACHINE, SERVING, layout(8), 64.0, 1280.0, 0.0, 0.0)

    assert apart[6] == pytest.approx(plain)
    assert apart[1] == pytest.approx(0.6 * 64 / plain)
    assert apart[2] < both[2]


def test_too_few_prefilling_replicas_cannot_keep_up():
    point = operating_point(dense(), MACHINE, SERVING, LOAD, layout(8, share=0.002), 256.0)

    assert point[0] == NO_PREFILL
    assert point[5] > 1.0


def test_a_copy_by_itself_takes_the_step_of_all_copies_with_as_much_each():
    t = step_terms(sparse(), MACHINE, SERVING, np.array([2.0, 1.0, 8.0, 2048.0, 0.0, 0.0, 0.0]))
    whole = seconds_of(t, 4 * 16.0, 900.0, 4 * 100.0, 50.0)

    assert t.copies == 4.0
    assert seconds_of(of_one_copy(t), 16.0, 900.0, 100.0, 50.0) == pytest.approx(whole)
