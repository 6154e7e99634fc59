"""Files that are there whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from rackwright.records.errors import RackwrightError


def write_text(path: Path, text: str) -> Path:
    """Write a text file: aside first, then moved into place; return the path.

    Raises:
        RackwrightError: it cannot be written; says why and what to do.
    """
    return write_bytes(path, text.encode())  # bytes: the same line ends on every system


def write_bytes(path: Path, data: bytes) -> Path:
    """Write a file: aside first, then moved into place; return the path.

    Raises:
        RackwrightError: it cannot be written; says why and what to do.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_bytes(data)
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True) if partial.parent.is_dir() else None
        raise cannot_write(path, error) from None
    return path


def write_json(path: Path, value: Any) -> Path:
    """Write plain data as JSON with sorted keys, one key a line; return the path."""
    return write_text(path, json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False) + "\n")


def make_folder(path: Path) -> Path:
    """Make a folder and those above it; it may be there already.

    Raises:
        RackwrightError: it cannot be made; the message names it and how to mend.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from None
    return path


def cannot_write(path: Path, error: OSError) -> RackwrightError:
    """Return the error that says which path could not be written, why, and what to do."""
    return RackwrightError(
        f"{path}: cannot be written: {reason_of(error)}. Choose another place or mend its rights."
    )


def reason_of(error: BaseException) -> str:
    """Return why the system refused, in its own words, on one line."""
    return " ".join((getattr(error, "strerror", None) or str(error)).split())
