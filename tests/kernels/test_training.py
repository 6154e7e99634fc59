"""The training step: against a plain reference, and against laws it must obey."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rackwright.kernels.numbers import TrainingEfficiency
from rackwright.kernels.training import (
    PARTS,
    PLAN,
    training_over_draws,
    training_over_plans,
    training_parts,
)
from tests.kernels.inputs import MACHINE, TRAINING, dense, sparse

PERFECT = TRAINING._replace(
    **dict.fromkeys(("matmul", "matmul_bf16", "grouped", "attention", "memory"), 1.0),
    **dict.fromkeys(("scale_up", "scale_out", "stack", "experts_stack"), 1.0),
    **{
        f: 0.0 for f in TrainingEfficiency._fields if f.endswith(("host_s", "latency_s", "exposed"))
    },
    exponentials_per_s=1e30,
)


def plan(**given):
    base = {
        "tensor": 1,
        "pipeline": 1,
        "interleave": 1,
        "context": 1,
        "expert": 1,
        "data": 8,
        "micro_batch": 1,
        "micro_batches": 4,
        "recompute": 0,
        "zero": 1,
        "offload": 0,
        "sequence_parallel": 1,
    }
    return np.array([{**base, **given}[name] for name in PLAN], dtype=float)


def step(m, h, e, sequence, p):
    return sum(training_parts(m, h, e, sequence, p))


def test_parts_are_named_and_not_negative():
    parts = training_parts(sparse(), MACHINE, TRAINING, 4096.0, plan(expert=8))

    assert len(parts) == len(PARTS)
    assert min(parts) >= 0


def test_with_perfect_parts_a_step_is_its_arithmetic():
    m = dense()
    h = MACHINE._replace(memory_bytes_per_s=1e30, matmul_flop_per_s=2.5e15)
    tokens = 4 * 8192
    matrices = 80 * (m.attention_in + m.attention_out + m.mlp_up + m.mlp_down) + m.table
    flop = 6 * tokens * matrices + 3.5 * 2 * tokens * m.core_full * 4096  # flash backward is 2.5
    got = step(m, h, PERFECT, 8192.0, plan(data=1))

    assert got == pytest.approx(flop / 2.5e15, rel=1e-9)


def reference(m, h, e, sequence, p):
    """The step of a dense model on plain data, tensor and pipeline parallel, written out."""
    tensor, pipeline, interleave, _, _, data, micro, count, recompute, *_ = p
    tokens = micro * sequence
    speed = h.memory_bytes_per_s * e.memory
    rate = h.matmul_flop_per_s * e.matmul

    def product(rows, inner, columns, read, write, at):
        moved = (rows * inner + inner * columns) * read + rows * columns * write
        return 2 * rows * inner * columns / at + moved / speed

    layer = 0.0
    for weights in (m.attention_in, m.attention_out, m.mlp_up, m.mlp_down):
        n = weights / tensor / m.hidden
        a = h.activation_bytes
        forward = product(tokens, m.hidden, n, a, 2, rate)
        layer += forward * (2 if recompute == 2 else 1)
        layer += product(tokens, n, m.hidden, a, 2, rate)
        layer += product(m.hidden, tokens, n, a, 8, rate)
    core = 2 * tokens * m.core_full / m.layers * sequence / 2
    again = 2 if recompute == 2 else 1
    core *= (again + 2.5) / (tensor * h.bf16_flop_per_s * e.attention)
    core += m.heads * tokens / tensor * sequence / 2 * (again + 1) / e.exponentials_per_s
    elements = 8 * m.hidden + 2 * m.attention_in / m.hidden + 3 * m.ffn
    cast = (3 * m.hidden + m.ffn) * (2 + 2 * h.activation_bytes) * (h.activation_bytes < 2)
    passes = (2 * elements + cast) * tokens / tensor * (4 if recompute else 3) / speed
    columns = m.vocab / tensor
    at = h.bf16_flop_per_s * e.matmul_bf16
    head = 3 * product(tokens, m.hidden, columns, 2, 2, at) + 16 * tokens * columns / speed
    up = h.scale_up_bytes_per_s * e.scale_up
    ring = (tensor - 1) / tensor * 2 * tokens * m.hidden / up + e.scale_up_latency_s
    by_tensor = e.tensor_exposed * 4 * (3 if recompute == 2 else 2) * ring * (tensor > 1)
    body = layer + core + passes
    mine = np.ceil(m.layers / (pipeline * interleave)) * interleave
    busy = mine * (body + by_tensor)
    busy += head if pipeline == 1 else max(0, (m.layers * body + head) / pipeline - mine * body)
    launch = max(0, (4 if recompute == 2 else 3) * mine * e.layer_host_s - busy)
    inside = h.accelerators <= h.scale_up_accelerators
    link = up if inside else h.scale_out_bytes_per_s * e.scale_out / h.oversubscription
    wait = e.scale_up_latency_s if inside else e.scale_out_latency_s
    hop = wait + 2 * tokens * m.hidden / tensor / link
    one = busy + launch + e.pipeline_exposed * 2 * interleave * hop * (pipeline > 1)
    split = m.layers * (m.attention_in + m.attention_out + m.mlp_up + m.mlp_down)
    held = split / tensor / pipeline + (1 if pipeline > 1 else 2) * m.table / tensor
    near = max(min(h.scale_up_accelerators / tensor, data), 1)
    ports = min(up, h.scale_out_bytes_per_s * e.scale_out * near / h.oversubscription)
    rate_data = up if data <= near else ports
    wait = e.scale_out_latency_s if data > near else e.scale_up_latency_s
    reduce_ = (wait + (data - 1) / data * 2 * held / rate_data) * (data > 1)
    hidden = 1 - e.data_exposed
    exposed = max(reduce_ - hidden * one * 2 / 3, e.data_exposed * reduce_)
    exposed += max(reduce_ - hidden * one / 3, e.data_exposed * reduce_)
    adam = 34 * held / data / speed
    steps = one * (count + (pipeline - 1) / interleave) + exposed + adam
    return e.stack * steps + e.step_host_s


POWERS = st.sampled_from([1.0, 2.0, 4.0, 8.0])


@given(
    tensor=POWERS,
    pipeline=st.sampled_from([1.0, 2.0, 4.0, 8.0, 16.0]),
    interleave=st.sampled_from([1.0, 2.0]),
    data=st.sampled_from([1.0, 2.0, 9.0, 64.0]),
    micro=POWERS,
    count=st.integers(1, 64),
    recompute=st.sampled_from([0.0, 1.0, 2.0]),
)
@settings(max_examples=150, deadline=None)
def test_the_kernel_equals_the_plain_reference(**axes):
    axes["micro_batch"], axes["micro_batches"] = axes.pop("micro"), axes.pop("count")
    p, m = plan(**axes), dense()

    got = step(m, MACHINE, TRAINING, 4096.0, p)
    assert got == pytest.approx(reference(m, MACHINE, TRAINING, 4096.0, p), rel=1e-9)


def test_many_plans_at_once_are_the_same_as_one_at_a_time():
    plans = np.array([plan(tensor=t, expert=x, data=16) for t in (1, 2, 4) for x in (1, 4, 16)])
    parts, held = training_over_plans(sparse(), MACHINE, TRAINING, 4096.0, plans)

    for i, p in enumerate(plans):
        one = training_parts(sparse(), MACHINE, TRAINING, 4096.0, p)
        np.testing.assert_allclose(parts[i], one, rtol=1e-12)
    assert np.all(held > 0)


def test_a_draw_equal_to_the_nominal_world_gives_the_nominal_step():
    draws = np.array([TRAINING, TRAINING._replace(stack=2.2)])
    p = plan(tensor=4, pipeline=4)
    steps = training_over_draws(dense(), MACHINE, draws, 4096.0, p)

    assert steps[0] == pytest.approx(step(dense(), MACHINE, TRAINING, 4096.0, p))
    assert steps[1] - TRAINING.step_host_s == pytest.approx(2 * (steps[0] - TRAINING.step_host_s))


@given(st.sampled_from(["matmul", "attention", "memory", "scale_up", "scale_out"]))
@settings(deadline=None)
def test_a_better_share_never_slows_a_step(field):
    better = TRAINING._replace(**{field: getattr(TRAINING, field) * 1.1})
    for m, p in ((dense(), plan(tensor=4, pipeline=8)), (sparse(), plan(expert=72, data=72))):
        assert step(m, MACHINE, better, 4096.0, p) <= step(m, MACHINE, TRAINING, 4096.0, p)


def test_more_micro_batches_shrink_the_bubble_share():
    def share(count):
        p = plan(pipeline=8, micro_batches=count)
        parts = training_parts(dense(), MACHINE, TRAINING, 4096.0, p)
        return parts[PARTS.index("pipeline bubble")] / sum(parts)

    assert share(8) > share(32) > share(128)


def test_the_bubble_is_that_of_1f1b():
    # (p - 1) / m of the ideal time, Narayanan et al. (arXiv 2104.04473), section 2.2
    ideal = PERFECT._replace(pipeline_exposed=0.0, data_exposed=0.0)
    h = MACHINE._replace(memory_bytes_per_s=1e30, scale_out_bytes_per_s=1e30)
    parts = training_parts(dense(), h, ideal, 4096.0, plan(pipeline=8, micro_batches=32, data=1))
    bubble = parts[PARTS.index("pipeline bubble")]

    assert bubble / (sum(parts) - bubble) == pytest.approx(7 / 32, rel=1e-6)


def test_expert_traffic_is_slower_across_domains():
    p = plan(expert=64, data=64)
    near = training_parts(sparse(), MACHINE, TRAINING, 4096.0, p)
    far = training_parts(sparse(), MACHINE._replace(scale_up_accelerators=8.0), TRAINING, 4096.0, p)
    i = PARTS.index("expert parallel")

    assert far[i] > 3 * near[i]


def test_recomputing_everything_costs_a_forward_pass():
    none = step(dense(), MACHINE, TRAINING, 4096.0, plan())
    full = step(dense(), MACHINE, TRAINING, 4096.0, plan(recompute=2))

    assert 1.2 < full / none < 1.4


def test_scores_that_stay_in_memory_cost_more_and_full_squares():
    kept = TRAINING._replace(score_bytes=12.0)
    i = PARTS.index("attention")
    flash = training_parts(dense(), MACHINE, TRAINING, 4096.0, plan())[i]
    stored = training_parts(dense(), MACHINE, kept, 4096.0, plan())[i]

    # a score is moved once forward and 1.6 times backward; the square is twice its causal half
    m, tokens = dense(), 4096.0
    scores = m.heads * m.full_layers * tokens * 4096.0
    moved = scores * 12.0 * 2.6 / (MACHINE.memory_bytes_per_s * TRAINING.memory)
    products = 2 * tokens * m.core_full * 4096.0 * 3 / (MACHINE.bf16_flop_per_s * 0.5)
    softmax = scores * 2 / TRAINING.exponentials_per_s
    assert stored == pytest.approx((moved + products + softmax) * 4 * TRAINING.stack)
    assert stored > 2 * flash


def test_an_expert_is_reduced_over_its_copies_only():
    # 64 ranks hold each other's experts: nothing of theirs is reduced, and the rest is small
    i, everywhere = PARTS.index("data parallel"), TRAINING._replace(data_exposed=1.0)
    spread = training_parts(sparse(), MACHINE, everywhere, 4096.0, plan(expert=64, data=64))[i]
    copied = training_parts(sparse(), MACHINE, everywhere, 4096.0, plan(expert=1, data=64))[i]

    assert copied > 10 * spread


def test_a_token_that_goes_once_to_each_rank_moves_less():
    still = TRAINING._replace(scale_up_latency_s=0.0)
    once = still._replace(copies_per_rank=1.0)
    i = PARTS.index("expert parallel")
    p = plan(expert=8, data=8)
    ranks = training_parts(sparse(), MACHINE, once, 4096.0, p)[i]
    experts = training_parts(sparse(), MACHINE, still, 4096.0, p)[i]

    reached = 8 * (1 - (1 - 1 / 8) ** 4) / 4  # distinct ranks of four experts, over four
    assert ranks / experts == pytest.approx(reached, rel=1e-9)
