"""What parts cost: as a supply states it, or as the block's own bill does."""

from __future__ import annotations

import pytest

from rackwright.build import Limits, plan
from rackwright.build.bills import bills_of, stated_usd
from rackwright.records.space import Space
from tests.build.synthetic import make_space, make_study, ramp, row, serving, slow_price
from tests.build.synthetic import supply as supplied

EXACT = Limits(gap=1e-7, nodes=200)


def case(**stated):
    """Two designs whose bills name different prices of one part; one of them is worth building."""
    study = make_study(
        [serving(demand=ramp(1e4))],
        life=400,
        supplies=(supplied("hbm", ramp(6.0), unit_usd=None, stock=2.0, **stated),),
    )
    rows = [
        row("good", rates=[2.0], price=30.0, bill=[("hbm", 2, 4.0)]),
        row("poor", rates=[0.5], price=40.0, bill=[("hbm", 2, 9.0)]),
    ]
    return study, make_space(study, rows)


def only(space, *keys):
    keep = [i for i, r in enumerate(space.rows) if r.key in keys]
    rows = tuple(space.rows[i] for i in keep)
    return Space(**{**dict(space), "rows": rows, "rates": space.rates[keep]})


def test_what_a_plan_is_worth_does_not_depend_on_designs_that_it_does_not_use():
    study, space = case()
    whole, _ = plan(study, space, slow_price, work_limits=EXACT)
    alone, _ = plan(study, only(space, *whole.designs), slow_price, work_limits=EXACT)

    assert whole.designs == ("good",)
    assert alone.surplus_usd == pytest.approx(whole.surplus_usd, rel=1e-12)
    assert alone.money == whole.money


def test_a_part_without_a_stated_price_is_paid_as_the_bill_says():
    study, space = case()
    built, _ = plan(study, space, slow_price, work_limits=EXACT)
    lines = {line.name: line.usd for line in built.money}
    blocks = sum(d.blocks for d in built.deliveries)

    assert lines["part: hbm"] == pytest.approx(-blocks * 2 * 4.0)
    assert built.landed[0].parts_usd == pytest.approx(30.0)


def test_of_two_supplies_the_one_without_a_price_is_charged_that_of_the_other():
    study, space = case()
    other = supplied("hbm", ramp(1.0), unit_usd=5.0)
    both = type(study)(**{**dict(study), "supplies": (*study.supplies, other)})
    built, _ = plan(both, space, slow_price, work_limits=EXACT)

    assert stated_usd(both) == {"hbm": 5.0}
    assert built.landed[0].parts_usd == pytest.approx(30.0 + 2 * (5.0 - 4.0))


def test_bills_that_disagree_are_named():
    _, space = case()

    assert bills_of(space).unit_usd == {"hbm": 9.0}
    assert bills_of(space).disagree == ("hbm",)
