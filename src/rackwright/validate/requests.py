"""Score the request-level simulator on replayed runs: fitted on one half, judged on the other.

A run is one engine's log: arrivals and lengths in, latencies out. The same arrivals and lengths are
replayed; a few factors of the engine's step are fitted on the requests of the first half, and the
latencies of the second half are compared.
"""

from __future__ import annotations

import csv
import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.optimize import Bounds, differential_evolution

from rackwright.catalog import Catalog
from rackwright.design.numbers import compute_precision, machine_numbers, model_numbers
from rackwright.design.parameters import draw, engine_of, serving_efficiencies
from rackwright.kernels.fleet_state import LEAST_LOADED, Fleet, Limits
from rackwright.kernels.numbers import MachineNumbers, ModelNumbers, ServingEfficiency
from rackwright.kernels.serving import of_one_copy, step_terms
from rackwright.kernels.simulator import Served, alone, simulate_fleet
from rackwright.records.base import Record
from rackwright.records.errors import InputError, RackwrightError, nearest
from rackwright.validate.measured import as_measured, known_accelerator, precision_of
from rackwright.validate.resolve import Models
from rackwright.validate.table import SHIPPED

Array = NDArray[np.float64]

COLUMNS = ("run", "arrival_s", "input_tokens", "output_tokens", "ttft_ms", "tpot_ms", "e2e_ms")
_KEYS = ("model", "accelerator", "precision", "max_num_seqs", "max_num_batched_tokens", "kv_tokens")
_WIDTH = np.array([0.3, 0.4, 0.4, 0.8, 0.8])
"""Log spread of the factors before a run is seen: step, arithmetic, cache reads, host time, first
answer."""
_FAR = 2.5
"""Widths within which the factors are looked for."""
_SHARP = 0.02
"""Log error up to which a latency counts by its square, further off by its size."""
_WEIGHTS = (1.0, 1.0, 0.1)
"""Of E2E, TPOT and TTFT: what a first token takes at light load is mostly request handling."""
_NULL_BLOCK = 1
"""Cache blocks that vLLM counts and keeps for itself."""


class RunScore(Record):
    """How well the second half of a run is predicted."""

    run: str
    n: int
    e2e_p50_error_pct: float
    e2e_p90_error_pct: float
    e2e_p99_error_pct: float
    ttft_p50_error_pct: float
    tpot_p50_error_pct: float
    worst_cdf_gap: float = Field(description="of the curves of E2E and TTFT")
    tpot_cdf_gap: float = Field(description="of a curve that is a few percent wide")


class RequestsScore(Record):
    """All runs of a table; what is wrong with it, by row and column."""

    runs: tuple[RunScore, ...]
    refused: Mapping[str, str]
    mistakes: tuple[str, ...]


class Replay(NamedTuple):
    """One run: what was asked, what was measured [s], and the engine."""

    arrivals: Array
    inputs: NDArray[np.int64]
    outputs: NDArray[np.int64]
    ttft: Array
    e2e: Array
    tpot: Array
    m: ModelNumbers
    h: MachineNumbers
    e: ServingEfficiency
    plan: Array
    limits: Limits
    copies: int  # of the attention part, each with an engine's limits and a line of its own
    caching: bool  # what a preempted request left in the cache can be found again


def score_requests(
    path: Path | None, engines: Path | None, catalog: Catalog, models: Models | None = None
) -> RequestsScore:
    """Return how well the runs of a table are predicted.

    Args:
        path: the table, or the folder that holds it; None: the shipped one.
        engines: the file of the engines' limits; None: beside the table.
        catalog: names of accelerators and models, and the efficiencies.
        models: shapes that go before the catalog's.

    Raises:
        InputError: a file cannot be read, or lacks a column or table.
    """
    file = path or SHIPPED
    if file.is_dir():
        file = file / "serving_requests_measured.csv"
    rows, mistakes = _rows(file)
    limits = _engines(engines or file.with_name("serving_requests_engines.toml"))
    found, refused = [], {}
    for run in dict.fromkeys(row["run"] for row in rows):
        some = [row for row in rows if row["run"] == run]
        try:
            found.append(
                _score(run, _replay(run, some, limits, catalog, models or Models(catalog)))
            )
        except RackwrightError as error:
            refused[run] = str(error)
    return RequestsScore(runs=tuple(found), refused=refused, mistakes=tuple(mistakes))


def _score(run: str, replay: Replay) -> RunScore:
    later = np.arange(replay.arrivals.size // 2, replay.arrivals.size)
    ttft, e2e, tpot = _times(replay, _fitted(replay))

    def error(ours: Array, theirs: Array, q: float) -> float:
        there = np.quantile(theirs[later], q)
        return 100.0 * abs(float(np.quantile(ours[later], q) / there) - 1.0)

    return RunScore(
        run=run,
        n=later.size,
        e2e_p50_error_pct=error(e2e, replay.e2e, 0.5),
        e2e_p90_error_pct=error(e2e, replay.e2e, 0.9),
        e2e_p99_error_pct=error(e2e, replay.e2e, 0.99),
        ttft_p50_error_pct=error(ttft, replay.ttft, 0.5),
        tpot_p50_error_pct=error(tpot, replay.tpot, 0.5),
        worst_cdf_gap=max(
            _gap(e2e[later], replay.e2e[later]), _gap(ttft[later], replay.ttft[later])
        ),
        tpot_cdf_gap=_gap(tpot[later], replay.tpot[later]),
    )


def _fitted(replay: Replay) -> Array:
    """Return the logarithms of the factors that explain the first half of a run best.

    A latency jumps where another request is preempted, so the factors are looked for everywhere
    within their range, by differential evolution from points that fill it evenly.
    """
    half = replay.arrivals.size // 2
    first = np.arange(half)

    def loss(logs: Array) -> float:
        ttft, e2e, tpot = _times(replay, logs)
        total = _SHARP * float(np.sum((logs / _WIDTH) ** 2)) / half
        pairs = ((e2e, replay.e2e), (tpot, replay.tpot), (ttft, replay.ttft))
        for (ours, theirs), weight in zip(pairs, _WEIGHTS, strict=True):
            off = np.log(np.maximum(ours[first], 1e-9) / theirs[first])
            total += weight * _SHARP * float(np.mean(np.sqrt(1.0 + (off / _SHARP) ** 2) - 1.0))
        return total

    bounds = Bounds(-_FAR * _WIDTH, _FAR * _WIDTH)
    found = differential_evolution(
        loss, bounds, maxiter=40, popsize=10, tol=1e-4, polish=False, init="sobol", rng=1
    )
    best: Array = found.x
    return best


def _times(replay: Replay, logs: Array) -> tuple[Array, Array, Array]:
    """Return TTFT, E2E and TPOT [s] of every request with factors on the engine's step."""
    step, arithmetic, cache, host, answer = np.exp(logs)
    e = replay.e._replace(
        stack=replay.e.stack * step,
        matmul=replay.e.matmul / arithmetic,
        matmul_bf16=replay.e.matmul_bf16 / arithmetic,
        attention=replay.e.attention / arithmetic,
        cache=replay.e.cache / cache,
        step_s=replay.e.step_s * host,
        layer_s=replay.e.layer_s * host,
    )
    terms = step_terms(replay.m, replay.h, e, replay.plan)
    asked = alone(replay.arrivals, replay.inputs, replay.outputs)
    if replay.copies > 1:
        terms = of_one_copy(terms)
    fleet = Fleet(0, replay.copies, LEAST_LOADED, replay.caching, 0.0, 0.0)
    got: Served = simulate_fleet(terms, terms, asked, replay.limits, replay.limits, fleet, True)
    late = replay.e.first_s * answer
    ttft = np.nan_to_num(got.first - replay.arrivals, nan=1e9) + late
    e2e = np.nan_to_num(got.finished - replay.arrivals, nan=1e9) + late
    return ttft, e2e, (e2e - ttft) / np.maximum(replay.outputs - 1, 1)


def _gap(ours: Array, theirs: Array) -> float:
    """Return the largest distance between two distribution curves (Kolmogorov-Smirnov)."""
    at = np.sort(np.concatenate([ours, theirs]))
    here = np.searchsorted(np.sort(ours), at, side="right") / ours.size
    there = np.searchsorted(np.sort(theirs), at, side="right") / theirs.size
    return float(np.max(np.abs(here - there)))


def _replay(
    run: str,
    rows: list[Mapping[str, str]],
    engines: Mapping[str, Any],
    catalog: Catalog,
    models: Models,
) -> Replay:
    if run not in engines:
        raise RackwrightError(f"no engine table [runs.{run!r}].{nearest(run, list(engines))}")
    told = engines[run]
    missing = [key for key in _KEYS if key not in told]
    if missing:
        raise RackwrightError(f"[runs.{run!r}]: {', '.join(missing)} missing")
    accelerator = known_accelerator(str(told["accelerator"]), catalog)
    if accelerator is None:
        raise RackwrightError(f"no accelerator named {told['accelerator']!r} in the catalog")
    shape = models.get(str(told["model"]))
    if shape is None:
        raise RackwrightError(f"no model named {told['model']!r} in the catalog")
    precision = precision_of(str(told["precision"]))
    if precision is None:
        raise RackwrightError(f"precision {told['precision']!r} is not known")
    count = int(told.get("accelerators", 1))
    hardware = as_measured(accelerator, count)
    words = str(told.get("engine", "")).split(" ")
    release = tuple(int(p) for p in words[-1].split(".") if p.isdigit())
    engine = engine_of(catalog, words[0], release)
    cache = {"bf16": 2.0, "fp16": 2.0, "fp8": 1.0}.get(str(told.get("kv_cache_precision", "")))
    drawn = draw(catalog, {accelerator.family}, n=2, stacks=(engine.key,))
    at = compute_precision(accelerator, precision)
    e, _, _ = serving_efficiencies(drawn, accelerator.family, at, engine)
    tensor = float(told.get("tp", 1))
    expert = float(
        max(told.get("ep", 1), tensor * told.get("dp", 1) if told.get("dp", 1) > 1 else 1)
    )
    block = int(told.get("block_tokens", 16))
    order = np.argsort([float(row["arrival_s"]) for row in rows], kind="stable")
    table = np.array([[float(row[c]) for c in COLUMNS[1:]] for row in rows])[order]
    limits = Limits(
        int(told["max_num_seqs"]),
        int(told["max_num_batched_tokens"]),
        int(told["kv_tokens"]) // block - (_NULL_BLOCK if engine.key == "vllm" else 0),
        block,
        bool(told.get("whole_prompt", True)),
    )
    plan = (tensor, float(told.get("pp", 1)), expert, limits.tokens, limits.requests, 0.0, 0.0)
    return Replay(
        arrivals=table[:, 0],
        inputs=table[:, 1].astype(np.int64),
        outputs=table[:, 2].astype(np.int64),
        ttft=table[:, 3] / 1e3,
        e2e=table[:, 5] / 1e3,
        tpot=np.maximum(table[:, 4] / 1e3, 1e-9),
        m=model_numbers(shape),
        h=machine_numbers(hardware, precision, shape, cache),
        e=e,
        plan=np.array(plan, dtype=np.float64),
        limits=limits,
        copies=max(int(told.get("dp", 1)), 1),
        caching=bool(told.get("prefix_caching", True)),
    )


def _rows(file: Path) -> tuple[list[Mapping[str, str]], list[str]]:
    """Return the rows whose cells are numbers that can be, and what is wrong with the others."""
    try:
        with file.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            absent = [c for c in COLUMNS if c not in (reader.fieldnames or ())]
            if absent:
                raise InputError([f"{file}: column {c} is missing" for c in absent])
            rows = list(reader)
    except OSError as error:
        raise InputError([f"{file}: {error.strerror}"]) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError([f"{file}: {error}"]) from error
    good: list[Mapping[str, str]] = []
    mistakes = []
    for line, row in enumerate(rows, start=2):
        wrong = [
            f"{file}:{line}: run {row['run']}, column {c}: found {row[c]!r}, "
            f"{'a number >= 0' if c == 'arrival_s' else 'a number > 0'} is needed"
            for c in COLUMNS[1:]
            if not _fits(row[c], zero=c in ("arrival_s", "tpot_ms"))
        ]
        mistakes += wrong
        if not wrong:
            good.append(row)
    return good, mistakes


def _fits(text: str | None, zero: bool) -> bool:
    try:
        value = float(text or "nan")
    except ValueError:
        return False
    return math.isfinite(value) and (value >= 0.0 if zero else value > 0.0)


def _engines(file: Path) -> Mapping[str, Any]:
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError([f"{file}: {error.strerror}; name it with --engine"]) from error
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError([f"{file}: {error}"]) from error
    runs = data.get("runs")
    if not isinstance(runs, dict):
        raise InputError([f"{file}: no table [runs.NAME]: one for each run is needed"])
    return runs
