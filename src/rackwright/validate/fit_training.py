"""What is fitted on measured training steps, and on which rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from rackwright.design.numbers import compute_precision, machine_numbers, model_numbers
from rackwright.design.parameters import training_efficiencies
from rackwright.kernels.memory import training_bytes
from rackwright.kernels.training import training_parts
from rackwright.records.space import Parameters
from rackwright.validate.fit import Free
from rackwright.validate.measured import TrainingRow

Array = NDArray[np.float64]

FAMILIES = ("Hopper", "Blackwell", "Blackwell Ultra")
MEGATRON = ("megatron-bridge-perf", "mlperf")

FREE = (
    *(Free(f"{family}.training.stack", 1.1, 0.15) for family in FAMILIES),
    *(Free(f"{family}.attention", 0.55, 0.25) for family in FAMILIES),
    Free("Blackwell.matmul.fp4", 0.6, 0.2),
    Free("Blackwell Ultra.matmul.fp4", 0.5, 0.2),
    Free("common.training.grouped.bf16", 0.6, 0.4),
    Free("common.training.grouped.narrow", 0.6, 0.4),
    Free("common.training.passes", 0.9, 0.2),
    Free("common.training.tensor_exposed", 0.4, 0.5),
    Free("common.training.expert_exposed", 0.7, 0.5),
    Free("common.training.data_exposed", 0.15, 0.6),
    Free("common.training.pipeline_exposed", 0.5, 0.5),
)


def errors(rows: Sequence[TrainingRow]) -> Callable[[Parameters], Array]:
    """Return the function that gives log(predicted / measured) of the rows at some parameters."""
    numbers = [
        (
            model_numbers(row.shape)._replace(mtp_layers=row.mtp_layers),
            machine_numbers(row.hardware, row.precision, row.shape),
            compute_precision(row.hardware.accelerator, row.precision),
        )
        for row in rows
    ]

    def at(parameters: Parameters) -> Array:
        found = []
        for row, (m, h, precision) in zip(rows, numbers, strict=True):
            moe = row.shape.moe is not None
            e, _, _ = training_efficiencies(parameters, row.family, precision, moe)
            found.append(sum(training_parts(m, h, e, row.sequence, row.plan)) / row.step_s)
        logs: Array = np.log(np.array(found))
        return logs

    return at


def by_configuration(rows: Sequence[TrainingRow]) -> list[TrainingRow]:
    """Return one row per configuration: the median of its repeats.

    Of sparse models only the latest release counts: their kernels were still being written.
    """
    groups: dict[str, list[TrainingRow]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    merged = []
    for group in groups.values():
        if group[0].shape.moe is not None:
            latest = max(row.release for row in group)
            group = [row for row in group if row.release == latest]
        step = float(np.median([row.step_s for row in group]))
        merged.append(group[0]._replace(step_s=step))
    return merged


def held_bytes(rows: Sequence[TrainingRow]) -> list[tuple[float, float]]:
    """Return the bytes that each row's plan holds by our count, and those there are."""
    pairs = []
    for row in rows:
        m = model_numbers(row.shape)
        h = machine_numbers(row.hardware, row.precision, row.shape)
        p = row.plan
        tokens = p[6] * row.sequence / p[3]
        size = h.activation_bytes
        ours = training_bytes(m, p[0], p[1], p[2], p[3], p[4], p[5], tokens, p[7], p[8], p[9], size)
        pairs.append((float(ours), h.memory_bytes))
    return pairs
