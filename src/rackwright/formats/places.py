"""Where a value of a record was read: file, line and column, for messages that cite it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from rackwright.formats.toml_lines import Path


class Place(NamedTuple):
    """A line of a file; `column` names the column when the file is a table."""

    file: str
    line: int
    column: str = ""


@dataclass
class Locator:
    """Finds the place of a key path in the files that a record was read from.

    >>> locator = Locator("study.toml", {("racks", 0): 7, ("racks", 0, "power_w"): 9})
    >>> locator.mistake(("racks", 0, "power_w"), "found -1 W")
    'study.toml:9: racks[0].power_w: found -1 W'
    >>> locator.place(("racks", 0, "not written")).line
    7
    """

    file: str
    lines: dict[Path, int]
    line: int = 1  # of what has no place of its own
    cells: dict[Path, Place] = field(default_factory=dict)  # read from tables beside the file
    files: list[str] = field(default_factory=list)  # every file that was read, this one first
    adopted: dict[Path, Locator] = field(default_factory=dict)  # parts with a file of their own

    def __post_init__(self) -> None:
        """List this file as the first that was read."""
        self.files.insert(0, self.file)

    def adopt(self, prefix: Path, other: Locator) -> None:
        """Let what lies below a key path be found in another file, under its own keys."""
        self.adopted[prefix] = other
        self.files.extend(other.files)

    def place(self, path: Path) -> Place:
        """Return the place of a key path, or that of the nearest table around it."""
        for prefix, other in self.adopted.items():
            if path[: len(prefix)] == prefix:
                return other.place(path[len(prefix) :])
        for end in range(len(path), 0, -1):
            if path[:end] in self.cells:
                return self.cells[path[:end]]
            if path[:end] in self.lines:
                return Place(self.file, self.lines[path[:end]])
        return Place(self.file, self.line)

    def mistake(self, path: Path, text: str) -> str:
        """Return one line that tells a mistake: where it is, the key, and what is wrong."""
        for prefix, other in self.adopted.items():
            if path[: len(prefix)] == prefix:
                return other.mistake(path[len(prefix) :], text)
        place = self.place(path)
        key = key_text(path)
        if place.column:
            key += f' (column "{place.column}")'
        return (
            f"{place.file}:{place.line}: {key}: {text}"
            if key
            else f"{place.file}:{place.line}: {text}"
        )


def key_text(path: Path) -> str:
    """Return a key path as people write it.

    >>> key_text(("data_centers", 0, "power_w"))
    'data_centers[0].power_w'
    """
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
