"""A bill of materials as a table, CSV or Excel, and back: one row for each line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from pydantic import ValidationError

from rackwright.formats.atomic import reason_of, write_bytes
from rackwright.records.bill import BillOfMaterials, BillRow
from rackwright.records.errors import InputError, RackwrightError

COLUMNS = tuple(BillRow.model_fields)
_DESIGN = "design"
"""The first line of a file: this word and the design's key."""


def write_bill(bill: BillOfMaterials, path: Path) -> Path:
    """Write a bill to a file that ends in .csv or .xlsx; return the path.

    Raises:
        RackwrightError: another ending, or it cannot be written.
    """
    lines = [[_DESIGN, bill.design], list(COLUMNS), *([*_cells(row)] for row in bill.rows)]
    if path.suffix == ".csv":
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(lines)
        return write_bytes(path, text.getvalue().encode())
    if path.suffix == ".xlsx":
        return write_bytes(path, _workbook(lines))
    raise RackwrightError(f"{path}: a bill ends in .csv or .xlsx")


def read_bill(path: Path) -> BillOfMaterials:
    """Return the bill in a file that `write_bill`, or a person with a spreadsheet, wrote.

    Raises:
        InputError: the file is damaged, lacks columns, or has cells that cannot be right; each
            with its row and column.
    """
    lines = list(_excel_lines(path) if path.suffix == ".xlsx" else _csv_lines(path))
    if len(lines) < 2 or lines[0][0] != _DESIGN or len(lines[0]) < 2 or not lines[0][1]:
        raise InputError([f"{path}:1: the first line must be `{_DESIGN}` and the design's key"])
    header = lines[1][: len(COLUMNS)]
    if tuple(header) != COLUMNS:
        raise InputError([f"{path}:2: the columns must be {', '.join(COLUMNS)}"])
    rows: list[BillRow] = []
    mistakes: list[str] = []
    for number, cells in enumerate(lines[2:], start=3):
        given = {name: cell for name, cell in zip(COLUMNS, cells, strict=False) if cell != ""}
        try:
            rows.append(BillRow.model_validate(given))
        except ValidationError as error:
            mistakes += [_told(path, number, e) for e in error.errors()]
    known = {row.number for row in rows}
    for row in rows:
        above = row.number.rpartition(".")[0]
        if above and above not in known and not mistakes:
            mistakes.append(f"{path}: line {row.number}: there is no line {above} above it")
    if mistakes:
        raise InputError(mistakes)
    return BillOfMaterials(design=str(lines[0][1]), rows=tuple(rows))


def _told(path: Path, number: int, error: Any) -> str:
    name = str(error["loc"][0]) if error["loc"] else ""
    column = _letters(COLUMNS.index(name)) if name in COLUMNS else "?"
    if error["type"] == "missing":
        return f"{path}: cell {column}{number} ({name}): is empty; it is needed"
    return (
        f"{path}: cell {column}{number} ({name}): found {error['input']!r}: "
        f"{str(error['msg'])[0].lower()}{str(error['msg'])[1:]}"
    )


def _letters(index: int) -> str:
    return chr(ord("A") + index)


def _cells(row: BillRow) -> Iterator[Any]:
    for name in COLUMNS:
        value = getattr(row, name)
        if value is None:
            yield ""
        elif isinstance(value, float):
            yield int(value) if value.is_integer() and abs(value) < 1e15 else value
        else:
            yield str(value)


def _csv_lines(path: Path) -> Iterator[list[str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.reader(file)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError([f"{path}: cannot be read as CSV: {reason_of(error)}"]) from None


def _workbook(lines: Sequence[Sequence[Any]]) -> bytes:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("bill")
    for line in lines:
        sheet.append(list(line))
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def _excel_lines(path: Path) -> Iterator[list[Any]]:
    from openpyxl import load_workbook

    try:
        book = load_workbook(path, read_only=True, data_only=True)
        for cells in book.worksheets[0].iter_rows(values_only=True):
            yield ["" if c is None else _as_text(c) for c in cells]
    except (OSError, BadZipFile, KeyError, ValueError, IndexError, EOFError) as error:
        raise InputError(
            [f"{path}: is damaged or no Excel file: {reason_of(error)}. Save it anew as .xlsx."]
        ) from None


def _as_text(cell: Any) -> Any:
    """Return a cell as its record wants it: line numbers such as 1.1 may have become numbers."""
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    return cell
