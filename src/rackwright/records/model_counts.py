"""Counts of a model: parameters, bytes of cache, products per token. Pure functions of its shape.

Everything is summed over groups of equal layers, so a count costs the same for 10 layers as for
100. Not counted: vision and audio encoders, prediction (MTP) layers, quantisation scales.
"""

from __future__ import annotations

from typing import NamedTuple

from rackwright.records.model import Experts, Hybrid, Mixer, ModelShape
from rackwright.records.state_layers import state_layer_parameters, state_width


class ParameterCount(NamedTuple):
    """Parameters by where they are; all are counts."""

    mixers: float  # attention and state-space layers, projections and norms
    dense_mlp: float
    router: float
    experts: float  # routed
    shared_experts: float
    embedding: float
    head: float  # 0 where tied to the embedding
    norms: float
    active_experts: float  # of `experts`, what one token uses

    @property
    def total(self) -> float:
        """All parameters."""
        return (
            self.mixers
            + self.dense_mlp
            + self.router
            + self.experts
            + self.shared_experts
            + self.embedding
            + self.head
            + self.norms
        )

    @property
    def active(self) -> float:
        """What one token uses, both vocabulary tables counted."""
        return self.total - self.experts + self.active_experts

    @property
    def active_without_embedding(self) -> float:
        """As `active` without the input table, which is looked up and not multiplied."""
        return self.active - (self.embedding if self.head else 0.0)

    @property
    def active_without_tables(self) -> float:
        """As `active` without either vocabulary table."""
        return self.active - self.embedding - self.head


def parameters(shape: ModelShape) -> ParameterCount:
    """Return the parameter counts of a model.

    Source:
        The matrices that each layer kind has in the published implementations; checked against
        published counts in the tests (`rackwright catalog models --check` prints them).
    """
    mixers = dense = router = experts = active = shared = norms = 0.0
    for mixer, feed, n in shape.groups():
        mixers += n * mixer_parameters(shape, mixer)
        norms += n * _norms(shape, mixer, feed)
        if feed == "dense" or (feed == "moe" and shape.moe and shape.moe.parallel_dense_mlp):
            dense += n * mlp_parameters(shape, shape.ffn or 0)
        if feed == "moe":
            moe = _moe(shape)
            one = expert_parameters(shape)
            router += n * (shape.hidden * moe.experts + 2 * shape.hidden * (moe.latent or 0))
            experts += n * moe.experts * one
            active += n * moe.top_k * one
            shared += n * (
                mlp_parameters(shape, moe.shared_ffn) + (shape.hidden if moe.shared_gate else 0)
            )
    dense += _second_dense_mlp(shape)
    mixers += _indexers(shape) - _reused_caches(shape)
    table = float(shape.vocab * shape.hidden)
    return ParameterCount(
        mixers=mixers,
        dense_mlp=dense,
        router=router,
        experts=experts,
        shared_experts=shared,
        embedding=table + shape.learned_positions * shape.hidden + _per_layer_tables(shape),
        head=0.0 if shape.tied_embeddings else table,
        norms=norms + shape.hidden * (2 if shape.biases == "all" else 1),
        active_experts=active,
    )


def cache_elements_per_token(shape: ModelShape) -> float:
    """Return the cache elements that one more token adds, over the layers that keep every token."""
    full = sum(g.layers for g in shape.groups() if g.mixer == "full")
    own = max(full - _shared_full_layers(shape), 0)
    return own * _cache_width(shape, "full")


def window_elements_per_token(shape: ModelShape) -> float:
    """Return the cache elements per token inside the window, over the layers that have one."""
    window = sum(g.layers for g in shape.groups() if g.mixer == "window")
    own = max(window - (shape.attention.kv_shared_layers - _shared_full_layers(shape)), 0)
    return own * _cache_width(shape, "window")


def state_elements(shape: ModelShape) -> float:
    """Return the elements of fixed-size state per sequence (state-space and linear layers)."""
    hybrid = shape.hybrid
    if hybrid is None:
        return 0.0
    layers = sum(g.layers for g in shape.groups() if g.mixer == "linear")
    return layers * state_width(shape, hybrid)


def cache_bytes(shape: ModelShape, context: int, bytes_per_element: float) -> float:
    """Return the cache bytes of one sequence of `context` tokens, over all layers.

    Args:
        shape: the model.
        context: tokens in the sequence.
        bytes_per_element: 2 for bf16, 1 for fp8.

    Returns:
        Bytes; state-space state is kept at two bytes per element at least.
    """
    inside = min(context, shape.sliding_window.window) if shape.sliding_window else 0
    elements = cache_elements_per_token(shape) * context
    elements += window_elements_per_token(shape) * inside
    return elements * bytes_per_element + state_elements(shape) * max(bytes_per_element, 2.0)


def forward_flop_per_token(shape: ModelShape, context: float) -> float:
    """Return the floating-point operations of one token forward, seeing `context` tokens.

    Args:
        shape: the model.
        context: tokens that the token attends to; half the sequence length for the mean over
            a causal sequence.

    Returns:
        2 per multiply-add of every matrix it passes, plus the attention products.
    """
    count = parameters(shape)
    table = float(shape.vocab * shape.hidden)
    matrices = count.active - count.embedding - count.norms - count.head + table
    inside = min(context, shape.sliding_window.window) if shape.sliding_window else 0.0
    attended = attention_width(shape, "full") * _layers(shape, "full") * context
    attended += attention_width(shape, "window") * _layers(shape, "window") * inside
    state = 2.0 * state_elements(shape)  # read and update once per token
    return 2.0 * (matrices + attended + state)


def attention_width(shape: ModelShape, mixer: Mixer) -> float:
    """Return multiply-adds per token and attended token in one attention layer.

    The score product and the value product: heads × (key size + value size).
    """
    if mixer not in ("full", "window"):
        return 0.0
    heads, _, key, value = head_sizes(shape, mixer)
    return float(heads * (key + value))


def head_sizes(shape: ModelShape, mixer: Mixer) -> tuple[int, int, int, int]:
    """Return (query heads, key-value heads, key size, value size) of a layer kind."""
    a = shape.attention
    if a.kind == "mla":
        return shape.heads, shape.heads, (a.nope_dim or 0) + (a.rope_dim or 0), a.v_dim or 0
    heads, kv, size = shape.heads, shape.kv_heads, shape.head_dim
    if mixer == "window" and shape.sliding_window is not None:
        heads = shape.sliding_window.heads or heads
        kv = shape.sliding_window.kv_heads or kv
    if mixer == "full":
        size = a.global_head_dim or size
        kv = a.global_kv_heads or kv
    return heads, kv, size, shape.v_head_dim or size


def mlp_parameters(shape: ModelShape, width: int) -> float:
    """Return the parameters of a feed-forward part of a width."""
    matrices = (3 if shape.gated else 2) * shape.hidden * width
    return float(matrices + (width + shape.hidden if shape.biases in ("all", "mlp") else 0))


def expert_parameters(shape: ModelShape) -> float:
    """Return the parameters of one routed expert."""
    moe = _moe(shape)
    return float((3 if shape.gated else 2) * (moe.latent or shape.hidden) * moe.moe_ffn)


def mixer_parameters(shape: ModelShape, mixer: Mixer) -> float:
    """Return the parameters of one layer's token mixer."""
    if mixer == "none":
        return 0.0
    if mixer == "linear":
        return state_layer_parameters(shape, _hybrid(shape))
    a, h = shape.attention, shape.hidden
    heads, kv, key, value = head_sizes(shape, mixer)
    out = heads * value * h
    if a.out_lora and a.out_groups:
        out = heads * value * a.out_lora + a.out_groups * a.out_lora * h
    gate = heads * value * h if a.output_gate else 0
    if a.kind == "mla":
        rank = a.kv_lora or 0
        query = h * a.q_lora + a.q_lora * heads * key if a.q_lora else h * heads * key
        latent = h * (rank + (a.rope_dim or 0)) + rank * heads * ((a.nope_dim or 0) + value)
        return float(query + latent + out + gate + rank + (a.q_lora or 0))
    query = h * a.q_lora + a.q_lora * heads * key if a.q_lora else h * heads * key
    one_tensor = a.shared_kv or (a.global_key_is_value and mixer == "full")
    cached = h * kv * key * (1 if one_tensor else 0) or h * kv * (key + value)
    bias = 0
    if shape.biases in ("all", "qkv", "attn"):
        bias = heads * key + kv * (key + value) + (h if shape.biases != "qkv" else 0)
    return float(query + cached + out + gate + bias + (2 * key if a.qk_norm else 0))


def _norms(shape: ModelShape, mixer: Mixer, feed: str) -> float:
    parts = (mixer != "none") + (feed != "none")
    return float(parts * shape.hidden * (2 if shape.biases == "all" else 1))


def _cache_width(shape: ModelShape, mixer: Mixer) -> float:
    a = shape.attention
    if a.kind == "mla":
        return float((a.kv_lora or 0) + (a.rope_dim or 0))
    _, kv, key, value = head_sizes(shape, mixer)
    one_tensor = a.shared_kv or (a.global_key_is_value and mixer == "full")
    return float(kv * (key if one_tensor else key + value))


def _indexers(shape: ModelShape) -> float:
    sparse = shape.sparse_attention
    if sparse is None or not sparse.index_heads or not sparse.index_dim:
        return 0.0
    layers = sparse.index_layers or sparse.layers or shape.layers
    width = sparse.index_heads * sparse.index_dim
    query = (shape.attention.q_lora or shape.hidden) * width
    return float(layers * (query + shape.hidden * (sparse.index_dim + sparse.index_heads)))


def _per_layer_tables(shape: ModelShape) -> float:
    width = shape.per_layer_embedding
    tables = width * shape.layers * (shape.vocab + shape.hidden)
    return float(tables + 2 * shape.layers * width * shape.hidden)


def _second_dense_mlp(shape: ModelShape) -> float:
    if not shape.double_ffn_on_kv_shared_layers:
        return 0.0
    return shape.attention.kv_shared_layers * mlp_parameters(shape, shape.ffn or 0)


def _reused_caches(shape: ModelShape) -> float:
    """Key and value matrices that layers reusing an earlier cache do not have."""
    full = _shared_full_layers(shape)
    window = shape.attention.kv_shared_layers - full
    return full * _cache_matrices(shape, "full") + window * _cache_matrices(shape, "window")


def _cache_matrices(shape: ModelShape, mixer: Mixer) -> float:
    _, kv, key, value = head_sizes(shape, mixer)
    return float(shape.hidden * kv * (key + value))


def _shared_full_layers(shape: ModelShape) -> int:
    """Full-attention layers among the last ones, which reuse an earlier layer's cache."""
    if not shape.attention.kv_shared_layers:
        return 0
    share = shape.attention.kv_shared_layers / shape.layers
    return round(share * _layers(shape, "full"))


def _layers(shape: ModelShape, mixer: Mixer) -> int:
    return sum(g.layers for g in shape.groups() if g.mixer == mixer)


def _moe(shape: ModelShape) -> Experts:
    assert shape.moe is not None, f"{shape.name}: a layer has experts and the shape names none"
    return shape.moe


def _hybrid(shape: ModelShape) -> Hybrid:
    assert shape.hybrid is not None, f"{shape.name}: a state layer and no hybrid table"
    return shape.hybrid


def moe_layers(shape: ModelShape) -> int:
    """Return the number of layers that have experts."""
    return sum(g.layers for g in shape.groups() if g.feed == "moe")
