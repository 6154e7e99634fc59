"""A published model's `config.json` to a `ModelShape`: our own reader.

How each `model_type` spells its fields lies in `architectures/`, one file per type, with the
defaults of the type's own configuration class. A key that the shape depends on and that is neither
stated nor documented is an error that names it; a type without a file is an error that names the
nearest ones. Nothing is guessed, and a default that was used stands in the shape's `assumed`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import reduce
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rackwright.catalog.config_keys import ConfigKeys, Fields
from rackwright.catalog.config_precision import weight_precision
from rackwright.catalog.config_steps import STEPS
from rackwright.catalog.load import Catalog, load
from rackwright.records.architecture import Architecture
from rackwright.records.errors import InputError, UnknownComponentError, nearest
from rackwright.records.model import ModelShape

_KIND = "architectures"
_DEEPEST = 8  # readings extend readings; none is laid over more


def read_model_config(path: Path | str, components: Catalog | None = None) -> ModelShape:
    """Return the shape that a Hugging Face `config.json` states.

    Args:
        path: the file.
        components: the catalog with the readings; the shipped one by default.

    Raises:
        InputError: unreadable or malformed file, unknown `model_type`, missing or contradictory
            keys; all that can be told at once, one line each.
    """
    file = Path(path)
    try:
        return _shape(_object(file), file, components or load())
    except _MistakenConfigError as error:
        raise InputError([f"{file}: {text}" for text in error.args[0]]) from error


class _MistakenConfigError(Exception):
    """Lines about one file, without its name."""


def _object(file: Path) -> Mapping[str, Any]:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError([f"{file}: {getattr(error, 'strerror', None) or error}"]) from error
    except json.JSONDecodeError as error:
        raise InputError([f"{file}:{error.lineno}:{error.colno}: {error.msg}"]) from error
    except (RecursionError, ValueError) as error:  # nested or numbers beyond any real file
        raise InputError([f"{file}: {error}"]) from error
    if not isinstance(data, dict):
        raise _MistakenConfigError(["expected a JSON object with model_type"])
    return data


def _shape(data: Mapping[str, Any], file: Path, components: Catalog) -> ModelShape:
    kind, reading, own = _reading_of(data, components)
    keys = ConfigKeys(reading, own, data)
    fields = keys.stated()
    if keys.mistakes:
        raise _MistakenConfigError(keys.mistakes)
    fields = reduce(
        lambda so_far, name: {**so_far, **STEPS[name](keys, so_far)}, reading.steps, fields
    )
    fields = _completed(keys, fields)
    fields["biases"] = keys.biases()
    fields["weight_precision"] = weight_precision(
        own.get("quantization_config") or data.get("quantization_config"),
        own.get("expert_dtype"),
        keys.wrong,
    )
    if keys.mistakes:
        raise _MistakenConfigError(keys.mistakes)
    assumed = tuple(f"{key} = {_plain(value)}" for key, value in sorted(keys.assumed.items()))
    name = file.parent.name or file.stem
    try:
        return ModelShape.model_validate(
            {"name": name, "model_type": kind, "assumed": assumed, **_nested(fields)}
        )
    except ValidationError as error:
        raise _MistakenConfigError(
            [
                f"{'.'.join(map(str, e['loc'])) or kind}: {e['msg']}, found {e.get('input')!r:.60}"
                for e in error.errors()
            ]
        ) from error


def _reading_of(
    data: Mapping[str, Any], components: Catalog
) -> tuple[str, Architecture, Mapping[str, Any]]:
    """Return the type, its reading, and the table that it reads: an inner one where composite."""
    kind = data.get("model_type")
    if kind is None:
        raise _MistakenConfigError(
            ["model_type: missing; it decides how the file is read (rackwright catalog list "
             "architectures names those there are)"]
        )  # fmt: skip
    reading = _resolved(kind, components)
    if not reading.inside:
        return str(kind), reading, data
    inner = data.get(reading.inside)
    if inner is None and "num_hidden_layers" in data:  # a text-only file under the whole's type
        return reading.inside_type, _resolved(reading.inside_type, components), data
    if not isinstance(inner, Mapping):
        raise _MistakenConfigError(
            [f"{reading.inside}: found {inner!r:.60}, a {kind} file has the language model there"]
        )
    inner_kind = inner.get("model_type", reading.inside_type)
    inside = _resolved(inner_kind, components)
    if inside.inside:
        raise _MistakenConfigError(
            [f"{reading.inside}.model_type: {inner_kind!r} is composite itself"]
        )
    return str(inner_kind), inside, inner


def _resolved(kind: object, components: Catalog) -> Architecture:
    """Return a type's reading laid over those that it extends."""
    known = components.names(_KIND)
    if not isinstance(kind, str) or kind not in known:
        raise _MistakenConfigError(
            [f"model_type: no reader for {kind!r:.60} among {len(known)}."
             f"{nearest(str(kind)[:60], known) or ' See rackwright catalog list architectures.'}"]
        )  # fmt: skip
    chain: list[Architecture] = []
    while kind and len(chain) < _DEEPEST:
        try:
            chain.append(components.find(Architecture, kind))
        except UnknownComponentError as error:
            raise InputError([f"{chain[-1].key}: extends: {error}"]) from error
        kind = chain[-1].extends
    if kind:
        raise InputError(
            [f"{chain[0].key}: extends: more than {_DEEPEST} readings, or in a circle"]
        )
    reading = reduce(lambda base, top: top.over(base), reversed(chain))
    unknown = [step for step in reading.steps if step not in STEPS]
    if unknown:
        raise InputError(
            [f"{reading.key}: steps: no step {name!r}.{nearest(name, STEPS)}" for name in unknown]
        )
    return reading


def _completed(keys: ConfigKeys, fields: Fields) -> Fields:
    """Return the fields with what follows from others, and note what contradicts."""
    made = dict(fields)
    heads, hidden = int(made["heads"]), int(made["hidden"])
    kv_heads = made["kv_heads"] = int(made.get("kv_heads") or heads)
    if heads % kv_heads:
        keys.wrong(
            f"{keys.key('kv_heads')}: found {kv_heads}, which does not divide "
            f"{keys.key('heads')} {heads}"
        )
    if made.get("head_dim") is None:
        if hidden % heads:
            keys.wrong(
                f"{keys.key('head_dim')}: missing, and {keys.key('hidden')} {hidden} is not a "
                f"multiple of {keys.key('heads')} {heads}"
            )
        made["head_dim"] = max(hidden // heads, 1)
    if "attention.kind" not in made:
        kinds = {1: "mqa", heads: "mha"} if heads > 1 else {1: "mha"}
        made["attention.kind"] = kinds.get(kv_heads, "gqa")
    experts, chosen = made.get("moe.experts"), made.get("moe.top_k")
    if experts is None:
        made = {field: value for field, value in made.items() if not field.startswith("moe.")}
    elif chosen is None or chosen > experts:
        keys.wrong(
            f"{keys.key('moe.top_k')}: found {chosen}, allowed 1 to {keys.key('moe.experts')} "
            f"{experts}"
        )
    elif made.get("moe.shared") and not made.get("moe.shared_ffn"):
        made["moe.shared_ffn"] = made["moe.shared"] * (made.get("moe.moe_ffn") or 0)
    if _no_dense_layer(made):
        made["ffn"] = None
    return made


def _no_dense_layer(fields: Fields) -> bool:
    """Return whether every feed-forward part is one of experts."""
    pattern = str(fields.get("hybrid.layer_pattern") or "")
    return (
        "moe.experts" in fields
        and "-" not in pattern
        and not fields.get("moe.first_dense")
        and fields.get("moe.interleave", 1) == 1
        and not fields.get("moe.parallel_dense_mlp")
    )


def _nested(fields: Fields) -> dict[str, Any]:
    """Return dotted fields as tables; a table whose fields were all taken away is not there."""
    made: dict[str, Any] = {}
    for field, value in fields.items():
        if value is None or field.startswith("_"):
            continue
        part, _, name = field.rpartition(".")
        if part:
            made.setdefault(part, {})[name] = value
        else:
            made[name] = value
    return made


def _plain(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
