"""Early racks: what each probe should read, what it read, and what that says of the rate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rackwright.drawing.charts.probes import Probe, Probes, Reading
from rackwright.drawing.charts.spread import Spread, binned
from rackwright.kernels.quantile import weighted_quantile
from rackwright.records.acceptance import AcceptancePlan, AcceptanceReport, PlannedProbe, Verdict
from rackwright.records.space import Space

Array = NDArray[np.float64]


def probe_rows(plan: AcceptancePlan, report: AcceptanceReport | None) -> Probes:
    """Return every probe as shares of its promise, more is better, with readings if there are.

    Args:
        plan: prediction, promise and limits.
        report: readings and verdicts, or none yet.
    """
    rows = []
    for probe in plan.probes:
        low, high = weighted_quantile(np.asarray(probe.draws), np.asarray(plan.prior), (0.1, 0.9))
        ends = sorted((share_of_promise(probe, float(low)), share_of_promise(probe, float(high))))
        units, center, verdict = _measured(probe, report)
        rows.append(
            Probe(
                label=probe.probe,
                predicted=share_of_promise(probe, probe.predicted),
                low=ends[0],
                high=ends[1],
                good=share_of_promise(probe, probe.good),
                bad=share_of_promise(probe, probe.bad),
                units=units,
                center=center,
                verdict=verdict,
            )
        )
    return Probes(tuple(rows))


def share_of_promise(probe: PlannedProbe, value: float) -> float:
    """Return a reading as a share of the promise: above 1 is better than promised."""
    return value / probe.promised if probe.better == "higher" else probe.promised / value


def rate_spread(space: Space, report: AcceptanceReport | None, design: str) -> Spread | None:
    """Return the rate of a design over the worlds, before and after the readings.

    The workload is the one in which the design's expected rate is highest.
    """
    d = next((i for i, row in enumerate(space.rows) if row.key == design), None)
    if d is None:
        return None
    before = np.asarray(space.parameters.weights)
    w = int(np.argmax(np.asarray(space.rates)[d] @ before))
    values = np.asarray(space.rates)[d, w]
    factor, unit = _unit(float(values.max()))
    sets: list[tuple[str, Array, str]] = [("predicted", before, "c6")]
    if report is not None:
        sets.append(("after the readings", np.asarray(report.weights), "c0"))
    return binned(f"{unit} per block on {space.workloads[w]}", values / factor, sets)


def _measured(
    probe: PlannedProbe, report: AcceptanceReport | None
) -> tuple[tuple[Reading, ...], float | None, str]:
    if report is None:
        return (), None, ""
    readings = tuple(
        Reading(u.rack, share_of_promise(probe, u.value), u.verdict is Verdict.FAIL)
        for u in report.units
        if u.probe == probe.probe and u.value is not None
    )
    judged = next((p for p in report.promises if p.probe == probe.probe), None)
    if judged is None:
        return readings, None, ""
    center = None if judged.measured is None else share_of_promise(probe, judged.measured)
    return readings, center, judged.verdict.value


def _unit(highest: float) -> tuple[float, str]:
    steps = ((1e9, "G tokens/s"), (1e6, "M tokens/s"), (1e3, "k tokens/s"))
    return next((s for s in steps if highest >= s[0]), (1.0, "tokens/s"))
