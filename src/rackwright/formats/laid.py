"""A fabric as files want it: networks of arrays, with names for devices, ports and racks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.kernels.fabric_ports import Wiring
from rackwright.records.fabric import Fabric
from rackwright.records.placement import CableEnd


class LaidNetwork(NamedTuple):
    """One network: its connections, and for each block of them lengths and media."""

    name: str
    wiring: Wiring
    switch: str  # key in the catalog
    radix: int
    per_cage: int  # links in a cage of a switch
    planes: int
    split: int  # ports of a NIC
    link_bit_per_s: float
    length_m: tuple[NDArray[np.float64], ...]  # as bought, by block
    medium_of: tuple[NDArray[np.int16], ...]  # by block, into `media`
    media: tuple[tuple[str, ...], ...]
    rack_of: dict[str, NDArray[np.int64]]  # by tier, into the racks
    height_m: dict[str, NDArray[np.float64]]


class LaidFabric(NamedTuple):
    """All networks with the record that sums them up."""

    fabric: Fabric
    networks: tuple[LaidNetwork, ...]


class CableRow(NamedTuple):
    """One cable of a schedule."""

    cable: str
    network: str
    a: CableEnd
    b: CableEnd
    medium: str
    length_m: float


ENDPOINTS = ("server", "endpoint", "accelerator", "manager")
"""Tiers that are shared by all networks and carry no network's name."""


def device_name(network: LaidNetwork, tier: str, number: int) -> str:
    """Return the name of a device: `server-0001`, `compute-leaf-01`.

    Planes have names of their own only where there are several: `compute-p2-leaf-01`.
    """
    digits = max(2, len(str(network.wiring.devices[tier])))
    if tier in ENDPOINTS:
        return f"{tier}-{number + 1:0{digits}d}"
    if network.planes > 1:
        each = network.wiring.devices[tier] // network.planes
        plane, number = divmod(number, each)
        return f"{network.name}-p{plane + 1}-{tier}-{number + 1:0{digits}d}"
    return f"{network.name}-{tier}-{number + 1:0{digits}d}"


def port_name(network: LaidNetwork, tier: str, port: int) -> str:
    """Return the name of a port: cage and link in it of a switch, NIC and port of a server."""
    if tier in ENDPOINTS:
        if network.planes > 1:
            nic, plane = divmod(port, network.planes)
            return f"{network.name}-{nic + 1}-p{plane + 1}"
        return f"{network.name}-{port + 1}"
    if network.per_cage > 1:
        cage, link = divmod(port, network.per_cage)
        return f"{cage + 1}/{link + 1}"
    return str(port + 1)


def cable_rows(laid: LaidFabric) -> Iterator[CableRow]:
    """Yield every link of a fabric as a row of a schedule, network by network.

    A link is a fibre of its own, or a strand of a copper cable whose cage it shares.
    """
    racks = [rack.name for rack in laid.fabric.racks]
    for network in laid.networks:
        number = 0
        for i, block in enumerate(network.wiring.blocks):
            keys = network.media[i]
            names = [
                _ends(network, tier, device, port, racks)
                for tier, device, port in (
                    (block.a_tier, block.a, block.a_port),
                    (block.b_tier, block.b, block.b_port),
                )
            ]
            for a, b, medium, length in zip(
                *names,
                network.medium_of[i].tolist(),
                network.length_m[i].tolist(),
                strict=True,
            ):
                number += 1
                yield CableRow(
                    f"{network.name}-{number:06d}", network.name, a, b, keys[medium], length
                )


def _ends(
    network: LaidNetwork, tier: str, device: Any, port: Any, racks: list[str]
) -> Iterator[CableEnd]:
    """Yield ends without validation: the arrays they come of are whole."""
    count = network.wiring.devices[tier]
    devices = [device_name(network, tier, i) for i in range(count)]
    ports = [port_name(network, tier, p) for p in range(int(port.max(initial=0)) + 1)]
    places = network.rack_of[tier] if tier in network.rack_of else np.zeros(count, np.int64)
    heights = network.height_m[tier] if tier in network.height_m else np.zeros(count)
    for d, p in zip(device.tolist(), port.tolist(), strict=True):
        yield CableEnd.model_construct(
            rack=racks[int(places[d])], device=devices[d], port=ports[p], height_m=float(heights[d])
        )
