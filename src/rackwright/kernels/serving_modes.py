"""How serving is measured: closed loops of clients, fixed batches, queues, separate pools.

One function answers for one row; the loops over draws and over rows call it.
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
    ServingEfficiency,
    machine_row,
    model_row,
    serving_efficiency,
)
from rackwright.kernels.serving import seconds_of, step_seconds, step_terms
from rackwright.kernels.serving_point import (
    closed_loop,
    first_host_seconds,
    kept_per_step,
    mean_step_seconds,
)

Array = NDArray[np.float64]

CLOSED, QUEUED, FIXED, STEADY, POOLS = 0.0, 1.0, 2.0, 3.0, 4.0
"""Clients that ask again; all requests at once; one fixed batch; a given rate; two pools."""

ROW: tuple[str, ...] = (
    "mode",
    "isl",
    "osl",
    "clients",  # of one replica, or of all pools together
    "most",  # requests that an engine runs at once, memory aside
    "tokens_per_s",  # of one replica, where a rate is given
    "tensor",
    "pipeline",
    "expert",
    "chunk",
    "prefill_tensor",
    "prefill_pipeline",
    "prefill_expert",
    "prefill_workers",
    "decode_workers",
)
"""Columns of a row as these kernels read it."""


@compiled
def measured(
    m: ModelNumbers, h: MachineNumbers, e: ServingEfficiency, row: Array
) -> tuple[float, float]:
    """Return TPOT and TTFT [s] as a row's way of measuring would read them.

    Args:
        m, h, e: model, machine, efficiencies.
        row: the columns of `ROW`.
    """
    mode, isl, osl, clients = row[0], row[1], row[2], row[3]
    plan = np.array((row[6], row[7], row[8], row[9], clients, 0.0, 0.0))
    if mode == FIXED:
        return _fixed_batch(m, h, e, isl, osl, plan, clients)
    if mode == POOLS:
        return _separate_pools(m, h, e, row, plan)
    most = running_at_most(m, h, plan, isl, osl, row[4])
    if mode == QUEUED:
        return _queued(m, h, e, isl, osl, plan, most)
    if mode == STEADY:
        return _steady_load(m, h, e, isl, osl, plan, row[5], most)
    together = min(e.first_wave + e.in_step, 1.0)
    return closed_loop(m, h, e, isl, osl, plan, clients, most, together)


@compiled
def measured_over_draws(m: ModelNumbers, h: MachineNumbers, draws: Array, row: Array) -> Array:
    """Return TPOT and TTFT [s] (S, 2) of one row in each draw (S, E)."""
    out = np.empty((draws.shape[0], 2))
    for s in range(draws.shape[0]):
        pair = measured(m, h, serving_efficiency(draws[s]), row)
        out[s, 0], out[s, 1] = pair[0], pair[1]
    return out


@compiled
def measured_over_rows(models: Array, machines: Array, efficiencies: Array, rows: Array) -> Array:
    """Return TPOT and TTFT [s] (N, 2) of rows that each have their own model and machine.

    Args:
        models, machines, efficiencies: (N, fields) of the named tuples of `numbers`.
        rows: (N, 15), the columns of `ROW`.
    """
    out = np.empty((rows.shape[0], 2))
    for i in range(rows.shape[0]):
        m, h = model_row(models[i]), machine_row(machines[i])
        pair = measured(m, h, serving_efficiency(efficiencies[i]), rows[i])
        out[i, 0], out[i, 1] = pair[0], pair[1]
    return out


@compiled
def running_at_most(
    m: ModelNumbers, h: MachineNumbers, plan: Array, isl: float, osl: float, limit: float
) -> float:
    """Return how many requests a replica runs at once: the engine's limit, or what memory holds.

    Engines that never evict keep room for the whole answer of each request.
    """
    most: float = max(min(limit, most_requests(m, h, plan, isl + osl)), 1.0)
    return most


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


@compiled
def _fixed_batch(
    m: ModelNumbers,
    h: MachineNumbers,
    e: ServingEfficiency,
    isl: float,
    osl: float,
    plan: Array,
    batch: float,
) -> tuple[float, float]:
    """Return the times of one batch: all prompts first, then all tokens; nothing queues."""
    tpot = step_seconds(m, h, e, plan, batch, isl + 0.5 * osl, 0.0, 0.0)
    return tpot, step_seconds(m, h, e, plan, 0.0, 0.0, batch * isl, 0.5 * isl)


@compiled
def _queued(
    m: ModelNumbers,
    h: MachineNumbers,
    e: ServingEfficiency,
    isl: float,
    osl: float,
    plan: Array,
    most: float,
) -> tuple[float, float]:
    """Return the times while a queue keeps every place taken.

    A place is held for the prompt's steps and the answer's. Where prompts come faster than
    chunks, fewer decode; the time to first token is what Little's law then leaves of a place.
    """
    copies, kept = max(plan[2] / plan[0], 1.0), kept_per_step(plan[5], e.acceptance)
    batch = most * osl / (osl + kept * math.ceil(isl / plan[3]))
    batch = min(batch, plan[3] * copies * osl / (isl * kept))
    tpot = mean_step_seconds(m, h, e, isl, osl, plan, batch) / kept
    return tpot, osl * tpot * (most / batch - 1.0)


@compiled
def _steady_load(
    m: ModelNumbers,
    h: MachineNumbers,
    e: ServingEfficiency,
    isl: float,
    osl: float,
    plan: Array,
    tokens_per_s: float,
    most: float,
) -> tuple[float, float]:
    """Return the times at a given output rate: Little's law says how many clients keep it up."""
    clients, tpot, ttft = 1.0, 0.0, 0.0
    for _ in range(30):
        tpot, ttft = closed_loop(m, h, e, isl, osl, plan, clients, most, 0.0)
        wanted = tokens_per_s * (ttft + osl * tpot) / osl
        clients = min(0.5 * (clients + wanted), most)
    return tpot, ttft


@compiled
def _separate_pools(
    m: ModelNumbers, h: MachineNumbers, e: ServingEfficiency, row: Array, decode: Array
) -> tuple[float, float]:
    """Return the times of clients whose prompts and answers run in two pools.

    The cache moves once over the scale-out network of the prefill worker. Prompts wait when
    clients would start them faster than the pool takes them in; else for those that started
    with them.
    """
    isl, osl, clients, chunk = row[1], row[2], row[3], row[9]
    prefill = np.array((row[10], row[11], row[12], chunk, 0.0, 0.0, 0.0))
    before, after = step_terms(m, h, e, prefill), step_terms(m, h, e, decode)
    one = seconds_of(before, 0.0, 0.0, min(isl, chunk), 0.5 * isl)
    budget = chunk * before.copies
    full = seconds_of(before, 0.0, 0.0, budget, 0.5 * isl)
    own = 2.0 * first_host_seconds(m, e) + math.ceil(isl / chunk) * one
    cache = sequence_cache_bytes(m, h, isl, prefill[0], prefill[1])
    own += cache / (h.scale_out_bytes_per_s * e.scale_out)
    prompts_per_s = row[13] * budget / (isl * full)
    most = running_at_most(m, h, decode, isl, osl, row[4])
    batch, tpot, ttft = min(clients / row[14], most), 0.0, own
    for _ in range(20):
        tpot = seconds_of(after, batch, isl + 0.5 * osl, 0.0, 0.0)
        ttft = own + 0.5 * e.first_wave * max(clients - 1.0, 0.0) / prompts_per_s
        ttft = max(ttft, clients / prompts_per_s - osl * tpot)
        running = clients / row[14] / (1.0 + ttft / (osl * tpot))
        if running > most:
            running = most
            ttft = max(ttft, osl * tpot * (clients / row[14] / most - 1.0))
        batch = 0.5 * batch + 0.5 * max(running, 1.0)
    return tpot, ttft
