"""From a frozen plan and readings to verdicts, a lot decision and what the model learned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from rackwright.accept.model import Learned, learn
from rackwright.accept.promise import judge_promise
from rackwright.accept.unit import judge_units
from rackwright.records.acceptance import (
    AcceptancePlan,
    AcceptanceReport,
    Measurement,
    PromiseVerdict,
    UnitVerdict,
    Verdict,
)
from rackwright.records.base import record_sha256
from rackwright.records.errors import InputError, nearest
from rackwright.records.provenance import worst


def judge(
    plan: AcceptancePlan, readings: Sequence[Measurement], places: Sequence[str] = ()
) -> AcceptanceReport:
    """Return the report on early racks.

    Args:
        plan: frozen; its hash must stand in every reading.
        readings: at least one.
        places: file and line of each reading, for messages; none = counted from 1.

    Raises:
        InputError: readings of another plan, design or revision, unknown probes, wrong units,
            or values that no log can be taken of or that cannot be of that unit; all at once.
    """
    _check(plan, readings, places)
    units = judge_units(plan, readings)
    out = {u.rack for u in units if u.verdict is Verdict.FAIL}
    promises = tuple(judge_promise(plan, probe, readings, out) for probe in plan.probes)
    lot, further = _lot(promises)
    learned = learn(plan, readings, out)
    hours = further * plan.hours_per_rack
    return AcceptanceReport(
        plan_sha256=record_sha256(plan),
        design=plan.design,
        revision=plan.revision,
        units=units,
        promises=promises,
        lot=lot,
        further_racks=further,
        further_hours=hours,
        summary=_summary(lot, further, hours, units, promises, learned),
        calibration=learned.factors,
        weights=learned.weights,
        effective_draws=learned.effective,
        tempered=learned.tempered,
        fictitious=any(m.fictitious for m in readings),
        grade=worst([plan.grade]),
    )


_BEST, _WORST = 10.0, 1e-3
"""Times the promise beyond which a reading is taken for one in another unit."""


def _check(plan: AcceptancePlan, readings: Sequence[Measurement], places: Sequence[str]) -> None:
    if not readings:
        raise InputError(["no measurements: the file has no readings in it"])
    at = list(places) or [f"measurement {i + 1}" for i in range(len(readings))]
    sha = record_sha256(plan)
    told: dict[str, list[str]] = {}  # what is wrong with many readings is said once
    first: dict[Measurement, int] = {}
    for i, m in enumerate(readings):
        texts = list(_wrong(plan, sha, m))
        if first.setdefault(m, i) != i and m.value is not None:
            texts.append(
                f"the same as {at[first[m]]}: remove one, or say in `note` what tells the two "
                "readings apart"
            )
        for text in texts:
            told.setdefault(text, []).append(f"{at[i]}: rack {m.rack}, {m.probe}")
    if told:
        raise InputError(
            [
                where[0] + (f" (and {len(where) - 1} more)" if where[1:] else "") + f": {text}"
                for text, where in told.items()
            ]
        )


def _wrong(plan: AcceptancePlan, sha: str, m: Measurement) -> Iterator[str]:
    """Yield what keeps a reading from being judged by a plan."""
    if m.plan_sha256 != sha:
        yield (
            f"plan_sha256 is {m.plan_sha256[:12]}..., this plan is {sha[:12]}...: it was taken for "
            f"another design or plan than {plan.design}; measure again against this plan, or "
            "judge it with its own"
        )
        return
    if m.revision and m.revision != plan.revision:
        yield f"revision {m.revision}, the plan is for {plan.revision}"
    probes = {p.probe: p for p in plan.probes}
    if m.probe not in probes:
        yield f"the plan has no such probe.{nearest(m.probe, probes)}"
        return
    probe = probes[m.probe]
    if m.unit != probe.unit:
        yield f"unit {m.unit!r}, the plan has {probe.unit!r}: convert it"
    elif m.value is not None and m.value <= 0:
        yield f"value {m.value:g}, must be above 0"
    elif m.value is not None:
        share = m.value / probe.promised if probe.better == "higher" else probe.promised / m.value
        if not _WORST <= share <= _BEST:
            yield (
                f"value {m.value:g} {m.unit} where {probe.promised:.4g} is promised: was a prefix "
                "left out? Where the probe ran and gave nothing, write null"
            )


def _lot(
    promises: Sequence[PromiseVerdict],
) -> tuple[Literal["accept", "reject", "continue"], int]:
    """Reject when one probe rejects, accept when all accept, else measure on."""
    verdicts = [p.verdict for p in promises]
    if Verdict.FAIL in verdicts:
        return "reject", 0
    if all(v is Verdict.PASS for v in verdicts):
        return "accept", 0
    return "continue", max(p.further_racks for p in promises)


def _summary(
    lot: str,
    further: int,
    hours: float,
    units: Sequence[UnitVerdict],
    promises: Sequence[PromiseVerdict],
    learned: Learned,
) -> str:
    failed = sorted({u.rack for u in units if u.verdict is Verdict.FAIL})
    undecided = [p.probe for p in promises if p.verdict is not Verdict.PASS]
    every = f"all {len(promises)} probes"
    head = {
        "accept": "Accept the lot: every probe keeps its promise.",
        "reject": "Reject the lot: "
        + ", ".join(p.probe for p in promises if p.verdict is Verdict.FAIL)
        + " below the promise.",
        "continue": f"Continue: {further} more racks, {hours:.0f} more rack hours; open: "
        + (every if len(undecided) == len(promises) > 2 else ", ".join(undecided))
        + ".",
    }[lot]
    tail = f" Racks unlike their siblings: {', '.join(failed)}." if failed else ""
    if learned.tempered < 1:
        tail += (
            f" The evidence is sharper than the draws: its log likelihood was scaled by "
            f"{learned.tempered:.2f} to keep {learned.effective:.0f} worlds."
        )
    return head + tail
