"""Records to the plain numbers that the kernels read: a model's shape, a machine at a precision."""

from __future__ import annotations

from functools import lru_cache
from math import inf

from rackwright.kernels.numbers import MachineNumbers, ModelNumbers
from rackwright.records.component import Accelerator
from rackwright.records.errors import InputError
from rackwright.records.hardware import Hardware
from rackwright.records.model import Mixer, ModelShape
from rackwright.records.model_counts import (
    attention_width,
    cache_elements_per_token,
    mixer_parameters,
    state_elements,
    window_elements_per_token,
)

BYTES = {"bf16": 2.0, "fp16": 2.0, "fp8": 1.0, "int8": 1.0, "fp4": 0.5625, "int4": 0.5625}
"""Bytes per stored weight; four-bit formats carry an eight-bit scale per 16 weights (NVFP4)."""

_NARROWER_FIRST = {
    "fp4": ("fp4", "fp8", "bf16", "fp16"),
    "int4": ("bf16", "fp16"),
    "fp8": ("fp8", "bf16", "fp16"),
    "int8": ("int8", "bf16", "fp16"),
    "bf16": ("bf16", "fp16"),
    "fp16": ("fp16", "bf16"),
}


def compute_precision(accelerator: Accelerator, precision: str) -> str:
    """Return the precision that products run at when weights are stored at `precision`.

    An accelerator without units for a narrow format widens the weights as it reads them: it
    saves memory traffic and no arithmetic.

    Raises:
        InputError: the accelerator states no rate at this precision or any wider one.
    """
    for candidate in _NARROWER_FIRST.get(precision, (precision,)):
        if accelerator.matmul_flop_per_s.at(candidate) is not None:
            return candidate
    raise InputError([f"{accelerator.key}: no matmul rate at {precision} or wider is catalogued"])


def machine_numbers(
    hardware: Hardware, precision: str, shape: ModelShape, cache: float | None = None
) -> MachineNumbers:
    """Return a hardware candidate at a precision, for a model.

    Args:
        hardware: the block.
        precision: of weights and, where the accelerator can, of products.
        shape: decides which weights stay wide (published releases with narrow experts keep
            the rest at 16 bit; other sparse models at four bit keep it at eight).
        cache: bytes per cache element; None: two with 16-bit weights, else one.
    """
    accelerator = hardware.accelerator
    at = compute_precision(accelerator, precision)
    wide = accelerator.matmul_flop_per_s.at("bf16") or accelerator.matmul_flop_per_s.at("fp16")
    rate = accelerator.matmul_flop_per_s.at(at)
    assert rate is not None, "compute_precision returns a precision with a rate"
    weight = BYTES[precision]
    other = weight
    if shape.moe is not None and weight < 1.0:
        other = 2.0 if "rest bf16" in shape.weight_precision else 1.0
    clock = accelerator.sustained_clock_fraction
    return MachineNumbers(
        matmul_flop_per_s=rate * clock,
        bf16_flop_per_s=(wide if wide is not None else rate) * clock,
        memory_bytes=accelerator.memory_bytes,
        memory_bytes_per_s=accelerator.memory_bytes_per_s,
        scale_up_bytes_per_s=hardware.scale_up_bytes_per_s,
        scale_up_accelerators=float(hardware.scale_up_accelerators),
        scale_out_bytes_per_s=hardware.scale_out_bytes_per_s,
        oversubscription=hardware.oversubscription,
        accelerators=float(hardware.accelerators),
        weight_bytes=weight,
        other_weight_bytes=other,
        activation_bytes=BYTES[at],
        cache_bytes=cache if cache is not None else (2.0 if weight >= 2.0 else 1.0),
        host_bytes_per_s=accelerator.host_bytes_per_s or hardware.scale_out_bytes_per_s,
        host_memory_bytes=hardware.host_memory_bytes or inf,
    )


@lru_cache(maxsize=256)
def model_numbers(shape: ModelShape) -> ModelNumbers:
    """Return a model's counts as the kernels read them; layers of one kind are averaged."""
    by_mixer = {"full": 0, "window": 0, "linear": 0, "none": 0}
    by_feed = {"dense": 0, "moe": 0, "none": 0}
    for group in shape.groups():
        by_mixer[group.mixer] += group.layers
        by_feed[group.feed] += group.layers
    attention = by_mixer["full"] + by_mixer["window"]
    total = _mean_attention(shape, by_mixer)
    out = float(shape.heads * _value_size(shape) * shape.hidden) if attention else 0.0
    moe, gated = shape.moe, 3.0 if shape.gated else 2.0
    up = (gated - 1.0) * shape.hidden
    parallel_dense = by_feed["moe"] if moe is not None and moe.parallel_dense_mlp else 0
    width = (moe.latent or shape.hidden) if moe is not None else shape.hidden
    return ModelNumbers(
        hidden=float(shape.hidden),
        table=float(shape.vocab * shape.hidden),
        vocab=float(shape.vocab),
        heads=float(shape.heads),
        attention_layers=float(attention),
        linear_layers=float(by_mixer["linear"]),
        dense_layers=float(by_feed["dense"] + parallel_dense),
        moe_layers=float(by_feed["moe"]),
        layers=float(shape.layers),
        attention_in=total - out,
        attention_out=out,
        linear_mixer=mixer_parameters(shape, "linear") if by_mixer["linear"] else 0.0,
        core_full=attention_width(shape, "full") * by_mixer["full"],
        core_window=attention_width(shape, "window") * by_mixer["window"],
        decode_core=_decode_core(shape),
        full_layers=float(by_mixer["full"]),
        window=float(shape.sliding_window.window) if shape.sliding_window else 0.0,
        cache_full=cache_elements_per_token(shape),
        cache_window=window_elements_per_token(shape),
        cache_parts=1.0 if shape.attention.kind == "mla" else float(shape.kv_heads),
        state=state_elements(shape),
        mlp_up=up * (shape.ffn or 0),
        mlp_down=float(shape.hidden * (shape.ffn or 0)),
        ffn=float(shape.ffn or 0),
        gated=gated - 1.0,
        experts=float(moe.experts) if moe else 0.0,
        top_k=float(moe.top_k) if moe else 0.0,
        expert_up=(gated - 1.0) * width * moe.moe_ffn if moe else 0.0,
        expert_down=float(width * moe.moe_ffn) if moe else 0.0,
        moe_ffn=float(moe.moe_ffn) if moe else 0.0,
        expert_width=float(width),
        shared_up=up * moe.shared_ffn if moe else 0.0,
        shared_down=float(shape.hidden * moe.shared_ffn) if moe else 0.0,
        shared_ffn=float(moe.shared_ffn) if moe else 0.0,
        router=float(shape.hidden * (moe.experts + 2 * (moe.latent or 0))) if moe else 0.0,
        tied=1.0 if shape.tied_embeddings else 0.0,
        mtp_layers=0.0,
        **_sparse(shape, by_mixer["full"]),
    )


def _sparse(shape: ModelShape, full_layers: int) -> dict[str, float]:
    """Return counts of attention to chosen tokens, and of the index that chooses among all."""
    sparse = shape.sparse_attention
    if sparse is None or not full_layers:
        return {}
    chosen = (sparse.top_k_blocks or 0) * (sparse.block_tokens or 0) or sparse.top_k or 0
    if not chosen:
        return {}
    layers = float(min(sparse.layers or full_layers, full_layers))
    index = float(sparse.index_layers or layers) * (sparse.index_dim or 0)
    return {
        "sparse_layers": layers,
        "chosen": float(chosen),
        "index_cache": index,
        "index_core": index * (sparse.index_heads or 0),
    }


def _mean_attention(shape: ModelShape, layers: dict[str, int]) -> float:
    count = layers["full"] + layers["window"]
    kinds: tuple[Mixer, ...] = ("full", "window")
    return sum(mixer_parameters(shape, k) * layers[k] for k in kinds) / count if count else 0.0


def _value_size(shape: ModelShape) -> int:
    return shape.attention.v_dim or shape.v_head_dim or shape.head_dim


def _decode_core(shape: ModelShape) -> float:
    """Multiply-adds per attended token at decode; latent attention works in the latent space."""
    a = shape.attention
    if a.kind == "mla":
        return float(shape.heads * (2 * (a.kv_lora or 0) + (a.rope_dim or 0)))
    return attention_width(shape, "full")
