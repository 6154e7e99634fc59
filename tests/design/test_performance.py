"""The software search: against brute force, against published runs, and against the laws."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rackwright.design.choose import choose, serving_load
from rackwright.design.numbers import compute_precision, machine_numbers, model_numbers
from rackwright.design.parameters import draw, serving_efficiencies, training_efficiencies
from rackwright.design.performance import describe, evaluate
from rackwright.design.plans import plan_array
from rackwright.design.software import serving_layouts
from rackwright.kernels.memory import training_bytes
from rackwright.kernels.serving_point import FEASIBLE, closed_loop, operating_point
from rackwright.kernels.training import training_parts
from rackwright.records.errors import InputError
from rackwright.records.study import SoftwareSpace
from tests.design.hardware import CATALOG, CHAT, MODELS, PRETRAIN, block

FAMILIES = ("Hopper", "Blackwell", "Blackwell Ultra", "CDNA4")
PARAMETERS = draw(CATALOG, FAMILIES, 64, 1)
SMALL = SoftwareSpace(
    tensor_parallel=(2, 4, 8),
    pipeline_parallel=(1, 7, 9),
    expert_parallel=(1, 2, 8),
    micro_batch=(1, 2),
    interleave=(1, 2),
    recompute=("none", "full"),
    batch=(1, 8, 32),
    prefill_chunk_tokens=(512, 2048),
)


def with_(workload, **given):
    return type(workload)(**{**dict(workload), **given})


def numbers(hardware, workload, shape, kind):
    m, h = model_numbers(shape), machine_numbers(hardware, workload.precision, shape)
    at = compute_precision(hardware.accelerator, workload.precision)
    family = hardware.accelerator.family
    efficiencies = {"training": training_efficiencies, "serving": serving_efficiencies}[kind]
    e, _, _ = efficiencies(PARAMETERS, family, at)
    return m, h, e


def test_the_best_training_plan_is_that_of_a_plain_loop():
    hardware, shape = block(), MODELS["llama-3.1-405b"]
    m, h, e = numbers(hardware, PRETRAIN, shape, "training")
    best, evaluated, feasible = 0.0, 0, 0
    for t, p, v, b, r in product((2, 4, 8), (1, 7, 9), (1, 2), (1, 2), (0.0, 2.0)):
        data, count = 1008 / (t * p), 2016 / (1008 / (t * p) * b)
        divides = (
            data % 1 == 0
            and (126 % (p * v) == 0 or (p * v > 1 and 128 % (p * v) == 0))
            and (v == 1 or (p > 1 and count % p == 0))
            and count % 1 == 0
        )
        if not divides:
            continue
        evaluated += 1
        plan = np.array([t, p, v, 1, 1, data, b, count, r, 1.0, 0.0, 1.0])
        held = training_bytes(m, plan, b * 8192.0, h.activation_bytes)
        if held <= h.memory_bytes:
            feasible += 1
            best = max(best, 2016 * 8192 / sum(training_parts(m, h, e, 8192.0, plan)))

    got = choose(hardware, PRETRAIN, shape, SMALL, PARAMETERS)
    assert got.rate == pytest.approx(best)
    assert (got.evaluated, got.feasible) == (evaluated, feasible)


def test_the_best_serving_plan_is_that_of_a_plain_loop():
    hardware, shape = block("H200", 64, 8, 400e9), MODELS["gpt-oss-120b"]
    m, h, e = numbers(hardware, CHAT, shape, "serving")
    load, best = serving_load(CHAT), 0.0
    for t, p, x, c in product((2, 4, 8), (1, 7, 9), (1, 2, 8), (512, 2048)):
        ranks = max(t, x) * p
        if 36 % p or ranks > 64 or max(t, x) % min(t, x):
            continue
        for batch in range(1, 33):
            plan = np.array([t, p, x, c, batch, 0, 0], dtype=float)
            point = operating_point(m, h, e, load, plan, float(batch))
            if point[0] == FEASIBLE:
                best = max(best, 64 // ranks * point[1])

    got = choose(hardware, CHAT, shape, SMALL, PARAMETERS)
    assert got.rate == pytest.approx(best)


def test_every_point_of_the_axes_is_evaluated_or_counted_as_not_dividing():
    table = evaluate([block(), block("H200", 64, 8)], [PRETRAIN, CHAT], MODELS, SMALL, PARAMETERS)
    training, serving = table.stats.training, table.stats.serving

    assert training.evaluated + training.pruned == 2 * 3 * 3 * 2 * 2 * 2
    assert serving.evaluated + serving.pruned == 2 * 3 * 3 * 3 * 3 * 2
    for kind in (training, serving):
        refused = sum(kind.rejected.values())
        assert refused == kind.pruned + kind.evaluated - kind.feasible


def test_parts_sum_to_the_step_and_power_stays_within_what_is_reserved():
    table = evaluate([block()], [PRETRAIN, CHAT], MODELS, SMALL, PARAMETERS)
    for service in table.services[0]:
        assert sum(part.seconds for part in service.parts) == pytest.approx(service.step_s)
        reserved = 14 * block().rack_provisioned_w
        assert 0.2 * reserved < service.average_power_w <= reserved
        assert service.memory_bytes <= block().accelerator.memory_bytes


def test_a_served_workload_keeps_both_limits():
    service = evaluate([block()], [CHAT], MODELS, SMALL, PARAMETERS).services[0][0]

    assert service.tpot_s <= CHAT.tpot_s
    assert service.ttft_s <= CHAT.ttft_s
    assert service.plan.replicas * max(service.plan.tensor_parallel, 1) <= 1008


def test_the_draws_are_the_plan_again_in_every_world():
    choice = choose(block(), PRETRAIN, MODELS["llama-3.1-405b"], SMALL, PARAMETERS)
    shape = MODELS["llama-3.1-405b"]
    service, drawn = describe(block(), PRETRAIN, shape, choice, PARAMETERS)
    plan = plan_array(service.plan, PRETRAIN)
    np.testing.assert_array_equal(plan, choice.plan)
    m, h, _ = numbers(block(), PRETRAIN, MODELS["llama-3.1-405b"], "training")
    _, draws, _ = training_efficiencies(PARAMETERS, "Blackwell Ultra", "fp8")
    rates = [
        2016 * 8192 / sum(training_parts(m, h, type(numbers_e())(*row), 8192.0, plan))
        for row in draws
    ]

    np.testing.assert_allclose(drawn, rates)


def numbers_e():
    return numbers(block(), PRETRAIN, MODELS["llama-3.1-405b"], "training")[2]


def test_the_nominal_rate_lies_inside_its_draws():
    table = evaluate([block()], [PRETRAIN, CHAT], MODELS, SMALL, PARAMETERS)
    for w, service in enumerate(table.services[0]):
        low, high = np.quantile(table.rates[0, w], (0.05, 0.95))
        assert low < service.rate_tokens_per_s < high


def test_a_design_without_memory_says_what_it_misses_and_by_how_much():
    tiny = block("H200", 8, 8)
    table = evaluate(
        [tiny], [with_(PRETRAIN, global_batch_sequences=64)], MODELS, SMALL, PARAMETERS
    )

    assert table.services == ((None,),)
    assert np.all(table.rates == 0)
    assert "memory" in table.why_not("pretrain")
    assert "misses by" in table.why_not("pretrain")


def test_a_limit_nobody_meets_says_which_and_by_how_much():
    table = evaluate([block()], [with_(CHAT, tpot_s=1e-4)], MODELS, SMALL, PARAMETERS)

    assert table.services == ((None,),)
    assert "time per output token misses by" in table.why_not("chat")


@given(st.sampled_from(["nic", "domain", "oversubscription"]))
@settings(max_examples=6, deadline=None)
def test_a_better_network_never_lowers_a_rate(axis):
    worse, better = {
        "nic": ({"nic_bit_per_s": 400e9}, {"nic_bit_per_s": 800e9}),
        "domain": ({"domain": 8}, {"domain": 72}),
        "oversubscription": ({"oversubscription": 2.0}, {"oversubscription": 1.0}),
    }[axis]
    table = evaluate([block(**worse), block(**better)], [PRETRAIN, CHAT], MODELS, SMALL, PARAMETERS)
    for low, high in zip(*table.services, strict=True):
        assert low.rate_tokens_per_s <= high.rate_tokens_per_s * (1 + 1e-9)


def test_a_wider_software_space_never_lowers_a_rate():
    small = evaluate([block()], [PRETRAIN, CHAT], MODELS, SMALL, PARAMETERS)
    wide = evaluate([block()], [PRETRAIN, CHAT], MODELS, SoftwareSpace(), PARAMETERS)
    narrow = evaluate(
        [block()],
        [PRETRAIN, CHAT],
        MODELS,
        SoftwareSpace(tensor_parallel=(8,), pipeline_parallel=(1, 7), batch=(8,)),
        PARAMETERS,
    )
    for a, b, c in zip(narrow.services[0], small.services[0], wide.services[0], strict=True):
        assert a.rate_tokens_per_s <= c.rate_tokens_per_s
        assert b.rate_tokens_per_s <= c.rate_tokens_per_s * (1 + 1e-9)


def test_layouts_that_do_not_divide_are_dropped_with_a_reason():
    layouts = next(serving_layouts(block("H200", 8, 8), MODELS["gpt-oss-120b"], SMALL))

    assert "replica larger than the block" in layouts.rejected
    assert sum(layouts.rejected.values()) + len(layouts.layouts) == 54


def test_weights_narrower_than_the_units_are_widened_as_they_are_read():
    hopper = CATALOG.accelerator("H100")

    assert compute_precision(hopper, "fp4") == "fp8"
    assert compute_precision(CATALOG.accelerator("nvidia-a100-sxm-80"), "fp8") == "bf16"
    machine = machine_numbers(block("H100", 8, 8), "fp4", MODELS["gpt-oss-120b"])
    assert (machine.weight_bytes, machine.other_weight_bytes) == (0.5625, 2.0)
    assert machine.matmul_flop_per_s == hopper.matmul_flop_per_s.fp8
    with pytest.raises(InputError, match="no matmul rate"):
        compute_precision(CATALOG.accelerator("nvidia-rtx-pro-6000-workstation"), "bf16")


# Published training runs (training_measured.csv, rows named; the place in each source is in the
# table). Dense ones were predicted within 12 % at the 90th percentile of the fit, sparse ones
# within 44 %: single rows are held to about that.
TRAINED = [
    # row, accelerator, domain, count, model, precision, plan columns, sequence, step [s], tolerance
    ("megatron-bridge-perf-0033", "GB300", 72, 256, "llama-3.1-405b", "fp8",
     (4, 8, 4, 1, 1, 8, 1, 192, 0, 1), 8192, 1536 * 8192 / (1048 * 256), 0.14),
    ("mlperf-v5.0-0005", "GB200", 72, 512, "llama-3.1-405b", "fp8",
     (4, 8, 8, 2, 1, 8, 1, 112, 0, 1), 8192, 19.31471, 0.12),
    ("mlperf-v5.0-0010", "H100", 8, 512, "llama-3.1-405b", "fp8",
     (8, 8, 8, 2, 1, 4, 1, 288, 0, 1), 8192, 55.13385, 0.12),
    ("megatron-bridge-perf-0068", "H100", 8, 32, "llama-3.1-70b", "fp8",
     (4, 4, 5, 1, 1, 2, 1, 16, 0, 1), 4096, 32 * 4096 / (1638 * 32), 0.12),
    ("megatron-bridge-perf-0006", "GB200", 72, 64, "gpt-oss-120b", "fp8",
     (1, 1, 1, 1, 64, 64, 4, 5, 1, 1), 4096, 1280 * 4096 / (28672 * 64), 0.25),
    ("megatron-bridge-perf-0051", "GB300", 72, 256, "qwen3-235b-a22b", "fp8",
     (1, 4, 12, 1, 32, 64, 2, 64, 0, 1), 4096, 8192 * 4096 / (9015 * 256), 0.30),
]  # fmt: skip


@pytest.mark.parametrize("row", TRAINED, ids=lambda row: row[0])
def test_a_published_training_run_is_predicted(row):
    _, name, domain, count, model, precision, plan, sequence, measured, tolerance = row
    network = 800e9 if name == "GB300" else 400e9
    hardware = block(name, count, domain, network)
    shape = CATALOG.model(model)
    workload = with_(PRETRAIN, precision=precision, model=model)
    m, h, e = numbers(hardware, workload, shape, "training")

    got = sum(training_parts(m, h, e, float(sequence), np.array((*plan, 0, 1), dtype=float)))
    assert got == pytest.approx(measured, rel=tolerance)


# Published serving runs (serving_measured.csv; InferenceX, one engine, 1024 in and 1024 out).
# TPOT in the fit: median 8 %, p90 29 %; predicted for the default engine.
SERVED = [
    # row, accelerator, domain, model, precision, tensor, clients, TPOT [ms]
    ("P01463", "B200", 8, "llama-3.1-70b", "fp8", 8, 4, 6.3181),
    ("P01344", "B200", 8, "llama-3.1-70b", "fp8", 1, 64, 21.3891),
    ("P01520", "H200", 8, "llama-3.1-70b", "fp8", 1, 4, 20.1136),
    ("P01611", "H200", 8, "llama-3.1-70b", "fp8", 8, 64, 12.7336),
    ("P02581", "B200", 8, "gpt-oss-120b", "fp4", 1, 4, 3.4875),
    ("P02597", "B200", 8, "gpt-oss-120b", "fp4", 1, 64, 10.4978),
    ("P02778", "H200", 8, "gpt-oss-120b", "fp4", 1, 64, 24.7611),
    ("P02649", "H100", 8, "gpt-oss-120b", "fp4", 8, 4, 3.6379),
]


@pytest.mark.parametrize("row", SERVED, ids=lambda row: row[0])
def test_a_published_serving_run_is_predicted(row):
    _, name, domain, model, precision, tensor, clients, measured = row
    shape = CATALOG.model(model)
    workload = with_(CHAT, precision=precision, model=model)
    m, h, e = numbers(block(name, 8, domain, 400e9), workload, shape, "serving")
    plan = np.array([tensor, 1.0, 1.0, 8192.0, clients, 0.0, 0.0])

    got, _ = closed_loop(m, h, e, 1024.0, 1024.0, plan, float(clients), 1024.0, 0.1)
    assert 1e3 * got == pytest.approx(measured, rel=0.30)


def test_layouts_in_many_pieces_are_those_of_one(monkeypatch):
    hardware, shape = block("H200", 64, 8), MODELS["gpt-oss-120b"]
    whole = choose(hardware, CHAT, shape, SMALL, PARAMETERS)
    monkeypatch.setattr("rackwright.design.software.LAYOUTS_AT_ONCE", 7)

    assert len(list(serving_layouts(hardware, shape, SMALL))) > 3
    assert choose(hardware, CHAT, shape, SMALL, PARAMETERS) == whole
