"""Bytes on an accelerator: by hand for a simple case, and laws for the rest."""

import numpy as np
import pytest

from rackwright.kernels.memory import (
    FULL,
    NONE,
    RESERVE_BYTES,
    SELECTIVE,
    kept_bytes_per_token,
    sequence_cache_bytes,
    serving_weight_bytes,
    stage_parameters,
    training_bytes,
)
from tests.kernels.inputs import MACHINE, dense, sparse

BODY = 80 * 8192 * (2 * 8192 + 2 * 1024 + 3 * 28672)
TABLE = 128256 * 8192


def held(
    tensor=1.0,
    pipeline=1.0,
    data=1.0,
    recompute=NONE,
    zero=0.0,
    count=8.0,
    interleave=1.0,
    more=(0.0, 1.0),
):
    plan = (tensor, pipeline, interleave, 1.0, 1.0, data, 2.0, count, recompute, zero, *more)
    return training_bytes(dense(), np.array(plan), 4096.0, 2.0)


def test_weights_gradients_and_optimizer_take_16_bytes_a_parameter():
    # Rajbhandari et al., ZeRO (arXiv 1910.02054), section 3.1
    states = held(recompute=FULL) - RESERVE_BYTES
    states -= 4096 * 2 * 8192 * 80 + kept_bytes_per_token(dense(), NONE, 2.0, 1.0, 1.0) / 80 * 4096
    states -= 4 * 4096 * 128256

    assert states == pytest.approx(16 * (BODY + 2 * TABLE), rel=1e-9)


def test_sharding_more_of_the_state_over_data_parallel_holds_less():
    stages = [held(data=8.0, zero=z) for z in (0.0, 1.0, 2.0, 3.0)]

    assert stages == sorted(stages, reverse=True)
    assert stages[0] - stages[1] == pytest.approx(12 * 7 / 8 * (BODY + 2 * TABLE))


def test_recomputation_keeps_less():
    kept = [kept_bytes_per_token(dense(), r, 2.0, 1.0, 1.0) for r in (NONE, SELECTIVE, FULL)]

    assert kept[0] > kept[1] > kept[2] == 2 * 8192 * 80


def test_activations_without_recomputation_are_those_of_the_paper():
    # Korthikanti et al. (arXiv 2205.05198), equation 2 without attention scores, for a layer with
    # an ungated MLP of four times the width: 34 s b h bytes. They count two dropout masks (1 each)
    # and the softmax input differs; flash attention keeps none. Ours: norms 2+2, qkv 6, out 2,
    # second norm 2+2, up 8, activation 8 = 32.
    h = 8192.0
    m = dense(80.0, h, 4 * h, kv_heads=64.0)._replace(gated=1.0, mlp_up=4 * h * h)

    assert kept_bytes_per_token(m, NONE, 2.0, 1.0, 1.0) / (80 * h) == pytest.approx(32)


def test_a_pipeline_keeps_as_many_micro_batches_as_it_has_stages():
    def activations(pipeline, interleave=1.0, count=64.0):
        total = held(pipeline=pipeline, count=count, interleave=interleave) - RESERVE_BYTES
        return total - 16 * stage_parameters(dense(), 1.0, pipeline, 1.0)

    assert activations(4.0) == pytest.approx(activations(8.0))
    assert activations(8.0, interleave=2.0) > activations(8.0)
    assert activations(8.0, count=4.0) == pytest.approx(activations(8.0) / 2)


def test_experts_are_split_by_the_larger_of_both_groups():
    m = sparse()
    routed = m.moe_layers * m.experts * (m.expert_up + m.expert_down)

    got = stage_parameters(m, 1.0, 1.0, 8.0) - stage_parameters(m, 1.0, 1.0, 16.0)
    assert got == pytest.approx(routed / 8 - routed / 16)
    assert stage_parameters(m, 8.0, 1.0, 1.0) == stage_parameters(m, 8.0, 1.0, 8.0)


def test_a_cache_cannot_be_split_over_more_ranks_than_it_has_heads():
    m = dense(kv_heads=8.0)
    one, eight, sixteen = (
        sequence_cache_bytes(m, MACHINE, 4096.0, t, 1.0) for t in (1.0, 8.0, 16.0)
    )

    assert one == 80 * 8 * 2 * 128 * 4096
    assert eight == pytest.approx(one / 8) == pytest.approx(sixteen)


def test_serving_weights_are_the_parameters_at_their_precision():
    got = serving_weight_bytes(dense(), MACHINE, 1.0, 1.0, 1.0)

    assert got == pytest.approx(BODY * 1.0 + 2 * TABLE * 2.0)


def test_an_optimizer_at_the_host_leaves_twelve_bytes_a_parameter():
    here, away = held(), held(more=(1.0, 1.0))

    assert here - away == pytest.approx(12 * (BODY + 2 * TABLE))


def test_without_sequence_parallelism_every_rank_keeps_the_norms_whole():
    # norms: 2 + 2 bytes twice a layer without recomputation; split by four or copied
    split = kept_bytes_per_token(dense(), NONE, 2.0, 4.0, 1.0)
    copied = kept_bytes_per_token(dense(), NONE, 2.0, 4.0, 0.0)

    assert copied - split == pytest.approx(80 * 8 * 8192 * (1 - 1 / 4))
