"""Search hardware and software together; show the front, or explain one design."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from rackwright.cli.given import given_of
from rackwright.cli.options import CalibrationFile, CatalogFolder
from rackwright.cli.output import JsonFlag, StudyFile, answer
from rackwright.cli.progress import Progress
from rackwright.cli.tables import money, rate, table
from rackwright.design import How, Ledger, Meter
from rackwright.design.built import built_design
from rackwright.drawing.as_built import as_built_lines
from rackwright.drawing.explain import explain as explain_lines
from rackwright.pipeline import Given, Tell, row_of, run_design, run_front, search_ledger
from rackwright.records.errors import RackwrightError
from rackwright.records.space import Front, FrontRow, SearchStats, Space


def run(
    study: StudyFile,
    explain: Annotated[
        str | None, typer.Option(metavar="ID", help="the breakdown of one design")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="processes; none = one per core")
    ] = None,
    ledger: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="keeps each shard of the search as it is finished"),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="go on with the ledger of a stopped search")
    ] = False,
    catalog: CatalogFolder = None,
    calibration: CalibrationFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Search hardware and software together; show the front, or explain one design."""
    given = given_of(study, catalog, calibration)
    meter = Meter()
    with Progress() as progress, _told_when_stopped(study, ledger):
        progress("design: searching hardware and software")
        kept = _ledger(given, ledger, resume, progress)
        space = run_design(given, How(kept, jobs or os.cpu_count() or 1, meter, progress))
    if explain is not None:
        row = row_of(space, explain)
        physical, built = _as_built(given, explain)
        document = row.model_dump(mode="json") | {"as_built": built}
        lines = [*explain_lines(row, space), "", *physical]
        answer(document, lines, f"rackwright build {study}", as_json=as_json)
        return
    front = run_front(given, space)
    document = {
        "study_sha256": space.study_sha256,
        "designs": len(space.rows),
        "dominated": space.dominated,
        "front": [row.model_dump(mode="json") for row in front.rows],
        "corrected": [
            {"key": row.key, "workload": row.workload, "corrections": list(corrections)}
            for row in front.rows
            if row.confirmed is not None and (corrections := row.confirmed.corrections())
        ],
        "search": _search(space.search, meter),
        "priced_systems": [system.model_dump(mode="json") for system in space.priced_systems],
        "assumptions": list(space.assumptions),
        "grade": space.grade,
    }
    first = front.rows[0].key if front.rows else "ID"
    following = f"rackwright design {study} --explain {first}"
    answer(document, _lines(space, front, meter), following, as_json=as_json)


def _as_built(given: Given, key: str) -> tuple[list[str], dict[str, Any] | None]:
    """Return a design's rack as built, in lines and as data; why not, where it cannot be."""
    try:
        built = built_design(given.study, given.components, key)
    except RackwrightError as error:
        return [f"  as built: {error}"], None
    return as_built_lines(built), built.model_dump(mode="json")


def _ledger(given: Given, path: Path | None, resume: bool, tell: Tell) -> Ledger | None:
    if path is None:
        if resume:
            raise RackwrightError("design: --resume needs --ledger FILE: what is gone on with.")
        return None
    if path.exists() and not resume:
        raise RackwrightError(f"{path}: there already; add --resume to go on with it.")
    return search_ledger(given, path, tell)


@contextmanager
def _told_when_stopped(study: Path, ledger: Path | None) -> Iterator[None]:
    """Say how a stopped search goes on."""
    try:
        yield
    except KeyboardInterrupt:
        if ledger is not None and ledger.is_file():
            typer.echo(f"finished shards are in {ledger}", err=True)
            typer.echo(f"next: rackwright design {study} --ledger {ledger} --resume", err=True)
        raise


def _search(stats: SearchStats, meter: Meter) -> dict[str, Any]:
    """Return the counts with the CPU time of this machine; shards of a ledger took none."""
    out: dict[str, Any] = {
        "hardware": stats.hardware,
        "hardware_rejected": stats.hardware_rejected,
    }
    for kind, counts in (("training", stats.training), ("serving", stats.serving)):
        seconds = meter.seconds[kind]
        out[kind] = {
            **counts.model_dump(mode="json"),
            "cpu_seconds": seconds,
            "per_core_second": counts.evaluated / seconds if seconds > 0 else 0.0,
        }
    return out


def _lines(space: Space, front: Front, meter: Meter) -> list[str]:
    stats = space.search
    counted = []
    for kind, counts in (("training", stats.training), ("serving", stats.serving)):
        seconds = meter.seconds[kind]
        rate_ = f" ({counts.evaluated / seconds / 1e6:.1f} million/s of CPU)" if seconds else ""
        counted.append(
            f"{kind}: {counts.evaluated:,} plans evaluated{rate_}, {counts.pruned:,} pruned, "
            f"{counts.feasible:,} feasible"
        )
    lines = [
        f"{stats.hardware} hardware candidates; {'; '.join(counted)}; {len(space.rows)} designs "
        f"kept, {space.dominated} dominated",
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
                    f"{r.rank}" + _marks(r),
                    r.key,
                    rate(r.rate_tokens_per_s),
                    f"{rate(r.rate_low)} to {rate(r.rate_high)}",
                    f"{r.usd_per_million_tokens:.3g}",
                    money(r.price_usd),
                    f"{100 * r.chance_best:.0f} %",
                    str(r.grade),
                ]
                for r in rows
            ],
        )
        lines += _confirmed(rows)
    lines += _residuals(space)
    for kind, counts in (("training", stats.training), ("serving", stats.serving)):
        if counts.rejected:
            why = ", ".join(f"{reason} {n:,}" for reason, n in counts.rejected.items())
            lines += ["", f"{kind} plans rejected: {why}"]
    if stats.hardware_rejected:
        lines += ["", "hardware rejected:"]
        lines += [f"  {reason} ({n})" for reason, n in stats.hardware_rejected.items()]
    return lines


def _confirmed(rows: list[FrontRow]) -> list[str]:
    """Return what the simulator says of the rows that serve."""
    known = [(row, row.confirmed) for row in rows if row.confirmed is not None]
    if not known:
        return []
    share = f"p{100 * known[0][1].percentile:g}"
    return [
        "",
        f"  request by request, {share} of the analytic model -> simulated (standard error):",
        *table(
            ["", "design", "TTFT [s]", "TPOT [ms]", "corrected", "rate within limits"],
            [
                [
                    f"{row.rank}",
                    row.key,
                    f"{c.ttft_s:.3g} -> {c.ttft_simulated_s:.3g} ({c.ttft_error_s:.1g})",
                    f"{1e3 * c.tpot_s:.3g} -> {1e3 * c.tpot_simulated_s:.3g} "
                    f"({1e3 * c.tpot_error_s:.1g})",
                    ", ".join(
                        name
                        for name, on in (("TTFT", c.ttft_corrected), ("TPOT", c.tpot_corrected))
                        if on
                    )
                    or "-",
                    f"{100 * c.rate_share:.0f} %",
                ]
                for row, c in known
            ],
        ),
    ]


def _marks(row: FrontRow) -> str:
    return ("  baseline" if row.baseline else "") + ("  composed" if row.composed else "")


def _residuals(space: Space) -> list[str]:
    """Return what the bills of priced systems do not explain, and what follows for the others."""
    systems = space.priced_systems
    if not systems:
        return ["", "no system has a published price: a residual of 0 to 10 % is an estimate"]
    shares = [system.residual_share for system in systems]
    mean = sum(shares) / len(shares)
    rows = [
        [
            system.system,
            money(system.price_usd),
            money(system.bill_usd),
            f"{100 * system.residual_share:+.1f} %",
            system.as_of,
            str(system.grade),
        ]
        for system in systems
    ]
    return [
        "",
        "priced systems against their bills (the residual is NRE, integration, licence, margin):",
        *table(["system", "price", "bill", "residual", "as of", "grade"], rows),
        f"  systems without a price are charged {100 * mean:+.1f} %; composed racks "
        f"{100 * max(shares):+.1f} % and "
        "the upper end of every part's price",
    ]
