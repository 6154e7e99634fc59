"""A rack as it would be built at a site: what stands where, how it is fed and cooled, findings."""

from __future__ import annotations

from pydantic import Field

from rackwright.records.base import Record
from rackwright.records.chain import AnnualEnergy, PowerPlan
from rackwright.records.loops import CoolingPlan
from rackwright.records.mechanical import MechanicalDesign
from rackwright.records.physical import Finding
from rackwright.records.provenance import Grade


class RackAsBuilt(Record):
    """One kind of rack of a design."""

    rack: str
    racks: int = Field(gt=0, description="equal ones in the design")
    site: str
    mechanics: MechanicalDesign
    centre_of_gravity_m: float | None
    power: PowerPlan
    cooling: CoolingPlan | None = Field(description="None: all heat goes to the air")
    year: AnnualEnergy | None = Field(
        default=None, description="of all these racks; None: the study states no climate"
    )
    findings: tuple[Finding, ...]
    grade: Grade
