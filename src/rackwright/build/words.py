"""Which limits bind, in words with their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rackwright.build.facts import Array
from rackwright.build.model import Model, Point, installed
from rackwright.build.shadow import Resource
from rackwright.records.plan import ShadowPrice


class Said(NamedTuple):
    """How people speak of a limit."""

    what: str  # with its name
    unit: str  # of all of it
    one: str  # what one more, or one less, is
    scale: float = 1.0  # units of the limit in one


SAID = {
    "part": Said("supply of {name}", "units", "unit"),
    "power": Said("IT power at {name}", "W", "kW", 1e3),
    "liquid": Said("heat into liquid at {name}", "W", "kW", 1e3),
    "air": Said("heat into air at {name}", "W", "kW", 1e3),
    "floor": Said("floor at {name}", "m2", "m2"),
    "touch_hours": Said("hours of people at {name}", "hours", "hour"),
    "bay_hours": Said("test bays of {name}", "bay hours", "hour"),
    "budget": Said("{name}", "USD", "USD"),
}


def amount(value: float, unit: str) -> str:
    """Return an amount in three digits or more, as people write it.

    >>> amount(84.75e6, "W"), amount(71680, "units"), amount(950, "hours")
    ('84.8 MW', '71.7 k units', '950 hours')
    """
    for least, size, letter in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= least:
            prefixed = letter + unit if unit in ("W", "USD") else f"{letter} {unit}"
            return f"{_digits(value / size)} {prefixed}"
    return f"{_digits(value)} {unit}"


def _digits(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def binding(
    model: Model,
    point: Point,
    shadows: Sequence[ShadowPrice],
    priced: Sequence[tuple[Resource, float]],
) -> tuple[str, ...]:
    """Return one line per limit that binds, the most money first, and per demand that is met."""
    total = sum(usd * resource.size for resource, usd in priced) or 1.0
    shown = {(s.kind, s.name): s for s in shadows}
    lines = []
    for resource, usd in priced:
        shadow = shown.get((resource.kind, resource.name))
        if shadow is None:
            continue
        share = usd * resource.size / total
        say = SAID[resource.kind]
        lines.append(
            f"{say.what.format(name=resource.name)}: {amount(resource.size, say.unit)} in all; "
            f"one {say.one} more is worth {_usd(say.scale * shadow.usd_low)}, one less costs "
            f"{_usd(say.scale * shadow.usd_high)} ({100 * share:.0f} % of all scarcity)"
        )
    return (*lines, *_work(model, point), *_coolant(model))


def _work(model: Model, point: Point) -> list[str]:
    facts = model.facts
    rate = (point.n * model.blocks.rate[:, :, None, None]).sum(axis=(0, 2))  # (W, V)
    lines = []
    for w, name in enumerate(facts.workloads):
        if facts.serving[w]:
            wanted = facts.demand[w] > 0
            full = rate[w] * facts.availability >= facts.demand[w] * (1 - 1e-6)
            weeks = facts.period_weeks[:-1][full[:-1] & wanted[:-1]].sum()
            if weeks > 0:
                lines.append(
                    f"demand of {name}: met in full for {weeks:g} of {facts.edges[-1]:g} "
                    "weeks; more blocks would have no work there"
                )
        elif rate[w].any():
            done = rate[w] * facts.work_s / facts.wanted[w]
            lines.append(f"{name}: one block trains at a time; {_trained(done, facts.edges[-1])}")
        else:
            lines.append(f"{name}: not trained; no block for it is worth its cost here")
    return lines


def _trained(done: Array, horizon: float) -> str:
    """Return how much of a training workload is done, `done` being its shares by period (V,).

    >>> _trained(np.array([0.5, 0.47, 0.03]), 104)
    '97.0 % of its tokens are done within the 104 weeks of the plan, all of them in the end'
    """
    within, whole = float(done[:-1].sum()), float(done.sum())
    text = f"{100 * within:.1f} % of its tokens are done within the {horizon:g} weeks of the plan"
    if whole < within + 5e-4:
        return text
    rest = "all of them" if whole > 1 - 5e-4 else f"{100 * whole:.1f} %"
    return f"{text}, {rest} in the end"


def _coolant(model: Model) -> list[str]:
    """Designs that a site's coolant is too warm for."""
    facts, blocks = model.facts, model.blocks
    lines = []
    for k, center in enumerate(facts.data_centers):
        hot = blocks.allowed & (blocks.max_coolant_c < facts.coolant_c[k])
        if hot.any():
            most = blocks.max_coolant_c[hot].max()
            lines.append(
                f"coolant at {center}: {int(hot.sum())} designs take at most {most:g} degC and "
                f"the supply is {facts.coolant_c[k]:g} degC"
            )
    return lines


def used_power(model: Model, point: Point) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the provisioned power reserved at each site and period, (K, V) [W]."""
    there = installed(point.x, model.facts)
    return np.asarray((there * model.blocks.power_w[:, None, None]).sum(axis=0))


def _usd(value: float) -> str:
    return f"{value:,.0f} USD" if abs(value) >= 100 else f"{value:.3g} USD"
