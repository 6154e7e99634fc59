"""What a record type allows at a key path: asked by the messages and by the tables.

A slot is a field's type with its marks (a quantity's unit, limits). Slots are found by walking a
record's fields along a path through the data that was read.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel

from rackwright.formats.toml_lines import Path
from rackwright.records.quantity import Quantity


class Slot(NamedTuple):
    """A type as annotated, the marks on it, and what its field is for."""

    annotation: Any
    marks: tuple[Any, ...] = ()
    description: str = ""


def slot_at(cls: type[BaseModel], path: Path, raw: object) -> Slot | None:
    """Return the slot at a key path, or None where the type has no such place.

    Args:
        cls: the record type of the whole document.
        path: the way to the value.
        raw: the document as parsed; it decides between alternatives (a workload's `kind`).
    """
    slot: Slot | None = Slot(cls)
    node: Any = raw
    for part in path:
        if slot is None:
            return None
        slot = _inside(slot, part, node)
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            node = None
    return slot


def model_of(slot: Slot | None, raw: object) -> type[BaseModel] | None:
    """Return the record type that a slot holds, chosen by the data among alternatives."""
    models = [] if slot is None else [t for t in kinds(slot) if _is_model(t)]
    keys = raw if isinstance(raw, dict) else {}
    return max(models, key=lambda model: _likeness(model, keys), default=None)


def kinds(slot: Slot) -> list[Any]:
    """Return the alternatives of a slot's type, without None and without marks."""
    return [option.annotation for option in _options(slot)]


def expected(slot: Slot) -> str:
    """Return in words what may be written in a slot."""
    options = _options(slot)
    for option in options:
        for mark in option.marks:
            if isinstance(mark, Quantity):
                return mark.allowed()
    words = " or ".join(dict.fromkeys(_words(option.annotation) for option in options))
    return words + _limit_words([mark for option in options for mark in option.marks])


def _inside(slot: Slot, part: str | int, node: object) -> Slot | None:
    model = model_of(slot, node)
    if model is not None and isinstance(part, str):
        found = model.model_fields.get(part)
        if found is None:
            return None
        return Slot(found.annotation, tuple(found.metadata), found.description or "")
    for kind in kinds(slot):
        arguments = get_args(kind)
        if get_origin(kind) in (tuple, list) and isinstance(part, int):
            fixed = len(arguments) > 1 and arguments[1] is not Ellipsis
            return Slot(arguments[part] if fixed and part < len(arguments) else arguments[0])
        if get_origin(kind) is dict:
            return Slot(arguments[1])
    return None


def _options(slot: Slot) -> list[Slot]:
    return list(_flat(slot))


def _flat(slot: Slot) -> Iterator[Slot]:
    origin = get_origin(slot.annotation)
    if origin is Annotated:
        inner, *marks = get_args(slot.annotation)
        yield from _flat(Slot(inner, (*slot.marks, *marks)))
    elif origin in (Union, types.UnionType):
        for option in get_args(slot.annotation):
            if option is not type(None):
                yield from _flat(Slot(option, slot.marks))
    else:
        yield slot


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _likeness(model: type[BaseModel], raw: dict[str, Any]) -> tuple[int, int]:
    """Count literal fields that agree with the data, then names in common."""
    agree = sum(
        raw.get(name) in get_args(field.annotation)
        for name, field in model.model_fields.items()
        if get_origin(field.annotation) is Literal and isinstance(raw.get(name), str)
    )
    return agree, len(raw.keys() & model.model_fields.keys())


_WORDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    date: "a date such as 2026-01-31",
}


def _words(kind: Any) -> str:
    origin = get_origin(kind)
    if origin is Literal:
        return "one of " + ", ".join(f'"{value}"' for value in get_args(kind))
    if origin in (tuple, list):
        return "a list"
    if origin is dict or _is_model(kind):
        return "a table"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "one of " + ", ".join(f'"{member.value}"' for member in kind)
    return _WORDS.get(kind, getattr(kind, "__name__", str(kind)))


def _limit_words(marks: list[Any]) -> str:
    signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
    found = [
        f"{sign} {getattr(mark, name):g}"
        for mark in marks
        for name, sign in signs.items()
        if isinstance(getattr(mark, name, None), int | float)
    ]
    return f" {' and '.join(found)}" if found else ""
