"""Time of one operator on one accelerator: products, attention, memory-bound passes."""

from __future__ import annotations

from rackwright.kernels.compiled import compiled


@compiled
def matmul_seconds(
    rows: float,
    inner: float,
    columns: float,
    flop_per_s: float,
    bytes_per_s: float,
    read_bytes: float,
    write_bytes: float,
) -> float:
    """Return the time of one matrix product (rows × inner) · (inner × columns).

    Args:
        rows, inner, columns: sizes, each > 0.
        flop_per_s: rate that large products reach [FLOP/s].
        bytes_per_s: memory rate reached [B/s].
        read_bytes: bytes per element of both factors.
        write_bytes: bytes per element of the result.

    Returns:
        Seconds: time at the full rate plus the time to move the three matrices once.

    Notes:
        The sum, and not the larger of the two, is what makes small products slow: filling and
        draining the tiles is not hidden. It loses a few percent where both are equal.

    Source:
        Roofline (Williams, Waterman, Patterson, 2009) with no overlap.
    """
    flop = 2.0 * rows * inner * columns
    moved = (rows * inner + inner * columns) * read_bytes + rows * columns * write_bytes
    return flop / flop_per_s + moved / bytes_per_s


@compiled
def linear_forward_seconds(
    tokens: float,
    width: float,
    parameters: float,
    flop_per_s: float,
    bytes_per_s: float,
    read_bytes: float,
) -> float:
    """Return the forward time of a linear part of `parameters` weights on `width` inputs."""
    return matmul_seconds(
        tokens, width, parameters / width, flop_per_s, bytes_per_s, read_bytes, 2.0
    )


@compiled
def linear_backward_seconds(
    tokens: float,
    width: float,
    parameters: float,
    flop_per_s: float,
    bytes_per_s: float,
    read_bytes: float,
) -> float:
    """Return the time of the input gradient and of the weight gradient of a linear part.

    The weight gradient is accumulated at four bytes: read and written once.
    """
    columns = parameters / width
    by_input = matmul_seconds(tokens, columns, width, flop_per_s, bytes_per_s, read_bytes, 2.0)
    by_weight = matmul_seconds(width, tokens, columns, flop_per_s, bytes_per_s, read_bytes, 8.0)
    return by_input + by_weight


@compiled
def touched_fraction(experts: float, top_k: float, tokens: float) -> float:
    """Return the share of experts that at least one of the tokens chooses.

    Args:
        experts: experts in the layer.
        top_k: experts per token.
        tokens: tokens in the step, >= 0.

    Returns:
        1 - (1 - top_k / experts)^tokens, for tokens that choose independently and evenly.
    """
    untouched: float = (1.0 - top_k / experts) ** tokens
    return 1.0 - untouched
