"""Check a study, plan or measurements; tell every mistake at once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from rackwright import catalog as catalogs
from rackwright.cli.errors import FINDINGS
from rackwright.cli.options import CatalogFolder
from rackwright.cli.output import JsonFlag, answer
from rackwright.design.candidates import enumerate_candidates
from rackwright.design.fabric import build_fabric
from rackwright.design.rules import check as check_rules
from rackwright.drawing.as_built import finding_lines
from rackwright.drawing.layout.fabric import plural
from rackwright.formats.bill import read_bill
from rackwright.formats.border import parse, read_json_lines, read_record, read_text
from rackwright.formats.ibnetdiscover import is_topology, named_wiring
from rackwright.formats.stored import read_stored_file
from rackwright.kernels.fabric_check import tree_faults
from rackwright.load import idle_effects, load_study
from rackwright.records.acceptance import AcceptancePlan, AcceptanceReport, Measurement
from rackwright.records.base import Record, record_sha256
from rackwright.records.certificate import Certificate
from rackwright.records.decision import Decision
from rackwright.records.errors import InputError, RackwrightError, nearest
from rackwright.records.fabric import FabricPlan
from rackwright.records.physical import PhysicalDesign
from rackwright.records.plan import BuildPlan
from rackwright.records.run import RunSummary
from rackwright.records.space import Front, Space, SpaceRow
from rackwright.records.study import Scenario, Study

KINDS: dict[str, type[Record]] = {
    "study": Study,
    "scenario": Scenario,
    "fabric plan": FabricPlan,
    "physical design": PhysicalDesign,
    "design": SpaceRow,
    "design space": Space,
    "front of designs": Front,
    "build plan": BuildPlan,
    "acceptance plan": AcceptancePlan,
    "measurements": Measurement,
    "acceptance report": AcceptanceReport,
    "decision": Decision,
    "summary of a run": RunSummary,
    "certificate": Certificate,
}
"""What a file may be; it is told by its content, not by its name."""


class Outcome(NamedTuple):
    """What a file is, its hash, one line about it, and what looks wrong in it."""

    kind: str
    sha256: str
    summary: str
    findings: tuple[str, ...] = ()


def run(
    file: Annotated[Path | None, typer.Argument(help="the file to check")] = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="print the JSON Schema of a study")
    ] = False,
    catalog: CatalogFolder = None,
    as_json: JsonFlag = False,
) -> None:
    """Check a study, plan or measurements; tell every mistake at once.

    What the file is, is told by its content. Exit code 2: mistakes; 1: findings that are allowed
    but rarely meant; 0: neither.
    """
    if schema:
        typer.echo(json.dumps(Study.model_json_schema(), indent=1, ensure_ascii=False))
        return
    if file is None:
        raise RackwrightError("check: name a file, such as study.toml, or ask for --schema.")
    outcome = examine(file, catalog)
    answer(
        {"file": str(file), **outcome._asdict()},
        [f"{file}: {_a(outcome.kind)}, {outcome.summary}", *outcome.findings],
        _following(file, outcome.kind),
        as_json=as_json,
    )
    if outcome.findings:
        raise typer.Exit(FINDINGS)


def examine(file: Path, catalog: Path | None = None) -> Outcome:
    """Return what a file is and what looks wrong in it.

    Raises:
        InputError: the file is none of the kinds, or one with mistakes in it.
    """
    if file.suffix != ".toml" and is_topology(text := read_text(file)):
        return _topology(file, text)
    if file.suffix in (".csv", ".xlsx"):
        bill = read_bill(file)
        parts = sum(row.usd is not None for row in bill.rows)
        summary = f"{bill.design}: {_counted(parts, 'parts')}, {bill.usd() / 1e6:,.2f} MUSD"
        return Outcome("bill of materials", record_sha256(bill), summary)
    kind = _kind_of(file)
    if kind == "study":
        return _study(file, catalog)
    if kind == "measurements":
        readings, _ = read_json_lines(Measurement, file)
        plans = sorted({reading.plan_sha256[:12] for reading in readings})
        racks = len({reading.rack for reading in readings})
        counted = f"{_counted(len(readings), 'readings')} of {_counted(racks, 'racks')}"
        summary = f"{counted} for plan {', '.join(plans)}"
        return Outcome(kind, "", summary)
    if kind == "scenario":
        scenario = read_record(Scenario, file)
        return Outcome(kind, record_sha256(scenario), f"named {scenario.name}")
    if kind == "fabric plan":
        plan = read_record(FabricPlan, file)
        fabric = build_fabric(plan, catalogs.load(catalog)).fabric
        links = sum(net.links for net in fabric.networks)
        counted = _counted(len(fabric.networks), "networks")
        summary = f"{counted}, {links} links, {_counted(len(fabric.racks), 'racks')}"
        return Outcome(kind, record_sha256(plan), summary, fabric.findings)
    if kind == "physical design":
        physical = read_record(PhysicalDesign, file)
        found = check_rules(physical)
        wrong = sum(f.severity == "error" for f in found)
        summary = f"{_counted(wrong, 'errors')} and {_counted(len(found) - wrong, 'warnings')}"
        told = tuple(line.removeprefix("    ") for line in finding_lines(found)) if found else ()
        return Outcome(kind, record_sha256(physical), summary, told)
    record = read_stored_file(file, KINDS[kind])
    sha256 = record_sha256(record)
    return Outcome(kind, sha256, f"complete, sha256 {sha256[:12]}")


def _topology(file: Path, text: str) -> Outcome:
    """Look at InfiniBand topology, ours or what ibnetdiscover printed: is it a fat tree?"""
    wiring, names = named_wiring(text, str(file))
    tiers = ", ".join(_counted(n, plural(tier, 2)) for tier, n in wiring.devices.items())
    findings = tuple(
        f"{file}: {_named(fault.message, names)}: not a fat tree of equal bundles"
        for fault in tree_faults(wiring)
    )
    said = "" if findings else "; a fat tree"
    summary = f"{tiers} (servers are adapters), {_counted(wiring.links, 'links')}{said}"
    return Outcome("topology of InfiniBand", "", summary, findings)


def _named(message: str, names: Mapping[str, tuple[str, ...]]) -> str:
    """Return a message with the devices' names in place of tier and number."""
    return re.sub(rf"\b({'|'.join(names)}) (\d+)\b", lambda m: names[m[1]][int(m[2])], message)


def _study(file: Path, catalog: Path | None) -> Outcome:
    loaded = load_study(file, catalog)
    study, locator = loaded.study, loaded.locator
    found = [*idle_effects(study), *_unused_supplies(study, catalog)]
    findings = tuple(locator.mistake(where, text) for where, text in found)
    if study.market is None:
        findings += (f"{file}: [market] is missing: rackwright run needs it for the option",)
    parts = {
        "workloads": len(study.workloads),
        "data centers": len(study.data_centers),
        "factories": len(study.factories),
        "rack systems": len(study.design_space.generations),
        "interfaces to compose racks on": len(study.design_space.composed),
        "scenarios": len(study.scenarios),
    }
    summary = ", ".join(_counted(count, name) for name, count in parts.items() if count)
    return Outcome("study", record_sha256(study), summary, findings)


def _counted(count: int, things: str) -> str:
    """Return a count of things in the plural, or of one.

    >>> _counted(2, "factories"), _counted(1, "factories"), _counted(1, "data centers")
    ('2 factories', '1 factory', '1 data center')
    """
    if count != 1:
        return f"{count} {things}"
    head, *rest = things.split(" to ", 1)
    one = head.removesuffix("ies") + "y" if head.endswith("ies") else head.removesuffix("s")
    return " to ".join([f"1 {one}", *rest])


def _a(kind: str) -> str:
    if kind == "measurements":
        return kind
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _unused_supplies(
    study: Study, catalog: Path | None
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the supplies of parts that no candidate's bill has: they limit nothing."""
    candidates = enumerate_candidates(study, catalogs.load(catalog)).all
    billed = {item.line.part for c in candidates for item in c.items}
    for i, supply in enumerate(study.supplies):
        if candidates and supply.part not in billed:
            hint = nearest(supply.part, billed)
            yield (
                ("supplies", i, "part"),
                f"no design uses {supply.part!r}: it limits nothing.{hint}",
            )


def _kind_of(file: Path) -> str:
    """Return the kind whose keys are most like those of the file."""
    keys = _first_keys(file)
    written = file.suffix == ".toml"  # by a person; our own records are JSON
    by_hand = ("study", "scenario", "fabric plan", "physical design")
    kinds = by_hand if written else tuple(KINDS)
    likeness = {kind: _likeness(keys, KINDS[kind]) for kind in kinds}
    kind = max(likeness, key=lambda name: likeness[name])
    if likeness[kind] < _ALIKE and not written:
        raise InputError([f"{file}:1: not a file of ours; there is: {', '.join(KINDS)}."])
    return kind


_ALIKE = 0.4  # half of the keys may be mistyped or missing and the kind is still plain


def _first_keys(file: Path) -> set[str]:
    text = read_text(file)
    first: Any = None
    try:
        first = json.loads(text.partition("\n")[0])  # one object a line: measurements
    except (ValueError, RecursionError):
        first = parse(file).raw
    return set(first) if isinstance(first, dict) else set(parse(file).raw)


def _likeness(keys: set[str], cls: type[Record]) -> float:
    known = set(cls.model_fields)
    needed = {name for name, field in cls.model_fields.items() if field.is_required()}
    return len(keys & known) / max(len(keys | needed), 1)


def _following(file: Path, kind: str) -> str:
    return {
        "study": f"rackwright run {file}",
        "scenario": "rackwright check STUDY, with this file among its scenario_files",
        "topology of InfiniBand": "rackwright validate fabric",
        "fabric plan": f"rackwright export cables {file}",
        "physical design": f"rackwright check {file}, mended",
        "design space": "rackwright design STUDY --explain ID",
        "acceptance plan": f"rackwright accept judge MEASUREMENTS --plan {file}",
        "measurements": f"rackwright accept judge {file} --plan RUN",
        "certificate": f"python tools/recheck_certificate.py {file}",
    }.get(kind, f"rackwright compare {file.parent} OTHER_RUN")
