"""What each way of measuring serving says, predicted: one function per mode of the table.

The table measures fixed batches, closed loops of clients, queues that hold every request, and
separate pools. What a mode leaves out is stated here once and counted as assumed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.kernels.numbers import MachineNumbers, ModelNumbers
from rackwright.kernels.serving_modes import (
    closed_loop_over_draws,
    most_requests,
    separate_pools_over_draws,
    static_batch_over_draws,
    steady_load_over_draws,
)
from rackwright.validate.measured import ServingRow
from rackwright.validate.resolve import NoDataError, UnsupportedError
from rackwright.validate.table import Row, number

Array = NDArray[np.float64]

MOST_AT_ONCE = 2048.0
"""Requests that an engine runs at once where a row states no limit: TensorRT-LLM's default."""


class Case(NamedTuple):
    """A row, as numbers: worlds is (1 + S, E) with the nominal efficiencies first."""

    cells: Row
    at: ServingRow
    m: ModelNumbers
    h: MachineNumbers
    worlds: Array


class Predicted(NamedTuple):
    """Predictions (1 + S,): seconds, and output tokens per second of all accelerators."""

    tpot_s: Array
    ttft_s: Array
    tokens_per_s: Array


def predict(case: Case) -> Predicted:
    """Return what the row's mode would measure.

    Raises:
        NoDataError: the mode needs a cell that is blank.
        UnsupportedError: nothing here predicts the mode, or the requests do not fit.
    """
    mode = case.cells["mode"]
    if mode not in MODES:
        raise UnsupportedError(f"mode {mode}")
    if not case.cells["isl"] or not case.cells["osl"]:
        blank = [name for name in ("isl", "osl") if not case.cells[name]]
        raise NoDataError(f"mode {mode}: blank {', '.join(blank)}")
    found = MODES[mode](case)
    if not all(np.all(np.isfinite(times) & (times > 0.0)) for times in found[:2]):
        raise UnsupportedError("the model gives no finite time")
    return found


def replicas(row: ServingRow) -> float:
    """Return how many equal replicas the accelerators of a row are."""
    ranks = row.plan[1] * max(row.plan[0], row.plan[2])
    return float(max(1.0, row.hardware.accelerators // ranks))


def _clients(case: Case) -> Predicted:
    if case.cells["concurrency"] in ("", "inf"):
        raise NoDataError(f"mode {case.cells['mode']}: no concurrency")
    return _closed_loop(case, case.at.clients / replicas(case.at))


def _queue(case: Case) -> Predicted:
    """All requests wait at once: the engine runs as many as its memory and its limit allow."""
    if case.cells["batch"]:
        return _fixed_batch(case)
    row = case.at
    fit = most_requests(case.m, case.h, row.plan, row.input_tokens + row.output_tokens)
    if fit < 1.0:
        raise UnsupportedError("by our count of memory not one request fits")
    return _closed_loop(case, min(fit, MOST_AT_ONCE))


def _fixed_batch(case: Case) -> Predicted:
    """One batch from its prompts to its last token; requests of a queue take the next one."""
    if not case.cells["batch"]:
        raise NoDataError(f"mode {case.cells['mode']}: no batch")
    row, batch = case.at, float(case.cells["batch"])
    got = static_batch_over_draws(
        case.m, case.h, case.worlds, row.input_tokens, row.output_tokens, row.plan, batch
    )
    return _with_rate(case, got, batch)


def _steady(case: Case) -> Predicted:
    """Follow a trace: the output rate is their arrival, TPOT and TTFT are the engine's."""
    if not case.cells["out_tok_s"]:
        raise NoDataError("mode agg-online: neither an arrival rate nor an output rate")
    row, most = case.at, number(case.cells, "batch", MOST_AT_ONCE)
    rate = float(case.cells["out_tok_s"]) / replicas(row)
    got = steady_load_over_draws(
        case.m, case.h, case.worlds, row.input_tokens, row.output_tokens, row.plan, rate, most
    )
    return Predicted(got[:, 0], got[:, 1], np.full(got.shape[0], np.nan))


def _pools(case: Case) -> Predicted:
    if case.cells["concurrency"] in ("", "inf"):
        raise NoDataError("mode disagg: no concurrency")
    pools = re.findall(r"(\d+)x\(([a-z0-9]+)\)", case.cells["layout"])
    if len(pools) != 2:
        raise NoDataError("mode disagg: the layout does not name both pools")
    row = case.at
    prefill, decode = (_plan(layout, row.plan[3], row.clients) for _, layout in pools)
    got = separate_pools_over_draws(
        case.m,
        case.h,
        case.worlds,
        row.input_tokens,
        row.output_tokens,
        prefill,
        decode,
        np.array([float(count) for count, _ in pools]),
        row.clients,
    )
    return _with_rate(case, got, row.clients, parts=1.0)


def _plan(layout: str, chunk: float, clients: float) -> Array:
    """Return the plan that "tp1dp8ep8" spells."""
    sizes = {name: float(size) for name, size in re.findall(r"([a-z]+)(\d+)", layout)}
    tensor, copies = sizes.get("tp", 1.0), sizes.get("dp", 1.0)
    expert = max(sizes.get("ep", 1.0), tensor * copies if copies > 1.0 else 1.0)
    return np.array((tensor, sizes.get("pp", 1.0), expert, chunk, clients))


def _closed_loop(case: Case, clients: float) -> Predicted:
    row = case.at
    got = closed_loop_over_draws(
        case.m, case.h, case.worlds, row.input_tokens, row.output_tokens, row.plan, clients
    )
    return _with_rate(case, got, clients)


def _with_rate(case: Case, got: Array, clients: float, parts: float | None = None) -> Predicted:
    """Little's law: each client gets its output tokens in TTFT and the gaps between them."""
    osl = case.at.output_tokens
    whole = got[:, 1] + max(osl - 1.0, 0.0) * got[:, 0]
    count = replicas(case.at) if parts is None else parts
    return Predicted(got[:, 0], got[:, 1], count * clients * osl / whole)


MODES: Mapping[str, Callable[[Case], Predicted]] = {
    "agg": _clients,
    "agg-offline": _queue,
    "agg-online": _steady,
    "agg-realtime": _fixed_batch,
    "static-batch": _fixed_batch,
    "prefill-latency": _fixed_batch,
    "disagg": _pools,
}
