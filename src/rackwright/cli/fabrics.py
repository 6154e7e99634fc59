"""What `validate fabric` prints."""

from __future__ import annotations

from pathlib import Path

import typer

from rackwright.catalog import Catalog
from rackwright.cli.errors import FINDINGS
from rackwright.cli.output import answer
from rackwright.cli.progress import Progress
from rackwright.cli.tables import table
from rackwright.validate.fabric import FabricScore, score_fabric


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
