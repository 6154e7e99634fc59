"""First question: is this unit unlike its siblings?"""

from __future__ import annotations

from collections.abc import Sequence
from math import log, sqrt

import numpy as np

from rackwright.kernels.sequential import sibling_factor
from rackwright.records.acceptance import (
    AcceptancePlan,
    Measurement,
    PlannedProbe,
    UnitVerdict,
    Verdict,
)

LEAST_UNITS = 8
"""Fewer units than this do not make a group: their median and spread say too little."""

MAD_TO_SD = 1.4826
"""Standard deviation of a normal over its median absolute deviation."""


def judge_units(plan: AcceptancePlan, readings: Sequence[Measurement]) -> tuple[UnitVerdict, ...]:
    """Return a verdict for each rack and probe, compared with the rack's siblings.

    Several readings of one rack are averaged in logs. A unit fails when it is slower than the
    median of the others by more than the frozen limit; the spread is the planned one, or the
    group's own (by MAD) where that is wider, so that an untidy group does not fail everybody.
    """
    verdicts: list[UnitVerdict] = []
    for probe in plan.probes:
        of_probe = [m for m in readings if m.probe == probe.probe]
        verdicts += _of_probe(plan, probe, of_probe)
    return tuple(verdicts)


def goodness(probe: PlannedProbe, value: float) -> float:
    """Return log value, turned so that more is better."""
    return log(value) if probe.better == "higher" else -log(value)


def _of_probe(
    plan: AcceptancePlan, probe: PlannedProbe, readings: Sequence[Measurement]
) -> list[UnitVerdict]:
    by_rack: dict[str, list[Measurement]] = {}
    for m in readings:
        by_rack.setdefault(m.rack, []).append(m)
    means = {
        rack: float(np.mean(values))
        for rack, ms in by_rack.items()
        if (
            values := [
                goodness(probe, m.value) for m in ms if m.value is not None and not m.skipped
            ]
        )
    }
    return [_of_rack(plan, probe, rack, ms, means) for rack, ms in sorted(by_rack.items())]


def _of_rack(
    plan: AcceptancePlan,
    probe: PlannedProbe,
    rack: str,
    readings: Sequence[Measurement],
    means: dict[str, float],
) -> UnitVerdict:
    if rack not in means:
        skipped = all(m.skipped for m in readings)
        return UnitVerdict(
            rack=rack,
            probe=probe.probe,
            verdict=Verdict.SKIP if skipped else Verdict.INCOMPLETE,
            value=None,
            center=None,
            z=None,
            why="skipped" if skipped else "the probe ran and gave no value",
        )
    sign = 1.0 if probe.better == "higher" else -1.0
    value = float(np.exp(sign * means[rack]))
    siblings = np.array([x for other, x in means.items() if other != rack])
    if len(means) < LEAST_UNITS:
        return UnitVerdict(
            rack=rack,
            probe=probe.probe,
            verdict=Verdict.INCONCLUSIVE,
            value=value,
            center=None,
            z=None,
            why=f"{len(means)} units measured, {LEAST_UNITS} make a group",
        )
    center = float(np.median(siblings))
    counted = sum(m.value is not None and not m.skipped for m in readings)
    planned = sqrt(probe.unit_log_sd**2 + probe.repeat_log_sd**2 / counted)
    seen = MAD_TO_SD * float(np.median(np.abs(siblings - center)))
    z = (means[rack] - center) / (max(planned, seen) * sibling_factor(len(siblings)))
    slow = z < -plan.unit_limit_z
    return UnitVerdict(
        rack=rack,
        probe=probe.probe,
        verdict=Verdict.FAIL if slow else Verdict.PASS,
        value=value,
        center=float(np.exp(sign * center)),
        z=z,
        why=f"z {z:+.2f} against a limit of -{plan.unit_limit_z:.2f}",
    )
