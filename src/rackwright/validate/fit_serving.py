"""What is fitted on measured serving rows, and on which rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from rackwright.design.numbers import compute_precision, machine_numbers, model_numbers
from rackwright.design.parameters import serving_efficiencies
from rackwright.kernels.serving_point import closed_loop_tpot
from rackwright.records.space import Parameters
from rackwright.validate.fit import Free, with_value
from rackwright.validate.measured import ServingRow

Array = NDArray[np.float64]

FAMILIES = ("Hopper", "Blackwell", "Blackwell Ultra")
SERVED = ("gpt-oss-120b", "Llama-3.1-70B")

FREE = (
    *(Free(f"{family}.serving.stack", 1.0, 0.1) for family in FAMILIES[:2]),
    *(Free(f"{family}.serving.scale_up_latency_s", 6e-6, 0.4) for family in FAMILIES[:2]),
    *(Free(f"{family}.serving.layer_s", 3e-5, 0.5) for family in FAMILIES[:2]),
    Free("common.serving.moe_layer_s", 6e-6, 0.5),
    Free("common.serving.step_s", 1e-3, 0.5),
    Free("common.serving.grouped", 0.5, 0.4),
    Free("common.serving.messages", 0.5, 0.3),
    Free("common.memory", 0.85, 0.1),
)


def times(rows: Sequence[ServingRow]) -> Callable[[Parameters], Array]:
    """Return the function that gives mean TPOT and TTFT (N, 2) [s] of the rows."""
    numbers = [
        (
            model_numbers(row.shape),
            machine_numbers(row.hardware, row.precision, row.shape),
            compute_precision(row.hardware.accelerator, row.precision),
        )
        for row in rows
    ]

    def at(parameters: Parameters) -> Array:
        found = np.empty((len(rows), 2))
        for i, (row, (m, h, precision)) in enumerate(zip(rows, numbers, strict=True)):
            moe = row.shape.moe is not None
            e, _, _ = serving_efficiencies(parameters, row.family, precision, moe)
            isl, osl = row.input_tokens, row.output_tokens
            found[i] = closed_loop_tpot(m, h, e, isl, osl, row.plan, row.clients)
        return found

    return at


def errors(rows: Sequence[ServingRow]) -> Callable[[Parameters], Array]:
    """Return the function that gives log(predicted / measured) TPOT of the rows."""
    predicted = times(rows)
    measured = np.array([row.tpot_s for row in rows])

    def at(parameters: Parameters) -> Array:
        found: Array = np.log(predicted(parameters)[:, 0] / measured)
        return found

    return at


def first_token(parameters: Parameters, rows: Sequence[ServingRow]) -> float:
    """Return the median of measured over modelled time to first token with few clients.

    With more clients the answers end in step and their next prompts queue behind one another:
    that is the client's doing, not the engine's. Without such rows: 1, the model's own time.
    """
    plain = with_value(parameters, "common.serving.first_token_stack", 1.0)
    few = [row for row in rows if row.ttft_s and row.clients <= 8]
    if not few:
        return 1.0
    measured = np.array([row.ttft_s for row in few], dtype=np.float64)
    return float(np.median(measured / times(few)(plain)[:, 1]))


def unqueued(rows: Sequence[ServingRow]) -> list[ServingRow]:
    """Return the rows whose clients mostly decode.

    Where the first token takes half as long as the whole answer the engine runs fewer requests
    than there are clients, and the table does not say how many.
    """
    return [row for row in rows if (row.ttft_s or 0.0) < 0.5 * row.output_tokens * row.tpot_s]
