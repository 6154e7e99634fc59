"""Tables beside a study: a list of tables may live in a spreadsheet.

Where a study has a list of tables, such as `supplies`, it may say `supplies = { table =
"supply.csv" }`. Each row is then one element; the header names its keys. `robots.capex_usd` names
a key of a table inside; `per_week@26` is the step of a ramp that begins in week 26. An empty cell
is a key that is not there. Excel files name a sheet with `sheet = "..."`, or the first is read.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path as FilePath
from typing import Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel

from rackwright.formats.fields import Slot, kinds, model_of, slot_at
from rackwright.formats.places import Locator, Place
from rackwright.formats.toml_lines import Path
from rackwright.records.errors import InputError, nearest


def put_in_tables(
    cls: type[BaseModel], raw: dict[str, Any], locator: Locator
) -> tuple[dict[str, Any], list[str]]:
    """Return the document with the rows of its tables in place, and the mistakes made there.

    Args:
        cls: the record type; only a list of records is looked for in a table.
        raw: the parsed document; it is not changed.
        locator: learns the place of every cell, and the files that were read.
    """
    mistakes: list[str] = []

    def visit(value: Any, path: Path) -> Any:
        if isinstance(value, dict):
            element = _element(slot_at(cls, path, raw)) if _is_reference(value) else None
            if element is not None:
                return _rows(element, path, value, locator, mistakes)
            return {key: visit(inner, (*path, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [visit(inner, (*path, i)) for i, inner in enumerate(value)]
        return value

    return visit(raw, ()), mistakes


def _is_reference(value: dict[str, Any]) -> bool:
    return isinstance(value.get("table"), str) and value.keys() <= {"table", "sheet"}


def _element(slot: Slot | None) -> Slot | None:
    """Return what a list of records holds; None where the slot is no list of records."""
    for kind in kinds(slot) if slot else []:
        if get_origin(kind) in (tuple, list):
            element = Slot(get_args(kind)[0])
            return element if model_of(element, {}) is not None else None
    return None


def _rows(
    element: Slot,
    path: Path,
    reference: dict[str, Any],
    locator: Locator,
    mistakes: list[str],
) -> list[dict[str, Any]]:
    file = FilePath(locator.file).parent / reference["table"]
    rows: list[dict[str, Any]] = []
    try:
        grid = list(_grid(file, reference.get("sheet")))
    except (InputError, OSError) as error:
        reason = str(error) if isinstance(error, InputError) else f"{file}: {error.strerror}"
        mistakes.append(locator.mistake((*path, "table"), reason))
        return rows
    locator.files.append(str(file))
    if not grid:
        mistakes.append(f"{file}:1: found an empty table, allowed a header and rows")
        return rows
    columns, wrong = _columns(f"{file}:{grid[0].number}", grid[0].cells)
    mistakes.extend(wrong)
    for line in grid[1:] if not wrong else []:
        if len(line.cells) > len(columns):
            found = f"found {len(line.cells)} cells, the header has {len(columns)}"
            mistakes.append(f"{file}:{line.number}: {found}")
        else:
            here = (*path, len(rows))
            locator.cells[here] = Place(str(file), line.number)
            filled = zip(columns, line.cells, strict=False)
            row = [(column, cell) for column, cell in filled if cell not in (None, "")]
            rows.append(_row(element, here, row, locator))
    return rows


class _Line(NamedTuple):
    number: int
    cells: list[Any]


class _Column(NamedTuple):
    header: str
    keys: tuple[str, ...]
    week: float | None


def _columns(place: str, header: list[Any]) -> tuple[list[_Column], list[str]]:
    columns: list[_Column] = []
    mistakes: list[str] = []
    for i, cell in enumerate(header):
        text = str(cell or "").strip()
        name, at, week = text.partition("@")
        if not name:
            mistakes.append(f"{place}: column {i + 1} has no name")
        elif at and not _NUMBER.fullmatch(week):
            mistakes.append(f'{place}: column "{text}": found "{week}" after @, allowed a week')
        elif text in [column.header for column in columns]:
            mistakes.append(f'{place}: column "{text}" is there twice')
        else:
            columns.append(_Column(text, tuple(name.split(".")), float(week) if at else None))
    return columns, mistakes


def _row(
    element: Slot, path: Path, filled: list[tuple[_Column, Any]], locator: Locator
) -> dict[str, Any]:
    row: dict[str, Any] = {}
    model = model_of(element, {column.header: cell for column, cell in filled})
    place = locator.cells[path]
    for column, cell in filled:
        *outer, key = column.keys
        table = row
        for name in outer:
            inner = table.setdefault(name, {})
            table = inner if isinstance(inner, dict) else {}
        here = (*path, *column.keys)
        locator.cells[here] = place._replace(column=column.header)
        if column.week is None:
            table[key] = _typed(cell, slot_at(model, column.keys, row) if model else None)
            continue
        ramp = table.setdefault(key, [])
        if isinstance(ramp, list):
            locator.cells[(*here, len(ramp))] = place._replace(column=column.header)
            ramp.append({"week": column.week, "value": _typed(cell, Slot(float))})
    return row


_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")


def _typed(cell: Any, slot: Slot | None) -> Any:
    """Return a cell as its field wants it: a spreadsheet does not say what is text."""
    wanted = kinds(slot) if slot else []
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if not isinstance(cell, str):
        whole = isinstance(cell, float) and cell.is_integer()
        return str(int(cell) if whole else cell) if wanted == [str] else cell
    text = cell.strip()
    if (int in wanted or float in wanted) and _NUMBER.fullmatch(text):
        return float(text) if re.search(r"[.eE]", text) else int(text)
    if bool in wanted and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return text


def _grid(file: FilePath, sheet: object) -> Iterator[_Line]:
    if not file.is_file():
        raise InputError([f"{file}: no such file.{_near(file)}"])
    excel = file.suffix.lower() == ".xlsx"
    return _excel_grid(file, sheet) if excel else _csv_grid(file)


def _csv_grid(file: FilePath) -> Iterator[_Line]:
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError([f"{file}: is not UTF-8 text; save it as CSV UTF-8"]) from None
    first = text.split("\n", 1)[0]
    # A German or French Excel writes semicolons.
    reader = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=first.count), strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _Line(reader.line_num, list(cells))
    except csv.Error as error:
        raise InputError([f"{file}:{reader.line_num}: malformed CSV: {error}"]) from None


def _excel_grid(file: FilePath, sheet: object) -> Iterator[_Line]:
    # Imported here: only a study with an Excel table waits for it.
    from openpyxl import load_workbook

    try:
        book = load_workbook(file, read_only=True, data_only=True)
    except Exception as error:  # a file that is no workbook fails in many ways: zip, XML, keys
        raise InputError([f"{file}: is not an Excel workbook: {error}"]) from None
    try:
        name = book.sheetnames[0] if sheet is None else str(sheet)
        if name not in book.sheetnames:
            raise InputError([f'{file}: no sheet "{name}".{nearest(name, book.sheetnames)}'])
        for number, cells in enumerate(book[name].iter_rows(values_only=True), 1):
            kept = list(cells)
            while kept and kept[-1] in (None, ""):
                kept.pop()
            if kept:
                yield _Line(number, kept)
    finally:
        book.close()


def _near(file: FilePath) -> str:
    if not file.parent.is_dir():
        return f" There is no folder {file.parent}."
    return nearest(file.name, [entry.name for entry in file.parent.iterdir()])
