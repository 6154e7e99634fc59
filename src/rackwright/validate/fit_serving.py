"""What is fitted on measured serving rows, and on which rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.catalog import Catalog
from rackwright.design.numbers import compute_precision, machine_numbers, model_numbers
from rackwright.design.parameters import YEAR, aged, recipe_columns, serving_recipe
from rackwright.kernels.numbers import MachineNumbers, ModelNumbers
from rackwright.kernels.serving_modes import measured_over_rows
from rackwright.records.calibration import Calibration
from rackwright.records.errors import RackwrightError
from rackwright.validate.fit import Errors, Index, Posterior, Prior, narrowed, posterior, prior
from rackwright.validate.served import asked
from rackwright.validate.serving import ServingCase, rate_of
from rackwright.validate.table import number

Array = NDArray[np.float64]

NOISE = {"tpot": 0.12, "ttft": 0.2, "throughput": 0.22}
"""Log standard deviation of a clean row that the model describes, by quantity."""

_GROUP_WEIGHT = 40.0
"""Rows of one source, engine, accelerator, model, precision and quantity beyond this many share
their weight: what the model misses about that configuration they all miss together."""

_FIXED = ("matmul.", "memory", "scale_up", "scale_out")
"""Measured shares in the catalog: not fitted, nor is what no row measures."""


_DOUBTED = ("doubtful", "WIP")
"""Words of a source's own warning: such rows are scored, and teach nothing."""


class Measured(NamedTuple):
    """One quantity of one row: which row, which quantity, what was measured, its weight."""

    row: int
    quantity: str
    value: float
    weight: float


class Rows(NamedTuple):
    """Rows as the kernel reads them, and what was measured of each."""

    cases: tuple[ServingCase, ...]
    models: Array
    machines: Array
    asked: Array
    measured: tuple[Measured, ...]


def rows_of(cases: Sequence[ServingCase]) -> Rows:
    """Return the cases that can be predicted and trusted, with each measured quantity."""
    kept, models, machines, columns = [], [], [], []
    for case in cases:
        if any(word in case.cells["flags"] for word in _DOUBTED):
            continue
        m, h = (
            model_numbers(case.at.shape),
            machine_numbers(case.at.hardware, case.at.precision, case.at.shape),
        )
        try:
            columns.append(asked(case.cells, case.at, m, h))
        except RackwrightError:
            continue
        kept.append(case)
        models.append(m)
        machines.append(h)
    found = [(i, *pair) for i, case in enumerate(kept) for pair in _quantities(case)]
    counts = Counter(_group(kept[i], quantity) for i, quantity, _ in found)
    measured = tuple(
        Measured(i, q, value, min(1.0, _GROUP_WEIGHT / counts[_group(kept[i], q)]) ** 0.5)
        for i, q, value in found
    )
    return Rows(tuple(kept), np.array(models), np.array(machines), np.array(columns), measured)


def calibrate(
    rows: Rows, catalog: Catalog, known: Calibration | None = None
) -> tuple[Prior, Posterior]:
    """Return the parameters before and after the rows; arguments as of `fit_training.calibrate`."""
    before = before_of(rows, catalog, known)
    used = np.unique(columns_of(rows, before))
    free = [int(i) for i in used if i >= 0 and is_free(before.names[i])]
    scale = np.array([m.weight * NOISE["tpot"] / NOISE[m.quantity] for m in rows.measured])
    by_row = columns_of(rows, before).reshape(len(rows.cases), -1)
    depends = np.zeros((len(rows.measured), len(before.names) + 1), dtype=bool)
    np.put_along_axis(depends, by_row[[m.row for m in rows.measured]], True, axis=1)
    after = posterior(
        before, free, errors(rows, before), depends, NOISE["tpot"], scale, loss="cauchy"
    )
    tokens = np.array([m.quantity != "ttft" for m in rows.measured])
    return before, after._replace(judged=after.errors[tokens] if tokens.any() else after.errors)


def before_of(rows: Rows, catalog: Catalog, known: Calibration | None) -> Prior:
    """Return what is known of the parameters that the rows use."""
    families = sorted({case.at.family for case in rows.cases})
    before = prior(catalog, families, sorted({case.at.engine.key for case in rows.cases}))
    return before if known is None else narrowed(before, known)


def is_free(name: str) -> bool:
    """Return whether a parameter is fitted."""
    return not name.split(".", 1)[1].startswith(_FIXED)


def errors(rows: Rows, before: Prior) -> Errors:
    """Return the function that gives log(predicted / measured) of each measured quantity."""
    used, ages = columns_of(rows, before), np.array([case.at.age_years for case in rows.cases])
    which = np.array([m.row for m in rows.measured])
    column = np.array([0 if m.quantity == "tpot" else 1 for m in rows.measured])
    value = np.array([m.value for m in rows.measured])
    is_rate = np.array([m.quantity == "throughput" for m in rows.measured])

    def at(values: Array, some: Index | None) -> Array:
        picked = np.arange(which.size) if some is None else some
        those, place = np.unique(which[picked], return_inverse=True)
        each = aged(np.append(values, 1.0)[used[those]].prod(axis=2), ages[those])
        times = measured_over_rows(
            rows.models[those], rows.machines[those], each, rows.asked[those]
        )
        predicted = times[place, column[picked]]
        for k in np.flatnonzero(is_rate[picked]):
            predicted[k] = _rate(rows, int(which[picked[k]]), times[place[k]])
        logs: Array = np.log(np.clip(predicted / value[picked], 1e-6, 1e6))
        return logs

    return at


def columns_of(rows: Rows, before: Prior) -> NDArray[np.int64]:
    """Return the parameters (N, fields + 1, K) whose product each efficiency of a row is.

    -1 stands for one; the last field is the factor per year of age, one where a row has none.
    """
    heirs = tuple(before.heirs)
    seen: dict[tuple[str, str, str, bool], NDArray[np.int64]] = {}
    found = []
    for case in rows.cases:
        at = compute_precision(case.at.hardware.accelerator, case.at.precision)
        key = (case.at.family, case.at.engine.key, at, case.at.age_years > 0.0)
        if key not in seen:
            recipe = {**serving_recipe(at), "year": (YEAR,) * key[3]}
            got = recipe_columns(heirs, (key[1], key[0]), recipe)
            table = np.full((len(got), max(len(entries) for entries in got)), -1)
            for i, entries in enumerate(got):
                for j, column in enumerate(entries):
                    table[i, j] = before.heirs[heirs[column]]
            seen[key] = table
        found.append(seen[key])
    wide = max((table.shape[1] for table in found), default=1)
    pad = [np.pad(t, ((0, 0), (0, wide - t.shape[1])), constant_values=-1) for t in found]
    return np.array(pad)


def _group(case: ServingCase, quantity: str) -> tuple[str, ...]:
    at, mode = case.at, case.cells["mode"]
    key = at.hardware.accelerator.key
    return (at.source, at.engine.key, key, at.model, at.precision, mode, quantity)


def _quantities(case: ServingCase) -> list[tuple[str, float]]:
    cells, found = case.cells, []
    if cells["tpot_ms"]:
        found.append(("tpot", float(cells["tpot_ms"]) / 1e3))
    if cells["ttft_ms"]:
        found.append(("ttft", float(cells["ttft_ms"]) / 1e3))
    rate = number(cells, "out_tok_s", 0.0)
    rate = rate or number(cells, "out_tok_s_per_accel", 0.0) * case.at.hardware.accelerators
    if rate > 0.0 and cells["mode"] == "agg-offline":
        found.append(("throughput", rate))
    return found


def _rate(rows: Rows, i: int, pair: Array) -> float:
    m, h = ModelNumbers(*rows.models[i]), MachineNumbers(*rows.machines[i])
    return float(rate_of(rows.asked[i], rows.cases[i].at, m, h, pair[None, :])[0])
