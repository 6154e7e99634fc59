"""Software plans both ways: the kernels' columns and the record."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rackwright.design.software import OPTIMIZER_SHARDING, RECOMPUTE
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
        )
        return np.array(columns, dtype=np.float64)
    count = workload.global_batch_sequences / (plan.data_parallel * plan.micro_batch)
    columns = (
        tensor,
        pipeline,
        plan.interleave,
        1,
        plan.expert_parallel,
        plan.data_parallel,
        plan.micro_batch,
        count,
        RECOMPUTE[plan.recompute],
        OPTIMIZER_SHARDING,
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
        recompute=next(name for name, code in RECOMPUTE.items() if code == plan[8]),
    )


def serving_record(plan: Array, precision: str, replicas: int) -> SoftwarePlan:
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
    )
