"""Run the whole: design, build, accept, buy; write the run folder and its report."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from rackwright.cli.given import given_from, read_readings
from rackwright.cli.options import CalibrationFile, CatalogFolder
from rackwright.cli.output import JsonFlag, StudyFile, answer
from rackwright.cli.progress import Progress
from rackwright.cli.report import REPORT, drawn
from rackwright.formats.run_folder import LEDGER, open_run
from rackwright.load import load_study
from rackwright.pipeline import Result
from rackwright.pipeline import run as run_pipeline
from rackwright.records.errors import RackwrightError


def run(
    study: StudyFile,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="the run folder; none = runs/NAME")
    ] = None,
    measurements: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="readings of early racks: a file, or a folder of them"),
    ] = None,
    rehearse: Annotated[
        bool, typer.Option("--rehearse", help="judge the study's fictitious readings")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="keep what a stopped run has finished")
    ] = False,
    catalog: CatalogFolder = None,
    calibration: CalibrationFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Run the whole: design, build, accept, buy; write the run folder and its report.

    Without measurements the run ends with an acceptance plan and the worth of its evidence; with
    them it goes through to the decision on what was measured.
    """
    loaded = load_study(study, catalog)
    if rehearse and measurements is not None:
        raise RackwrightError("run: --rehearse makes readings up: leave out --measurements.")
    if rehearse and loaded.study.acceptance.rehearsal is None:
        raise RackwrightError(
            f"{study}: --rehearse needs a table [acceptance.rehearsal] with racks and "
            "share_of_promise."
        )
    if loaded.study.market is None:
        raise RackwrightError(
            f"{study}: [market] is missing: a run ends with the option on one workload, whose "
            "price it describes (rackwright init shows one); or stop earlier with rackwright build."
        )
    files = _measurement_files(measurements)
    readings, places = read_readings(files)
    given = given_from(loaded, study, catalog, readings, rehearse, calibration, places)
    target = out if out is not None else Path("runs") / loaded.study.name
    _tell_of_earlier(target, resume)
    seconds: dict[str, float] = {}
    since = time.perf_counter()
    with (
        _told_when_stopped(study, target),
        Progress() as progress,
        open_run(target, resume=resume, owner=loaded.study.name) as folder,
    ):
        folder.copy_inputs([*loaded.files, *map(str, files)])
        result = run_pipeline(given, folder, progress, seconds)
        progress("report")
        for name, text in drawn(given, result).items():
            folder.write(name, text)
        seconds["whole run"] = time.perf_counter() - since
        folder.write_log(seconds, {"resumed": resume})
    answer(
        result.summary.model_dump(mode="json") | {"folder": str(target)},
        [*_lines(result), "", f"report: {target / REPORT}"],
        _following(study, target, readings=bool(readings)),
        as_json=as_json,
    )


@contextmanager
def _told_when_stopped(study: Path, target: Path) -> Iterator[None]:
    """Say where the finished stages of a stopped run lie and how it goes on."""
    try:
        yield
    except KeyboardInterrupt:
        partial = target.with_name(target.name + ".partial")
        if partial.is_dir():
            typer.echo(f"finished stages are in {partial}", err=True)
            typer.echo(f"next: rackwright run {study} --out {target} --resume", err=True)
        raise


def _tell_of_earlier(target: Path, resume: bool) -> None:
    """Say in a line what becomes of a run that is there, finished or stopped."""
    partial = target.with_name(target.name + ".partial")
    if not resume and (partial / LEDGER).is_file():
        typer.echo(f"{partial}: a stopped run, begun anew; --resume goes on with one", err=True)
    elif not resume and (target / LEDGER).is_file():
        typer.echo(f"{target}: holds a run; it is replaced when this one is done", err=True)


def _measurement_files(place: Path | None) -> list[Path]:
    if place is None:
        return []
    if not place.is_dir():
        return [place]
    files = sorted(place.glob("*.jsonl"))
    if not files:
        raise RackwrightError(f"{place}: no *.jsonl file in this folder.")
    return files


def _lines(result: Result) -> list[str]:
    summary = result.summary
    lines = [f"{summary.title}  (grade {summary.grade})", ""]
    for i, statement in enumerate(summary.statements, start=1):
        lines.append(f"{i:>2}. {statement.text} [grade {statement.grade}]")
    evidence = summary.evidence
    if evidence is not None and evidence.back:
        lines += ["", "What would move the decision back:"]
        lines += [f"  - {condition.text}" for condition in evidence.back]
    return lines


def _following(study: Path, target: Path, *, readings: bool) -> str:
    if readings:
        return f"rackwright design {study} --explain ID"
    return f"rackwright accept rehearse --plan {target} --out {target / 'rehearsal.jsonl'}"
