"""Rules of the documents: a bill that closes, numbers that have a source."""

from __future__ import annotations

from collections.abc import Iterator

from rackwright.design.rules.registry import Found, rule
from rackwright.records.physical import PhysicalDesign


@rule("D1", "error", "The bill closes", source="OCP OCDAI", depends_on=("bill",))
def bill_closes(design: PhysicalDesign) -> Iterator[Found]:
    """Ask for exactly one module or cable end at each link end, and a fibre for its links."""
    for c in design.closures:
        if c.module_ends != 2 * c.links:
            yield Found(
                c.where,
                f"{c.links} links have {2 * c.links} ends, the bill has {c.module_ends} "
                "modules and cable ends",
                "count modules by link end and cages by module",
            )
        if c.fibres is not None and c.fibres * c.links_per_fibre != c.links:
            yield Found(
                c.where,
                f"{c.fibres} fibres x {c.links_per_fibre} = {c.fibres * c.links_per_fibre} for "
                f"{c.links} links",
                "one fibre for each link, or for each pair on a twin port",
            )


@rule("D2", "warning", "Numbers have a source", source="practice", depends_on=("catalog",))
def provenance(design: PhysicalDesign) -> Iterator[Found]:
    """Name numbers without source or date; estimates hold up a release."""
    for s in design.statements:
        if not s.source:
            yield Found(s.name, "has no source", "name where it was read")
        elif not s.as_of:
            yield Found(s.name, "has no date", "say when it was read")
        if s.estimate and design.released:
            yield Found(
                s.name, "is an estimate in a released design", "a quotation or a data sheet"
            )
