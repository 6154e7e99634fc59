"""A TOML file of the catalog, and the line in it that a message speaks of."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from rackwright.records.errors import InputError


def read_toml(path: Path) -> tuple[dict[str, Any], str]:
    """Return a file's tables and its text.

    Raises:
        InputError: it cannot be read, is no UTF-8 text or malformed; with the line.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError([f"{path}: cannot be read: {error.strerror or error}"]) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = f"found byte 0x{data[error.start]:02x}, which is not UTF-8 text"
        raise InputError([f"{path}:{line}: {found}: save the file as UTF-8"]) from error
    try:
        return tomllib.loads(text), text
    except (ValueError, RecursionError) as error:  # ValueError: also a day that no month has
        told = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", str(error))
        place, what = (f":{told[2]}: column {told[3]}", told[1]) if told else (":1", str(error))
        raise InputError([f"{path}{place}: malformed TOML: {what}"]) from error


def line_of(text: str, message: str) -> int:
    r"""Return the line of the key that a message begins with, 1 where it is not written.

    >>> text = "[part]\nmass_kg = -2\n\n[[source]]\ngrade = 'A'\n[[source]]\ngrade = 'E'"
    >>> line_of(text, "mass_kg: found -2 kg"), line_of(text, "source.1.grade: found 'E'")
    (2, 7)
    """
    lines = text.splitlines()
    keys = re.findall(r"\w+", re.split(r":| ", message, maxsplit=1)[0])
    begin = 0
    for key, after in zip(keys, [*keys[1:], ""], strict=True):
        pattern = rf'\s*\[*"?(\w+\.)*{re.escape(key)}"?\s*(\]|=)'
        at = [i for i in range(begin, len(lines)) if re.match(pattern, lines[i])]
        nth = int(after) if after.isdigit() else 0  # of a list of tables
        if len(at) > nth:
            begin = at[nth]
        elif at:
            begin = at[0]
    return begin + 1
