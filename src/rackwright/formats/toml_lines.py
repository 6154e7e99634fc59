"""On which line a value of a TOML or JSON text stands.

`tomllib` and `json` give values without places. These scanners give places without values: they
run after the text has been parsed without error, so they need not judge it.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator

Path = tuple[str | int, ...]
"""A way into nested tables and lists, such as ("data_centers", 0, "power_w")."""


def toml_lines(text: str) -> dict[Path, int]:
    """Return the line of every key, table and list element of a valid TOML text, from 1 on.

    >>> toml_lines("[[racks]]" + chr(10) + "power.limit_w = 3")[("racks", 0, "power", "limit_w")]
    2
    """
    return _TomlScanner(text).scan()


def json_lines(text: str) -> tuple[dict[Path, int], list[Path]]:
    """Return the line of every key and list element of a valid JSON text, and keys said twice."""
    scanner = _JsonScanner(text)
    scanner.skip_blank()
    scanner.value(())
    return scanner.lines, scanner.twice


class _Scanner:
    """Walks values; TOML and JSON differ only in how a key is assigned and in comments."""

    def __init__(self, text: str, assign: str) -> None:
        self.text, self.assign, self.at = text, assign, 0
        self.lines: dict[Path, int] = {}
        self.twice: list[Path] = []
        self._counted_to, self._line = 0, 1

    def note(self, path: Path) -> None:
        """Remember the line of the current place, for a path seen for the first time."""
        self._line += self.text.count("\n", self._counted_to, self.at)
        self._counted_to = self.at
        self.lines.setdefault(path, self._line)

    def skip_blank(self) -> None:
        """Move over white space, line ends and comments."""
        self.at = _match(_BLANK, self.text, self.at).end()

    def value(self, path: Path) -> None:
        """Move over one value and note the paths inside it."""
        opening = self.text[self.at]
        if opening == "[":
            self._list(path)
        elif opening == "{":
            self._table(path)
        elif opening in "\"'":
            self.at = _match(_STRING, self.text, self.at).end()
        else:
            self.at = _match(_ATOM, self.text, self.at).end()

    def _list(self, path: Path) -> None:
        for index, _ in enumerate(self._items("]")):
            self.note((*path, index))
            self.value((*path, index))

    def _table(self, path: Path) -> None:
        for _ in self._items("}"):
            self.pair(path)

    def _items(self, closing: str) -> Iterator[None]:
        """Step through the items of a bracket, over commas, to the closing sign."""
        self.at += 1
        while True:
            self.skip_blank()
            if self.text[self.at] == ",":
                self.at += 1
                self.skip_blank()
            if self.text[self.at] == closing:
                self.at += 1
                return
            yield

    def pair(self, table: Path) -> None:
        """Move over `key = value`, where the key may be dotted, inside a table."""
        start = self.at
        path = table + self.key()
        end, self.at = self.at, start
        if path in self.lines:
            self.twice.append(path)
        for depth in range(len(table) + 1, len(path) + 1):
            self.note(path[:depth])
        self.at = end
        self.skip_blank()
        self.at += len(self.assign)
        self.skip_blank()
        self.value(path)

    def key(self) -> Path:
        """Move over a key and return its parts."""
        parts: list[str] = []
        while True:
            match = _match(_KEY, self.text, self.at)
            parts.append(self.unquoted(match["key"]))
            self.at = match.end()
            if self.text[self.at : self.at + 1] != ".":
                return tuple(parts)
            self.at += 1

    def unquoted(self, key: str) -> str:
        """Return a key without its quotes and escapes."""
        return key if key[0] not in "\"'" else str(tomllib.loads(f"k = {key}")["k"])


class _JsonScanner(_Scanner):
    def __init__(self, text: str) -> None:
        super().__init__(text, assign=":")

    def unquoted(self, key: str) -> str:
        return str(json.loads(key))


class _TomlScanner(_Scanner):
    def __init__(self, text: str) -> None:
        super().__init__(text, assign="=")
        self.lengths: dict[Path, int] = {}  # of arrays of tables, as far as seen

    def scan(self) -> dict[Path, int]:
        """Walk headers and pairs to the end of the text."""
        table: Path = ()
        self.skip_blank()
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self.pair(table)
            self.skip_blank()
        return self.lines

    def _header(self) -> Path:
        start = self.at
        brackets = 2 if self.text.startswith("[[", self.at) else 1
        self.at += brackets
        path: Path = ()
        names = self.key()
        end = self.at + brackets
        self.at = start
        for depth, name in enumerate(names):
            path = (*path, name)
            self.note(path)
            last = depth == len(names) - 1
            if last and brackets == 2:
                self.lengths[path] = self.lengths.get(path, 0) + 1
            if path in self.lengths:  # a header below a list of tables means its last element
                path = (*path, self.lengths[path] - 1)
                self.note(path)
        self.at = end
        return path


_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|' + r"'''.*?'{3,5}|" + r'"(?:[^"\\\n]|\\.)*"|' + r"'[^'\n]*'",
    re.DOTALL,
)
_ATOM = re.compile(r"[^,\]}#\n]*")
_KEY = re.compile(r"""[ \t]*(?P<key>"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)[ \t]*""")


def _match(pattern: re.Pattern[str], text: str, at: int) -> re.Match[str]:
    match = pattern.match(text, at)
    assert match is not None, f"a parsed text has something else at {text[at : at + 20]!r}"
    return match
