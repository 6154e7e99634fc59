"""A rack's power as its rules need it: circuits, supplies, shelves, busbar, backup, the tree above.

Each record says what a designer knows of one place; what is not known stays None, and the rules
that would need it do not apply.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from rackwright.records.base import Record

Code = Literal["NEC", "IEC"]
"""Electrical code that a circuit is built under: it sets what it may carry all the time."""


Load = Annotated[float, Field(ge=0)]
Number = Annotated[int, Field(ge=0)]


class Circuit(Record):
    """A branch circuit to a rack."""

    name: str
    feed: str = ""  # A, B ...: what fails together
    code: Code = "NEC"
    voltage_v: float = Field(gt=0)  # line to line
    phases: Literal[1, 3] = 3
    breaker_a: float = Field(gt=0)
    load_w: float | None = Field(default=None, ge=0)  # of this circuit alone, in normal work
    phase_loads_w: tuple[Load, Load, Load] | None = None
    source: str = ""


class Supplies(Record):
    """The power supplies of one server, or of one kind of server in the rack."""

    where: str
    count: int = Field(gt=0)
    each_w: float = Field(gt=0)
    load_w: float = Field(gt=0)  # most that the server draws
    per_feed: tuple[Number, ...] = ()  # supplies on each feed or PDU
    spare: int = Field(default=0, ge=0)  # supplies that may fail, as declared
    input: Literal["AC", "DC"] = "AC"
    input_a: float | None = Field(default=None, gt=0)  # of one supply at full load
    circuit_continuous_a: float | None = Field(default=None, gt=0)  # it hangs on

    @model_validator(mode="after")
    def _all_are_fed(self) -> Supplies:
        if self.per_feed and sum(self.per_feed) != self.count:
            raise ValueError(f"per_feed has {sum(self.per_feed)} supplies, count is {self.count}")
        if self.spare >= self.count:
            raise ValueError(
                f"spare is {self.spare} of {self.count}: one supply at least must work"
            )
        return self


class Shelves(Record):
    """The power shelves of a rack with a busbar."""

    count: int = Field(gt=0)
    power_w: float = Field(gt=0)  # of one shelf
    n_plus_1_w: float | None = Field(default=None, gt=0)  # of one shelf with a supply lost
    load_w: float = Field(gt=0)
    per_feed: tuple[Number, ...] = ()  # shelves on each feed
    voltage_min_v: float | None = Field(default=None, gt=0)
    connector_still_air_a: float | None = Field(default=None, gt=0)
    connector_airflow_a: float | None = Field(default=None, gt=0)
    connector_airflow_m_per_s: float | None = Field(default=None, gt=0)
    airflow_m_per_s: float = Field(default=0.0, ge=0)  # at the connector
    fault_a: float | None = Field(default=None, gt=0)  # withstand
    available_fault_a: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _all_are_fed(self) -> Shelves:
        if self.per_feed and sum(self.per_feed) != self.count:
            raise ValueError(f"per_feed has {sum(self.per_feed)} shelves, count is {self.count}")
        return self


class Busbar(Record):
    """The bar that carries direct current down a rack."""

    load_w: float = Field(gt=0)
    voltage_min_v: float = Field(gt=0)  # where it leaves the shelves, lowest
    voltage_nominal_v: float = Field(gt=0)
    rating_a: float | None = Field(default=None, gt=0)
    resistance_ohm: float = Field(default=0.0, ge=0)  # to the farthest tray and back


class TrayFeed(Record):
    """Equal trays on the busbar."""

    where: str
    count: int = Field(default=1, gt=0)
    power_w: float = Field(gt=0)  # of one
    voltage_min_v: float = Field(gt=0)
    connector_a: float | None = Field(default=None, gt=0)
    window_low_v: float | None = Field(default=None, gt=0)
    window_high_v: float | None = Field(default=None, gt=0)


class Peak(Record):
    """What supplies give above their rating, and for how long."""

    fraction: float = Field(gt=1)  # of the rating
    duration_s: float = Field(gt=0)


class Transient(Record):
    """A step of the load."""

    factor: float = Field(gt=1)  # of the steady load
    duration_s: float = Field(gt=0)
    steady_fraction: float = Field(default=1.0, gt=0)  # of the supplies' rating
    peaks: tuple[Peak, ...] = ()  # that the supplies allow
    storage_s: float = Field(default=0.0, ge=0)  # energy storage in the rack carries the step


class RideThrough(Record):
    """What bridges the time until the generators carry the load."""

    end_of_life_s: float | None = Field(default=None, gt=0)
    new_s: float | None = Field(default=None, gt=0)
    generator_start_s: float = Field(gt=0)
    transfer_s: float = Field(default=0.0, ge=0)


class PowerNode(Record):
    """A node of the tree from the utility down."""

    name: str
    parent: str = ""
    capacity_w: float = Field(gt=0)
    load_w: float | None = Field(default=None, ge=0)  # None: its capacity counts
    diversity: float = Field(default=1.0, gt=0, le=1)  # of the children's ratings, at once
    capped: bool = False  # software holds the load below the capacity


class ElectricalDesign(Record):
    """All that the power rules look at."""

    circuits: tuple[Circuit, ...] = ()
    supplies: tuple[Supplies, ...] = ()
    shelves: Shelves | None = None
    busbar: Busbar | None = None
    trays: tuple[TrayFeed, ...] = ()
    transient: Transient | None = None
    ride_through: RideThrough | None = None
    tree: tuple[PowerNode, ...] = ()
    distribution: Literal["", "AC", "DC"] = ""  # what the rack gives its servers
    load_w: float | None = Field(default=None, gt=0)  # of the rack
    phase_imbalance_max_fraction: float = Field(default=0.10, gt=0)  # a site's own limit

    @model_validator(mode="after")
    def _nodes_hang_together(self) -> ElectricalDesign:
        names = [node.name for node in self.tree]
        for node in self.tree:
            if names.count(node.name) > 1:
                raise ValueError(f"tree: two nodes are called {node.name!r}")
            if node.parent == node.name or (node.parent and node.parent not in names):
                known = ", ".join(name for name in names if name != node.name) or "no other"
                raise ValueError(f"tree: {node.name!r} hangs on {node.parent!r}; there is {known}")
        return self
