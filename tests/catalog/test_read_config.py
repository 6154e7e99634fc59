"""Published configuration files give the shapes in the catalog; what cannot be read is named."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rackwright import catalog
from rackwright.catalog import read_model_config
from rackwright.records.errors import InputError
from rackwright.records.model import Model, expand_pattern
from rackwright.records.model_counts import parameters
from tests.catalog.public_spelling import WRITERS, config_of

CATALOG = catalog.load()
MODELS = {m.key: m for m in CATALOG.all("models") if isinstance(m, Model)}
READ_BACK = sorted(key for key, model in MODELS.items() if model.shape.model_type in WRITERS)
COMPARED_APART = {"name", "model_type", "assumed", "positional", "max_context", "weight_precision"}


def _write(folder, config):
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    return path


def _plain(shape):
    """A shape as tables, with patterns written out and notes left away."""
    told = shape.model_dump(exclude=COMPARED_APART)
    for part in ("sliding_window", "hybrid", "sparse_attention"):
        for key in ("note", "layer_pattern"):
            if told[part] and key in told[part]:
                told[part][key] = "" if key == "note" else expand_pattern(told[part][key])
    return told


@pytest.mark.parametrize("name", READ_BACK)
def test_a_config_in_the_public_spelling_gives_the_shape_in_the_catalog(tmp_path, name):
    known = MODELS[name].shape
    got = read_model_config(_write(tmp_path, config_of(known)))

    assert _plain(got) == _plain(known)
    assert got.groups() == known.groups()
    assert parameters(got) == parameters(known)


def test_at_least_forty_models_of_twenty_types_are_read_back():
    assert len(READ_BACK) >= 150
    assert len({MODELS[name].shape.model_type for name in READ_BACK}) >= 60


PUBLISHED = [key for key in READ_BACK if MODELS[key].total_parameters]


def test_what_is_read_has_the_published_parameters_for_at_least_forty_models(tmp_path):
    met = 0
    for key in PUBLISHED:
        model = MODELS[key]
        total = parameters(read_model_config(_write(tmp_path, config_of(model.shape)))).total
        sums = (total, total + (model.encoder_parameters or 0.0))
        met += any(abs(x / model.total_parameters - 1) <= 0.01 for x in sums)

    assert met >= 120


# Facts of released files that the catalog's own shapes cannot show.


def test_what_a_file_leaves_to_its_type_is_told(tmp_path):
    config = config_of(MODELS["gemma3-4b"].shape)
    got = read_model_config(_write(tmp_path, config))

    assert "num_attention_heads = 8" in got.assumed
    assert "vocab_size = 262208" in got.assumed
    assert "sliding_window_pattern = 6" in got.assumed


def test_nothing_is_assumed_that_the_file_states(tmp_path):
    config = {**config_of(MODELS["llama-3.1-70b"].shape), "attention_bias": False}

    assert read_model_config(_write(tmp_path, config)).assumed == ()


def test_windows_lie_on_every_layer_of_the_first_mistral(tmp_path):
    config = {**config_of(MODELS["mistral-7b"].shape), "sliding_window": 4096}
    got = read_model_config(_write(tmp_path, config))

    assert got.sliding_window.window == 4096
    assert [(g.mixer, g.layers) for g in got.groups()] == [("window", 32)]


def test_windows_begin_after_the_first_layers_where_qwen_switches_them_on(tmp_path):
    config = {
        **config_of(MODELS["qwen2.5-7b"].shape),
        "use_sliding_window": True,
        "sliding_window": 4096,
        "max_window_layers": 20,
    }
    got = read_model_config(_write(tmp_path, config))

    assert {g.mixer: g.layers for g in got.groups()} == {"full": 20, "window": 8}


def test_the_older_spelling_of_falcon_is_the_same_model(tmp_path):
    config = {
        "model_type": "RefinedWeb",
        "hidden_size": 8192,
        "n_layer": 60,
        "n_head": 128,
        "n_head_kv": 8,
        "vocab_size": 65024,
        "parallel_attn": True,
        "bias": False,
        "alibi": False,
    }

    assert _plain(read_model_config(_write(tmp_path, config))) == _plain(MODELS["falcon-40b"].shape)


NEWER = [
    ("nemotron-3-nano", {"hybrid_override_pattern": None, "layers_block_type": "words"}),
    ("deepseek-v3", {"first_k_dense_replace": 0, "moe_layer_freq": None,
                     "mlp_layer_types": ["dense"] * 3 + ["sparse"] * 58}),
    ("minimax-text-01", {"attn_type_list": None,
                         "layer_types": (["linear_attention"] * 7 + ["full_attention"]) * 10}),
    ("llama-4-maverick", {"moe_layers": list(range(1, 48, 2)), "interleave_moe_layer_step": 1}),
    ("olmo3-7b", {"layer_types": None}),
    ("qwen1.5-moe-a2.7b", {"sliding_window": 0}),
    ("kimi-linear-48b-a3b",
     {"linear_attn_config": None, "linear_num_heads": 32, "linear_head_dim": 128,
      "layer_types": ["linear_attention"] * 3 + ["full_attention"]
      + (["linear_attention"] * 3 + ["full_attention"]) * 5 + ["linear_attention"] * 2
      + ["full_attention"]}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change"), NEWER)
def test_the_other_spelling_of_a_type_is_the_same_model(tmp_path, name, change):
    shape = MODELS[name].shape
    config = config_of(shape)
    if change.get("layers_block_type"):
        words = {"M": "mamba", "E": "moe", "*": "attention", "-": "mlp"}
        pattern = expand_pattern(shape.hybrid.layer_pattern)
        change = {**change, "layers_block_type": [words[letter] for letter in pattern]}
    table = config.get("text_config", config)
    for key, value in change.items():
        if value is None:
            table.pop(key)
        else:
            table[key] = value

    assert _plain(read_model_config(_write(tmp_path, config))) == _plain(shape)


def test_gpt2_has_its_published_parameters(tmp_path):
    # Radford et al., "Language Models are Unsupervised Multitask Learners", 2019: 1542 M, and the
    # size of the released smallest model, 124 M
    for layers, hidden, heads, published in ((12, 768, 12, 124.4e6), (48, 1600, 25, 1557.6e6)):
        config = {
            "model_type": "gpt2",
            "n_layer": layers,
            "n_embd": hidden,
            "n_head": heads,
            "n_positions": 1024,
            "vocab_size": 50257,
        }
        got = read_model_config(_write(tmp_path, config))

        assert parameters(got).total == pytest.approx(published, rel=0.002)
        assert got.learned_positions == 1024


QUANTISED = [
    ({"quant_method": "fp8", "weight_block_size": [128, 128]}, "fp8_e4m3 (128x128 blocks)"),
    ({"quant_method": "mxfp4"}, "experts mxfp4, rest bf16"),
    ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, "nvfp4"),
    ({"quant_method": "awq", "bits": 4}, "int4"),
    (
        {
            "quant_method": "compressed-tensors",
            "format": "pack-quantized",
            "config_groups": {"group_0": {"weights": {"num_bits": 4, "type": "int"}}},
            "ignore": ["re:.*self_attn.*"],
        },
        "experts int4, rest bf16",
    ),
]


@pytest.mark.parametrize(("table", "told"), QUANTISED)
def test_the_precision_of_the_weights_is_told(tmp_path, table, told):
    config = {**config_of(MODELS["llama-3.1-8b"].shape), "quantization_config": table}

    assert read_model_config(_write(tmp_path, config)).weight_precision == told


# What cannot be read, and how it is said.

LLAMA, OSS, V3 = "llama-3.1-70b", "gpt-oss-120b", "deepseek-v3"
WRONG = [
    (LLAMA, {"model_type": None}, "model_type: missing"),
    (LLAMA, {"model_type": "lama"}, "model_type: no reader for 'lama'.*Did you mean llama"),
    (LLAMA, {"model_type": ["llama"]}, "model_type: no reader for"),
    (LLAMA, {"hidden_size": None}, "hidden_size: missing; every llama configuration states it"),
    (LLAMA, {"hidden_size": -8192}, "hidden_size: found -8192, allowed a whole number"),
    (LLAMA, {"hidden_size": "8192"}, "hidden_size: found '8192', allowed a whole number"),
    (LLAMA, {"hidden_size": 8192.5}, "hidden_size: found 8192.5"),
    (LLAMA, {"num_hidden_layers": 10**12}, "num_hidden_layers: found 1000000000000"),
    (LLAMA, {"num_attention_heads": 60}, "hidden_size 8192 is not a multiple of .*heads 60"),
    (LLAMA, {"num_key_value_heads": 7}, "num_key_value_heads: found 7, which does not divide"),
    (LLAMA, {"attention_bias": "yes"}, "attention_bias: found 'yes', allowed true or false"),
    (LLAMA, {"mlp_bias": True, "attention_bias": True}, None),
    (LLAMA, {"quantization_config": {"quant_method": "wish"}}, "quant_method: found 'wish', all"),
    (OSS, {"num_hidden_layers": 35}, "layer_types: names 36 layers, num_hidden_layers says 35"),
    (OSS, {"layer_types": ["spiral"] * 36}, "layer_types: found 'spiral', allowed .*full_atten"),
    (OSS, {"sliding_window": None}, "sliding_window: missing, and 18 layers have a window"),
    (OSS, {"num_experts_per_tok": 129}, "num_experts_per_tok: found 129, allowed 1 to .* 128"),
    (V3, {"qk_head_dim": 200}, "qk_head_dim: found 200, but qk_nope_head_dim 128 and .* make 192"),
    (V3, {"moe_layer_freq": [0] * 61}, "moe_layer_freq: no layer holds experts"),
    (V3, {"moe_layer_freq": [1, 0, 0, 1] * 15 + [1]}, "dense layers 1, 2, 5.* no shape can say"),
    ("kimi-linear-48b-a3b", {"linear_attn_config": {"full_attn_layers": [1, 2], "kda_layers": [3]}},
     "name 2 [+] 1 layers, num_hidden_layers says 27"),
    ("nemotron-3-nano", {"hybrid_override_pattern": "MXM"}, "found 'MXM', allowed the letters"),
    ("nemotron-3-nano", {"hybrid_override_pattern": "ME*"}, "names 3 layers, .* says 52"),
    ("opt-6.7b", {"word_embed_proj_dim": 512}, "word_embed_proj_dim: found 512, only hidden_size"),
    ("mpt-7b", {"attn_config": {"attn_type": "spiral"}}, "attn_type: found 'spiral', only 'multi"),
    ("mpt-7b", {"expansion_ratio": 0.0001}, "expansion_ratio: found 0.0001, allowed"),
    ("jamba-1.5-mini", {"attn_layer_offset": 9}, "attn_layer_offset: found 9, allowed 0 to 7"),
    ("llama-4-scout", {"text_config": [1]}, r"text_config: found \[1\], a llama4 file has"),
    ("llama-4-scout", {"text_config": {"model_type": "llama4"}}, "'llama4' is composite itself"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change", "told"), WRONG)
def test_what_cannot_be_read_names_file_key_found_and_allowed(tmp_path, name, change, told):
    path = _write(tmp_path, {**config_of(MODELS[name].shape), **change})
    if told is None:
        assert read_model_config(path).biases == "all"
        return

    with pytest.raises(InputError, match=told) as caught:
        read_model_config(path)
    assert all("config.json" in line for line in caught.value.mistakes)


def test_every_missing_key_is_named_at_once(tmp_path):
    config = config_of(MODELS[V3].shape)
    for key in ("hidden_size", "kv_lora_rank", "n_routed_experts"):
        del config[key]

    with pytest.raises(InputError) as caught:
        read_model_config(_write(tmp_path, config))
    told = [line.split("config.json: ")[1].split(":")[0] for line in caught.value.mistakes]
    assert told == ["hidden_size", "kv_lora_rank", "n_routed_experts"]


@pytest.mark.parametrize("text", ["", "{", "[1]", '"llama"', "\x00", "[" * 100_000, "1e9999"])
def test_a_damaged_file_is_one_clear_message(tmp_path, text):
    path = tmp_path / "config.json"
    path.write_text(text)

    with pytest.raises(InputError, match=r"config\.json"):
        read_model_config(path)


def test_a_missing_file_is_one_clear_message(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.json"):
        read_model_config(tmp_path / "nowhere.json")


ODD = st.sampled_from(
    [None, True, False, -1, 0, 1, 7, 1e30, 2.5, float("inf"), "x", "", [], [1], {}, {"a": 1},
     10**40, [None], ["full_attention"], {"quant_method": "fp8"}]
)  # fmt: skip
DAMAGED = ["llama-3.1-8b", OSS, V3, "gemma4-26b-a4b", "kimi-k3", "nemotron-3-nano", "falcon-7b",
           "minimax-m3", "deepseek-v4-pro", "glm-5.2", "jamba-1.5-mini", "mpt-7b", "arctic-480b",
           "qwen3-next-80b-a3b", "llama-4-maverick", "ernie-4.5-21b-a3b"]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_damaged_config_gives_a_shape_or_a_clear_message(tmp_path_factory, data):
    config = config_of(MODELS[data.draw(st.sampled_from(DAMAGED))].shape)
    for _ in range(data.draw(st.integers(1, 3))):
        table = config
        inner = [key for key, value in config.items() if isinstance(value, dict)]
        if inner and data.draw(st.booleans()):
            table = config[data.draw(st.sampled_from(inner))]
        if not table:
            continue
        key = data.draw(st.sampled_from(sorted(table)))
        if data.draw(st.booleans()):
            table[key] = copy.deepcopy(data.draw(ODD))
        else:
            del table[key]
    path = _write(tmp_path_factory.getbasetemp(), config)

    told = ()
    try:
        assert parameters(read_model_config(path)).total > 0
    except InputError as error:
        told = error.mistakes
    assert all("config.json: " in line and "\n" not in line for line in told)
