"""Score the training model on a table: step times, their intervals, the plans it would choose."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.catalog import Catalog
from rackwright.design.numbers import compute_precision, machine_numbers, model_numbers
from rackwright.design.parameters import draw, training_efficiencies
from rackwright.kernels.memory import training_bytes
from rackwright.kernels.training import PLAN, training_over_draws
from rackwright.records.base import Record
from rackwright.records.calibration import Calibration
from rackwright.records.errors import InputError, RackwrightError
from rackwright.records.model import ModelShape
from rackwright.records.rates import SoftwareStack
from rackwright.records.space import Parameters
from rackwright.validate.measured import (
    TrainingRow,
    known_accelerator,
    precision_of,
    shape_of,
    step_seconds_of,
    training_row,
)
from rackwright.validate.regret import PlanRegret, Tried, plan_regret
from rackwright.validate.resolve import (
    Models,
    NoDataError,
    Refusals,
    Refused,
    UnsupportedError,
    beside,
)
from rackwright.validate.scores import (
    Errors,
    Interval,
    Point,
    by_configuration,
    needs_reference,
    scores,
)
from rackwright.validate.table import Row, Table, number, open_table, place, wrong_cells

Array = NDArray[np.float64]

_DIMENSIONS = ("layers", "hidden", "heads", "head_dim", "vocab")
_FAITHFUL = ("dense", "moe", "moe_mla")
"""Architectures that the columns describe whole; of others the catalog must have the shape."""


class MemoryFit(Record):
    """Of plans that ran, how many our count of memory lets run."""

    plans: int
    fit: int


class TrainingScore(Record):
    """How well step times are predicted on one table."""

    rows: int
    scored: int
    refused: Refused
    error: Errors
    interval: Interval
    plan_regret: PlanRegret
    memory: MemoryFit
    mistakes: tuple[str, ...]


class TrainingCase(NamedTuple):
    """A row of the table that can be scored, with what it says about itself."""

    row_id: str
    cells: Row
    at: TrainingRow


def score_training(
    path: Path | None, catalog: Catalog, models: Models | None = None
) -> TrainingScore:
    """Return how well step times of a table are predicted.

    Args:
        path: the table, or the folder that holds it; None: the shipped one.
        catalog: names of accelerators and models, and the efficiencies.
        models: shapes that go before the catalog's.

    Raises:
        InputError: the table cannot be read.
    """
    table = open_table(path, "training")
    cases, refusals = training_cases(table, catalog, models or Models(catalog))
    points = training_points(cases, training_parameters(cases, catalog), refusals)
    measured = {p.row_id for p in points}
    merged = by_configuration(points)
    reference = _reference(catalog) if needs_reference(merged) else ()
    got = scores(merged, reference)
    tried = _tried([c for c in cases if c.row_id in measured], points)
    return TrainingScore(
        rows=len(table.rows),
        scored=len(points),
        refused=refusals.record(),
        error=got.error,
        interval=got.interval,
        plan_regret=plan_regret(tried),
        memory=_memory_fit([c for c in cases if c.row_id in {p.row_id for p in merged}]),
        mistakes=tuple(refusals.mistakes),
    )


def training_cases(
    table: Table, catalog: Catalog, models: Models
) -> tuple[list[TrainingCase], Refusals]:
    """Return the rows that can be scored, and the count of the others by reason."""
    cases, refusals = [], Refusals()
    for i, row in enumerate(table.rows):
        wrong = wrong_cells(table, row) or _contradictions(row, catalog)
        if wrong:
            refusals.wrong(place(table, i), wrong)
            continue
        try:
            cases.append(_case(row, catalog, models))
        except RackwrightError as error:
            refusals.refuse(error)
    return cases, refusals


def training_parameters(
    cases: Sequence[TrainingCase],
    catalog: Catalog,
    calibrations: Sequence[Calibration] | None = None,
) -> Parameters:
    """Return the draws of every chip family and stack in the cases; None: what ships."""
    families = {case.at.family for case in cases}
    stacks = {case.at.stack.key for case in cases}
    return draw(catalog, families, stacks=stacks, calibrations=calibrations)


def training_points(
    cases: Sequence[TrainingCase], parameters: Parameters, refusals: Refusals
) -> list[Point]:
    """Return measured and predicted step times; a row without arithmetic rates is refused."""
    seen: dict[tuple[str, str, str], Array] = {}

    def worlds(family: str, precision: str, stack: SoftwareStack) -> Array:
        key = (family, precision, stack.key)
        if key not in seen:
            nominal, draws, _ = training_efficiencies(parameters, family, precision, stack)
            seen[key] = np.vstack([np.array(nominal)[None, :], draws])
        return seen[key]

    points = []
    for case in cases:
        row = case.at
        try:
            at = compute_precision(row.hardware.accelerator, row.precision)
        except InputError as error:
            refusals.refuse(UnsupportedError(str(error)))
            continue
        sparse = row.shape.moe is not None
        m = model_numbers(row.shape)._replace(mtp_layers=row.mtp_layers)
        h = machine_numbers(row.hardware, row.precision, row.shape)
        e = worlds(row.family, at, row.stack)
        steps = training_over_draws(m, h, e, row.sequence, row.plan)
        if not np.all(np.isfinite(steps) & (steps > 0.0)):
            refusals.refuse(UnsupportedError("the model gives no finite time"))
            continue
        points.append(
            Point(
                row_id=case.row_id,
                source=row.source,
                accelerator=row.hardware.accelerator.key,
                model=case.cells["model"],
                sparse=sparse,
                group=row.group,
                release=row.release,
                measured=row.step_s,
                predicted=float(steps[0]),
                draws=steps[1:],
            )
        )
    return points


def _memory_fit(cases: Sequence[TrainingCase]) -> MemoryFit:
    """Return how many plans hold no more than their accelerator's memory by our count."""
    fit = 0
    for case in cases:
        row, plan = case.at, case.at.plan
        m = model_numbers(row.shape)._replace(mtp_layers=row.mtp_layers)
        h = machine_numbers(row.hardware, row.precision, row.shape)
        tokens = plan[PLAN.index("micro_batch")] * row.sequence / plan[PLAN.index("context")]
        fit += training_bytes(m, plan, tokens, h.activation_bytes) <= h.memory_bytes
    return MemoryFit(plans=len(cases), fit=fit)


def _case(row: Row, catalog: Catalog, models: Models) -> TrainingCase:
    if row["config_complete"] != "1":
        raise NoDataError("the source does not state the whole configuration")
    if row["quality"]:
        raise NoDataError(f"not a clean measurement: {row['quality']}")
    absent = [name for name in ("n_acc", "seq", "gbs", "tp", "pp", "precision") if not row[name]]
    if absent:
        raise NoDataError(f"blank: {', '.join(absent)}")
    if step_seconds_of(row) == 0.0:
        raise NoDataError("no time: neither step_time_s nor tokens_per_s_per_acc")
    if precision_of(row["precision"]) is None:
        raise UnsupportedError(f"precision {row['precision']}")
    if row["offload"] not in ("", "none"):
        raise UnsupportedError(f"offload {row['offload']}")
    accelerator = known_accelerator(row["accelerator"], catalog)
    assert accelerator is not None, "unknown accelerators were told as mistakes"
    at = training_row(row, accelerator, _shape(row, models), catalog)
    return TrainingCase(row["row_id"], row, at)


def _shape(row: Row, models: Models) -> ModelShape:
    """Return the shape of the row's own columns, else that of its name."""
    sized = row["ffn"] or row["moe_ffn"]
    if row["arch"] in _FAITHFUL and sized and all(row[name] for name in _DIMENSIONS):
        try:
            return shape_of(row)
        except ValueError as error:
            raise UnsupportedError(f"dimensions: {_first(error)}") from None
    named = models.get(row["model"])
    if named is None:
        raise NoDataError(f"no dimensions in the row, and no model named {row['model']!r}")
    return named


def _contradictions(row: Row, catalog: Catalog) -> tuple[str, ...]:
    """Return the contradictions between cells that are all numbers."""
    found = []
    sizes = ("tp", "pp", "cp", "dp")
    if row["n_acc"] and all(row[name] for name in ("tp", "pp")):
        split = [int(number(row, name)) for name in sizes]
        product, count = int(np.prod(split)), int(float(row["n_acc"]))
        if row["dp"] and product != count:
            said = " × ".join(f"{n} {v}" for n, v in zip(sizes, split, strict=True))
            found.append(f"column n_acc: found {count}, but {said} = {product}")
        elif not row["dp"] and count % product:
            found.append(f"column n_acc: found {count}, not a multiple of tp × pp × cp = {product}")
    together = int(number(row, "tp") * number(row, "cp") * number(row, "dp"))
    clean = not row["quality"]  # a row that its source warns about is not used, whatever it says
    if clean and row["dp"] and number(row, "ep") > together:
        found.append(f"column ep: found {row['ep']}, more than tp × cp × dp = {together}")
    sequences = int(number(row, "dp") * number(row, "mbs"))
    if row["dp"] and row["mbs"] and row["gbs"] and int(float(row["gbs"])) % sequences:
        found.append(f"column gbs: found {row['gbs']}, not a multiple of dp × mbs = {sequences}")
    if row["layers"] and number(row, "pp") > float(row["layers"]):
        found.append(f"column pp: found {row['pp']}, more stages than layers = {row['layers']}")
    if known_accelerator(row["accelerator"], catalog) is None:
        found.append(f"column accelerator: {beside(catalog, row['accelerator'])}")
    if row["config_complete"] not in ("0", "1"):
        found.append(f"column config_complete: found {row['config_complete']!r}, allowed: 0, 1")
    return tuple(found)


def _tried(cases: Sequence[TrainingCase], points: Sequence[Point]) -> list[Tried]:
    """Return every plan that was tried for one model on one machine, as regret needs it."""
    same = ("source_id", "model", "accelerator", "n_acc", "gbs", "seq", "precision", "software")
    return [
        Tried(
            case.cells["model"],
            tuple(case.cells[name] for name in same),
            tuple(case.at.plan.tolist()),
            point.measured,
            point.predicted,
        )
        for case, point in zip(cases, points, strict=True)
    ]


@lru_cache(maxsize=1)
def _reference(catalog: Catalog) -> list[Point]:
    cases, refusals = training_cases(open_table(None, "training"), catalog, Models(catalog))
    return by_configuration(training_points(cases, training_parameters(cases, catalog), refusals))


def _first(error: ValueError) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return next((line for line in lines if line.startswith("Value error")), lines[0])
