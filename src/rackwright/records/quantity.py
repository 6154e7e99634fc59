"""Numbers that may carry their unit in a file: "132 kW" outside, 132000.0 inside.

`PowerW` and its siblings are types for record fields. Each accepts a plain number, which is in the
unit of the field's suffix, or a string with a unit of the same dimension. Inside a record there is
only ever the number. The units themselves are in `records.units`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from rackwright.records.units import UnitError, convert

MOST = {
    "W": 1e12, "J": 1e18, "USD": 1e14, "kg": 1e10, "m2": 1e9, "m": 1e7, "s": 1e9, "h": 1e6,
    "week": 1e5, "year": 2e3, "day": 1e6, "degC": 1e3, "K": 1e3, "tokens": 1e20,
    "tokens/s": 1e15, "USD/Mtokens": 1e9, "USD/kWh": 1e4, "USD/h": 1e9, "USD/kg": 1e7,
}  # fmt: skip
"""Largest plausible value by unit: a slip of the prefix is told at the border, not computed."""

MOST_OF_ANYTHING = 1e24


@dataclass(frozen=True)
class Quantity:
    """Marks a float field as a quantity: its unit inside, what is allowed, how it is shown.

    Args:
        unit: the unit of the number inside, which is also that of a bare number in a file.
        kind: the dimension in words, for messages ("power").
        shown: the units that a message offers; others of the dimension are accepted too.
        example: one value as a person would write it.
        ge: smallest allowed value, in `unit`; None for no limit.
        le: largest allowed value, in `unit`; None for no limit.
    """

    unit: str
    kind: str
    shown: tuple[str, ...]
    example: str
    ge: float | None = 0.0
    le: float | None = None

    def read(self, value: object) -> object:
        """Return the number inside for a number or a string with a unit.

        Raises:
            PydanticCustomError: a ValueError that carries `found`, `allowed` and `hint`.
        """
        if isinstance(value, str):
            try:
                return convert(value, self.unit, self.shown)
            except UnitError as error:
                raise self._mistake(error.found, error.hint) from None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._mistake(_in_words(value), "")
        return value

    def allowed(self) -> str:
        """Return in words what may be written for this quantity."""
        limits = _limits(self.ge, self.le)
        number = "a number" if self.unit == "1" else f"a number in {self.unit}"
        return (
            f'{self.kind}{limits}: {number}, or text such as "{self.example}" ({_or(self.shown)})'
        )

    def _mistake(self, found: str, hint: str) -> PydanticCustomError:
        return PydanticCustomError(
            "quantity",
            "found {found}, allowed {allowed}.{hint}",
            {"found": found, "allowed": self.allowed(), "hint": hint},
        )

    def _check(self, value: float) -> float:
        # Own check and not Field(ge=0): the message then says units and how to write the value.
        if not math.isfinite(value):
            raise self._mistake(_number(value, self.unit), "")
        low = self.ge is not None and value < self.ge
        if low or (self.le is not None and value > self.le) or not self._plausible(value):
            raise self._mistake(_number(value, self.unit), self._hint_for(value))
        return value

    def _plausible(self, value: float) -> bool:
        return self.le is not None or abs(value) <= MOST.get(self.unit, MOST_OF_ANYTHING)

    def _hint_for(self, value: float) -> str:
        if not self._plausible(value):
            most = _number(MOST.get(self.unit, MOST_OF_ANYTHING), self.unit)
            return f" Nothing is more than {most}: is a prefix wrong?"
        if self.unit == "1" and "%" in self.shown and 1 < value <= 100:
            return f' Did you mean "{value:g} %"?'
        return ""

    def __get_pydantic_core_schema__(
        self, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Read the unit, then validate the float with the field's own limits, then with ours."""
        number = core_schema.no_info_after_validator_function(self._check, handler(source))
        return core_schema.no_info_before_validator_function(self.read, number)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Offer a number or a string on input; promise a number on output."""
        number = dict(handler(schema))
        if self.ge is not None and "exclusiveMinimum" not in number:
            number["minimum"] = max(self.ge, number.get("minimum", self.ge))
        if self.le is not None and "exclusiveMaximum" not in number:
            number["maximum"] = min(self.le, number.get("maximum", self.le))
        if handler.mode == "serialization":
            return number
        text = {"type": "string", "examples": [self.example]}
        return {"anyOf": [number, text], "description": self.allowed()}


def _number(value: float, unit: str) -> str:
    return f"{value:g}" if unit == "1" else f"{value:g} {unit}"


def _limits(ge: float | None, le: float | None) -> str:
    if ge is not None and le is not None:
        return f" between {ge:g} and {le:g}"
    if ge is not None:
        return f" ≥ {ge:g}"
    return "" if le is None else f" ≤ {le:g}"


def _or(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _in_words(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    names = {list: "a list", tuple: "a list", dict: "a table", type(None): "nothing"}
    return names.get(type(value), f"{value!s} ({type(value).__name__})")


PowerW = Annotated[float, Quantity("W", "power", ("W", "kW", "MW", "GW"), "132 kW")]
EnergyJ = Annotated[float, Quantity("J", "energy", ("J", "kWh", "MWh"), "5 kWh")]
VoltageV = Annotated[float, Quantity("V", "voltage", ("V", "kV"), "480 V")]
CurrentA = Annotated[float, Quantity("A", "current", ("A",), "60 A")]

Bytes = Annotated[float, Quantity("B", "an amount of data", ("B", "GB", "GiB", "TB"), "192 GB")]
BytesPerS = Annotated[float, Quantity("B/s", "a data rate", ("B/s", "GB/s", "TB/s"), "8 TB/s")]
BitPerS = Annotated[
    float, Quantity("bit/s", "a data rate", ("bit/s", "Gbit/s", "Tbit/s"), "400 Gbit/s")
]
FlopPerS = Annotated[
    float, Quantity("FLOP/s", "a compute rate", ("FLOP/s", "TFLOP/s", "PFLOP/s"), "2.5 PFLOP/s")
]

TemperatureC = Annotated[
    float,
    Quantity("degC", "a temperature", ("degC", "K", "degF"), "40 degC", ge=-273.15),
]
TemperatureRiseK = Annotated[float, Quantity("K", "a temperature difference", ("K",), "10 K")]
FlowLPerMin = Annotated[
    float, Quantity("L/min", "a volume flow", ("L/min", "L/s", "m3/h"), "130 L/min")
]

LengthM = Annotated[float, Quantity("m", "a length", ("m", "mm", "km", "ft"), "600 mm")]
AreaM2 = Annotated[float, Quantity("m2", "an area", ("m2", "sqft"), "12000 m2")]
MassKg = Annotated[float, Quantity("kg", "a mass", ("kg", "t", "lb"), "1360 kg")]
KgPerM2 = Annotated[float, Quantity("kg/m2", "a floor load", ("kg/m2", "lb/sqft"), "1500 kg/m2")]

Seconds = Annotated[float, Quantity("s", "a time", ("s", "ms", "min", "h"), "250 ms")]
Hours = Annotated[float, Quantity("h", "a time", ("h", "min", "day", "week"), "48 h")]
Days = Annotated[float, Quantity("day", "a time", ("day", "h", "week"), "10 days")]
Weeks = Annotated[float, Quantity("week", "a time", ("week", "day", "month", "year"), "6 weeks")]
Years = Annotated[float, Quantity("year", "a time", ("year", "month", "week"), "5 years")]

Fraction = Annotated[float, Quantity("1", "a fraction", ("%",), "12 %", le=1.0)]
SignedFraction = Annotated[float, Quantity("1", "a fraction", ("%",), "-3 %", ge=-1.0)]
FractionPerYear = Annotated[
    float, Quantity("1/year", "a rate per year", ("1/year", "%/year"), "10 %/year", ge=-1.0)
]
Ratio = Annotated[float, Quantity("1", "a ratio", ("%",), "125 %", ge=1.0)]
"""At least one, such as a PUE."""

Count = Annotated[float, Quantity("1", "a count", ("units",), "500 units")]
CountPerWeek = Annotated[
    float, Quantity("1/week", "a rate", ("1/week", "units/week", "units/year"), "500 units/week")
]
Tokens = Annotated[
    float, Quantity("tokens", "tokens", ("tokens", "M tokens", "T tokens"), "15 T tokens")
]
TokensPerS = Annotated[
    float, Quantity("tokens/s", "a token rate", ("tokens/s", "M tokens/s"), "2 M tokens/s")
]

Usd = Annotated[float, Quantity("USD", "money", ("USD", "kUSD", "MUSD", "billion USD"), "3.2 MUSD")]
SignedUsd = Annotated[
    float, Quantity("USD", "money", ("USD", "kUSD", "MUSD", "billion USD"), "-50 kUSD", ge=None)
]
EnergyPriceUsdPerKwh = Annotated[
    float, Quantity("USD/kWh", "a price of energy", ("USD/kWh", "USD/MWh"), "62 USD/MWh")
]
UsdPerMillionTokens = Annotated[
    float,
    Quantity("USD/Mtokens", "a price of tokens", ("USD/Mtokens", "USD/token"), "0.4 USD/Mtokens"),
]
UsdPerHour = Annotated[
    float, Quantity("USD/h", "a price of time", ("USD/h", "USD/day"), "95 USD/h")
]
UsdPerWeek = Annotated[
    float, Quantity("USD/week", "a price of time", ("USD/week", "kUSD/week"), "20 kUSD/week")
]
UsdPerKg = Annotated[float, Quantity("USD/kg", "a freight rate", ("USD/kg", "USD/t"), "4.5 USD/kg")]
UsdPerW = Annotated[
    float, Quantity("USD/W", "a price of power", ("USD/W", "USD/kW", "MUSD/MW"), "11 MUSD/MW")
]
UsdPerM2 = Annotated[
    float, Quantity("USD/m2", "a price of floor", ("USD/m2", "USD/sqft"), "3000 USD/m2")
]
