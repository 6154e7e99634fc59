"""An indented bill of materials: what stands in what, what each costs, and who says so."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rackwright.records.base import Record
from rackwright.records.provenance import Grade

Level = Literal["L12", "L11", "L10", "part"]


class BillRow(Record):
    """One line. Its number tells where it belongs: 1.2.3 is the third part of 1.2."""

    number: str = Field(pattern=r"^\d+(\.\d+)*$")
    level: Level
    part: str = Field(min_length=1)  # key in the catalog, or the name of an assembly
    name: str
    quantity: float = Field(gt=0)  # in one of what it stands in
    total: float = Field(gt=0)  # in the whole design
    unit: str = "each"
    usd_low: float | None = Field(default=None, ge=0)  # of one; None: an assembly, see its parts
    usd: float | None = Field(default=None, ge=0)
    usd_high: float | None = Field(default=None, ge=0)
    grade: Grade | None = None
    source: str = ""


class BillOfMaterials(Record):
    """The bill of one block of a design."""

    design: str
    rows: tuple[BillRow, ...]

    def usd(self) -> float:
        """Return the sum of all parts at their middle prices."""
        return sum(row.usd * row.total for row in self.rows if row.usd is not None)
