"""Fit the few free efficiencies on serving measurements, and say how well they then predict.

Run as `python -m rackwright.validate.first_fit DIR`, DIR holding the two measured tables. Prints
each parameter with its spread, errors by kind, and errors of rows that were left out: other
software, other models. The medians it prints are those in `catalog/efficiencies/`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rackwright.catalog import Catalog, load
from rackwright.design.parameters import draw
from rackwright.records.space import Parameters
from rackwright.validate import fit_serving
from rackwright.validate.fit import Free, fit, robust_sd, with_value
from rackwright.validate.fit_serving import FAMILIES
from rackwright.validate.measured import ServingRow, read_serving

Array = NDArray[np.float64]


def main(arguments: Sequence[str]) -> int:
    """Print the fit on the tables of one folder."""
    if len(arguments) != 1:
        print("usage: python -m rackwright.validate.first_fit DIR", file=sys.stderr)
        return 2
    folder, catalog = Path(arguments[0]), load()
    start = draw(catalog, FAMILIES, n=2)
    served = fit_serving.unqueued(read_serving(folder, catalog, FAMILIES, fit_serving.SERVED))
    parameters, spread = fit(start, fit_serving.FREE, fit_serving.errors(served), noise=0.15)
    factor = fit_serving.first_token(parameters, served)
    parameters = with_value(parameters, "common.serving.first_token_stack", factor)
    _print_fit("serving", fit_serving.FREE, parameters, spread)
    _print_errors(catalog, folder, parameters, served)
    return 0


def _print_fit(kind: str, free: Sequence[Free], found: Parameters, spread: Array) -> None:
    print(f"{kind}: fitted parameters (median, log sd)")
    nominal = dict(zip(found.names, found.nominal, strict=True))
    for f, sd in zip(free, spread, strict=True):
        print(f"  {f.name:44s} {nominal[f.name]:.4g}  {sd:.3f}")
    if kind == "serving":
        value = nominal["common.serving.first_token_stack"]
        print(f"  {'common.serving.first_token_stack':44s} {value:.4g}")


def _print_errors(
    catalog: Catalog, folder: Path, parameters: Parameters, served: Sequence[ServingRow]
) -> None:
    def serving_error(rows: Sequence[ServingRow]) -> Array:
        return fit_serving.errors(rows)(parameters)

    print("errors of time, |predicted / measured - 1|")
    for family in FAMILIES[:2]:
        rows = [row for row in served if row.family == family]
        _line(f"serving TPOT, {family}, in the fit", serving_error(rows))
    _line("serving TPOT, all in the fit", serving_error(served))
    everything = fit_serving.unqueued(read_serving(folder, catalog, FAMILIES, ()))
    left_out = [row for row in everything if row.model not in fit_serving.SERVED]
    _line("serving TPOT, other models, left out", serving_error(left_out))


def _line(label: str, errors: Array) -> None:
    size = np.abs(np.expm1(errors))
    print(
        f"  {label:46s} n {errors.size:4d}  median {100 * np.median(size):5.1f} %  "
        f"p90 {100 * np.quantile(size, 0.9):6.1f} %  log sd {robust_sd(errors):.3f}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
