"""The software plans of one hardware candidate: the declared axes, less what does not divide."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.records.hardware import Hardware
from rackwright.records.model import ModelShape
from rackwright.records.study import ServingWorkload, SoftwareSpace, TrainingWorkload

Array = NDArray[np.float64]

RECOMPUTE: dict[str, float] = {"none": 0.0, "selective": 1.0, "full": 2.0}
OPTIMIZER_SHARDING = 1.0
"""ZeRO stage of every training plan: the optimizer is sharded over data parallel."""


class Plans(NamedTuple):
    """Plans that divide, and why the others do not."""

    plans: Array
    rejected: dict[str, int]


def training_plans(
    hardware: Hardware, workload: TrainingWorkload, shape: ModelShape, space: SoftwareSpace
) -> Plans:
    """Return the training plans (N, 10) of a block, in the columns of `kernels.training.PLAN`.

    One job uses every accelerator of the block: data parallel is what tensor and pipeline leave.
    A plan is dropped with the first reason that holds: it does not divide.
    """
    experts = space.expert_parallel if shape.moe is not None else (1,)
    axes = (
        space.tensor_parallel,
        space.pipeline_parallel,
        space.interleave,
        experts,
        space.micro_batch,
        tuple(RECOMPUTE[name] for name in space.recompute),
    )
    grid = np.array(list(product(*axes)), dtype=np.float64)
    tensor, pipeline, interleave, expert, micro, recompute = grid.T
    data = hardware.accelerators / (tensor * pipeline)
    count = workload.global_batch_sequences / (data * micro)
    keep, rejected = _sift(
        {
            "tensor parallel does not divide the heads": _splits(shape.heads, tensor),
            "tensor × pipeline does not divide the block": data % 1.0 == 0.0,
            "pipeline does not divide the layers": _stages(shape.layers, pipeline * interleave),
            "interleaving needs a pipeline": (interleave == 1.0) | (pipeline > 1.0),
            "micro-batch × data parallel does not divide the global batch": count % 1.0 == 0.0,
            "interleaving needs a multiple of the pipeline in micro-batches": (interleave == 1.0)
            | (count % pipeline == 0.0),
            "expert parallel does not divide the experts": _experts(shape, expert),
            "expert parallel does not divide its ranks": (data * tensor) % expert == 0.0,
        }
    )
    one, zero = np.ones_like(data), np.full_like(data, OPTIMIZER_SHARDING)
    columns = (
        tensor,
        pipeline,
        interleave,
        one,
        expert,
        data,
        micro,
        count,
        recompute,
        zero,
    )
    return Plans(np.ascontiguousarray(np.stack(columns, axis=1)[keep]), rejected)


def serving_layouts(
    hardware: Hardware, workload: ServingWorkload, shape: ModelShape, space: SoftwareSpace
) -> Plans:
    """Return the serving layouts (N, 5) of a block, in the columns of `kernels.serving.PLAN`.

    The last column, the batch, is left at zero: the kernel runs through the declared batches.
    A replica has max(tensor, expert) × pipeline accelerators; an expert group larger than the
    tensor group copies the attention part, each copy taking its share of the requests.
    """
    experts = space.expert_parallel if shape.moe is not None else (1,)
    axes = (
        space.tensor_parallel,
        space.pipeline_parallel,
        experts,
        space.prefill_chunk_tokens,
    )
    grid = np.array(list(product(*axes)), dtype=np.float64)
    tensor, pipeline, expert, chunk = grid.T
    nested = np.where(expert <= tensor, tensor % expert == 0.0, expert % tensor == 0.0)
    keep, rejected = _sift(
        {
            "tensor parallel does not divide the heads": _splits(shape.heads, tensor),
            "pipeline does not divide the layers": _splits(shape.layers, pipeline),
            "expert parallel does not divide the experts": _experts(shape, expert),
            "tensor and expert groups do not nest": nested,
            "replica larger than the block": np.maximum(tensor, expert) * pipeline
            <= hardware.accelerators,
        }
    )
    columns = (tensor, pipeline, expert, chunk, np.zeros_like(chunk))
    return Plans(np.ascontiguousarray(np.stack(columns, axis=1)[keep]), rejected)


def _sift(rules: dict[str, NDArray[np.bool_]]) -> tuple[NDArray[np.bool_], dict[str, int]]:
    """Keep what passes every rule; count the rest by the first rule that it breaks."""
    keep = np.ones(len(next(iter(rules.values()))), dtype=bool)
    rejected = {}
    for reason, passes in rules.items():
        dropped = int(np.count_nonzero(keep & ~passes))
        if dropped:
            rejected[reason] = dropped
        keep &= passes
    return keep, rejected


def _splits(whole: int, parts: Array) -> NDArray[np.bool_]:
    return np.asarray(whole % parts == 0.0)


def _stages(layers: int, parts: Array) -> NDArray[np.bool_]:
    """Layers divide over stages, also when embedding and head take a layer's place each."""
    return _splits(layers, parts) | (_splits(layers + 2, parts) & (parts > 1.0))


def _experts(shape: ModelShape, parts: Array) -> NDArray[np.bool_]:
    return _splits(shape.moe.experts if shape.moe is not None else 1, parts)
