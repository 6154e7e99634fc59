"""What stands in a rack and what the rack carries, as the mechanical rules need it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rackwright.records.base import Record

EIA_UNIT_M = 0.04445
"""Height of a unit of EIA-310, 1.75 inches."""

ItemKind = Literal[
    "compute", "switch", "management", "power", "pdu", "cdu", "manifold", "blank", "cable"
]


class Item(Record):
    """One device in a rack: its lowest unit counts from 1 at the bottom."""

    name: str
    kind: ItemKind
    key: str = ""  # in the catalog
    bottom_u: float = Field(ge=1)
    units: float = Field(gt=0)
    depth_m: float | None = Field(default=None, gt=0)
    mass_kg: float | None = Field(default=None, ge=0)
    power_w: float | None = Field(default=None, ge=0)
    side: Literal["front", "rear", "both"] = "both"
    wet: bool = False
    shelf_set: bool = False  # rests on a pair of shelves and not on the frame's rails


class Frame(Record):
    """The empty rack."""

    key: str = ""
    standard: str = ""
    units: int = Field(gt=0)
    unit_m: float = Field(gt=0)
    width_m: float = Field(gt=0)
    depth_m: float = Field(gt=0)
    height_m: float | None = Field(default=None, gt=0)
    mass_kg: float | None = Field(default=None, ge=0)
    payload_kg: float | None = Field(default=None, gt=0)
    payload_excludes_frame: bool = True
    brace_above_kg: float | None = Field(default=None, gt=0)
    braced: bool = False
    shelf_set_kg: float | None = Field(default=None, gt=0)
    device_depth_m: float | None = Field(default=None, gt=0)  # front to the busbar, where one is
    rear_space_m: float = Field(default=0.0, ge=0)  # kept for cables and manifolds


class MechanicalDesign(Record):
    """All that the mechanical rules look at."""

    frame: Frame | None = None
    items: tuple[Item, ...] = ()
    mass_kg: float | None = Field(default=None, gt=0)  # of the populated rack, where stated
    floor_kg_per_m2: float | None = Field(default=None, gt=0)  # that the floor carries
    ramp_degrees: float = Field(default=10.0, gt=0, lt=45)  # it must be rolled over
    lift_kg: float = Field(default=50.0, gt=0)  # from here on a device takes more than two people
