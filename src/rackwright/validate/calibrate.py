"""Fit the model's free parameters on measured rows, and say how well it then predicts them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rackwright.catalog import Catalog
from rackwright.records.base import Record
from rackwright.records.calibration import Calibration
from rackwright.records.errors import InputError
from rackwright.validate import fit_training
from rackwright.validate.fit import Posterior, Prior, narrowed, prior, robust_sd
from rackwright.validate.measured import TrainingRow
from rackwright.validate.resolve import Models
from rackwright.validate.scores import ErrorStats, stats_of
from rackwright.validate.table import open_table
from rackwright.validate.training import training_cases

Array = NDArray[np.float64]

FOLDS = 5
"""Parts of a user's rows that are left out in turn, to say how well the others predict them."""


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


def calibrate_training(
    path: Path | None, catalog: Catalog, models: Models | None = None
) -> Calibrated:
    """Return what the rows of a training table say of the parameters.

    Args:
        path: None: the public rows, fitted anew from what the catalog states; else a table of the
            user's own, which moves what the catalog's calibration says.
        catalog: what is known before, and the names in the table.
        models: shapes that go before the catalog's.

    Raises:
        InputError: the table cannot be read, or no row of it can be used.
    """
    table = open_table(path, "training")
    cases, refusals = training_cases(table, catalog, models or Models(catalog))
    rows = fit_training.by_configuration([case.at for case in cases])
    if not rows:
        raise InputError([f"{table.file}: no row is complete and clean: nothing to calibrate on"])
    sha256 = hashlib.sha256(Path(table.file).read_bytes()).hexdigest()
    known = None if path is None else training_of(catalog)
    earlier = errors_with(rows, catalog, training_of(catalog))
    before, after = fit_training.calibrate(rows, catalog, known)
    return Calibrated(
        calibration=record(before, after, rows, sha256, known),
        before=stats_of(earlier),
        after=stats_of(after.errors),
        left_out=None if path is None else _left_out(rows, catalog, known),
        changed=_changed(before, after),
        mistakes=tuple(refusals.mistakes),
    )


def training_of(catalog: Catalog) -> Calibration | None:
    """Return the catalog's calibration of training, None where it has none."""
    return next((c for c in catalog.calibrations() if c.kind == "training"), None)


def from_rows(rows: Sequence[TrainingRow], catalog: Catalog) -> Calibration:
    """Return what some rows say, with nothing known but what the catalog states."""
    before, after = fit_training.calibrate(rows, catalog)
    return record(before, after, rows, "", None)


def errors_with(rows: Sequence[TrainingRow], catalog: Catalog, known: Calibration | None) -> Array:
    """Return log(predicted / measured) of rows (N,) with a calibration, without a fit."""
    families = sorted({row.family for row in rows})
    before = prior(catalog, families, sorted({row.stack.key for row in rows}))
    if known is not None:
        before = narrowed(before, known)
    return fit_training.errors(rows, before)(before.medians)


def record(
    before: Prior,
    after: Posterior,
    rows: Sequence[TrainingRow],
    sha256: str,
    known: Calibration | None,
) -> Calibration:
    """Return a fit as a record; what it did not touch stays as it was known.

    A stack's factor carries what one configuration differs from its stack by, once.
    """
    residual = robust_sd(after.errors) if len(rows) > FOLDS or known is None else 0.0
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
        if name.endswith(".training.stack"):
            spread[i, i] = max(spread[i, i], residual**2 + after.log_covariance[i, i])
    return Calibration(
        kind="training",
        names=every,
        medians=tuple(float(f"{medians[name]:.6g}") for name in every),
        log_covariance=tuple(tuple(float(f"{x:.4g}") for x in row) for row in spread),
        residual_log_sd=float(f"{residual:.4g}"),
        rows=len(rows) + (known.rows if known is not None else 0),
        sources=tuple(sorted({*(known.sources if known else ()), *(row.source for row in rows)})),
        table_sha256=sha256,
    )


def _left_out(
    rows: Sequence[TrainingRow], catalog: Catalog, known: Calibration | None
) -> ErrorStats | None:
    """Return the errors of each fifth of the rows when the others are fitted."""
    if len(rows) < 2:
        return None
    found = []
    for fold in range(min(FOLDS, len(rows))):
        some = [row for i, row in enumerate(rows) if i % FOLDS == fold]
        others = [row for i, row in enumerate(rows) if i % FOLDS != fold]
        before, after = fit_training.calibrate(others, catalog, known)
        found.append(errors_with(some, catalog, record(before, after, others, "", known)))
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
