"""Search hardware and software together; show the front, or explain one design."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from rackwright.cli.given import CatalogFolder, given_of
from rackwright.cli.output import JsonFlag, StudyFile, answer
from rackwright.cli.progress import Progress
from rackwright.cli.tables import money, rate, table
from rackwright.design import front as front_of
from rackwright.drawing.explain import explain as explain_lines
from rackwright.pipeline import row_of, run_design
from rackwright.records.space import Front, SearchStats, Space


def run(
    study: StudyFile,
    explain: Annotated[
        str | None, typer.Option(metavar="ID", help="the breakdown of one design")
    ] = None,
    catalog: CatalogFolder = None,
    as_json: JsonFlag = False,
) -> None:
    """Search hardware and software together; show the front, or explain one design."""
    given = given_of(study, catalog)
    started = time.process_time()
    with Progress() as progress:
        progress("design: searching hardware and software")
        space = run_design(given)
    seconds = time.process_time() - started
    if explain is not None:
        row = row_of(space, explain)
        lines = explain_lines(row, space)
        answer(row.model_dump(mode="json"), lines, f"rackwright build {study}", as_json=as_json)
        return
    front = front_of(given.study, space)
    document = {
        "study_sha256": space.study_sha256,
        "designs": len(space.rows),
        "dominated": space.dominated,
        "front": [row.model_dump(mode="json") for row in front.rows],
        "search": _search(space.search, seconds),
        "assumptions": list(space.assumptions),
        "grade": space.grade,
    }
    first = front.rows[0].key if front.rows else "ID"
    following = f"rackwright design {study} --explain {first}"
    answer(document, _lines(space, front, seconds), following, as_json=as_json)


def _search(stats: SearchStats, seconds: float) -> dict[str, Any]:
    """Return the counts with this machine's time; one process searches both kinds."""
    total = max(stats.training.evaluated + stats.serving.evaluated, 1)
    out: dict[str, Any] = {
        "hardware": stats.hardware,
        "hardware_rejected": stats.hardware_rejected,
    }
    for kind, counts in (("training", stats.training), ("serving", stats.serving)):
        share = seconds * counts.evaluated / total
        out[kind] = {
            **counts.model_dump(mode="json"),
            "cpu_seconds": share,
            "per_core_second": counts.evaluated / share if share > 0 else 0.0,
        }
    return out


def _lines(space: Space, front: Front, seconds: float) -> list[str]:
    stats = space.search
    lines = [
        f"{stats.hardware} hardware candidates; training: {stats.training.evaluated:,} plans "
        f"evaluated, {stats.training.feasible:,} feasible; serving: "
        f"{stats.serving.evaluated:,} evaluated, {stats.serving.feasible:,} feasible; "
        f"{len(space.rows)} designs kept, {space.dominated} dominated; {seconds:.1f} s of CPU",
    ]
    for workload in space.workloads:
        rows = [r for r in front.rows if r.workload == workload]
        lines += ["", f"{workload}:"]
        if not rows:
            lines.append("  no design does this workload")
            continue
        lines += table(
            [
                "",
                "design",
                "tokens/s",
                "80 % interval",
                "USD/M tokens",
                "price",
                "best in",
                "grade",
            ],
            [
                [
                    f"{r.rank}" + ("  baseline" if r.baseline else ""),
                    r.key,
                    rate(r.rate_tokens_per_s),
                    f"{rate(r.rate_low)} to {rate(r.rate_high)}",
                    f"{r.usd_per_million_tokens:.3g}",
                    money(r.price_usd),
                    f"{r.chance_best:.0%}",
                    str(r.grade),
                ]
                for r in rows
            ],
        )
    for kind, counts in (("training", stats.training), ("serving", stats.serving)):
        if counts.rejected:
            why = ", ".join(f"{reason} {n:,}" for reason, n in counts.rejected.items())
            lines += ["", f"{kind} plans rejected: {why}"]
    if stats.hardware_rejected:
        lines += ["", "hardware rejected:"]
        lines += [f"  {reason} ({n})" for reason, n in stats.hardware_rejected.items()]
    return lines
