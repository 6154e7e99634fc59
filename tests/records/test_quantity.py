"""Quantities: what a file may say and the number that a record then holds."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter, ValidationError

from rackwright.records import quantity as q
from rackwright.records.base import Record
from rackwright.records.units import UnitError, convert


def read(kind: Any, value: object) -> float:
    return TypeAdapter(kind).validate_python(value)


# Factors: SI brochure (9th ed., 2019) tables 7 and 8; foot, pound: NIST SP 811 appendix B.
KNOWN = [
    (q.PowerW, "132 kW", 132_000),
    (q.PowerW, 5, 5),
    (q.Bytes, "192 GB", 192e9),
    (q.Bytes, "192 GiB", 192 * 2**30),
    (q.BytesPerS, "400 Gbit/s", 50e9),
    (q.BitPerS, "1.6 Tbit/s", 1.6e12),
    (q.FlopPerS, "2.5 PFLOP/s", 2.5e15),
    (q.TemperatureC, "104 degF", 40),
    (q.TemperatureC, "300 K", 26.85),
    (q.TemperatureC, "-40 °F", -40),
    (q.AreaM2, "100 sqft", 9.290304),
    (q.LengthM, "600 mm", 0.6),
    (q.MassKg, "1.4 t", 1400),
    (q.MassKg, "3000 lb", 1360.77711),
    (q.FlowLPerMin, "6 m3/h", 100),
    (q.Seconds, "250 ms", 0.25),
    (q.Weeks, "3 days", 3 / 7),
    (q.Weeks, "1 year", 365.25 / 7),
    (q.Fraction, "12 %", 0.12),
    (q.CountPerWeek, "500 per week", 500),
    (q.Tokens, "15 T tokens", 15e12),
    (q.Tokens, "15 trillion tokens", 15e12),
    (q.UsdPerMillionTokens, "0.4 USD per million tokens", 0.4),
    (q.EnergyPriceUsdPerKwh, "62 USD/MWh", 0.062),
    (q.Usd, "2 billion USD", 2e9),
    (q.UsdPerW, "11 MUSD/MW", 11),
]


@pytest.mark.parametrize(("kind", "text", "expected"), KNOWN)
def test_a_text_with_a_unit_becomes_the_number_inside(kind, text, expected):
    assert read(kind, text) == pytest.approx(expected, rel=1e-12)


WRONG = [
    (q.PowerW, "3 kWh", "which is an energy", "kW"),
    (q.PowerW, "12 KW", 'unknown unit "KW"', "kW"),
    (q.PowerW, "12 mW", 'unknown unit "mW"', "MW"),
    (q.PowerW, "132", "without a unit", "132 W"),
    (q.PowerW, "kW", "does not start with a number", ""),
    (q.PowerW, -3, "-3 W", "≥ 0"),
    (q.PowerW, "-3 kW", "-3000 W", "≥ 0"),
    (q.PowerW, True, "true", ""),
    (q.PowerW, [1], "a list", ""),
    (q.BytesPerS, "8 TB", "which is an amount of data", "TB/s"),
    (q.BitPerS, "400 Gbps", 'unknown unit "Gbps"', "Gbit/s"),
    (q.TemperatureC, "40 C", 'the unit "C"', "degC"),
    (q.TemperatureC, "-300 degC", "-300 degC", "≥ -273.15"),
    (q.TemperatureRiseK, "10 degC", "degC", "K"),
    (q.Fraction, 12, "found 12", '"12 %"'),
    (q.Ratio, 0.9, "found 0.9", "≥ 1"),
]


@pytest.mark.parametrize(("kind", "value", "found", "advice"), WRONG)
def test_a_mistake_says_what_was_found_and_what_is_allowed(kind, value, found, advice):
    with pytest.raises(ValidationError) as caught:
        read(kind, value)

    (mistake,) = caught.value.errors()
    assert found in mistake["msg"]
    assert advice in mistake["msg"]
    assert mistake["ctx"]["allowed"] in mistake["msg"]


def test_infinity_and_nan_are_refused():
    for value in (float("inf"), float("nan"), "1e400 W"):
        with pytest.raises(ValidationError):
            read(q.PowerW, value)


ALL = {name: kind for name, kind in vars(q).items() if hasattr(kind, "__metadata__")}


@pytest.mark.parametrize("name", ALL)
def test_every_quantity_reads_its_own_example_and_shown_units(name):
    (mark,) = ALL[name].__metadata__

    value = read(ALL[name], mark.example)

    assert convert(mark.example, mark.unit) == value
    for unit in mark.shown:
        # 0 in any unit of the dimension converts; temperatures have other zero points
        assert isinstance(convert(f"0 {unit}", mark.unit), float)


@pytest.mark.parametrize("name", ALL)
def test_the_json_schema_offers_a_number_or_a_text(name):
    schema = TypeAdapter(ALL[name]).json_schema()

    assert [option["type"] for option in schema["anyOf"]] == ["number", "string"]


@given(st.floats(0, 1e12), st.sampled_from(["W", "kW", "MW", "GW", "J/s", "kJ/s"]))
def test_conversion_is_linear(number, unit):
    one = convert(f"1 {unit}", "W")

    assert convert(f"{number!r} {unit}", "W") == pytest.approx(number * one, rel=1e-12)


@given(st.text(max_size=20), st.sampled_from(sorted(ALL)))
def test_no_text_breaks_the_reader(text, name):
    (mark,) = ALL[name].__metadata__
    with suppress(UnitError):  # and no other error
        assert isinstance(convert(text, mark.unit, mark.shown), float)


def test_a_field_may_be_stricter_than_its_quantity():
    class Limits(Record):
        before: q.Seconds = Field(gt=0)
        inside: Annotated[q.Fraction, Field(lt=0.5)]

    with pytest.raises(ValidationError) as caught:
        Limits(before="0 ms", inside="50 %")

    assert [m["type"] for m in caught.value.errors()] == ["greater_than", "less_than"]
    number = Limits.model_json_schema()["properties"]["before"]["anyOf"][0]
    assert number == {"type": "number", "exclusiveMinimum": 0}


def test_a_record_with_a_quantity_survives_json():
    class Rack(Record):
        power_w: q.PowerW

    rack = Rack(power_w="132 kW")

    assert rack.model_dump_json() == '{"power_w":132000.0}'
    assert Rack.model_validate_json(rack.model_dump_json()) == rack


@pytest.mark.parametrize(
    ("kind", "value"),
    [(q.PowerW, "1e300 W"), (q.UsdPerMillionTokens, 1e300), (q.Weeks, "9e9 weeks")],
)
def test_what_nobody_can_mean_is_refused_at_the_border(kind, value):
    with pytest.raises(ValidationError, match="is a prefix wrong"):
        TypeAdapter(kind).validate_python(value)
