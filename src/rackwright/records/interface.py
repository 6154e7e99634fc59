"""What can be joined in one rack: the only ground on which racks are composed."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rackwright.records.base import Record
from rackwright.records.component import Component

CoolingKind = Literal["air", "hybrid", "liquid"]


class TrayCooling(Record):
    """One way to cool the trays of an interface, and what changes with it."""

    kind: CoolingKind
    tray_units: float = Field(gt=0, description="rack units of one compute tray or server")
    overhead_share: float = Field(
        gt=0, description="power of a tray beside accelerators and CPUs, over that of the reference"
    )
    liquid_share: float | None = Field(
        default=None, ge=0, le=1, description="of heat into the coolant; none: as the reference"
    )
    accelerator_max_w: float | None = Field(
        default=None, gt=0, description="power of one accelerator that it carries away; none: any"
    )
    bill: str = Field(description="key of the bill template that racks cooled so are made by")


class RackInterface(Component):
    """A declared interface: packages, trays, switches, frame, shelves and hosts that mate.

    What an interface does not name does not fit it. Power beside accelerators and CPUs, mass and
    liquid share come from the reference: a vendor's rack that is built on the same interface, so
    that composing the vendor's own choice gives back the vendor's figures.
    """

    frame: str  # key of the enclosure
    references: tuple[str, ...] = Field(min_length=1)  # systems or servers built on it
    accelerators: tuple[str, ...] = Field(min_length=1)  # keys; each has this package interface
    accelerators_per_tray: int = Field(gt=0)
    accelerators_max: int | None = Field(default=None, gt=0)  # that the backplane reaches
    cpus_per_tray: int = Field(gt=0)
    scale_up: str  # kind of link, as the accelerators name it
    scale_up_domains: tuple[int, ...] = Field(min_length=1)  # accelerators that one can join
    switch_tray: str = ""  # key of the part; empty: no switch stands outside the compute trays
    switch_tray_units: float | None = Field(default=None, gt=0)
    switch_tray_links: int | None = Field(default=None, gt=0)
    switch_tray_power_w: float | None = Field(default=None, gt=0)
    hosts: tuple[str, ...] = Field(min_length=1)  # keys of CPU parts
    host_memory: str  # key of the part, counted in GB
    host_memory_bytes_per_cpu: tuple[float, ...] = Field(min_length=1)  # that boards are made with
    power_shelves: tuple[str, ...] = ()  # keys; empty: fed by the rack's PDUs
    reserved_units: float = Field(ge=0)  # kept for management and in-band switches
    coolings: tuple[TrayCooling, ...] = Field(min_length=1)
