"""Published measurements as typed rows: what ran, on what, and how long it took.

The tables are `training_measured.csv` and `serving_measured.csv`; the columns are described in
the files beside them. A row that lacks what the model needs is left out here and counted.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.catalog import Catalog
from rackwright.records.component import Accelerator
from rackwright.records.errors import InputError, UnknownComponentError
from rackwright.records.hardware import Hardware
from rackwright.records.model import Attention, Experts, ModelShape, SlidingWindow

Row = Mapping[str, str]

PRECISIONS = {
    "FP16": "bf16",
    "BF16": "bf16",
    "FP8": "fp8",
    "FP8-ROW": "fp8",
    "MXFP8": "fp8",
    "NVFP4": "fp4",
    "fp16": "bf16",
}
"""Spellings in the tables; fp16 and bf16 run at one rate on every accelerator here."""

SCALE_OUT_BIT_PER_S = {"Blackwell Ultra": 800e9}
"""Network per accelerator of the reference systems where a row states none; else 400e9."""

_RECOMPUTE = {"full": 2.0, "none": 0.0, "minimal": 0.0, "": 0.0}


class TrainingRow(NamedTuple):
    """One measured training configuration."""

    source: str
    group: str
    release: tuple[int, ...]
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
    shape: ModelShape
    hardware: Hardware
    precision: str
    plan: NDArray[np.float64]
    input_tokens: float
    output_tokens: float
    clients: float
    tpot_s: float
    ttft_s: float | None


def read_training(
    folder: Path, catalog: Catalog, families: tuple[str, ...]
) -> tuple[TrainingRow, ...]:
    """Return the complete, clean rows of transformer models on accelerators of some families.

    Raises:
        InputError: the table is not in the folder.
    """
    found = []
    for row in _table(folder / "training_measured.csv"):
        accelerator = _accelerator(row["accelerator"], catalog)
        usable = row["config_complete"] == "1" and not row["quality"] and row["mbs"]
        known = row["arch"] in ("dense", "moe", "moe_mla") and row["offload"] in ("", "none")
        if accelerator is not None and accelerator.family in families and usable and known:
            found.append(_training_row(row, accelerator))
    return tuple(found)


def read_serving(
    folder: Path, catalog: Catalog, families: tuple[str, ...], models: tuple[str, ...]
) -> tuple[ServingRow, ...]:
    """Return rows of one engine with a fixed-concurrency client, a TPOT, and no caveat.

    Args:
        folder: where the table is.
        catalog: names of accelerators and models.
        families: chip families wanted.
        models: model names as the table spells them; none means all.

    Raises:
        InputError: the table is not in the folder.
    """
    found = []
    for row in _table(folder / "serving_measured.csv"):
        wanted = row["mode"] == "agg" and not row["flags"] and row["tpot_ms"]
        if not wanted or (models and row["model"] not in models):
            continue
        accelerator = _accelerator(row["accelerator"], catalog)
        if accelerator is None or accelerator.family not in families:
            continue
        try:
            shape = catalog.model(row["model"])
        except UnknownComponentError:
            continue
        if row["concurrency"] not in ("", "inf"):
            found.append(_serving_row(row, accelerator, shape))
    return tuple(found)


def _training_row(row: Row, accelerator: Accelerator) -> TrainingRow:
    count = int(row["n_acc"])
    step = _number(row, "step_time_s", 0.0)
    if step == 0.0:
        tokens = float(row["gbs"]) * float(row["seq"])
        step = tokens / (float(row["tokens_per_s_per_acc"]) * count)
    data, micro = float(row["dp"]), float(row["mbs"])
    plan = (
        _number(row, "tp"),
        _number(row, "pp"),
        _number(row, "vpp"),
        _number(row, "cp"),
        _number(row, "ep"),
        data,
        micro,
        max(1.0, float(row["gbs"]) / (data * micro)),
        _RECOMPUTE.get(row["recompute"], 1.0),
        _number(row, "zero_stage"),
    )
    domain = int(_number(row, "scaleup_size", float(accelerator.scale_up_domain or 1)))
    return TrainingRow(
        source=row["source_id"],
        group=row["group"],
        release=tuple(
            int(part) for part in row["software"].split(" ")[-1].split(".") if part.isdigit()
        ),
        family=accelerator.family,
        shape=_shape(row),
        mtp_layers=_number(row, "mtp", 0.0),
        hardware=_hardware(accelerator, count, domain, _number(row, "inter_gbit_per_s", 0.0)),
        precision=PRECISIONS[row["precision"]],
        plan=np.array(plan),
        sequence=float(row["seq"]),
        step_s=step,
    )


def _serving_row(row: Row, accelerator: Accelerator, shape: ModelShape) -> ServingRow:
    tensor, copies = _number(row, "tp"), _number(row, "dp")
    expert = max(_number(row, "ep"), tensor * copies if copies > 1.0 else 1.0)
    clients = float(row["concurrency"])
    chunk = 8192.0  # the engines' default budget of tokens per step; the table states none
    precision = row["precision"] or "bf16"
    return ServingRow(
        source=row["source_id"],
        model=row["model"],
        family=accelerator.family,
        shape=shape,
        hardware=_hardware(
            accelerator, int(row["num_accel"]), accelerator.scale_up_domain or 1, 0.0
        ),
        precision=PRECISIONS.get(precision, precision),
        plan=np.array((tensor, _number(row, "pp"), expert, chunk, clients)),
        input_tokens=float(row["isl"]),
        output_tokens=float(row["osl"]),
        clients=clients,
        tpot_s=float(row["tpot_ms"]) / 1e3,
        ttft_s=float(row["ttft_ms"]) / 1e3 if row["ttft_ms"] else None,
    )


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


def _shape(row: Row) -> ModelShape:
    def whole(key: str) -> int:
        return int(_number(row, key, 0.0))

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


def _number(row: Row, key: str, absent: float = 1.0) -> float:
    return float(row[key]) if row[key] else absent


def _accelerator(name: str, catalog: Catalog) -> Accelerator | None:
    try:
        return catalog.accelerator(name)
    except UnknownComponentError:
        return None


def _table(path: Path) -> Iterator[Row]:
    if not path.is_file():
        raise InputError([f"{path}: no such table; give the folder that holds it"])
    with path.open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)
