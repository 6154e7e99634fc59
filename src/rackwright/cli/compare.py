"""Compare two runs field by field."""

from __future__ import annotations

import json
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
    lines = lines[1:] or ["the runs say the same"]
    answer(document, lines, f"rackwright compare {left} {right} --all", as_json=as_json)


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
    shown = rows if all_fields else rows[:LEAST_LINES]
    cells = [
        [
            _cell(d.field),
            _cell(d.left),
            _cell(d.right),
            "" if d.relative is None else f"{d.relative:+.2%}",
        ]
        for d in shown
    ]
    more = len(rows) - len(shown)
    return table(["field", "left", "right", "right / left"], cells) + (
        [f"  and {more} more; --all prints them"] if more else []
    )


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    text = f"{value:,.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
