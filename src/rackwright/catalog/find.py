"""Find components by words and by what their numbers are."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from rackwright.catalog.fields import Value, values_of
from rackwright.catalog.kinds import KINDS
from rackwright.catalog.load import Catalog
from rackwright.catalog.plausible import unit_of
from rackwright.records.component import Component
from rackwright.records.errors import InputError, nearest
from rackwright.records.units import UnitError, convert

_NEAR = 0.72  # share of letters in common from which a mistyped word is taken for a name
_SYMBOLS: Mapping[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
    "~": lambda value, part: str(part).casefold() in str(value).casefold(),
}
_CONDITION = re.compile(r"\s*([\w.\[\]]+)\s*(>=|<=|!=|>|<|=|~)\s*(.+?)\s*")


class Found(NamedTuple):
    """A component that was found, with what was asked about it."""

    kind: str
    component: Component
    likeness: float  # 1: the very name; below, the share of it
    matched: str  # the name that was like the words
    values: tuple[tuple[str, Value], ...]  # of the fields in the conditions


class Condition(NamedTuple):
    """A field compared with a value, as `memory_bytes>=192e9`."""

    field: str
    symbol: str
    value: float | str

    def holds(self, values: Mapping[str, Value]) -> bool:
        """Return whether a component's values satisfy it; an absent value does not."""
        stated = values.get(self.field)
        if stated is None or isinstance(stated, bool):
            return stated is not None and self.symbol == "=" and str(stated).lower() == self.value
        if isinstance(self.value, float) == isinstance(stated, str):
            return self.symbol == "!="
        return _SYMBOLS[self.symbol](stated, self.value)


def find(
    components: Catalog,
    text: str = "",
    conditions: Sequence[str] = (),
    kinds: Iterable[str] = tuple(KINDS),
) -> tuple[Found, ...]:
    """Return components whose names are like a text and whose values satisfy conditions.

    Args:
        components: the catalog.
        text: words looked for in keys, names, aliases and vendors, then in other texts such as a
            family; empty for any.
        conditions: such as `memory_bytes>=192e9`, `tdp_w<=1 kW` or `family=Hopper`; all must hold.
        kinds: where to look.

    Returns:
        The found ones, the most alike first, then by kind and key.

    Raises:
        InputError: a condition cannot be read, or names a field that no component has.
    """
    looked = [(kind, component) for kind in kinds for component in components.all(kind)]
    asked = _conditions(conditions, looked)
    found = []
    for kind, component in looked:
        likeness, matched = _likeness(component, text)
        if likeness == 0:
            continue
        values = values_of(component) if asked else {}
        if all(condition.holds(values) for condition in asked):
            shown = {c.field: values[c.field] for c in asked if c.field in values}
            found.append(Found(kind, component, likeness, matched, tuple(shown.items())))
    order = list(KINDS)
    best = max((f.likeness for f in found), default=0.0)
    if best >= 0.75:  # words were found as they stand: what is only spelled alike is noise
        found = [f for f in found if f.likeness >= 0.75]
    return tuple(sorted(found, key=lambda f: (-f.likeness, order.index(f.kind), f.component.key)))


def read_condition(text: str) -> Condition:
    """Return a condition from its text; a value may carry its unit.

    Raises:
        InputError: it is no condition, or the unit is of another dimension.

    >>> read_condition("memory_bytes >= 192 GB")
    Condition(field='memory_bytes', symbol='>=', value=192000000000.0)
    """
    match = _CONDITION.fullmatch(text)
    if match is None:
        allowed = "a field, one of >= <= > < = != ~ (contains), and a value"
        raise InputError([f"--where: found {text!r}, allowed {allowed}: memory_bytes>=192e9"])
    field, symbol, value = match.groups()
    try:
        return Condition(field, symbol, float(value))
    except ValueError:
        pass
    unit = unit_of(field.split(".")[0]) or unit_of(field.split(".")[-1])
    if not unit:
        return Condition(field, symbol, value.lower() if value in ("True", "False") else value)
    try:
        return Condition(field, symbol, convert(value, unit))
    except UnitError as error:
        raise InputError([f"--where {field}: {error}"]) from error


def _conditions(
    texts: Sequence[str], looked: Sequence[tuple[str, Component]]
) -> tuple[Condition, ...]:
    asked = tuple(read_condition(text) for text in texts)
    if not asked:
        return ()
    known = {field for _, component in looked for field in values_of(component)}
    mistakes = [
        f"--where: no component has a field {c.field!r}.{nearest(c.field, known)}"
        for c in asked
        if c.field not in known
    ]
    if mistakes:
        raise InputError(mistakes)
    return asked


def _likeness(component: Component, text: str) -> tuple[float, str]:
    """Return how like the most alike name is, and which.

    1 is the same, 0.9 contains, 0.8 has all words, 0.75 a word in another text of the component;
    below that are names that are spelled alike.
    """
    wanted = " ".join(text.casefold().split())
    names = (component.key, component.name, *component.aliases, component.vendor)
    if not wanted:
        return 1.0, ""
    plain = {name: " ".join(name.casefold().split()) for name in names if name}
    for likeness, fits in (
        (1.0, lambda name: name == wanted),
        (0.9, lambda name: wanted in name),
        (0.8, lambda name: all(word in name for word in wanted.split())),
    ):
        for name, folded in plain.items():
            if fits(folded):
                return likeness, name
    every = " ".join(plain.values())
    if all(word in every for word in wanted.split()):
        return 0.8, component.name
    for field, value in values_of(component).items():
        if field not in ("note", "rule") and isinstance(value, str) and wanted in value.casefold():
            return 0.75, value
    best, name = max((_alike(wanted, folded), name) for name, folded in plain.items())
    return (0.7 * best, name) if best >= _NEAR else (0.0, "")


def _alike(wanted: str, name: str) -> float:
    """Return the share of letters in common with the name, or with the most alike of its words."""
    words = [name, *re.split(r"[\s\-_/,]+", name)]
    return max(_ratio(wanted, word) for word in words if word)


def _ratio(wanted: str, name: str) -> float:
    matcher = SequenceMatcher(None, wanted, name)
    return matcher.ratio() if matcher.quick_ratio() >= _NEAR else 0.0
