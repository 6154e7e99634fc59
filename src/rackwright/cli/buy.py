"""Value the option to buy, or ask the ledger of commitments."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from rackwright.buy import ledger as ledgers
from rackwright.catalog.facts_file import commitments
from rackwright.cli.given import given_of
from rackwright.cli.options import CalibrationFile, CatalogFolder
from rackwright.cli.output import JsonFlag, answer
from rackwright.cli.progress import Progress
from rackwright.cli.tables import money, table
from rackwright.pipeline import run_build, run_buy, run_design
from rackwright.records.decision import Decision, Gate
from rackwright.records.errors import RackwrightError, nearest
from rackwright.records.ledger import LedgerReport, Operation
from rackwright.summary import lead_design

OPERATIONS: tuple[Operation, ...] = ("status", "total_usd_b", "total_gw", "obligation_usd_b")


def run(
    study: Annotated[Path | None, typer.Argument(help="the study, a TOML (or JSON) file")] = None,
    ledger: Annotated[bool, typer.Option("--ledger", help="ask the commitments ledger")] = False,
    facts: Annotated[
        Path | None, typer.Option(metavar="FILE", help="another ledger than the shipped one")
    ] = None,
    as_of: Annotated[str | None, typer.Option(metavar="DATE", help="the day asked about")] = None,
    operation: Annotated[
        str | None, typer.Option("--op", metavar="OP", help=", ".join(OPERATIONS))
    ] = None,
    ids: Annotated[str | None, typer.Option(metavar="A,B", help="commitments asked about")] = None,
    layer: Annotated[str | None, typer.Option(help="all commitments of a layer")] = None,
    catalog: CatalogFolder = None,
    calibration: CalibrationFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Value the option to buy, or ask the ledger of commitments.

    With --ledger: all commitments and the totals of each layer as of a day, or with --op the
    answer to one question about --ids or a --layer.
    """
    if ledger or facts is not None:
        _ledger(facts, as_of, operation, ids, layer, as_json)
        return
    asked = {"--as-of": as_of, "--op": operation, "--ids": ids, "--layer": layer}
    stray = [name for name, value in asked.items() if value is not None]
    if stray:
        raise RackwrightError(f"buy: {stray[0]} asks the ledger: add --ledger.")
    if study is None:
        raise RackwrightError("buy: name a study, or ask for --ledger.")
    given = given_of(study, catalog, calibration)
    with Progress() as progress:
        progress("design: searching hardware and software")
        space = run_design(given)
        progress(f"build: planning over {len(space.rows)} designs")
        plan, _ = run_build(given, space)
        progress("buy: valuing the option")
        decision = run_buy(given, space, plan, lead_design(given.study, space, plan))
    answer(
        decision.model_dump(mode="json"),
        decision_lines(decision),
        f"rackwright run {study}",
        as_json=as_json,
    )


def decision_lines(decision: Decision) -> list[str]:
    """Return a decision for people."""
    lines = [decision.text, ""]
    lines += table(
        ["", "value"],
        [
            ["exercise today", money(decision.exercise_now_usd)],
            ["option", money(decision.option_usd)],
            ["option without tests", money(decision.option_without_tests_usd)],
            ["early access, before its cost", money(decision.early_access_usd)],
            ["early access, net", money(decision.early_access_net_usd)],
            ["perfect information (upper bound)", money(decision.perfect_information_usd)],
            [
                "policy on fresh paths (lower bound)",
                f"{money(decision.lower_bound_usd)} ± "
                f"{money(decision.lower_bound_standard_error_usd)}",
            ],
            ["strike per block", money(decision.strike_usd_per_block)],
        ],
    )
    lines += ["", "gates (price per million tokens; performance as believed today):"]
    lines += table(
        ["week", "exercise above", "decline below", *_CHANCES, "over before"],
        [
            [
                f"{g.week:g}",
                _usd(g.exercise_above_usd_per_million_tokens),
                _usd(g.decline_below_usd_per_million_tokens),
                *(f"{100 * chance:.0f} %" for chance in _chances(g)),
            ]
            for g in decision.gates
        ],
    )
    lines += ["  chances as seen from today; over before: bought, declined or lapsed by then"]
    lines += ["", "what would change it, easiest first:"]
    lines += [f"  {c.text}" for c in decision.conditions[:6]]
    return [*lines, "", decision.partial_exercise]


_CHANCES = ("chance: exercise", "test", "wait", "decline")


def _chances(gate: Gate) -> tuple[float, ...]:
    """Return the chances of the actions and that the option is over before; their sum is 1."""
    acts = (
        gate.chance["exercise"],
        gate.chance["test"],
        gate.chance["wait"],
        gate.chance["decline"],
    )
    return (*acts, max(0.0, 1.0 - sum(acts)))


def _usd(value: float | None) -> str:
    return "never" if value is None else f"{value:.4g} USD"


def _ledger(
    facts: Path | None,
    as_of: str | None,
    operation: str | None,
    ids: str | None,
    layer: str | None,
    as_json: bool,
) -> None:
    book = commitments(facts)
    day = _day(as_of) if as_of else date.today()
    following = "rackwright buy --ledger --op total_usd_b --layer hosting --as-of 2025-11-30"
    if operation is None:
        report = ledgers.report(book, day)
        answer(report.model_dump(mode="json"), _ledger_lines(report), following, as_json=as_json)
        return
    if operation not in OPERATIONS:
        raise RackwrightError(
            f"--op: found {operation!r}, allowed {', '.join(OPERATIONS)}."
            f"{nearest(operation, OPERATIONS)}"
        )
    if layer is not None and layer not in book.layers:
        raise RackwrightError(
            f"--layer: found {layer!r}, allowed {', '.join(book.layers)}."
            f"{nearest(layer, book.layers)}"
        )
    if (ids is None) == (layer is None):
        raise RackwrightError("--op asks about either --ids A,B or a --layer: name one of them.")
    names = (
        [x.strip() for x in ids.split(",")]
        if ids is not None
        else [e.id for e in book.entries if e.layer == layer]
    )
    got = ledgers.ask(book, operation, names, day)
    document: dict[str, Any] = {
        "op": operation, "ids": names, "as_of": day.isoformat(), "answer": got,
    }  # fmt: skip
    answer(document, [f"{operation} of {', '.join(names)} as of {day}: {got}"], following,
           as_json=as_json)  # fmt: skip


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RackwrightError(
            f"--as-of: found {text!r}, allowed a day such as 2025-12-01."
        ) from None


def _ledger_lines(report: LedgerReport) -> list[str]:
    lines = [f"commitments as of {report.as_of} (worst grade {report.grade}):", ""]
    lines += table(
        ["id", "layer", "status", "billion USD", "GW", "grade"],
        [
            [r.id, r.layer, r.status, _amount(r.usd_b), _amount(r.gw), str(r.grade)]
            for r in report.rows
        ],
    )
    lines += ["", "totals by layer (never added across layers):"]
    lines += table(
        ["layer", "announced, billion USD", "obligation, billion USD", "GW"],
        [
            [t.layer, _amount(t.total_usd_b), _amount(t.obligation_usd_b), _amount(t.total_gw)]
            for t in report.totals
        ],
    )
    return [*lines, "", *(f"  {note}" for note in report.notes)]


def _amount(value: float | str | None) -> str:
    if value is None:
        return "unknown"
    return value if isinstance(value, str) else f"{value:g}"
