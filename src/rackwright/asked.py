"""What is asked: requests of a trace, or made, as the flags say it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.design.deploy import Designed
from rackwright.formats.trace import read_trace
from rackwright.kernels.arrivals import (
    Lengths,
    diurnal_arrivals,
    draw_lengths,
    fit_lengths,
    gamma_arrivals,
    log_normal,
    poisson_arrivals,
)
from rackwright.kernels.prefix import shared_runs
from rackwright.kernels.simulator import Requests
from rackwright.records.errors import InputError, nearest
from rackwright.records.simulation import Asked

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

KINDS = ("poisson", "bursty", "diurnal")
REQUESTS = 10_000
"""Requests that are made where no number is given."""
MOST = 10_000_000
"""Requests of one simulation: a few gigabytes."""
LONGEST = 131_072.0
"""Tokens at which made lengths are cut where nothing else bounds them."""


class Arrivals(NamedTuple):
    """How made requests arrive."""

    kind: str = "poisson"
    cv: float = 2.0
    swing: float = 0.5
    period: str = "24 h"


class Wanted(NamedTuple):
    """What is asked: a trace, or how it is made; as the flags say it."""

    trace: Path | None = None
    hash_tokens: int = 512
    requests: int | None = None
    rate_per_s: float | None = None
    arrivals: Arrivals = Arrivals()
    input: str = ""
    output: str = ""
    lengths: Path | None = None
    clients: int = 0
    think: str = "0 s"


def mistakes_of(wanted: Wanted) -> list[str]:
    """Return what contradicts itself, or cannot be, among what is asked."""
    found = outside(
        {
            "--rate": (wanted.rate_per_s, 1e-6, 1e9),
            "--requests": (wanted.requests, 1, MOST),
            "--cv": (wanted.arrivals.cv, 0.01, 100.0),
            "--swing": (wanted.arrivals.swing, 0.0, 1.0),
            "--hash-tokens": (wanted.hash_tokens, 1, 1 << 20),
            "--clients": (wanted.clients, 0, MOST),
        }
    )
    if wanted.arrivals.kind not in KINDS:
        found.append(
            f"--arrivals: found {wanted.arrivals.kind!r}; allowed: {', '.join(KINDS)}."
            f"{nearest(wanted.arrivals.kind, KINDS)}"
        )
    if wanted.trace is not None and (wanted.input or wanted.output or wanted.lengths):
        found.append("--input, --output, --lengths: the trace has lengths; leave them or it out")
    if wanted.lengths is not None and (wanted.input or wanted.output):
        found.append("--lengths: leave it out, or --input and --output")
    return found


def outside(numbers: Mapping[str, tuple[float | None, float, float]]) -> list[str]:
    """Return what is wrong with flags whose numbers have to lie within ends; None is not given."""
    return [
        f"{flag}: found {value:g}, from {low:g} to {high:g} is allowed"
        for flag, (value, low, high) in numbers.items()
        if value is not None and not low <= value <= high
    ]


def requests_of(
    wanted: Wanted,
    found: Designed | None,
    think_s: float,
    period_s: float,
    seed: int,
) -> tuple[Requests, Asked]:
    """Return the requests and the record of them.

    Args:
        wanted: a trace, or how it is made.
        found: a study's design, whose lengths and rate hold where nothing is said; or None.
        think_s: mean thinking time of clients.
        period_s: of diurnal arrivals.
        seed: of what is made.

    Raises:
        InputError: a trace that cannot be read, or lengths or a rate that are missing.
    """
    rng = np.random.default_rng(seed)
    notes: list[str] = []
    if wanted.trace is not None:
        trace = read_trace(wanted.trace)
        n = min(wanted.requests or trace.inputs.size, trace.inputs.size)
        arrivals, inputs, outputs = trace.arrivals[:n], trace.inputs[:n], trace.outputs[:n]
        links, chain = shared_runs(
            trace.counts[:n], trace.names[: int(trace.counts[:n].sum())], inputs, wanted.hash_tokens
        )
        notes += trace.notes
        if wanted.rate_per_s is not None and arrivals[-1] > 0.0:
            own = (n - 1) / arrivals[-1]
            arrivals = arrivals * (own / wanted.rate_per_s)
            notes.append(f"times stretched from {own:.4g} to {wanted.rate_per_s:.4g} requests/s")
        source = wanted.trace.name
    else:
        n = wanted.requests or max(REQUESTS, _enough(found))
        inputs, outputs = _lengths(wanted, found, n, rng, notes)
        arrivals = _arrivals(wanted, found, n, period_s, rng, notes)
        links, chain = np.zeros(n, dtype=np.int64), np.zeros(0, dtype=np.int64)
        source = f"{wanted.arrivals.kind} arrivals"
    seconds = float(arrivals[-1] - arrivals[0])
    if wanted.clients:
        arrivals = rng.exponential(think_s, n) if think_s > 0.0 else np.zeros(n)
        seconds = 0.0
        notes.append(
            f"{wanted.clients:,} clients ask in turn, thinking {think_s:g} s on average "
            "(exponential); arrival times are not used"
        )
        if wanted.trace is None:
            source = "clients"
    shared = float(min(links.sum() * wanted.hash_tokens / max(inputs.sum(), 1), 1.0))
    asked = Asked(
        source=source,
        requests=n,
        clients=wanted.clients,
        seconds=seconds,
        input_mean=float(inputs.mean()),
        output_mean=float(outputs.mean()),
        shared_share=shared,
        notes=tuple(notes),
    )
    return Requests(
        arrivals, inputs, outputs, links, chain, wanted.hash_tokens, wanted.clients
    ), asked


def _enough(found: Designed | None) -> int:
    """Return ten times the requests that a design's block has at once: the start is forgotten."""
    if found is None:
        return 0
    seconds = found.ttft_s + found.tpot_s * found.workload.output_tokens
    return int(10.0 * found.requests_per_s * seconds)


def _arrivals(
    wanted: Wanted,
    found: Designed | None,
    n: int,
    period_s: float,
    rng: np.random.Generator,
    notes: list[str],
) -> Array:
    rate = wanted.rate_per_s
    if rate is None and wanted.clients:
        rate = 1.0  # clients do not look at it
    if rate is None and found is not None:
        rate = found.requests_per_s
        notes.append(f"{rate:.4g} requests/s: what the analytic model says that the block serves")
    if rate is None:
        raise InputError(["--rate: is needed: requests per second, or --clients N"])
    kind = wanted.arrivals.kind
    if kind == "bursty":
        notes.append(
            f"gaps of gamma distribution with a coefficient of variation of {wanted.arrivals.cv:g}"
        )
        return gamma_arrivals(n, rate, wanted.arrivals.cv, rng)
    if kind == "diurnal":
        notes.append(
            f"the rate swings by {wanted.arrivals.swing:.0%} over {period_s:g} s, lowest at first"
        )
        return diurnal_arrivals(n, rate, wanted.arrivals.swing, period_s, rng)
    return poisson_arrivals(n, rate, rng)


def _lengths(
    wanted: Wanted,
    found: Designed | None,
    n: int,
    rng: np.random.Generator,
    notes: list[str],
) -> tuple[Whole, Whole]:
    if wanted.lengths is not None:
        trace = read_trace(wanted.lengths)
        some = (trace.inputs > 0) & (trace.outputs > 0)
        if not some.any():
            raise InputError(
                [f"{wanted.lengths}: no request with a prompt and an answer to fit to"]
            )
        fit = fit_lengths(trace.inputs[some], trace.outputs[some])
        drawn = draw_lengths(n, fit, rng)
        notes.append(
            f"log-normal lengths fitted to {int(some.sum()):,} requests of {wanted.lengths.name}: "
            f"means {drawn[0].mean():,.0f} and {drawn[1].mean():,.0f}, of the trace "
            f"{trace.inputs[some].mean():,.0f} and {trace.outputs[some].mean():,.0f}"
        )
        return drawn
    mistakes: list[str] = []
    own = ("", "") if found is None else (
        str(found.workload.input_tokens), str(found.workload.output_tokens)
    )  # fmt: skip
    both = [
        _log_normal(text or instead, flag, mistakes)
        for text, instead, flag in (
            (wanted.input, own[0], "--input"), (wanted.output, own[1], "--output"),
        )
    ]  # fmt: skip
    if mistakes:
        raise InputError(mistakes)
    mean = np.array([m for m, _ in both])
    covariance = np.diag([sd * sd for _, sd in both])
    return draw_lengths(n, Lengths(mean, covariance, np.full(2, LONGEST)), rng)


def _log_normal(text: str, flag: str, mistakes: list[str]) -> tuple[float, float]:
    """Return mean and deviation of the logarithm of a length: "1155", "mean=1155,p90=2500"."""
    if not text:
        mistakes.append(f'{flag}: is needed: tokens as "1155", or "mean=1155,p90=2500"')
        return 0.0, 0.0
    mean, quantiles = None, {}
    try:
        for word in text.split(","):
            name, _, number = word.strip().rpartition("=")
            value = float(number)
            if not 1.0 <= value <= 1e9:
                raise ValueError(f"found {number!r}, from 1 token on is needed")
            if name in ("", "mean"):
                mean = value
            elif name[:1] == "p" and 0.0 < float(name[1:]) < 100.0:
                quantiles[float(name[1:]) / 100.0] = value
            else:
                raise ValueError(f"found {name!r}, mean or p1 to p99 is needed")
        return log_normal(mean, quantiles)
    except ValueError as error:
        mistakes.append(f"{flag}: {text!r}: {error}")
        return 0.0, 0.0
