"""Published configuration files give the shapes in the catalog; what cannot be read is named."""

import json

import pytest

from rackwright import catalog
from rackwright.catalog import read_model_config
from rackwright.records.errors import InputError
from rackwright.records.model_counts import parameters

COMMON = {"max_position_embeddings": 131072, "tie_word_embeddings": False}
CONFIGS = {
    "llama-3.1-70b": {
        "model_type": "llama",
        "hidden_size": 8192,
        "intermediate_size": 28672,
        "num_attention_heads": 64,
        "num_hidden_layers": 80,
        "num_key_value_heads": 8,
        "vocab_size": 128256,
    },
    "mixtral-8x7b": {
        "model_type": "mixtral",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_attention_heads": 32,
        "num_hidden_layers": 32,
        "num_key_value_heads": 8,
        "num_local_experts": 8,
        "num_experts_per_tok": 2,
        "vocab_size": 32000,
        "sliding_window": None,
    },
    "qwen2.5-7b": {
        "model_type": "qwen2",
        "hidden_size": 3584,
        "intermediate_size": 18944,
        "num_attention_heads": 28,
        "num_hidden_layers": 28,
        "num_key_value_heads": 4,
        "vocab_size": 152064,
        "use_sliding_window": False,
    },
    "qwen3-30b-a3b": {
        "model_type": "qwen3_moe",
        "hidden_size": 2048,
        "intermediate_size": 6144,
        "moe_intermediate_size": 768,
        "num_attention_heads": 32,
        "head_dim": 128,
        "num_hidden_layers": 48,
        "num_key_value_heads": 4,
        "num_experts": 128,
        "num_experts_per_tok": 8,
        "decoder_sparse_step": 1,
        "mlp_only_layers": [],
        "vocab_size": 151936,
    },
    "deepseek-v3": {
        "model_type": "deepseek_v3",
        "hidden_size": 7168,
        "intermediate_size": 18432,
        "moe_intermediate_size": 2048,
        "num_attention_heads": 128,
        "num_hidden_layers": 61,
        "num_key_value_heads": 128,
        "q_lora_rank": 1536,
        "kv_lora_rank": 512,
        "qk_nope_head_dim": 128,
        "qk_rope_head_dim": 64,
        "v_head_dim": 128,
        "n_routed_experts": 256,
        "n_shared_experts": 1,
        "num_experts_per_tok": 8,
        "first_k_dense_replace": 3,
        "moe_layer_freq": 1,
        "num_nextn_predict_layers": 1,
        "vocab_size": 129280,
        "quantization_config": {"quant_method": "fp8"},
    },
    "gpt-oss-120b": {
        "model_type": "gpt_oss",
        "hidden_size": 2880,
        "intermediate_size": 2880,
        "num_attention_heads": 64,
        "head_dim": 64,
        "num_hidden_layers": 36,
        "num_key_value_heads": 8,
        "num_local_experts": 128,
        "num_experts_per_tok": 4,
        "sliding_window": 128,
        "layer_types": ["sliding_attention", "full_attention"] * 18,
        "vocab_size": 201088,
        "attention_bias": True,
        "quantization_config": {"quant_method": "mxfp4"},
    },
}


def _write(folder, config):
    path = folder / "config.json"
    path.write_text(json.dumps({**COMMON, **config}))
    return path


@pytest.mark.parametrize("name", CONFIGS)
def test_a_config_gives_the_shape_in_the_catalog(tmp_path, name):
    got = read_model_config(_write(tmp_path, CONFIGS[name]))
    known = catalog.load().model(name)

    assert parameters(got).total == pytest.approx(parameters(known).total, rel=1e-6)
    assert parameters(got).active == pytest.approx(parameters(known).active, rel=1e-6)
    assert got.groups() == known.groups()
    assert got.mtp_layers == known.mtp_layers


def test_an_unknown_architecture_is_an_error_that_names_the_readers(tmp_path):
    with pytest.raises(InputError, match=r"no reader for 'mistral3'.*Did you mean mistral"):
        read_model_config(_write(tmp_path, {"model_type": "mistral3"}))
    with pytest.raises(InputError, match="model_type is missing"):
        read_model_config(_write(tmp_path, {}))


def test_every_missing_key_is_named_at_once(tmp_path):
    config = dict(CONFIGS["deepseek-v3"])
    for key in ("hidden_size", "kv_lora_rank", "n_routed_experts"):
        del config[key]

    with pytest.raises(InputError) as caught:
        read_model_config(_write(tmp_path, config))
    text = str(caught.value)
    assert all(key in text for key in ("hidden_size", "kv_lora_rank", "n_routed_experts"))


def test_a_contradiction_is_told(tmp_path):
    heads = {**CONFIGS["llama-3.1-70b"], "num_attention_heads": 60}
    layers = {**CONFIGS["gpt-oss-120b"], "num_hidden_layers": 35}

    with pytest.raises(InputError, match="not a multiple of 60"):
        read_model_config(_write(tmp_path, heads))
    with pytest.raises(InputError, match="36 layers, the model has 35"):
        read_model_config(_write(tmp_path, layers))


@pytest.mark.parametrize("text", ["", "{", "[1]", '"llama"', "\x00"])
def test_a_damaged_file_is_one_clear_message(tmp_path, text):
    path = tmp_path / "config.json"
    path.write_text(text)

    with pytest.raises(InputError, match=r"config\.json"):
        read_model_config(path)


def test_a_missing_file_is_one_clear_message(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.json"):
        read_model_config(tmp_path / "nowhere.json")
