"""Score our counts of fabrics, racks and machines against published reference designs.

Each printed count is computed from the design's inputs and compared. A misprint that the file
names must come out otherwise than printed. A count that the inputs do not determine is
unsupported, with what is lacking; a size that is lacking ("about 100000 accelerators") is then
taken as printed to compute the others, and stays unsupported itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml

from rackwright.catalog import Catalog
from rackwright.records.base import Record
from rackwright.records.errors import InputError
from rackwright.validate.reference import fabrics, machines, topologies
from rackwright.validate.reference.facts import Facts, Lacking
from rackwright.validate.reference.names import Asked, noun, read_key
from rackwright.validate.reference.nets import UFM_PORTS
from rackwright.validate.reference.quantities import value_of

TABLE = Path(__file__).parent / "tables" / "reference_designs.yaml"
"""The designs that the package ships."""

PHYSICAL_TOLERANCE = 0.005
"""Printed powers, masses and rates are rounded, as are the datasheet's numbers below them."""

ABOUT_TOLERANCE = 0.05
"""How far a count may be off that the source itself calls approximate."""

RULES = (fabrics, machines, topologies)
"""Modules whose import registers the rules."""

Verdict = Literal["right", "wrong", "known error", "unsupported"]


class Cell(Record):
    """One printed count and what we make of it."""

    where: str  # table, row and key
    key: str
    printed: float | int | str | tuple[float | int | str, ...]
    computed: float | int | str | tuple[float | int | str, ...] | None = None
    verdict: Verdict
    reason: str = ""


class DesignScore(Record):
    """The counts of one design."""

    id: str
    checked: int
    wrong: int
    known_errors_flagged: int  # entries of `known_error`, each of perhaps several counts
    unsupported: int
    cells: tuple[Cell, ...]


class FabricScore(Record):
    """All designs of a file."""

    file: str
    designs: tuple[DesignScore, ...]
    checked: int
    wrong: int
    known_errors_flagged: int
    unsupported: int
    mistakes: tuple[str, ...] = ()


class _Row(NamedTuple):
    """Counts that share their inputs."""

    where: str
    inputs: dict[str, Any]
    printed: dict[str, Any]


def score_fabric(file: Path | None, catalog: Catalog) -> FabricScore:
    """Return how our counts compare with those that designs print.

    Args:
        file: designs in the format of the shipped file; None for that one.
        catalog: components that the designs name.

    Raises:
        InputError: the file is none, is no YAML, or holds no designs.
    """
    path = file or TABLE
    mistakes: list[str] = []
    scores = [_score(d, catalog, path, mistakes) for d in _designs(path)]
    return FabricScore(
        file=path.name,
        designs=tuple(scores),
        checked=sum(s.checked for s in scores),
        wrong=sum(s.wrong for s in scores),
        known_errors_flagged=sum(s.known_errors_flagged for s in scores),
        unsupported=sum(s.unsupported for s in scores),
        mistakes=tuple(mistakes),
    )


def _designs(path: Path) -> list[Mapping[str, Any]]:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError([f"{path}: cannot be read: {getattr(error, 'strerror', error)}"]) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "no YAML"
        raise InputError([f"{path}{line}: no YAML: {problem}"]) from None
    designs = data.get("designs") if isinstance(data, dict) else None
    if not isinstance(designs, list):
        raise InputError([f"{path}: `designs` must be a list of designs"])
    wrong = [
        f"{path}: designs[{i}]: must be a table with an `id`"
        for i, d in enumerate(designs)
        if not isinstance(d, dict) or not isinstance(d.get("id"), str)
    ]
    wrong += [
        f"{path}: design {d['id']}: `given` must be a table"
        for d in designs
        if isinstance(d, dict) and not isinstance(d.get("given") or {}, dict)
    ]
    if wrong:
        raise InputError(wrong)
    return designs


def _score(
    design: Mapping[str, Any], catalog: Catalog, path: Path, mistakes: list[str]
) -> DesignScore:
    known = design.get("known_error") or {}
    errors = set(known) if isinstance(known, Mapping) else {str(known)}
    cells: list[Cell] = []
    for row in _rows(design, path, mistakes):
        try:
            cells += _cells(Facts(design, catalog, **row.inputs), row, errors)
        except (TypeError, ValueError, ArithmeticError) as error:
            mistakes.append(f"{path}: design {design['id']}: {row.where}: {error}")
    count = {v: sum(c.verdict == v for c in cells) for v in ("wrong", "unsupported")}
    flagged = {c.key for c in cells if c.verdict == "known error"}
    return DesignScore(
        id=str(design["id"]),
        checked=len(cells) - count["unsupported"],
        wrong=count["wrong"],
        known_errors_flagged=len(flagged),
        unsupported=count["unsupported"],
        cells=tuple(cells),
    )


def _rows(design: Mapping[str, Any], path: Path, mistakes: list[str]) -> Iterator[_Row]:
    """Yield the sections `expect*` of a design as rows; each row of a table is one."""
    for section, content in design.items():
        if not section.startswith("expect"):
            continue
        at = f"{path}: design {design['id']}: {section}"
        if not isinstance(content, Mapping):
            mistakes.append(f"{at}: must be a table of counts")
            continue
        if "columns" not in content:
            yield _Row(section, {}, _flat(content))
            continue
        columns, rows = content["columns"], content.get("rows")
        if not isinstance(columns, list) or not isinstance(rows, list):
            mistakes.append(f"{at}: needs `columns` and `rows`, both lists")
            continue
        for i, row in enumerate(rows):
            if not isinstance(row, list) or len(row) != len(columns):
                mistakes.append(f"{at}: rows[{i}] must have {len(columns)} values, as columns say")
                continue
            first = {columns[0]: row[0], **_condition(section, design, columns[0], row[0])}
            printed = _flat(dict(zip(columns[1:], row[1:], strict=True)))
            yield _Row(f"{section} {columns[0]}={row[0]}", first, printed)


def _flat(counts: Mapping[str, Any]) -> dict[str, Any]:
    """Return counts with those of inner tables under joined keys, and without empty cells."""
    found: dict[str, Any] = {}
    for key, value in counts.items():
        if isinstance(value, Mapping):
            found |= {f"{key}_{inner}": v for inner, v in _flat(value).items()}
        elif value not in (None, "", "-", "n/a"):
            found[str(key)] = value
    return found


def _condition(section: str, design: Mapping[str, Any], column: str, value: Any) -> dict[str, Any]:
    """Return the inputs that a section's name adds: fabric managers take ports of servers."""
    given = design.get("given") or {}
    if section.endswith("_with_ufm") and column == "su":
        per_server = int(given.get("rails") or 1)
        servers = int(value) * int(given.get("nodes_per_su") or 0)
        return {"nodes": servers - ceil(UFM_PORTS / per_server)}
    return {}


def _cells(facts: Facts, row: _Row, errors: set[str]) -> list[Cell]:
    """Return the cells of a row, with lacking sizes taken as printed one after another."""
    found = {key: _cell(facts, row, key, errors) for key in row.printed}
    taken: dict[str, Any] = {}
    while True:
        sizes = [k for k, c in found.items() if k not in taken and _is_size(k, c)]
        if not sizes:
            return list(found.values())
        first = "server" if facts.get("groups") else "accelerator"
        size = min(sizes, key=lambda k: noun(read_key(k).quantity) != first)
        asked = read_key(size)
        taken[size] = row.printed[size]
        facts = facts.varied(**{asked.quantity: row.printed[size]})
        for key, cell in found.items():
            if cell.verdict == "unsupported" and key not in taken:
                again = _cell(facts, row, key, errors)
                note = f"with {' and '.join(taken)} as printed"
                found[key] = again.model_copy(
                    update={"reason": again.reason if again.verdict == "unsupported" else note}
                )


def _is_size(key: str, cell: Cell) -> bool:
    asked = read_key(key)
    is_size = bool(noun(asked.quantity)) or asked.quantity in ("mgmt_servers", "cost_musd")
    whole = isinstance(cell.printed, int) and not asked.per and not asked.su
    said = asked.compare in ("exactly", "about")
    return cell.verdict == "unsupported" and is_size and whole and said


def _cell(facts: Facts, row: _Row, key: str, errors: set[str]) -> Cell:
    where, printed, asked = f"{row.where}: {key}", _plain(row.printed[key]), read_key(key)
    try:
        computed = _plain(value_of(facts, asked))
    except Lacking as lacking:
        return Cell(
            where=where, key=key, printed=printed, verdict="unsupported", reason=str(lacking)
        )
    if partly := _partly_populated(facts, asked, printed, computed):
        return Cell(where=where, key=key, printed=printed, verdict="unsupported", reason=partly)
    same = _same(asked, printed, computed)
    verdict: Verdict = "right" if same else "wrong"
    reason = ""
    if key in errors:
        verdict = "wrong" if same else "known error"
        reason = "the file names this a misprint"
    return Cell(
        where=where, key=key, printed=printed, computed=computed, verdict=verdict, reason=reason
    )


def _partly_populated(facts: Facts, asked: Asked, printed: Any, computed: Any) -> str:
    """Return why a total that is less than all groups hold cannot be had from their sizes."""
    what = noun(asked.quantity)
    if not what or asked.per or not facts.get("groups") or not facts.has(what, "group"):
        return ""
    if not isinstance(printed, int) or not isinstance(computed, int):
        return ""
    short = computed - printed
    if 0 < short < facts.count(what, "group"):
        return f"the groups hold {computed}, of which {short} are absent: that is not given"
    return ""


def _same(asked: Asked, printed: Any, computed: Any) -> bool:
    if not isinstance(printed, int | float) or not isinstance(computed, int | float):
        return bool(printed == computed)
    ours, theirs = float(computed), float(printed)
    if asked.compare == "more":
        return ours >= theirs
    if asked.compare == "less":
        return ours <= theirs
    if asked.compare == "about":
        return abs(ours - theirs) <= ABOUT_TOLERANCE * abs(theirs)
    if asked.physical:
        return abs(ours - theirs) <= PHYSICAL_TOLERANCE * abs(theirs)
    digits = len(repr(printed).partition(".")[2])  # none for a count
    return abs(ours - theirs) <= (0.5 * 10**-digits * 1.000001 if digits else 0)


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(_plain(v) for v in value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value if isinstance(value, int | float | str) else str(value)
