"""Third question: are the first racks what was promised? The test, and its readings if any."""

from __future__ import annotations

from rackwright.drawing import words
from rackwright.drawing.charts.probes import probes
from rackwright.drawing.charts.spread import spread
from rackwright.drawing.html import Html, Part, join, tag
from rackwright.drawing.layout.early import probe_rows, rate_spread, share_of_promise
from rackwright.drawing.page import Page
from rackwright.drawing.parts import FICTITIOUS, figure, grade, heading, mark, small, table
from rackwright.records.acceptance import AcceptancePlan, AcceptanceReport, PlannedProbe, Verdict


def early(page: Page, number: int, anchor: str) -> Html:
    """Return the section: the frozen plan of the test, readings, verdicts, what was learned."""
    answer = page.answer
    plan, report = answer.acceptance, answer.report
    fictitious = report is not None and report.fictitious
    data = probe_rows(plan, report)
    title = "Readings against the promise" if report is not None else "Prediction and promise"
    rates = rate_spread(answer.space, report, plan.design)
    return join(
        heading(number, anchor, "Early racks"),
        _lead(page, plan),
        _lot(report) if report is not None else None,
        figure(probes, data, title,
               "Each probe against its own promise. Grey: where 80 % of worlds put it; shaded: a "
               "lot that is bad.", fictitious=fictitious),
        _planned(plan),
        _judged(report, plan) if report is not None else None,
        figure(spread, rates, f"Rate of {page.names.label(plan.design)} over the worlds",
               _learned(page), fictitious=fictitious)
        if rates is not None
        else None,
    )  # fmt: skip


def _lead(page: Page, plan: AcceptancePlan) -> Html:
    return tag(
        "p",
        f"The test of {page.names.label(plan.design)} ({plan.revision}): {plan.racks} racks "
        f"offered, {words.number(plan.hours_per_rack)} h each. Its limits were frozen before the "
        "first reading: a good lot is turned down with a chance of at most "
        f"{words.percent(plan.alpha, 2)} per probe, a bad one accepted with "
        f"{words.percent(plan.beta, 0)}; a rack stands out from its siblings at a robust z of "
        f"{words.number(plan.unit_limit_z)}.",
        class_="lead",
    )


def _lot(report: AcceptanceReport) -> Html:
    note: Part = join(mark(), tag("br")) if report.fictitious else None
    return tag("p", note, report.summary, class_="answer")


def _planned(plan: AcceptancePlan) -> Html:
    title = "The test: racks needed at once, and on average where they are judged one by one"
    head = ("probe", "predicted", "promised", "bad", "racks needed", "one by one: good / bad",
            "slow rack found from", "grade")  # fmt: skip
    return table(head, [_planned_line(p) for p in plan.probes], "tnnnnnnt", title=title,
                 widths=(28, 13, 12, 12, 8, 10, 11, 6))  # fmt: skip


def _planned_line(probe: PlannedProbe) -> tuple[Part, ...]:
    less = "; less is better" if probe.better == "lower" else ""
    return (
        tag("span", probe.probe, tag("br"), small(probe.how + less)),
        words.quantity(probe.predicted, probe.unit),
        words.quantity(probe.promised, probe.unit),
        words.quantity(probe.bad, probe.unit),
        str(probe.racks_needed),
        f"{probe.expected_racks_good:.1f} / {probe.expected_racks_bad:.1f}",
        f"{words.percent(probe.smallest_detectable)} slower",
        grade(probe.grade),
    )


def _judged(report: AcceptanceReport, plan: AcceptancePlan) -> Html:
    planned = {p.probe: p for p in plan.probes}
    lines: list[tuple[Part, ...]] = []
    for p in report.promises:
        probe = planned.get(p.probe)
        reading, share = "", ""
        if p.measured is not None and probe is not None:
            reading = words.quantity(p.measured, p.unit)
            share = words.percent(share_of_promise(probe, p.measured))
        learned = next((c for c in report.calibration if c.probe == p.probe), None)
        factor = (
            f"{learned.factor:.3f} ({learned.low:.3f} to {learned.high:.3f})" if learned else ""
        )
        lines.append(
            (
                p.probe,
                _verdict(p.verdict),
                reading,
                share,
                str(p.racks),
                str(p.further_racks),
                factor,
            )
        )
    head = ("probe", "verdict", "measured", "of the promise", "racks", "further racks",
            "measured / predicted, 80 %")  # fmt: skip
    title = f"Verdicts ({FICTITIOUS})" if report.fictitious else "Verdicts"
    out = sorted({u.rack for u in report.units if u.verdict is Verdict.FAIL})
    units = (
        f"Unlike their siblings: {', '.join(out)}."
        if out
        else _no_outlier(report)
    )  # fmt: skip
    return join(table(head, lines, "ttnnnnn", title=title), tag("p", units, class_="lead"))


def _verdict(verdict: Verdict) -> Html:
    return tag("span", verdict.value, class_=f"verdict {verdict.value}")


def _no_outlier(report: AcceptanceReport) -> str:
    verdicts = {u.verdict.value for u in report.units}
    if verdicts <= {"INCONCLUSIVE", "INCOMPLETE", "SKIP"} and report.units:
        return f"Whether a rack is unlike its siblings is open: {report.units[0].why}."
    return "No rack is unlike its siblings."


def _learned(page: Page) -> str:
    evidence, report = page.answer.summary.evidence, page.answer.report
    if evidence is None or report is None:
        return "One block, its best workload; each world is one joint draw of the parameters."
    return (
        f"Expected rate from {words.rate(evidence.rate_before_tokens_per_s)} to "
        f"{words.rate(evidence.rate_after_tokens_per_s)}; "
        f"{words.number(report.effective_draws)} worlds carry the weight."
    )
