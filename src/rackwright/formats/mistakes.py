"""Every mistake that validation found, as lines that a person can act on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from rackwright.formats.fields import expected, model_of, slot_at
from rackwright.formats.places import Locator, Place
from rackwright.formats.toml_lines import Path
from rackwright.records.errors import nearest


def mistakes_of(
    error: ValidationError, cls: type[BaseModel], raw: object, locator: Locator
) -> list[str]:
    """Return one line per mistake, in the order of the files.

    Args:
        error: what pydantic found.
        cls: the record type that was asked for.
        raw: the parsed document, with tables beside it already put in.
        locator: where its values stand.
    """
    lines: dict[tuple[object, ...], tuple[Place, str]] = {}
    for details in error.errors(include_url=False):
        path = _path(details, raw)
        if _is_echo(details, path, raw):
            continue
        path, text = _tell(details, path, cls, raw, locator)
        place = locator.place(path)
        # One line per value; and an unknown or missing column once, not once per row.
        once = details["type"] in ("missing", "extra_forbidden") and place.file != locator.file
        same = (place.file, path[-1], details["type"]) if once and path else (path,)
        lines.setdefault(same, (place, locator.mistake(path, text)))
    return [line for _, line in sorted(lines.values(), key=_by_place(locator.files))]


def _by_place(files: Iterable[str]) -> Callable[[tuple[Place, str]], tuple[int, int]]:
    order = {file: i for i, file in enumerate(files)}
    return lambda entry: (order.get(entry[0].file, len(order)), entry[0].line)


def _path(details: ErrorDetails, raw: object) -> Path:
    """Return pydantic's location without the names of union members that it puts between."""
    path: Path = ()
    node: Any = raw
    for i, part in enumerate(details["loc"]):
        last = i == len(details["loc"]) - 1
        inside = isinstance(node, dict) and part in node
        within = isinstance(node, list) and isinstance(part, int) and part < len(node)
        if inside or within:
            path, node = (*path, part), node[part]
        elif last and details["type"] == "missing":
            path = (*path, part)
    return path


def _is_echo(details: ErrorDetails, path: Path, raw: object) -> bool:
    """Tell whether a list is called too short only because its elements are wrong."""
    value = _value(raw, path) if details["type"] == "too_short" else None
    return isinstance(value, list) and len(value) >= details["ctx"]["min_length"]


def _value(raw: object, path: Path) -> object:
    node: Any = raw
    for part in path:
        node = node[part]
    return node


def _tell(
    details: ErrorDetails, path: Path, cls: type[BaseModel], raw: object, locator: Locator
) -> tuple[Path, str]:
    """Return the path to cite and the text: found, allowed, nearest."""
    kind, context = details["type"], details.get("ctx", {})
    if kind == "missing":
        slot = slot_at(cls, path, raw)
        purpose = f" ({slot.description})" if slot and slot.description else ""
        return path, f"missing{purpose}, allowed {expected(slot) if slot else 'a value'}."
    if kind == "extra_forbidden":
        model = model_of(slot_at(cls, path[:-1], raw), _value(raw, path[:-1]))
        known = tuple(model.model_fields) if model else ()
        hint = nearest(str(path[-1]), known) or f" Known here: {', '.join(known)}."
        return path, f"found an unknown key.{hint}"
    if kind == "value_error":
        return _retold(str(context.get("error", details["msg"])), path, locator)
    if kind == "quantity":
        found = context["found"]
        return path, f"found {found}, allowed {context['allowed']}.{context['hint']}"
    found = shown(_value(raw, path))
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return _untagged(path, raw, context)
    return path, f"found {found}, allowed {_allowed(details, path, cls, raw)}"


def _allowed(details: ErrorDetails, path: Path, cls: type[BaseModel], raw: object) -> str:
    kind, context = details["type"], details.get("ctx", {})
    slot = slot_at(cls, path, raw)
    value = _value(raw, path)
    if kind in _LIMITS:
        sign, name = _LIMITS[kind]
        limit = f"{sign} {context[name]:g}"
        words = expected(slot) if slot else limit
        return f"{words}." if limit in words else f"{limit} ({words})."
    if kind == "string_pattern_mismatch":
        purpose = f" ({slot.description})" if slot and slot.description else ""
        return f"text of the form {context['pattern']}{purpose}."
    if kind == "too_short":
        return f"at least {context['min_length']} of them."
    if kind == "finite_number":
        return f"a finite number: {expected(slot) if slot else 'a number'}."
    if kind in ("literal_error", "enum"):
        choices = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        return f"{context.get('expected', '')}.{nearest(str(value), choices)}"
    if slot is not None:
        return f"{expected(slot)}."
    return details["msg"].removeprefix("Input should be ") + "."


_LIMITS = {
    "greater_than": (">", "gt"),
    "greater_than_equal": ("≥", "ge"),
    "less_than": ("<", "lt"),
    "less_than_equal": ("≤", "le"),
}


def _untagged(path: Path, raw: object, context: Mapping[str, Any]) -> tuple[Path, str]:
    key = str(context["discriminator"]).strip("'")
    choices = re.findall(r"'([^']*)'", str(context.get("expected_tags", "")))
    table = _value(raw, path)
    if not isinstance(table, dict):
        return path, f"found {shown(table)}, allowed a table."
    if key not in table:
        return (*path, key), 'missing; it says which keys belong here, such as kind = "serving".'
    found = table[key]
    allowed = ", ".join(f'"{choice}"' for choice in choices)
    return (*path, key), f"found {shown(found)}, allowed {allowed}.{nearest(str(found), choices)}"


_KEY_FIRST = re.compile(
    r"(?P<key>[a-z_][a-z0-9_]*(?:\[\d+\]|\.[a-z0-9_]+)*): (?P<text>.*)", re.DOTALL
)


def _retold(message: str, path: Path, locator: Locator) -> tuple[Path, str]:
    """Place a record's own message at the key that it begins with, if it begins with one."""
    match = _KEY_FIRST.fullmatch(message)
    if match is None:
        return path, message
    parts = re.findall(r"[a-z0-9_]+", match["key"])
    inner: Path = tuple(int(part) if part.isdigit() else part for part in parts)
    if (*path, *inner) in locator.lines or (*path, *inner) in locator.cells:
        return (*path, *inner), match["text"]
    return path, message


def shown(value: object) -> str:
    """Return a value as its file would show it, shortened."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 60 else f'"{value[:57]}..."'
    if value is None:
        return "nothing"
    return value.isoformat() if isinstance(value, date) else f"{value!s:.60}"
