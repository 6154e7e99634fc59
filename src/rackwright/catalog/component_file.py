"""One component's file to its record: refused unless every number is sourced and plausible."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from rackwright.catalog.kinds import TABLES, kind_of
from rackwright.catalog.plausible import implausible
from rackwright.catalog.toml_file import line_of, read_toml
from rackwright.records.component import Accelerator, Component, Part
from rackwright.records.errors import InputError, nearest
from rackwright.records.model import Model
from rackwright.records.provenance import Grade
from rackwright.records.rates import Efficiencies, ServingEngine, SoftwareStack

C = TypeVar("C", bound=Component)

PACKAGE = "package"
"""Table of an accelerator's file for what a rack maker buys of it: the package without memory."""

_LISTS = ("source", "alternative", "price", "lead_time", "parameter", "cause")
_WEAK = ("estimate", "recalled")
_DAY = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


def read_component(path: Path, cls: type[C]) -> C:
    """Return the component in one file; its key is the file's name.

    A part that is asked for in the file of an accelerator is its package (`has_package`).
    Where an `[[alternative]]` is better graded than what the table states, its value is taken and
    the table's becomes the alternative, unless it says why it is `not_taken`.

    Raises:
        InputError: damaged TOML, unknown or ill-typed keys, a number without a source, a unit in a
            value or a forgotten prefix, an estimate without a note; one line each, all at once.
    """
    data, text = read_toml(path)
    if cls is Part and path.parent.name == kind_of(Accelerator):
        key, data = f"{PACKAGE}-{path.stem}", _package(data, path.stem)
    else:
        key = path.stem
    mistakes = tuple(_ill_formed(data, cls))
    if mistakes:
        raise _told(path, text, mistakes)
    body, lists = best_graded(data[TABLES[cls]], {k: data[k] for k in _LISTS if k in data})
    if cls is Model and isinstance(body.get("shape"), dict):
        body = {**body, "shape": {"name": path.stem, **body["shape"]}}
    try:
        component = cls(**{**body, **lists, "key": key})
    except ValidationError as error:
        lines = [
            f"{'.'.join(map(str, e['loc'])) or TABLES[cls]}: "
            + e["msg"].removeprefix("Value error, ")
            for e in error.errors()
        ]
        raise _told(path, text, lines) from error
    mistakes = tuple(_unsourced(body, component))
    if mistakes:
        raise _told(path, text, mistakes)
    return component


def _told(path: Path, text: str, mistakes: Sequence[str]) -> InputError:
    return InputError([f"{path}:{line_of(text, line)}: {line}" for line in mistakes])


def has_package(path: Path) -> bool:
    """Return whether an accelerator's file states its package too, without reading it whole."""
    try:
        return f"\n[{PACKAGE}]" in path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False  # said when the accelerator itself is read


def _package(data: Mapping[str, Any], accelerator: str) -> dict[str, Any]:
    """Return the package table of an accelerator's file as the file of a part."""
    table = data[PACKAGE] if isinstance(data.get(PACKAGE), dict) else {}
    lists = {name: value for name, value in table.items() if name in _LISTS}
    body = {name: value for name, value in table.items() if name not in _LISTS}
    about = {"category": PACKAGE, "for_component": accelerator}
    return {"part": {**body, **about}, **lists}


def best_graded(
    body: Mapping[str, Any], lists: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a file's table and lists with each field at its best-graded value.

    Among equal grades what the table states stays. Dotted fields reach one table down.
    """
    made, sources = dict(body), list(lists.get("source", ()))
    kept: list[dict[str, Any]] = []
    for other in lists.get("alternative", ()):
        field, _, inner = str(other["field"]).partition(".")
        stating = [s for s in sources if field in s["fields"]]
        best = min(stating, key=lambda s: str(s["grade"]), default=None)
        better = best is not None and str(other["grade"]) < str(best["grade"])
        if best is None or not better or other.get("not_taken"):
            kept.append(other)
            continue
        now = made[field][inner] if inner else made[field]
        about = {k: best[k] for k in ("title", "url", "retrieved", "kind", "note") if k in best}
        kept.append({"field": other["field"], "value": now, "grade": best["grade"], **about})
        made[field] = {**made[field], inner: other["value"]} if inner else other["value"]
        taken = {k: v for k, v in other.items() if k not in ("field", "value")}
        sources.append({"fields": [field], **taken})
    return made, {**lists, "source": sources, "alternative": kept}


def _ill_formed(data: Mapping[str, Any], cls: type[Component]) -> Iterator[str]:
    """Yield what is wrong before the table can become a record."""
    table = TABLES[cls]
    for key in data:
        if key not in (table, *_LISTS) and (cls, key) != (Accelerator, PACKAGE):
            yield f"{key}: not known here, expected [{table}]"
    body = data.get(table)
    if not isinstance(body, dict):
        yield f"the table [{table}] is missing"
        return
    known = set(cls.model_fields) - {"key", *_LISTS}
    for key in body:
        if key not in known:
            yield f"{key}: not a field of [{table}].{nearest(key, known)}"
    yield from implausible(kind_of(cls), body, cls)
    for name in _LISTS:
        for i, entry in enumerate(_tables(data.get(name, ()))):
            if entry is None:
                yield f"{name}[{i}]: expected a table, as [[{name}]]"
            elif name == "alternative":
                yield from _ill_alternative(i, entry, body, cls)
            elif name == "source" and not _are_words(entry.get("fields")):
                yield f"source[{i}].fields: expected a list of the fields that it states"
            elif name == "source" and not isinstance(entry.get("grade"), str):
                yield f"source[{i}].grade: missing; A, B, C or D"


def _ill_alternative(
    i: int, entry: Mapping[str, Any], body: Mapping[str, Any], cls: type[Component]
) -> Iterator[str]:
    field, _, inner = str(entry.get("field", "")).partition(".")
    stated = body.get(field)
    if inner:
        stated = stated.get(inner) if isinstance(stated, dict) else None
    if stated is None:
        yield f"alternative[{i}].field: {entry.get('field')!r} is not a key of this file"
    elif not isinstance(entry.get("grade"), str):
        yield f"alternative[{i}].grade: missing; A, B, C or D"
    elif isinstance(entry.get("value"), str) != isinstance(stated, str) or "value" not in entry:
        yield f"alternative[{i}].value: found {entry.get('value')!r}, the file states {stated!r}"
    else:
        told = {field: {inner: entry["value"]} if inner else entry["value"]}
        for text in implausible(kind_of(cls), told, cls):
            yield f"alternative[{i}]: {text}"


def _unsourced(body: Mapping[str, Any], component: Component) -> Iterator[str]:
    stated = {field for source in component.source for field in source.fields}
    for key, value in body.items():
        if _holds_number(value) and key not in stated:
            yield f"{key}: no [[source]] names this number"
    for field in sorted(stated - set(body)):
        yield f"source.fields: {field!r} is not a key of this file"
    for label, kind, grade, note, day in _claims(component):
        if kind in _WEAK and not note:
            yield f"{label}: an {kind} needs a note saying what it rests on"
        if kind in _WEAK and grade != Grade.D:
            yield f"{label}: an {kind} has grade D, not {grade}"
        if day is not None and not _is_day(day):
            yield f"{label}: found the day {day!r}, allowed 2026, 2026-11 or 2026-11-22"


def _is_day(text: str) -> bool:
    """Return whether a text is a year, a month or a day that the calendar has.

    >>> _is_day("2026-11"), _is_day("2026-31-31"), _is_day("2026-02-30")
    (True, False, False)
    """
    if not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text + "-01" * (2 - text.count("-")))
    except ValueError:
        return False
    return True


def _claims(component: Component) -> Iterator[tuple[str, str, Grade, str, str | None]]:
    for source in component.source:
        label = f"source {source.title!r}"
        yield label, source.kind, source.grade, source.note, source.retrieved
    for other in component.alternative:
        yield f"alternative {other.field}", other.kind, other.grade, other.note, other.retrieved
    for price in component.price:
        yield f"price ({price.basis})", price.kind, price.grade, price.note, price.as_of
    for lead in component.lead_time:
        yield f"lead_time ({lead.basis})", lead.kind, lead.grade, lead.note, lead.as_of
    for entry in (
        component.parameter
        if isinstance(component, (Efficiencies, ServingEngine, SoftwareStack))
        else ()
    ):
        yield f"parameter {entry.name}", entry.kind, entry.grade, entry.note, None


def _holds_number(value: object) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, (int, float)):
        return True
    if isinstance(value, Mapping):
        return any(_holds_number(item) for item in value.values())
    return isinstance(value, list) and any(_holds_number(item) for item in value)


def _tables(entries: object) -> Iterator[Mapping[str, Any] | None]:
    if not isinstance(entries, (list, tuple)):
        yield None
        return
    for entry in entries:
        yield entry if isinstance(entry, dict) else None


def _are_words(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
