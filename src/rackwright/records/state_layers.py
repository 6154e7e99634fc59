"""Layers that keep a fixed-size state: delta nets, linear attention, state-space, convolution."""

from __future__ import annotations

from rackwright.records.model import Hybrid, ModelShape


def state_layer_parameters(shape: ModelShape, y: Hybrid) -> float:
    """Return the parameters of one layer with a fixed-size state.

    Raises:
        NotImplementedError: no count is written for that kind.
    """
    h, conv = shape.hidden, y.conv or 0
    keys = (y.key_heads or 0) * (y.key_dim or 0)
    values = (y.value_heads or 0) * (y.value_dim or 0)
    if y.kind == "gated_deltanet":
        return float(
            h * (2 * keys + 2 * values + 2 * (y.value_heads or 0))
            + (2 * keys + values) * conv
            + values * h
            + 2 * (y.value_heads or 0)
            + (y.value_dim or 0)
        )
    if y.kind == "kimi_delta_attention":
        low = h * (y.key_dim or 0) + (y.key_dim or 0) * keys
        gate = h * values if y.full_rank_gate else low
        return float(
            h * (2 * keys + values)
            + (2 * keys + values) * conv
            + low
            + gate
            + h * (y.key_heads or 0)
            + values * h
        )
    if y.kind == "lightning_attention":
        return float(h * (2 * keys + 2 * values) + values * h)
    if y.kind == "mamba2":
        inner, wide = _inner(shape, y), 2 * (y.groups or 1) * (y.state or 0)
        heads = y.ssm_heads or 0
        return float(
            h * (2 * inner + wide + heads)
            + (inner + wide) * (conv + 1)
            + inner * h
            + inner
            + 3 * heads
        )
    if y.kind == "mamba1":
        inner, rank, state = _inner(shape, y), y.dt_rank or 0, y.state or 0
        return float(
            h * 2 * inner
            + inner * (conv + 1)
            + inner * (rank + 2 * state)
            + rank * inner
            + inner * (state + 2)
            + inner * h
        )
    if y.kind == "short_conv":
        return float(h * 3 * h + h * conv + h * h)
    raise NotImplementedError(f"no parameter count for the hybrid layer kind {y.kind!r}")


def state_width(shape: ModelShape, y: Hybrid) -> float:
    """Return the state elements per sequence of one such layer."""
    if y.kind == "mamba2":
        return float((y.ssm_heads or 0) * (y.ssm_head_dim or 0) * (y.state or 0))
    if y.kind == "mamba1":
        return float(_inner(shape, y) * (y.state or 0))
    if y.kind == "short_conv":
        return float(shape.hidden * (y.conv or 0))
    return float((y.value_heads or 0) * (y.key_dim or 0) * (y.value_dim or 0))


def _inner(shape: ModelShape, y: Hybrid) -> int:
    if y.ssm_heads and y.ssm_head_dim:
        return y.ssm_heads * y.ssm_head_dim
    return (y.expand or 2) * shape.hidden
