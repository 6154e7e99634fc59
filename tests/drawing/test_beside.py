"""Designs beside one another: every column's parts sum, prices move as their ranges say."""

import numpy as np
import pytest

from rackwright.drawing.layout.beside import power_bars, sensitivity, time_bars
from rackwright.drawing.names import names_of
from rackwright.records.provenance import Grade
from rackwright.records.space import (
    FrontRow,
    Parameters,
    PowerLine,
    PriceLine,
    Service,
    Space,
    TimePart,
)
from tests.design.synthetic import row, service, space

RNG = np.random.default_rng(2)


def front(**changes) -> FrontRow:
    fields = {
        "rank": 1, "key": "a", "workload": "w0", "rate_tokens_per_s": 10.0, "rate_low": 9.0,
        "rate_high": 11.0, "usd_per_million_tokens": 2.0, "capital_share": 0.5,
        "energy_share": 0.25, "reserved_share": 0.25, "tokens_per_s_per_w": 1.0,
        "price_usd": 100.0, "baseline": False, "chance_best": 1.0, "grade": Grade.D,
    }  # fmt: skip
    return FrontRow(**{**fields, **changes})


def priced(key="a", **changes):
    lines = (
        PriceLine(name="chips", usd=80, usd_low=60, usd_high=100, grade=Grade.D),
        PriceLine(name="frame", usd=20, usd_low=20, usd_high=20, grade=Grade.D),
    )
    power = (PowerLine(name="chips", w=30.0), PowerLine(name="fans", w=10.0))
    fields = {"price": lines, "price_usd": 100.0, "power": power, "provisioned_power_w": 40.0}
    return row(key, RNG, (service("w0", 10.0, 5.0),), **{**fields, **changes})


def test_power_per_accelerator_sums_to_what_is_reserved():
    rows = [priced("a"), priced("b")]
    bars = power_bars(rows, names_of(space(rows, np.ones((2, 1, 4))), ["a", "b"]))

    for bar in bars.rows:
        assert sum(s.value for s in bar.segments) == pytest.approx(40.0 / 8)


def test_time_per_million_tokens_is_accelerators_over_rate():

    parts = (TimePart(name="x", seconds=0.004), TimePart(name="y", seconds=0.006))
    done = Service(**{**dict(service("w0", 10.0, 5.0)), "parts": parts})
    rows = [priced("a")]
    bars = time_bars([(rows[0], done)], names_of(space(rows, np.ones((1, 1, 4))), ["a"]))

    assert sum(s.value for s in bars.rows[0].segments) == pytest.approx(8 / 10 * 1e6)


def test_cost_moves_with_the_range_of_each_price_and_with_energy():
    found = sensitivity(space([priced()], np.ones((1, 1, 4))), priced(), front())
    moved = {r.label: (r.low, r.high) for r in found.rows}

    # half of 2 USD is price, of which 20 of 100 is the range to either side
    assert moved["price: chips"] == pytest.approx((1.8, 2.2))
    assert "price: frame" not in moved
    assert moved["price of energy ± 25 %"] == pytest.approx((2 - 0.125, 2 + 0.125))


def test_a_composed_rack_is_at_its_upper_end_already():
    found = sensitivity(space([priced()], np.ones((1, 1, 4))), priced(), front(composed=True))
    moved = {r.label: (r.low, r.high) for r in found.rows}

    assert moved["price: chips"] == pytest.approx((1.6, 2.0))


def test_only_parameters_that_the_rate_follows_are_shown():

    rng = np.random.default_rng(4)
    values = np.exp(0.1 * rng.standard_normal((256, 2)))
    rates = (values[:, 0] ** 2)[None, None, :]
    parameters = Parameters(
        names=("follows", "does not"), nominal=[1.0, 1.0], values=values,
        weights=np.full(256, 1 / 256), grades=(Grade.D, Grade.D),
    )  # fmt: skip
    whole = Space(**{**dict(space([priced()], rates)), "parameters": parameters})
    moved = {r.label: r for r in sensitivity(whole, priced(), front()).rows}

    assert "does not" not in moved
    sd = np.std(np.log(values[:, 0]))
    assert np.log(moved["follows"].high / 2.0) == pytest.approx(2 * 1.2816 * sd, rel=1e-6)
