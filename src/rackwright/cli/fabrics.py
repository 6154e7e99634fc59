"""What `validate fabric` and `validate wiring` print."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from rackwright.catalog import Catalog
from rackwright.cli.errors import FINDINGS
from rackwright.cli.output import answer
from rackwright.cli.progress import Progress
from rackwright.cli.tables import table
from rackwright.records.errors import InputError
from rackwright.validate.fabric import FabricScore, score_fabric
from rackwright.validate.wiring import score_wiring


def answer_fabric(file: Path | None, catalog: Catalog, *, as_json: bool) -> None:
    """Compute the counts of published designs and print how they compare.

    Raises:
        typer.Exit: a count is wrong, or a design cannot be read.
    """
    with Progress() as progress:
        progress("validate: computing the counts of every design")
        score = score_fabric(file, catalog)
    document = {"kind": "fabric", **score.model_dump(mode="json")}
    answer(document, _lines(score), "rackwright validate wiring FOLDER", as_json=as_json)
    for mistake in score.mistakes:
        typer.echo(f"error: {mistake}", err=True)
    if score.wrong or score.mistakes:
        raise typer.Exit(FINDINGS)


def answer_wiring(folders: Sequence[Path], *, as_json: bool) -> None:
    """Wire the plan of each folder and print how its cables compare with those listed there.

    Raises:
        InputError: no folder is given, or one cannot be read.
        typer.Exit: a cable or a part differs.
    """
    if not folders:
        raise InputError(["validate wiring needs folders, each with topology-map.yaml, "
                          "connectivity-map.csv and bom.csv"])  # fmt: skip
    score = score_wiring(folders)
    head = ["folder", "links", "matched", "missing", "extra", "parts wrong"]
    rows = [
        [v.id, *map(str, (v.links, v.matched, v.missing, v.extra, v.bom_wrong))]
        for v in score.variants
    ]
    lines = ["cables of our wiring beside those listed, devices renamed within their roles:",
             *table(head, rows)]  # fmt: skip
    for v in score.variants:
        lines += [f"  {v.id}: skipped: {v.skipped}"] if v.skipped else []
        lines += [f"  {v.id}: first difference: {v.first_difference}"] if v.first_difference else []
        lines += [
            f"  {v.id}: {p.section} {p.name}: listed {p.printed}, computed {p.computed}"
            for p in v.parts
        ]
    document = {"kind": "wiring", **score.model_dump(mode="json")}
    answer(document, lines, "rackwright validate fabric", as_json=as_json)
    if score.wrong:
        raise typer.Exit(FINDINGS)


def _lines(score: FabricScore) -> list[str]:
    head = ["design", "checked", "wrong", "misprints flagged", "unsupported"]
    rows = [
        [d.id, str(d.checked), str(d.wrong), str(d.known_errors_flagged), str(d.unsupported)]
        for d in score.designs
    ]
    cells = score.checked + score.unsupported
    lines = [
        "printed counts of published designs, each computed from the design's inputs:",
        *table(head, rows),
        f"  {score.checked} of {cells} counts computed, {score.wrong} wrong, "
        f"{score.known_errors_flagged} misprints flagged, {score.unsupported} unsupported "
        f"({100 * score.unsupported / cells if cells else 0:.1f} %)",
    ]
    for verdict in ("wrong", "known error", "unsupported"):
        found = [(d.id, c) for d in score.designs for c in d.cells if c.verdict == verdict]
        lines += ["", f"{verdict}:"] if found else []
        for design, cell in found:
            ours = f", computed {_text(cell.computed)}" if cell.computed is not None else ""
            why = f" ({cell.reason})" if cell.reason else ""
            lines.append(f"  {design}: {cell.where}: printed {_text(cell.printed)}{ours}{why}")
    return lines


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return " x ".join(map(str, value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)
