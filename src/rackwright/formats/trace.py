"""Traces of requests: CSV or JSON lines with arrivals, lengths and names of prefix blocks.

Known spellings are those of the traces that are published: Mooncake's JSON lines (milliseconds,
`hash_ids` of 512 tokens), Azure's CSV (dates, `ContextTokens`, `GeneratedTokens`), replayed runs
(`arrival_s`, `input_tokens`, `output_tokens`).
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.records.errors import InputError, nearest

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

ARRIVAL = {"arrival_s": 1.0, "arrived_s": 1.0, "time_s": 1.0, "arrival_ms": 1e-3, "timestamp": 1e-3}
"""Names of the column of arrivals and what one of its units is [s]; dates count in seconds."""
TICKS = "timestamp"
"""The one name whose unit it does not tell: what was read is noted."""
INPUT = ("input_tokens", "input_length", "contexttokens", "prompt_tokens")
OUTPUT = ("output_tokens", "output_length", "generatedtokens", "completion_tokens")
HASHES = ("hash_ids", "prefix_hashes")
HASH_TOKENS = 512
"""Tokens of a prefix block where nothing else is said: those of Mooncake's traces."""
SHOWN = 20
"""Mistakes that are told one by one; the others are counted."""


class Trace(NamedTuple):
    """Requests in the order of their arrival."""

    arrivals: Array  # (N,) [s], from the first on
    inputs: Whole  # (N,) tokens
    outputs: Whole  # (N,)
    counts: Whole  # (N,) named prefix blocks
    names: Whole  # of all requests, one after another
    notes: tuple[str, ...]  # what was done to it


def read_trace(file: Path) -> Trace:
    """Return the requests of a trace.

    Requests that stand out of order are sorted, those without output are kept; both are noted.

    Raises:
        InputError: a file that cannot be read, a missing column, and every cell that is no time or
            length, with its line.
    """
    mistakes: list[str] = []
    rows: list[tuple[float, int, int, tuple[int, ...]]] = []
    names: dict[str, int] = {}
    dates, ticks = False, False
    for line, row in _rows(file, mistakes):
        arrival, dated = _arrival(file, line, row, mistakes)
        dates = dates or dated
        ticks = ticks or (not dated and next(name for name in ARRIVAL if name in row) == TICKS)
        given = _length(file, line, row, INPUT, mistakes)
        said = _length(file, line, row, OUTPUT, mistakes)
        rows.append((arrival, given, said, _hashes(file, line, row, names, mistakes)))
    if mistakes:
        more = len(mistakes) - SHOWN
        told = mistakes[:SHOWN] + ([f"{file}: and {more:,} more mistakes"] if more > 0 else [])
        raise InputError(told)
    if not rows:
        raise InputError([f"{file}: holds no request"])
    arrivals = np.array([row[0] for row in rows])
    order = np.argsort(arrivals, kind="stable")
    notes = []
    late = int(np.sum(np.diff(arrivals) < 0.0))
    if late:
        notes.append(f"{late:,} requests stood before an earlier one: sorted by arrival")
    together = arrivals.size - np.unique(arrivals).size
    if together > 0.05 * arrivals.size:
        notes.append(f"{together:,} requests share their instant with another one: kept as it is")
    if ticks:
        notes.append("`timestamp` was read as milliseconds; `arrival_s` would be seconds")
    if dates or arrivals.min() > 0.0:
        notes.append(f"time runs from the first arrival, {'a date' if dates else 'at'} "
                     f"{'' if dates else f'{arrivals.min():g} s'}".rstrip())  # fmt: skip
    hashes = [rows[i][3] for i in order]
    return Trace(
        arrivals[order] - arrivals.min(),
        np.array([rows[i][1] for i in order], dtype=np.int64),
        np.array([rows[i][2] for i in order], dtype=np.int64),
        np.array([len(h) for h in hashes], dtype=np.int64),
        np.array([name for h in hashes for name in h], dtype=np.int64),
        tuple(notes),
    )


def _rows(file: Path, mistakes: list[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield lines as tables with small names; what is malformed goes to the mistakes."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError([f"{file}: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise InputError([f"{file}: is no text in UTF-8: {error}"]) from error
    if text.lstrip()[:1] in "{[":
        yield from _json_lines(file, text, mistakes)
    else:
        yield from _csv_lines(file, text, mistakes)


def _json_lines(
    file: Path, text: str, mistakes: list[str]
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for line, words in enumerate(text.splitlines(), start=1):
        if not words.strip():
            continue
        try:
            row = json.loads(words)
        except ValueError as error:
            mistakes.append(f"{file}:{line}: is no JSON: {error}")
            continue
        if not isinstance(row, dict):
            mistakes.append(f"{file}:{line}: found {words[:40]!r}, one JSON object is needed")
            continue
        named = {str(key).casefold(): value for key, value in row.items()}
        absent = _absent(tuple(named))
        if absent:
            mistakes += [f"{file}:{line}: {what}" for what in absent]
            continue
        yield line, named


def _csv_lines(
    file: Path, text: str, mistakes: list[str]
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.DictReader(text.splitlines())
    names = tuple((name or "").strip().casefold() for name in reader.fieldnames or ())
    absent = _absent(names)
    if absent:
        raise InputError([f"{file}:1: {what}" for what in absent])
    try:
        for row in reader:
            if None in row or None in row.values():
                mistakes.append(
                    f"{file}:{reader.line_num}: has not the {len(names)} cells of the head"
                )
                continue
            yield reader.line_num, dict(zip(names, row.values(), strict=True))
    except csv.Error as error:
        mistakes.append(f"{file}:{reader.line_num}: {error}")


def _absent(names: tuple[str, ...]) -> list[str]:
    wanted = (("arrivals", tuple(ARRIVAL)), ("prompt lengths", INPUT), ("answer lengths", OUTPUT))
    return [
        f"no column of {what}; it is named {', '.join(known)}."
        f"{next((near for name in names if (near := nearest(name, known))), '')}"
        for what, known in wanted
        if not set(known) & set(names)
    ]


def _arrival(
    file: Path, line: int, row: Mapping[str, Any], mistakes: list[str]
) -> tuple[float, bool]:
    name = next(name for name in ARRIVAL if name in row)
    found = row[name]
    value, dated = _number(found), False
    if value is None and isinstance(found, str):
        value = _date(found)
        dated = value is not None
    if value is None or value < 0.0:
        mistakes.append(f"{file}:{line}: {name}: found {found!r}, a time >= 0 or a date is needed")
        return 0.0, False
    return value if dated else value * ARRIVAL[name], dated


def _date(text: str) -> float | None:
    """Return seconds of a date and time; digits past the microsecond are kept."""
    head, _, tail = text.strip().partition(".")
    digits = tail[: len(tail) - len(tail.lstrip("0123456789"))]
    zone = tail[len(digits) :]
    try:
        at = datetime.fromisoformat(head + zone)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return at.timestamp() + (float(f"0.{digits}") if digits else 0.0)


def _length(
    file: Path, line: int, row: Mapping[str, Any], names: tuple[str, ...], mistakes: list[str]
) -> int:
    name = next(name for name in names if name in row)
    value = _number(row[name])
    if value is None or value < 0.0 or value != int(value) or value > 1e9:
        mistakes.append(
            f"{file}:{line}: {name}: found {row[name]!r}, a whole number of tokens >= 0 is needed"
        )
        return 0
    return int(value)


def _number(found: Any) -> float | None:
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return None
    try:
        value = float(found)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _hashes(
    file: Path, line: int, row: Mapping[str, Any], names: dict[str, int], mistakes: list[str]
) -> tuple[int, ...]:
    """Return small numbers for the names of prefix blocks; in a CSV cell spaces part them."""
    found = next((row[name] for name in HASHES if name in row), None)
    if found is None or found == "":
        return ()
    listed = found.replace(";", " ").replace(",", " ").split() if isinstance(found, str) else found
    if not isinstance(listed, list) or not all(isinstance(n, int | str) for n in listed):
        mistakes.append(f"{file}:{line}: prefix blocks: found {found!r}, a list of names is needed")
        return ()
    return tuple(names.setdefault(str(name), len(names)) for name in listed)
