"""The cable schedule as a table, CSV or Excel, and back: one row for each link."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rackwright.formats.atomic import cannot_write
from rackwright.formats.laid import CableRow
from rackwright.records.errors import InputError, RackwrightError
from rackwright.records.placement import CableEnd

COLUMNS = (
    "cable", "network", "a_rack", "a_device", "a_port", "a_height_m",
    "b_rack", "b_device", "b_port", "b_height_m", "medium", "length_m",
)  # fmt: skip

MOST_EXCEL_ROWS = 2**20 - 1
"""Rows below the header that a sheet of Excel holds."""


def write_schedule(rows: Iterable[CableRow], path: Path) -> Path:
    """Write a schedule to a file that ends in .csv or .xlsx; return the path.

    Raises:
        RackwrightError: another ending, more rows than a sheet holds, or it cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        if path.suffix == ".xlsx":
            _write_excel(rows, partial)
        elif path.suffix == ".csv":
            with partial.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(COLUMNS)
                writer.writerows(_cells(row) for row in rows)
        else:
            raise RackwrightError(f"{path}: a cable schedule ends in .csv or .xlsx")
        partial.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from None
    finally:
        partial.unlink(missing_ok=True) if partial.parent.is_dir() else None
    return path


def read_schedule(path: Path) -> tuple[CableRow, ...]:
    """Return the rows of a schedule.

    Raises:
        InputError: the file cannot be read, lacks columns, or has cells that cannot be right;
            each with its row and column.
    """
    lines = _excel_lines(path) if path.suffix == ".xlsx" else _csv_lines(path)
    header = next(lines, None)
    if header is None or tuple(header[1]) != COLUMNS:
        raise InputError([f"{path}:1: the columns must be {', '.join(COLUMNS)}"])
    found: list[CableRow] = []
    mistakes: list[str] = []
    ports: dict[tuple[str, str], int] = {}
    for number, cells in lines:
        row = _row(f"{path}:{number}", cells, mistakes)
        if row is None:
            continue
        for end in (row.a, row.b):
            first = ports.setdefault((end.device, end.port), number)
            if first != number:
                mistakes.append(
                    f"{path}:{number}: {end.device} {end.port} has a cable already, in line {first}"
                )
        found.append(row)
    if mistakes:
        raise InputError(mistakes)
    return tuple(found)


def _cells(row: CableRow) -> tuple[Any, ...]:
    a, b = row.a, row.b
    return (
        row.cable, row.network, a.rack, a.device, a.port, a.height_m,
        b.rack, b.device, b.port, b.height_m, row.medium, row.length_m,
    )  # fmt: skip


def _row(place: str, cells: list[Any], mistakes: list[str]) -> CableRow | None:
    if len(cells) != len(COLUMNS):
        mistakes.append(f"{place}: found {len(cells)} cells, allowed {len(COLUMNS)}")
        return None
    values = dict(zip(COLUMNS, cells, strict=True))
    numbers: dict[str, float] = {}
    wrong = len(mistakes)
    for name, value in values.items():
        if name.endswith("_m"):
            try:
                numbers[name] = float(value)
            except (TypeError, ValueError):
                mistakes.append(f"{place}, column {name}: found {value!r}, allowed a length in m")
                continue
            if not 0 <= numbers[name] < float("inf"):
                mistakes.append(f"{place}, column {name}: found {value!r}, allowed 0 m or more")
        elif value in (None, ""):
            mistakes.append(f"{place}, column {name}: is empty")
    if len(mistakes) > wrong:
        return None
    a, b = (
        CableEnd(rack=str(values[f"{s}_rack"]), device=str(values[f"{s}_device"]),
                 port=str(values[f"{s}_port"]), height_m=numbers[f"{s}_height_m"])
        for s in "ab"
    )  # fmt: skip
    return CableRow(
        str(values["cable"]),
        str(values["network"]),
        a,
        b,
        str(values["medium"]),
        numbers["length_m"],
    )


def _csv_lines(path: Path) -> Iterator[tuple[int, list[Any]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            for cells in reader:
                if cells:
                    yield reader.line_num, list(cells)
    except OSError as error:
        raise InputError([f"{path}: cannot be read: {error.strerror}"]) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError([f"{path}: no CSV: {error}"]) from None


def _excel_lines(path: Path) -> Iterator[tuple[int, list[Any]]]:
    # Imported here: only a schedule in Excel waits for it.
    from openpyxl import load_workbook

    try:
        book = load_workbook(path, read_only=True, data_only=True)
        sheet = book.worksheets[0]
        rows = [list(row) for row in sheet.iter_rows(values_only=True)]
        book.close()
    except OSError as error:
        raise InputError([f"{path}: cannot be read: {error.strerror or error}"]) from None
    except Exception as error:  # openpyxl raises what its parsers raise
        raise InputError([f"{path}: no Excel workbook, or a damaged one: {error}"]) from None
    for number, cells in enumerate(rows, start=1):
        if any(cell is not None for cell in cells):
            yield number, cells


def _write_excel(rows: Iterable[CableRow], path: Path) -> None:
    # Imported here: only a schedule in Excel waits for it.
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("cables")
    sheet.append(COLUMNS)
    for number, row in enumerate(rows, start=1):
        if number > MOST_EXCEL_ROWS:
            raise RackwrightError(
                f"{path.name.removesuffix('.partial')}: a sheet holds {MOST_EXCEL_ROWS:,} cables, "
                "there are more: write .csv"
            )
        sheet.append(_cells(row))
    book.save(path)
