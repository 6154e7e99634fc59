"""Score the serving model on a table: TPOT, TTFT, offline throughput, layouts it would choose."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.catalog import Catalog
from rackwright.design.numbers import compute_precision, machine_numbers, model_numbers
from rackwright.design.parameters import draw, serving_efficiencies
from rackwright.kernels.numbers import MachineNumbers, ModelNumbers
from rackwright.kernels.serving_modes import POOLS, QUEUED, measured_over_draws, running_at_most
from rackwright.records.base import Record
from rackwright.records.calibration import Calibration
from rackwright.records.errors import RackwrightError
from rackwright.records.model import ModelShape
from rackwright.records.space import Parameters
from rackwright.validate.measured import (
    ServingRow,
    known_accelerator,
    precision_of,
    serving_row,
)
from rackwright.validate.resolve import (
    Models,
    NoDataError,
    Refusals,
    Refused,
    UnsupportedError,
    beside,
)
from rackwright.validate.scores import Point, Scores, needs_reference, scores
from rackwright.validate.served import MODES, asked, replicas, tokens_per_s
from rackwright.validate.table import Row, Table, number, open_table, place, wrong_cells

Array = NDArray[np.float64]

WITHIN_PCT = 5.0
QUANTITIES = ("tpot", "ttft", "throughput")


class LayoutChoice(Record):
    """Of groups measured with several layouts, how often the chosen one is near the best."""

    groups: int
    within_5pct_pct: float | None = None


class ServingScore(Record):
    """How well serving is predicted on one table."""

    rows: int
    scored: int
    refused: Refused
    tpot: Scores
    ttft: Scores
    throughput: Scores
    layout_choice: LayoutChoice
    mistakes: tuple[str, ...]


class ServingCase(NamedTuple):
    """A row of the table that may be scored."""

    cells: Row
    at: ServingRow


class ServingPoints(NamedTuple):
    """Points of each quantity; `tried` are the rows whose layouts can be compared."""

    tpot: list[Point]
    ttft: list[Point]
    throughput: list[Point]
    tried: list[tuple[tuple[str, ...], tuple[str, ...], float, float]]
    scored: int


def score_serving(
    path: Path | None, catalog: Catalog, models: Models | None = None
) -> ServingScore:
    """Return how well TPOT, TTFT and offline throughput of a table are predicted.

    Args:
        path: the table, or the folder that holds it; None: the shipped one.
        catalog: names of accelerators and models, and the efficiencies.
        models: shapes that go before the catalog's.

    Raises:
        InputError: the table cannot be read.
    """
    table = open_table(path, "serving")
    cases, refusals = serving_cases(table, catalog, models or Models(catalog))
    points = serving_points(cases, serving_parameters(cases, catalog), refusals)
    others: Sequence[Sequence[Point]] = ((), (), ())
    if any(needs_reference(quantity) for quantity in points[:3]):
        others = _reference(catalog)[:3]
    return ServingScore(
        rows=len(table.rows),
        scored=points.scored,
        refused=refusals.record(),
        tpot=scores(points.tpot, others[0]),
        ttft=scores(points.ttft, others[1]),
        throughput=scores(points.throughput, others[2]),
        layout_choice=layout_choice(points.tried),
        mistakes=tuple(refusals.mistakes),
    )


def serving_cases(
    table: Table, catalog: Catalog, models: Models
) -> tuple[list[ServingCase], Refusals]:
    """Return the rows that may be scored, and the count of the others by reason."""
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


def serving_parameters(
    cases: Sequence[ServingCase],
    catalog: Catalog,
    calibrations: Sequence[Calibration] | None = None,
) -> Parameters:
    """Return the draws of every chip family and engine in the cases; None: what the catalog has."""
    families = {case.at.family for case in cases}
    engines = {case.at.engine.key for case in cases}
    return draw(catalog, families, stacks=engines, calibrations=calibrations)


def serving_points(
    cases: Sequence[ServingCase], parameters: Parameters, refusals: Refusals
) -> ServingPoints:
    """Return measured and predicted quantities; what cannot be predicted is refused."""
    seen: dict[tuple[str, str, str, float], Array] = {}

    def worlds(row: ServingRow, precision: str) -> Array:
        key = (row.family, precision, row.engine.key, row.age_years)
        if key not in seen:
            nominal, draws, _ = serving_efficiencies(
                parameters, row.family, precision, row.engine, row.age_years
            )
            seen[key] = np.vstack([np.array(nominal)[None, :], draws])
        return seen[key]

    counts: dict[int, ModelNumbers] = {}
    out = ServingPoints([], [], [], [], 0)
    scored = 0
    for cells, row in cases:
        if id(row.shape) not in counts:
            counts[id(row.shape)] = model_numbers(row.shape)
        try:
            at = compute_precision(row.hardware.accelerator, row.precision)
            h = machine_numbers(row.hardware, row.precision, row.shape)
            m = counts[id(row.shape)]
            columns = asked(cells, row, m, h)
            predicted = _predict(columns, row, m, h, worlds(row, at))
        except NoDataError as error:
            refusals.refuse(error)
            continue
        except RackwrightError as error:
            refusals.refuse(UnsupportedError(str(error)))
            continue
        scored += 1
        _keep(out, cells, row, predicted)
    return out._replace(scored=scored)


class Predicted(NamedTuple):
    """Predictions (1 + S,): seconds, and output tokens per second of all accelerators."""

    tpot_s: Array
    ttft_s: Array
    tokens_per_s: Array


def _predict(
    columns: Array, row: ServingRow, m: ModelNumbers, h: MachineNumbers, worlds: Array
) -> Predicted:
    pair = measured_over_draws(m, h, worlds, columns)
    if not np.all(np.isfinite(pair) & (pair > 0.0)):
        raise UnsupportedError("the model gives no finite time")
    return Predicted(pair[:, 0], pair[:, 1], rate_of(columns, row, m, h, pair))


def rate_of(
    columns: Array, row: ServingRow, m: ModelNumbers, h: MachineNumbers, pair: Array
) -> Array:
    """Return output tokens per second of all accelerators of a row (S,), from its times (S, 2)."""
    running = columns[3]
    if columns[0] == QUEUED:
        running = running_at_most(m, h, columns[6:11], columns[1], columns[2], columns[4])
    return tokens_per_s(columns, pair, running, 1.0 if columns[0] == POOLS else replicas(row))


def layout_choice(
    tried: Sequence[tuple[tuple[str, ...], tuple[str, ...], float, float]],
) -> LayoutChoice:
    """Return how often the layout with the best predicted rate measured within 5 % of the best.

    Args:
        tried: (what is equal, layout, measured rate, predicted rate) of each row. A group is
            several layouts for one model, load, engine and number of accelerators.
    """
    groups: dict[tuple[str, ...], list[tuple[tuple[str, ...], float, float]]] = {}
    for same, layout, measured, predicted in tried:
        groups.setdefault(same, []).append((layout, measured, predicted))
    several = [g for g in groups.values() if len({layout for layout, _, _ in g}) > 1]
    near = 0
    for group in several:
        chosen = max(group, key=lambda one: one[2])
        near += chosen[1] >= (1.0 - WITHIN_PCT / 100.0) * max(one[1] for one in group)
    within = 100.0 * near / len(several) if several else None
    return LayoutChoice(groups=len(several), within_5pct_pct=within)


def _case(row: Row, catalog: Catalog, models: Models) -> ServingCase:
    """Return a row as the model reads it, or why it cannot be."""
    if row["mode"].startswith("mlperf-"):
        raise NoDataError(f"mode {row['mode']}: no input length, no layout")
    if not row["tp"]:
        raise NoDataError(f"mode {row['mode']}: no layout")
    if not _measured(row):
        raise NoDataError("neither TPOT, TTFT nor output rate")
    blank = [name for name in ("num_accel", "isl", "osl") if not row[name]]
    if blank:
        raise NoDataError(f"mode {row['mode']}: blank {', '.join(blank)}")
    if row["mode"] not in MODES:
        raise UnsupportedError(f"mode {row['mode']}")
    shape = models.get(row["model"])
    if shape is None:
        raise NoDataError(f"no model named {row['model']!r} in the catalog")
    precision = row["precision"] or _released(shape)
    if precision_of(precision) is None:
        raise UnsupportedError(f"precision {precision}")
    accelerator = known_accelerator(row["accelerator"], catalog)
    assert accelerator is not None, "unknown accelerators were told as mistakes"
    at = serving_row(row, accelerator, shape, precision, catalog)
    if "NeuronCores" in row["flags"]:  # the source counts cores; we count accelerators
        tensor = at.hardware.accelerators / at.plan[1]
        at = at._replace(plan=np.array((tensor, *at.plan[1:])))
    elif shape.moe is not None and "attention-DP enabled" in row["flags"]:
        at = at._replace(plan=np.array((1.0, at.plan[1], at.plan[0], *at.plan[3:])))
    elif shape.moe is not None and shape.heads % at.plan[0]:
        # ranks that do not divide the heads hold whole copies of the attention
        at = at._replace(plan=np.array((1.0, at.plan[1], at.plan[0], *at.plan[3:])))
    return ServingCase(row, at)


def _released(shape: ModelShape) -> str:
    """Return the precision of a model's published weights, for rows that do not state theirs."""
    words = shape.weight_precision.replace(",", " ").split()
    return next((word for word in words if precision_of(word)), "bf16")


def _measured(row: Row) -> bool:
    return any(row[c] for c in ("tpot_ms", "ttft_ms", "out_tok_s", "out_tok_s_per_accel"))


def _contradictions(row: Row, catalog: Catalog) -> tuple[str, ...]:
    found = []
    if row["tp"] and row["num_accel"] and "NeuronCores" not in row["flags"]:
        ranks = int(number(row, "tp") * number(row, "pp") * number(row, "dp"))
        count = int(float(row["num_accel"]))
        if ranks > count or (row["mode"] != "disagg" and count % ranks):
            found.append(
                f"column num_accel: found {count}, but tp × pp × dp = {ranks} does not divide it"
            )
    if known_accelerator(row["accelerator"], catalog) is None:
        found.append(f"column accelerator: {beside(catalog, row['accelerator'])}")
    return tuple(found)


def _keep(out: ServingPoints, cells: Row, row: ServingRow, predicted: Predicted) -> None:
    def point(measured: float, series: Array) -> Point:
        return Point(
            row_id=cells["row_id"],
            source=row.source,
            accelerator=row.hardware.accelerator.key,
            model=row.model,
            sparse=row.shape.moe is not None,
            group="",
            release=(),
            measured=measured,
            predicted=float(series[0]),
            draws=series[1:],
        )

    if cells["tpot_ms"]:
        out.tpot.append(point(float(cells["tpot_ms"]) / 1e3, predicted.tpot_s))
    if cells["ttft_ms"]:
        out.ttft.append(point(float(cells["ttft_ms"]) / 1e3, predicted.ttft_s))
    rate = number(cells, "out_tok_s", 0.0)
    rate = rate or number(cells, "out_tok_s_per_accel", 0.0) * row.hardware.accelerators
    if rate > 0.0 and cells["mode"] == "agg-offline":
        out.throughput.append(point(rate, predicted.tokens_per_s))
    if cells["mode"] == "agg" and cells["tpot_ms"] and cells["ttft_ms"]:
        whole = float(cells["ttft_ms"]) + (row.output_tokens - 1.0) * float(cells["tpot_ms"])
        measured = row.clients * row.output_tokens / whole * 1e3
        out.tried.append((_same(cells), _layout(cells), measured, float(predicted.tokens_per_s[0])))


def _same(cells: Row) -> tuple[str, ...]:
    names = ("source_id", "model", "accelerator", "num_accel", "precision", "isl", "osl")
    return tuple(cells[name] for name in (*names, "concurrency", "framework", "mode"))


def _layout(cells: Row) -> tuple[str, ...]:
    return tuple(cells[name] for name in ("tp", "pp", "ep", "dp"))


@lru_cache(maxsize=1)
def _reference(catalog: Catalog) -> ServingPoints:
    cases, refusals = serving_cases(open_table(None, "serving"), catalog, Models(catalog))
    return serving_points(cases, serving_parameters(cases, catalog), refusals)
