"""Fit the few free efficiencies on public measurements, and say how well they then predict.

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
from rackwright.validate import fit_serving, fit_training
from rackwright.validate.fit import Free, fit, robust_sd, with_value
from rackwright.validate.fit_training import FAMILIES, MEGATRON, by_configuration, held_bytes
from rackwright.validate.measured import ServingRow, TrainingRow, read_serving, read_training

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
    trained = by_configuration(read_training(folder, catalog, FAMILIES))
    megatron = [row for row in trained if row.source.startswith(MEGATRON)]
    megatron_errors = fit_training.errors(megatron)
    parameters, spread = fit(parameters, fit_training.FREE, megatron_errors, noise=0.10)
    _print_fit("training", fit_training.FREE, parameters, spread)
    _print_errors(catalog, folder, parameters, trained, served)
    _print_left_out(parameters, megatron)
    held = held_bytes(by_configuration(read_training(folder, catalog, (*FAMILIES, "Ampere"))))
    fits = sum(ours <= there for ours, there in held)
    print(f"published training plans that fit their memory by our count: {fits} of {len(held)}")
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
    catalog: Catalog,
    folder: Path,
    parameters: Parameters,
    trained: Sequence[TrainingRow],
    served: Sequence[ServingRow],
) -> None:
    def training_error(rows: Sequence[TrainingRow]) -> Array:
        return fit_training.errors(rows)(parameters)

    def serving_error(rows: Sequence[ServingRow]) -> Array:
        return fit_serving.errors(rows)(parameters)

    fitted = [row for row in trained if row.source.startswith(MEGATRON)]
    others = [row for row in trained if not row.source.startswith(MEGATRON)]
    print("errors of time, |predicted / measured - 1|")
    _line("training, dense, in the fit", training_error([r for r in fitted if not r.shape.moe]))
    _line("training, experts, in the fit", training_error([r for r in fitted if r.shape.moe]))
    _line("training, other software, left out", training_error(others))
    for family in FAMILIES[:2]:
        rows = [row for row in served if row.family == family]
        _line(f"serving TPOT, {family}, in the fit", serving_error(rows))
    _line("serving TPOT, all in the fit", serving_error(served))
    everything = fit_serving.unqueued(read_serving(folder, catalog, FAMILIES, ()))
    left_out = [row for row in everything if row.model not in fit_serving.SERVED]
    _line("serving TPOT, other models, left out", serving_error(left_out))


def _print_left_out(parameters: Parameters, rows: Sequence[TrainingRow]) -> None:
    """Fit without one source at a time and say how well its rows are then predicted."""
    for source in MEGATRON:
        kept = [row for row in rows if not row.source.startswith(source)]
        left = [row for row in rows if row.source.startswith(source)]
        found, _ = fit(parameters, fit_training.FREE, fit_training.errors(kept), noise=0.10)
        dense = fit_training.errors([r for r in left if not r.shape.moe])(found)
        _line(f"training, dense, {source} left out", dense)


def _line(label: str, errors: Array) -> None:
    size = np.abs(np.expm1(errors))
    print(
        f"  {label:46s} n {errors.size:4d}  median {100 * np.median(size):5.1f} %  "
        f"p90 {100 * np.quantile(size, 0.9):6.1f} %  log sd {robust_sd(errors):.3f}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
