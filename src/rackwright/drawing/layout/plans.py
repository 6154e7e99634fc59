"""A plan week by week: racks, power and work; its money; its worth in every world."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rackwright.drawing import words
from rackwright.drawing.charts.curves import Axis, Curve, Curves, Mark
from rackwright.drawing.charts.spread import Spread, binned
from rackwright.drawing.charts.steps import Layer, Limit, Steps
from rackwright.drawing.charts.waterfall import Fall, Waterfall
from rackwright.drawing.names import Names
from rackwright.kernels.calendar import SECONDS_PER_WEEK
from rackwright.records.plan import BuildPlan
from rackwright.records.space import Space
from rackwright.records.study import DataCenter, ServingWorkload, Study, TrainingWorkload

Array = NDArray[np.float64]

LEAST_SHARE = 0.002
"""A money line below this share of the largest is put together with others like it."""


def rack_steps(space: Space, plan: BuildPlan, names: Names) -> Steps:
    """Return racks installed in each bucket by design."""
    racks = {row.key: float(row.racks) for row in space.rows}
    layers = _installed(plan, racks, names)
    return Steps("racks", _edges(plan), layers)


def power_steps(study: Study, space: Space, plan: BuildPlan, names: Names) -> Steps:
    """Return IT power reserved by design in each bucket, under what is live [MW]."""
    megawatts = {row.key: row.provisioned_power_w / 1e6 for row in space.rows}
    layers = _installed(plan, megawatts, names)
    weeks = sorted({s.week for c in study.data_centers for s in c.energised} | {0.0})
    live = tuple((w, sum(_live_w(c, w) for c in study.data_centers) / 1e6) for w in weeks)
    return Steps("MW (IT)", _edges(plan), layers, Limit("live power", live))


def served_steps(
    study: Study, space: Space, plan: BuildPlan, workload: ServingWorkload, names: Names
) -> Steps:
    """Return tokens/s served by design, in millions, under the demand.

    Expected over the worlds, with availability.
    """
    edges = _edges(plan)
    rates = _expected_rates(space, workload.name)
    served: dict[str, Array] = {}
    for a in plan.assignments:
        if a.workload == workload.name and a.period < len(edges) - 1:
            here = served.setdefault(a.design, np.zeros(len(edges) - 1))
            here[a.period] += a.blocks * rates[a.design] * study.objective.availability / 1e6
    layers = tuple(
        Layer(names.label(key), tuple(served[key].tolist()), names.colour(key))
        for key in _ordered(served, names)
    )
    wanted = tuple((s.week, s.value / 1e6) for s in workload.demand_tokens_per_s)
    return Steps("M tokens/s", edges, layers, Limit("demand", wanted))


def progress_curves(
    study: Study, space: Space, plan: BuildPlan, workload: TrainingWorkload
) -> Curves:
    """Return training tokens done by week, in T, with the goal and the due date."""
    edges = _edges(plan)
    rates = _expected_rates(space, workload.name)
    seconds = np.diff(edges) * SECONDS_PER_WEEK * study.objective.availability
    each = np.zeros(len(edges) - 1)
    for a in plan.assignments:
        if a.workload == workload.name and a.period < len(each):
            each[a.period] += a.blocks * rates[a.design] * seconds[a.period] / 1e12
    done = np.concatenate([[0.0], each.cumsum()])
    goal = workload.tokens / 1e12
    lines = [
        Curve("done", tuple(zip(edges, done.tolist(), strict=True)), "c0"),
        Curve("goal", ((edges[0], goal), (edges[-1], goal)), "c6 dashed"),
    ]
    if workload.due_week is not None:
        due = ((workload.due_week, 0.0), (workload.due_week, goal))
        lines.append(Curve(f"due week {words.number(workload.due_week)}", due, "c1 dotted"))
    row = next((r for r in plan.work if r.workload == workload.name), None)
    marks: tuple[Mark, ...] = ()
    if row is not None and row.finished_week is not None and row.finished_week <= edges[-1]:
        text = f"done in week {row.finished_week:.0f}"
        marks = (Mark(text, row.finished_week, goal),)
    return Curves(Axis("week", from_zero=False), Axis("T tokens"), tuple(lines), marks)


def money_fall(plan: BuildPlan) -> Waterfall:
    """Return the plan's money lines [MUSD]: what earns, then what costs, largest first.

    Lines too small to be seen are put together, gains with gains and costs with costs.
    """
    largest = max((abs(line.usd) for line in plan.money), default=0.0)
    seen = [m for m in plan.money if abs(m.usd) >= LEAST_SHARE * largest and m.usd]
    small = [m for m in plan.money if abs(m.usd) < LEAST_SHARE * largest and m.usd]
    rows = [(m.name, m.usd) for m in sorted(seen, key=lambda m: -m.usd) if m.usd > 0]
    costs = [(m.name, m.usd) for m in sorted(seen, key=lambda m: m.usd) if m.usd < 0]
    gained, spent = (sum(m.usd for m in small if sign * m.usd > 0) for sign in (1, -1))
    rows += [(f"{_count(small, 1)} small gains", gained)] if gained else []
    rows += costs
    rows += [(f"{_count(small, -1)} small costs", spent)] if spent else []
    falls = tuple(Fall(name, usd / 1e6, words.musd(usd)) for name, usd in rows)
    total = plan.surplus_usd
    return Waterfall("MUSD, discounted to week 0", falls, Fall("surplus", total / 1e6,
                     words.musd(total)))  # fmt: skip


def surplus_spread(plan: BuildPlan, weights: Array) -> Spread:
    """Return the plan's worth over the worlds [MUSD]."""
    values = np.asarray(plan.surplus_draws) / 1e6
    return binned("MUSD", values, [("worlds", weights, "c0")])


def _installed(plan: BuildPlan, per_block: dict[str, float], names: Names) -> tuple[Layer, ...]:
    starts = np.array(_edges(plan)[:-1])
    amounts: dict[str, Array] = {}
    for x in plan.deliveries:
        here = amounts.setdefault(x.design, np.zeros(starts.size))
        here += np.where(starts >= x.arrival_week - 1e-9, x.blocks * per_block[x.design], 0.0)
    return tuple(
        Layer(names.label(key), tuple(amounts[key].tolist()), names.colour(key))
        for key in _ordered(amounts, names)
    )


def _ordered(found: dict[str, Array], names: Names) -> list[str]:
    """Return designs in the page's order of names."""
    order = list(names.labels)
    return sorted(found, key=lambda k: (order.index(k) if k in names.labels else len(order), k))


def _edges(plan: BuildPlan) -> tuple[float, ...]:
    if not plan.buckets:
        return (0.0, 1.0)
    return (*(start for start, _ in plan.buckets), plan.buckets[-1][1])


def _expected_rates(space: Space, workload: str) -> dict[str, float]:
    w = space.workloads.index(workload)
    expected = np.asarray(space.rates)[:, w] @ np.asarray(space.parameters.weights)
    return {row.key: float(rate) for row, rate in zip(space.rows, expected, strict=True)}


def _live_w(center: DataCenter, week: float) -> float:
    """Return the IT power of a data center that is live in a week."""
    steps = sorted(center.energised, key=lambda s: s.week)
    share = next((s.value for s in reversed(steps) if s.week <= week), 0.0)
    live = center.power_w * share
    return live if center.basis == "it" else max(0.0, (live - center.fixed_power_w) / center.pue)


def _count(lines: Sequence[object], sign: int) -> int:
    return sum(1 for line in lines if sign * getattr(line, "usd") > 0)  # noqa: B009
