"""Residuals of a table's rows by source: what the drawings of `docs/methods` show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from math import log
from pathlib import Path

from rackwright.catalog import Catalog
from rackwright.records.residuals import Residuals, SourceResiduals
from rackwright.validate.resolve import Models
from rackwright.validate.scores import Point, by_configuration
from rackwright.validate.serving import serving_cases, serving_parameters, serving_points
from rackwright.validate.table import open_table
from rackwright.validate.training import training_cases, training_parameters, training_points


def training_residuals(
    path: Path | None, catalog: Catalog, models: Models
) -> tuple[Residuals, ...]:
    """Return the residuals of step times; arguments as those of `score_training`."""
    cases, refusals = training_cases(open_table(path, "training"), catalog, models)
    points = training_points(cases, training_parameters(cases, catalog), refusals)
    return (_of("step time", by_configuration(points)),)


def serving_residuals(path: Path | None, catalog: Catalog, models: Models) -> tuple[Residuals, ...]:
    """Return those of output tokens, first tokens and throughput; as `score_serving`."""
    cases, refusals = serving_cases(open_table(path, "serving"), catalog, models)
    points = serving_points(cases, serving_parameters(cases, catalog), refusals)
    named = (
        ("time per output token", points.tpot),
        ("time to first token", points.ttft),
        ("offline throughput", points.throughput),
    )
    return tuple(_of(name, of) for name, of in named if of)


def _of(quantity: str, points: Sequence[Point]) -> Residuals:
    found: dict[str, list[float]] = defaultdict(list)
    for point in points:
        found[point.source].append(log(point.predicted / point.measured))
    return Residuals(
        quantity=quantity,
        sources=tuple(
            SourceResiduals(source=source, logs=tuple(sorted(found[source])))
            for source in sorted(found)
        ),
    )
