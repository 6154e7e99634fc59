"""Names and cells of a table to records, and for each row that is not scored the reason.

A row is scored, or refused for want of data, or refused because the model cannot do it, or
wrong: its cells contradict one another. The four add up to the rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from rackwright.catalog import Catalog, read_model_config
from rackwright.records.base import Record
from rackwright.records.errors import InputError, RackwrightError, UnknownComponentError
from rackwright.records.model import ModelShape


class Refused(Record):
    """Rows that were not scored, with the count of each reason."""

    no_data: int
    unsupported: int
    wrong: int
    reasons: Mapping[str, Mapping[str, int]]


class NoDataError(RackwrightError):
    """The row does not state what a prediction or a comparison needs."""


class UnsupportedError(RackwrightError):
    """The row states what our model cannot do."""


class Refusals:
    """Counts refusals by kind and reason while a table is read, and keeps what is wrong."""

    def __init__(self) -> None:
        """Start with none."""
        self._counts: dict[str, Counter[str]] = {
            kind: Counter() for kind in ("no_data", "unsupported", "wrong")
        }
        self.mistakes: list[str] = []

    def refuse(self, error: RackwrightError) -> None:
        """Count a row that cannot be scored."""
        kind = "no_data" if isinstance(error, NoDataError) else "unsupported"
        self._counts[kind][str(error).splitlines()[0]] += 1

    def wrong(self, where: str, mistakes: tuple[str, ...]) -> None:
        """Count a row whose cells cannot be right, and keep what is wrong."""
        self._counts["wrong"][mistakes[0].partition(":")[0]] += 1
        self.mistakes += [f"{where}, {mistake}" for mistake in mistakes]

    def record(self) -> Refused:
        """Return the counts."""
        reasons = {
            kind: dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
            for kind, counts in self._counts.items()
        }
        totals = {kind: counts.total() for kind, counts in self._counts.items()}
        return Refused(**totals, reasons=reasons)


class Models:
    """Shapes by name: those of a folder of `config.json` files first, then the catalog's."""

    def __init__(self, catalog: Catalog, folder: Path | None = None) -> None:
        """Read the folder: `NAME.json` or `NAME/config.json` each.

        Raises:
            InputError: no such folder, no configuration in it, or one that cannot be read.
        """
        self._catalog = catalog
        self._known: dict[str, ModelShape | None] = {}
        if folder is None:
            return
        if not folder.is_dir():
            raise InputError([f"{folder}: no such folder of models"])
        files = {p.stem: p for p in sorted(folder.glob("*.json")) if p.name != "config.json"}
        files |= {p.parent.name: p for p in sorted(folder.glob("*/config.json"))}
        if not files:
            raise InputError([f"{folder}: holds no NAME.json and no NAME/config.json"])
        mistakes: list[str] = []
        for name, file in files.items():
            try:
                self._known[name.casefold()] = read_model_config(file, catalog)
            except InputError as error:
                mistakes += error.mistakes
        if mistakes:
            raise InputError(mistakes)

    def get(self, name: str) -> ModelShape | None:
        """Return the shape of a name, None where nobody knows it."""
        key = name.casefold()
        if key not in self._known:
            try:
                self._known[key] = self._catalog.model(name)
            except UnknownComponentError:
                self._known[key] = None
        return self._known[key]


def beside(catalog: Catalog, name: str) -> str:
    """Return the nearest names to one that the catalog of accelerators does not have."""
    try:
        catalog.accelerator(name)
    except UnknownComponentError as error:
        return str(error)
    return ""
