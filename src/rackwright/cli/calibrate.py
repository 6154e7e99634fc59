"""Fit the model's parameters on measured rows: the public ones, or yours on top of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from rackwright import catalog as catalogs
from rackwright.cli.errors import FINDINGS
from rackwright.cli.options import CalibrationFile, CatalogFolder
from rackwright.cli.output import JsonFlag, answer
from rackwright.cli.progress import Progress
from rackwright.cli.tables import table
from rackwright.formats.atomic import write_text
from rackwright.records.errors import InputError, nearest
from rackwright.validate.calibrate import Calibrated, Kind, calibrate
from rackwright.validate.resolve import Models
from rackwright.validate.scores import ErrorStats

KINDS: Mapping[str, Kind] = {"training": "training", "serving": "serving"}


def run(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[TABLE]", help="your rows; none: the public ones, from scratch"),
    ] = None,
    kind: Annotated[
        str, typer.Option("--kind", help="of the table: training or serving")
    ] = "training",
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="where the calibration goes")
    ] = Path("calibration.json"),
    models: Annotated[
        Path | None,
        typer.Option("--models", metavar="DIR", help="NAME.json or NAME/config.json each"),
    ] = None,
    catalog: CatalogFolder = None,
    calibration: CalibrationFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Fit the model's parameters on measured rows: the public ones, or yours on top of them."""
    if kind not in KINDS:
        raise InputError(
            [f"--kind: found {kind!r}; allowed: {', '.join(KINDS)}.{nearest(kind, KINDS)}"]
        )
    components = catalogs.load(catalog, calibration)
    with Progress() as progress:
        progress("calibrate: fitting")
        found = calibrate(KINDS[kind], file, components, Models(components, models))
    write_text(out, found.calibration.model_dump_json(indent=1) + "\n")
    following = f"rackwright validate {kind} {file or ''} --calibration {out}".replace("  ", " ")
    answer(found.model_dump(mode="json"), _lines(found, out), following, as_json=as_json)
    for mistake in found.mistakes:
        typer.echo(f"error: {mistake}", err=True)
    if found.mistakes:
        raise typer.Exit(FINDINGS)


def _lines(found: Calibrated, out: Path) -> list[str]:
    rows = [_row("before", found.before), _row("after", found.after)]
    if found.left_out is not None:
        rows.append(_row("after, a fifth left out in turn", found.left_out))
    moved = [
        [c.name, f"{c.before:.4g}", f"{c.after:.4g}", f"{c.log_sd_before:.3f}",
         f"{c.log_sd_after:.3f}"]
        for c in found.changed
    ]  # fmt: skip
    return [
        f"{found.before.n} measurements; time or rate, |predicted / measured - 1|:",
        *table(["", "n", "median", "mean", "p90"], rows),
        "",
        "parameters that moved by a tenth of what they were uncertain by, or more:",
        *table(["parameter", "before", "after", "log sd before", "after"], moved),
        "",
        f"written to {out}; use it with --calibration {out}",
    ]


def _row(label: str, stats: ErrorStats) -> list[str]:
    numbers = (stats.median_pct, stats.mean_pct, stats.p90_pct)
    return [label, str(stats.n), *("-" if v is None else f"{v:.1f} %" for v in numbers)]
