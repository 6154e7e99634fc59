"""Second question: does the product deliver what was sold?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import ceil, exp, sqrt

import numpy as np

from rackwright.accept.unit import goodness
from rackwright.kernels.sequential import boundaries, expected_further, log_likelihood_ratio
from rackwright.records.acceptance import (
    AcceptancePlan,
    Measurement,
    PlannedProbe,
    PromiseVerdict,
    Verdict,
)


def judge_promise(
    plan: AcceptancePlan, probe: PlannedProbe, readings: Sequence[Measurement], out: Collection[str]
) -> PromiseVerdict:
    """Return the sequential verdict of the group against the promise, by one probe.

    Args:
        plan: risks and limits.
        probe: the promise.
        readings: all readings of the run.
        out: racks that are unlike their siblings; they are judged as units, not as the product.
    """
    units = rack_means(probe, readings, out)
    limits = boundaries(plan.alpha, plan.beta)
    frame = {
        "probe": probe.probe,
        "unit": probe.unit,
        "promised": probe.promised,
        "good": probe.good,
        "bad": probe.bad,
        "accept_at": limits.accept_at,
        "reject_at": limits.reject_at,
        "racks": len(units),
    }
    good, bad = goodness(probe, probe.good), goodness(probe, probe.bad)
    sd = spread(probe, units)
    if not units:
        return PromiseVerdict(
            **frame,
            verdict=Verdict.INCOMPLETE,
            measured=None,
            log_likelihood_ratio=None,
            further_racks=ceil(probe.expected_racks_good),
            why="no measurement",
        )
    values = np.array(list(units.values()))
    ratio = log_likelihood_ratio(float(values.sum()), len(values), good, bad, sd)
    truth = float(values.mean())
    if ratio <= limits.accept_at:
        verdict, further = Verdict.PASS, 0
    elif ratio >= limits.reject_at:
        verdict, further = Verdict.FAIL, 0
    else:
        verdict = Verdict.INCONCLUSIVE
        further = max(1, ceil(expected_further(ratio, truth, good, bad, sd, limits)))
    share = exp(truth - goodness(probe, probe.promised))
    return PromiseVerdict(
        **frame,
        verdict=verdict,
        measured=exp(truth) if probe.better == "higher" else exp(-truth),
        log_likelihood_ratio=ratio,
        further_racks=further,
        why=f"{100 * share:.1f} % of the promise on {len(values)} racks, "
        f"spread of one {100 * sd:.1f} %; "
        f"log ratio {ratio:+.2f}, accept at {limits.accept_at:.2f}, "
        f"reject at {limits.reject_at:+.2f}",
    )


def rack_means(
    probe: PlannedProbe, readings: Sequence[Measurement], out: Collection[str]
) -> dict[str, float]:
    """Return the mean goodness (log, more is better) of each rack that counts, by rack."""
    by_rack: dict[str, list[float]] = {}
    for m in readings:
        counts = m.probe == probe.probe and m.value is not None and not m.skipped
        if counts and m.rack not in out:
            assert m.value is not None
            by_rack.setdefault(m.rack, []).append(goodness(probe, m.value))
    return {rack: float(np.mean(values)) for rack, values in sorted(by_rack.items())}


def spread(probe: PlannedProbe, units: dict[str, float]) -> float:
    """Return the spread of one rack: the planned one, or the seen one where that is wider."""
    planned = sqrt(probe.unit_log_sd**2 + probe.repeat_log_sd**2)
    if len(units) < 3:
        return planned
    return max(planned, float(np.std(list(units.values()), ddof=1)))
