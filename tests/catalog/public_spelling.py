"""Shapes written as configuration files in the spelling of the public releases.

Written out by hand from what released files state, apart from the readings in the catalog: a test
that reads these files back compares two independent tables. Keys that released files leave to the
defaults of their type are left out here too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rackwright.records.model import ModelShape, expand_pattern

Config = dict[str, Any]

FULL, WINDOW, LINEAR = "full_attention", "sliding_attention", "linear_attention"


def config_of(shape: ModelShape) -> Config:
    """Return the configuration file of a shape, as its `model_type` is spelled."""
    return WRITERS[shape.model_type](shape)


def llama(s: ModelShape) -> Config:
    return {
        "model_type": "llama",
        "hidden_size": s.hidden,
        "intermediate_size": s.ffn,
        "num_attention_heads": s.heads,
        "num_hidden_layers": s.layers,
        "num_key_value_heads": s.kv_heads,
        "vocab_size": s.vocab,
        "max_position_embeddings": s.max_context,
        "tie_word_embeddings": s.tied_embeddings,
        **({"head_dim": s.head_dim} if s.head_dim * s.heads != s.hidden else {}),
    }


def like(kind: str, **more: Any) -> Callable[[ModelShape], Config]:
    """Return a writer of files that are spelled as Llama's and state a few keys more."""
    return lambda s: {**llama(s), "model_type": kind, "head_dim": s.head_dim, **more}


def mistral(s: ModelShape) -> Config:
    window = s.sliding_window
    return {
        **like(s.model_type)(s),
        "sliding_window": window.window if window else None,
        **({"layer_types": _words(s)} if window and "F" in window.layer_pattern else {}),
    }


def mixtral(s: ModelShape) -> Config:
    return {
        **mistral(s),
        "intermediate_size": s.moe.moe_ffn,
        "num_local_experts": s.moe.experts,
        "num_experts_per_tok": s.moe.top_k,
    }


def phimoe(s: ModelShape) -> Config:
    return {**mixtral(s), "attention_bias": s.biases == "attn"}


def starcoder2(s: ModelShape) -> Config:
    return {**mistral(s), "use_bias": s.biases == "all"}


def qwen2(s: ModelShape) -> Config:
    return {
        **llama(s),
        "model_type": "qwen2",
        "use_sliding_window": False,
        "sliding_window": 131072,
        "max_window_layers": s.layers,
    }


def qwen_experts(s: ModelShape) -> Config:
    return {
        "num_experts": s.moe.experts,
        "num_experts_per_tok": s.moe.top_k,
        "moe_intermediate_size": s.moe.moe_ffn,
        "decoder_sparse_step": s.moe.interleave,
        "mlp_only_layers": [],
        "intermediate_size": 4 * s.hidden,  # stated, though no layer is dense
    }


def qwen2_moe(s: ModelShape) -> Config:
    shared = {"shared_expert_intermediate_size": s.moe.shared_ffn}
    return {**qwen2(s), "model_type": "qwen2_moe", **qwen_experts(s), **shared}


def qwen3(s: ModelShape) -> Config:
    return {**qwen2(s), "model_type": s.model_type, "head_dim": s.head_dim, "attention_bias": False}


def qwen3_moe(s: ModelShape) -> Config:
    return {**qwen3(s), **qwen_experts(s)}


def delta_net(s: ModelShape) -> Config:
    state = s.hybrid
    return {
        "full_attention_interval": 4,
        "layer_types": _words(s),
        "linear_conv_kernel_dim": state.conv,
        "linear_key_head_dim": state.key_dim,
        "linear_num_key_heads": state.key_heads,
        "linear_num_value_heads": state.value_heads,
        "linear_value_head_dim": state.value_dim,
    }


def qwen3_next(s: ModelShape) -> Config:
    net = delta_net(s)
    del net["layer_types"]  # the first release states the interval alone
    shared = {"shared_expert_intermediate_size": s.moe.shared_ffn}
    mtp = {"num_nextn_predict_layers": s.mtp_layers}
    return {**qwen3_moe(s), "model_type": "qwen3_next", **net, **shared, **mtp}


def qwen3_5(s: ModelShape) -> Config:
    text = {
        **qwen3(s),
        "model_type": s.model_type,
        **delta_net(s),
        "mtp_num_hidden_layers": s.mtp_layers,
        "attn_output_gate": True,
    }
    if s.moe:
        text |= {**qwen_experts(s), "shared_expert_intermediate_size": s.moe.shared_ffn}
    tied = text.pop("tie_word_embeddings")
    whole = s.model_type.removesuffix("_text")
    return {"model_type": whole, "text_config": text, "tie_word_embeddings": tied}


def qwen3_vl(s: ModelShape) -> Config:
    return {"model_type": "qwen3_vl", "text_config": {**qwen3(s), "model_type": "qwen3_vl_text"}}


def latent(s: ModelShape) -> Config:
    a = s.attention
    return {
        "q_lora_rank": a.q_lora,
        "kv_lora_rank": a.kv_lora,
        "qk_nope_head_dim": a.nope_dim,
        "qk_rope_head_dim": a.rope_dim,
        "v_head_dim": a.v_dim,
    }


def routed(s: ModelShape) -> Config:
    return {
        "n_routed_experts": s.moe.experts,
        "n_shared_experts": s.moe.shared,
        "num_experts_per_tok": s.moe.top_k,
        "moe_intermediate_size": s.moe.moe_ffn,
        "first_k_dense_replace": s.moe.first_dense,
        "moe_layer_freq": 1,
        "intermediate_size": s.ffn or 4 * s.hidden,
        "num_nextn_predict_layers": s.mtp_layers,
    }


def deepseek(s: ModelShape) -> Config:
    quantised = {}
    if s.weight_precision.startswith("fp8"):
        table = {"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [128, 128]}
        quantised = {"quantization_config": table}
    base = {**llama(s), "model_type": s.model_type, **routed(s), **quantised}
    base.pop("head_dim", None)
    return {**base, **latent(s)} if s.attention.kind == "mla" else base


def deepseek_v32(s: ModelShape) -> Config:
    index = s.sparse_attention
    return {
        **deepseek(s),
        "index_head_dim": index.index_dim,
        "index_n_heads": index.index_heads,
        "index_topk": index.top_k,
    }


def glm_moe_dsa(s: ModelShape) -> Config:
    if s.sparse_attention.index_layers is None:
        return deepseek_v32(s)
    # the first three layers own an index, and of the others the last of every four
    own = ["full" if i < 3 or (i - 2) % 4 == 0 else "shared" for i in range(s.layers)]
    return {**deepseek_v32(s), "indexer_types": own}


def mistral4(s: ModelShape) -> Config:
    return {**deepseek(s), "head_dim": s.head_dim, "qk_head_dim": 128}


def glm4(s: ModelShape) -> Config:
    return like("glm4", attention_bias=True)(s)


def glm4_moe(s: ModelShape) -> Config:
    return {
        **like("glm4_moe", attention_bias=True, use_qk_norm=s.attention.qk_norm)(s),
        **routed(s),
    }


def dots1(s: ModelShape) -> Config:
    return {**like("dots1", attention_bias=False)(s), **routed(s)}


def deepseek_v4(s: ModelShape) -> Config:
    a, index = s.attention, s.sparse_attention
    ratios = [
        int(value)
        for group in index.compress_ratio_by_layer.split()
        for value in group.partition(")x")[0].strip("(").split(",") * int(group.partition(")x")[2])
    ]
    return {
        **llama(s),
        "model_type": "deepseek_v4",
        "intermediate_size": None,
        "head_dim": s.head_dim,
        "q_lora_rank": a.q_lora,
        "o_groups": a.out_groups,
        "o_lora_rank": a.out_lora,
        "qk_rope_head_dim": a.rope_dim,
        "sliding_window": s.sliding_window.window,
        "compress_ratios": [*ratios, 0],
        "index_head_dim": index.index_dim,
        "index_n_heads": index.index_heads,
        "index_topk": index.top_k,
        "num_hash_layers": s.moe.hash_routed_layers,
        "hc_mult": s.hyper_connections,
        "n_routed_experts": s.moe.experts,
        "n_shared_experts": s.moe.shared,
        "num_experts_per_tok": s.moe.top_k,
        "moe_intermediate_size": s.moe.moe_ffn,
        "num_nextn_predict_layers": s.mtp_layers,
        "expert_dtype": "fp4",
        "quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]},
    }


def kimi_k2(s: ModelShape) -> Config:
    return deepseek(s)


def kimi_linear(s: ModelShape) -> Config:
    letters = expand_pattern(s.hybrid.layer_pattern)
    return {
        **llama(s),
        "model_type": "kimi_linear",
        **latent(s),
        "model_max_length": s.max_context,
        "num_experts": s.moe.experts,
        "num_experts_per_token": s.moe.top_k,
        "num_shared_experts": s.moe.shared,
        "moe_intermediate_size": s.moe.moe_ffn,
        "first_k_dense_replace": s.moe.first_dense,
        "moe_layer_freq": 1,
        "mla_use_output_gate": s.attention.output_gate,
        "linear_attn_config": {
            "full_attn_layers": [i + 1 for i, letter in enumerate(letters) if letter == "F"],
            "kda_layers": [i + 1 for i, letter in enumerate(letters) if letter == "L"],
            "head_dim": s.hybrid.key_dim,
            "num_heads": s.hybrid.key_heads,
            "short_conv_kernel_size": s.hybrid.conv,
            "use_full_rank_gate": s.hybrid.full_rank_gate,
        },
        **({"routed_expert_hidden_size": s.moe.latent} if s.moe.latent else {}),
    }


def gpt_oss(s: ModelShape) -> Config:
    return {
        **like("gpt_oss", attention_bias=True)(s),
        "intermediate_size": s.moe.moe_ffn,
        "num_local_experts": s.moe.experts,
        "num_experts_per_tok": s.moe.top_k,
        "sliding_window": s.sliding_window.window,
        "layer_types": _words(s),
        "quantization_config": {"quant_method": "mxfp4"},
    }


def gemma2(s: ModelShape) -> Config:
    base = like("gemma2", sliding_window=s.sliding_window.window)(s)
    del base["tie_word_embeddings"]
    return base


def gemma3(s: ModelShape) -> Config:
    text = {
        "model_type": "gemma3_text",
        "hidden_size": s.hidden,
        "intermediate_size": s.ffn,
        "num_hidden_layers": s.layers,
        "sliding_window": s.sliding_window.window,
    }
    # the 4B release leaves heads, head size and vocabulary to the defaults of the type
    if (s.heads, s.kv_heads, s.vocab) != (8, 4, 262208):
        text |= {
            "num_attention_heads": s.heads,
            "num_key_value_heads": s.kv_heads,
            "head_dim": s.head_dim,
            "vocab_size": s.vocab,
        }
    return {"model_type": "gemma3", "text_config": text}


def gemma4(s: ModelShape) -> Config:
    a = s.attention
    text = {
        **like("gemma4_text", attention_bias=False)(s),
        "global_head_dim": a.global_head_dim,
        "num_global_key_value_heads": a.global_kv_heads,
        "attention_k_eq_v": a.global_key_is_value,
        "num_kv_shared_layers": a.kv_shared_layers,
        "hidden_size_per_layer_input": s.per_layer_embedding,
        "use_double_wide_mlp": s.double_ffn_on_kv_shared_layers,
        "sliding_window": s.sliding_window.window,
        "layer_types": _words(s),
        "enable_moe_block": s.moe is not None,
        "num_experts": s.moe.experts if s.moe else None,
        "top_k_experts": s.moe.top_k if s.moe else None,
        "moe_intermediate_size": s.moe.moe_ffn if s.moe else None,
    }
    return {"model_type": "gemma4", "text_config": text, "tie_word_embeddings": True}


def llama4(s: ModelShape) -> Config:
    text = {
        **like("llama4_text", attention_bias=False, use_qk_norm=False)(s),
        "intermediate_size": s.moe.moe_ffn,
        "intermediate_size_mlp": s.ffn or 16384,
        "interleave_moe_layer_step": s.moe.interleave,
        "num_local_experts": s.moe.experts,
        "num_experts_per_tok": s.moe.top_k,
        "attention_chunk_size": s.sliding_window.window,
    }
    return {"model_type": "llama4", "text_config": text}


def minimax_text_01(s: ModelShape) -> Config:
    letters = expand_pattern(s.hybrid.layer_pattern)
    return {
        **like("minimax_text_01")(s),
        "intermediate_size": s.moe.moe_ffn,
        "num_local_experts": s.moe.experts,
        "num_experts_per_tok": s.moe.top_k,
        "attn_type_list": [int(letter == "F") for letter in letters],
    }


def minimax_m2(s: ModelShape) -> Config:
    return {
        **like("minimax_m2")(s),
        "intermediate_size": s.moe.moe_ffn,
        "num_local_experts": s.moe.experts,
        "num_experts_per_tok": s.moe.top_k,
        "rotary_dim": s.attention.rotary_dim,
        "use_qk_norm": s.attention.qk_norm,
        "num_mtp_modules": s.mtp_layers,
        "quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]},
    }


def minimax_m3(s: ModelShape) -> Config:
    sparse = s.sparse_attention
    dense = [0] * s.moe.first_dense
    flags = dense + [1] * (s.layers - len(dense))
    config = {
        **minimax_m2(s),
        "model_type": "minimax_m3",
        "dense_intermediate_size": s.ffn,
        "moe_intermediate_size": s.moe.moe_ffn,
        "moe_layer_freq": flags,
        "n_shared_experts": s.moe.shared,
        "shared_intermediate_size": s.moe.shared_ffn,
        "num_nextn_predict_layers": s.mtp_layers,
        "sparse_attention_config": {
            "sparse_attention_freq": flags,
            "sparse_block_size": sparse.block_tokens,
            "sparse_index_dim": sparse.index_dim,
            "sparse_num_index_heads": sparse.index_heads,
            "sparse_topk_blocks": sparse.top_k_blocks,
        },
    }
    del config["quantization_config"]
    return config


def gptj(s: ModelShape) -> Config:
    return {
        "model_type": "gptj",
        "n_embd": s.hidden,
        "n_layer": s.layers,
        "n_head": s.heads,
        "n_inner": None,
        "n_positions": s.max_context,
        "rotary_dim": s.attention.rotary_dim,
        "vocab_size": s.vocab,
        "tie_word_embeddings": False,
    }


def gpt_neox(s: ModelShape) -> Config:
    config = {**llama(s), "model_type": "gpt_neox", "use_parallel_residual": True}
    del config["num_key_value_heads"]
    return config


def falcon(s: ModelShape) -> Config:
    new = s.kv_heads > 1
    return {
        "model_type": "falcon",
        "hidden_size": s.hidden,
        "num_hidden_layers": s.layers,
        "num_attention_heads": s.heads,
        "vocab_size": s.vocab,
        "multi_query": True,
        "new_decoder_architecture": new,
        "parallel_attn": True,
        "bias": False,
        "alibi": False,
        **({"num_kv_heads": s.kv_heads} if new else {}),
    }


def mpt(s: ModelShape) -> Config:
    return {
        "model_type": "mpt",
        "d_model": s.hidden,
        "n_heads": s.heads,
        "n_layers": s.layers,
        "expansion_ratio": 4,
        "max_seq_len": s.max_context,
        "vocab_size": s.vocab,
        "no_bias": True,
        "attn_config": {"alibi": True, "attn_type": "multihead_attention", "qk_ln": False},
    }


def bloom(s: ModelShape) -> Config:
    return {
        "model_type": "bloom",
        "n_layer": s.layers,
        "num_attention_heads": s.heads,
        "n_embed": s.hidden,
        "vocab_size": s.vocab,
        "seq_length": s.max_context,
    }


def opt(s: ModelShape) -> Config:
    return {
        "model_type": "opt",
        "hidden_size": s.hidden,
        "ffn_dim": s.ffn,
        "num_hidden_layers": s.layers,
        "num_attention_heads": s.heads,
        "max_position_embeddings": s.learned_positions,
        "word_embed_proj_dim": s.hidden,
        "vocab_size": s.vocab,
    }


def nemotron_h(s: ModelShape) -> Config:
    state, letters = s.hybrid, expand_pattern(s.hybrid.layer_pattern)
    config = {
        **like("nemotron_h", attention_bias=False, mlp_bias=False)(s),
        "intermediate_size": s.ffn or (s.moe.moe_ffn if s.moe else None),
        "hybrid_override_pattern": letters,
        "mamba_num_heads": state.ssm_heads,
        "mamba_head_dim": state.ssm_head_dim,
        "n_groups": state.groups,
        "ssm_state_size": state.state,
        "conv_kernel": state.conv,
        "num_nextn_predict_layers": s.mtp_layers,
    }
    if s.moe:
        config |= {
            "n_routed_experts": s.moe.experts,
            "n_shared_experts": s.moe.shared,
            "num_experts_per_tok": s.moe.top_k,
            "moe_intermediate_size": s.moe.moe_ffn,
            "moe_shared_expert_intermediate_size": s.moe.shared_ffn // max(s.moe.shared, 1),
            "moe_latent_size": s.moe.latent,
        }
    return config


def jamba(s: ModelShape) -> Config:
    return {
        **like("jamba")(s),
        "num_experts": s.moe.experts,
        "num_experts_per_tok": s.moe.top_k,
        "expert_layer_period": 2,
        "expert_layer_offset": 1,
        "attn_layer_period": 8,
        "attn_layer_offset": 4,
        "mamba_d_state": s.hybrid.state,
        "mamba_d_conv": s.hybrid.conv,
        "mamba_expand": s.hybrid.expand,
        "mamba_dt_rank": s.hybrid.dt_rank,
    }


def lfm2_moe(s: ModelShape) -> Config:
    words = {"L": "conv", "F": FULL}
    config = {
        **llama(s),
        "model_type": "lfm2_moe",
        "layer_types": [words[letter] for letter in expand_pattern(s.hybrid.layer_pattern)],
        "conv_L_cache": s.hybrid.conv,
        "num_experts": s.moe.experts,
        "num_experts_per_tok": s.moe.top_k,
        "moe_intermediate_size": s.moe.moe_ffn,
        "num_dense_layers": s.moe.first_dense,
    }
    config["tie_embedding"] = config.pop("tie_word_embeddings")
    return config


def dbrx(s: ModelShape) -> Config:
    return {
        "model_type": "dbrx",
        "d_model": s.hidden,
        "n_heads": s.heads,
        "n_layers": s.layers,
        "max_seq_len": s.max_context,
        "vocab_size": s.vocab,
        "attn_config": {"kv_n_heads": s.kv_heads},
        "ffn_config": {
            "ffn_hidden_size": s.moe.moe_ffn,
            "moe_num_experts": s.moe.experts,
            "moe_top_k": s.moe.top_k,
        },
        "tie_word_embeddings": False,
    }


def olmo3(s: ModelShape) -> Config:
    window = {"sliding_window": s.sliding_window.window, "layer_types": _words(s)}
    return like("olmo3", attention_bias=False, **window)(s)


def olmoe(s: ModelShape) -> Config:
    return {
        **llama(s),
        "model_type": "olmoe",
        "intermediate_size": s.moe.moe_ffn,
        "num_experts": s.moe.experts,
        "num_experts_per_tok": s.moe.top_k,
    }


def ernie4_5_moe(s: ModelShape) -> Config:
    return {
        **llama(s),
        "model_type": "ernie4_5_moe",
        "moe_num_experts": s.moe.experts,
        "moe_k": s.moe.top_k,
        "moe_num_shared_experts": s.moe.shared,
        "moe_intermediate_size": s.moe.moe_ffn,
        "moe_layer_start_index": s.moe.first_dense,
        "moe_layer_end_index": s.layers - 1,
        "moe_layer_interval": s.moe.interleave,
        "use_bias": False,
    }


def arctic(s: ModelShape) -> Config:
    return {
        **llama(s),
        "model_type": "arctic",
        "num_local_experts": s.moe.experts,
        "num_experts_per_tok": s.moe.top_k,
        "moe_layer_frequency": s.moe.interleave,
        "parallel_attn_mlp_res": s.moe.parallel_dense_mlp,
    }


def mimo_v2_flash(s: ModelShape) -> Config:
    letters = expand_pattern(s.sliding_window.layer_pattern)
    return {
        **llama(s),
        "model_type": "mimo_v2_flash",
        "head_dim": s.head_dim,
        "v_head_dim": s.v_head_dim,
        "sliding_window": s.sliding_window.window,
        "swa_num_key_value_heads": s.sliding_window.kv_heads,
        "hybrid_layer_pattern": [int(letter == "S") for letter in letters],
        "moe_layer_freq": [0] + [1] * (s.layers - 1),
        "moe_intermediate_size": s.moe.moe_ffn,
        "n_routed_experts": s.moe.experts,
        "n_shared_experts": None,
        "num_experts_per_tok": s.moe.top_k,
        "num_nextn_predict_layers": s.mtp_layers,
        "quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]},
    }


def step3p5(s: ModelShape) -> Config:
    return {
        **like("step3p5")(s),
        "sliding_window": s.sliding_window.window,
        "layer_types": _words(s),
        "attention_other_setting": {"num_attention_heads": s.sliding_window.heads},
        "num_experts": s.moe.experts,
        "num_experts_per_tok": s.moe.top_k,
        "moe_intermediate_size": s.moe.moe_ffn,
        "share_expert_dim": s.moe.shared_ffn,
        "first_k_dense_replace": s.moe.first_dense,
        "num_nextn_predict_layers": s.mtp_layers,
    }


def grok(s: ModelShape) -> Config:
    return {**mixtral(s), "sliding_window": None}


WRITERS: dict[str, Callable[[ModelShape], Config]] = {
    "arctic": arctic, "bloom": bloom, "dbrx": dbrx, "deepseek": deepseek, "deepseek_v2": deepseek,
    "deepseek_v3": deepseek, "deepseek_v32": deepseek_v32, "deepseek_v4": deepseek_v4,
    "dots1": dots1, "ernie4_5_moe": ernie4_5_moe, "falcon": falcon, "gemma2": gemma2,
    "gemma3_text": gemma3, "gemma4_text": gemma4, "glm4": glm4, "glm4_moe": glm4_moe,
    "glm4_moe_lite": deepseek, "glm_moe_dsa": glm_moe_dsa, "gpt_neox": gpt_neox,
    "gpt_oss": gpt_oss, "gptj": gptj, "grok": grok, "jamba": jamba, "kimi_k2": kimi_k2,
    "kimi_linear": kimi_linear, "lfm2_moe": lfm2_moe, "llama": llama, "llama4_text": llama4,
    "mimo_v2_flash": mimo_v2_flash, "minimax_m2": minimax_m2, "minimax_m3": minimax_m3,
    "minimax_text_01": minimax_text_01, "ministral3": mistral, "mistral": mistral,
    "mistral4": mistral4, "mixtral": mixtral, "mpt": mpt, "nemotron_h": nemotron_h,
    "olmo3": olmo3, "olmoe": olmoe, "opt": opt, "phi3": mistral, "phimoe": phimoe,
    "qwen2": qwen2, "qwen2_moe": qwen2_moe, "qwen3": qwen3, "qwen3_5_moe_text": qwen3_5,
    "qwen3_5_text": qwen3_5, "qwen3_moe": qwen3_moe, "qwen3_next": qwen3_next,
    "qwen3_vl_text": qwen3_vl, "starcoder2": starcoder2, "step3p5": step3p5, "step3p7": step3p5,
    "cohere": like("cohere", use_qk_norm=False), "gemma": like("gemma"),
    "internlm2": like("internlm2", bias=False), "mimo": like("mimo", attention_bias=True,
    num_nextn_predict_layers=1), "nemotron": like("nemotron", attention_bias=False),
    "olmo2": like("olmo2", attention_bias=False),
    "seed_oss": like("seed_oss", attention_bias=True, attention_out_bias=False),
    "solar_open": lambda s: {**like("solar_open")(s), **routed(s), "intermediate_size": None},
}  # fmt: skip


def _words(s: ModelShape) -> list[str]:
    """Return one word per layer."""
    pattern = (s.hybrid or s.sliding_window).layer_pattern
    words = {"F": FULL, "S": WINDOW, "L": LINEAR}
    return [words[letter] for letter in expand_pattern(pattern)]
