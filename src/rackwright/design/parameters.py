"""The model's few free numbers as joint draws: the same index is the same world everywhere.

They live in `catalog/efficiencies/`, one file per chip family, and `catalog/stacks/`, one per
software stack, with a median, a log-spread, a source and a grade each. A family or stack inherits
what its file does not name from its parent, and in the end from `common`; a family without a file
is `common` alone, with its wide spreads. What a fit on measurements says (`Calibration`) takes the
place of these, with its correlations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from zlib import crc32

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rackwright.catalog import Catalog, load
from rackwright.kernels.numbers import ServingEfficiency, TrainingEfficiency
from rackwright.records.calibration import Calibration
from rackwright.records.provenance import Grade, worst
from rackwright.records.rates import (
    Efficiencies,
    EfficiencyEntry,
    ServingEngine,
    SoftwareStack,
)
from rackwright.records.space import Parameters

ROOT = "common"
Software = SoftwareStack | ServingEngine
DEFAULT_STACK = "megatron-bridge-26.06"
"""Training software where nothing else is said: the newest that measurements know."""

DEFAULT_ENGINE = "vllm"
"""Serving software where nothing else is said: open, and the one with the most known rows."""

_SHARES = (
    "matmul.",
    "attention",
    "memory",
    "scale_up",
    "scale_out",
    "training.passes",
    "serving.acceptance",
)
_EACH_FAMILY, _EACH_ENGINE = "serving.family.", "serving.engine."
_BOUNDED = ("attention", "memory", "cache", "scale_up", "apart")
_LARGEST_SHARE = 0.98  # no draw of a share reaches the whole of what is physically there


def draw(
    catalog: Catalog,
    families: Iterable[str],
    n: int = 256,
    seed: int = 1,
    stacks: Iterable[str] = (DEFAULT_STACK, DEFAULT_ENGINE),
    calibrations: Sequence[Calibration] | None = None,
) -> Parameters:
    """Return joint draws of the parameters of some chip families and software stacks.

    Args:
        catalog: where the efficiencies are.
        families: chip families in use, as `Accelerator.family` spells them.
        n: worlds.
        seed: of the worlds. Another family or stack beside one changes nothing in its draws.
        stacks: software in use, keys of `catalog/stacks/` and `catalog/engines/`.
        calibrations: what fits say; None: those of the catalog; empty: none.

    Returns:
        Names `<owner>.<entry>`, the owner a family, a stack or `common`, sorted; medians as the
        nominal world; log-normal draws, shares kept below one; equal weights.
    """
    entries = prior_entries(catalog, families, stacks)
    posteriors = catalog.calibrations() if calibrations is None else tuple(calibrations)
    fitted: dict[str, tuple[float, NDArray[np.float64]]] = {}
    for posterior in posteriors:
        fitted |= _joint(posterior, n, seed)
    names = tuple(sorted(entries))
    nominal, columns, grades = [], [], []
    for name in names:
        owner, entry = entries[name]
        known = fitted.get(f"{owner}.{entry.name}")
        median, drawn = known or (entry.median, _draws(owner, entry, n, seed))
        if entry.name.startswith(_SHARES):
            drawn = np.minimum(drawn, _LARGEST_SHARE)
        nominal.append(median)
        columns.append(drawn)
        grades.append(Grade.B if known else entry.grade)
    return Parameters(
        names=names,
        nominal=np.array(nominal),
        values=np.array(columns).T,
        weights=np.full(n, 1.0 / n),
        grades=tuple(grades),
    )


def prior_entries(
    catalog: Catalog, families: Iterable[str], stacks: Iterable[str]
) -> dict[str, tuple[str, EfficiencyEntry]]:
    """Return the catalog's entries by the name in the draws, each with its owner.

    The owner is the family or stack whose file states it: an heir has it under its own name, with
    the owner's draws. What one family or engine differs from the others by (`serving.family.`,
    `serving.engine.`) each has for itself, from the spread that `common` states: a release or a
    later generation shares it with the one that it descends from.
    """
    families_, stacks_ = _by_name(catalog)
    entries: dict[str, tuple[str, EfficiencyEntry]] = {}
    for family in [ROOT, *sorted(set(families))]:
        for owner, entry in _chain(families_, family if family in families_ else ROOT):
            if family == ROOT or owner != ROOT:
                entries.setdefault(f"{family}.{entry.name}", (owner, entry))
    for stack in sorted(set(stacks)):
        for owner, entry in _chain(stacks_, stack):
            entries.setdefault(f"{stack}.{entry.name}", (owner, entry))
    own = [entry for _, entry in _chain(families_, ROOT)]
    for family in sorted(set(families)):
        for entry in own:
            if entry.name.startswith(_EACH_FAMILY):
                entries.setdefault(f"{family}.{entry.name}", (_top(families_, family), entry))
    for engine in sorted(set(stacks) & set(catalog.names("engines"))):
        for entry in own:
            if entry.name.startswith(_EACH_ENGINE):
                entries.setdefault(f"{engine}.{entry.name}", (_top(stacks_, engine), entry))
    return entries


def stack_of(
    catalog: Catalog, software: str, family: str, release: tuple[int, ...] = ()
) -> SoftwareStack:
    """Return the stack that a measured table's name of software means; `other` for none known.

    The longest beginning of the name that a stack claims wins; of equal ones the latest release
    that is not after the measured one and is for the chip family.
    """
    stacks = [s for s in catalog.all("stacks") if isinstance(s, SoftwareStack)]
    here = [s for s in stacks if not s.families or family in s.families]
    return catalog.find(SoftwareStack, _named(here, software, release) or "other-training")


def engine_of(catalog: Catalog, software: str, release: tuple[int, ...] = ()) -> ServingEngine:
    """Return the engine that a measured table's name of software means, as `stack_of` does."""
    engines = [e for e in catalog.all("engines") if isinstance(e, ServingEngine)]
    return catalog.find(ServingEngine, _named(engines, software, release) or "other-serving")


def _named(among: Sequence[Software], name: str, release: tuple[int, ...]) -> str | None:
    text = name.casefold()
    found = []
    for software in among:
        fits = [len(known) for known in software.names if text.startswith(known.casefold())]
        if fits and software.from_release <= release:
            found.append((max(fits), software.from_release, software.key))
    return max(found)[2] if found else None


def training_efficiencies(
    parameters: Parameters, family: str, precision: str, stack: SoftwareStack | None = None
) -> tuple[TrainingEfficiency, NDArray[np.float64], Grade]:
    """Return what the training kernels read: the nominal world, all draws, the worst grade.

    Args:
        parameters: from `draw`.
        family: chip family.
        precision: that products run at: bf16, fp16, fp8, int8, fp4.
        stack: the training software; None: `DEFAULT_STACK` as it ships.

    Returns:
        Nominal efficiencies, draws (S, E) in the same order, worst grade of the parameters.

    Raises:
        KeyError: the draws were made without this family and it has a file of its own.
    """
    stack = stack or _default_stack()
    recipe = training_recipe(precision, stack)
    columns = recipe_columns(parameters.names, (stack.key, family), recipe)
    table, grade = _table(parameters, columns)
    table = np.hstack([table, np.tile(training_switches(stack), (table.shape[0], 1))])
    return TrainingEfficiency(*table[0].tolist()), np.ascontiguousarray(table[1:]), grade


def serving_efficiencies(
    parameters: Parameters,
    family: str,
    precision: str,
    engine: ServingEngine | None = None,
    age_years: float = 0.0,
) -> tuple[ServingEfficiency, NDArray[np.float64], Grade]:
    """Return what the serving kernels read; arguments and result as `training_efficiencies`.

    Args:
        parameters, family, precision: as there.
        engine: the inference engine; None: `DEFAULT_ENGINE` as it ships.
        age_years: of the software, before the end of 2025: it was slower then.
    """
    owners = ((engine or _default_engine()).key, family)
    recipe = {**serving_recipe(precision), "year": (YEAR,)}
    table, grade = _table(parameters, recipe_columns(parameters.names, owners, recipe))
    table = aged(table, age_years)
    return ServingEfficiency(*table[0].tolist()), np.ascontiguousarray(table[1:]), grade


YEAR = "serving.year"
"""Entry by which software gets slower per year of its age."""


def aged(table: NDArray[np.float64], age_years: ArrayLike) -> NDArray[np.float64]:
    """Return serving efficiencies with the age of the software in them, shares kept below one.

    Args:
        table: (N, E + 1), the fields of `ServingEfficiency` and the factor per year.
        age_years: of all rows, or of each (N,).

    Returns:
        (N, E).
    """
    fields = ServingEfficiency._fields
    out = table[:, :-1].copy()
    out[:, fields.index("stack")] *= table[:, -1] ** np.asarray(age_years)
    bounded = [fields.index(name) for name in _BOUNDED]
    out[:, bounded] = np.minimum(out[:, bounded], _LARGEST_SHARE)
    return out


def value(parameters: Parameters, family: str, entry: str) -> tuple[float, NDArray[np.float64]]:
    """Return one parameter of a family: nominal and draws (S,)."""
    index = {name: i for i, name in enumerate(parameters.names)}
    column = index.get(f"{family}.{entry}", index.get(f"{ROOT}.{entry}"))
    if column is None:
        raise KeyError(f"{family}: no draws of {entry}; draw them for this family first")
    return float(parameters.nominal[column]), np.asarray(parameters.values[:, column])


@cache
def _default_stack() -> SoftwareStack:
    return load().find(SoftwareStack, DEFAULT_STACK)


@cache
def _default_engine() -> ServingEngine:
    return load().find(ServingEngine, DEFAULT_ENGINE)


def _by_name(
    catalog: Catalog,
) -> tuple[Mapping[str, Efficiencies], Mapping[str, Software]]:
    families = {f.family: f for f in catalog.all("efficiencies") if isinstance(f, Efficiencies)}
    software = (*catalog.all("stacks"), *catalog.all("engines"))
    kinds = (SoftwareStack, ServingEngine)
    return families, {s.key: s for s in software if isinstance(s, kinds)}


def _chain(
    files: Mapping[str, Efficiencies] | Mapping[str, Software], start: str
) -> list[tuple[str, EfficiencyEntry]]:
    """Return the entries that hold for a family or stack, each with the file it is from."""
    held: dict[str, tuple[str, EfficiencyEntry]] = {}
    at = start
    while at:
        for entry in files[at].parameter:
            held.setdefault(entry.name, (at, entry))
        at = files[at].parent or (ROOT if ROOT in files and at != ROOT else "")
    return list(held.values())


def _top(files: Mapping[str, Efficiencies] | Mapping[str, Software], name: str) -> str:
    """Return the family or software that one descends from in the end."""
    while name in files and files[name].parent:
        name = files[name].parent
    return name


def _draws(owner: str, entry: EfficiencyEntry, n: int, seed: int) -> NDArray[np.float64]:
    drawn: NDArray[np.float64] = entry.median * np.exp(
        entry.log_sd * _normals(f"{owner}.{entry.name}", n, seed)
    )
    return drawn


def _joint(
    posterior: Calibration, n: int, seed: int
) -> dict[str, tuple[float, NDArray[np.float64]]]:
    """Return each fitted parameter's median and draws, correlated as the fit left them."""
    if not posterior.names:
        return {}
    z = np.array([_normals(name, n, seed) for name in posterior.names])
    values, vectors = np.linalg.eigh(np.array(posterior.log_covariance))
    root = vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
    drawn = np.array(posterior.medians)[:, None] * np.exp(root @ z)
    return dict(zip(posterior.names, zip(posterior.medians, drawn, strict=True), strict=True))


def _normals(name: str, n: int, seed: int) -> NDArray[np.float64]:
    return np.random.default_rng([seed, crc32(name.encode())]).standard_normal(n)


Recipe = Mapping[str, tuple[str, ...]]
"""For each field of the efficiencies the entries whose product it is."""


def recipe_columns(
    names: Sequence[str], owners: Sequence[str], recipe: Recipe
) -> tuple[tuple[int, ...], ...]:
    """Return for each field of a recipe the columns of the draws whose product it is.

    Args:
        names: of the draws.
        owners: looked up in this order, `common` last.
        recipe: the entries of each field.

    Raises:
        KeyError: the draws lack an entry.
    """
    index = _index(tuple(names))
    found = []
    for entries in recipe.values():
        columns = []
        for entry in entries:
            column = next(
                (index[f"{o}.{entry}"] for o in (*owners, ROOT) if f"{o}.{entry}" in index), None
            )
            if column is None:
                raise KeyError(
                    f"{owners[-1]}: no draws of {entry}; draw them for this family first"
                )
            columns.append(column)
        found.append(tuple(columns))
    return tuple(found)


@cache
def _index(names: tuple[str, ...]) -> Mapping[str, int]:
    return {name: i for i, name in enumerate(names)}


def _table(
    parameters: Parameters, columns: Sequence[Sequence[int]]
) -> tuple[NDArray[np.float64], Grade]:
    """Return the nominal world and all draws (1 + S, E), each field the product of its entries."""
    worlds = np.vstack([parameters.nominal[None, :], parameters.values])
    out = np.ones((worlds.shape[0], len(columns)))
    for j, entries in enumerate(columns):
        for column in entries:
            out[:, j] *= worlds[:, column]
    used = {column for entries in columns for column in entries}
    return out, worst(parameters.grades[column] for column in sorted(used))


def training_recipe(precision: str, stack: SoftwareStack) -> Recipe:
    """Return what the fitted fields of `TrainingEfficiency` are made of, in their order."""
    grouped = {"bf16": "bf16", "fp16": "bf16", "fp4": "fp4", "int4": "fp4"}.get(precision, "fp8")
    return {
        **_matmul(precision),
        "grouped": (f"training.grouped.{grouped}",),
        "attention": (f"attention.{stack.attention}",),
        "exponentials_per_s": ("training.exponentials_per_s",),
        "memory": ("memory", "training.passes"),
        "scale_up": ("scale_up",),
        "scale_out": ("scale_out",),
        "scale_up_latency_s": ("training.scale_up_latency_s",),
        "scale_out_latency_s": ("training.scale_out_latency_s",),
        "layer_host_s": ("training.layer_host_s",),
        "moe_layer_host_s": ("training.moe_layer_host_s",),
        "expert_host_s": ("training.expert_host_s",),
        "step_host_s": ("training.step_host_s",),
        "stack": ("training.stack", "training.family"),
        "experts_stack": ("training.experts_stack",),
        "state_passes": ("training.state_passes",),
        "tensor_exposed": ("training.tensor_exposed",),
        "expert_exposed": ("training.expert_exposed",),
        "expert_interleaved": ("training.expert_interleaved",),
        "context_exposed": ("training.context_exposed",),
        "data_exposed": ("training.data_exposed",),
        "pipeline_exposed": ("training.pipeline_exposed",),
    }


_SCORE_BYTES = {"kept": 12.0, "flash": 0.0, "flash2": 0.0, "fused": 0.0}
"""Written; masked and normalised (read, write); dropped out (read, write); read: 2 B each."""


def training_switches(stack: SoftwareStack) -> NDArray[np.float64]:
    """Return the last fields of `TrainingEfficiency`, which the software decides."""
    return np.array(
        (
            _SCORE_BYTES[stack.attention],
            float(stack.sequence_parallel),
            stack.gradient_bytes,
            float(stack.dispatch == "rank"),
        )
    )


def serving_recipe(precision: str) -> Recipe:
    """Return what the fields of `ServingEfficiency` are made of, in their order.

    Most are a number, what the engine makes of it, and what the chip family does.
    """
    narrow = {"fp8": "fp8", "int8": "fp8", "fp4": "fp4", "int4": "fp4"}.get(precision)
    products = ("serving.products", "serving.engine.products", "serving.family.products")
    matmul = _matmul(precision)
    layers = ("serving.engine.layers", "serving.family.layers")
    return {
        "matmul": (*matmul["matmul"], *products, *([f"serving.products.{narrow}"] * bool(narrow))),
        "matmul_bf16": (*matmul["matmul_bf16"], *products),
        "grouped": (f"serving.grouped.{narrow or 'bf16'}", "serving.engine.grouped"),
        "attention": ("serving.attention",),
        "memory": ("memory", "serving.memory", "serving.engine.memory", "serving.family.memory"),
        "cache": ("memory", "serving.cache", "serving.engine.cache"),
        "scale_up": ("scale_up", "serving.messages"),
        "scale_out": ("scale_out",),
        "scale_up_latency_s": (
            "serving.scale_up_latency_s",
            "serving.engine.latency",
            "serving.family.latency",
        ),
        "scale_out_latency_s": ("serving.scale_out_latency_s",),
        "exchange_latency_s": ("serving.exchange_latency_s",),
        "layer_s": ("serving.layer_s", *layers),
        "moe_layer_s": ("serving.moe_layer_s", "serving.engine.moe_layers"),
        "state_layer_s": ("serving.state_layer_s", *layers),
        "step_s": ("serving.step_s", "serving.engine.step"),
        "prefill_step_s": ("serving.prefill_step_s",),
        "request_s": ("serving.request_s", "serving.engine.request"),
        "tile": ("serving.tile",),
        "apart": ("serving.apart",),
        "skew": ("serving.skew",),
        "stack": ("serving.engine.stack", "serving.family.stack"),
        "acceptance": ("serving.acceptance",),
        "first_s": ("serving.first_s", "serving.engine.first"),
        "first_layer_s": ("serving.first_layer_s", "serving.engine.first_layers"),
        "first_moe_layer_s": ("serving.first_moe_layer_s", "serving.engine.first_moe_layers"),
        "first_wave": ("serving.first_wave",),
        "in_step": ("serving.engine.in_step",),
        "joined": ("serving.joined",),
    }


def _matmul(precision: str) -> Recipe:
    name = {"fp16": "bf16", "int8": "fp8", "int4": "fp4"}.get(precision, precision)
    return {"matmul": (f"matmul.{name}",), "matmul_bf16": ("matmul.bf16",)}
