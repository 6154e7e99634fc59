"""Where things stand: a rack on a floor, and the end of a cable in it.

One frame of reference for layout, fabric, power and cooling: x runs along a row, y across the
rows, z up from the raised or solid floor; metres from the hall's south-west corner.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rackwright.records.base import Record

RackRole = Literal["compute", "network", "storage", "management", "cooling", "power"]


class PlacedRack(Record):
    """A rack, or another cabinet, on the floor: its centre, its footprint, the way it faces."""

    name: str = Field(min_length=1)  # unique in its hall, such as "A07"
    key: str = ""  # of its system or frame in the catalog
    role: RackRole = "compute"
    row: int = Field(ge=0)
    position: int = Field(ge=0)  # along the row
    x_m: float = Field(ge=0)  # of the footprint's centre
    y_m: float = Field(ge=0)
    width_m: float = Field(gt=0)
    depth_m: float = Field(gt=0)
    height_m: float = Field(gt=0)
    front: Literal["+y", "-y"] = "-y"  # where the cold aisle lies


class CableEnd(Record):
    """One end of a cable: the rack, the device in it, the port, and how high the port is."""

    rack: str
    device: str
    port: str
    height_m: float = Field(default=0.0, ge=0)  # of the port above the floor
