"""A cluster's fabric: what is asked for, and what it comes to down to the cable.

`FabricPlan` is what a person writes (or a design implies); `Fabric` is what comes of it. The
connections themselves are arrays that follow from the plan (`design.fabric.wiring_of_plan`); a
`Fabric` holds their counts.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from rackwright.records.base import Record
from rackwright.records.placement import PlacedRack
from rackwright.records.provenance import Grade
from rackwright.records.quantity import BitPerS, Fraction, LengthM, Ratio

Topology = Literal["fat-tree", "dragonfly", "torus"]


class FloorPlan(Record):
    """Rows of racks, trays above them, and cross trays that join the rows.

    Cables rise from a port to the tray above the row, run along it, cross to another row only at
    a cross tray, and come down. Defaults are planning figures of ours (grade D): rows of 600 mm
    racks at a pitch of two 1.2 m depths and two 1.2 m aisles shared by both sides.
    """

    racks_per_row: int = Field(default=24, ge=1)
    rack_width_m: LengthM = Field(default=0.6, gt=0)
    rack_depth_m: LengthM = Field(default=1.2, gt=0)
    rack_height_m: LengthM = Field(default=2.3, gt=0)
    row_pitch_m: LengthM = Field(default=2.4, gt=0)
    tray_height_m: LengthM = Field(default=2.7, gt=0)
    cross_trays: tuple[int, ...] = (0, 12, 24)  # positions along the row
    slack: Fraction = 0.05  # of the route
    service_loop_m: LengthM = Field(default=0.5, ge=0)  # at each end
    port_height_m: LengthM = Field(default=1.2, gt=0)  # of servers, on average
    switches_per_rack: int = Field(default=16, ge=1)
    grade: Grade = Field(default=Grade.D, description="how far the floor's numbers can be trusted")

    @model_validator(mode="after")
    def _has_routes(self) -> FloorPlan:
        if self.tray_height_m <= self.port_height_m:
            raise ValueError(
                f"tray_height_m {self.tray_height_m:g} must lie above port_height_m "
                f"{self.port_height_m:g}: cables go up to the tray"
            )
        if self.row_pitch_m < self.rack_depth_m:
            raise ValueError(
                f"row_pitch_m {self.row_pitch_m:g} is less than rack_depth_m "
                f"{self.rack_depth_m:g}: rows would overlap"
            )
        wrong = [p for p in self.cross_trays if not 0 <= p <= self.racks_per_row]
        if wrong:
            raise ValueError(
                f"cross_trays at {wrong}: positions go from 0 to racks_per_row = "
                f"{self.racks_per_row}"
            )
        return self


class SideNetwork(Record):
    """A network beside that of the accelerators: so many ports of each server."""

    name: Literal["storage", "in-band", "out-of-band"]
    ports_per_server: int = Field(default=1, ge=1)
    link_bit_per_s: BitPerS = Field(gt=0)
    switch: str
    oversubscription: Ratio = 1.0


class FabricPlan(Record):
    """What a cluster's fabric shall join, with what, on which floor."""

    name: str = "fabric"
    topology: Topology = "fat-tree"
    accelerators: int = Field(gt=0, le=2**21)
    accelerators_per_server: int = Field(default=8, ge=1)
    servers_per_rack: int = Field(default=4, ge=1)
    rack: str = ""  # key of the rack or server whose scale-up domain is exported with it
    nic: str = ""  # key in the catalog; none: links are counted without a NIC's module
    nic_bit_per_s: BitPerS = Field(default=4e11, gt=0)
    nics_per_accelerator: int = Field(default=1, ge=1)
    planes: int = Field(default=1, ge=1)
    switch: str
    oversubscription: Ratio = 1.0
    by_rail: bool = True
    fabric_manager_ports: int = Field(default=0, ge=0)
    shape: tuple[int, ...] = ()  # of a torus
    groups: int | None = Field(default=None, gt=1)  # of a dragonfly
    media: tuple[str, ...] = ()  # keys of cables and optics that may be used; none = all
    side_networks: tuple[SideNetwork, ...] = ()
    floor: FloorPlan = FloorPlan()

    @model_validator(mode="after")
    def _fits(self) -> FabricPlan:
        if self.accelerators % self.accelerators_per_server:
            raise ValueError(
                f"{self.accelerators} accelerators in servers of {self.accelerators_per_server}: "
                "the last server would be partly filled"
            )
        most, least = (
            max(self.planes, self.nics_per_accelerator), min(self.planes, self.nics_per_accelerator)
        )  # fmt: skip
        if most % least:
            raise ValueError(
                f"{self.planes} planes and {self.nics_per_accelerator} NICs per accelerator do "
                "not divide: each NIC has equal ports in its planes"
            )
        if self.topology == "torus" and not self.shape:
            raise ValueError("a torus needs its shape, such as [4, 4, 4]")
        if any(side < 1 for side in self.shape):
            raise ValueError(f"shape {list(self.shape)}: sides are 1 or more")
        return self


class CableRun(Record):
    """Equal cables: one medium between two tiers, bought in one length."""

    network: str
    between: tuple[str, str]
    medium: str  # key of the cable, or of the module at its ends
    kind: Literal["copper", "fibre"]
    length_m: float  # as bought
    cables: int
    links: int
    modules: int  # at both ends
    usd: float  # modules and cables
    power_w: float
    grade: Grade  # of the medium's reach and rate, and of the length


class FabricLine(Record):
    """A line of a fabric's bill: a part with its quantity and the range of its price."""

    network: str
    part: str  # key in the catalog
    quantity: float
    usd_low: float  # of all of them
    usd_high: float
    grade: Grade  # of the price
    source: str
    as_of: str


class NetworkParts(Record):
    """One network: five different counts, its price and its power."""

    name: str
    tiers: int
    switch: str
    radix: int
    planes: int
    devices: dict[str, int]  # by tier
    switches: int
    links: int
    cables: int
    modules: int
    cages: int  # of switches and NICs, in use
    route_m: float  # all cables as routed
    longest_m: float
    usd: float  # switches, modules and cables; NICs are in the servers
    power_w: float


class Fabric(Record):
    """All networks of a cluster, their cables, and where its racks stand."""

    plan: FabricPlan
    networks: tuple[NetworkParts, ...]
    runs: tuple[CableRun, ...]
    bill: tuple[FabricLine, ...]  # switches, modules, cables; NICs are billed with servers
    racks: tuple[PlacedRack, ...]
    findings: tuple[str, ...]
    assumptions: tuple[str, ...]
    grade: Grade
