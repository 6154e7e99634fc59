"""How serving is measured: closed loops of clients, fixed batches, queues, separate pools.

Each function answers for the efficiencies of one row or of many draws at once; times follow
from the step of `serving` and the closed loop of `serving_point`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rackwright.kernels.compiled import compiled
from rackwright.kernels.memory import RESERVE_BYTES, sequence_cache_bytes, serving_weight_bytes
from rackwright.kernels.numbers import (
    MachineNumbers,
    ModelNumbers,
    serving_efficiency,
)
from rackwright.kernels.serving import step_seconds
from rackwright.kernels.serving_point import closed_loop_tpot

Array = NDArray[np.float64]


@compiled
def closed_loop_over_draws(
    m: ModelNumbers,
    h: MachineNumbers,
    draws: Array,
    isl: float,
    osl: float,
    plan: Array,
    clients: float,
) -> Array:
    """Return TPOT and TTFT [s] (S, 2) of a fixed number of clients, in each draw (S, E)."""
    out = np.empty((draws.shape[0], 2))
    for s in range(draws.shape[0]):
        pair = closed_loop_tpot(m, h, serving_efficiency(draws[s]), isl, osl, plan, clients)
        out[s, 0], out[s, 1] = pair[0], pair[1]
    return out


@compiled
def static_batch_over_draws(
    m: ModelNumbers,
    h: MachineNumbers,
    draws: Array,
    isl: float,
    osl: float,
    plan: Array,
    batch: float,
) -> Array:
    """Return TPOT and TTFT [s] (S, 2) of one fixed batch: all prompts first, then all tokens.

    Nothing queues and nothing mixes, so the first token takes the prefill of the whole batch.
    """
    out = np.empty((draws.shape[0], 2))
    for s in range(draws.shape[0]):
        e = serving_efficiency(draws[s])
        out[s, 0] = step_seconds(m, h, e, plan, batch, isl + 0.5 * osl, 0.0, 0.0)
        out[s, 1] = step_seconds(m, h, e, plan, 0.0, 0.0, batch * isl, 0.5 * isl)
    return out


@compiled
def steady_load_over_draws(
    m: ModelNumbers,
    h: MachineNumbers,
    draws: Array,
    isl: float,
    osl: float,
    plan: Array,
    tokens_per_s: float,
    most: float,
) -> Array:
    """Return TPOT and TTFT [s] (S, 2) at a given output rate of a replica.

    Little's law: the clients that keep the rate up are rate × (TTFT + output × TPOT) / output.

    Args:
        tokens_per_s: output tokens per second that arrive and leave.
        most: requests that the engine runs at once.
    """
    out = np.empty((draws.shape[0], 2))
    for s in range(draws.shape[0]):
        e = serving_efficiency(draws[s])
        clients = 1.0
        for _ in range(30):
            pair = closed_loop_tpot(m, h, e, isl, osl, plan, clients)
            wanted = tokens_per_s * (pair[1] + osl * pair[0]) / osl
            clients = min(0.5 * (clients + wanted), most)
        out[s, 0], out[s, 1] = pair[0], pair[1]
    return out


@compiled
def separate_pools_over_draws(
    m: ModelNumbers,
    h: MachineNumbers,
    draws: Array,
    isl: float,
    osl: float,
    prefill: Array,
    decode: Array,
    workers: Array,
    clients: float,
) -> Array:
    """Return TPOT and TTFT [s] (S, 2) of clients whose prompts and answers run in two pools.

    Args:
        m, h, draws: model, machine, efficiencies (S, E).
        isl, osl: input and output tokens of a request.
        prefill, decode: the columns of `serving.PLAN` of one worker of each pool.
        workers: how many workers prefill, and how many decode.
        clients: that ask again as soon as they are answered.

    Notes:
        The cache moves once over the scale-out network of the prefill worker. Prompts wait
        when clients would start them faster than the pool takes them in; else they do not.
    """
    out = np.empty((draws.shape[0], 2))
    cache = sequence_cache_bytes(m, h, isl, prefill[0], prefill[1])
    for s in range(draws.shape[0]):
        e = serving_efficiency(draws[s])
        one = step_seconds(m, h, e, prefill, 0.0, 0.0, min(isl, prefill[3]), 0.5 * isl)
        full = step_seconds(m, h, e, prefill, 0.0, 0.0, prefill[3], 0.5 * isl)
        own = math.ceil(isl / prefill[3]) * one * e.first_token_stack
        own += cache / (h.scale_out_bytes_per_s * e.scale_out)
        prompts_per_s = workers[0] * prefill[3] / (isl * full)
        batch, tpot, ttft = clients / workers[1], 0.0, own
        for _ in range(20):
            tpot = step_seconds(m, h, e, decode, batch, isl + 0.5 * osl, 0.0, 0.0)
            ttft = max(own, clients / prompts_per_s - osl * tpot)
            share = osl * tpot / (ttft + osl * tpot)
            batch = 0.5 * batch + 0.5 * max(clients * share / workers[1], 1.0)
        out[s, 0], out[s, 1] = tpot, ttft
    return out


@compiled
def most_requests(m: ModelNumbers, h: MachineNumbers, plan: Array, tokens: float) -> float:
    """Return how many requests of some tokens a replica's memory holds at once; 0: not one."""
    tensor, pipeline, expert = plan[0], plan[1], plan[2]
    copies = max(expert / tensor, 1.0)
    wide = max(m.gated * m.ffn, m.top_k * m.gated * m.moe_ffn) / tensor + 6.0 * m.hidden
    free = h.memory_bytes - RESERVE_BYTES - serving_weight_bytes(m, h, tensor, pipeline, expert)
    free -= 2.0 * plan[3] * wide
    each: float = sequence_cache_bytes(m, h, tokens, tensor, pipeline) / copies + 2.0 * wide
    most: float = max(math.floor(free / each), 0.0)
    return most
