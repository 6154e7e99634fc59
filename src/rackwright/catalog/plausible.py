"""Numbers that cannot be what they say: a unit written into the value, a prefix left out."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from rackwright.records.units import UnitError, convert

_UNITS: Mapping[str, str] = {
    "bytes": "B", "bit": "bit", "flop": "FLOP", "w": "W", "va": "VA", "v": "V", "a": "A",
    "kg": "kg", "m": "m", "m2": "m2", "m3": "m3", "l": "L", "min": "min", "s": "s", "h": "h",
    "hours": "h", "c": "degC", "k": "K", "pa": "Pa", "j": "J", "kwh": "kWh", "usd": "USD",
}  # fmt: skip
_FACTORS = (1e3, 1e6, 1e9, 1e12, 1e15, 1e-3, 1e-6, 1e-9)


def implausible(kind: str, body: Mapping[str, Any], record: type[BaseModel]) -> Iterator[str]:
    """Yield a line for each value of a file that is no number, or no number of its unit.

    Args:
        kind: the folder of the file.
        body: the file's table as it was read.
        record: the record that it is to become.
    """
    for key, value in body.items():
        info = record.model_fields.get(key)
        if info is not None:
            yield from _within(kind, key, key, value, info)


def _within(kind: str, path: str, key: str, value: object, info: FieldInfo) -> Iterator[str]:
    inner = _record_in(info.annotation)
    if isinstance(value, Mapping):
        for name, item in value.items():
            field = inner.model_fields.get(name) if inner else None
            if field is not None:
                # rates by precision are named by the table, not by their own key
                named = name if unit_of(name) else key
                yield from _within(kind, f"{path}.{name}", named, item, field)
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _within(kind, f"{path}[{i}]", key, item, info)
    elif isinstance(value, str):
        if _holds(info.annotation, float) or _holds(info.annotation, int):
            yield f"{path}: found {value!r}, {_instead(key, value)}"
    elif _holds(info.annotation, float) and _is_number(value):
        yield from _outside(kind, path, key, _as_float(value))


def _outside(kind: str, path: str, key: str, value: float) -> Iterator[str]:
    limits = _limits(kind, path.split(".")[0].split("[")[0]) or _limits(kind, key)
    if limits is None or limits.low <= value <= limits.high:
        return
    unit = unit_of(key)
    text = (
        f"{path}: found {value:g} {unit}".rstrip()
        + f", plausible is {limits.low:g} to {limits.high:g}"
    )
    factors = [f for f in _FACTORS if limits.low <= value * f <= limits.high]
    if factors and value:
        factor = min(factors, key=lambda f: abs(f - 1e9))
        text += f"; was a factor of {factor:g} left out ({value * factor:g})?"
    yield text


def unit_of(key: str) -> str:
    """Return the unit that a field's name ends in, or an empty string.

    >>> unit_of("memory_bytes_per_s"), unit_of("heat_capacity_j_per_kg_k"), unit_of("rack_units")
    ('B/s', 'J/kg·K', '')
    >>> unit_of("failures_per_1e9_h"), unit_of("power_n_plus_1_w")
    ('', 'W')
    """
    told: list[str] = []
    words = key.partition("_at_")[0].split("_")
    while words and (words[-1] in _UNITS or words[-1] == "per"):
        told.insert(0, words.pop())
    counted = len(words) > 1 and words[-2] == "per" and words[-1][0:1].isdigit()
    if not told or "per" in (told[0], told[-1]) or counted:
        return ""  # "failures_per_1e9_h" is per 1e9 hours, not in hours
    unit = "·".join(_UNITS.get(word, word) for word in told)
    return unit.replace("·per·", "/")


class _Limits(NamedTuple):
    low: float
    high: float


def _limits(kind: str, key: str) -> _Limits | None:
    table = _table()
    if f"{kind}.{key}" in table["field"]:
        return _Limits(*table["field"][f"{kind}.{key}"])
    fitting = [ending for ending in table["ending"] if f"_{key}".endswith(ending)]
    return _Limits(*table["ending"][max(fitting, key=len)]) if fitting else None


@cache
def _table() -> dict[str, dict[str, list[float]]]:
    text = Path(__file__).with_name("plausible.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number of more digits than a float holds
        return math.inf


def _instead(key: str, text: str) -> str:
    unit = unit_of(key)
    wanted = f"allowed a plain number{f' in {unit}' if unit else ''}"
    try:
        return f"{wanted}: write {convert(text, unit):g}" if unit else wanted
    except (UnitError, KeyError):
        return wanted


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _holds(annotation: object, number: type[float] | type[int]) -> bool:
    """Return whether a field takes such a number; counts (int) have no unit and no range here."""
    return annotation is number or any(_holds(part, number) for part in get_args(annotation))


def _record_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _record_in(part))), None)
