"""Units as people write them, turned into numbers: "15 T tokens" in "tokens" is 1.5e13.

A unit is a product of symbols with exponents, such as "USD/kWh", "m3/h" or "Gbit/s". Each symbol
has a factor to its dimension's base and the prefixes that the trade uses with it: "mW" is refused
because in a data center it is nearly always a mistyped "MW".
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import lru_cache
from typing import NamedTuple

Dimension = tuple[tuple[str, int], ...]


class UnitError(ValueError):
    """A text is not a quantity in the wanted unit."""

    def __init__(self, found: str, hint: str = "") -> None:
        """Keep what was found, and a hint that starts with a space or is empty."""
        self.found, self.hint = found, hint
        super().__init__(f"found {found}.{hint}")


def convert(text: str, unit: str, offered: tuple[str, ...] = ()) -> float:
    """Return a text's number in the given unit.

    Args:
        text: a number and a unit, such as "132 kW", "40 degC" or "12 %".
        unit: the unit of the result.
        offered: spellings of units that a hint may name.

    Raises:
        UnitError: no number, no unit, an unknown unit or one of another dimension.

    >>> convert("132 kW", "W")
    132000.0
    >>> convert("62 USD/MWh", "USD/kWh")
    0.062
    >>> convert("104 degF", "degC")
    40.0
    """
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        raise UnitError(f'"{text}", which does not start with a number')
    number, symbol = float(match["number"].replace("_", "")), match["unit"].strip()
    if not symbol:
        wanted = "" if unit == "1" else f' or "{match["number"]} {(*offered, unit)[0]}"'
        raise UnitError(
            f'the text "{text}" without a unit', f" Write {match['number']} without quotes{wanted}."
        )
    if unit in _OFFSETS:
        return _temperature(text, number, symbol, unit, offered)
    try:
        scale, wanted_scale = _scale(symbol), _scale(unit)
    except _UnknownSymbolError as error:
        raise UnitError(
            f'"{text}" with the unknown unit "{error}"', _nearest_unit(symbol, (*offered, unit))
        ) from None
    if scale.dimension != wanted_scale.dimension:
        raise UnitError(
            f'"{text}", which is {_kind(scale.dimension)}', _nearest_unit(symbol, (*offered, unit))
        )
    value = number * scale.factor / wanted_scale.factor
    # Factors such as 1e-6 are not exact in binary: 15 digits bring back what was written.
    return float(f"{value:.15g}")


_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?)(?P<unit>.*)", re.DOTALL
)

_OFFSETS = {"degC": (1.0, 273.15), "degF": (5 / 9, 459.67 * 5 / 9), "K": (1.0, 0.0)}
_TEMPERATURE_NAMES = {"°C": "degC", "°F": "degF"}


def _temperature(
    text: str, number: float, symbol: str, unit: str, offered: tuple[str, ...]
) -> float:
    symbol = _TEMPERATURE_NAMES.get(symbol, symbol)
    # A difference (wanted in K) has no zero point: 10 degC of rise would be read as 283 K.
    allowed = ("K",) if unit == "K" else tuple(_OFFSETS)
    if symbol not in allowed:
        hint = _nearest_unit(symbol, (*offered, *allowed))
        raise UnitError(f'"{text}" with the unit "{symbol}"', hint)
    slope, offset = _OFFSETS[symbol]
    out_slope, out_offset = _OFFSETS[unit]
    return round((number * slope + offset - out_offset) / out_slope, 9)


def _nearest_unit(symbol: str, wanted: tuple[str, ...]) -> str:
    symbol = re.sub(r"bps$", "bit/s", symbol)  # the trade's short form, refused: b or B?
    same = [unit for unit in wanted if unit.lower() == symbol.lower()]
    near = same or get_close_matches(symbol, wanted, n=1, cutoff=0.3)
    return f" Did you mean {near[0]}?" if near else ""


class _Scale(NamedTuple):
    factor: float
    dimension: Dimension


class _UnknownSymbolError(ValueError):
    pass


_PREFIX = {
    "m": 1e-3, "u": 1e-6, "µ": 1e-6, "n": 1e-9, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
    "P": 1e15, "E": 1e18, "Z": 1e21,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50,
}  # fmt: skip
_WORDS = {"thousand": "k", "million": "M", "billion": "G", "trillion": "T"}

_DAY_S = 86400.0
_YEAR_S = 365.25 * _DAY_S  # the Julian year; a month is a twelfth of it
# symbol: (factor to the base, base dimensions, prefixes in use)
_SYMBOLS: dict[str, tuple[float, dict[str, int], str]] = {
    "1": (1.0, {}, ""),
    "%": (0.01, {}, ""),
    **dict.fromkeys(
        ("unit", "units", "pcs", "pieces", "parts", "racks", "accelerators"), (1.0, {}, "k M G")
    ),
    **dict.fromkeys(("token", "tokens", "tok"), (1.0, {"token": 1}, "k M G T P")),
    "W": (1.0, {"energy": 1, "time": -1}, "k M G T"),
    "J": (1.0, {"energy": 1}, "k M G T"),
    "Wh": (3600.0, {"energy": 1}, "k M G T"),
    "V": (1.0, {"voltage": 1}, "m k"),
    "A": (1.0, {"current": 1}, "m k"),
    "B": (8.0, {"data": 1}, "k M G T P E Ki Mi Gi Ti Pi"),
    "bit": (1.0, {"data": 1}, "k M G T P"),
    "FLOP": (1.0, {"operation": 1}, "k M G T P E Z"),
    "K": (1.0, {"temperature": 1}, ""),
    "m": (1.0, {"length": 1}, "m k u µ n"),
    "cm": (0.01, {"length": 1}, ""),
    "ft": (0.3048, {"length": 1}, ""),
    "in": (0.0254, {"length": 1}, ""),
    "sqft": (0.3048**2, {"length": 2}, ""),
    "L": (1e-3, {"length": 3}, "m"),
    "gal": (3.785411784e-3, {"length": 3}, ""),  # the US gallon
    "kg": (1.0, {"mass": 1}, ""),
    "g": (1e-3, {"mass": 1}, ""),
    "t": (1e3, {"mass": 1}, "k"),
    "lb": (0.45359237, {"mass": 1}, ""),
    "s": (1.0, {"time": 1}, "m u µ n"),
    "min": (60.0, {"time": 1}, ""),
    **dict.fromkeys(("h", "hour", "hours"), (3600.0, {"time": 1}, "")),
    **dict.fromkeys(("day", "days", "d"), (_DAY_S, {"time": 1}, "")),
    **dict.fromkeys(("week", "weeks"), (7 * _DAY_S, {"time": 1}, "")),
    **dict.fromkeys(("month", "months"), (_YEAR_S / 12, {"time": 1}, "")),
    **dict.fromkeys(("year", "years", "a"), (_YEAR_S, {"time": 1}, "")),
    **dict.fromkeys(("USD", "$"), (1.0, {"money": 1}, "k M G")),
}  # fmt: skip
_TABLE = {
    prefix + symbol: _Scale(factor * _PREFIX.get(prefix, 1.0), tuple(dims.items()))
    for symbol, (factor, dims, prefixes) in reversed(_SYMBOLS.items())
    for prefix in ("", *prefixes.split())
}  # reversed and exact names last: "min" is a minute, never a milli-inch
_TABLE.update({name: _Scale(f, tuple(d.items())) for name, (f, d, _) in _SYMBOLS.items()})


@lru_cache(maxsize=512)
def _scale(symbol: str) -> _Scale:
    """Return factor and dimension of a unit such as "USD/kWh"."""
    text = re.sub(r"\s*\bper\b\s*", "/", symbol)
    for word, prefix in _WORDS.items():
        text = re.sub(rf"\b{word}\s+", prefix, text)
    text = re.sub(r"(?<![A-Za-z])([kMGTPEZ])\s+(?=[A-Za-z$])", r"\1", text)  # "15 T tokens"
    text = text.replace("²", "2").replace("³", "3").replace("^", "")
    factor, dimension, sign = 1.0, dict[str, int](), 1
    if text.startswith("/"):
        text = "1" + text
    for i, part in enumerate(re.split(r"\s*/\s*", text)):
        sign = -1 if i else 1
        for term in re.split(r"\s*[·*]\s*", part):
            exponent = 1
            if term not in _TABLE and term[-1:] in ("2", "3"):
                term, exponent = term[:-1], int(term[-1])
            if term not in _TABLE:
                raise _UnknownSymbolError(symbol)
            scale = _TABLE[term]
            factor *= scale.factor ** (sign * exponent)
            for base, power in scale.dimension:
                dimension[base] = dimension.get(base, 0) + sign * exponent * power
    kept = tuple(sorted((base, power) for base, power in dimension.items() if power))
    return _Scale(factor, kept)


_KINDS = {
    "W": "a power", "J": "an energy", "B": "an amount of data", "B/s": "a data rate",
    "FLOP/s": "a compute rate", "FLOP": "an amount of compute", "m": "a length", "m2": "an area",
    "m3": "a volume", "L/min": "a volume flow", "kg": "a mass", "s": "a time", "USD": "money",
    "USD/kWh": "a price of energy", "USD/W": "a price of power", "USD/h": "a price of time",
    "tokens": "a number of tokens", "tokens/s": "a token rate", "1": "a plain number",
    "1/s": "a rate", "K": "a temperature", "V": "a voltage", "A": "a current",
}  # fmt: skip


def _kind(dimension: Dimension) -> str:
    for unit, kind in _KINDS.items():
        if _scale(unit).dimension == dimension:
            return kind
    return "of another dimension"
