"""From what a person writes to a simulation: names, traces and lengths made into arrays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright import catalog as catalogs
from rackwright.catalog import Catalog
from rackwright.design.deploy import (
    Deployment,
    Designed,
    Engine,
    Layout,
    deploy,
    of_design,
)
from rackwright.design.numbers import BYTES
from rackwright.design.parameters import DEFAULT_ENGINE, draw, engine_of
from rackwright.design.rack import compose_rack
from rackwright.design.simulate import simulate
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
from rackwright.load import load_models, load_study
from rackwright.records.component import Accelerator
from rackwright.records.errors import (
    InputError,
    UnknownComponentError,
    nearest,
)
from rackwright.records.hardware import Hardware
from rackwright.records.simulation import Asked, Simulation
from rackwright.records.study import Generation
from rackwright.records.units import UnitError, convert

Array = NDArray[np.float64]
Whole = NDArray[np.int64]
Tell = Callable[[str], None]

KINDS = ("poisson", "bursty", "diurnal")
REQUESTS = 10_000
"""Requests that are made where no number is given."""
LONGEST = 131_072.0
"""Tokens at which made lengths are cut where nothing else bounds them."""
NETWORK_BYTES_PER_S = 50e9
"""Network of an accelerator named without a rack: 400 Gbit/s."""


class Setting(NamedTuple):
    """What serves: a design of a study, or a model on accelerators; as the flags say it."""

    study: Path | None = None
    workload: str = ""
    design: str = ""
    model: str = ""
    on: str = ""
    precision: str = ""
    cache_precision: str = ""
    tensor: int = 1
    pipeline: int = 1
    expert: int = 1
    replicas: int | None = None
    prefill_replicas: int | None = None
    engine: str = ""
    requests_at_once: int | None = None
    step_tokens: int | None = None
    block_tokens: int = 16
    cache_tokens: int | None = None
    prefix_cache: bool = True
    whole_prompt: bool = True
    route: str = "round-robin"


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


class Served(NamedTuple):
    """The record, and the requests that it is of."""

    record: Simulation
    requests: Requests


def simulated(
    setting: Setting,
    wanted: Wanted,
    ttft: str = "",
    tpot: str = "",
    seed: int = 1,
    catalog: Path | None = None,
    calibration: Path | None = None,
    tell: Tell = lambda _: None,
) -> Served:
    """Return a simulation as it was asked for.

    Args:
        setting, wanted: what serves, and what is asked.
        ttft, tpot: limits, with units; empty: those of the study's workload, or none.
        seed: of everything that is made.
        catalog, calibration: laid over the shipped ones.
        tell: called with a line before what takes time.

    Raises:
        InputError: what cannot be, all at once.
    """
    mistakes = _mistakes(setting, wanted)
    limits = [_seconds(text, flag, mistakes) for text, flag in ((ttft, "--ttft"), (tpot, "--tpot"))]
    think = _seconds(wanted.think, "--think", mistakes) or 0.0
    period = _seconds(wanted.arrivals.period, "--period", mistakes) or 86_400.0
    if mistakes:
        raise InputError(mistakes)
    components = catalogs.load(catalog, calibration)
    found: Designed | None = None
    if setting.study is not None:
        tell("simulate: reading the study and choosing the design's plan")
        found = _of_study(setting, components, catalog)
        work = found.workload
        limits = [
            limit or own for limit, own in zip(limits, (work.ttft_s, work.tpot_s), strict=True)
        ]
    tell("simulate: reading or making the requests")
    requests, asked = _requests(wanted, setting, found, think, period, seed)
    if found is not None:
        deployed = found.deployment
    else:
        means = (max(asked.input_mean, 1.0), max(asked.output_mean, 1.0))
        deployed = _direct(setting, components, means)
    tell(f"simulate: {requests.inputs.size:,} requests")
    record, _ = simulate(deployed, requests, asked, seed, limits[0], limits[1])
    return Served(record, requests)


def _mistakes(setting: Setting, wanted: Wanted) -> list[str]:
    """Return what is missing or contradicts itself among the flags."""
    found = []
    if setting.study is not None:
        found += [
            f"--{name}: is needed with --study"
            for name, value in (("workload", setting.workload), ("design", setting.design))
            if not value
        ]
        found += [
            f"--{name}: is the study's matter; leave it or --study out"
            for name, value in (("model", setting.model), ("on", setting.on))
            if value
        ]
    else:
        found += [
            f"--{name}: is needed, or --study FILE --workload NAME --design ID"
            for name, value in (("model", setting.model), ("on", setting.on))
            if not value
        ]
    if setting.precision and setting.precision not in BYTES:
        found.append(
            f"--precision: found {setting.precision!r}; allowed: {', '.join(BYTES)}."
            f"{nearest(setting.precision, BYTES)}"
        )
    if setting.cache_precision not in ("", "bf16", "fp8"):
        found.append(f"--cache-precision: found {setting.cache_precision!r}; allowed: bf16, fp8")
    if wanted.arrivals.kind not in KINDS:
        found.append(
            f"--arrivals: found {wanted.arrivals.kind!r}; allowed: {', '.join(KINDS)}."
            f"{nearest(wanted.arrivals.kind, KINDS)}"
        )
    positive = {
        "--rate": wanted.rate_per_s, "--requests": wanted.requests, "--cv": wanted.arrivals.cv,
        "--hash-tokens": wanted.hash_tokens, "--block-tokens": setting.block_tokens,
        "--requests-at-once": setting.requests_at_once, "--step-tokens": setting.step_tokens,
        "--cache-tokens": setting.cache_tokens, "--replicas": setting.replicas,
        "--tensor": setting.tensor, "--pipeline": setting.pipeline, "--expert": setting.expert,
    }  # fmt: skip
    found += [
        f"{flag}: found {value:g}, more than 0 is needed"
        for flag, value in positive.items()
        if value is not None and not 0.0 < value < np.inf
    ]
    for flag, least, value in (
        ("--clients", 0, wanted.clients), ("--prefill-replicas", 0, setting.prefill_replicas),
    ):  # fmt: skip
        if value is not None and value < least:
            found.append(f"{flag}: found {value}, at least {least} is needed")
    if not 0.0 <= wanted.arrivals.swing <= 1.0:
        found.append(f"--swing: found {wanted.arrivals.swing:g}, a share from 0 to 1 is needed")
    if setting.block_tokens > 0 and wanted.hash_tokens % setting.block_tokens:
        found.append(
            f"--hash-tokens: {wanted.hash_tokens} is no multiple of a cache block of "
            f"{setting.block_tokens} tokens"
        )
    if wanted.trace is not None and (wanted.input or wanted.output or wanted.lengths):
        found.append("--input, --output, --lengths: the trace has lengths; leave them or it out")
    if wanted.lengths is not None and (wanted.input or wanted.output):
        found.append("--lengths: leave it out, or --input and --output")
    return found


def _seconds(text: str, flag: str, mistakes: list[str]) -> float | None:
    if not text:
        return None
    try:
        value = convert(text, "s", ("s", "ms", "min", "h"))
    except UnitError as error:
        mistakes.append(f"{flag}: {error}")
        return None
    if not 0.0 <= value < np.inf:
        mistakes.append(f"{flag}: found {text!r}, a time >= 0 is needed")
    return value


def _of_study(setting: Setting, components: Catalog, folder: Path | None) -> Designed:
    assert setting.study is not None, "asked for with a study only"
    study = load_study(setting.study, folder).study
    models = load_models(study, components, setting.study.parent)
    return of_design(
        study, components, models, setting.workload, setting.design, _engine(setting),
        setting.replicas, setting.prefill_replicas,
    )  # fmt: skip


def _engine(setting: Setting) -> Engine:
    return Engine(
        setting.requests_at_once, setting.step_tokens, setting.block_tokens, setting.cache_tokens,
        setting.prefix_cache, setting.whole_prompt, setting.route,
    )  # fmt: skip


def _direct(setting: Setting, components: Catalog, lengths: tuple[float, float]) -> Deployment:
    """Return a model on accelerators by name; everything that is not known is told at once."""
    mistakes: list[str] = []
    hardware = None
    try:
        hardware = hardware_of(setting.on, components)
    except InputError as error:
        mistakes += error.mistakes
    try:
        shape = components.model(setting.model)
    except UnknownComponentError as error:
        mistakes.append(f"--model: {error}")
    known = components.names("engines")
    if setting.engine and setting.engine not in known:
        mistakes.append(
            f"--engine: no engine named {setting.engine!r}; known: {', '.join(sorted(known))}."
            f"{nearest(setting.engine, known)}"
        )
    if mistakes or hardware is None:
        raise InputError(mistakes)
    software = engine_of(components, setting.engine or DEFAULT_ENGINE, (9999,))
    parameters = draw(components, (hardware.accelerator.family,), n=2, stacks=(software.key,))
    layout = Layout(
        setting.precision or "bf16", setting.cache_precision, setting.tensor, setting.pipeline,
        setting.expert, 0, setting.replicas or 1, setting.prefill_replicas or 0,
    )  # fmt: skip
    return deploy(
        hardware, shape, setting.model, layout, _engine(setting), lengths, parameters, software
    )


def hardware_of(name: str, components: Catalog) -> Hardware:
    """Return the accelerators that a name means: of a rack system, or one by itself."""
    try:
        accelerator, domain = components.accelerator(name), None
    except UnknownComponentError as unknown:
        if name not in components.names("systems"):
            known = (*components.names("accelerators"), *components.names("systems"))
            raise InputError(
                [f"--on: no accelerator or rack system named {name!r}.{nearest(name, known)}"]
            ) from unknown
        rack = compose_rack(Generation(system=name), components)
        accelerator, domain = rack.accelerator, rack.domain
    return _block(accelerator, domain or accelerator.scale_up_domain or 1, name)


def _block(accelerator: Accelerator, domain: int, system: str) -> Hardware:
    return Hardware(
        key=system,
        system=system,
        accelerator=accelerator,
        accelerators=max(domain, 1),
        racks=1,
        accelerators_per_rack=max(domain, 1),
        scale_up_accelerators=domain,
        scale_up_bytes_per_s=accelerator.scale_up_bytes_per_s
        or accelerator.host_bytes_per_s
        or NETWORK_BYTES_PER_S,
        scale_out_bytes_per_s=NETWORK_BYTES_PER_S,
        oversubscription=1.0,
        fabric_tiers=2,
        rack_overhead_w=0.0,
        rack_provisioned_w=1.0,
    )


def _requests(
    wanted: Wanted,
    setting: Setting,
    found: Designed | None,
    think_s: float,
    period_s: float,
    seed: int,
) -> tuple[Requests, Asked]:
    """Return the requests and the record of them."""
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
