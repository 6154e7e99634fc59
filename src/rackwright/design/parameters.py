"""The model's few free numbers as joint draws: the same index is the same world everywhere.

They live in `catalog/efficiencies/`, one file per chip family, with a median, a log-spread, a
source and a grade each. A family inherits what its file does not name from its parent, and in
the end from `common`; a family without a file is `common` alone, with its wide spreads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from rackwright.catalog import Catalog
from rackwright.kernels.numbers import ServingEfficiency, TrainingEfficiency
from rackwright.records.provenance import Grade, worst
from rackwright.records.rates import Efficiencies, EfficiencyEntry
from rackwright.records.space import Parameters

ROOT = "common"
_SHARES = ("matmul.", "attention", "memory", "scale_up", "scale_out", "training.passes")
_LARGEST_SHARE = 0.98  # no draw of a share reaches the whole of what is physically there


def draw(catalog: Catalog, families: Iterable[str], n: int = 256, seed: int = 1) -> Parameters:
    """Return joint draws of the parameters of some chip families.

    Args:
        catalog: where the efficiencies are.
        families: chip families in use, as `Accelerator.family` spells them.
        n: worlds.
        seed: of the worlds. A parameter's draws depend on the seed and on its own name only:
            another family beside it changes nothing.

    Returns:
        Names `<family>.<entry>` (or `common.<entry>`), sorted; medians as the nominal world;
        log-normal draws, shares kept below one; equal weights.
    """
    entries: dict[str, tuple[str, EfficiencyEntry]] = {}
    for family in [ROOT, *sorted(set(families))]:
        for owner, entry in _chain(catalog, family).values():
            if family == ROOT or owner != ROOT:
                entries[f"{family}.{entry.name}"] = (owner, entry)
    names = tuple(sorted(entries))
    columns = [_draws(*entries[name], n, seed) for name in names]
    return Parameters(
        names=names,
        nominal=np.array([entries[name][1].median for name in names]),
        values=np.array(columns).T,
        weights=np.full(n, 1.0 / n),
        grades=tuple(entries[name][1].grade for name in names),
    )


def training_efficiencies(
    parameters: Parameters, family: str, precision: str, experts: bool
) -> tuple[TrainingEfficiency, NDArray[np.float64], Grade]:
    """Return what the training kernels read: the nominal world, all draws, the worst grade.

    Args:
        parameters: from `draw`.
        family: chip family.
        precision: that products run at: bf16, fp16, fp8, int8, fp4.
        experts: whether the model is a mixture of experts.

    Returns:
        Nominal efficiencies, draws (S, E) in the same order, worst grade of the parameters.

    Raises:
        KeyError: the draws were made without this family and it has a file of its own.
    """
    recipe, fields = _training(precision, experts), TrainingEfficiency._fields
    table, grade = _table(parameters, family, recipe, fields)
    return TrainingEfficiency(*table[0].tolist()), np.ascontiguousarray(table[1:]), grade


def serving_efficiencies(
    parameters: Parameters, family: str, precision: str, experts: bool
) -> tuple[ServingEfficiency, NDArray[np.float64], Grade]:
    """Return what the serving kernels read; arguments and result as `training_efficiencies`."""
    recipe, fields = _serving(precision, experts), ServingEfficiency._fields
    table, grade = _table(parameters, family, recipe, fields)
    return ServingEfficiency(*table[0].tolist()), np.ascontiguousarray(table[1:]), grade


def value(parameters: Parameters, family: str, entry: str) -> tuple[float, NDArray[np.float64]]:
    """Return one parameter of a family: nominal and draws (S,)."""
    index = {name: i for i, name in enumerate(parameters.names)}
    column = index.get(f"{family}.{entry}", index.get(f"{ROOT}.{entry}"))
    if column is None:
        raise KeyError(f"{family}: no draws of {entry}; draw them for this family first")
    return float(parameters.nominal[column]), np.asarray(parameters.values[:, column])


def _chain(catalog: Catalog, family: str) -> dict[str, tuple[str, EfficiencyEntry]]:
    """Entries that hold for a family, with the family each is inherited from."""
    held: dict[str, tuple[str, EfficiencyEntry]] = {}
    files = {f.family: f for f in catalog.all("efficiencies") if isinstance(f, Efficiencies)}
    at: str | None = family if family in files else ROOT
    while at is not None:
        for entry in files[at].parameter:
            held.setdefault(entry.name, (at, entry))
        at = files[at].parent or (ROOT if at != ROOT else None)
    return held


def _draws(owner: str, entry: EfficiencyEntry, n: int, seed: int) -> NDArray[np.float64]:
    key = crc32(f"{owner}.{entry.name}".encode())
    z = np.random.default_rng([seed, key]).standard_normal(n)
    drawn: NDArray[np.float64] = entry.median * np.exp(entry.log_sd * z)
    if entry.name.startswith(_SHARES):
        drawn = np.minimum(drawn, _LARGEST_SHARE)
    return drawn


Recipe = Mapping[str, tuple[str, ...]]


def _table(
    parameters: Parameters, family: str, recipe: Recipe, fields: Sequence[str]
) -> tuple[NDArray[np.float64], Grade]:
    """Return the nominal world and all draws (1 + S, E), each field the product of its entries."""
    index = {name: i for i, name in enumerate(parameters.names)}
    worlds = np.vstack([parameters.nominal[None, :], parameters.values])
    out = np.ones((worlds.shape[0], len(fields)))
    used: list[Grade] = []
    for j, field in enumerate(fields):
        for entry in recipe[field]:
            column = index.get(f"{family}.{entry}", index.get(f"{ROOT}.{entry}"))
            if column is None:
                raise KeyError(f"{family}: no draws of {entry}; draw them for this family first")
            out[:, j] *= worlds[:, column]
            used.append(parameters.grades[column])
    return out, worst(used)


def _training(precision: str, experts: bool) -> Recipe:
    grouped = "bf16" if precision in ("bf16", "fp16") else "narrow"
    stack = ("training.stack", "training.experts_stack") if experts else ("training.stack",)
    return {
        **_hardware(precision),
        "grouped": (f"training.grouped.{grouped}",),
        "memory": ("memory", "training.passes"),
        "scale_up": ("scale_up",),
        "scale_up_latency_s": ("training.scale_up_latency_s",),
        "scale_out_latency_s": ("training.scale_out_latency_s",),
        "launch_s": ("training.launch_s",),
        "stack": stack,
        "tensor_exposed": ("training.tensor_exposed",),
        "expert_exposed": ("training.expert_exposed",),
        "data_exposed": ("training.data_exposed",),
        "pipeline_exposed": ("training.pipeline_exposed",),
    }


def _serving(precision: str, experts: bool) -> Recipe:
    stack = ("serving.stack", "serving.experts_stack") if experts else ("serving.stack",)
    return {
        **_hardware(precision),
        "grouped": ("serving.grouped",),
        "memory": ("memory",),
        "scale_up": ("scale_up", "serving.messages"),
        "scale_up_latency_s": ("serving.scale_up_latency_s",),
        "scale_out_latency_s": ("serving.scale_out_latency_s",),
        "layer_s": ("serving.layer_s",),
        "moe_layer_s": ("serving.moe_layer_s",),
        "step_s": ("serving.step_s",),
        "stack": stack,
        "first_token_stack": ("serving.first_token_stack",),
    }


def _hardware(precision: str) -> dict[str, tuple[str, ...]]:
    name = {"fp16": "bf16", "int8": "fp8", "int4": "fp4"}.get(precision, precision)
    return {
        "matmul": (f"matmul.{name}",),
        "matmul_bf16": ("matmul.bf16",),
        "attention": ("attention",),
        "scale_out": ("scale_out",),
    }
