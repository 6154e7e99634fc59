"""The search: every hardware candidate × every software plan → the space."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from rackwright.catalog import Catalog
from rackwright.design.candidates import Candidates, enumerate_candidates
from rackwright.design.dominance import undominated
from rackwright.design.goodput import delivered
from rackwright.design.parameters import draw
from rackwright.design.performance import How, PerformanceTable, evaluate
from rackwright.design.probes import predict
from rackwright.design.sources import sources_of
from rackwright.design.space import space_row
from rackwright.records.acceptance import ProbePrediction
from rackwright.records.base import record_sha256
from rackwright.records.errors import NothingFeasibleError
from rackwright.records.model import ModelShape
from rackwright.records.provenance import worst
from rackwright.records.space import Parameters, SearchStats, Space, SpaceRow
from rackwright.records.study import Study


def search(
    study: Study,
    catalog: Catalog,
    models: Mapping[str, ModelShape],
    how: How | None = None,
) -> Space:
    """Return the space of a study: all rows that some prices could prefer.

    Args:
        study: the declared space and the workloads.
        catalog: components.
        models: shape of each model that a workload names.
        how: processes, ledger, progress; nothing of it changes the space.

    Raises:
        InputError: unknown systems, or components that lack what a rack needs.
        NothingFeasibleError: no candidate can do any workload; says what was rejected and why.
    """
    candidates = enumerate_candidates(study, catalog)
    if not candidates.all:
        raise NothingFeasibleError(
            "no hardware candidate can be built in the declared space:\n"
            + "\n".join(f"  {reason} ({n:,} times)" for reason, n in candidates.rejected.items())
        )
    families = tuple(dict.fromkeys(c.hardware.accelerator.family for c in candidates.all))
    parameters = draw(catalog, families, study.draws, study.seed)
    table = evaluate(
        [c.hardware for c in candidates.all],
        study.workloads,
        models,
        study.design_space.software,
        parameters,
        how,
    )
    table, losses = delivered(table, [c.hardware for c in candidates.all], study, models, catalog)
    _some_workload_is_served(study, candidates, table)
    rows = tuple(
        space_row(study, catalog, candidate, tuple(services), candidates.residual)
        for candidate, services in zip(candidates.all, table.services, strict=True)
    )
    useful = [d for d, row in enumerate(rows) if any(s is not None for s in row.services)]
    kept = [useful[i] for i in undominated(tuple(rows[d] for d in useful), table.rates[useful])]
    final = tuple(rows[d] for d in kept)
    return Space(
        study_sha256=record_sha256(study),
        workloads=tuple(w.name for w in study.workloads),
        rows=final,
        rates=np.asarray(table.rates)[kept],
        parameters=parameters,
        dominated=len(useful) - len(kept),
        priced_systems=candidates.residual.of,
        search=_stats(candidates, table.stats),
        sources=sources_of(final, catalog),
        assumptions=(
            *_idle(study, table, [c.rack.key for c in candidates.all]),
            *losses,
            *_assumptions(study, final),
        ),
        grade=worst([*(row.grade for row in final), *parameters.grades]),
    )


def predict_probes(
    study: Study,
    catalog: Catalog,
    models: Mapping[str, ModelShape],
    row: SpaceRow,
    parameters: Parameters,
) -> tuple[ProbePrediction, ...]:
    """Return what one rack of a design should read on each probe, in the space's worlds.

    Args:
        row: a row of the space of this study and catalog.
        parameters: the space's draws.
    """
    block = next(
        c.hardware for c in enumerate_candidates(study, catalog).all if c.hardware.key == row.key
    )
    return predict(block, row.services, study.workloads, models, parameters)


def _some_workload_is_served(study: Study, candidates: Candidates, table: PerformanceTable) -> None:
    idle = [
        w.name
        for i, w in enumerate(study.workloads)
        if all(services[i] is None for services in table.services)
    ]
    if len(idle) == len(study.workloads):
        raise NothingFeasibleError(
            "no design does any workload:\n"
            + "\n".join(f"  {name}: {table.why_not(name)}" for name in idle)
        )


def _stats(candidates: Candidates, stats: SearchStats) -> SearchStats:
    return SearchStats(
        **{
            **dict(stats),
            "hardware": len(candidates.all),
            "hardware_rejected": candidates.rejected,
        }
    )


def _idle(study: Study, table: PerformanceTable, systems: Sequence[str]) -> tuple[str, ...]:
    """Return, for each workload that no design does, why, and what to declare for it."""
    notes = []
    for i, workload in enumerate(study.workloads):
        if all(services[i] is None for services in table.services):
            mend = (
                "; declare larger design_space.training_block_accelerators"
                if workload.kind == "training"
                else ""
            )
            notes.append(
                f"{workload.name}: NO DESIGN DOES IT: {table.why_not(workload.name)}{mend}"
            )
    return (*notes, *_baseline(study, table, systems))


def _baseline(study: Study, table: PerformanceTable, systems: Sequence[str]) -> Iterator[str]:
    """Yield what today's system cannot do: there it cannot be ranked."""
    today = study.design_space.baseline
    if today is None:
        return
    for i, workload in enumerate(study.workloads):
        able = {system for system, s in zip(systems, table.services, strict=True) if s[i]}
        if able and today not in able:
            yield f"{workload.name}: the baseline {today} cannot do it and is not ranked there"


def _assumptions(study: Study, rows: tuple[SpaceRow, ...]) -> tuple[str, ...]:
    """Return what was filled in, each once, in the order of the rows."""
    notes: dict[str, None] = {}
    for row in rows:
        notes.update(dict.fromkeys(row.assumptions))
    supplied = {s.part for s in study.supplies}
    free = sorted({line.part for row in rows for line in row.bill} - supplied)
    unused = sorted(supplied - {line.part for row in rows for line in row.bill})
    if unused:
        notes[f"allocated, but in no design's bill: {', '.join(unused)}"] = None
    rentless = [d.name for d in study.data_centers if d.infrastructure_usd_per_w_year == 0]
    if rentless:
        notes[f"no rent or carried cost of power is given for {', '.join(rentless)}: 0"] = None
    if free:
        notes[f"bought freely at catalog prices, ordered in time: {', '.join(free)}"] = None
    return tuple(notes)
