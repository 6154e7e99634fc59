"""Fit the model's free parameters on measured rows, and say how well it then predicts them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rackwright.catalog import Catalog
from rackwright.records.base import Record
from rackwright.records.calibration import Calibration
from rackwright.records.errors import InputError
from rackwright.validate import fit_serving, fit_training
from rackwright.validate.fit import Posterior, Prior, narrowed, prior, robust_sd
from rackwright.validate.measured import TrainingRow
from rackwright.validate.resolve import Models, Refusals
from rackwright.validate.scores import ErrorStats, stats_of
from rackwright.validate.serving import ServingCase, serving_cases
from rackwright.validate.table import Table, open_table
from rackwright.validate.training import training_cases

Array = NDArray[np.float64]
Kind = Literal["training", "serving"]
Rows = Sequence[TrainingRow | ServingCase]

FOLDS = 5
"""Parts of a user's rows that are left out in turn, to say how well the others predict them."""

_CARRIES = {"training": ".training.stack", "serving": ".serving.engine.stack"}
"""The factor that carries what one configuration differs from its software by."""


class Changed(Record):
    """A parameter that the rows moved."""

    name: str
    before: float
    after: float
    log_sd_before: float
    log_sd_after: float


class Calibrated(Record):
    """A calibration with the errors of its rows before it, after it, and left out in turn."""

    calibration: Calibration
    before: ErrorStats
    after: ErrorStats
    left_out: ErrorStats | None
    changed: tuple[Changed, ...]
    mistakes: tuple[str, ...]


def calibrate(
    kind: Kind, path: Path | None, catalog: Catalog, models: Models | None = None
) -> Calibrated:
    """Return what the rows of a table say of the parameters.

    Args:
        kind: of the table.
        path: None: the public rows, fitted anew from what the catalog states; else a table of the
            user's own, which moves what the catalog's calibration says.
        catalog: what is known before, and the names in the table.
        models: shapes that go before the catalog's.

    Raises:
        InputError: the table cannot be read, or no row of it can be used.
    """
    table = open_table(path, kind)
    rows, refusals = _rows(kind, table, catalog, models or Models(catalog))
    if not rows:
        raise InputError([f"{table.file}: no row is complete and clean: nothing to calibrate on"])
    shipped = known_of(kind, catalog)
    known = None if path is None else shipped
    before, after = _fit(kind, rows, catalog, known)
    sha256 = hashlib.sha256(Path(table.file).read_bytes()).hexdigest()
    return Calibrated(
        calibration=record(kind, before, after, rows, sha256, known),
        before=stats_of(errors_with(kind, rows, catalog, shipped)),
        after=stats_of(after.errors),
        left_out=None if path is None else _left_out(kind, rows, catalog, known),
        changed=_changed(before, after),
        mistakes=tuple(refusals.mistakes),
    )


def known_of(kind: Kind, catalog: Catalog) -> Calibration | None:
    """Return the catalog's calibration of a kind, None where it has none."""
    return next((c for c in catalog.calibrations() if c.kind == kind), None)


def from_rows(kind: Kind, rows: Rows, catalog: Catalog) -> Calibration:
    """Return what some rows say, with nothing known but what the catalog states."""
    before, after = _fit(kind, rows, catalog, None)
    return record(kind, before, after, rows, "", None)


def learned(
    kind: Kind,
    rows: Rows,
    catalog: Catalog,
    known: Calibration,
) -> Calibration:
    """Return what is known after some more rows."""
    before, after = _fit(kind, rows, catalog, known)
    return record(kind, before, after, rows, "", known)


def errors_with(
    kind: Kind,
    rows: Rows,
    catalog: Catalog,
    known: Calibration | None,
) -> Array:
    """Return log(predicted / measured) of the rows' quantities as a calibration predicts them."""
    if kind == "serving":
        arrays = fit_serving.rows_of([r for r in rows if isinstance(r, ServingCase)])
        before = fit_serving.before_of(arrays, catalog, known)
        return fit_serving.errors(arrays, before)(before.medians, None)
    trained = [r for r in rows if isinstance(r, TrainingRow)]
    families = sorted({row.family for row in trained})
    before = prior(catalog, families, sorted({row.stack.key for row in trained}))
    if known is not None:
        before = narrowed(before, known)
    return fit_training.errors(trained, before)(before.medians, None)


def _fit(
    kind: Kind,
    rows: Rows,
    catalog: Catalog,
    known: Calibration | None,
) -> tuple[Prior, Posterior]:
    if kind == "serving":
        arrays = fit_serving.rows_of([r for r in rows if isinstance(r, ServingCase)])
        return fit_serving.calibrate(arrays, catalog, known)
    trained = [r for r in rows if isinstance(r, TrainingRow)]
    return fit_training.calibrate(trained, catalog, known)


def _rows(kind: Kind, table: Table, catalog: Catalog, models: Models) -> tuple[Rows, Refusals]:
    if kind == "serving":
        return serving_cases(table, catalog, models)
    cases, refusals = training_cases(table, catalog, models)
    return fit_training.by_configuration([case.at for case in cases]), refusals


def record(
    kind: Kind,
    before: Prior,
    after: Posterior,
    rows: Rows,
    sha256: str,
    known: Calibration | None,
) -> Calibration:
    """Return a fit as a record; what it did not touch stays as it was known.

    A software's factor carries what one configuration differs from it by, once.
    """
    residual = robust_sd(after.judged) if len(rows) > FOLDS or known is None else 0.0
    residual = max(residual, known.residual_log_sd) if known is not None else residual
    names = [before.names[i] for i in after.free]
    medians = {name: after.values[i] for name, i in zip(names, after.free, strict=True)}
    kept = [n for n in (known.names if known is not None else ()) if n not in medians]
    every = (*names, *kept)
    spread = np.zeros((len(every), len(every)))
    spread[: len(names), : len(names)] = after.log_covariance
    if known is not None:
        there = [known.names.index(n) for n in kept]
        old = np.array(known.log_covariance)
        spread[len(names) :, len(names) :] = old[np.ix_(there, there)]
        medians |= {n: known.medians[known.names.index(n)] for n in kept}
    for i, name in enumerate(names):
        if name.endswith(_CARRIES[kind]):
            spread[i, i] = max(spread[i, i], residual**2 + after.log_covariance[i, i])
    sources = {r.source if isinstance(r, TrainingRow) else r.at.source for r in rows}
    return Calibration(
        kind=kind,
        names=every,
        medians=tuple(float(f"{medians[name]:.6g}") for name in every),
        log_covariance=tuple(tuple(float(f"{x:.4g}") for x in row) for row in spread),
        residual_log_sd=float(f"{residual:.4g}"),
        rows=len(rows) + (known.rows if known is not None else 0),
        sources=tuple(sorted({*(known.sources if known else ()), *sources})),
        table_sha256=sha256,
    )


def _left_out(
    kind: Kind,
    rows: Rows,
    catalog: Catalog,
    known: Calibration | None,
) -> ErrorStats | None:
    """Return the errors of each fifth of the rows when the others are fitted."""
    if len(rows) < 2 or known is None:
        return None
    found = []
    for fold in range(min(FOLDS, len(rows))):
        others = [row for i, row in enumerate(rows) if i % FOLDS != fold]
        some = [row for i, row in enumerate(rows) if i % FOLDS == fold]
        found.append(errors_with(kind, some, catalog, learned(kind, others, catalog, known)))
    return stats_of(np.concatenate(found))


def _changed(before: Prior, after: Posterior) -> tuple[Changed, ...]:
    """Return the parameters that moved by more than a tenth of what they were uncertain by."""
    found = []
    for i, column in enumerate(after.free):
        was, now = before.medians[column], after.values[column]
        sd = float(np.sqrt(before.log_covariance[column, column]))
        if abs(np.log(now / was)) > 0.1 * sd:
            found.append(
                Changed(
                    name=before.names[column],
                    before=float(was),
                    after=float(now),
                    log_sd_before=sd,
                    log_sd_after=float(np.sqrt(after.log_covariance[i, i])),
                )
            )
    return tuple(found)
