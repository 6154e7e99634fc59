"""A published model's `config.json` to a `ModelShape`: our own reader, one function per family.

A key that the family's shape depends on and that the file lacks is an error that names it; a
family without a reader is an error that names the readers there are. Nothing is guessed: where
a key may be absent, the default is the one that the family's own configuration class documents.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rackwright.records.errors import InputError, nearest
from rackwright.records.model import ModelShape


def read_model_config(path: Path | str) -> ModelShape:
    """Return the shape that a Hugging Face `config.json` states.

    Raises:
        InputError: unreadable or malformed file, unknown `model_type`, missing or contradictory
            keys; all that can be told at once, one line each.
    """
    file = Path(path)
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError([f"{file}: {error}"]) from error
    except json.JSONDecodeError as error:
        raise InputError([f"{file}:{error.lineno}:{error.colno}: {error.msg}"]) from error
    if not isinstance(data, dict):
        raise InputError([f"{file}: expected a JSON object with model_type"])
    kind = data.get("model_type")
    reader = _READERS.get(str(kind))
    if reader is None:
        raise InputError([_no_reader(file, kind)])
    keys = _Keys(data)
    fields = {"name": file.parent.name or file.stem, "model_type": kind, **reader(keys)}
    if keys.mistakes:
        raise InputError([f"{file}: {text}" for text in keys.mistakes])
    try:
        return ModelShape.model_validate(fields)
    except ValidationError as error:
        raise InputError(
            [f"{file}: {'.'.join(map(str, e['loc'])) or kind}: {e['msg']}" for e in error.errors()]
        ) from error


Fields = dict[str, Any]


class _Keys:
    """The keys of one file; what is missing or ill-typed is collected, not raised."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data
        self.mistakes: list[str] = []

    def whole(self, key: str, default: int | None = None) -> int:
        value = self._data.get(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        found = "it is missing" if value is None else f"found {value!r}"
        self.mistakes.append(f"{key}: expected a whole number above 0, {found}")
        return 1

    def count(self, key: str) -> int:
        value = self._data.get(key) or 0
        return value if isinstance(value, int) else 0

    def flag(self, key: str, default: bool) -> bool:
        return bool(self._data.get(key, default))

    def get(self, key: str) -> Any:
        return self._data.get(key)

    def wrong(self, text: str) -> None:
        self.mistakes.append(text)


def _llama(keys: _Keys) -> Fields:
    biases = "none"
    if keys.flag("attention_bias", False):
        biases = "attn"
    if keys.flag("mlp_bias", False):
        biases = "all" if biases == "attn" else "mlp"
    return {**_body(keys), "ffn": keys.whole("intermediate_size"), "biases": biases}


def _mistral(keys: _Keys) -> Fields:
    return {**_body(keys), "ffn": keys.whole("intermediate_size"), **_every_layer_window(keys)}


def _mixtral(keys: _Keys) -> Fields:
    moe = {
        "experts": keys.whole("num_local_experts"),
        "top_k": keys.whole("num_experts_per_tok"),
        "moe_ffn": keys.whole("intermediate_size"),
    }
    return {**_body(keys), "ffn": None, "moe": moe, **_every_layer_window(keys)}


def _qwen2(keys: _Keys) -> Fields:
    if keys.flag("use_sliding_window", False):
        keys.wrong("use_sliding_window: windows on part of the layers are not read yet")
    return {**_body(keys), "ffn": keys.whole("intermediate_size"), "biases": "qkv"}


def _qwen2_moe(keys: _Keys) -> Fields:
    shared = keys.whole("shared_expert_intermediate_size")
    moe = {**_qwen_experts(keys), "shared": 1, "shared_ffn": shared, "shared_gate": True}
    return {**_body(keys), "ffn": _dense_width(keys, moe), "moe": moe, "biases": "qkv"}


def _qwen3(keys: _Keys) -> Fields:
    return {**_body(keys, qk_norm=True), "ffn": keys.whole("intermediate_size")}


def _qwen3_moe(keys: _Keys) -> Fields:
    moe = _qwen_experts(keys)
    return {**_body(keys, qk_norm=True), "ffn": _dense_width(keys, moe), "moe": moe}


def _deepseek_v3(keys: _Keys) -> Fields:
    shared = keys.count("n_shared_experts")
    width = keys.whole("moe_intermediate_size")
    moe = {
        "experts": keys.whole("n_routed_experts"),
        "top_k": keys.whole("num_experts_per_tok"),
        "moe_ffn": width,
        "shared": shared,
        "shared_ffn": shared * width,
        "first_dense": keys.count("first_k_dense_replace"),
        "interleave": keys.whole("moe_layer_freq", 1),
    }
    value = keys.whole("v_head_dim")
    attention = {
        "kind": "mla",
        "q_lora": keys.get("q_lora_rank"),
        "kv_lora": keys.whole("kv_lora_rank"),
        "nope_dim": keys.whole("qk_nope_head_dim"),
        "rope_dim": keys.whole("qk_rope_head_dim"),
        "v_dim": value,
    }
    heads = keys.whole("num_attention_heads")
    return {
        **_body(keys),
        "kv_heads": heads,
        "head_dim": value,
        "ffn": keys.whole("intermediate_size"),
        "attention": attention,
        "moe": moe,
        "mtp_layers": keys.count("num_nextn_predict_layers"),
    }


def _gpt_oss(keys: _Keys) -> Fields:
    moe = {
        "experts": keys.whole("num_local_experts"),
        "top_k": keys.whole("num_experts_per_tok"),
        "moe_ffn": keys.whole("intermediate_size"),
    }
    kinds = keys.get("layer_types")
    letters = {"sliding_attention": "S", "full_attention": "F"}
    if not isinstance(kinds, list) or any(kind not in letters for kind in kinds):
        keys.wrong("layer_types: expected one of sliding_attention, full_attention per layer")
        kinds = []
    body = _body(keys)
    body["attention"]["sinks"] = True
    pattern = "".join(letters[kind] for kind in kinds)
    window = {"window": keys.whole("sliding_window"), "layer_pattern": pattern}
    return {**body, "ffn": None, "moe": moe, "sliding_window": window, "biases": "all"}


def _body(keys: _Keys, qk_norm: bool = False) -> Fields:
    """Read what every one of these families states under the same keys."""
    hidden, heads = keys.whole("hidden_size"), keys.whole("num_attention_heads")
    kv_heads = keys.whole("num_key_value_heads", heads)
    if keys.get("head_dim") is None and hidden % heads:
        keys.wrong(f"head_dim: missing, and hidden_size {hidden} is not a multiple of {heads}")
    kind = "mqa" if kv_heads == 1 else ("mha" if kv_heads == heads else "gqa")
    quantised = keys.get("quantization_config") or {}
    method = {"fp8": "fp8_e4m3", "mxfp4": "experts mxfp4, rest bf16"}
    return {
        "layers": keys.whole("num_hidden_layers"),
        "hidden": hidden,
        "heads": heads,
        "kv_heads": kv_heads,
        "head_dim": keys.get("head_dim") or hidden // heads,
        "vocab": keys.whole("vocab_size"),
        "attention": {"kind": kind, "qk_norm": qk_norm},
        "tied_embeddings": keys.flag("tie_word_embeddings", False),
        "max_context": keys.get("max_position_embeddings"),
        "weight_precision": method.get(quantised.get("quant_method", ""), "bf16"),
    }


def _every_layer_window(keys: _Keys) -> Fields:
    window = keys.get("sliding_window")
    if window is None:
        return {}
    pattern = f"(S)x{keys.whole('num_hidden_layers')}"
    return {"sliding_window": {"window": window, "layer_pattern": pattern}}


def _qwen_experts(keys: _Keys) -> Fields:
    if keys.get("mlp_only_layers"):
        keys.wrong("mlp_only_layers: dense layers at chosen places are not read yet")
    return {
        "experts": keys.whole("num_experts"),
        "top_k": keys.whole("num_experts_per_tok"),
        "moe_ffn": keys.whole("moe_intermediate_size"),
        "interleave": keys.whole("decoder_sparse_step", 1),
    }


def _dense_width(keys: _Keys, moe: Fields) -> int | None:
    """Return the width of the layers between those with experts, None where there are none."""
    return None if moe["interleave"] == 1 else keys.whole("intermediate_size")


def _no_reader(file: Path, kind: object) -> str:
    known = ", ".join(sorted(_READERS))
    if kind is None:
        return f"{file}: model_type is missing; it decides how the file is read ({known})"
    return (
        f"{file}: model_type: no reader for {kind!r}; there are readers for {known}."
        f"{nearest(str(kind), _READERS)}"
    )


_READERS: dict[str, Callable[[_Keys], Fields]] = {
    "llama": _llama,
    "mistral": _mistral,
    "mixtral": _mixtral,
    "qwen2": _qwen2,
    "qwen2_moe": _qwen2_moe,
    "qwen3": _qwen3,
    "qwen3_moe": _qwen3_moe,
    "deepseek_v3": _deepseek_v3,
    "gpt_oss": _gpt_oss,
}
