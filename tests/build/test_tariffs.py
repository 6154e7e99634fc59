"""Which way duties push: finished racks are charged where they enter, parts where they are used."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest

from rackwright import catalog as catalogs
from rackwright.build import Limits, plan
from rackwright.records.base import canonical_json
from rackwright.records.rates import Duty
from tests.build.synthetic import center, factory, make_space, make_study, row, serving, slow_price
from tests.build.synthetic import supply as supplied
from tests.build.test_certificate import script

EXACT = Limits(gap=1e-7, nodes=100)
PRICE_USD = 10.0


def in_force(key, **changes):
    """A measure of the shipped catalog, in force over the synthetic horizon."""
    duty = catalogs.load(None).find(Duty, key)
    days = {"valid_from": date(2026, 1, 1), "valid_to": None}
    return Duty(**{**dict(duty), **days, **changes})


def case(foreign="MX", accelerator="nvidia-b200-sxm", **objective):
    """A plant abroad that is cheaper by a tenth of a rack than the one in the US."""
    study = make_study(
        [serving()],
        life=400,
        objective=objective,
        factories=(
            factory("home", bays=2.0 / 168, bay_usd_per_hour=1.0),
            factory("abroad", bays=2.0 / 168, country=foreign),
        ),
        supplies=(
            supplied(f"package-{accelerator}", 3.0, "TW", unit_usd=4.0, hts="8473.30"),
            supplied("hbm", 9.0, "KR", hts="8542.32", unit_usd=None),
        ),
        data_centers=(center(country="US"),),
    )
    bill = [(f"package-{accelerator}", 1, 4.0), ("hbm", 1, 2.0)]
    rows = [row("a", rates=[1.0], price=PRICE_USD, bill=bill, accelerator=accelerator)]
    return study, make_space(study, rows)


def built_in(study, space, duties):
    built, certificate = plan(study, space, slow_price, duties, work_limits=EXACT)
    assert script.recheck(json.loads(canonical_json(certificate))) == []
    blocks = {f.name: 0.0 for f in study.factories}
    for one in built.deliveries:
        blocks[one.factory] += one.blocks
    return blocks, {line.name: line.usd for line in built.money}, built


@pytest.mark.parametrize("foreign", ["MX", "TW", "CN"])
def test_a_duty_on_servers_from_abroad_never_moves_assembly_out_of_the_us(foreign):
    study, space = case(foreign)
    free, _, before = built_in(study, space, ())
    taxed, paid, after = built_in(study, space, [in_force("tariff-step-servers")])

    assert free["abroad"] > free["home"]
    assert taxed["home"] >= free["home"]
    assert taxed["abroad"] < free["abroad"]
    assert paid["duty: parts"] == 0.0
    assert paid["duty: racks"] == pytest.approx(-0.25 * PRICE_USD * taxed["abroad"])
    assert after.surplus_usd < before.surplus_usd


def test_a_rack_pays_on_its_price_and_the_landed_cost_says_so():
    study, space = case()
    only_abroad = type(study)(**{**dict(study), "factories": study.factories[1:]})
    _, _, built = built_in(only_abroad, space, [in_force("tariff-step-servers")])

    assert built.landed[0].duty_usd == pytest.approx(0.25 * PRICE_USD)
    assert built.landed[0].usd_per_block == pytest.approx(1.25 * PRICE_USD)


def test_duty_counts_against_the_budget():
    study, space = case(budget_usd=25.0)
    only_abroad = type(study)(**{**dict(study), "factories": study.factories[1:]})
    blocks, _, _ = built_in(only_abroad, space, [in_force("tariff-step-servers")])

    assert blocks["abroad"] == pytest.approx(2.0)


def test_what_the_measure_exempts_by_origin_is_not_charged():
    surcharge = in_force("s122-surcharge-2026", hts_excepted=())
    charged = {}
    for foreign in ("MX", "CA", "TW"):
        study, space = case(foreign)
        one_way = type(study)(**{**dict(study), "factories": study.factories[1:]})
        charged[foreign] = built_in(one_way, space, [surcharge])[1]["duty: racks"] < 0

    assert charged == {"MX": False, "CA": False, "TW": True}


@pytest.mark.parametrize(
    ("accelerator", "exempt", "hit"),
    [
        ("nvidia-h200-sxm", (), True),
        ("nvidia-h200-sxm", ("us_data_center",), False),
        ("nvidia-b200-sxm", (), False),
    ],
)
def test_a_duty_on_an_accelerator_hits_its_package_and_its_racks(accelerator, exempt, hit):
    duty = in_force("s232-semis-2026", end_uses_exempt=exempt)
    study, space = case("TW", accelerator)
    at_home = type(study)(**{**dict(study), "factories": study.factories[:1]})
    abroad = type(study)(**{**dict(study), "factories": study.factories[1:]})

    blocks, paid, _ = built_in(at_home, space, [duty])
    assert paid["duty: parts"] == pytest.approx(-0.25 * 4.0 * blocks["home"] * hit)
    assert paid["duty: racks"] == 0.0
    blocks, paid, _ = built_in(abroad, space, [duty])
    assert paid["duty: parts"] == 0.0
    assert paid["duty: racks"] == pytest.approx(-0.25 * PRICE_USD * blocks["abroad"] * hit)


def test_a_rack_pays_the_rate_of_the_day_on_which_it_enters():
    """In force from day 14 on; a rack on the way for a week pays when built from week 1 on."""
    study, space = case()
    later = type(study.factories[1])(**{**dict(study.factories[1]), "transit_weeks": 1.0})
    one_way = type(study)(**{**dict(study), "factories": (later,)})
    duty = in_force("tariff-step-servers", valid_from=date(2026, 1, 19))
    _, certificate = plan(one_way, space, slow_price, [duty], work_limits=EXACT)
    rates = np.array(certificate.data["facts.rack_duty"])

    assert rates[0, 0, 0].tolist() == pytest.approx([0.0, 0.25, 0.25, 0.25])
