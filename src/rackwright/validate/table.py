"""A measured table from a file: its columns, its rows, and the cells that cannot be right.

The published format is CSV, or Parquet with the same columns; a folder holds `KIND_measured.csv`.
A blank cell means "not published". A column that a table does not have is blank in every row.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import duckdb

from rackwright.records.errors import InputError, nearest
from rackwright.records.model import MOST_LAYERS

Row = Mapping[str, str]
Kind = Literal["training", "serving"]

SHIPPED = Path(__file__).parent / "tables"
"""The public tables; each row names its source."""

_NEEDED: dict[Kind, tuple[str, ...]] = {
    "training": (
        "row_id", "source_id", "model", "accelerator", "n_acc", "precision", "seq", "gbs", "tp",
        "pp", "config_complete",
    ),
    "serving": (
        "row_id", "source_id", "model", "accelerator", "num_accel", "mode", "tp", "precision",
        "isl", "osl",
    ),
}  # fmt: skip
_ONE_OF: dict[Kind, tuple[str, ...]] = {
    "training": ("tokens_per_s_per_acc", "step_time_s"),
    "serving": ("tpot_ms", "ttft_ms", "out_tok_s", "out_tok_s_per_accel"),
}
_COUNTS: dict[Kind, tuple[str, ...]] = {
    "training": (
        "layers", "hidden", "heads", "kv_heads", "head_dim", "ffn", "vocab", "seq", "n_experts",
        "top_k", "moe_ffn", "n_acc", "scaleup_size", "tp", "pp", "vpp", "cp", "ep", "dp", "mbs",
        "gbs",
    ),
    "serving": ("num_accel", "tp", "pp", "ep", "dp", "concurrency", "batch"),
}  # fmt: skip
_NUMBERS: dict[Kind, tuple[str, ...]] = {
    "training": ("tokens_per_s_per_acc", "step_time_s", "inter_gbit_per_s"),
    "serving": ("isl", "osl", "out_tok_s", "out_tok_s_per_accel", "ttft_ms", "tpot_ms"),
}
_SIZES = ("n_shared", "first_dense", "q_lora", "kv_lora", "rope_dim", "swa_window", "zero_stage")

_MOST = {"layers": MOST_LAYERS}


class Table(NamedTuple):
    """Rows of a file in its order, every known column in each; `lines` are where they stand."""

    file: str
    kind: Kind
    rows: tuple[Row, ...]
    lines: tuple[int, ...]


def open_table(path: Path | None, kind: Kind) -> Table:
    """Return the table in a file, or in a folder, or the shipped one.

    Raises:
        InputError: no such file, not CSV or Parquet, an empty table, a missing column.
    """
    file = _file(path, kind)
    parquet = file.suffix == ".parquet"
    columns, cells, lines = _parquet(file) if parquet else _csv(file, kind)
    _check_columns(file, kind, columns)
    if not cells:
        raise InputError([f"{file}: the table has no rows"])
    blank = dict.fromkeys(_known(kind), "")
    rows = tuple({**blank, **dict(zip(columns, row, strict=True))} for row in cells)
    return Table(str(file), kind, rows, lines)


def wrong_cells(table: Table, row: Row) -> tuple[str, ...]:
    """Return what is wrong with numbers of a row, as "column X: found ..., allowed ..."."""
    found = []
    whole, positive = _COUNTS[table.kind], _NUMBERS[table.kind]
    for column in (*whole, *positive, *(_SIZES if table.kind == "training" else ())):
        text = row[column].strip()
        if not text or (column == "concurrency" and text == "inf"):
            continue
        value = _value(text)
        if not math.isfinite(value):
            found.append(f"column {column}: found {text!r}, a number is needed")
        elif value < 0 or (value == 0 and column not in _SIZES):
            found.append(f"column {column}: found {text}, it must be more than zero")
        elif column in whole and value != int(value):
            found.append(f"column {column}: found {text}, a whole number is needed")
        elif value > _MOST.get(column, math.inf):
            found.append(f"column {column}: found {text}, at most {_MOST[column]:,} are allowed")
    return tuple(found)


def place(table: Table, index: int) -> str:
    """Return where a row stands: file, line and its id."""
    return f"{table.file}:{table.lines[index]}: row {table.rows[index]['row_id'] or '?'}"


def number(row: Row, key: str, absent: float = 1.0) -> float:
    """Return a cell as a number, or what stands for a blank one."""
    return float(row[key]) if row[key] else absent


def _value(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _file(path: Path | None, kind: Kind) -> Path:
    place_of = SHIPPED if path is None else path
    if place_of.is_dir():
        for ending in ("csv", "parquet"):
            file = place_of / f"{kind}_measured.{ending}"
            if file.is_file():
                return file
        raise InputError(
            [f"{place_of}/{kind}_measured.csv: no such table; give the folder that holds it"]
        )
    if not place_of.is_file():
        raise InputError([f"{place_of}: no such file or folder"])
    return place_of


def _csv(file: Path, kind: Kind) -> tuple[list[str], list[list[str]], tuple[int, ...]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            columns = [name.strip() for name in next(reader, [])]
            cells, lines = [], []
            for row in reader:
                if any(row):
                    cells.append(row)
                    lines.append(reader.line_num)
    except UnicodeDecodeError as error:
        found = f"found byte 0x{error.object[error.start]:02x}, which is not UTF-8 text"
        raise InputError([f"{file}: not a CSV table: {found}"]) from None
    except csv.Error as error:
        raise InputError([f"{file}: not a CSV table in UTF-8: {error}"]) from None
    if columns and not set(columns) & set(_known(kind)):
        raise InputError(
            [
                f"{file}:1: no table of {kind} measurements: none of its columns is there, such "
                f"as {', '.join(_NEEDED[kind][:4])}"
            ]
        )
    short = [
        f"{file}:{line}: {len(row)} cells, the header has {len(columns)}"
        for row, line in zip(cells, lines, strict=True)
        if len(row) != len(columns)
    ]
    if short:
        raise InputError(short)
    return columns, cells, tuple(lines)


def _parquet(file: Path) -> tuple[list[str], list[list[str]], tuple[int, ...]]:
    try:
        with duckdb.connect() as connection:
            found = connection.execute("select * from read_parquet(?)", [str(file)])
            columns = [entry[0] for entry in found.description or ()]
            cells = [["" if c is None else str(c) for c in row] for row in found.fetchall()]
    except duckdb.Error as error:
        raise InputError([f"{file}: not a Parquet table: {str(error).splitlines()[0]}"]) from None
    return columns, cells, tuple(range(1, len(cells) + 1))


def _check_columns(file: Path, kind: Kind, columns: Sequence[str]) -> None:
    if not columns:
        raise InputError([f"{file}: the file is empty; a {kind} table starts with its columns"])
    mistakes = [
        f"{file}:1: column {name} is missing.{nearest(name, columns)}"
        for name in _NEEDED[kind]
        if name not in columns
    ]
    if not any(name in columns for name in _ONE_OF[kind]):
        mistakes.append(f"{file}:1: none of the columns {', '.join(_ONE_OF[kind])} is there")
    mistakes += [
        f"{file}:1: column {name} stands there twice"
        for name in dict.fromkeys(columns)
        if name and columns.count(name) > 1
    ]
    if mistakes:
        raise InputError(mistakes)


def _known(kind: Kind) -> tuple[str, ...]:
    more: dict[Kind, tuple[str, ...]] = {
        "training": ("arch", "gated", "swa_every", "mtp", "offload", "recompute", "quality",
                     "group", "software", *_SIZES),
        "serving": ("nodes", "layout", "framework", "flags", "date"),
    }  # fmt: skip
    return (*_NEEDED[kind], *_ONE_OF[kind], *_COUNTS[kind], *_NUMBERS[kind], *more[kind])
