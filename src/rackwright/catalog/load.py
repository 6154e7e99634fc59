"""Find a component by kind and name, read its file, refuse what is not sourced."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from rackwright.records.architecture import Architecture
from rackwright.records.component import (
    Accelerator,
    Component,
    Part,
    RackSystem,
    Server,
)
from rackwright.records.equipment import Cable, Cdu, Enclosure, Nic, Optic, PowerShelf, Switch
from rackwright.records.errors import InputError, UnknownComponentError
from rackwright.records.model import Model, ModelShape
from rackwright.records.provenance import Grade
from rackwright.records.rates import Duty, Efficiencies
from rackwright.records.work import BillTemplate, WorkContent

C = TypeVar("C", bound=Component)

KINDS: Mapping[str, type[Component]] = {
    "accelerators": Accelerator,
    "systems": RackSystem,
    "servers": Server,
    "nics": Nic,
    "switches": Switch,
    "cables": Cable,
    "optics": Optic,
    "power_shelves": PowerShelf,
    "cdus": Cdu,
    "enclosures": Enclosure,
    "parts": Part,
    "models": Model,
    "architectures": Architecture,
    "duties": Duty,
    "efficiencies": Efficiencies,
    "work": WorkContent,
    "bills": BillTemplate,
}
"""Folder of each kind and the record its files hold."""

_ONE_OF = {
    Accelerator: "accelerator",
    RackSystem: "system",
    Server: "server",
    Nic: "nic",
    Switch: "switch",
    Cable: "cable",
    Optic: "optic",
    PowerShelf: "power_shelf",
    Cdu: "cdu",
    Enclosure: "enclosure",
    Part: "part",
    Model: "model",
    Architecture: "architecture",
    Duty: "duty",
    Efficiencies: "efficiencies",
    WorkContent: "work",
    BillTemplate: "bill",
}
_LISTS = ("source", "price", "lead_time", "parameter")
_WEAK = ("estimate", "recalled")
_SHIPPED = Path(__file__).parent


def load(folder: Path | str | None = None) -> Catalog:
    """Return the catalog, reading nothing yet: files are read when they are asked for.

    Args:
        folder: a folder with the same layout, laid over the shipped one: its files add
            components and replace those of the same kind and key.

    Raises:
        InputError: the folder does not exist.
    """
    if folder is None:
        return _shipped()
    extra = Path(folder)
    if not extra.is_dir():
        raise InputError([f"{extra}: no such catalog folder"])
    return Catalog((_SHIPPED, extra))


class Catalog:
    """Components by kind and name; a file is read once, when it is first asked for."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        """Take folders in order of precedence, the last one winning."""
        self._folders = folders
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
            raise UnknownComponentError(_ONE_OF[KINDS[kind]], name, known)
        return self._component(kind, key)

    def find(self, cls: type[C], name: str) -> C:
        """Return a component as its own record type, as `find(Accelerator, "B200")`."""
        found = self.get(_kind_of(cls), name)
        assert isinstance(found, cls), f"{name}: the folder holds another kind"
        return found

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
        """Return every component of a kind, sorted by key."""
        return tuple(self._component(kind, key) for key in self.names(kind))

    def sha256(self) -> str:
        """Return the SHA-256 over the names and bytes of all files."""
        digest = hashlib.sha256()
        for kind in KINDS:
            for key, path in sorted(self._list(kind).items()):
                digest.update(f"{kind}/{key}\n".encode())
                digest.update(path.read_bytes())
        return digest.hexdigest()

    def _list(self, kind: str) -> dict[str, Path]:
        if kind not in KINDS:
            raise UnknownComponentError("catalog kind", kind, tuple(KINDS))
        if kind not in self._files:
            self._files[kind] = {
                path.stem: path
                for folder in self._folders
                for path in sorted((folder / kind).glob("*.toml"))
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
            self._read[kind, key] = read_component(self._list(kind)[key], KINDS[kind])
        return self._read[kind, key]


def read_component(path: Path, cls: type[C]) -> C:
    """Return the component in one file; its key is the file's name.

    Raises:
        InputError: damaged TOML, unknown or ill-typed keys, a number without a source, an
            estimate without a note; one line each, all at once.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError([f"{path}: {error}"]) from error
    table = _ONE_OF[cls]
    stray = [key for key in data if key not in (table, *_LISTS)]
    if stray or table not in data:
        wrong = [f"{path}: {key}: not known here, expected [{table}]" for key in stray]
        raise InputError(wrong or [f"{path}: the table [{table}] is missing"])
    body: dict[str, Any] = data[table]
    lists = {key: data[key] for key in _LISTS if key in data}
    extra = {"key": path.stem, **lists}
    if cls is Model and isinstance(body.get("shape"), dict):
        body = {**body, "shape": {"name": path.stem, **body["shape"]}}
    try:
        component = cls(**{**body, **extra})
    except ValidationError as error:
        raise InputError(
            [f"{path}: {'.'.join(map(str, e['loc'])) or table}: {e['msg']}" for e in error.errors()]
        ) from error
    mistakes = [f"{path}: {text}" for text in _unsourced(body, component)]
    if mistakes:
        raise InputError(mistakes)
    return component


def _unsourced(body: Mapping[str, Any], component: Component) -> list[str]:
    stated = {field for source in component.source for field in source.fields}
    mistakes = [
        f"{key}: no [[source]] names this number"
        for key, value in body.items()
        if _holds_number(value) and key not in stated
    ]
    mistakes += [
        f"source.fields: {field!r} is not a key of this file"
        for field in sorted(stated - set(body))
    ]
    for label, kind, grade, note in _claims(component):
        if kind in _WEAK and not note:
            mistakes.append(f"{label}: an {kind} needs a note saying what it rests on")
        if kind in _WEAK and grade != Grade.D:
            mistakes.append(f"{label}: an {kind} has grade D, not {grade}")
    return mistakes


def _claims(component: Component) -> Iterator[tuple[str, str, Grade, str]]:
    for source in component.source:
        yield f"source {source.title!r}", source.kind, source.grade, source.note
    for price in component.price:
        yield f"price ({price.basis})", price.kind, price.grade, price.note
    for lead in component.lead_time:
        yield f"lead_time ({lead.basis})", lead.kind, lead.grade, lead.note
    for entry in component.parameter if isinstance(component, Efficiencies) else ():
        yield f"parameter {entry.name}", entry.kind, entry.grade, entry.note


def _holds_number(value: object) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, (int, float)):
        return True
    if isinstance(value, Mapping):
        return any(_holds_number(item) for item in value.values())
    return isinstance(value, list) and any(_holds_number(item) for item in value)


def _plain(name: str) -> str:
    """Fold case and leading vendor words: published tables differ in both."""
    words = name.casefold().split()
    while len(words) > 1 and words[0] in ("nvidia", "amd", "intel", "google", "aws"):
        words = words[1:]
    return " ".join(words)


def _kind_of(cls: type[Component]) -> str:
    return next(kind for kind, record in KINDS.items() if record is cls)


@cache
def _shipped() -> Catalog:
    return Catalog((_SHIPPED,))
