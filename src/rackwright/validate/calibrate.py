"""Fit the free parameters on measured rows, and write down what the fit says.

python -m rackwright.validate.calibrate training FILE
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rackwright.catalog import Catalog, load
from rackwright.records.calibration import Calibration
from rackwright.validate import fit_training
from rackwright.validate.fit import robust_sd
from rackwright.validate.measured import TrainingRow
from rackwright.validate.resolve import Models
from rackwright.validate.table import open_table
from rackwright.validate.training import training_cases


def calibrate_training(
    path: Path | None, catalog: Catalog, models: Models | None = None
) -> Calibration:
    """Return what the rows of a training table say of the parameters.

    Args:
        path: the table, or the folder that holds it; None: the shipped one.
        catalog: what is known before, and the names in the table.
        models: shapes that go before the catalog's.
    """
    table = open_table(path, "training")
    cases, _ = training_cases(table, catalog, models or Models(catalog))
    rows = fit_training.by_configuration([case.at for case in cases])
    return from_rows(rows, catalog, hashlib.sha256(Path(table.file).read_bytes()).hexdigest())


def from_rows(rows: Sequence[TrainingRow], catalog: Catalog, sha256: str) -> Calibration:
    """Return what some rows say; the residual is that of the rows that were fitted."""
    before, after = fit_training.calibrate(rows, catalog)
    residual = robust_sd(after.errors)
    covariance = after.log_covariance.copy()
    for i, column in enumerate(after.free):
        if before.names[column].endswith(".training.stack"):
            covariance[i, i] += residual**2  # what one configuration differs from its stack by
    return Calibration(
        kind="training",
        names=tuple(before.names[i] for i in after.free),
        medians=tuple(float(f"{after.values[i]:.6g}") for i in after.free),
        log_covariance=tuple(tuple(float(f"{x:.4g}") for x in row) for row in covariance),
        residual_log_sd=float(f"{residual:.4g}"),
        rows=len(rows),
        sources=tuple(sorted({row.source for row in rows})),
        table_sha256=sha256,
    )


def main(arguments: Sequence[str]) -> int:
    """Write the calibration of the shipped table to a file."""
    if len(arguments) != 2 or arguments[0] != "training":
        print("usage: python -m rackwright.validate.calibrate training FILE", file=sys.stderr)
        return 2
    found = calibrate_training(None, load())
    Path(arguments[1]).write_text(found.model_dump_json(indent=1) + "\n", encoding="utf-8")
    spread = np.sqrt(np.diag(np.array(found.log_covariance)))
    for name, median, sd in zip(found.names, found.medians, spread, strict=True):
        print(f"{name:48s} {median:10.4g}  log sd {sd:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
