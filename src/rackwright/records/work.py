"""What a rack takes to build: hours at each level of integration, and its common parts."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rackwright.records.base import Record
from rackwright.records.component import Component


class WorkContent(Component):
    """Touch hours (people or robots) and test hours (bays) of trays, racks and pods.

    L10 is a complete tray, L11 a complete rack, L12 several racks as one cluster.
    """

    tray_touch_hours_low: float = Field(ge=0)
    tray_touch_hours_high: float = Field(ge=0)
    tray_test_hours_low: float = Field(ge=0)
    tray_test_hours_high: float = Field(ge=0)
    trays_per_bay: float = Field(gt=0, description="trays under test in the room of one rack bay")
    rack_touch_hours_low: float = Field(ge=0)
    rack_touch_hours_high: float = Field(ge=0)
    rack_test_hours_low: float = Field(ge=0)
    rack_test_hours_high: float = Field(ge=0)
    pod_test_hours_low: float = Field(ge=0)
    pod_test_hours_high: float = Field(ge=0)


class TemplateLine(Record):
    """A part that every rack built by a template holds, and per what it is counted."""

    part: str
    quantity: float = Field(gt=0)
    per: Literal[
        "accelerator", "cpu", "compute_tray", "switch_tray", "power_shelf", "rack", "liquid_w"
    ]
    level: Literal["L10", "L11", "L12"]
    group: str = Field(description="share of the price that the part is shown in")


class BillTemplate(Component):
    """What a kind of rack is made of beside accelerators, memory, NICs and the fabric.

    A template applies to the systems it names; else to racks with one of its frames (rack
    systems) or coolings (servers) and, where it names some, of its vendors.
    """

    systems: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()
    coolings: tuple[str, ...] = ()
    vendors: tuple[str, ...] = ()
    line: tuple[TemplateLine, ...] = Field(min_length=1)
