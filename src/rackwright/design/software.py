"""The software axes of one hardware candidate, as the search kernels read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.kernels.training_search import Axes, Job
from rackwright.records.hardware import Hardware
from rackwright.records.model import ModelShape
from rackwright.records.study import SoftwareSpace, TrainingWorkload

Array = NDArray[np.float64]

RECOMPUTE: dict[str, float] = {"none": 0.0, "selective": 1.0, "full": 2.0}
OFFLOAD: dict[str, float] = {"none": 0.0, "optimizer": 1.0}
CACHE_BYTES: dict[str, float] = {"bf16": 2.0, "fp8": 1.0}


class Layouts(NamedTuple):
    """Layouts that divide, and why the others do not."""

    layouts: Array
    rejected: dict[str, int]


def training_axes(shape: ModelShape, space: SoftwareSpace) -> Axes:
    """Return the declared axes of training; one job uses every accelerator of the block."""
    experts = space.expert_parallel if shape.moe is not None else (1,)
    return Axes(
        tensor=_values(space.tensor_parallel),
        context=_values(space.context_parallel),
        expert=_values(experts),
        micro=_values(space.micro_batch),
        recompute=_values(RECOMPUTE[name] for name in space.recompute),
        sequence_parallel=_values(float(on) for on in space.sequence_parallel),
        pipeline=_values(space.pipeline_parallel),
        interleave=_values(space.interleave),
        zero=_values(space.zero),
        offload=_values(OFFLOAD[name] for name in space.offload),
    )


def training_job(hardware: Hardware, workload: TrainingWorkload, shape: ModelShape) -> Job:
    """Return what a training plan of a block has to divide."""
    return Job(
        accelerators=float(hardware.accelerators),
        global_batch=float(workload.global_batch_sequences),
        sequence=float(workload.sequence_length),
        heads=float(shape.heads),
        layers=float(shape.layers),
        experts=float(shape.moe.experts) if shape.moe is not None else 1.0,
    )


def training_points(shape: ModelShape, space: SoftwareSpace) -> int:
    """Return how many plans the axes of training declare for one block and precision."""
    return int(np.prod([axis.size for axis in training_axes(shape, space)], dtype=np.int64))


LAYOUTS_AT_ONCE = 1 << 16
"""Layouts held at a time, whatever the number of them: a few megabytes."""


def serving_layouts(
    hardware: Hardware, shape: ModelShape, space: SoftwareSpace
) -> Iterator[Layouts]:
    """Yield the serving layouts (N, 7) of a block, in the columns of `kernels.serving.PLAN`.

    They come in pieces, in the order of the axes. The batch is left at zero: the kernel runs
    through the declared batches. A replica has max(tensor, expert) × pipeline accelerators; an
    expert group larger than the tensor group copies the attention part, each copy taking its
    share of the requests (attention-DP).
    """
    axes = _serving_axes(shape, space)
    inner = np.array(list(product(*axes[3:])), dtype=np.float64)
    outer = product(*axes[:3])
    step = max(1, LAYOUTS_AT_ONCE // len(inner))
    while some := list(islice(outer, step)):
        groups = np.repeat(np.array(some, dtype=np.float64), len(inner), axis=0)
        yield _layouts(hardware, shape, groups, np.tile(inner, (len(some), 1)))


def _layouts(hardware: Hardware, shape: ModelShape, groups: Array, others: Array) -> Layouts:
    """Return the layouts that divide of groups (N, 3) with chunk, draft and share (N, 3)."""
    tensor, pipeline, expert = groups.T
    chunk, draft, share = others.T
    nested = np.where(expert <= tensor, tensor % expert == 0.0, expert % tensor == 0.0)
    ranks = np.maximum(tensor, expert) * pipeline
    keep, rejected = _sift(
        {
            "tensor parallel does not divide the heads": shape.heads % tensor == 0.0,
            "pipeline does not divide the layers": shape.layers % pipeline == 0.0,
            "expert parallel does not divide the experts": _experts(shape) % expert == 0.0,
            "tensor and expert groups do not nest": nested,
            "replica larger than the block": ranks <= hardware.accelerators,
            "separate pools need two replicas": (share == 0.0)
            | (2.0 * ranks <= hardware.accelerators),
        }
    )
    columns = (tensor, pipeline, expert, chunk, np.zeros_like(chunk), draft, share)
    return Layouts(np.ascontiguousarray(np.stack(columns, axis=1)[keep]), rejected)


def serving_points(shape: ModelShape, space: SoftwareSpace) -> int:
    """Return how many points the axes of serving declare for one block and precision."""
    axes = (*_serving_axes(shape, space), space.batch)
    return int(np.prod([len(axis) for axis in axes], dtype=np.int64))


def _serving_axes(shape: ModelShape, space: SoftwareSpace) -> tuple[tuple[float, ...], ...]:
    return (
        space.tensor_parallel,
        space.pipeline_parallel,
        space.expert_parallel if shape.moe is not None else (1,),
        space.prefill_chunk_tokens,
        space.draft_tokens,
        space.prefill_share,
    )


def _values(axis: Iterable[float]) -> Array:
    return np.array(tuple(axis), dtype=np.float64)


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


def _experts(shape: ModelShape) -> int:
    return shape.moe.experts if shape.moe is not None else 1
