"""Records as files: JSON that a person can read, large arrays beside it as Parquet.

An array in the JSON is a reference, its shape and hash. Its numbers lie in `<field>-<hash>.parquet`
in the same folder, one row per element in C order: its indices `i0, i1, ...` and its `value`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from rackwright.formats.atomic import reason_of, write_text
from rackwright.formats.mistakes import mistakes_of
from rackwright.formats.places import Locator
from rackwright.formats.toml_lines import json_lines
from rackwright.records.base import Record, array_sha256
from rackwright.records.errors import InputError, RackwrightError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

R = TypeVar("R", bound=Record)
Array = NDArray[np.float64]


def write_record(folder: Path, name: str, record: Record) -> Path:
    """Write a record as `<name>.json`, its arrays first, and return the path.

    The bytes depend on the record alone.

    Raises:
        RackwrightError: the folder cannot be written.
    """
    for field, array in _arrays(record, name):
        path = folder / _array_file(field, array_sha256(array))
        if not path.exists():  # named by its hash: what is there already is the same
            _write_parquet(path, array)
    text = to_json(_in_order(record.model_dump(mode="json")), indent=1).decode()
    return write_text(folder / f"{name}.json", text + "\n")


def read_stored(folder: Path, name: str, cls: type[R]) -> R:
    """Return the record `<name>.json` of a folder; see `read_stored_file`."""
    return read_stored_file(folder / f"{name}.json", cls)


def read_stored_file(path: Path, cls: type[R]) -> R:
    """Return the record in a file that `write_record` wrote, with the arrays beside it.

    Raises:
        InputError: the file is missing, changed so that it is no such record any more, or an array
            is missing or does not have the hash that the record states.
    """
    try:
        text = path.read_text(encoding="utf-8")
        raw = json.loads(text)
    except OSError as error:
        raise InputError([f"{path}: cannot be read: {reason_of(error)}"]) from None
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise InputError([f"{path}:{line}: is no JSON any more: {error}"]) from None
    filled = _with_arrays(raw, path.stem, path.parent)
    try:
        # Not strict: in JSON a tuple is a list, and a date or a number as a key is text.
        return cls.model_validate(filled)
    except ValidationError as error:
        locator = Locator(str(path), json_lines(text)[0])
        raise InputError(mistakes_of(error, cls, raw, locator)) from None


def drop_unreferenced(folder: Path) -> None:
    """Remove arrays that no record of the folder refers to any more."""
    kept = {
        match[:16]
        for path in folder.glob("*.json")
        for match in re.findall(r'"sha256": "([0-9a-f]{64})"', path.read_text(encoding="utf-8"))
    }
    for path in folder.glob("*.parquet"):
        if path.stem.rpartition("-")[2] not in kept:
            path.unlink()


def _in_order(value: Any) -> Any:
    """Return plain data with the keys of every object sorted."""
    if isinstance(value, dict):
        return {key: _in_order(value[key]) for key in sorted(value)}
    if isinstance(value, list) and not set(map(type, value)) <= _PLAIN:
        return [_in_order(inner) for inner in value]
    return value


def _array_file(field: str, sha256: str) -> str:
    return f"{re.sub(r'[^A-Za-z0-9_.-]', '_', field)}-{sha256[:16]}.parquet"


def _arrays(value: Any, field: str) -> Iterator[tuple[str, Array]]:
    """Yield every array inside a record with the name of the field or key that holds it."""
    if isinstance(value, np.ndarray):
        yield field, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _arrays(getattr(value, name), name)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _arrays(inner, str(key))
    elif isinstance(value, tuple | list) and not set(map(type, value)) <= _PLAIN:
        for inner in value:
            yield from _arrays(inner, field)


_PLAIN = {float, int, str, bool, type(None)}
"""What holds no array: long rows of numbers are not walked through."""


def _with_arrays(value: Any, field: str, folder: Path) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"shape", "sha256"}:
            return _read_parquet(folder / _array_file(field, value["sha256"]), value)
        return {key: _with_arrays(inner, key, folder) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_arrays(inner, field, folder) for inner in value]
    return value


@lru_cache(maxsize=1)
def _engine() -> DuckDBPyConnection:
    """Return the engine that reads and writes Parquet, begun once: it takes a tenth of a second.

    With one thread it always writes the same bytes.
    """
    import duckdb

    return duckdb.connect(config={"threads": 1})


def _write_parquet(path: Path, array: Array) -> None:
    import duckdb

    partial = path.with_name(path.name + ".partial")
    indices = np.indices(array.shape).reshape(array.ndim, array.size)
    table: dict[str, Any] = {f"i{k}": index for k, index in enumerate(indices)}
    table = {**table, "value": np.ascontiguousarray(array).ravel()}
    try:
        with _engine().cursor() as cursor:
            cursor.register("elements", table)
            cursor.sql("FROM elements").write_parquet(str(partial), compression="zstd")
        os.replace(partial, path)
    except duckdb.InterruptException:
        raise KeyboardInterrupt from None
    except RuntimeError as error:  # how duckdb tells Ctrl-C depends on where it was met
        if "interrupt" in str(error).lower():
            raise KeyboardInterrupt from None
        raise
    except (OSError, duckdb.Error) as error:
        raise RackwrightError(f"{path}: cannot be written: {reason_of(error)}") from None


def _read_parquet(path: Path, reference: dict[str, Any]) -> Array:
    import duckdb

    if not path.is_file():
        raise InputError([f"{path}: no such file; a record beside it refers to it"])
    try:
        with _engine().cursor() as cursor:
            rows = cursor.sql("SELECT value FROM read_parquet(?)", params=[str(path)])
            flat = np.ma.filled(rows.fetchnumpy()["value"], np.nan)  # duckdb masks nan
        array: Array = np.asarray(flat, dtype=np.float64).reshape(reference["shape"])
    except (duckdb.Error, ValueError) as error:
        raise InputError([f"{path}: cannot be read: {reason_of(error)}"]) from None
    if array_sha256(array) != reference["sha256"]:
        raise InputError([f"{path}: its numbers were changed after it was written"])
    return array
