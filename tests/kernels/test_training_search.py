"""The search's loops: against one plan at a time, over random small spaces."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rackwright.kernels.memory import host_bytes, stage_split, training_bytes
from rackwright.kernels.training import training_parts
from rackwright.kernels.training_search import (
    HOST_MEMORY,
    MEMORY,
    REASONS,
    Axes,
    Job,
    training_search,
)
from tests.kernels.inputs import MACHINE, TRAINING, dense, sparse


def plain(m, h, job, axes):
    """Return counts, the best step and its plan, one plan at a time."""
    pruned, evaluated, refused, best = 0, 0, 0, (np.inf, None)
    for t, c, x, b, r, sp, p, v, z, o in product(*axes):
        data = job.accelerators / (t * c * p)
        count = job.global_batch / (data * b)
        divides = (
            job.heads % t == 0
            and (t > 1 or not sp or len(axes.sequence_parallel) == 1)
            and (c == 1 or job.sequence % (2 * c) == 0)
            and job.experts % x == 0
            and data % 1 == 0
            and (data * t * c) % x == 0
            and count % 1 == 0
            and (v == 1 or p > 1)
            and (job.layers % (p * v) == 0 or (p * v > 1 and (job.layers + 2) % (p * v) == 0))
            and (v == 1 or count % p == 0)
        )
        if not divides:
            pruned += 1
            continue
        evaluated += 1
        plan = np.array([t, p, v, c, x, data, b, count, r, z, o, sp], dtype=float)
        kept = stage_split(m, t, p, x)
        held = training_bytes(m, plan, b * job.sequence / c, h.activation_bytes)
        if held > h.memory_bytes or host_bytes(plan, *kept) > h.host_memory_bytes:
            refused += 1
            continue
        step = sum(training_parts(m, h, TRAINING, job.sequence, plan))
        if step < best[0]:
            best = (step, plan)
    return pruned, evaluated, refused, best


def some(values):
    chosen = st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True)
    return chosen.map(lambda v: np.array(sorted(v), dtype=float))


AXES = st.builds(
    Axes,
    tensor=some([1, 2, 3, 8]),
    context=some([1, 2, 3]),
    expert=some([1, 4, 32]),
    micro=some([1, 2, 3]),
    recompute=some([0, 1, 2]),
    sequence_parallel=some([0, 1]),
    pipeline=some([1, 2, 5, 6]),
    interleave=some([1, 2, 3]),
    zero=some([0, 1, 2, 3]),
    offload=some([0, 1]),
)


@given(
    axes=AXES,
    memory=st.sampled_from([3e10, 8e10, 1.8e11]),
    host=st.sampled_from([1e9, 3e10, np.inf]),
    experts=st.booleans(),
)
@settings(max_examples=60)
def test_the_loops_find_what_one_plan_at_a_time_finds(axes, memory, host, experts):
    m = sparse() if experts else dense(layers=20.0, hidden=4096.0, ffn=11008.0)
    h = MACHINE._replace(memory_bytes=memory, host_memory_bytes=host, accelerators=96.0)
    job = Job(96.0, 192.0, 4096.0, 64.0 if experts else 32.0, float(m.layers), m.experts or 1.0)
    pruned, evaluated, refused, (step, plan) = plain(m, h, job, axes)
    rejected, counted, best, fastest, least, away = training_search(m, h, TRAINING, job, axes)

    assert (int(rejected[:MEMORY].sum()), counted, int(rejected[MEMORY:].sum())) == (
        pruned,
        evaluated,
        refused,
    )
    if plan is None:
        assert not best.any()
        assert fastest == np.inf
        assert least > h.memory_bytes or away > h.host_memory_bytes
    else:
        # of plans that take equally long any may come first
        assert fastest == pytest.approx(step, rel=1e-12)
        again = sum(training_parts(m, h, TRAINING, job.sequence, best))
        assert again == pytest.approx(step, rel=1e-12)


def test_every_reason_has_words():
    assert len(REASONS) == len(set(REASONS)) == HOST_MEMORY + 1
