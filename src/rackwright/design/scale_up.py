"""The wiring of a scale-up domain: a copper backplane with switch trays, a mesh, a torus."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.catalog import Catalog
from rackwright.design.rack import Rack
from rackwright.kernels.fabric_ports import Wiring, wire_mesh, wire_switched, wire_torus
from rackwright.records.component import Server
from rackwright.records.equipment import Cable
from rackwright.records.errors import InputError
from rackwright.records.provenance import worst
from rackwright.records.scale_up import ScaleUp

UNIT_M = 0.04445
"""Height of a rack unit."""

SIDEWAYS_M = 0.2
"""Way of a pair from its connector into the cartridge and out of it, both ends (estimate)."""


class WiredScaleUp(NamedTuple):
    """A domain with its connections and, in a backplane, the length of each link."""

    record: ScaleUp
    wiring: Wiring
    length_m: NDArray[np.float64]  # of each link of the first block; empty on boards


def wire_scale_up(rack: Rack, catalog: Catalog) -> WiredScaleUp:
    """Return the scale-up domain of a rack, or of one server of it.

    A rack with switch trays has a backplane: each accelerator has equally many links to each
    chip. Without trays the accelerator's own topology says whether its board is a mesh, a torus
    or switched.

    Raises:
        InputError: the catalog lacks links, chips or the topology; the message names which.
    """
    if rack.switch_tray:
        return _backplane(rack, catalog)
    shape = _torus_shape(rack.accelerator.scale_up_topology)
    links = rack.accelerator.scale_up_links
    if shape:
        return _direct(rack, "torus", wire_torus(shape), 2 * sum(n > 2 for n in shape))
    if links is None:
        raise InputError([f"catalog: {rack.accelerator.key} has no scale_up_links"])
    if "mesh" in rack.accelerator.scale_up_topology:
        per_pair, left = divmod(links, rack.domain - 1)
        if not per_pair or left:
            raise InputError(
                [f"catalog: {rack.accelerator.key}: {links} links do not mesh {rack.domain} "
                 "accelerators equally"]
            )  # fmt: skip
        return _direct(rack, "mesh", wire_mesh(rack.domain, per_pair), links)
    ports = _chip_ports(rack, catalog)
    wiring = _switched(rack, rack.domain, links, ports)
    return _direct(rack, "switched", wiring, links, ports)


def _backplane(rack: Rack, catalog: Catalog) -> WiredScaleUp:
    tray, links = catalog.find(Server, rack.switch_tray), rack.accelerator.scale_up_links
    ports, chips = tray.scale_up_ports_per_asic, tray.switch_asics
    lacking = [
        f"catalog: {key} has no {name}"
        for key, name, value in (
            (rack.accelerator.key, "scale_up_links", links),
            (tray.key, "scale_up_ports_per_asic", ports),
            (tray.key, "switch_asics", chips),
        )
        if value is None
    ]
    if lacking:
        raise InputError(lacking)
    assert links is not None
    assert ports is not None
    assert chips is not None
    wiring = _switched(rack, rack.accelerators, links, ports)
    built = rack.switch_trays * chips
    if wiring.devices["switch"] != built:
        raise InputError(
            [f"{rack.key}: {rack.accelerators} accelerators of {links} links need "
             f"{wiring.devices['switch']} chips of {ports} ports; {rack.switch_trays} switch trays "
             f"have {built}"]
        )  # fmt: skip
    cable = _backplane_cable(rack, catalog)
    pairs_per_link = (cable.pairs_per_accelerator or 0) // links if cable else 0
    length = _lengths(rack, wiring, chips)
    pairs = wiring.links * pairs_per_link
    record = ScaleUp(
        rack=rack.key,
        accelerator=rack.accelerator.key,
        topology="switched",
        medium=cable.key if cable else "",
        accelerators=rack.accelerators,
        links_per_accelerator=links,
        links=wiring.links,
        switches=built,
        switch_trays=rack.switch_trays,
        ports_per_switch=ports,
        lanes_per_direction=pairs_per_link // 2,
        pairs=pairs,
        copper_m=float(length.sum()) * pairs_per_link,
        longest_m=float(length.max()),
        bytes_per_s=2 * rack.accelerators * (rack.accelerator.scale_up_bytes_per_s or 0.0),
        assumptions=(
            f"switch trays stand in the middle of the compute trays; {SIDEWAYS_M:g} m sideways "
            "for each pair (estimate)",
        ),
        grade=worst(
            [rack.accelerator.grade_of(("scale_up_links",)),
             tray.grade_of(("switch_asics", "scale_up_ports_per_asic")),
             *([cable.grade_of(("pairs_per_accelerator",))] if cable else [])]
        ),
    )  # fmt: skip
    return WiredScaleUp(record, wiring, length)


def _direct(rack: Rack, topology: str, wiring: Wiring, links: int, ports: int = 0) -> WiredScaleUp:
    count = wiring.devices["accelerator"]
    record = ScaleUp(
        rack=rack.server.key if rack.server else rack.key,
        accelerator=rack.accelerator.key,
        topology=topology,
        medium="",
        accelerators=count,
        links_per_accelerator=links,
        links=wiring.links,
        switches=wiring.devices.get("switch", 0),
        switch_trays=0,
        ports_per_switch=ports,
        lanes_per_direction=0,
        pairs=0,
        copper_m=0.0,
        longest_m=0.0,
        bytes_per_s=2 * count * (rack.accelerator.scale_up_bytes_per_s or 0.0),
        grade=rack.accelerator.grade_of(("scale_up_bytes_per_s",)),
    )
    return WiredScaleUp(record, wiring, np.zeros(0))


def _switched(rack: Rack, accelerators: int, links: int, ports: int) -> Wiring:
    try:
        return wire_switched(accelerators, links, ports)
    except ValueError as error:
        raise InputError([f"{rack.key}: {error}"]) from None


def _lengths(rack: Rack, wiring: Wiring, chips: int) -> NDArray[np.float64]:
    """Return the way of each link between its trays: switch trays amid the compute trays."""
    per_tray = rack.accelerators // rack.compute_trays
    below = rack.compute_trays // 2
    block = wiring.blocks[0]
    compute = block.a // per_tray
    at_a = np.where(compute < below, compute, compute + rack.switch_trays)
    at_b = below + block.b // chips
    way: NDArray[np.float64] = np.abs(at_a - at_b) * UNIT_M + SIDEWAYS_M
    return way


def _backplane_cable(rack: Rack, catalog: Catalog) -> Cable | None:
    """Return the backplane of the accelerator's generation, None where none is catalogued."""
    for cable in catalog.all("cables"):
        if isinstance(cable, Cable) and cable.pairs_per_accelerator:
            generation = cable.key.split("-")[0]
            if rack.accelerator.scale_up.lower() == generation:
                return cable
    return None


def _chip_ports(rack: Rack, catalog: Catalog) -> int:
    """Return the ports of a switch chip of the accelerator's generation."""
    generation = rack.accelerator.scale_up.lower()
    for server in catalog.all("servers"):
        if (
            isinstance(server, Server)
            and server.scale_up_ports_per_asic
            and generation
            and generation in server.key
        ):
            return server.scale_up_ports_per_asic
    raise InputError(
        [f"catalog: no switch chip of {rack.accelerator.scale_up or 'an unknown generation'} with "
         f"its ports, as {rack.accelerator.key} needs"]
    )  # fmt: skip


def _torus_shape(text: str) -> tuple[int, ...]:
    """Return the shape in words such as "4x4 2D torus per instance, ring across 4 instances".

    >>> _torus_shape("4x4 2D torus per instance, ring across 4 instances")
    (4, 4, 4)
    """
    found = re.search(r"(\d+(?:x\d+)+)\b.*torus", text)
    if not found:
        return ()
    shape = tuple(int(n) for n in found[1].split("x"))
    ring = re.search(r"ring across (\d+)", text)
    return (*shape, int(ring[1])) if ring else shape
