"""The shape of a language model: everything a performance model needs, nothing about its quality.

The fields follow what published configurations state. `ModelShape.groups` expands the layer
patterns into groups of equal layers; the counts in `model_counts` work on those groups.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Literal, NamedTuple

from pydantic import Field, model_validator

from rackwright.records.base import Record
from rackwright.records.component import Component

Mixer = Literal["full", "window", "linear", "none"]
Feed = Literal["dense", "moe", "none"]

MOST_LAYERS = 10_000
"""Beyond any model's depth: a larger number is a slip, and layers are gone through one by one."""


class LayerGroup(NamedTuple):
    """Equal layers: how they mix tokens, what they feed forward through, how many there are."""

    mixer: Mixer
    feed: Feed
    layers: int


class Attention(Record):
    """How attention layers are built beyond heads and head size."""

    kind: Literal["mha", "gqa", "mqa", "mla"]
    q_lora: int | None = Field(default=None, gt=0)  # rank of the query; None: full rank
    kv_lora: int | None = Field(default=None, gt=0)  # rank of the cached latent (mla)
    nope_dim: int | None = Field(default=None, gt=0)
    rope_dim: int | None = Field(default=None, gt=0)
    v_dim: int | None = Field(default=None, gt=0)
    rotary_dim: int | None = Field(default=None, gt=0)
    qk_norm: bool = False
    output_gate: bool = False
    sinks: bool = False
    shared_kv: bool = False  # one tensor serves as key and value
    out_groups: int | None = Field(default=None, gt=0)  # grouped low-rank output projection
    out_lora: int | None = Field(default=None, gt=0)
    global_head_dim: int | None = Field(default=None, gt=0)  # on full layers, where it differs
    global_kv_heads: int | None = Field(default=None, gt=0)
    global_key_is_value: bool = False
    kv_shared_layers: int = Field(default=0, ge=0)  # layers that reuse an earlier layer's cache

    @model_validator(mode="after")
    def _latent_is_complete(self) -> Attention:
        if self.kind == "mla":
            need = ("kv_lora", "nope_dim", "rope_dim", "v_dim")
            missing = [name for name in need if getattr(self, name) is None]
            if missing:
                raise ValueError(f"latent attention needs {', '.join(missing)}")
        return self


class SlidingWindow(Record):
    """Layers that attend to the last `window` tokens only; F in the pattern attends to all."""

    window: int = Field(gt=0)
    layer_pattern: str  # F full, S window; "(SSSF)x12" repeats
    form: Literal["sliding", "chunked"] = "sliding"
    heads: int | None = Field(default=None, gt=0)  # on window layers, where they differ
    kv_heads: int | None = Field(default=None, gt=0)
    note: str = ""


class SparseAttention(Record):
    """Attention to selected past tokens only."""

    kind: str  # dsa | block_topk | compressed_kv
    top_k: int | None = Field(default=None, gt=0)  # tokens each query reads
    index_heads: int | None = Field(default=None, gt=0)
    index_dim: int | None = Field(default=None, gt=0)
    top_k_blocks: int | None = Field(default=None, gt=0)
    block_tokens: int | None = Field(default=None, gt=0)
    layers: int | None = Field(default=None, gt=0)  # that are sparse; None: every layer
    index_layers: int | None = Field(default=None, gt=0)  # that own an index; None: every layer
    compress_ratio_by_layer: str = ""
    note: str = ""


class Hybrid(Record):
    """Layers with a fixed-size state in place of a growing cache."""

    kind: str  # gated_deltanet | kimi_delta_attention | lightning_attention | mamba2 | ...
    layer_pattern: str
    key_heads: int | None = Field(default=None, gt=0)
    value_heads: int | None = Field(default=None, gt=0)
    key_dim: int | None = Field(default=None, gt=0)
    value_dim: int | None = Field(default=None, gt=0)
    ssm_heads: int | None = Field(default=None, gt=0)
    ssm_head_dim: int | None = Field(default=None, gt=0)
    groups: int | None = Field(default=None, gt=0)
    state: int | None = Field(default=None, gt=0)
    conv: int | None = Field(default=None, gt=0)
    expand: int | None = Field(default=None, gt=0)
    dt_rank: int | None = Field(default=None, gt=0)
    full_rank_gate: bool = False


class Experts(Record):
    """Mixture of experts: routed, shared, and on which layers."""

    experts: int = Field(gt=0)
    top_k: int = Field(gt=0)
    moe_ffn: int = Field(gt=0)  # width of one expert
    shared: int = Field(default=0, ge=0)
    shared_ffn: int = Field(default=0, ge=0)  # total width of the shared experts
    first_dense: int = Field(default=0, ge=0)
    interleave: int = Field(default=1, gt=0)  # every n-th layer has experts
    shared_gate: bool = False
    latent: int | None = Field(default=None, gt=0)  # experts work in this smaller width
    parallel_dense_mlp: bool = False  # a dense MLP beside the experts
    hash_routed_layers: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _chooses_among_them(self) -> Experts:
        if self.top_k > self.experts:
            raise ValueError(f"top_k {self.top_k} exceeds experts {self.experts}")
        return self


class ModelShape(Record):
    """A decoder-only language model, by its widths and counts."""

    name: str
    model_type: str = ""
    layers: int = Field(gt=0, le=MOST_LAYERS)
    hidden: int = Field(gt=0)
    heads: int = Field(gt=0)
    kv_heads: int = Field(gt=0)
    head_dim: int = Field(gt=0)
    v_head_dim: int | None = Field(default=None, gt=0)
    ffn: int | None = Field(default=None, gt=0)  # dense MLP width; None: no dense MLP layer
    gated: bool = True  # three matrices, not two
    vocab: int = Field(gt=0)
    attention: Attention
    sliding_window: SlidingWindow | None = None
    sparse_attention: SparseAttention | None = None
    hybrid: Hybrid | None = None
    moe: Experts | None = None
    mtp_layers: int = Field(default=0, ge=0)
    tied_embeddings: bool = False
    positional: str = "rope"
    learned_positions: int = Field(default=0, ge=0)
    parallel_attention_mlp: bool = False
    biases: Literal["none", "all", "qkv", "attn", "mlp"] = "none"
    max_context: int | None = Field(default=None, gt=0)
    weight_precision: str = "bf16"
    hyper_connections: int = Field(default=0, ge=0)
    per_layer_embedding: int = Field(default=0, ge=0)
    double_ffn_on_kv_shared_layers: bool = False
    assumed: tuple[str, ...] = ()  # "key = value" where a file left a key to its type's default

    @model_validator(mode="after")
    def _is_consistent(self) -> ModelShape:
        if self.heads % self.kv_heads:
            raise ValueError(f"heads {self.heads} is not a multiple of kv_heads {self.kv_heads}")
        if self.ffn is None and self.moe is None:
            raise ValueError("neither ffn nor moe: no layer feeds forward")
        for part in (self.sliding_window, self.hybrid):
            if part is not None and len(expand_pattern(part.layer_pattern)) != self.layers:
                raise ValueError(
                    f"layer_pattern names {len(expand_pattern(part.layer_pattern))} layers, "
                    f"the model has {self.layers}"
                )
        return self

    def groups(self) -> tuple[LayerGroup, ...]:
        """Return the layers grouped by how they mix and feed forward; counts sum to `layers`."""
        kinds = Counter(_mixer_and_feed(self, i, letter) for i, letter in enumerate(_letters(self)))
        return tuple(LayerGroup(mixer, feed, n) for (mixer, feed), n in sorted(kinds.items()))


class Model(Component):
    """A model in the catalog: its shape, and its parameter counts as published."""

    shape: ModelShape
    total_parameters: float | None = Field(default=None, gt=0)
    active_parameters: float | None = Field(default=None, gt=0)
    nominal_parameters: float | None = Field(default=None, gt=0)  # the size in the name
    encoder_parameters: float | None = Field(default=None, gt=0)  # inside the published total
    count_note: str = ""  # why the count from the shape is another than the published one


def expand_pattern(pattern: str) -> str:
    """Return a layer pattern with its repeats written out.

    >>> expand_pattern("F (SSF)x2 S")
    'FSSFSSFS'
    """
    text = re.sub(r"\s+", "", pattern)
    return re.sub(r"\(([^()]*)\)x(\d+)", lambda m: m.group(1) * int(m.group(2)), text)


def _letters(shape: ModelShape) -> str:
    if shape.hybrid is not None:
        return expand_pattern(shape.hybrid.layer_pattern)
    if shape.sliding_window is not None:
        return expand_pattern(shape.sliding_window.layer_pattern)
    return "F" * shape.layers


def _mixer_and_feed(shape: ModelShape, index: int, letter: str) -> tuple[Mixer, Feed]:
    if shape.hybrid is not None and shape.hybrid.kind == "mamba2":
        # each letter of these patterns is one layer: a mixer OR a feed-forward part
        alone: dict[str, tuple[Mixer, Feed]] = {
            "M": ("linear", "none"),
            "*": ("full", "none"),
            "E": ("none", "moe"),
            "-": ("none", "dense"),
        }
        return alone[letter]
    mixer: dict[str, Mixer] = {
        "F": "full",
        "*": "full",
        "S": "window",
        "L": "linear",
        "M": "linear",
    }
    return mixer[letter], _feed(shape, index)


def _feed(shape: ModelShape, index: int) -> Feed:
    moe = shape.moe
    if moe is None or index < moe.first_dense:
        return "dense"
    # with an interleave of n the last of every n layers holds the experts
    return "moe" if (index - moe.first_dense + 1) % moe.interleave == 0 else "dense"
