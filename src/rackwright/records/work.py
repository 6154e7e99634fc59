"""How much work a rack is: hours at each level of integration."""

from __future__ import annotations

from pydantic import Field

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
