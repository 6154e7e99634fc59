"""The two spaces in which pricing at list, and pricing without set-ups, miss the best plan."""

from __future__ import annotations

import pytest

from rackwright.build import plan
from tests.build.synthetic import factory, make_space, make_study, ramp, row, serving, slow_price
from tests.build.synthetic import supply as supplied

LIFE = 1e5  # weeks: long beside the horizon, so that a block is worth what it does and no salvage


def worth(usd):
    """Return the rate at which a block of the first week earns so much at 1 USD per million."""
    return usd * 1e6 / ((LIFE - 1) * 7 * 86400.0)


def once(part, units):
    """Return a supply of so many units in the first week and none later."""
    return supplied(part, ramp((0, units), (1, 0.0)))


def scarce_memory(allowed=()):
    study = make_study(
        [serving()],
        horizon=4,
        life=LIFE,
        objective={"allowed_platforms": allowed},
        supplies=(once("hbm", 100.0),),
    )
    rows = [
        row("a", rates=[worth(10)], price=5, bill=[("hbm", 8, 0.0)]),
        row("b", rates=[worth(9)], price=5.5, bill=[("hbm", 4, 0.0)]),
    ]
    return study, make_space(study, rows)


def test_a_design_that_loses_at_list_prices_wins_when_memory_is_scarce():
    study, space = scarce_memory()

    built, _ = plan(study, space, slow_price)

    assert built.designs == ("b",)
    assert built.surplus_usd == pytest.approx(87.5, rel=1e-4)
    assert built.proved


def test_without_redesign_the_same_memory_earns_less():
    study, space = scarce_memory(allowed=("a",))

    built, _ = plan(study, space, slow_price)

    assert built.designs == ("a",)
    assert built.surplus_usd == pytest.approx(62.5, rel=1e-4)
    assert built.proved


def two_parts(*keys):
    """Ten units of each of two parts; spread over many weeks, a set-up looks cheap."""
    study = make_study(
        [serving()],
        horizon=20,
        life=LIFE,
        factories=(factory(setup_usd=5.0),),
        supplies=(once("p", 10.0), once("q", 10.0)),
    )
    table = {
        "one": row("one", rates=[worth(1.05)], price=1e-9, bill=[("p", 1, 0.0)]),
        "two": row("two", rates=[worth(1.05)], price=1e-9, bill=[("q", 1, 0.0)]),
        "both": row("both", rates=[worth(2.0)], price=1e-9, bill=[("p", 1, 0.0), ("q", 1, 0.0)]),
    }
    return study, make_space(study, [table[key] for key in keys])


def test_two_one_part_designs_do_not_hide_a_two_part_design():
    study, space = two_parts("one", "two", "both")

    built, _ = plan(study, space, slow_price, known_designs=("one", "two"))

    assert built.designs == ("both",)
    assert built.surplus_usd == pytest.approx(15.0, rel=1e-4)
    assert built.proved
    assert built.remaining == 0


def test_without_the_two_part_design_the_plan_is_worth_eleven():
    study, space = two_parts("one", "two")

    built, _ = plan(study, space, slow_price)

    assert built.surplus_usd == pytest.approx(11.0, rel=1e-4)
