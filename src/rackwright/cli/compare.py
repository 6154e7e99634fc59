"""Compare two runs field by field."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from rackwright.cli.output import JsonFlag, answer
from rackwright.cli.tables import table
from rackwright.drawing.compare import Difference, differences
from rackwright.records.errors import RackwrightError, nearest

RECORDS = ("summary", "front", "plan", "acceptance_plan", "acceptance_report", "decision")
"""Records that are compared unless others are named; draws and hashes are left out."""

LEAST_LINES = 40
MANY = 5
"""Fields of a part that only one run has, from which on they are one line."""

Run = Annotated[Path, typer.Argument(help="a run folder")]


def run(
    left: Run,
    right: Run,
    record: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="compare this record only, such as plan-us-only"),
    ] = None,
    all_fields: Annotated[bool, typer.Option("--all", help="print every difference")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Compare two runs field by field.

    The largest relative differences come first; fields that only one run has come last.
    """
    names = tuple(record or RECORDS)
    found = {name: _compared(left, right, name, asked=bool(record)) for name in names}
    document = {
        name: [{**d._asdict(), "relative": d.relative} for d in rows]
        for name, rows in found.items()
    }
    lines: list[str] = []
    for name, rows in found.items():
        if rows:
            lines += ["", f"{name}: {len(rows)} fields differ", *_lines(rows, all_fields)]
    following = f"rackwright compare {left} {right} --all"
    if not lines:
        lines, following = ["", "the runs say the same"], f"rackwright compare {left} OTHER_RUN"
    answer(document, lines[1:], following, as_json=as_json)


def _compared(left: Path, right: Path, name: str, *, asked: bool) -> list[Difference]:
    documents = []
    for folder in (left, right):
        if not (folder / "ledger.json").is_file():
            raise RackwrightError(f"{folder}: is no run folder; rackwright run writes one.")
        file = folder / f"{name}.json"
        if not file.is_file():
            if asked:
                known = sorted(p.stem for p in folder.glob("*.json"))
                raise RackwrightError(
                    f"{file}: no such record.{nearest(name, known)} There is {', '.join(known)}."
                )
            return []
        documents.append(_plain(json.loads(file.read_text(encoding="utf-8"))))
    return sorted(differences(*documents), key=_size)


def _plain(value: Any) -> Any:
    """Drop references to draws and hashes: they differ whenever anything does."""
    if isinstance(value, dict):
        return {
            key: _plain(item)
            for key, item in value.items()
            if not key.endswith("sha256") and not (isinstance(item, dict) and "sha256" in item)
        }
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _size(difference: Difference) -> tuple[int, float, str]:
    relative = difference.relative
    if relative is not None:
        return 0, -abs(relative), difference.field
    return (1 if None not in (difference.left, difference.right) else 2), 0.0, difference.field


def _lines(rows: list[Difference], all_fields: bool) -> list[str]:
    alone: list[str] = []
    if not all_fields:
        rows, alone = _only_in_one(rows)
    shown = rows if all_fields else rows[:LEAST_LINES]
    cells = [
        [
            _cell(d.field),
            _cell(d.left),
            _cell(d.right),
            "" if d.relative is None else f"{100 * d.relative:+.2f} %",
        ]
        for d in shown
    ]
    more = len(rows) - len(shown)
    lines = table(["field", "left", "right", "right / left"], cells) if cells else []
    lines += [f"  and {more} more; --all prints them"] if more else []
    return lines + alone


def _only_in_one(rows: list[Difference]) -> tuple[list[Difference], list[str]]:
    """Return the rows without parts that one run lacks altogether, and a line for each of those."""
    parts: dict[str, list[Difference]] = {}
    for row in rows:
        parts.setdefault(re.split(r"[.\[]", row.field, maxsplit=1)[0], []).append(row)
    lacking = {
        part: side
        for part, inside in parts.items()
        for side in ("left", "right")
        if len(inside) >= MANY and all(getattr(row, side) is None for row in inside)
    }
    lines = [
        f"  {part}: the {side} run has none ({len(parts[part])} fields; --all prints them)"
        for part, side in lacking.items()
    ]
    return [r for part, inside in parts.items() if part not in lacking for r in inside], lines


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    text = f"{value:,.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
