"""Fit the few free efficiencies on public measurements, and say how well they then predict.

Run as `python -m rackwright.validate.first_fit DIR`, DIR holding the two measured tables. Prints
each parameter with its spread, errors by kind, and errors of rows that were left out: other
software, other models. The medians it prints are those in `catalog/efficiencies/`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from rackwright.catalog import Catalog, load
from rackwright.design.numbers import compute_precision, machine_numbers, model_numbers
from rackwright.design.parameters import draw, efficiencies
from rackwright.kernels.memory import training_bytes
from rackwright.kernels.numbers import MachineNumbers, ModelNumbers
from rackwright.kernels.serving_point import closed_loop_tpot
from rackwright.kernels.training import training_parts
from rackwright.records.space import Parameters
from rackwright.validate.measured import ServingRow, TrainingRow, read_serving, read_training

Array = NDArray[np.float64]
R = TypeVar("R", TrainingRow, ServingRow)

FAMILIES = ("Hopper", "Blackwell", "Blackwell Ultra")
MEGATRON = ("megatron-bridge-perf", "mlperf")
SERVED = ("gpt-oss-120b", "Llama-3.1-70B")


class Free(NamedTuple):
    """A parameter that is fitted: its name in the draws, where it starts, how far it may go."""

    name: str
    prior: float
    log_sd: float


TRAINING_FREE = (
    *(Free(f"{family}.training.stack", 1.1, 0.15) for family in FAMILIES),
    *(Free(f"{family}.attention", 0.55, 0.25) for family in FAMILIES),
    Free("Blackwell.matmul.fp4", 0.6, 0.2),
    Free("Blackwell Ultra.matmul.fp4", 0.5, 0.2),
    Free("common.training.grouped.bf16", 0.6, 0.4),
    Free("common.training.grouped.narrow", 0.6, 0.4),
    Free("common.training.passes", 0.9, 0.2),
    Free("common.training.tensor_exposed", 0.4, 0.5),
    Free("common.training.expert_exposed", 0.7, 0.5),
    Free("common.training.data_exposed", 0.15, 0.6),
    Free("common.training.pipeline_exposed", 0.5, 0.5),
)
SERVING_FREE = (
    *(Free(f"{family}.serving.stack", 1.0, 0.1) for family in FAMILIES[:2]),
    *(Free(f"{family}.serving.scale_up_latency_s", 6e-6, 0.4) for family in FAMILIES[:2]),
    *(Free(f"{family}.serving.layer_s", 3e-5, 0.5) for family in FAMILIES[:2]),
    Free("common.serving.moe_layer_s", 6e-6, 0.5),
    Free("common.serving.step_s", 1e-3, 0.5),
    Free("common.serving.grouped", 0.5, 0.4),
    Free("common.serving.messages", 0.5, 0.3),
    Free("common.memory", 0.85, 0.1),
)


def main(arguments: Sequence[str]) -> int:
    """Print the fit on the tables of one folder."""
    if len(arguments) != 1:
        print("usage: python -m rackwright.validate.first_fit DIR", file=sys.stderr)
        return 2
    folder, catalog = Path(arguments[0]), load()
    start = draw(catalog, FAMILIES, n=2)
    served = unqueued(read_serving(folder, catalog, FAMILIES, SERVED))
    parameters, spread = fit(start, SERVING_FREE, served, serving_seconds, noise=0.15)
    parameters = with_value(
        parameters, "common.serving.first_token_stack", first_token(parameters, served)
    )
    _print_fit("serving", SERVING_FREE, parameters, spread)
    trained = by_configuration(read_training(folder, catalog, FAMILIES))
    megatron = [row for row in trained if row.source.startswith(MEGATRON)]
    parameters, spread = fit(parameters, TRAINING_FREE, megatron, training_seconds, noise=0.10)
    _print_fit("training", TRAINING_FREE, parameters, spread)
    _print_errors(catalog, folder, parameters, trained, served)
    _print_left_out(parameters, megatron)
    held = held_bytes(by_configuration(read_training(folder, catalog, (*FAMILIES, "Ampere"))))
    fits = sum(ours <= there for ours, there in held)
    print(f"published training plans that fit their memory by our count: {fits} of {len(held)}")
    return 0


def fit(
    start: Parameters,
    free: Sequence[Free],
    rows: Sequence[R],
    predict: Callable[[Parameters, R], tuple[float, float]],
    noise: float,
) -> tuple[Parameters, Array]:
    """Return the parameters that predict the rows best, and each one's log standard deviation.

    Least squares of log(predicted / measured), robust against single rows, each parameter held
    near its prior. Spreads are those of the linearised posterior.

    Args:
        start: parameters; those not free stay.
        free: what is fitted.
        rows: measurements.
        predict: gives (predicted, measured) seconds of a row.
        noise: log standard deviation of a clean row, which weighs rows against priors.
    """
    prior = np.log([f.prior for f in free])
    width = np.array([f.log_sd for f in free])

    def residuals(at: Array) -> Array:
        trial = start
        for f, value in zip(free, np.exp(at), strict=True):
            trial = with_value(trial, f.name, float(value))
        pairs = [predict(trial, row) for row in rows]
        errors = [np.log(predicted / measured) / noise for predicted, measured in pairs]
        return np.concatenate([np.array(errors), (at - prior) / width])

    found = least_squares(residuals, prior, loss="soft_l1", max_nfev=40)
    slopes = np.asarray(found.jac, dtype=np.float64)
    covariance = np.linalg.inv(slopes.T @ slopes)
    parameters = start
    for f, value in zip(free, np.exp(found.x), strict=True):
        parameters = with_value(parameters, f.name, float(value))
    return parameters, np.sqrt(np.diag(covariance))


def training_seconds(parameters: Parameters, row: TrainingRow) -> tuple[float, float]:
    """Return the predicted and the measured step time [s] of a training row."""
    m, h, at = _numbers(row)
    e, _, _ = efficiencies(parameters, row.family, "training", at, row.shape.moe is not None)
    m = m._replace(mtp_layers=row.mtp_layers)
    return sum(training_parts(m, h, e, row.sequence, row.plan)), row.step_s


def serving_seconds(parameters: Parameters, row: ServingRow) -> tuple[float, float]:
    """Return the predicted and the measured mean time per output token [s] of a serving row."""
    return _closed_loop(parameters, row)[0], row.tpot_s


def first_token(parameters: Parameters, rows: Sequence[ServingRow]) -> float:
    """Return the median of measured over modelled time to first token with few clients.

    With more clients the answers end in step and their next prompts queue behind one another:
    that is the client's doing, not the engine's. Without such rows: 1, the model's own time.
    """
    plain = with_value(parameters, "common.serving.first_token_stack", 1.0)
    few = [row for row in rows if row.ttft_s and row.clients <= 8]
    found = [(row.ttft_s or 0.0) / _closed_loop(plain, row)[1] for row in few]
    return float(np.median(found)) if found else 1.0


def unqueued(rows: Sequence[ServingRow]) -> list[ServingRow]:
    """Return the rows whose clients mostly decode.

    Where the first token takes half as long as the whole answer the engine runs fewer requests
    than there are clients, and the table does not say how many.
    """
    return [row for row in rows if (row.ttft_s or 0.0) < 0.5 * row.output_tokens * row.tpot_s]


def by_configuration(rows: Sequence[TrainingRow]) -> list[TrainingRow]:
    """Return one row per configuration: the median of its repeats.

    Of sparse models only the latest release counts: their kernels were still being written.
    """
    groups: dict[str, list[TrainingRow]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    merged = []
    for group in groups.values():
        if group[0].shape.moe is not None:
            latest = max(row.release for row in group)
            group = [row for row in group if row.release == latest]
        step = float(np.median([row.step_s for row in group]))
        merged.append(group[0]._replace(step_s=step))
    return merged


def held_bytes(rows: Sequence[TrainingRow]) -> list[tuple[float, float]]:
    """Return the bytes that each row's plan holds by our count, and those there are."""
    pairs = []
    for row in rows:
        m, h, _ = _numbers(row)
        p = row.plan
        tokens = p[6] * row.sequence / p[3]
        size = h.activation_bytes
        ours = training_bytes(m, p[0], p[1], p[2], p[3], p[4], p[5], tokens, p[7], p[8], p[9], size)
        pairs.append((float(ours), h.memory_bytes))
    return pairs


def with_value(parameters: Parameters, name: str, value: float) -> Parameters:
    """Return the parameters with one nominal value replaced, in every family that inherits it."""
    nominal = parameters.nominal.copy()
    entry = name.split(".", 1)[1]
    heirs = {name}
    if name.startswith("Blackwell."):  # what it hands down where the heir has no own fit
        heirs |= {f"Blackwell Ultra.{entry}"} if entry.startswith("serving.") else set()
    for i, known in enumerate(parameters.names):
        if known in heirs:
            nominal[i] = value
    return Parameters.model_construct(**{**dict(parameters), "nominal": nominal})


def _closed_loop(parameters: Parameters, row: ServingRow) -> tuple[float, float]:
    m, h, at = _numbers(row)
    e, _, _ = efficiencies(parameters, row.family, "serving", at, row.shape.moe is not None)
    pair = closed_loop_tpot(m, h, e, row.input_tokens, row.output_tokens, row.plan, row.clients)
    return float(pair[0]), float(pair[1])


_CACHE: dict[int, tuple[TrainingRow | ServingRow, ModelNumbers, MachineNumbers, str]] = {}


def _numbers(row: TrainingRow | ServingRow) -> tuple[ModelNumbers, MachineNumbers, str]:
    """Turn records into numbers once per row: the fit asks a thousand times."""
    if id(row) not in _CACHE or _CACHE[id(row)][0] is not row:
        at = compute_precision(row.hardware.accelerator, row.precision)
        machine = machine_numbers(row.hardware, row.precision, row.shape)
        _CACHE[id(row)] = (row, model_numbers(row.shape), machine, at)
    _, m, h, at = _CACHE[id(row)]
    return m, h, at


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
        return _log_errors(parameters, rows, training_seconds)

    def serving_error(rows: Sequence[ServingRow]) -> Array:
        return _log_errors(parameters, rows, serving_seconds)

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
    everything = unqueued(read_serving(folder, catalog, FAMILIES, ()))
    left_out = [row for row in everything if row.model not in SERVED]
    _line("serving TPOT, other models, left out", serving_error(left_out))


def _print_left_out(parameters: Parameters, rows: Sequence[TrainingRow]) -> None:
    """Fit without one source at a time and say how well its rows are then predicted."""
    for source in MEGATRON:
        kept = [row for row in rows if not row.source.startswith(source)]
        left = [row for row in rows if row.source.startswith(source)]
        found, _ = fit(parameters, TRAINING_FREE, kept, training_seconds, noise=0.10)
        dense = _log_errors(found, [r for r in left if not r.shape.moe], training_seconds)
        _line(f"training, dense, {source} left out", dense)


def _log_errors(
    parameters: Parameters,
    rows: Sequence[R],
    predict: Callable[[Parameters, R], tuple[float, float]],
) -> Array:
    pairs = [predict(parameters, row) for row in rows]
    return np.array([np.log(predicted / measured) for predicted, measured in pairs])


def robust_sd(errors: Array) -> float:
    """Return half the distance between the 16 % and the 84 % quantile."""
    low, high = np.quantile(errors, (0.16, 0.84))
    return float(high - low) / 2.0


def _line(label: str, errors: Array) -> None:
    size = np.abs(np.expm1(errors))
    print(
        f"  {label:46s} n {errors.size:4d}  median {100 * np.median(size):5.1f} %  "
        f"p90 {100 * np.quantile(size, 0.9):6.1f} %  log sd {robust_sd(errors):.3f}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
