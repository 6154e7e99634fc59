"""Goodput of a training job: what failures, checkpoints and repairs leave of its time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil

import numpy as np

from rackwright.catalog import Catalog
from rackwright.design.performance import PerformanceTable
from rackwright.kernels.goodput import (
    best_interval,
    daly_interval,
    effective_share,
    halted_share,
    lost_work_s,
    spares_for,
    young_interval,
)
from rackwright.records.hardware import Hardware
from rackwright.records.model import ModelShape
from rackwright.records.model_counts import parameters as parameter_counts
from rackwright.records.reliability import FailureLog, Size
from rackwright.records.space import Service
from rackwright.records.study import Reliability, Study, TrainingWorkload

STATE_BYTES = 14.0
"""Of a parameter in a checkpoint: 2 of the weight, 12 of the optimizer, as `kernels/memory.py`."""


def goodput(log: FailureLog, terms: Reliability, parameters: float, accelerators: int) -> Size:
    """Return what failures leave of a training job.

    Args:
        log: how often what fails.
        terms: how soon it is seen, mended and begun again.
        parameters: of the model; its state is what a checkpoint writes and a restart reads.
        accelerators: of the job.

    Notes:
        The share of time that is effective is that of the renewal formula, times the share of
        time in which the job has its nodes. Its parts are printed for people: checkpoints are
        δ/(τ + δ) of the time that is not down, down-time is what restarts cost, and lost work is
        the rest.
    """
    mtbf = 1.0 / (log.per_accelerator_s * accelerators)
    moved = STATE_BYTES * parameters / terms.storage_bytes_per_s
    write = terms.write_s if terms.write_s is not None else moved
    down = terms.detect_s + terms.restart_s + moved
    interval = float(best_interval(write, mtbf))
    share = float(effective_share(interval, write, mtbf, np.array([down]), np.array([1.0])))
    nodes = ceil(accelerators / log.accelerators_per_node)
    in_repair = terms.repair_hours * 3600.0 * log.node_share / mtbf
    spares = (
        spares_for(terms.halted_share, in_repair)
        if terms.spares_share is None
        else int(terms.spares_share * nodes)
    )
    halted = halted_share(spares, in_repair)
    writes = share * write / interval
    lost = lost_work_s(interval + write, mtbf)
    # per failure: work and checkpoint lost, then the time down, some of it spent again
    cycle = lost + mtbf * np.expm1(down / mtbf)
    idle = 1.0 - share - writes
    parts = (1.0 - halted) * idle / cycle if cycle > 0.0 else 0.0
    return Size(
        accelerators=accelerators,
        mtbf_s=mtbf,
        interval_s=interval,
        young_s=float(young_interval(write, mtbf)),
        daly_s=float(daly_interval(write, mtbf)),
        checkpoint_share=(1.0 - halted) * writes,
        lost_share=float(parts * lost),
        down_share=float(parts * (cycle - lost)),
        spares=spares,
        halted_share=halted,
        effective_share=(1.0 - halted) * share,
    )


def delivered(
    table: PerformanceTable,
    hardware: Sequence[Hardware],
    study: Study,
    models: Mapping[str, ModelShape],
    catalog: Catalog,
) -> tuple[PerformanceTable, tuple[str, ...]]:
    """Return the table with training rates less what failures take, and what was assumed.

    Args:
        table: rates of steps that never fail.
        hardware: the candidates, in the table's order.
        study, models, catalog: the study with all that it names.
    """
    log, terms = catalog.find(FailureLog, study.reliability.failures), study.reliability
    rates = table.rates.copy()
    rows = [list(services) for services in table.services]
    notes = []
    for w, workload in enumerate(study.workloads):
        if not isinstance(workload, TrainingWorkload):
            continue
        parameters = parameter_counts(models[workload.model]).total
        shares = {}
        for d, block in enumerate(hardware):
            service = rows[d][w]
            if service is None:
                continue
            size = goodput(log, terms, parameters, block.accelerators)
            rates[d, w] *= size.effective_share
            rows[d][w] = Service(
                **{
                    **dict(service),
                    "rate_tokens_per_s": service.rate_tokens_per_s * size.effective_share,
                    "goodput": size,
                }
            )
            shares[block.accelerators] = size.effective_share
        if shares:
            small, large = min(shares), max(shares)
            span = f"{shares[large]:.1%} of the time on {large:,} accelerators"
            if small != large:
                span = f"{shares[small]:.1%} on {small:,} to {span}"
            notes.append(
                f"{workload.name}: rates are less what failures take ({terms.failures}, grade "
                f"{terms.grade} for detection, restart and repair): work is kept for {span}; "
                "spare nodes are not charged"
            )
    services = tuple(tuple(row) for row in rows)
    return replace(table, services=services, rates=rates), tuple(notes)
