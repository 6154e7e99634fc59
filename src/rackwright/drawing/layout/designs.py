"""What a design is made of: its price, its step, its cost per token beside others'."""

from __future__ import annotations

from collections.abc import Sequence

from rackwright.drawing import words
from rackwright.drawing.charts.bars import Bar, Bars, Segment
from rackwright.drawing.charts.ranges import Range, Ranges
from rackwright.drawing.names import Names
from rackwright.drawing.style import COLOURS
from rackwright.records.plan import BuildPlan
from rackwright.records.space import Front, Service, Space, SpaceRow

REST = "rest"


def price_bars(rows: Sequence[SpaceRow], names: Names) -> Bars:
    """Return price per accelerator by kind of cost [kUSD], for designs of any block size.

    The largest kinds keep their names; what is left is one segment, `rest`.
    """
    total: dict[str, float] = {}
    for row in rows:
        for line in row.price:
            share = abs(line.usd) / row.price_usd
            total[line.name] = total.get(line.name, 0.0) + share
    ranked = sorted(total, key=lambda name: -total[name])
    kept = ranked if len(ranked) <= COLOURS else ranked[: COLOURS - 1]
    bars = []
    for row in rows:
        kusd = {line.name: line.usd / row.accelerators / 1e3 for line in row.price}
        segments = [Segment(n, kusd[n], f"c{i}") for i, n in enumerate(kept) if n in kusd]
        rest = sum(value for name, value in kusd.items() if name not in kept)
        if rest:
            segments.append(Segment(REST, rest, f"c{COLOURS - 1}"))
        low, high = (sum(getattr(line, end) for line in row.price) for end in _ENDS)
        note = (
            f"{words.number(row.price_usd / row.accelerators / 1e3)} "
            f"({words.number(low / row.accelerators / 1e3)} to "
            f"{words.number(high / row.accelerators / 1e3)})"
        )
        bars.append(Bar(names.label(row.key), tuple(segments), note))
    return Bars("kUSD per accelerator", tuple(bars))


_ENDS = ("usd_low", "usd_high")


def step_bars(service: Service) -> Bars:
    """Return the parts of one step, longest first, in the unit that suits the step."""
    factor, unit = (1.0, "s") if service.step_s >= 1.0 else (1e3, "ms")
    parts = sorted((p for p in service.parts if p.seconds > 0), key=lambda p: -p.seconds)
    rows = tuple(
        Bar(
            part.name,
            (Segment(part.name, part.seconds * factor, "c0"),),
            f"{words.seconds(part.seconds)}, {words.percent(part.seconds / service.step_s, 0)}",
        )
        for part in parts
    )
    return Bars(f"{unit} of a step of {words.seconds(service.step_s)}", rows)


def cost_ranges(front: Front, workload: str, names: Names) -> Ranges:
    """Return cost per million tokens of the front's designs, 80 % of worlds.

    The owning cost of a block does not depend on the world, so that cost per token goes with one
    over the rate.
    """
    rows = []
    for row in front.rows:
        if row.workload != workload:
            continue
        usd = row.usd_per_million_tokens
        low = usd * row.rate_tokens_per_s / row.rate_high
        high = usd * row.rate_tokens_per_s / row.rate_low if row.rate_low > 0 else usd
        label = names.label(row.key) + (" (baseline)" if row.baseline else "")
        rows.append(Range(label, low, usd, high, names.colour(row.key), words.number(usd)))
    return Ranges("USD per million tokens", tuple(rows))


def chosen(space: Space, front: Front, plan: BuildPlan, workload: str) -> str | None:
    """Return the design that does most of a workload in the plan, else the front's best."""
    weeks: dict[str, float] = {}
    edges = [*(start for start, _ in plan.buckets), plan.buckets[-1][1]] if plan.buckets else []
    for a in plan.assignments:
        if a.workload == workload and a.period + 1 < len(edges):
            racks = _row(space, a.design).racks
            span = edges[a.period + 1] - edges[a.period]
            weeks[a.design] = weeks.get(a.design, 0.0) + a.blocks * racks * span
    if weeks:
        return max(sorted(weeks), key=lambda key: weeks[key])
    return next((r.key for r in front.rows if r.workload == workload), None)


def _row(space: Space, key: str) -> SpaceRow:
    return next(row for row in space.rows if row.key == key)
