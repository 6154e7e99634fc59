"""Plan the test of early hardware, rehearse it, and judge its readings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rackwright import accept
from rackwright.cli.given import given_of, read_readings
from rackwright.cli.options import CalibrationFile, CatalogFolder
from rackwright.cli.output import JsonFlag, StudyFile, answer
from rackwright.cli.progress import Progress
from rackwright.cli.tables import table
from rackwright.formats.atomic import make_folder, write_text
from rackwright.formats.stored import read_stored_file, write_record
from rackwright.pipeline import run_accept_plan, run_build, run_design
from rackwright.records.acceptance import (
    AcceptancePlan,
    AcceptanceReport,
    Verdict,
)
from rackwright.records.base import record_sha256
from rackwright.records.errors import InputError, RackwrightError
from rackwright.records.study import Rehearsal
from rackwright.summary import lead_design

FINDINGS = 1
PLAN = "acceptance_plan"

PlanFile = Annotated[
    Path, typer.Option("--plan", metavar="FILE", help="acceptance_plan.json, or its folder")
]


def plan(
    study: StudyFile,
    out: Annotated[Path, typer.Option(metavar="DIR", help="where to write the plan")],
    design: Annotated[
        str | None, typer.Option(metavar="ID", help="the design tested; none = the plan's lead")
    ] = None,
    catalog: CatalogFolder = None,
    calibration: CalibrationFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Freeze the plan of the test: predictions, promises, limits."""
    given = given_of(study, catalog, calibration)
    with Progress() as progress:
        progress("design: searching hardware and software")
        space = run_design(given)
        if design is None:
            progress(f"build: planning over {len(space.rows)} designs")
            built, _ = run_build(given, space)
            design = lead_design(given.study, space, built)
        made = run_accept_plan(given, space, design)
    make_folder(out)
    path = write_record(out, PLAN, made)
    answer(
        made.model_dump(mode="json"),
        [*plan_lines(made), "", f"written: {path}, sha256 {record_sha256(made)}"],
        f"rackwright accept rehearse --plan {path} --out {out / 'rehearsal.jsonl'}",
        as_json=as_json,
    )


def rehearse(
    out: Annotated[Path, typer.Option(metavar="FILE", help="where to write the readings")],
    plan: PlanFile = Path("."),
    racks: Annotated[int, typer.Option(min=1, help="racks that are made up")] = 6,
    share: Annotated[
        float, typer.Option(min=0.01, help="what the product delivers, of its promise")
    ] = 0.965,
    slow: Annotated[int, typer.Option(min=0, help="racks unlike their siblings")] = 0,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    as_json: JsonFlag = False,
) -> None:
    """Write fictitious readings to rehearse the test on; each says that it is fictitious."""
    frozen = _plan(plan)
    made = accept.rehearse(
        frozen, Rehearsal(racks=racks, share_of_promise=share, slow_racks=slow), seed
    )
    _not_over_real_readings(out)
    write_text(out, "".join(m.model_dump_json() + "\n" for m in made))
    answer(
        {"written": str(out), "readings": len(made), "fictitious": True},
        [f"wrote {len(made)} fictitious readings of {racks} racks to {out}"],
        f"rackwright accept judge {out} --plan {plan}",
        as_json=as_json,
    )


def judge(
    measurements: Annotated[Path, typer.Argument(help="readings, one JSON object a line")],
    plan: PlanFile = Path("."),
    as_json: JsonFlag = False,
) -> None:
    """Judge readings by the frozen plan: units, promise, model, and the lot.

    Exit code 1 when the lot is not accepted or a unit fails.
    """
    frozen = _plan(plan)
    readings, places = read_readings([measurements])
    report = accept.judge(frozen, readings, places)
    answer(
        {**report.model_dump(mode="json"), "weights": [float(x) for x in report.weights]},
        report_lines(report),
        "rackwright run STUDY --measurements DIR",
        as_json=as_json,
    )
    if report.lot != "accept" or any(u.verdict is Verdict.FAIL for u in report.units):
        raise typer.Exit(FINDINGS)


subcommands = (plan, rehearse, judge)


def _not_over_real_readings(out: Path) -> None:
    """Refuse to overwrite a file unless it holds nothing but an earlier rehearsal."""
    if not out.exists():
        return
    try:
        fictitious = all(m.fictitious for m in read_readings([out])[0])
    except InputError:
        fictitious = False
    if not fictitious:
        raise RackwrightError(
            f"{out}: exists and is no earlier rehearsal; name another file, or remove it first."
        )


def _plan(path: Path) -> AcceptancePlan:
    file = path / f"{PLAN}.json" if path.is_dir() else path
    if not file.is_file():
        raise RackwrightError(
            f"{file}: no such file; name the frozen plan with --plan (rackwright accept plan "
            "writes one, a run folder holds one)."
        )
    return read_stored_file(file, AcceptancePlan)


def plan_lines(made: AcceptancePlan) -> list[str]:
    """Return the plan of a test for people."""
    lines = [
        f"test of {made.design} ({made.revision}): {made.racks} racks, "
        f"{made.hours_per_rack:g} h each; alpha {made.alpha:.3g} and beta {made.beta:g} per probe; "
        f"a unit fails below z -{made.unit_limit_z:.2f}; grade {made.grade}",
        "",
    ]
    return lines + table(
        ["probe", "unit", "predicted", "promised", "bad", "racks needed", "expected", "finds"],
        [
            [
                p.probe,
                p.unit,
                f"{p.predicted:,.4g}",
                f"{p.promised:,.4g}",
                f"{p.bad:,.4g}",
                f"{p.racks_needed}",
                f"{p.expected_racks_good:.1f}",
                f"{100 * p.smallest_detectable:.1f} %",
            ]
            for p in made.probes
        ],
    )


def report_lines(report: AcceptanceReport) -> list[str]:
    """Return a report for people."""
    head = "FICTITIOUS readings. " if report.fictitious else ""
    lines = [f"{head}{report.design} ({report.revision}): {report.lot}. {report.summary}", ""]
    lines += table(
        ["probe", "verdict", "measured", "promised", "racks", "further", "why"],
        [
            [
                p.probe,
                p.verdict,
                "none" if p.measured is None else f"{p.measured:,.4g} {p.unit}",
                f"{p.promised:,.4g}",
                f"{p.racks}",
                f"{p.further_racks}",
                p.why,
            ]
            for p in report.promises
        ],
    )
    failed = [u for u in report.units if u.verdict is Verdict.FAIL]
    counts = {v: sum(u.verdict is v for u in report.units) for v in Verdict}
    lines += ["", "units: " + ", ".join(f"{n} {v}" for v, n in counts.items() if n)]
    lines += [f"  {u.rack}, {u.probe}: {u.why}" for u in failed]
    lines += ["", "measured over predicted, shared by all units:"]
    lines += [
        f"  {c.probe}: {c.factor:.3f} ({c.low:.3f} to {c.high:.3f})" for c in report.calibration
    ]
    return [*lines, f"  {report.effective_draws:.0f} of the worlds stay effective"]
