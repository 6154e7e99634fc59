"""A row is dropped only if no price could ever prefer it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rackwright.design.dominance import undominated
from rackwright.design.pricing import price
from tests.design.synthetic import prices, row, service, space


def many(rng, n=12):
    rates = rng.integers(1, 4, (n, 2, 2)).astype(float)
    services = (service("w0", 1.0, 50.0), service("w1", 1.0, 50.0))
    return tuple(
        row(f"d{d}", rng, services, provisioned_power_w=float(rng.integers(5, 8)),
            liquid_w=1.0, air_w=1.0, floor_m2=1.0, mass_kg=1.0, first_week=0.0,
            bill=(), hours=(), price_usd=float(rng.integers(1, 4)))
        for d in range(n)
    ), rates  # fmt: skip


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_no_price_prefers_a_dropped_row(seed):
    rng = np.random.default_rng(seed)
    rows, rates = many(rng)
    kept = undominated(rows, rates)
    p = prices(rng)
    worth = np.asarray(price(space(rows, rates), p).worth_usd)
    best_kept = worth[kept].max(axis=0)
    assert np.all(worth.max(axis=0) <= best_kept + 1e-9)


def test_a_worse_row_is_dropped_and_an_equal_one_kept_once():
    rng = np.random.default_rng(1)
    rows, _ = many(rng, 1)
    base = rows[0]
    twin = base.__class__(**{**dict(base), "key": "twin"})
    worse = base.__class__(**{**dict(base), "key": "worse", "price_usd": base.price_usd + 1})
    rates = np.ones((3, 2, 2))
    assert undominated((base, twin, worse), rates) == [0]


def test_being_better_in_one_world_is_enough_to_stay():
    rng = np.random.default_rng(1)
    base = many(rng, 1)[0][0]
    dear = base.__class__(**{**dict(base), "key": "dear", "price_usd": base.price_usd + 1})
    rates = np.ones((2, 2, 2))
    rates[1, 0, 1] = 1.01
    assert undominated((base, dear), rates) == [0, 1]


def test_another_platform_never_drops_a_row():
    rng = np.random.default_rng(1)
    base = many(rng, 1)[0][0]
    other = base.__class__(
        **{**dict(base), "key": "other", "platform": "q", "price_usd": base.price_usd + 1}
    )
    assert undominated((base, other), np.ones((2, 2, 2))) == [0, 1]


def test_the_lesson_of_two_designs_and_scarce_memory():
    """A worth 10 at cost 5 with 8 HBM, B worth 9 at 5.5 with 4 HBM: both must stay.

    At list prices A dominates; with 100 HBM, 12.5 blocks of A earn 62.5, 25 of B earn 87.5.
    """
    rng = np.random.default_rng(1)
    base = many(rng, 1)[0][0]
    line = row("x", rng, (None,)).bill[0]

    def design(key, usd, hbm):
        bill = (line.__class__(**{**dict(line), "part": "hbm", "quantity": hbm}),)
        return base.__class__(**{**dict(base), "key": key, "price_usd": usd, "bill": bill})

    a, b = design("a", 5.0, 8.0), design("b", 5.5, 4.0)
    rates = np.array([[[10.0] * 2] * 2, [[9.0] * 2] * 2])
    assert undominated((a, b), rates) == [0, 1]
    assert pytest.approx(62.5) == 100 / 8 * (10 - 5)
    assert pytest.approx(87.5) == 100 / 4 * (9 - 5.5)
