"""Probes: what early racks should read is the kernels' own answer, world by world."""

import numpy as np
import pytest

from rackwright.design.parameters import draw, value
from rackwright.design.performance import evaluate
from rackwright.design.probes import predict
from rackwright.records.study import SoftwareSpace
from tests.design.hardware import CATALOG, CHAT, MODELS, PRETRAIN, block

PARAMETERS = draw(CATALOG, ("Blackwell Ultra", "Hopper"), 128, 1)
BLOCK = block()
TABLE = evaluate([BLOCK], [PRETRAIN, CHAT], MODELS, SoftwareSpace(), PARAMETERS)
PROBES = {
    p.probe: p for p in predict(BLOCK, TABLE.services[0], [PRETRAIN, CHAT], MODELS, PARAMETERS)
}


def test_there_is_a_probe_for_each_part_and_each_workload():
    assert list(PROBES) == [
        "matmul-bf16",
        "matmul-fp8",
        "matmul-fp4",
        "memory-bandwidth",
        "scale-up-all-reduce",
        "scale-out-bandwidth",
        "training-pretrain",
        "serving-chat",
        "rack-power",
    ]


def test_every_probe_has_a_draw_in_every_world_around_its_nominal_value():
    for probe in PROBES.values():
        assert probe.draws.shape == (128,)
        assert probe.draws.min() > 0
        assert 0.7 < np.median(probe.draws) / probe.nominal < 1.3
        assert probe.better == ("lower" if probe.unit in ("s", "W") else "higher")


def test_a_rate_never_exceeds_what_is_physically_there():
    gpu = BLOCK.accelerator
    peaks = {
        "matmul-bf16": gpu.matmul_flop_per_s.bf16,
        "matmul-fp8": gpu.matmul_flop_per_s.fp8,
        "matmul-fp4": gpu.matmul_flop_per_s.fp4,
        "memory-bandwidth": gpu.memory_bytes_per_s,
        "scale-up-all-reduce": BLOCK.scale_up_bytes_per_s,
    }
    for name, peak in peaks.items():
        assert PROBES[name].draws.max() < peak


def test_a_component_probe_reads_the_parameter_that_the_space_was_computed_with():
    _, drawn = value(PARAMETERS, "Blackwell Ultra", "matmul.fp8")
    peak = BLOCK.accelerator.matmul_flop_per_s.fp8

    np.testing.assert_allclose(PROBES["matmul-fp8"].draws, peak * drawn)


def test_worlds_that_read_low_are_worlds_that_serve_less():
    rates = TABLE.rates[0]
    training = -np.log(PROBES["training-pretrain"].draws)
    serving = np.log(PROBES["serving-chat"].draws)

    assert np.corrcoef(training, np.log(rates[0]))[0, 1] > 0.9
    some = rates[1] > 0.0  # worlds in which the plan breaks a limit at any batch serve nothing
    assert some.mean() > 0.9
    assert np.corrcoef(serving[some], np.log(rates[1][some]))[0, 1] > 0.6


def test_a_rack_serves_its_share_of_the_block_at_the_nominal_point():
    service = TABLE.services[0][1]

    assert PROBES["serving-chat"].nominal == pytest.approx(service.rate_tokens_per_s / 14, rel=1e-6)


def test_rack_power_is_the_block_power_over_its_racks():
    service = TABLE.services[0][0]

    assert PROBES["rack-power"].nominal == pytest.approx(service.average_power_w / 14, rel=1e-6)


def test_a_workload_that_the_design_cannot_do_has_no_probe():
    probes = predict(BLOCK, [None, TABLE.services[0][1]], [PRETRAIN, CHAT], MODELS, PARAMETERS)

    assert not any(p.probe.startswith("training") for p in probes)
