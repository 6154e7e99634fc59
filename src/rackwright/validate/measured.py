"""Published measurements as typed rows: what ran, on what, and how long it took.

The tables are `training_measured.csv` and `serving_measured.csv`; the columns are described in
the files beside them. A row that lacks what the model needs is left out here and counted.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.catalog import Catalog
from rackwright.design.parameters import engine_of, stack_of
from rackwright.records.component import Accelerator
from rackwright.records.errors import UnknownComponentError
from rackwright.records.hardware import Hardware
from rackwright.records.model import Attention, Experts, ModelShape, SlidingWindow
from rackwright.records.rates import ServingEngine, SoftwareStack
from rackwright.validate.table import Row, number

_PRECISIONS = {
    "fp16": "bf16",
    "bf16": "bf16",
    "fp8": "fp8",
    "fp8-row": "fp8",
    "mxfp8": "fp8",
    "nvfp4": "fp4",
    "mxfp4": "fp4",
    "fp4": "fp4",
    "int8": "int8",
    "int4": "int4",
    "uint4": "int4",
}

SCALE_OUT_BIT_PER_S = {"Blackwell Ultra": 800e9}
"""Network per accelerator of the reference systems where a row states none; else 400e9."""

_RECOMPUTE = {"full": 2.0, "none": 0.0, "minimal": 0.0, "": 0.0}


class TrainingRow(NamedTuple):
    """One measured training configuration."""

    source: str
    group: str
    release: tuple[int, ...]
    stack: SoftwareStack
    family: str
    shape: ModelShape
    mtp_layers: float
    hardware: Hardware
    precision: str
    plan: NDArray[np.float64]
    sequence: float
    step_s: float


class ServingRow(NamedTuple):
    """One measured serving configuration with a fixed number of clients."""

    source: str
    model: str
    family: str
    engine: ServingEngine
    age_years: float
    shape: ModelShape
    hardware: Hardware
    precision: str
    plan: NDArray[np.float64]
    input_tokens: float
    output_tokens: float
    clients: float
    tpot_s: float
    ttft_s: float | None


def precision_of(text: str) -> str | None:
    """Return our word for a precision as tables spell it; None for one we do not know.

    fp16 and bf16 are one word: they run at one rate on every accelerator here.
    """
    words = text.casefold().split()
    return _PRECISIONS.get(words[0]) if words else None


def step_seconds_of(row: Row) -> float:
    """Return the measured step time [s] of a training row; 0 where none was published."""
    step = number(row, "step_time_s", 0.0)
    rate = number(row, "tokens_per_s_per_acc", 0.0) * float(row["n_acc"])
    if step == 0.0 and rate > 0.0:
        return float(row["gbs"]) * float(row["seq"]) / rate
    return step


def training_row(
    row: Row, accelerator: Accelerator, shape: ModelShape, catalog: Catalog
) -> TrainingRow:
    """Return a training row as the model reads it.

    A blank data-parallel size is what the other sizes leave of the accelerators. A blank
    micro-batch is the replica's whole batch, one sequence each where a pipeline splits it.
    """
    count = int(float(row["n_acc"]))
    split = number(row, "tp") * number(row, "pp") * number(row, "cp")
    data = number(row, "dp", count / split)
    pipelined = number(row, "pp") > 1.0
    micro = number(row, "mbs", 1.0 if pipelined else max(1.0, float(row["gbs"]) / data))
    plan = (
        number(row, "tp"),
        number(row, "pp"),
        number(row, "vpp"),
        number(row, "cp"),
        number(row, "ep"),
        data,
        micro,
        max(1.0, float(row["gbs"]) / (data * micro)),
        _RECOMPUTE.get(row["recompute"], 1.0),
        number(row, "zero_stage"),
        0.0,
        1.0,
    )
    release = _release(row["software"])
    domain = int(number(row, "scaleup_size", float(accelerator.scale_up_domain or 1)))
    return TrainingRow(
        source=row["source_id"],
        group=row["group"],
        release=release,
        stack=stack_of(catalog, row["software"], accelerator.family, release),
        family=accelerator.family,
        shape=shape,
        mtp_layers=number(row, "mtp", 0.0),
        hardware=_hardware(accelerator, count, domain, number(row, "inter_gbit_per_s", 0.0)),
        precision=precision_of(row["precision"]) or row["precision"],
        plan=np.array(plan),
        sequence=float(row["seq"]),
        step_s=step_seconds_of(row),
    )


def serving_row(
    row: Row, accelerator: Accelerator, shape: ModelShape, precision: str, catalog: Catalog
) -> ServingRow:
    """Return a serving row as the model reads it; its TPOT is 0 where none was published."""
    tensor, copies = number(row, "tp"), number(row, "dp")
    expert = max(number(row, "ep"), tensor * copies if copies > 1.0 else 1.0)
    clients = number(row, "concurrency", 0.0)
    chunk = 8192.0  # the engines' default budget of tokens per step; the table states none
    return ServingRow(
        source=row["source_id"],
        model=row["model"],
        family=accelerator.family,
        engine=engine_of(catalog, row["framework"], _release(row["framework"])),
        age_years=age_years(row["date"]),
        shape=shape,
        hardware=_hardware(
            accelerator, int(float(row["num_accel"])), accelerator.scale_up_domain or 1, 0.0
        ),
        precision=precision_of(precision) or precision,
        plan=np.array((tensor, number(row, "pp"), expert, chunk, clients, 0.0, 0.0)),
        input_tokens=float(row["isl"]),
        output_tokens=float(row["osl"]),
        clients=clients,
        tpot_s=number(row, "tpot_ms", 0.0) / 1e3,
        ttft_s=float(row["ttft_ms"]) / 1e3 if row["ttft_ms"] else None,
    )


def age_years(date: str) -> float:
    """Return how many years before the end of 2025 a date lies, 0 to 5; 0 where it states none.

    >>> age_years("2023"), age_years("2024-04"), age_years("20260216"), age_years("")
    (2.3, 1.5, 0.0, 0.0)
    """
    found = re.match(r"(20\d\d)(?:-?(\d\d))?", date.strip())
    if found is None:
        return 0.0
    month = float(found.group(2) or 6.5)
    return round(min(max(_NEWEST - float(found.group(1)) - (month - 0.5) / 12.0, 0.0), 5.0), 1)


_NEWEST = 2025.8
"""Year of most serving rows, from which the age of software is counted."""


def _release(software: str) -> tuple[int, ...]:
    """Return the numbers of the last word of a name of software: its release."""
    words = software.split()
    return tuple(int(p) for p in words[-1].split(".") if p.isdigit()) if words else ()


def as_measured(accelerator: Accelerator, count: int) -> Hardware:
    """Return accelerators as a serving table names them: the maker's domain and network."""
    return _hardware(accelerator, count, accelerator.scale_up_domain or 1, 0.0)


def _hardware(accelerator: Accelerator, count: int, domain: int, gbit_per_s: float) -> Hardware:
    network = gbit_per_s * 1e9 or SCALE_OUT_BIT_PER_S.get(accelerator.family, 400e9)
    return Hardware(
        key=f"{accelerator.key}-{count}",
        system="as measured",
        accelerator=accelerator,
        accelerators=count,
        racks=1,
        accelerators_per_rack=count,
        scale_up_accelerators=domain,
        scale_up_bytes_per_s=accelerator.scale_up_bytes_per_s or accelerator.host_bytes_per_s or 1,
        scale_out_bytes_per_s=network / 8.0,
        oversubscription=1.0,
        fabric_tiers=2,
        rack_overhead_w=0.0,
        rack_provisioned_w=1.0,
    )


def shape_of(row: Row) -> ModelShape:
    """Return the model's shape from the columns of a training row."""

    def whole(key: str) -> int:
        return int(number(row, key, 0.0))

    latent = bool(row["kv_lora"])
    kind = "mla" if latent else ("mha" if row["heads"] == row["kv_heads"] else "gqa")
    attention: dict[str, object] = {"kind": kind}
    if latent:
        attention |= {"q_lora": whole("q_lora") or None, "kv_lora": whole("kv_lora")}
        attention |= {"rope_dim": whole("rope_dim")}
        attention |= {"nope_dim": whole("head_dim"), "v_dim": whole("head_dim")}
    window = None
    if row["swa_window"]:
        every = whole("swa_every") or 1
        pattern = "".join("F" if (i + 1) % every == 0 else "S" for i in range(whole("layers")))
        window = SlidingWindow(window=whole("swa_window"), layer_pattern=pattern)
    moe = None
    if row["n_experts"]:
        moe = Experts(
            experts=whole("n_experts"),
            top_k=whole("top_k"),
            moe_ffn=whole("moe_ffn"),
            shared=whole("n_shared"),
            shared_ffn=whole("n_shared") * whole("moe_ffn"),
            first_dense=whole("first_dense"),
        )
    return ModelShape(
        name=row["model"],
        layers=whole("layers"),
        hidden=whole("hidden"),
        heads=whole("heads"),
        kv_heads=whole("heads") if latent else whole("kv_heads"),
        head_dim=whole("head_dim"),
        ffn=whole("ffn") or None,
        gated=row["gated"] != "0",
        vocab=whole("vocab"),
        attention=Attention.model_validate(attention),
        moe=moe,
        sliding_window=window,
    )


def known_accelerator(name: str, catalog: Catalog) -> Accelerator | None:
    """Return the accelerator that a table names, None where the catalog has none."""
    try:
        return catalog.accelerator(name)
    except UnknownComponentError:
        return None
