"""Scenarios beside the base plan: what each costs, with redesign and without."""

from __future__ import annotations

from collections.abc import Sequence

from rackwright.drawing import words
from rackwright.drawing.charts.bars import Bar, Bars, Segment
from rackwright.drawing.charts.pairs import Pair, Pairs
from rackwright.drawing.names import Names
from rackwright.records.run import DesignBlocks, ScenarioResult

BASE = "base plan"


def loss_pairs(scenarios: Sequence[ScenarioResult]) -> Pairs:
    """Return what each scenario takes from the base surplus [MUSD], with redesign and without."""
    rows = []
    for s in scenarios:
        base = s.surplus_usd + s.cost_usd
        without = base - s.control_surplus_usd
        note = f"{words.musd(s.cost_usd)}, same designs"
        if s.design_changes:
            saved = f"redesign saves {words.musd(s.redesign_usd)}"
            note = f"{words.musd(s.cost_usd)} / {words.musd(without)}: {saved}"
        rows.append(Pair(s.name, s.cost_usd / 1e6, without / 1e6, note))
    return Pairs("MUSD less than the base plan", BASE, "with redesign", "without", tuple(rows))


def control_gap_usd(s: ScenarioResult) -> float:
    """Return how much better a plan without redesign could still be than the one found."""
    return max(s.control_bound_usd - s.control_surplus_usd, 0.0)


def gains(s: ScenarioResult) -> bool:
    """Return whether redesign gains more than the control's own gap could explain."""
    return s.design_changes and s.redesign_usd > control_gap_usd(s)


def mix_bars(
    base: Sequence[DesignBlocks], scenarios: Sequence[ScenarioResult], names: Names
) -> Bars:
    """Return racks by design: the base plan, each scenario, its control where it differs."""
    rows = [_mix(BASE, base, names)]
    for s in scenarios:
        rows.append(_mix(s.name, s.mix, names))
        if s.design_changes:
            rows.append(_mix(f"{s.name}, without redesign", s.control_mix, names))
    return Bars("racks", tuple(rows))


def _mix(label: str, mix: Sequence[DesignBlocks], names: Names) -> Bar:
    order = list(names.labels)
    known = sorted(mix, key=lambda b: order.index(b.design) if b.design in order else len(order))
    segments = tuple(Segment(names.label(b.design), b.racks, names.colour(b.design)) for b in known)
    total = sum(b.racks for b in mix)
    return Bar(label, segments, f"{words.count(total)} racks" if mix else "nothing")
