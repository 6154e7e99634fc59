"""The kinds of component: the folder of each, and the record that its files hold."""

from __future__ import annotations

from collections.abc import Mapping

from rackwright.records.architecture import Architecture
from rackwright.records.component import Accelerator, Component, Part, RackSystem, Server
from rackwright.records.cooling import (
    Coolant,
    CoolingClass,
    DoorExchanger,
    Manifold,
    Pipe,
    PumpUnit,
    QuickConnector,
)
from rackwright.records.equipment import Cable, Cdu, Enclosure, Nic, Optic, PowerShelf, Switch
from rackwright.records.interface import RackInterface
from rackwright.records.model import Model
from rackwright.records.powering import (
    BackupShelf,
    BusVoltage,
    Feed,
    FleetEfficiency,
    LinkMedium,
    Pdu,
    PowerSupply,
    PowerTree,
)
from rackwright.records.rates import Duty, Efficiencies, ServingEngine, SoftwareStack
from rackwright.records.reliability import FailureLog
from rackwright.records.work import BillTemplate, WorkContent

KINDS: Mapping[str, type[Component]] = {
    "accelerators": Accelerator,
    "systems": RackSystem,
    "servers": Server,
    "nics": Nic,
    "switches": Switch,
    "cables": Cable,
    "optics": Optic,
    "link_media": LinkMedium,
    "power_shelves": PowerShelf,
    "backup_shelves": BackupShelf,
    "power_supplies": PowerSupply,
    "bus_voltages": BusVoltage,
    "pdus": Pdu,
    "feeds": Feed,
    "power_trees": PowerTree,
    "cdus": Cdu,
    "connectors": QuickConnector,
    "pipes": Pipe,
    "manifolds": Manifold,
    "door_exchangers": DoorExchanger,
    "pump_units": PumpUnit,
    "coolants": Coolant,
    "cooling_classes": CoolingClass,
    "enclosures": Enclosure,
    "interfaces": RackInterface,
    "fleets": FleetEfficiency,
    "parts": Part,
    "models": Model,
    "architectures": Architecture,
    "duties": Duty,
    "efficiencies": Efficiencies,
    "stacks": SoftwareStack,
    "engines": ServingEngine,
    "failures": FailureLog,
    "work": WorkContent,
    "bills": BillTemplate,
}
"""Folder of each kind and the record its files hold."""

TABLES: Mapping[type[Component], str] = {
    Accelerator: "accelerator",
    RackSystem: "system",
    Server: "server",
    Nic: "nic",
    Switch: "switch",
    Cable: "cable",
    Optic: "optic",
    LinkMedium: "link_medium",
    PowerShelf: "power_shelf",
    BackupShelf: "backup_shelf",
    PowerSupply: "power_supply",
    BusVoltage: "bus_voltage",
    Pdu: "pdu",
    Feed: "feed",
    PowerTree: "power_tree",
    Cdu: "cdu",
    QuickConnector: "connector",
    Pipe: "pipe",
    Manifold: "manifold",
    DoorExchanger: "door_exchanger",
    PumpUnit: "pump_unit",
    Coolant: "coolant",
    CoolingClass: "cooling_class",
    Enclosure: "enclosure",
    RackInterface: "interface",
    FleetEfficiency: "fleet",
    Part: "part",
    Model: "model",
    Architecture: "architecture",
    Duty: "duty",
    Efficiencies: "efficiencies",
    SoftwareStack: "stack",
    ServingEngine: "engine",
    FailureLog: "failures",
    WorkContent: "work",
    BillTemplate: "bill",
}
"""The table of each kind's files, which is also the word for one of them."""


def kind_of(cls: type[Component]) -> str:
    """Return the kind that holds a record type."""
    return next(kind for kind, record in KINDS.items() if record is cls)
