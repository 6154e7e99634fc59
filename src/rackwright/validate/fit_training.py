"""What is fitted on measured training steps, and on which rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.catalog import Catalog
from rackwright.design.numbers import compute_precision, machine_numbers, model_numbers
from rackwright.design.parameters import recipe_columns, training_recipe, training_switches
from rackwright.kernels.training import training_over_rows
from rackwright.records.calibration import Calibration
from rackwright.validate.fit import Errors, Index, Posterior, Prior, narrowed, posterior, prior
from rackwright.validate.measured import TrainingRow

Array = NDArray[np.float64]

NOISE = 0.08
"""Log standard deviation of a clean row that the model describes: what repeats show, and more."""

_SOURCE_WEIGHT = 30.0
"""Rows of a source beyond this many share its weight: no table outvotes all the others."""

_FIXED = ("matmul.", "memory", "scale_up", "scale_out", "training.exponentials_per_s")
"""Measured or physical: not fitted, save the shares at four bit, which nobody has published."""


class Numbers(NamedTuple):
    """Rows as the kernel reads them."""

    models: Array
    machines: Array
    sequences: Array
    plans: Array
    measured: Array


def calibrate(
    rows: Sequence[TrainingRow], catalog: Catalog, known: Calibration | None = None
) -> tuple[Prior, Posterior]:
    """Return the parameters before and after the rows.

    Args:
        rows: in the fit.
        catalog: what is known before.
        known: what an earlier fit on other rows has found, which narrows what is known.
    """
    families = sorted({row.family for row in rows})
    before = prior(catalog, families, sorted({row.stack.key for row in rows}))
    if known is not None:
        before = narrowed(before, known)
    used = columns(rows, before)
    free = [i for i in np.unique(used) if i >= 0 and is_free(before.names[i])]
    depends = np.zeros((len(rows), len(before.names) + 1), dtype=bool)
    np.put_along_axis(depends, used.reshape(len(rows), -1), True, axis=1)  # -1: none, the last
    solved = posterior(before, free, errors(rows, before), depends, NOISE, weights(rows))
    return before, solved


def is_free(name: str) -> bool:
    """Return whether a parameter is fitted."""
    entry = name.split(".", 1)[1]
    return entry == "matmul.fp4" or not entry.startswith(_FIXED)


def errors(rows: Sequence[TrainingRow], before: Prior) -> Errors:
    """Return the function that gives log(predicted / measured) of the rows."""
    n = numbers(rows)
    used = columns(rows, before)
    switches = np.array([training_switches(row.stack) for row in rows]).reshape(len(rows), -1)

    def at(values: Array, some: Index | None) -> Array:
        i = slice(None) if some is None else some
        each = np.append(values, 1.0)[used[i]].prod(axis=2)
        table = np.ascontiguousarray(np.hstack([each, switches[i]]))
        steps = training_over_rows(n.models[i], n.machines[i], table, n.sequences[i], n.plans[i])
        logs: Array = np.log(steps / n.measured[i])
        return logs

    return at


def numbers(rows: Sequence[TrainingRow]) -> Numbers:
    """Return the rows as arrays."""
    return Numbers(
        np.array([model_numbers(r.shape)._replace(mtp_layers=r.mtp_layers) for r in rows]),
        np.array([machine_numbers(r.hardware, r.precision, r.shape) for r in rows]),
        np.array([r.sequence for r in rows]),
        np.array([r.plan for r in rows]),
        np.array([r.step_s for r in rows]),
    )


def columns(rows: Sequence[TrainingRow], before: Prior) -> NDArray[np.int64]:
    """Return the parameters (N, fields, 2) whose product each efficiency of a row is; -1: one."""
    heirs = tuple(before.heirs)
    seen: dict[tuple[str, str, str], NDArray[np.int64]] = {}
    found = []
    for row in rows:
        at = compute_precision(row.hardware.accelerator, row.precision)
        key = (row.family, row.stack.key, at)
        if key not in seen:
            recipe = training_recipe(at, row.stack)
            got = recipe_columns(heirs, (row.stack.key, row.family), recipe)
            table = np.full((len(got), 2), -1)
            for i, entries in enumerate(got):
                for j, column in enumerate(entries):
                    table[i, j] = before.heirs[heirs[column]]
            seen[key] = table
        found.append(seen[key])
    return np.array(found)


def weights(rows: Sequence[TrainingRow]) -> Array:
    """Return the weight of each row: large sources are held down."""
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.source] = counts.get(row.source, 0) + 1
    return np.array([min(1.0, _SOURCE_WEIGHT / counts[row.source]) ** 0.5 for row in rows])


def by_configuration(rows: Sequence[TrainingRow]) -> list[TrainingRow]:
    """Return one row per configuration and stack: the median of its repeats.

    Of sparse models only the stack's latest release counts: their kernels were being written.
    """
    groups: dict[tuple[str, str], list[TrainingRow]] = {}
    for i, row in enumerate(rows):
        groups.setdefault((row.group or f"row {i}", row.stack.key), []).append(row)
    merged = []
    for group in groups.values():
        if group[0].shape.moe is not None:
            latest = max(row.release for row in group)
            group = [row for row in group if row.release == latest]
        step = float(np.median([row.step_s for row in group]))
        merged.append(group[0]._replace(step_s=step))
    return merged
