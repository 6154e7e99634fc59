"""The indented bill of a candidate: block, racks, trays, parts; the fabric's share beside them."""

from __future__ import annotations

from collections.abc import Iterator

from rackwright.catalog import Catalog
from rackwright.design.bill import Item
from rackwright.design.candidates import Candidate
from rackwright.records.bill import BillOfMaterials, BillRow
from rackwright.records.component import Component, Part

TRAYS = {"accelerators": "compute trays", "memory": "compute trays", "host": "compute trays",
         "network": "compute trays", "scale-up": "scale-up", "power": "power", "cooling": "cooling",
         "frame": "frame"}  # fmt: skip
"""Assembly of a rack that each group of the bill stands in."""


def bill_of(candidate: Candidate, catalog: Catalog) -> BillOfMaterials:
    """Return the bill of one block.

    Args:
        candidate: its items are those of one rack, with NICs and a rack's share of the fabric.
        catalog: names, units and sources of the parts.
    """
    racks = candidate.hardware.racks
    rows = [
        BillRow(number="1", level="L12", part=candidate.hardware.key, name="block", quantity=1,
                total=1),
        BillRow(number="1.1", level="L11", part=candidate.rack.key, name="rack", quantity=racks,
                total=racks),
    ]  # fmt: skip
    inside: dict[str, list[Item]] = {}
    for item in candidate.items:
        if item.group != "fabric":
            assembly = TRAYS.get(item.group, item.group)
            if not _divides(item, _count(candidate, assembly), catalog):
                assembly = "frame"  # one busbar or backplane to a rack: in none of its trays
            inside.setdefault(assembly, []).append(item)
    for n, (assembly, items) in enumerate(inside.items(), start=1):
        counted = _count(candidate, assembly)
        rows.append(
            BillRow(number=f"1.1.{n}", level="L10", part=assembly.replace(" ", "-"), name=assembly,
                    quantity=counted, total=counted * racks)
        )  # fmt: skip
        rows += _parts(items, f"1.1.{n}", counted, racks, catalog)
    fabric = [item for item in candidate.items if item.group == "fabric"]
    if fabric:
        rows.append(
            BillRow(number="1.2", level="L12", part="fabric-share", name="share of the fabric",
                    quantity=1, total=1)
        )  # fmt: skip
        rows += _parts(fabric, "1.2", 1.0 / racks, racks, catalog)
    return BillOfMaterials(design=candidate.hardware.key, rows=tuple(rows))


def _count(candidate: Candidate, assembly: str) -> float:
    rack = candidate.rack
    counts = {"compute trays": rack.compute_trays, "scale-up": rack.switch_trays,
              "power": rack.power_shelves}  # fmt: skip
    return float(max(counts.get(assembly, 1), 1))


def _divides(item: Item, assemblies: float, catalog: Catalog) -> bool:
    """Tell whether equal whole numbers of a part stand in each of its assemblies."""
    part = _named(item.line.part, catalog)
    measured = isinstance(part, Part) and part.unit != "each"  # GB, TB, W: any share of them
    return measured or item.line.quantity % assemblies == 0


def _parts(
    items: list[Item], above: str, each_of: float, racks: int, catalog: Catalog
) -> Iterator[BillRow]:
    """Yield the parts of an assembly; quantities are those in one of it."""
    for n, item in enumerate(items, start=1):
        line = item.line
        part = _named(line.part, catalog)
        price = part.price[0] if part.price else None
        yield BillRow(
            number=f"{above}.{n}",
            level="part",
            part=line.part,
            name=part.name,
            quantity=_short(line.quantity / each_of),
            total=_short(line.quantity * racks),
            unit=part.unit if isinstance(part, Part) else "each",
            usd_low=_short(line.unit_usd_low),
            usd=_short(line.unit_usd),
            usd_high=_short(line.unit_usd_high),
            grade=line.grade,
            source=price.source if price else "estimate",
        )


def _short(value: float) -> float:
    """Return a number in twelve digits: spreadsheets keep fifteen, and hand it back as it was."""
    return float(f"{value:.12g}")


def _named(key: str, catalog: Catalog) -> Component:
    for kind in ("parts", "accelerators", "nics", "switches", "optics", "cables", "power_shelves",
                 "enclosures", "cdus", "servers", "systems"):  # fmt: skip
        if key in catalog.names(kind):
            return next(c for c in catalog.all(kind) if c.key == key)
    raise KeyError(key)
