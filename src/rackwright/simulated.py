"""From what a person writes to a simulation: what serves, by name, and what is asked of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright import catalog as catalogs
from rackwright.asked import Wanted, mistakes_of, outside, requests_of
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
from rackwright.kernels.simulator import Requests
from rackwright.load import load_models, load_study
from rackwright.records.component import Accelerator
from rackwright.records.errors import (
    InputError,
    UnknownComponentError,
    nearest,
)
from rackwright.records.hardware import Hardware
from rackwright.records.simulation import Simulation
from rackwright.records.study import Generation
from rackwright.records.units import UnitError, convert

Array = NDArray[np.float64]
Whole = NDArray[np.int64]
Tell = Callable[[str], None]

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
    prefill_tensor: int | None = None
    prefill_expert: int | None = None
    engine: str = ""
    requests_at_once: int | None = None
    step_tokens: int | None = None
    block_tokens: int = 16
    cache_tokens: int | None = None
    prefix_cache: bool = True
    whole_prompt: bool = True
    route: str = "round-robin"


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
    period = _seconds(wanted.arrivals.period, "--period", mistakes) or 0.0
    if wanted.arrivals.kind == "diurnal" and period <= 0.0 and not mistakes:
        mistakes.append("--period: found 0 s, a time above 0 is needed")
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
    requests, asked = requests_of(wanted, found, think, period, seed)
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
    found += outside(
        {
            "--block-tokens": (setting.block_tokens, 1, 4096),
            "--requests-at-once": (setting.requests_at_once, 1, 1 << 30),
            "--step-tokens": (setting.step_tokens, 1, 1 << 30),
            "--cache-tokens": (setting.cache_tokens, 1, 1 << 50),
            "--replicas": (setting.replicas, 1, 4096),
            "--prefill-replicas": (setting.prefill_replicas, 0, 4096),
            "--tensor": (setting.tensor, 1, 4096),
            "--prefill-tensor": (setting.prefill_tensor, 1, 4096),
            "--prefill-expert": (setting.prefill_expert, 1, 4096),
            "--pipeline": (setting.pipeline, 1, 4096),
            "--expert": (setting.expert, 1, 4096),
        }
    )
    if setting.block_tokens > 0 and wanted.hash_tokens % setting.block_tokens:
        found.append(
            f"--hash-tokens: {wanted.hash_tokens} is no multiple of a cache block of "
            f"{setting.block_tokens} tokens"
        )
    return found + mistakes_of(wanted)


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
        setting.prefill_tensor, setting.prefill_expert,
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
