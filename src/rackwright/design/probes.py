"""What early hardware can be measured on, predicted from the same kernels and the same worlds.

A probe that reads low in the lab reads low in some worlds and not in others: that is how a
measurement reweights the draws that the whole space was computed with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rackwright.design.numbers import compute_precision, machine_numbers, model_numbers
from rackwright.design.parameters import serving_efficiencies, training_efficiencies, value
from rackwright.design.plans import plan_array
from rackwright.design.power import average_power
from rackwright.kernels import serving_point, training
from rackwright.kernels.collectives import all_reduce_seconds
from rackwright.kernels.numbers import MachineNumbers, ModelNumbers
from rackwright.records.acceptance import ProbePrediction
from rackwright.records.hardware import Hardware
from rackwright.records.model import ModelShape
from rackwright.records.provenance import Grade, worst
from rackwright.records.space import Parameters, Service
from rackwright.records.study import ServingWorkload, TrainingWorkload

Array = NDArray[np.float64]
Workload = TrainingWorkload | ServingWorkload

_LEANED_ON = ("matmul_flop_per_s", "memory_bytes_per_s")
ALL_REDUCE_BYTES = 1e9
MICRO_BATCHES = 8.0
"""Of the training probe: enough that the optimizer and the reduction do not decide it."""


def predict(
    block: Hardware,
    services: Sequence[Service | None],
    workloads: Sequence[Workload],
    models: Mapping[str, ModelShape],
    parameters: Parameters,
) -> tuple[ProbePrediction, ...]:
    """Return what each probe should read on one rack of a design, in every world.

    Args:
        block: the design's block; one of its racks is measured.
        services: of the design, by workload, None where it has none.
        workloads: in the same order.
        models: shape by the name that the workloads use.
        parameters: the worlds of the space.

    Returns:
        Component probes first (products, memory, links), then each workload's own run at its
        plan, then rack power under the first workload that the design serves.
    """
    rack = _one_rack(block)
    found = list(_components(rack, workloads, parameters))
    served = [(s, w) for s, w in zip(services, workloads, strict=True) if s is not None]
    for service, workload in served:
        shape = models[workload.model]
        if isinstance(workload, TrainingWorkload):
            found.append(_training(rack, service, workload, shape, parameters))
        else:
            found.append(_serving(rack, service, workload, shape, parameters))
    if served:
        found.append(_power(rack, served[0][0], served[0][1], parameters))
    return tuple(found)


def _components(
    rack: Hardware, workloads: Sequence[Workload], parameters: Parameters
) -> Iterator[ProbePrediction]:
    accelerator = rack.accelerator
    at = [compute_precision(accelerator, w.precision) for w in workloads]
    for precision in dict.fromkeys(["bf16", *at]):
        rate = accelerator.matmul_flop_per_s.at(precision)
        if rate is None:
            continue
        entry = f"matmul.{'bf16' if precision == 'fp16' else precision}"
        how = "square products of 16384, median over the rack's accelerators"
        yield _share(rack, parameters, f"matmul-{precision}", "FLOP/s", rate, (entry,), how)
    yield _share(
        rack,
        parameters,
        "memory-bandwidth",
        "B/s",
        accelerator.memory_bytes_per_s,
        ("memory",),
        "read and write of most of the memory, median over the rack's accelerators",
    )
    yield _all_reduce(rack, parameters)
    yield _share(
        rack,
        parameters,
        "scale-out-bandwidth",
        "B/s",
        rack.scale_out_bytes_per_s,
        ("scale_out",),
        "pairwise exchange with another rack, one way, median over the rack's ports",
    )


def _share(
    rack: Hardware,
    parameters: Parameters,
    probe: str,
    unit: str,
    peak: float,
    entries: tuple[str, ...],
    how: str,
) -> ProbePrediction:
    """Predict a rate that is a share of a peak."""
    nominal, draws = peak, np.full(parameters.values.shape[0], peak)
    for entry in entries:
        middle, drawn = value(parameters, rack.accelerator.family, entry)
        nominal, draws = nominal * middle, draws * drawn
    return ProbePrediction(
        probe=probe,
        unit=unit,
        better="higher",
        nominal=nominal,
        draws=draws,
        how=how,
        grade=_grade(rack, parameters, entries),
    )


def _all_reduce(rack: Hardware, parameters: Parameters) -> ProbePrediction:
    group = float(min(rack.scale_up_accelerators, rack.accelerators))
    family, peak = rack.accelerator.family, rack.scale_up_bytes_per_s
    share, shares = value(parameters, family, "scale_up")
    wait, waits = value(parameters, family, "training.scale_up_latency_s")
    moved = 2.0 * (group - 1.0) / group * ALL_REDUCE_BYTES if group > 1.0 else ALL_REDUCE_BYTES

    def bus(reached: float, latency: float) -> float:
        if group <= 1.0:
            return peak * reached
        return moved / all_reduce_seconds(ALL_REDUCE_BYTES, group, peak * reached, latency)

    return ProbePrediction(
        probe="scale-up-all-reduce",
        unit="B/s",
        better="higher",
        nominal=bus(share, wait),
        draws=np.array([bus(s, w) for s, w in zip(shares, waits, strict=True)]),
        how=f"bus rate of an all-reduce of 1 GB over {group:.0f} accelerators of one domain",
        grade=_grade(rack, parameters, ("scale_up", "training.scale_up_latency_s")),
    )


def _serving(
    rack: Hardware,
    service: Service,
    workload: ServingWorkload,
    shape: ModelShape,
    parameters: Parameters,
) -> ProbePrediction:
    """Predict tokens per second of one rack at the plan's batch, limits kept or not."""
    at, m, h = _numbers(rack, workload, shape)
    family = rack.accelerator.family
    nominal, draws, grade = serving_efficiencies(parameters, family, at)
    plan = plan_array(service.plan, workload)
    isl, osl = float(workload.input_tokens), float(workload.output_tokens)
    ranks = max(plan[0], plan[2]) * plan[1]
    replicas = rack.accelerators // ranks or rack.accelerators / ranks
    rate = plan[4] / serving_point.mean_step_seconds(m, h, nominal, isl, osl, plan, plan[4])
    return ProbePrediction(
        probe=f"serving-{workload.name}",
        unit="tokens/s",
        better="higher",
        nominal=float(replicas * rate),
        draws=replicas * serving_point.batch_rate_over_draws(m, h, draws, isl, osl, plan),
        how=f"output tokens of one rack with {service.plan.batch} requests decoding per replica "
        f"of {ranks:.0f} accelerators, {workload.input_tokens} in and {workload.output_tokens} out",
        grade=worst([grade, rack.accelerator.grade_of(_LEANED_ON)]),
    )


def _training(
    rack: Hardware,
    service: Service,
    workload: TrainingWorkload,
    shape: ModelShape,
    parameters: Parameters,
) -> ProbePrediction:
    """Predict the step time of one pipeline stage's layers, on one rack without the pipeline."""
    at, m, h = _numbers(rack, workload, shape)
    family = rack.accelerator.family
    nominal, draws, grade = training_efficiencies(parameters, family, at)
    layers = max(int(shape.layers // service.plan.pipeline_parallel), 1)
    stage = _first_layers(m, layers)
    plan = plan_array(service.plan, workload)
    tensor = min(plan[0], float(rack.accelerators))
    plan[0], plan[1], plan[2] = tensor, 1.0, 1.0
    plan[5], plan[7] = max(rack.accelerators // tensor, 1.0), MICRO_BATCHES
    plan[4] = min(plan[4], plan[5] * tensor)
    sequence = float(workload.sequence_length)
    step = sum(training.training_parts(stage, h, nominal, sequence, plan))
    return ProbePrediction(
        probe=f"training-{workload.name}",
        unit="s",
        better="lower",
        nominal=step,
        draws=training.training_over_draws(stage, h, draws, sequence, plan),
        how=f"step of the first {layers} layers and the head on one rack: tensor parallel "
        f"{tensor:.0f}, data parallel {plan[5]:.0f}, {MICRO_BATCHES:.0f} micro-batches of "
        f"{plan[6]:.0f} sequences",
        grade=worst([grade, rack.accelerator.grade_of(_LEANED_ON)]),
    )


def _power(
    rack: Hardware, service: Service, workload: Workload, parameters: Parameters
) -> ProbePrediction:
    names = [part.name for part in service.parts]
    seconds = np.array([part.seconds for part in service.parts])
    nominal, draws = average_power(
        rack, parameters, names, seconds, service.prefill_share, service.used_share
    )
    entries = ("power.compute", "power.memory", "power.wait")
    return ProbePrediction(
        probe="rack-power",
        unit="W",
        better="lower",
        nominal=nominal,
        draws=draws,
        how=f"mean IT power of one rack while it runs {workload.name}",
        grade=_grade(rack, parameters, entries),
    )


def _numbers(
    rack: Hardware, workload: Workload, shape: ModelShape
) -> tuple[str, ModelNumbers, MachineNumbers]:
    at = compute_precision(rack.accelerator, workload.precision)
    return at, model_numbers(shape), machine_numbers(rack, workload.precision, shape)


def _first_layers(m: ModelNumbers, layers: int) -> ModelNumbers:
    """Return the model with its layer counts cut in proportion; tables stay whole."""
    share = layers / m.layers
    counts = (
        "attention_layers",
        "linear_layers",
        "dense_layers",
        "moe_layers",
        "layers",
        "core_full",
        "core_window",
        "full_layers",
        "cache_full",
        "cache_window",
        "state",
    )
    return m._replace(**{name: getattr(m, name) * share for name in counts})


def _one_rack(block: Hardware) -> Hardware:
    count = block.accelerators_per_rack
    return Hardware(
        **{
            **dict(block),
            "accelerators": count,
            "racks": 1,
            "scale_up_accelerators": min(block.scale_up_accelerators, count),
        }
    )


def _grade(rack: Hardware, parameters: Parameters, entries: Sequence[str]) -> Grade:
    family = rack.accelerator.family
    grades = dict(zip(parameters.names, parameters.grades, strict=True))
    used = [grades.get(f"{family}.{e}", grades.get(f"common.{e}", Grade.D)) for e in entries]
    return worst([*used, rack.accelerator.grade_of(_LEANED_ON)])
