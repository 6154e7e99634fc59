"""Fictitious readings of early racks: a rehearsal, never evidence."""

from __future__ import annotations

from math import log

import numpy as np

from rackwright.records.acceptance import AcceptancePlan, Measurement
from rackwright.records.base import record_sha256
from rackwright.records.study import Rehearsal


def rehearse(plan: AcceptancePlan, rehearsal: Rehearsal, seed: int) -> tuple[Measurement, ...]:
    """Return readings of racks that do not exist, each marked fictitious.

    Every unit deviates by the plan's own unit and repeat spreads; one deviation per unit is
    shared by its probes. The last `slow_racks` are slower on every probe.

    Args:
        plan: the frozen plan; its hash goes into every reading.
        rehearsal: how many racks and how the product does.
        seed: of the deviations.
    """
    rng = np.random.default_rng([seed, 7])
    sha = record_sha256(plan)
    units = rng.normal(size=rehearsal.racks)
    repeats = rng.normal(size=(rehearsal.racks, len(plan.probes)))
    # A rehearsal shows the stated share: without this, few racks would stray from it by chance.
    units = units - units.mean()
    readings = []
    for i in range(rehearsal.racks):
        slow = log(rehearsal.slow_share) if i >= rehearsal.racks - rehearsal.slow_racks else 0.0
        for j, probe in enumerate(plan.probes):
            goodness = (
                log(rehearsal.share_of_promise)
                + slow
                + units[i] * probe.unit_log_sd
                + repeats[i, j] * probe.repeat_log_sd
            )
            sign = 1.0 if probe.better == "higher" else -1.0
            readings.append(
                Measurement(
                    plan_sha256=sha,
                    rack=f"rehearsal-{i + 1:02d}",
                    probe=probe.probe,
                    value=float(f"{probe.promised * np.exp(sign * goodness):.6g}"),
                    unit=probe.unit,
                    hours=plan.hours_per_rack,
                    revision=plan.revision,
                    fictitious=True,
                    note="fictitious: rehearsal",
                )
            )
    return tuple(readings)
