"""Pricing of the whole space against the formula, one block at a time."""

from __future__ import annotations

import numpy as np
import pytest

from rackwright.design.pricing import NOT_BUILDABLE, price
from rackwright.records.space import LEVELS
from tests.design.synthetic import PARTS, prices, row, service, space


def one_block(s, p, d, f, k, t):
    """The docstring of Prices, written out for one block."""
    r = s.rows[d]
    a = int(p.arrival[f, k, t])
    if a < 0 or r.first_week >= p.bucket_end_week[t]:
        return NOT_BUILDABLE
    rate = s.rates[d] @ s.parameters.weights
    worth = 0.0
    for v in range(a, p.energy_usd_per_w.shape[1]):
        earned = [0.0]
        for w in range(len(p.workloads)):
            x = r.services[w]
            power = 0.0 if x is None else x.average_power_w
            earned.append(
                p.rate_usd[w, k, v] * rate[w] - p.gang_usd[w, k, v]
                - p.energy_usd_per_w[k, v] * power
            )  # fmt: skip
        worth += max(earned)
        worth -= p.power_usd_per_w[k, v] * r.provisioned_power_w
        worth -= p.liquid_usd_per_w[k, v] * r.liquid_w + p.air_usd_per_w[k, v] * r.air_w
        worth -= p.floor_usd_per_m2[k, v] * r.floor_m2
    worth += p.salvage[k, a] * r.price_usd
    cost = p.mass_usd_per_kg[f, k, t] * r.mass_kg
    stated = 0.0
    for line in r.bill:
        if line.part in PARTS:
            i = PARTS.index(line.part)
            cost += p.part_usd[i, f, t] * line.quantity
            stated += p.part_stated[i] * line.quantity * line.unit_usd
    cost += p.money[f, t] * (r.price_usd - stated)
    for h in r.hours:
        i = LEVELS.index(h.level)
        cost += p.touch_usd[i, f, t] * h.touch_hours + p.bay_usd[i, f, t] * h.bay_hours
    share = p.rack_duty[p.accelerators.index(r.accelerator), f, k, t]
    cost += p.money[f, t] * share * r.price_usd
    return worth - cost


@pytest.mark.parametrize("seed", range(5))
def test_every_route_of_every_row_is_priced_by_the_formula(seed):
    rng = np.random.default_rng(seed)
    rates = rng.uniform(0, 100, (6, 2, 4))
    rows = []
    for d in range(6):
        services = [service(f"w{i}", 1.0, float(rng.uniform(30, 60))) for i in range(2)]
        if d == 3:
            services[1], rates[3, 1] = None, 0.0
        rows.append(row(f"d{d}", rng, tuple(services), accelerator="ab"[d % 2]))
    s, p = space(rows, rates), prices(rng)
    got = np.asarray(price(s, p).worth_usd)
    for (d, f, k, t), value in np.ndenumerate(got):
        assert value == pytest.approx(one_block(s, p, d, f, k, t), rel=1e-12, abs=1e-9)


def test_reweighting_the_worlds_reprices_the_rows():
    rng = np.random.default_rng(0)
    rates = np.array([[[10.0, 90.0]]])
    s = space([row("d", rng, (service("w0", 1.0, 1.0),))], rates)
    p = prices(rng, workloads=1)
    weights = s.parameters.__class__(**{**dict(s.parameters), "weights": [0.0, 1.0]})
    after = s.__class__(**{**dict(s), "parameters": weights})
    better = np.asarray(price(after, p).worth_usd) >= np.asarray(price(s, p).worth_usd)
    assert better.all()
