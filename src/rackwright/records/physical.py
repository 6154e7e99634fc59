"""A rack as it would be built, and what the rules find in it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rackwright.records.base import Record
from rackwright.records.electrical import ElectricalDesign
from rackwright.records.mechanical import MechanicalDesign
from rackwright.records.thermal import ThermalDesign
from rackwright.records.wiring import NetworkDesign

Redundancy = Literal["N", "N+1", "2N", "distributed"]
Severity = Literal["error", "warning"]


class Closure(Record):
    """Counts of a bill that must agree: each link end has exactly one module or cable end."""

    where: str
    links: int = Field(ge=0)
    module_ends: int = Field(ge=0)  # modules, and ends of cables with modules of their own
    fibres: int | None = Field(default=None, ge=0)  # cables between modules
    links_per_fibre: int = Field(default=1, gt=0)  # 2 for a twin-port trunk


class Statement(Record):
    """A number that the design leans on, and where it comes from."""

    name: str
    source: str = ""
    as_of: str = ""
    estimate: bool = False


class PhysicalDesign(Record):
    """A rack, or a group of equal racks; what is not known is left out, never guessed.

    A rule applies where the standard it belongs to is among `standards` (none named: every rule
    whose numbers are there) and where the declared redundancy asks for it.
    """

    name: str = Field(min_length=1)
    racks: int = Field(default=1, gt=0)
    standards: tuple[str, ...] = ()
    redundancy: Redundancy = "N"
    power: ElectricalDesign = ElectricalDesign()
    cooling: ThermalDesign = ThermalDesign()
    mechanics: MechanicalDesign = MechanicalDesign()
    network: NetworkDesign = NetworkDesign()
    closures: tuple[Closure, ...] = ()
    statements: tuple[Statement, ...] = ()
    released: bool = False


class Finding(Record):
    """What a rule found: the arithmetic, the place, and how to mend it."""

    rule: str
    title: str
    severity: Severity
    design: str
    racks: int = Field(gt=0)
    where: str
    text: str = Field(description="found and allowed, with the arithmetic")
    mend: str
    depends_on: tuple[str, ...] = Field(description="fields of the design that would change it")
    source: str
