"""What the answer stands on: assumptions, grades of the inputs, what was searched, hashes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rackwright.drawing.html import Html, join, tag
from rackwright.drawing.page import Page
from rackwright.drawing.parts import bullets, grade, heading, table
from rackwright.records.base import record_sha256
from rackwright.records.provenance import Grade
from rackwright.records.space import KindStats, Space
from rackwright.records.study import Study

MOST_FIELDS = 2
"""Fields of a component that are named for a document; `catalog show` has them all."""


def ground(page: Page, number: int, anchor: str) -> Html:
    """Return the section; it closes the page."""
    answer = page.answer
    search = answer.space.search
    notes = dict.fromkeys((*answer.summary.assumptions, *answer.acceptance.assumptions))
    return join(
        heading(number, anchor, "What this stands on"),
        table(
            ("input", "grade", "where its numbers come from"),
            [(name, grade(of), source) for name, of, source in _inputs(page.study)],
            title="The study's inputs",
            widths=(52, 7, 41),
        ),
        tag("h3", "Assumed where nothing was given"),
        bullets(notes, dense=True)
        if notes
        else tag("p", "Nothing: the study and the catalog gave it all."),
        _documents(answer.space),
        table(
            ("plans", "evaluated", "feasible", "pruned", "rejected, by reason"),
            [_searched("training", search.training), _searched("serving", search.serving)],
            "tnnnt",
            title="What was searched",
            widths=(12, 10, 10, 10, 58),
        ),
        tag(
            "p",
            f"{search.hardware:,} racks with their networks were tried; "
            f"rejected: {_reasons(search.hardware_rejected)}. "
            f"{len(answer.space.rows):,} designs are in the space, {answer.space.dominated:,} were "
            "dropped because another is no worse in every part and every workload. Evaluated "
            "means that both time and memory were computed.",
        ),
        table(
            ("record", "SHA-256"),
            [(name, tag("code", sha)) for name, sha in _hashes(page)],
            title="Hashes",
        ),
        tag("footer", f"Rackwright. Seed {page.study.seed}, {page.study.draws} worlds."),
    )


def _documents(space: Space) -> Html | None:
    """Return the documents behind the components of the designs, best grade first."""
    told: dict[tuple[str, str, str, Grade], dict[str, list[str]]] = {}
    for source in space.sources:
        document = (source.title, source.retrieved, source.kind, source.grade)
        states = told.setdefault(document, {}).setdefault(source.component, [])
        states += [field for field in source.states if field not in states]
    ranked = sorted(told.items(), key=lambda item: (item[0][3], item[0][0], item[0][1]))
    if not ranked:
        return None
    return table(
        ("document", "grade", "read", "what it states"),
        [
            (
                title,
                grade(of),
                join(f"{kind}, ", tag("span", day, class_="whole")),
                "; ".join(f"{key}: {_few(states)}" for key, states in components.items()),
            )
            for (title, day, kind, of), components in ranked
        ],
        title="The components' sources",
        widths=(34, 7, 15, 44),
    )


def _few(states: Sequence[str]) -> str:
    """Return the first fields that a document states, and how many more."""
    if len(states) <= MOST_FIELDS:
        return ", ".join(states)
    return f"{', '.join(states[:MOST_FIELDS])} and {len(states) - MOST_FIELDS} more"


def _inputs(study: Study) -> Iterator[tuple[str, Grade, str]]:
    """Yield the study's tables, those of one kind, grade and source together."""
    together: dict[tuple[str, Grade, str], list[str]] = {}
    for kind, name, of, source in _each_input(study):
        together.setdefault((kind, of, source), []).append(name)
    for (kind, of, source), names in together.items():
        yield f"{kind}: {', '.join(names)}", of, source or "no source is stated"


def _each_input(study: Study) -> Iterator[tuple[str, str, Grade, str]]:
    tables = (
        ("workload", study.workloads), ("data center", study.data_centers),
        ("factory", study.factories), ("scenario", study.scenarios),
    )  # fmt: skip
    for kind, rows in tables:
        for row in rows:
            yield kind, row.name, row.grade, row.source
    for supply in study.supplies:
        yield "supply", f"{supply.part} from {supply.origin}", supply.grade, supply.source
    yield "terms", "acceptance", study.acceptance.grade, study.acceptance.source
    yield "terms", "option", study.option.grade, study.option.source
    if study.market is not None:
        yield "market", study.market.workload, study.market.grade, study.market.source


def _searched(kind: str, stats: KindStats) -> tuple[str, ...]:
    numbers = (f"{n:,}" for n in (stats.evaluated, stats.feasible, stats.pruned))
    return (kind, *numbers, _reasons(stats.rejected))


def _reasons(rejected: dict[str, int]) -> str:
    if not rejected:
        return "none"
    ranked = sorted(rejected.items(), key=lambda item: (-item[1], item[0]))
    return "; ".join(f"{reason}: {number:,}" for reason, number in ranked)


def _hashes(page: Page) -> Iterator[tuple[str, str]]:
    answer = page.answer
    yield "study", answer.summary.study_sha256
    yield "plan", record_sha256(answer.plan)
    yield "certificate of the plan", answer.plan.certificate_sha256
    if answer.rebuilt is not None:
        yield "plan on the evidence", record_sha256(answer.rebuilt)
        yield "its certificate", answer.rebuilt.certificate_sha256
    yield "acceptance plan", record_sha256(answer.acceptance)
    yield "design under test", answer.acceptance.design_sha256
