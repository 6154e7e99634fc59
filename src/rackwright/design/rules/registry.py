"""What a rule is, and how all of them are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from rackwright.records.physical import Finding, PhysicalDesign, Severity


class Found(NamedTuple):
    """One breach: the place, found against allowed with the arithmetic, and how to mend it."""

    where: str
    text: str
    mend: str


Find = Callable[[PhysicalDesign], Iterator[Found]]


class Rule(NamedTuple):
    """A rule of design: `find` yields nothing where it does not apply or is kept."""

    key: str
    severity: Severity
    title: str
    source: str
    standards: tuple[str, ...]
    depends_on: tuple[str, ...]
    find: Find


RULES: dict[str, Rule] = {}
"""All rules by their key; each registers itself where it is written."""


def rule(
    key: str,
    severity: Severity,
    title: str,
    *,
    source: str,
    depends_on: tuple[str, ...],
    standards: tuple[str, ...] = (),
) -> Callable[[Find], Find]:
    """Register a rule.

    Args:
        key: as people cite it, such as P1.
        severity: an error stops a design, a warning is told.
        title: what it is about.
        source: where its limit is published; "unsourced" makes it a warning.
        depends_on: fields of the study or the candidate that would change the finding; a failed
            rule cuts all designs that share them.
        standards: it applies only to designs under one of these; none: to all.
    """

    def register(find: Find) -> Find:
        assert key not in RULES, f"two rules are called {key}"
        assert severity == "warning" or "unsourced" not in source, f"{key}: no source, no error"
        RULES[key] = Rule(key, severity, title, source, standards, depends_on, find)
        return find

    return register


def check(*designs: PhysicalDesign) -> tuple[Finding, ...]:
    """Return what the rules find: errors first, one finding for racks that are alike.

    Args:
        designs: racks, or groups of equal racks.
    """
    found: dict[tuple[str, Found], list[PhysicalDesign]] = {}
    for design in designs:
        for each in RULES.values():
            if _applies(each, design):
                for one in each.find(design):
                    found.setdefault((each.key, one), []).append(design)
    findings = [_finding(RULES[key], one, sharing) for (key, one), sharing in found.items()]
    return tuple(sorted(findings, key=lambda f: (f.severity, _order(f.rule), f.design, f.where)))


def errors(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that stop a design."""
    return tuple(f for f in findings if f.severity == "error")


def _applies(each: Rule, design: PhysicalDesign) -> bool:
    named = set(design.standards)
    return not each.standards or not named or bool(named & set(each.standards))


def _finding(each: Rule, one: Found, designs: list[PhysicalDesign]) -> Finding:
    return Finding(
        rule=each.key,
        title=each.title,
        severity=each.severity,
        design=designs[0].name,
        racks=sum(d.racks for d in designs),
        where=one.where,
        text=one.text,
        mend=one.mend,
        depends_on=each.depends_on,
        source=each.source,
    )


def _order(key: str) -> tuple[str, int, str]:
    digits = "".join(c for c in key if c.isdigit())
    return key[0], int(digits), key
