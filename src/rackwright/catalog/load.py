"""Find a component by kind and name; a file is read when it is asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar

from rackwright.catalog.agreement import disagreements
from rackwright.catalog.calibrations import calibrations
from rackwright.catalog.component_file import PACKAGE, has_package, read_component
from rackwright.catalog.kinds import KINDS, TABLES, kind_of
from rackwright.catalog.toml_file import line_of, read_toml
from rackwright.records.base import canonical_json
from rackwright.records.calibration import Calibration
from rackwright.records.component import Accelerator, Component
from rackwright.records.errors import InputError, UnknownComponentError, nearest
from rackwright.records.model import Model, ModelShape

C = TypeVar("C", bound=Component)

_SHIPPED = Path(__file__).parent
_VENDORS = ("nvidia", "amd", "intel", "google", "aws")


def load(folder: Path | str | None = None, calibration: Path | None = None) -> Catalog:
    """Return the catalog, reading nothing yet: files are read when they are asked for.

    Args:
        folder: a folder with the same layout, laid over the shipped one: its files add
            components and replace those of the same kind and key.

        calibration: a file of `rackwright calibrate`; it takes the place of the one of its kind.

    Raises:
        InputError: the folder does not exist, or the file is no calibration.
    """
    if folder is None and calibration is None:
        return _shipped()
    folders = [_SHIPPED]
    if folder is not None:
        if not Path(folder).is_dir():
            raise InputError([f"{folder}: no such catalog folder"])
        _known_kinds(Path(folder))
        folders.append(Path(folder))
    return Catalog(tuple(folders), calibration)


def _known_kinds(folder: Path) -> None:
    """Refuse a folder that is named almost like a kind: nothing would ever read its files."""
    named = {p: nearest(p.name, (*KINDS,)) for p in sorted(folder.iterdir()) if p.name not in KINDS}
    mistyped = {p: near for p, near in named.items() if near and any(p.glob("*.toml"))}
    if mistyped:
        raise InputError(
            [f"{p}: no catalog kind is named {p.name!r}.{near}" for p, near in mistyped.items()]
        )


class Catalog:
    """Components by kind and name; a file is read once, when it is first asked for."""

    def __init__(self, folders: tuple[Path, ...], calibration: Path | None = None) -> None:
        """Take folders in order of precedence, the last one winning."""
        self._folders = folders
        self._calibrations = calibrations(folders, calibration)
        self._read: dict[tuple[str, str], Component] = {}
        self._files: dict[str, dict[str, Path]] = {}
        self._alias: dict[str, dict[str, str]] = {}

    def get(self, kind: str, name: str) -> Component:
        """Return the component of a kind by its key or one of its aliases.

        Raises:
            UnknownComponentError: there is none; the message has the nearest names.
            InputError: its file is damaged or unsourced; the message names file and key.
        """
        files = self._list(kind)
        if name in files:
            return self._component(kind, name)
        key = self._aliases(kind).get(_plain(name))
        if key is None:
            known = set(files) | {a for c in self.all(kind) for a in c.aliases}
            raise UnknownComponentError(TABLES[KINDS[kind]], name, known)
        return self._component(kind, key)

    def find(self, cls: type[C], name: str) -> C:
        """Return a component as its own record type, as `find(Accelerator, "B200")`."""
        found = self.get(kind_of(cls), name)
        assert isinstance(found, cls), f"{name}: the folder holds another kind"
        return found

    def calibrations(self) -> tuple[Calibration, ...]:
        """Return what fits on measurements say of the model's parameters, one per kind."""
        return self._calibrations

    def accelerator(self, name: str) -> Accelerator:
        """Return an accelerator by key or alias."""
        return self.find(Accelerator, name)

    def model(self, name: str) -> ModelShape:
        """Return the shape of a catalogued model by key or alias."""
        return self.find(Model, name).shape

    def names(self, kind: str) -> tuple[str, ...]:
        """Return the keys of a kind, sorted."""
        return tuple(sorted(self._list(kind)))

    def all(self, kind: str) -> tuple[Component, ...]:
        """Return every component of a kind, sorted by key.

        Raises:
            InputError: files are damaged or unsourced; the mistakes of all of them.
        """
        found, mistakes = self.readable(kind)
        if mistakes:
            raise InputError(mistakes)
        return found

    def readable(self, kind: str) -> tuple[tuple[Component, ...], tuple[str, ...]]:
        """Return the components of a kind whose files are good, and what is wrong with others."""
        found: list[Component] = []
        mistakes: list[str] = []
        for key in self.names(kind):
            try:
                found.append(self._component(kind, key))
            except InputError as error:
                mistakes += error.mistakes
        return tuple(found), tuple(dict.fromkeys(mistakes))

    def sha256(self) -> str:
        """Return the SHA-256 over the names and bytes of all files."""
        digest = hashlib.sha256()
        for kind in KINDS:
            for key, path in sorted(self._list(kind).items()):
                digest.update(f"{kind}/{key}\n".encode())
                digest.update(path.read_bytes())
        for calibration in self._calibrations:
            digest.update(canonical_json(calibration).encode())
        return digest.hexdigest()

    def _list(self, kind: str) -> dict[str, Path]:
        if kind not in KINDS:
            raise UnknownComponentError("catalog kind", kind, tuple(KINDS))
        if kind not in self._files:
            self._files[kind] = {
                key: path for folder in self._folders for key, path in _files(folder, kind)
            }
        return self._files[kind]

    def _aliases(self, kind: str) -> dict[str, str]:
        if kind not in self._alias:
            table: dict[str, str] = {}
            for component in self.all(kind):
                for alias in (component.key, component.name, *component.aliases):
                    table.setdefault(_plain(alias), component.key)
            self._alias[kind] = table
        return self._alias[kind]

    def _component(self, kind: str, key: str) -> Component:
        if (kind, key) not in self._read:
            path = self._list(kind)[key]
            self._read[kind, key] = read_component(path, KINDS[kind])
            if len(self._folders) > 1:  # what ships is held against itself by the tests
                self._agree(kind, key, path)
        return self._read[kind, key]

    def _agree(self, kind: str, key: str, path: Path) -> None:
        """Refuse a file that names what is not there, or that disagrees with what it names.

        The component is held while its neighbours are read: they may name it in turn.
        """
        try:
            wrong = list(disagreements(self._read[kind, key], self))
        except InputError:  # of a file that this one names
            del self._read[kind, key]
            raise
        if wrong:
            del self._read[kind, key]
            text = read_toml(path)[1]
            raise InputError([f"{path}:{line_of(text, line)}: {line}" for line in wrong])


def _plain(name: str) -> str:
    """Fold case and leading vendor words: published tables differ in both."""
    words = name.casefold().split()
    while len(words) > 1 and words[0] in _VENDORS:
        words = words[1:]
    text = " ".join(words)
    first, _, rest = text.partition("-")
    return rest if rest and first in _VENDORS else text


def _files(folder: Path, kind: str) -> Iterator[tuple[str, Path]]:
    """Yield key and file of a folder's components; parts also stand in accelerators' files."""
    for path in sorted((folder / kind).glob("*.toml")):
        yield path.stem, path
    if kind == "parts":
        for path in sorted((folder / "accelerators").glob("*.toml")):
            if has_package(path):
                yield f"{PACKAGE}-{path.stem}", path


@cache
def _shipped() -> Catalog:
    return Catalog((_SHIPPED,))
