"""Software plans both ways: the kernels' columns and the record."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rackwright.design.software import OFFLOAD, RECOMPUTE
from rackwright.records.space import SoftwarePlan
from rackwright.records.study import ServingWorkload, TrainingWorkload

Array = NDArray[np.float64]
Workload = TrainingWorkload | ServingWorkload


def plan_array(plan: SoftwarePlan, workload: Workload) -> Array:
    """Return a recorded plan as the kernels read it (the columns of the kernel's `PLAN`)."""
    tensor, pipeline = plan.tensor_parallel, plan.pipeline_parallel
    if isinstance(workload, ServingWorkload):
        columns: tuple[float, ...] = (
            tensor,
            pipeline,
            plan.expert_parallel,
            plan.prefill_chunk_tokens,
            plan.batch,
            plan.draft_tokens,
            plan.prefill_share,
        )
        return np.array(columns, dtype=np.float64)
    count = workload.global_batch_sequences / (plan.data_parallel * plan.micro_batch)
    columns = (
        tensor,
        pipeline,
        plan.interleave,
        plan.context_parallel,
        plan.expert_parallel,
        plan.data_parallel,
        plan.micro_batch,
        count,
        RECOMPUTE[plan.recompute],
        plan.zero,
        OFFLOAD[plan.offload],
        float(plan.sequence_parallel),
    )
    return np.array(columns, dtype=np.float64)


def training_record(plan: Array, precision: str) -> SoftwarePlan:
    """Return a training plan of the kernel as a record."""
    return SoftwarePlan(
        kind="training",
        precision=precision,
        tensor_parallel=int(plan[0]),
        pipeline_parallel=int(plan[1]),
        interleave=int(plan[2]),
        expert_parallel=int(plan[4]),
        data_parallel=int(plan[5]),
        micro_batch=int(plan[6]),
        recompute=_name(RECOMPUTE, plan[8]),
        context_parallel=int(plan[3]),
        zero=int(plan[9]),
        offload=_name(OFFLOAD, plan[10]),
        sequence_parallel=bool(plan[11]),
    )


def serving_record(plan: Array, precision: str, cache: str, replicas: int) -> SoftwarePlan:
    """Return a serving plan of the kernel as a record."""
    return SoftwarePlan(
        kind="serving",
        precision=precision,
        tensor_parallel=int(plan[0]),
        pipeline_parallel=int(plan[1]),
        expert_parallel=int(plan[2]),
        data_parallel=max(int(plan[2] // plan[0]), 1),
        batch=int(plan[4]),
        replicas=replicas,
        prefill_chunk_tokens=int(plan[3]),
        cache_precision=cache,
        draft_tokens=int(plan[5]),
        prefill_share=float(plan[6]),
    )


def _name(codes: Mapping[str, float], code: float) -> str:
    return next(name for name, known in codes.items() if known == code)
