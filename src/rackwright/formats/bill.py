"""A bill of materials as a table, CSV or Excel, and back: one row for each line."""

from __future__ import annotations

import csv
import io
import warnings
import zlib
from collections.abc import Iterator, Sequence
from math import isclose
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError
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

    Empty lines are passed over.

    Raises:
        InputError: the file is damaged, lacks columns, or has cells that cannot be right; each
            with its row and column.
    """
    lines = list(_excel_lines(path) if path.suffix == ".xlsx" else _csv_lines(path))
    if len(lines) < 2 or len(lines[0]) < 2 or lines[0][0] != _DESIGN or not lines[0][1]:
        raise InputError([f"{path}:1: the first line must be `{_DESIGN}` and the design's key"])
    header = lines[1][: len(COLUMNS)]
    if tuple(header) != COLUMNS:
        raise InputError([f"{path}:2: the columns must be {', '.join(COLUMNS)}"])
    rows: dict[int, BillRow] = {}
    mistakes: list[str] = []
    for number, cells in enumerate(lines[2:], start=3):
        given = {name: cell for name, cell in zip(COLUMNS, cells, strict=False) if cell != ""}
        if not given:
            continue
        if isinstance(given.get("number"), int | float):  # 1.1 typed into a spreadsheet
            given["number"] = str(given["number"])
        try:
            rows[number] = BillRow.model_validate(given)
        except ValidationError as error:
            mistakes += [_told(path, number, e) for e in error.errors()]
    if mistakes := mistakes or list(_disagreements(path, rows)):
        raise InputError(mistakes)
    return BillOfMaterials(design=str(lines[0][1]), rows=tuple(rows.values()))


def _disagreements(path: Path, rows: dict[int, BillRow]) -> Iterator[str]:
    """Yield what cannot hold between the lines of a bill, each of which is right in itself."""
    above: dict[str, BillRow] = {}
    for number, row in rows.items():
        where = f"{path}: cell {_column('number')}{number} (number): found {row.number!r}"
        if row.number in above:
            yield f"{where}: another line has that number"
        over = row.number.rpartition(".")[0]
        if over and over not in above:
            yield f"{where}: there is no line {over} above it"
        elif over:
            total = row.quantity * above[over].total
            # Quantities keep twelve digits; a person who rounds to six is not corrected.
            if not isclose(total, row.total, rel_tol=1e-6):
                yield (
                    f"{path}: cell {_column('total')}{number} (total): found {row.total:g}; "
                    f"{row.quantity:g} in each of {above[over].total:g} are {total:g}"
                )
        prices = [p for p in (row.usd_low, row.usd, row.usd_high) if p is not None]
        if prices != sorted(prices):
            yield (
                f"{path}: cell {_column('usd')}{number} (usd): found {prices}: low, middle and "
                "high must rise"
            )
        above[row.number] = row


def _told(path: Path, number: int, error: Any) -> str:
    name = str(error["loc"][0]) if error["loc"] else ""
    column = _column(name) if name in COLUMNS else "?"
    if error["type"] == "missing":
        return f"{path}: cell {column}{number} ({name}): is empty; it is needed"
    return (
        f"{path}: cell {column}{number} ({name}): found {error['input']!r}: "
        f"{str(error['msg'])[0].lower()}{str(error['msg'])[1:]}"
    )


def _column(name: str) -> str:
    return chr(ord("A") + COLUMNS.index(name))


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


_DAMAGE = (OSError, BadZipFile, zlib.error, ParseError, LookupError,
           ValueError, TypeError, AttributeError, EOFError, RuntimeError)  # fmt: skip
"""What openpyxl raises on a workbook that is none, or whose parts are cut or overwritten."""


def _excel_lines(path: Path) -> list[list[Any]]:
    from openpyxl import load_workbook

    try:
        # Its warnings are about parts that a bill does without; what is missed is told below.
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = load_workbook(file, read_only=True, data_only=True)
            rows = list(book.worksheets[0].iter_rows(values_only=True))
    except _DAMAGE as error:
        raise InputError(
            [f"{path}: is damaged or no Excel file: {reason_of(error)}. Save it anew as .xlsx."]
        ) from None
    return [["" if c is None else _as_text(c) for c in cells] for cells in rows]


def _as_text(cell: Any) -> Any:
    """Return a cell as its record wants it: whole numbers without a point."""
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    return cell
