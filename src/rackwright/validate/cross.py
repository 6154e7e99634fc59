"""How well what was left out of the fit is predicted: whole sources, whole accelerators.

The efficiencies that ship were fitted on some public rows. For each source and each accelerator
in those rows everything that is fitted is fitted again without it, and what was left out is then
scored. A source or accelerator that no fit has seen is scored with what ships. Where one source
gave every row of the fit, the fit without it takes the clean rows of the others, of any model.
Measured shares that stand in the catalog (products, links) are not fitted and stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rackwright.catalog import Catalog
from rackwright.records.base import Record
from rackwright.validate import fit_training
from rackwright.validate.calibrate import errors_with, from_rows, learned
from rackwright.validate.measured import TrainingRow
from rackwright.validate.resolve import Models, Refusals
from rackwright.validate.scores import (
    ErrorStats,
    Interval,
    Point,
    by_configuration,
    error_stats,
    interval,
)
from rackwright.validate.serving import (
    ServingCase,
    serving_cases,
    serving_parameters,
    serving_points,
)
from rackwright.validate.table import open_table
from rackwright.validate.training import training_cases, training_parameters, training_points

Array = NDArray[np.float64]

_TAUGHT = 8
"""Rows of a stack that are learned in turn, one at a time."""


class LeftOut(Record):
    """Errors of one part that the fit has not seen; `refitted` where the shipped fit has."""

    name: str
    refitted: bool
    error: ErrorStats


class Crossed(Record):
    """Errors of one quantity with each part left out in turn."""

    all: ErrorStats
    dense: ErrorStats
    moe: ErrorStats
    interval: Interval
    parts: tuple[LeftOut, ...]


class OneRow(Record):
    """Errors of a stack's rows that no fit has seen, before and after one of them is learned."""

    stack: str
    rows: int
    before_median_pct: float
    after_median_pct: float


class Cross(Record):
    """By quantity (step; tpot, ttft, throughput): leave-source-out and leave-accelerator-out."""

    sources: Mapping[str, Crossed]
    accelerators: Mapping[str, Crossed]
    one_row: tuple[OneRow, ...] = ()


def cross_training(path: Path | None, catalog: Catalog, models: Models | None = None) -> Cross:
    """Return the errors of step times of left-out sources and accelerators.

    The fit without a part takes the shipped rows that are not of that part.
    """
    known = models or Models(catalog)
    cases, _ = training_cases(open_table(path, "training"), catalog, known)
    shipped, _ = training_cases(open_table(None, "training"), catalog, known)
    rows = [case.at for case in shipped]

    def by(key: Callable[[TrainingRow], str]) -> Mapping[str, Crossed]:
        seen = {key(row) for row in rows}
        found: dict[str, list[Point]] = {}
        for name in sorted({key(case.at) for case in cases}):
            some = [case for case in cases if key(case.at) == name]
            kept = fit_training.by_configuration([row for row in rows if key(row) != name])
            fits = (from_rows("training", kept, catalog),) if name in seen else None
            parameters = training_parameters(some, catalog, fits)
            points = training_points(some, parameters, Refusals())
            found[name] = by_configuration(points)
        return {"step": _crossed(found, seen)}

    return Cross(
        sources=by(lambda row: series(row.source)),
        accelerators=by(lambda row: row.hardware.accelerator.key),
        one_row=_one_row([case.at for case in cases], rows, catalog),
    )


def cross_serving(path: Path | None, catalog: Catalog, models: Models | None = None) -> Cross:
    """Return the errors of TPOT, TTFT and throughput of left-out sources and accelerators."""
    known = models or Models(catalog)
    cases, _ = serving_cases(open_table(path, "serving"), catalog, known)
    shipped, _ = serving_cases(open_table(None, "serving"), catalog, known)

    def by(key: Callable[[ServingCase], str]) -> Mapping[str, Crossed]:
        seen = {key(case) for case in shipped}
        found: dict[str, dict[str, list[Point]]] = {}
        for name in sorted({key(case) for case in cases}):
            some = [case for case in cases if key(case) == name]
            kept = [case for case in shipped if key(case) != name]
            fits = (from_rows("serving", kept, catalog),) if name in seen else None
            points = serving_points(some, serving_parameters(some, catalog, fits), Refusals())
            for quantity, of in (
                ("tpot", points.tpot),
                ("ttft", points.ttft),
                ("throughput", points.throughput),
            ):
                found.setdefault(quantity, {})[name] = of
        return {quantity: _crossed(parts, seen) for quantity, parts in found.items()}

    return Cross(
        sources=by(lambda case: series(case.at.source)),
        accelerators=by(lambda case: case.at.hardware.accelerator.key),
    )


def _one_row(
    rows: Sequence[TrainingRow], shipped: Sequence[TrainingRow], catalog: Catalog
) -> tuple[OneRow, ...]:
    """Return, for each stack with a few rows, what one row of it teaches about the others.

    The fit has seen no row of the stack; then it learns one, and the others are predicted. Every
    row has its turn, up to `_TAUGHT` of them, evenly spread; the median over all turns counts.
    """
    found = []
    for stack in sorted({row.stack.key for row in rows}):
        some = fit_training.by_configuration([row for row in rows if row.stack.key == stack])
        if len(some) < 3:
            continue
        others = [row for row in shipped if row.stack.key != stack]
        known = from_rows("training", fit_training.by_configuration(others), catalog)
        turns = np.linspace(0, len(some) - 1, min(len(some), _TAUGHT)).astype(int)
        after = []
        for i in turns:
            taught = learned("training", [some[i]], catalog, known)
            rest = [row for j, row in enumerate(some) if j != i]
            after.append(errors_with("training", rest, catalog, taught))
        found.append(
            OneRow(
                stack=stack,
                rows=len(some),
                before_median_pct=_median(errors_with("training", some, catalog, known)),
                after_median_pct=_median(np.concatenate(after)),
            )
        )
    return tuple(found)


def _median(logs: Array) -> float:
    return 100.0 * float(np.median(np.abs(np.expm1(logs))))


def series(source: str) -> str:
    """Return a source without its release: rounds of one benchmark are left out together.

    >>> series("mlperf-v5.1"), series("trtllm_docs_v0.9"), series("torchtitan")
    ('mlperf', 'trtllm_docs', 'torchtitan')
    """
    return re.sub(r"[-_]v\d+(\.\d+)*$", "", source)


def _crossed(parts: Mapping[str, list[Point]], seen: set[str]) -> Crossed:
    points = [point for part in parts.values() for point in part]
    return Crossed(
        all=error_stats(points),
        dense=error_stats([p for p in points if not p.sparse]),
        moe=error_stats([p for p in points if p.sparse]),
        interval=interval(points),
        parts=tuple(
            LeftOut(name=name, refitted=name in seen, error=error_stats(part))
            for name, part in parts.items()
            if part
        ),
    )
