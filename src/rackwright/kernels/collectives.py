"""Time of collectives: latency plus bytes over the rate of the tier they cross (alpha-beta)."""

from __future__ import annotations

from rackwright.kernels.compiled import compiled


@compiled
def group_bytes_per_s(
    group: float, inside: float, scale_up: float, scale_out: float, oversubscription: float
) -> float:
    """Return the rate at which each member of a group can take part in a ring.

    Args:
        group: members.
        inside: members that share one scale-up domain, 1 <= inside <= group.
        scale_up: rate inside a domain, per accelerator, one way [B/s].
        scale_out: rate of one accelerator's network port [B/s].
        oversubscription: of the fabric, >= 1.

    Returns:
        The scale-up rate when the group stays inside; else min(scale-up, port × members per
        domain): a ring leaves a domain once, and all its members' ports share that crossing.
    """
    if group <= inside:
        return scale_up
    return min(scale_up, scale_out * inside / oversubscription)


@compiled
def ring_seconds(bytes_full: float, group: float, bytes_per_s: float, latency_s: float) -> float:
    """Return the time of a reduce-scatter or an all-gather.

    Args:
        bytes_full: bytes of the whole tensor, before scattering or after gathering.
        group: members; 1 costs nothing.
        bytes_per_s: rate of one member.
        latency_s: of the whole operation.

    Returns:
        latency + (group - 1) / group × bytes / rate.

    Source:
        Thakur, Rabenseifner, Gropp, Optimization of Collective Communication Operations, 2005.
    """
    if group <= 1.0:
        return 0.0
    return latency_s + (group - 1.0) / group * bytes_full / bytes_per_s


@compiled
def all_reduce_seconds(
    bytes_full: float, group: float, bytes_per_s: float, latency_s: float
) -> float:
    """Return the time of an all-reduce: a reduce-scatter and an all-gather, one latency."""
    if group <= 1.0:
        return 0.0
    return latency_s + 2.0 * (group - 1.0) / group * bytes_full / bytes_per_s


@compiled
def expert_exchange_seconds(
    tokens: float,
    top_k: float,
    token_bytes: float,
    group: float,
    inside: float,
    scale_up: float,
    scale_out: float,
    latency_s: float,
    copies_per_rank: float = 0.0,
) -> float:
    """Return the time to send each token to its experts: one all-to-all.

    Args:
        tokens: tokens per member.
        top_k: experts per token, spread evenly over the members.
        token_bytes: bytes of one token.
        group: members of the expert-parallel group.
        inside: members in one scale-up domain.
        scale_up, scale_out: rates per member [B/s].
        latency_s: of the whole operation.
        copies_per_rank: 1 where a token goes once to each rank that holds some of its experts, 0
            where it goes once for each expert.

    Returns:
        The slower of the two tiers. A token crosses to another domain once, however many of
        its experts are there, and is handed on inside it.

    Source:
        Expected number of distinct domains: d (1 - (1 - 1/d)^k). One copy per domain as in
        DeepSeek-V3 (arXiv 2412.19437), section 3.2.
    """
    if group <= 1.0:
        return 0.0
    domains = max(group / inside, 1.0)
    reached: float = domains * (1.0 - (1.0 - 1.0 / domains) ** top_k)
    out_bytes = tokens * token_bytes * reached * (domains - 1.0) / domains
    sent = top_k
    if copies_per_rank > 0.0:
        sent = inside * (1.0 - (1.0 - 1.0 / group) ** top_k) * domains
    in_bytes = tokens * token_bytes * sent * (inside - 1.0) / inside
    return latency_s + max(out_bytes / scale_out, in_bytes / scale_up)
