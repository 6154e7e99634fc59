"""What each way of measuring serving says, as the columns that the kernel reads.

The table measures fixed batches, closed loops of clients, queues that hold every request, and
separate pools. What a mode leaves out is stated here once and counted as assumed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from rackwright.kernels import serving_modes as modes
from rackwright.kernels.memory import serving_weight_bytes
from rackwright.kernels.numbers import MachineNumbers, ModelNumbers
from rackwright.validate.measured import ServingRow
from rackwright.validate.resolve import NoDataError, UnsupportedError
from rackwright.validate.table import Row, number

Array = NDArray[np.float64]


def asked(cells: Row, row: ServingRow, m: ModelNumbers, h: MachineNumbers) -> Array:
    """Return a row as the columns of `serving_modes.ROW`.

    Raises:
        NoDataError: the mode needs a cell that is blank.
        UnsupportedError: nothing here predicts the mode, or the weights do not fit.
    """
    mode = cells["mode"]
    if mode not in MODES:
        raise UnsupportedError(f"mode {mode}")
    found = {**_always(row), **MODES[mode](cells, row)}
    columns = np.array([found.get(name, 0.0) for name in modes.ROW])
    plan = columns[6:11]
    fits = serving_weight_bytes(m, h, plan[0], plan[1], plan[2]) < h.memory_bytes
    if mode in _QUEUES and columns[0] == modes.QUEUED and not fits:
        raise UnsupportedError("by our count of memory not one request fits")
    return columns


def replicas(row: ServingRow) -> float:
    """Return how many equal replicas the accelerators of a row are."""
    ranks = row.plan[1] * max(row.plan[0], row.plan[2])
    return float(max(1.0, row.hardware.accelerators // ranks))


def tokens_per_s(columns: Array, pair: Array, running: float, parts: float) -> Array:
    """Return output tokens per second by Little's law.

    Args:
        columns: of the row.
        pair: TPOT and TTFT [s] (S, 2).
        running: clients of one replica, or requests that a queue keeps in it.
        parts: equal replicas.

    Returns:
        Rates (S,): each client gets its output tokens in TTFT and the gaps between them.
    """
    osl = columns[2]
    whole = pair[:, 1] + max(osl - 1.0, 0.0) * pair[:, 0]
    rates: Array = parts * running * osl / whole
    return rates


def _always(row: ServingRow) -> dict[str, float]:
    return {
        "isl": row.input_tokens,
        "osl": row.output_tokens,
        "clients": max(row.clients / replicas(row), 1.0),
        "most": float(row.engine.max_requests),
        "tensor": row.plan[0],
        "pipeline": row.plan[1],
        "expert": row.plan[2],
        "chunk": row.plan[3],
        "prefill_workers": 1.0,
        "decode_workers": 1.0,
    }


def _clients(cells: Row, row: ServingRow) -> dict[str, float]:
    if cells["concurrency"] in ("", "inf"):
        raise NoDataError(f"mode {cells['mode']}: no concurrency")
    return {"mode": modes.CLOSED}


def _queue(cells: Row, row: ServingRow) -> dict[str, float]:
    """All requests wait at once: the engine runs as many as its memory and its limit allow."""
    return _fixed_batch(cells, row) if cells["batch"] else {"mode": modes.QUEUED}


def _fixed_batch(cells: Row, row: ServingRow) -> dict[str, float]:
    """One batch from its prompts to its last token; requests of a queue take the next one."""
    if not cells["batch"]:
        raise NoDataError(f"mode {cells['mode']}: no batch")
    return {"mode": modes.FIXED, "clients": float(cells["batch"])}


def _steady(cells: Row, row: ServingRow) -> dict[str, float]:
    """Follow a trace: the output rate is their arrival, TPOT and TTFT are the engine's."""
    if not cells["out_tok_s"]:
        raise NoDataError("mode agg-online: neither an arrival rate nor an output rate")
    most = number(cells, "batch", float(row.engine.max_requests))
    rate = float(cells["out_tok_s"]) / replicas(row)
    return {"mode": modes.STEADY, "tokens_per_s": rate, "most": most}


def _pools(cells: Row, row: ServingRow) -> dict[str, float]:
    if cells["concurrency"] in ("", "inf"):
        raise NoDataError("mode disagg: no concurrency")
    pools = re.findall(r"(\d+)x\(([a-z0-9]+)\)", cells["layout"])
    if len(pools) != 2:
        raise NoDataError("mode disagg: the layout does not name both pools")
    prefill, decode = (_sizes(layout) for _, layout in pools)
    return {
        "mode": modes.POOLS,
        "clients": row.clients,
        "tensor": decode[0],
        "pipeline": decode[1],
        "expert": decode[2],
        "prefill_tensor": prefill[0],
        "prefill_pipeline": prefill[1],
        "prefill_expert": prefill[2],
        "prefill_workers": float(pools[0][0]),
        "decode_workers": float(pools[1][0]),
    }


def _sizes(layout: str) -> tuple[float, float, float]:
    """Return tensor, pipeline and expert sizes that "tp1dp8ep8" spells."""
    sizes = {name: float(size) for name, size in re.findall(r"([a-z]+)(\d+)", layout)}
    tensor, copies = sizes.get("tp", 1.0), sizes.get("dp", 1.0)
    expert = max(sizes.get("ep", 1.0), tensor * copies if copies > 1.0 else 1.0)
    return tensor, sizes.get("pp", 1.0), expert


MODES: Mapping[str, Callable[[Row, ServingRow], dict[str, float]]] = {
    "agg": _clients,
    "agg-offline": _queue,
    "agg-online": _steady,
    "agg-realtime": _fixed_batch,
    "static-batch": _fixed_batch,
    "prefill-latency": _fixed_batch,
    "disagg": _pools,
}
_QUEUES = ("agg-offline",)
