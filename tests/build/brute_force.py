"""The model of BUILD written a second time: plain loops, one integer program, every row in it.

Slow and simple on purpose. It shares no code with the package but the calendar.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

WEEK = 7 * 86400.0
YEAR = 365.25 / 7


class Program:
    """An integer program that grows by names."""

    def __init__(self):
        self.cost, self.integer, self.upper, self.rows = [], [], [], []

    def column(self, value=0.0, integer=False, upper=math.inf):
        self.cost.append(value)
        self.integer.append(integer)
        self.upper.append(upper)
        return len(self.cost) - 1

    def at_most(self, terms, limit):
        self.rows.append((terms, -math.inf, limit))

    def equal(self, terms, value=0.0):
        self.rows.append((terms, value, value))

    def solve(self):
        matrix = np.zeros((len(self.rows), len(self.cost)))
        for i, (terms, _, _) in enumerate(self.rows):
            for column, value in terms:
                matrix[i, column] += value
        low = [r[1] for r in self.rows]
        high = [r[2] for r in self.rows]
        result = milp(
            -np.array(self.cost),
            constraints=LinearConstraint(matrix, low, high),
            bounds=Bounds(0, self.upper),
            integrality=np.array(self.integer, dtype=int),
            options={"mip_rel_gap": 1e-9},
        )
        assert result.status == 0, result.message
        return -result.fun, result.x


def integral(ramp, start, end):
    """Integrate a step function by its steps."""
    steps = sorted(ramp, key=lambda s: s.week)
    total = 0.0
    for i, step in enumerate(steps):
        until = steps[i + 1].week if i + 1 < len(steps) else math.inf
        total += step.value * max(0.0, min(until, end) - max(step.week, start))
    return total


def level(ramp, week):
    steps = [s for s in sorted(ramp, key=lambda s: s.week) if s.week <= week]
    return steps[-1].value if steps else 0.0


def weeks_of(rate, start, end):
    """Discounted weeks."""
    force = math.log1p(rate) / YEAR
    if force == 0:
        return end - start
    return (math.exp(-force * start) - math.exp(-force * end)) / force


def opens(study, space, platform, f):
    """First bucket in which some row of the platform has all it needs; tooling is paid then."""
    maker = study.factories[f]
    for t in range(study.horizon_weeks):
        for r in space.rows:
            mine = r.platform == platform and r.first_week < t + 1
            came = {b.part: 0.0 for b in r.bill}
            for s in study.supplies:
                since = s.lead_time_weeks
                came[s.part] = (
                    came.get(s.part, 0.0)
                    + s.stock
                    + (integral(s.per_week, since, t + 1.0) if t + 1 > since else 0.0)
                )
            cool = any(r.max_coolant_supply_c >= k.coolant_supply_c for k in study.data_centers)
            intime = t + 1 + maker.transit_weeks <= study.horizon_weeks
            if mine and cool and intime and all(came[b.part] > 0 for b in r.bill):
                return t
    return 0


def best_plan(study, space, whole=True):
    """Return the largest surplus of any plan with whole set-ups, cells and blocks.

    Weekly buckets only (a horizon up to 13 weeks), duty-free, one country.
    """
    o = study.objective
    T, life = study.horizon_weeks, o.life_weeks
    starts = [float(t) for t in range(T)] + [float(T)]
    ends = [float(t + 1) for t in range(T)] + [float(life)]
    V = T + 1
    money = [weeks_of(o.discount_rate_per_year, starts[t], ends[t]) for t in range(T)]
    rates = space.rates @ space.parameters.weights
    p = Program()
    spending = []
    parts = sorted({s.part for s in study.supplies})
    stated = {s.part for s in study.supplies if s.unit_usd is not None}
    units, hold = {}, {}
    for part in parts:
        for t in range(T):
            units[part, t] = []
            hold[part, t] = p.column()
    for s in study.supplies:
        usd = 0.0 if s.unit_usd is None else s.unit_usd  # unstated: paid in the bill
        for t in range(T):
            most = 0.0
            if t + 1 > s.lead_time_weeks:
                most = integral(s.per_week, max(float(t), s.lead_time_weeks), float(t + 1))
            buy = p.column(-usd * money[t], upper=most)
            units[s.part, t].append(buy)
            spending.append((buy, usd))
        units[s.part, 0].append(p.column(-usd, upper=s.stock))
    used = {key: [] for key in units}
    touch, bay, cells = {}, {}, {}
    for f, maker in enumerate(study.factories):
        robots = maker.robots
        for t in range(T):
            people = p.column(
                -maker.labour_usd_per_hour * money[t],
                upper=integral(maker.touch_hours_per_week, t, t + 1),
            )
            spending.append((people, maker.labour_usd_per_hour))
            touch[f, t] = [(people, -1.0)]
            bay[f, t] = []
            if robots and t >= robots.lead_time_weeks:
                cells[f, t] = p.column(-robots.capex_usd * money[t], integer=whole)
                spending.append((cells[f, t], robots.capex_usd))
            if robots:
                by = p.column(-robots.usd_per_hour * money[t])
                spending.append((by, robots.usd_per_hour))
                touch[f, t].append((by, -1.0))
                there = [
                    (cells[f, u], -robots.touch_hours_per_week)
                    for u in range(t + 1)
                    if (f, u) in cells
                ]
                p.at_most([(by, 1.0), *there], 0.0)
                p.at_most([(by, 1 - robots.automatable), (people, -robots.automatable)], 0.0)
        if robots:
            p.at_most([(cells[f, t], 1.0) for t in range(T) if (f, t) in cells], robots.max_cells)
    setup = {}
    built, there, works, waits = {}, {}, {}, {}
    for d, r in enumerate(space.rows):
        if o.allowed_platforms and r.platform not in o.allowed_platforms:
            continue
        listed = sum(b.quantity * b.unit_usd for b in r.bill if b.part in stated)
        for k, site in enumerate(study.data_centers):
            if r.max_coolant_supply_c < site.coolant_supply_c:
                continue
            for v in range(V):
                weeks = weeks_of(o.discount_rate_per_year, starts[v], ends[v])
                rent = site.infrastructure_usd_per_w_year / YEAR * weeks
                built[d, k, v] = p.column(-rent * r.provisioned_power_w)
                there[d, k, v] = p.column(integer=whole)
                p.at_most([(there[d, k, v], 1.0), (built[d, k, v], -1.0)], 0.0)
            arriving = {v: [] for v in range(V)}
            for f, maker in enumerate(study.factories):
                for t in range(T):
                    ready = t + 1 + maker.transit_weeks
                    if ready > T or not r.first_week < t + 1:
                        continue
                    v = math.ceil(ready)
                    bays = sum(h.bay_hours for h in r.hours) / maker.first_pass_yield
                    other = r.price_usd - listed + bays * maker.bay_usd_per_hour
                    other += maker.freight_usd_per_kg * r.mass_kg
                    left = (o.salvage + (1 - o.salvage) * starts[v] / life) * r.price_usd
                    left *= (1 + o.discount_rate_per_year) ** (-life / YEAR)
                    x = p.column(left - other * money[t])
                    spending.append((x, other))
                    arriving[v].append(x)
                    hours = (
                        sum(h.touch_hours for h in r.hours)
                        + r.racks * (1 - maker.first_pass_yield) * maker.rework_touch_hours
                    )
                    touch[f, t].append((x, hours))
                    bay[f, t].append((x, bays))
                    for b in r.bill:
                        if b.part in parts:
                            used[b.part, t].append((x, b.quantity))
                    if maker.setup_usd > 0:
                        key = (r.platform, f)
                        if key not in setup:
                            first = opens(study, space, r.platform, f)
                            setup[key] = p.column(
                                -maker.setup_usd * money[first], integer=whole, upper=1
                            )
                            spending.append((setup[key], maker.setup_usd))
                        p.at_most([(x, 1.0), (setup[key], -1e3)], 0.0)
            for v in range(V):
                before = [(built[d, k, v - 1], -1.0)] if v else []
                p.equal([(built[d, k, v], 1.0), *before, *((x, -1.0) for x in arriving[v])])
            # The last count is whole: no part of a block is left over.
            p.equal([(built[d, k, V - 1], 1.0), (there[d, k, V - 1], -1.0)])
    for part in parts:
        for t in range(T):
            before = [(hold[part, t - 1], -1.0)] if t else []
            p.at_most(
                [
                    (hold[part, t], 1.0),
                    *before,
                    *used[part, t],
                    *((u, -1.0) for u in units[part, t]),
                ],
                0.0,
            )
    for f, maker in enumerate(study.factories):
        for t in range(T):
            p.at_most(touch[f, t], 0.0)
            p.at_most(bay[f, t], integral(maker.test_bays, t, t + 1) * 168)
    for k, site in enumerate(study.data_centers):
        for v in range(V):
            live = site.power_w * level(site.energised, min(starts[v], T))
            it = live if site.basis == "it" else max(0, (live - site.fixed_power_w) / site.pue)
            rows = [(d, r) for d, r in enumerate(space.rows) if (d, k, v) in built]
            p.at_most([(built[d, k, v], r.provisioned_power_w) for d, r in rows], it)
            p.at_most([(built[d, k, v], r.floor_m2) for d, r in rows], site.floor_m2)
            if site.liquid_w is not None:
                p.at_most([(built[d, k, v], r.liquid_w) for d, r in rows], site.liquid_w)
    for w, job in enumerate(study.workloads):
        trained, choice = [], {}
        for v in range(V):
            weeks = weeks_of(o.discount_rate_per_year, starts[v], ends[v])
            value = weeks
            if job.kind == "training" and job.due_week is not None:
                due = min(max(job.due_week, starts[v]), ends[v])
                good = weeks_of(o.discount_rate_per_year, starts[v], due)
                value = good + job.value_after_due * (weeks - good)
            usd = job.usd_per_million_tokens * 1e-6 * WEEK * o.availability * value
            serve, gang = [], []
            for d, r in enumerate(space.rows):
                if r.services[w] is None:
                    continue
                for k, site in enumerate(study.data_centers):
                    if (d, k, v) not in built:
                        continue
                    energy = site.pue * site.energy_usd_per_kwh / 1e3 * 168 * weeks
                    n = p.column(usd * rates[d, w] - energy * r.services[w].average_power_w)
                    works.setdefault((d, k, v), []).append((n, 1.0))
                    if job.kind == "training" or r.services[w].plan.replicas == 1:
                        waits.setdefault((d, k, v), []).append((n, 1.0))
                    serve.append((n, rates[d, w] * o.availability))
                    trained.append((n, rates[d, w] * o.availability * (ends[v] - starts[v]) * WEEK))
                    gang.append((n, 1.0))
                    if job.kind == "training":
                        z = choice.setdefault((d, k), p.column(integer=whole, upper=1))
                        if whole:
                            p.at_most([(n, 1.0), (z, -1.0)], 0.0)
            if job.kind == "serving":
                demand = (
                    integral(job.demand_tokens_per_s, starts[v], ends[v])
                    if v < T
                    else level(job.demand_tokens_per_s, T)
                )
                p.at_most(serve, demand)
            else:
                p.at_most(gang, 1.0)
        if job.kind == "training":
            p.at_most(trained, job.tokens)
            if whole:
                p.at_most([(z, 1.0) for z in choice.values()], 1.0)
    for key, terms in works.items():
        p.at_most([*terms, (built[key], -1.0)], 0.0)
    for key, terms in waits.items():
        p.at_most([*terms, (there[key], -1.0)], 0.0)
    if o.budget_usd is not None:
        p.at_most(spending, o.budget_usd)
    return p.solve()[0]
