"""Score our models against published measurements, on the shipped tables or on yours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from rackwright import catalog as catalogs
from rackwright.catalog import Catalog
from rackwright.cli.errors import FINDINGS
from rackwright.cli.fabrics import answer_fabric, answer_wiring
from rackwright.cli.options import CalibrationFile, CatalogFolder
from rackwright.cli.output import JsonFlag, answer
from rackwright.cli.progress import Progress
from rackwright.cli.tables import table
from rackwright.drawing.residuals import residuals_svg
from rackwright.formats.atomic import write_text
from rackwright.records.errors import InputError, nearest
from rackwright.validate.cross import Cross, Crossed, cross_serving, cross_training
from rackwright.validate.goodput import score_goodput
from rackwright.validate.requests import score_requests
from rackwright.validate.residuals import serving_residuals, training_residuals
from rackwright.validate.resolve import Models, Refused
from rackwright.validate.scores import Errors, ErrorStats, Interval
from rackwright.validate.serving import QUANTITIES, ServingScore, score_serving
from rackwright.validate.training import TrainingScore, score_training

KINDS = ("training", "serving", "requests", "goodput", "fabric", "wiring")
_QUANTITY = {
    "step": "step time",
    "tpot": "time per output token",
    "ttft": "time to first token",
    "throughput": "offline throughput",
}


def run(
    kind: Annotated[str, typer.Argument(help=f"what is scored: {', '.join(KINDS)}")],
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE|DIR]...", help="a table of the published format; wiring takes folders"
        ),
    ] = None,
    models: Annotated[
        Path | None,
        typer.Option("--models", metavar="DIR", help="NAME.json or NAME/config.json each"),
    ] = None,
    catalog: CatalogFolder = None,
    calibration: CalibrationFile = None,
    cross: Annotated[
        bool, typer.Option("--cross", help="also fit without each source and accelerator")
    ] = False,
    engine: Annotated[
        Path | None,
        typer.Option("--engine", metavar="FILE", help="limits of the engines of replayed runs"),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE", help="draw the residuals by source (SVG)"),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Score our models against published measurements, on the shipped tables or on yours."""
    if kind not in KINDS:
        raise InputError(
            [f"nothing to validate named {kind!r}; allowed: {', '.join(KINDS)}."
             f"{nearest(kind, KINDS)}"]
        )  # fmt: skip
    if kind == "wiring":
        answer_wiring(files or [], as_json=as_json)
        return
    if files and len(files) > 1:
        raise InputError([f"validate {kind} takes one file, got {len(files)}"])
    file = files[0] if files else None
    components = catalogs.load(catalog, calibration)
    if kind == "fabric":
        answer_fabric(file, components, as_json=as_json)
        return
    if kind == "goodput":
        _goodput(components, as_json=as_json)
        return
    shapes = Models(components, models)
    if kind == "requests":
        _requests(file, engine, components, shapes, as_json=as_json)
        return
    left: Cross | None = None
    with Progress() as progress:
        progress(f"validate: predicting every row of {kind}")
        score: TrainingScore | ServingScore
        if kind == "training":
            score = score_training(file, components, shapes)
        else:
            score = score_serving(file, components, shapes)
        if plot is not None:
            progress("validate: drawing the residuals")
            _plot(kind, plot, file, components, shapes)
        if cross:
            progress("validate: fitting without each source and each accelerator")
            run_cross = cross_training if kind == "training" else cross_serving
            left = run_cross(file, components, shapes)
    document: dict[str, Any] = {"kind": kind, **score.model_dump(mode="json")}
    if left is not None:
        document["cross"] = left.model_dump(mode="json")
    lines = [*_lines(score), *(_cross_lines(left) if left else [])]
    lines += [f"residuals: {plot}"] if plot is not None else []
    named = f" {file}" if file else ""
    other = "serving" if kind == "training" else "training"
    following = f"rackwright validate {kind}{named} --cross"
    answer(document, lines, f"rackwright validate {other}" if cross else following, as_json=as_json)
    for mistake in score.mistakes:
        typer.echo(f"error: {mistake}", err=True)
    if score.mistakes:
        raise typer.Exit(FINDINGS)


def _plot(kind: str, plot: Path, file: Path | None, catalog: Catalog, models: Models) -> None:
    """Draw what the scores are taken of: every row, by source."""
    of = training_residuals if kind == "training" else serving_residuals
    write_text(plot, residuals_svg(of(file, catalog, models), f"Residuals of {kind}, by source"))


def _requests(
    file: Path | None, engine: Path | None, catalog: Catalog, models: Models, *, as_json: bool
) -> None:
    """Replay runs request by request; each is fitted on its first half and scored on the second."""
    with Progress() as progress:
        progress("validate: replaying runs request by request")
        score = score_requests(file, engine, catalog, models)
    rows = [
        [r.run, str(r.n), f"{r.e2e_p50_error_pct:.1f} %", f"{r.e2e_p90_error_pct:.1f} %",
         f"{r.e2e_p99_error_pct:.1f} %", f"{r.ttft_p50_error_pct:.1f} %",
         f"{r.tpot_p50_error_pct:.1f} %", f"{r.worst_cdf_gap:.3f}", f"{r.tpot_cdf_gap:.3f}"]
        for r in score.runs
    ]  # fmt: skip
    head = ["run", "n", "E2E p50", "p90", "p99", "TTFT p50", "TPOT p50", "worst gap", "of TPOT"]
    lines = [
        "second half of each run, |predicted / measured - 1|, and the worst gap between curves:",
        *table(head, rows),
        *(f"refused: {run}: {why}" for run, why in score.refused.items()),
    ]
    document = {"kind": "requests", **score.model_dump(mode="json")}
    answer(document, lines, "rackwright validate serving", as_json=as_json)
    for mistake in score.mistakes:
        typer.echo(f"error: {mistake}", err=True)
    if score.mistakes:
        raise typer.Exit(FINDINGS)


def _goodput(catalog: Catalog, *, as_json: bool) -> None:
    """Print published figures beside ours, the arithmetic, and what is left of jobs by size."""
    score = score_goodput(catalog)
    lines = []
    for check in score.checks:
        verdict = "agrees" if check.agrees else "DIFFERS"
        lines += [
            f"{check.what}: {check.ours:,.4g}; published {check.published}: {verdict}",
            f"  {check.arithmetic}",
            f"  {check.source}",
        ]
    lines += ["", f"{score.failures}, by cause (lost work and restarts):"]
    lines += table(
        ["cause", "interruptions", "hours between", "of the time", "node"],
        [
            [c.name, f"{c.count:g}", f"{c.hours_between:,.1f}", f"{c.time_share:.2%}",
             "leaves" if c.takes_node else "stays"]
            for c in score.causes
        ],
    )  # fmt: skip
    t = score.terms
    head = ["accelerators", "hours to a failure", "checkpoint every", "Young", "Daly",
            "checkpoints", "lost", "down", "spares", "waits", "kept"]  # fmt: skip
    for sizes, told in (
        (score.sizes, f"{t.detect_s:g} s to detect and {t.restart_s:g} s to restart"),
        (score.quicker, "60 s to detect and 60 s to restart"),
    ):
        lines += ["", f"a 405B model at the rate of {score.failures}, {told}:"]
        rows = [
            [f"{s.accelerators:,}", f"{s.mtbf_s / 3600:.2f}", f"{s.interval_s:.0f} s",
             f"{s.young_s:.0f} s", f"{s.daly_s:.0f} s", f"{100 * s.checkpoint_share:.1f} %",
             f"{100 * s.lost_share:.1f} %", f"{100 * s.down_share:.1f} %", f"{s.spares}",
             f"{100 * s.halted_share:.2f} %", f"{100 * s.effective_share:.1f} %"]
            for s in sizes
        ]  # fmt: skip
        lines += table(head, rows)
    document = {"kind": "goodput", **score.model_dump(mode="json")}
    answer(document, lines, "rackwright validate training", as_json=as_json)
    if not all(check.agrees for check in score.checks):
        raise typer.Exit(FINDINGS)


def _lines(score: TrainingScore | ServingScore) -> list[str]:
    lines = [f"{score.rows:,} rows, {score.scored:,} scored"]
    if isinstance(score, TrainingScore):
        lines += _quantity("step", score.error, score.interval)
        lines += _regret(score)
        lines += [
            "",
            f"memory: {score.memory.fit} of {score.memory.plans} configurations, which all ran, "
            "fit by our count",
        ]
    else:
        for name in QUANTITIES:
            scores = getattr(score, name)
            lines += _quantity(name, scores.error, scores.interval)
        lines += _layouts(score)
    return [*lines, "", *_refused(score.refused)]


def _quantity(name: str, errors: Errors, interval: Interval) -> list[str]:
    if not errors.all.n:
        return ["", f"{_QUANTITY[name]}: nothing to compare with"]
    parts = [("all", errors.all), ("dense", errors.dense), ("experts", errors.moe)]
    rows = [_row(label, stats) for label, stats in parts if stats.n]
    lines = ["", f"{_QUANTITY[name]}, |predicted / measured - 1|:", *_errors("models", rows)]
    for label, found in (("source", errors.by_source), ("accelerator", errors.by_accelerator)):
        lines += ["", *_errors(label, [_row(key, stats) for key, stats in found.items()])]
    assert interval.coverage_pct is not None, "an interval of some points has a coverage"
    return [
        *lines,
        "",
        f"  {interval.nominal_pct:g} % intervals hold {interval.coverage_pct:.1f} % of the "
        f"measurements; median half-width {interval.median_half_width_pct:.1f} %, "
        f"interval score {interval.score:.1f}",
    ]


def _regret(score: TrainingScore) -> list[str]:
    regret = score.plan_regret
    if not regret.by_model:
        return ["", "plan regret: no model with enough plans on one machine"]
    rows = [[m, str(regret.plans[m]), f"{pct:.1f} %"] for m, pct in regret.by_model.items()]
    return [
        "",
        "plan regret, measured time of the best predicted plan over the best measured:",
        *table(["model", "plans", "regret"], rows),
        f"  mean over random halves of the plans: {regret.bootstrap_mean_pct:.1f} %",
    ]


def _layouts(score: ServingScore) -> list[str]:
    choice = score.layout_choice
    if not choice.groups:
        return ["", "layout choice: no group was measured with several layouts"]
    return [
        "",
        f"layout choice: within 5 % of the best measured in {choice.within_5pct_pct:.0f} % of "
        f"{choice.groups} groups with several layouts",
    ]


def _refused(refused: Refused) -> list[str]:
    kinds = {
        "no_data": (refused.no_data, "refused: no data"),
        "unsupported": (refused.unsupported, "refused: unsupported"),
        "wrong": (refused.wrong, "wrong"),
    }
    lines = []
    for kind, (count, words) in kinds.items():
        lines.append(f"{words}: {count:,}")
        lines += [f"  {n:,}  {reason}" for reason, n in refused.reasons[kind].items()]
    return lines


def _cross_lines(cross: Cross) -> list[str]:
    lines = []
    for words, found in (("source", cross.sources), ("accelerator", cross.accelerators)):
        for name, crossed in found.items():
            if crossed.all.n:
                lines += ["", f"{_QUANTITY[name]}, each {words} left out of the fit:"]
                lines += _crossed(words, crossed)
    if cross.one_row:
        lines += ["", "step time of software that no fit has seen, median error:"]
        rows = [
            [o.stack, str(o.rows), f"{o.before_median_pct:.1f} %", f"{o.after_median_pct:.1f} %"]
            for o in cross.one_row
        ]
        lines += table(["stack", "rows", "as it is", "one row learned"], rows)
    return lines


def _crossed(words: str, crossed: Crossed) -> list[str]:
    parts = [("all", crossed.all), ("dense", crossed.dense), ("experts", crossed.moe)]
    rows = [[*_row(label, stats), ""] for label, stats in parts if stats.n]
    rows += [
        [*_row(part.name, part.error), "fitted without" if part.refitted else "never in the fit"]
        for part in crossed.parts
    ]
    spread = crossed.interval
    assert spread.coverage_pct is not None, "an interval of some points has a coverage"
    return [
        *_errors(words, rows, ("",)),
        f"  {spread.nominal_pct:g} % intervals hold {spread.coverage_pct:.1f} %; median "
        f"half-width {spread.median_half_width_pct:.1f} %, interval score {spread.score:.1f}",
    ]


def _errors(label: str, rows: list[list[str]], more: tuple[str, ...] = ()) -> list[str]:
    return table([label, "n", "median", "mean", "p90", *more], rows)


def _row(label: str, stats: ErrorStats) -> list[str]:
    numbers = (stats.median_pct, stats.mean_pct, stats.p90_pct)
    return [label, str(stats.n), *("-" if v is None else f"{v:.1f} %" for v in numbers)]
