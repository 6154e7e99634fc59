"""Counts from shapes agree with what was published."""

import pytest

from rackwright import catalog
from rackwright.records.model import Experts, Model, ModelShape, expand_pattern
from rackwright.records.model_counts import (
    cache_bytes,
    cache_elements_per_token,
    forward_flop_per_token,
    parameters,
)

CATALOG = catalog.load()

# model, published total and active parameters in billions:
# gpt-oss: model card (arXiv 2508.10925), table 1; Llama 3.1: model pages; DeepSeek-V3: arXiv
# 2412.19437, abstract
PUBLISHED = [
    ("gpt-oss-120b", 116.83, 5.13),
    ("llama-3.1-70b", 70.55, None),
    ("llama-3.1-405b", 405.85, None),
    ("deepseek-v3", 671.0, 37.0),
]


@pytest.mark.parametrize(("name", "total", "active"), PUBLISHED)
def test_parameters_agree_with_the_published_count_within_a_percent(name, total, active):
    count = parameters(CATALOG.model(name))

    assert count.total / 1e9 == pytest.approx(total, rel=0.01)
    if active is not None:
        nearer = min(
            count.active, count.active_without_embedding, key=lambda x: abs(x / 1e9 - active)
        )
        assert nearer / 1e9 == pytest.approx(active, rel=0.03)


def test_at_least_161_of_176_published_totals_are_met_within_a_percent():
    met = published = 0
    for model in CATALOG.all("models"):
        assert isinstance(model, Model)
        if model.total_parameters is None:
            continue
        published += 1
        total = parameters(model.shape).total
        with_encoders = total + (model.encoder_parameters or 0.0)
        met += any(abs(x / model.total_parameters - 1) <= 0.01 for x in (total, with_encoders))

    assert (met, published) >= (161, 176)


def test_every_catalogued_model_can_be_counted():
    for model in CATALOG.all("models"):
        assert isinstance(model, Model)
        assert parameters(model.shape).total > 0
        assert cache_bytes(model.shape, 4096, 2.0) > 0
        assert sum(group.layers for group in model.shape.groups()) == model.shape.layers


# Cache per token at 16 bit, by hand: layers x kv heads x 2 x head size x 2 bytes; for latent
# attention layers x (512 + 64) x 2 bytes (DeepSeek-V3: 70 KB, arXiv 2505.09343, table 1)
def test_cache_per_token_is_that_of_a_hand_calculation():
    llama, deepseek = CATALOG.model("llama-3.1-70b"), CATALOG.model("deepseek-v3")

    assert 2 * cache_elements_per_token(llama) == 80 * 8 * 2 * 128 * 2
    assert 2 * cache_elements_per_token(deepseek) == 61 * (512 + 64) * 2


def test_windows_stop_the_cache_from_growing():
    shape = CATALOG.model("gpt-oss-120b")
    half = 18 * 8 * 2 * 64 * 2  # bytes per token of the 18 full layers at 16 bit

    assert cache_bytes(shape, 4096, 2.0) == half * 4096 + half * 128


def test_flop_per_token_are_two_per_active_parameter_and_the_attention():
    shape = CATALOG.model("llama-3.1-70b")
    matrices = parameters(shape).total - shape.vocab * shape.hidden

    assert forward_flop_per_token(shape, 0.0) == pytest.approx(2 * matrices, rel=1e-4)
    core = forward_flop_per_token(shape, 1000.0) - forward_flop_per_token(shape, 0.0)
    assert core == pytest.approx(2 * 2 * 80 * 8192 * 1000)


def test_patterns_expand():
    assert expand_pattern("F (SSF)x2 S") == "FSSFSSFS"


def test_a_contradictory_shape_is_refused():
    good = dict(CATALOG.model("llama-3.1-70b"))
    with pytest.raises(ValueError, match="not a multiple of kv_heads"):
        ModelShape(**{**good, "kv_heads": 7})
    with pytest.raises(ValueError, match="no layer feeds forward"):
        ModelShape(**{**good, "ffn": None})
    with pytest.raises(ValueError, match="exceeds experts"):
        Experts(experts=4, top_k=8, moe_ffn=16)
    with pytest.raises(ValueError, match="latent attention needs kv_lora"):
        ModelShape(**{**good, "attention": {"kind": "mla"}})
