"""The border: files come in, records go on, and mistakes are told all at once.

`read_record` is the way in for everything a person writes. Inside the product a record can then be
trusted.
"""

from __future__ import annotations

import json
import re
import tomllib
from datetime import date, time
from pathlib import Path as FilePath
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from rackwright.formats.mistakes import mistakes_of, shown
from rackwright.formats.places import Locator
from rackwright.formats.tables import put_in_tables
from rackwright.formats.toml_lines import json_lines, toml_lines
from rackwright.records.base import Record
from rackwright.records.errors import InputError, nearest

R = TypeVar("R", bound=Record)


class Document(NamedTuple):
    """A parsed file: plain tables and lists, and where each value stands."""

    raw: dict[str, Any]
    locator: Locator


def read_record(cls: type[R], path: str | FilePath) -> R:
    """Return the record that a TOML or JSON file describes.

    Raises:
        InputError: the file cannot be read or does not describe such a record; one line for each
            mistake, with file, line, key, what was found, what is allowed and the nearest name.
    """
    return read_located(cls, path)[0]


def read_located(cls: type[R], path: str | FilePath) -> tuple[R, Locator]:
    """Return the record and the locator of its values, for checks that need more than the file."""
    document = parse(path)
    return accept(cls, document), document.locator


def read_json_lines(cls: type[R], path: str | FilePath) -> tuple[tuple[R, ...], Locator]:
    """Return the records of a file with one JSON object per line; empty lines are skipped.

    The locator's paths begin with the record's index.
    """
    file, text = str(path), read_text(path)
    locator = Locator(file, {})
    records: list[R] = []
    mistakes: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            raw = _table(json.loads(line), file, number)
            records.append(accept(cls, Document(raw, Locator(file, {}, line=number))))
        except json.JSONDecodeError as error:
            mistakes.append(f"{file}:{number}: column {error.colno}: malformed JSON: {error.msg}")
        except RecursionError:
            mistakes.append(f"{file}:{number}: nested too deeply")
        except InputError as error:
            mistakes.extend(error.mistakes)
        locator.lines[(len(records) - 1,)] = number
    if mistakes:
        raise InputError(mistakes)
    return tuple(records), locator


def parse(path: str | FilePath) -> Document:
    """Return the tables and lists of a TOML file, or of a JSON file (by its first sign).

    Raises:
        InputError: the file is missing, no text or malformed; with line and column.
    """
    file, text = str(path), read_text(path)
    try:
        if text.lstrip()[:1] == "{" or FilePath(path).suffix == ".json":
            return _parse_json(file, text)
        return _parse_toml(file, text)
    except RecursionError:
        raise InputError([f"{file}:1: nested too deeply to be read"]) from None


def accept(cls: type[R], document: Document) -> R:
    """Return the record that a parsed document describes; tables beside it are read first.

    Raises:
        InputError: every mistake found.
    """
    raw, mistakes = put_in_tables(cls, document.raw, document.locator)
    try:
        # Strict JSON: "5" is no number and true no count, yet lists and dates are as in the file.
        record = cls.model_validate_json(json.dumps(_plain(raw)), strict=True)
    except ValidationError as error:
        raise InputError([*mistakes, *mistakes_of(error, cls, raw, document.locator)]) from None
    if mistakes:
        raise InputError(mistakes)
    return record


def read_text(path: str | FilePath) -> str:
    """Return a file's text.

    Raises:
        InputError: no such file, a folder, not readable, or not UTF-8 (with the line).
    """
    file = FilePath(path)
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise InputError([f"{file}: no such file.{_near_files(file)}"]) from None
    except IsADirectoryError:
        raise InputError([f"{file}: is a folder, not a file.{_files_inside(file)}"]) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError([f"{file}: cannot be read: {reason}"]) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = f"found byte 0x{data[error.start]:02x}, which is not UTF-8 text"
        raise InputError([f"{file}:{line}: {found}: save the file as UTF-8"]) from None


def _near_files(file: FilePath) -> str:
    try:
        return nearest(file.name, [entry.name for entry in file.parent.iterdir()])
    except OSError:
        return f" The folder {file.parent} cannot be read."


def _files_inside(folder: FilePath) -> str:
    found = sorted(folder.glob("*.toml"))
    return f" Did you mean {found[0]}?" if found else ""


def _parse_toml(file: str, text: str) -> Document:
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError([_malformed_toml(file, text, str(error))]) from None
    except ValueError as error:  # tomllib lets these through: a 31st of June, a number too long
        raise InputError([f"{file}:1: malformed TOML: {error}"]) from None
    return Document(raw, Locator(file, toml_lines(text)))


def _malformed_toml(file: str, text: str, message: str) -> str:
    match = re.fullmatch(
        r"(?P<what>.*) \(at (?:line (\d+), column (\d+)|end of document)\)", message
    )
    what = match["what"] if match else message
    what = {"Cannot overwrite a value": "this key is written twice"}.get(what, what)
    last = max(len(text.splitlines()), 1)
    line, column = int(match[2] or last) if match else last, (match[3] if match else "") or "end"
    here = (text.splitlines() or [""])[min(line, last) - 1]
    unquoted = re.search(r"=\s*(-?[\d._]+ *[A-Za-z%][\w/% ]*?) *(?:[#,\]}]|$)", here)
    hint = f' A quantity with a unit stands in quotes: "{unquoted[1]}".' if unquoted else ""
    return f"{file}:{line}: column {column}: malformed TOML: {what}.{hint}"


def _parse_json(file: str, text: str) -> Document:
    try:
        raw = _table(json.loads(text), file, 1)
    except json.JSONDecodeError as error:
        place = f"{file}:{error.lineno}: column {error.colno}"
        raise InputError([f"{place}: malformed JSON: {error.msg}"]) from None
    except ValueError as error:
        raise InputError([f"{file}:1: malformed JSON: {error}"]) from None
    lines, twice = json_lines(text)
    locator = Locator(file, lines)
    if twice:
        raise InputError([locator.mistake(path, "is written twice") for path in twice])
    return Document(raw, locator)


def _table(raw: object, file: str, line: int) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise InputError([f"{file}:{line}: found {shown(raw)}, allowed a JSON object"])
    return raw


_EXACT = 2**53  # whole numbers below it are the same as int and as float


def _plain(value: Any) -> Any:
    """Return parsed data as JSON has it: dates as text, 104.0 as the whole number it is."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _EXACT:
        return float(value) if abs(value) < 10**300 else str(value)[:40]
    return value
