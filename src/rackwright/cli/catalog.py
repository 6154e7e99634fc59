"""List, show, find and compare the catalog's components; check its models.

Every answer is a table for people or, with `--json`, one document.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from rackwright import catalog as catalogs
from rackwright.catalog.diff import FieldDifference, diff
from rackwright.catalog.fields import FieldRow, field_rows
from rackwright.catalog.find import find
from rackwright.catalog.published_counts import PublishedCount, published_counts
from rackwright.cli.errors import FINDINGS
from rackwright.cli.options import CatalogFolder
from rackwright.cli.output import JsonFlag, answer
from rackwright.cli.quantities import quantity
from rackwright.cli.tables import table
from rackwright.records.component import Component
from rackwright.records.errors import InputError, UnknownComponentError

Kind = Annotated[str | None, typer.Argument(help="accelerators, systems, nics ...")]
Name = Annotated[str, typer.Argument(help="a key or an alias, such as B200")]
OneKind = Annotated[
    str | None, typer.Option("--kind", metavar="KIND", help="look in this kind alone")
]


def list_(kind: Kind = None, catalog: CatalogFolder = None, as_json: JsonFlag = False) -> None:
    """List the components of a kind, or the kinds."""
    components = catalogs.load(catalog)
    if kind is None:
        counts = {k: len(components.names(k)) for k in catalogs.KINDS}
        rows = [[k, str(n)] for k, n in counts.items()]
        rows.append(["all", str(sum(counts.values()))])
        answer(
            counts,
            table(["kind", "components"], rows),
            "rackwright catalog list accelerators",
            as_json=as_json,
        )
        return
    found, mistakes = components.readable(kind)
    answer(
        [_told(kind, c) for c in found],
        table(
            ["key", "name", "vendor", "status", "grade"],
            [[c.key, c.name, c.vendor or "-", c.status, str(c.grade_of())] for c in found],
        ),
        f"rackwright catalog show {found[0].key}" if found else "rackwright catalog list",
        as_json=as_json,
    )
    if mistakes:  # the good ones are listed all the same
        for line in mistakes:
            typer.echo(f"error: {line}", err=True)
        raise typer.Exit(FINDINGS)


list_.__name__ = "list"


def show(
    name: Name, kind: OneKind = None, catalog: CatalogFolder = None, as_json: JsonFlag = False
) -> None:
    """Show a component: each value with unit, grade and sources, and what other sources say."""
    components = catalogs.load(catalog)
    found_in, component = _find(components, name, kind)
    lines = [f"{component.key}: {component.name}, of {found_in}, grade {component.grade_of()}", ""]
    rows = field_rows(component)
    lines += table(["field", "grade", "value"], [[r.field, _graded(r), _shown(r)] for r in rows])
    for row in rows:
        lines += [
            f"  {row.field} elsewhere: {_value(o.value, row.unit)} [{o.grade}] {o.title}"
            + (f"; not taken: {o.not_taken}" if o.not_taken else "")
            + (f" ({o.note})" if o.note else "")
            for o in row.others
        ]
    lines += ["", "sources:", *_sources(component)]
    for price in component.price:
        lines.append(
            f"  price {price.usd_low:,.2f} to {price.usd_high:,.2f} USD as of {price.as_of} "
            f"[{price.grade}, {price.kind}] {price.basis}; {price.source}"
        )
    for lead in component.lead_time:
        lines.append(
            f"  lead time {lead.weeks_low:g} to {lead.weeks_high:g} weeks as of {lead.as_of} "
            f"[{lead.grade}, {lead.kind}] {lead.basis}; {lead.source}"
        )
    answer(
        {"kind": found_in, **component.model_dump(mode="json")},
        lines,
        f"rackwright catalog list {found_in}",
        as_json=as_json,
    )


def find_(
    text: Annotated[str, typer.Argument(help="words in keys, names, aliases or vendors")] = "",
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="CONDITION", help='"memory_bytes>=192e9", "tdp_w<=1 kW"'),
    ] = None,
    kind: OneKind = None,
    catalog: CatalogFolder = None,
    as_json: JsonFlag = False,
) -> None:
    """Find components by words, and by what their values are."""
    components = catalogs.load(catalog)
    if not text and not where:
        raise InputError(["nothing to look for: give words, --where CONDITION, or both"])
    kinds = (_known_kind(kind),) if kind else tuple(catalogs.KINDS)
    found = find(components, text, where or (), kinds)
    asked = list(dict.fromkeys(field for f in found for field, _ in f.values))
    rows = []
    for f in found:
        values = {row.field: _shown(row) for row in field_rows(f.component)}
        rows.append(
            [f.kind, f.component.key, f.component.name, *(values.get(a, "-") for a in asked)]
        )
    nothing = ["nothing found: try fewer words, or rackwright catalog list"]
    answer(
        [
            {**_told(f.kind, f.component), "likeness": f.likeness, "values": dict(f.values)}
            for f in found
        ],
        table(["kind", "key", "name", *asked], rows) if rows else nothing,
        f"rackwright catalog show {found[0].component.key}" if found else "rackwright catalog list",
        as_json=as_json,
    )
    if not found:
        raise typer.Exit(FINDINGS)


find_.__name__ = "find"


def diff_(
    left: Name,
    right: Annotated[str, typer.Argument(help="the component to compare it with")],
    kind: OneKind = None,
    equal_too: Annotated[bool, typer.Option("--all", help="also what is the same")] = False,
    catalog: CatalogFolder = None,
    as_json: JsonFlag = False,
) -> None:
    """Compare two components field by field, with the relative difference of numbers."""
    components = catalogs.load(catalog)
    _, first = _find(components, left, kind)
    _, second = _find(components, right, kind)
    rows = diff(first, second, equal_too=equal_too)
    answer(
        {"left": first.key, "right": second.key, "fields": [r._asdict() for r in rows]},
        table(["field", first.key, second.key, "difference"], [_compared(r) for r in rows])
        if rows
        else ["  the same in every field"],
        f"rackwright catalog show {first.key}",
        as_json=as_json,
    )


diff_.__name__ = "diff"


def models(
    check: Annotated[
        bool, typer.Option("--check", help="counts from shapes beside the published ones")
    ] = False,
    catalog: CatalogFolder = None,
    as_json: JsonFlag = False,
) -> None:
    """List the models; with --check, their counted and published parameters."""
    components = catalogs.load(catalog)
    if not check:
        list_("models", catalog, as_json)
        return
    counts = published_counts(components)
    met = [c for c in counts if c.total_met and c.active_met]
    missed = [c for c in counts if not (c.total_met and c.active_met)]
    sparse = [c for c in counts if c.published_active is not None]
    lines = [
        f"{len(counts)} models with a published total, {len(sparse)} of them with a published "
        "active count",
        f"  totals within 1 %: {sum(c.total_met for c in counts)}",
        "  active within 1 % or the digits published: "
        f"{sum(c.active_met for c in sparse)} of {len(sparse)}",
        f"  both: {len(met)}; the others, in billions:",
        "",
        *table(
            ["model", "counted", "published", "off", "active", "published", "off", "why"],
            [_counted(c) for c in missed],
        ),
    ]
    document = {
        "published": len(counts),
        "total_met": sum(c.total_met for c in counts),
        "both_met": len(met),
        "models": [{**c._asdict(), "relative": c.relative} for c in counts],
    }
    answer(document, lines, "rackwright catalog show deepseek-v3", as_json=as_json)


subcommands = (list_, show, find_, diff_, models)


def _find(
    components: catalogs.Catalog, name: str, kind: str | None = None
) -> tuple[str, Component]:
    """Return the component of that name: one whose key it is before one that it is an alias of."""
    kinds = (_known_kind(kind),) if kind else tuple(catalogs.KINDS)
    for one in kinds:
        if name in components.names(one):
            return one, components.get(one, name)
    known: set[str] = set()
    for one in kinds:
        try:
            return one, components.get(one, name)
        except UnknownComponentError:
            known |= set(components.names(one))
            known |= {alias for c in components.readable(one)[0] for alias in c.aliases}
    raise UnknownComponentError("component", name, known)


def _known_kind(kind: str) -> str:
    if kind not in catalogs.KINDS:
        raise UnknownComponentError("catalog kind", kind, tuple(catalogs.KINDS))
    return kind


def _told(kind: str, component: Component) -> dict[str, Any]:
    return {
        "kind": kind,
        "key": component.key,
        "name": component.name,
        "vendor": component.vendor,
        "status": component.status,
        "grade": str(component.grade_of()),
    }


def _sources(component: Component) -> list[str]:
    lines = []
    for source in component.source:
        about = ", ".join(source.fields)
        lines.append(
            f"  [{source.grade}, {source.kind}, {source.retrieved}] {source.title}: {about}"
        )
        lines += [f"      {source.url}"] if source.url else []
        lines += [f"      {source.note}"] if source.note else []
    return lines


def _shown(row: FieldRow) -> str:
    return _value(row.value, row.unit)


def _value(value: object, unit: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)) and unit:
        return quantity(float(value), unit)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _graded(row: FieldRow) -> str:
    if row.grade is None:
        return ""
    return f"{row.grade} estimate" if row.estimate else str(row.grade)


def _compared(row: FieldDifference) -> list[str]:
    sides = [_value(side, row.unit) if side is not None else "-" for side in (row.left, row.right)]
    return [row.field, *sides, "" if row.relative is None else f"{100 * row.relative:+.1f} %"]


def _counted(c: PublishedCount) -> list[str]:
    active = ["", "", ""]
    if c.counted_active is not None and c.published_active and c.relative_active is not None:
        active = [
            f"{c.counted_active / 1e9:.2f}",
            f"{c.published_active / 1e9:g}",
            f"{100 * c.relative_active:+.1f} %",
        ]
    return [
        c.key,
        f"{c.counted / 1e9:.3f}",
        f"{c.published / 1e9:g}",
        f"{100 * c.relative:+.1f} %",
        *active,
        c.reason,
    ]
