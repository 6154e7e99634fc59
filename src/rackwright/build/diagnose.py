"""When nothing is built: which limit forbids it and by how much, or what work would have to pay."""

from __future__ import annotations

import numpy as np

from rackwright.build.blocks import supply_by, touch_capacity
from rackwright.build.facts import Array, Mask
from rackwright.build.model import Model
from rackwright.build.prices import Price, list_duals, prices_of
from rackwright.records.errors import NothingFeasibleError
from rackwright.records.prices import Prices
from rackwright.records.space import Space


def require_something(model: Model) -> None:
    """Raise when no block of any design can be built and delivered before the horizon ends.

    Raises:
        NothingFeasibleError: one line per limit that stands in the way, with its distance.
    """
    if model.blocks.buildable.any():
        return
    reasons = list(_reasons(model))
    horizon = model.facts.edges[-1]
    head = f"nothing can be built before the horizon ends (week {horizon:g}):"
    raise NothingFeasibleError("\n  ".join([head, *reasons]))


def _reasons(model: Model) -> list[str]:
    facts, blocks = model.facts, model.blocks
    if blocks.power_w.size == 0:
        return ["the space has no design"]
    lines = []
    if not blocks.allowed.any():
        lines.append("objective.allowed_platforms names none of " + ", ".join(blocks.platforms[:6]))
    if not (blocks.rate > 0).any():
        lines.append("no design does any work for the workloads within their limits")
    mine = blocks.allowed & (blocks.rate > 0).any(axis=1)
    if not mine.any():
        return lines or ["no allowed platform does any of the work"]
    horizon = facts.edges[-1]
    first = blocks.first_week[mine].min()
    last_start = _last_bucket_end(model)
    if last_start is None:
        lines.append(
            f"transit: what the first bucket builds (week {facts.edges[1]:g}) arrives after week "
            f"{horizon:g} on every route"
        )
    elif first >= last_start:
        lines.append(
            f"first week: the earliest design can be built in week {first:g}, to arrive in time "
            f"it has to be before week {last_start:g}: {first - last_start:g} weeks late"
        )
    coolest = facts.coolant_c.min()
    warmest = blocks.max_coolant_c[mine].max()
    if warmest < coolest:
        lines.append(
            f"coolant: the coldest supply is {coolest:g} degC and no design takes more than "
            f"{warmest:g} degC: {coolest - warmest:g} K too warm"
        )
    if facts.power_w.max() <= 0:
        lines.append(f"power: no data center has IT power before week {horizon:g}")
    elif last_start is not None and not _live(facts.power_w).any():
        lines.append("power: it is live only before the first block could arrive")
    lines += _supply_reasons(model, mine, horizon)
    if facts.bay_h.max() <= 0 and (blocks.bay_at_h[mine] > 0).all():
        lines.append("test bays: no factory has one in service before the horizon ends")
    if touch_capacity(facts).max() <= 0 and (blocks.touch_at_h[mine] > 0).all():
        lines.append("touch hours: no factory has people on the line before the horizon ends")
    return lines or [
        "each limit alone leaves a way, but together they do not: first weeks, supply, power "
        "and hours are never there at the same time"
    ]


def _supply_reasons(model: Model, mine: Mask, horizon: float) -> list[str]:
    """Parts that every design needs and that never arrive."""
    facts, blocks = model.facts, model.blocks
    units = supply_by(facts)
    lines = []
    for p, part in enumerate(facts.parts):
        if units[p, -1] > 0 or not (blocks.quantity[np.flatnonzero(mine), p] > 0).all():
            continue
        need = blocks.quantity[np.flatnonzero(mine), p].min()
        lines.append(
            f"supply: no {part} arrives before week {horizon:g} (allocation 0, or a lead time "
            f"beyond it), and a block needs at least {need:g}"
        )
    return lines


def _last_bucket_end(model: Model) -> float | None:
    """End of the last bucket from which something arrives in time."""
    there = np.flatnonzero((model.facts.arrival >= 0).any(axis=(0, 1)))
    return float(model.facts.edges[there[-1] + 1]) if there.size else None


def _live(power_w: Array) -> Array:
    return np.asarray(power_w[:, 1:].max(axis=1) > 0)


def break_even(model: Model, space: Space, price: Price) -> tuple[str, ...]:
    """Return what each workload would have to pay for the first block to cover its costs.

    Without any scarcity and before set-ups: at a lower value nothing pays. A site or a budget that
    is smaller than the smallest block comes first: it is the likelier slip.
    """
    small = too_small(model)
    if small:
        return small
    base = prices_of(model.facts, model.core, list_duals(model.facts, model.core))
    lines = []
    for w, name in enumerate(model.facts.workloads):
        factor = _factor(model, space, price, base, w)
        if factor is None:
            lines.append(f"{name}: no design that can be built does its work")
        else:
            lines.append(
                f"{name}: nothing pays; a block covers its costs from {factor:.3g} times the "
                "stated value per token on (before set-up)"
            )
    return tuple(lines)


def too_small(model: Model) -> tuple[str, ...]:
    """Return the sites and budgets into which not even the smallest block fits."""
    facts, blocks = model.facts, model.blocks
    able = np.flatnonzero(blocks.buildable.any(axis=(1, 2, 3)))
    lines = []
    for k, name in enumerate(facts.data_centers):
        power, need = float(facts.power_w[k].max()), float(blocks.power_w[able].min())
        if power < need:
            lines.append(
                f"data_centers {name}: {power:,.4g} W of IT power at most, the smallest block "
                f'reserves {need:,.0f} W; was a unit left out (20 for "20 MW")?'
            )
        floor, room = float(facts.floor_m2[k]), float(blocks.floor_m2[able].min())
        if floor < room:
            lines.append(
                f"data_centers {name}: {floor:g} m2 of floor, the smallest block takes "
                f"{room:.1f} m2"
            )
    if facts.budget_usd < (cheapest := float(blocks.price_usd[able].min())):
        lines.append(
            f"objective.budget_usd: {facts.budget_usd:,.0f} USD, the cheapest block costs "
            f"{cheapest:,.0f} USD"
        )
    return tuple(lines)


def _factor(model: Model, space: Space, price: Price, base: Prices, w: int) -> float | None:
    """Least multiple of a workload's value at which some block is worth its cost."""
    able = model.blocks.buildable & (model.blocks.rate[:, w] > 0)[:, None, None, None]
    if not able.any():
        return None

    def best(factor: float) -> float:
        rate = np.zeros_like(base.rate_usd)
        rate[w] = factor * base.rate_usd[w]
        worth = price(space, Prices(**{**dict(base), "rate_usd": rate})).worth_usd
        return float(np.where(able, worth, -np.inf).max())

    low, high = 0.0, 1.0
    while best(high) < 0:
        low, high = high, 4 * high
        if high > 1e9:
            return None
    for _ in range(30):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if best(middle) < 0 else (low, middle)
    return high
