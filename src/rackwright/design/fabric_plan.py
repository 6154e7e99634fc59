"""The fabric plan of a design: its cluster of racks with its NICs and switches."""

from __future__ import annotations

from math import ceil

from rackwright.design.candidates import Candidate
from rackwright.records.errors import InputError
from rackwright.records.fabric import FabricPlan, FloorPlan


def plan_of(candidate: Candidate) -> FabricPlan:
    """Return the fabric plan of a design: its cluster of racks with its NICs and switches.

    Raises:
        InputError: the cluster's accelerators do not fill whole servers.
    """
    rack, network = candidate.rack, candidate.network
    each = rack.accelerators // rack.servers
    if network.endpoints % each:
        raise InputError(
            [f"{candidate.hardware.key}: a cluster of {network.endpoints} accelerators does not "
             f"fill servers of {each}"]
        )  # fmt: skip
    return FabricPlan(
        name=candidate.hardware.key.replace("/", "-"),
        rack=candidate.generation.system if candidate.rack.composition is None else "",
        accelerators=network.endpoints,
        accelerators_per_server=each,
        servers_per_rack=rack.servers,
        nic=network.nic.key,
        nic_bit_per_s=network.ports.nic_bit_per_s,
        nics_per_accelerator=network.ports.nics,
        planes=network.ports.planes,
        switch=network.switch.key,
        oversubscription=candidate.hardware.oversubscription,
        floor=_square_floor(network.endpoints / rack.accelerators),
    )


def _square_floor(racks: float) -> FloorPlan:
    """Return a floor about as deep as it is wide, with a cross tray at least each 24 racks."""
    usual = FloorPlan()
    area = racks * 1.15 * usual.rack_width_m * usual.row_pitch_m  # a rack of switches in seven
    per_row = max(usual.racks_per_row, ceil(area**0.5 / usual.rack_width_m))
    pieces = max(2, ceil(per_row / usual.racks_per_row))
    return FloorPlan(
        racks_per_row=per_row,
        cross_trays=tuple(round(i * per_row / pieces) for i in range(pieces + 1)),
    )
