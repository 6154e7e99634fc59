"""A fabric in the form of infragraph (Keysight): devices, instances, links, edges between slices.

An edge of the form joins two slices one to one, so that runs of cables whose ports follow one
another are one edge; its own reader expands them again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from rackwright.formats.laid import ENDPOINTS, LaidFabric, LaidNetwork
from rackwright.kernels.fabric_ports import Links


def infragraph_text(laid: LaidFabric) -> str:
    """Return a fabric as an infragraph document (JSON)."""
    return json.dumps(infragraph(laid), indent=1) + "\n"


def infragraph(laid: LaidFabric) -> dict[str, Any]:
    """Return a fabric as an infragraph document.

    Endpoints of all networks are one device with a port component for each network; switches of
    each network are a device with its radix.
    """
    devices: dict[str, dict[str, Any]] = {}
    instances: dict[str, dict[str, Any]] = {}
    links: list[dict[str, Any]] = []
    edges: list[dict[str, Any]] = []
    for network in laid.networks:
        for tier, count in network.wiring.devices.items():
            name, device = _instance(network, tier), _device(network, tier)
            instances[name] = {"name": name, "device": device, "count": count}
            _add_ports(devices, network, tier)
        link = f"{network.name}-link"
        rate = network.link_bit_per_s / 1e9
        links.append(
            {
                "name": link,
                "physical": {
                    "bandwidth": {"choice": "gigabits_per_second", "gigabits_per_second": rate}
                },
            }
        )
        for block in network.wiring.blocks:
            edges += _edges(network, block, link)
    return {
        "name": laid.fabric.plan.name,
        "description": "written by Rackwright",
        "devices": list(devices.values()),
        "instances": list(instances.values()),
        "links": links,
        "edges": edges,
    }


def _add_ports(devices: dict[str, dict[str, Any]], network: LaidNetwork, tier: str) -> None:
    """Add a device with a body, and its ports for this network hanging on the body."""
    name, component = _device(network, tier), _component(network, tier)
    endpoint = tier in ENDPOINTS
    device = devices.setdefault(
        name,
        {
            "name": name,
            "description": tier if endpoint else network.switch,
            "components": [{"name": "body", "choice": "cpu", "count": 1}],
            "links": [{"name": "inside"}],
            "edges": [],
        },
    )
    if any(c["name"] == component for c in device["components"]):
        return
    ports = int(network.wiring.ports_in_use(tier).max()) if endpoint else network.radix
    device["components"].append(
        {"name": component, "choice": "nic" if endpoint else "port", "count": ports}
    )
    device["edges"].append(
        {
            "ep1": {"component": "body"},
            "ep2": {"component": component},
            "link": "inside",
            "scheme": "many2many",
        }
    )


def _edges(network: LaidNetwork, block: Links, link: str) -> Iterator[dict[str, Any]]:
    """Yield edges for runs of links in which one side's device is fixed on each end, or both."""
    a, p, b, q = (x.astype(np.int64) for x in block[2:])
    if not len(a):
        return
    step = np.stack([np.diff(x) for x in (a, p, b, q)])
    kind = np.full(step.shape[1], -1)
    for number, pattern in enumerate(((0, 1, 0, 1), (1, 0, 0, 1), (0, 1, 1, 0))):
        kind[np.all(step == np.array(pattern)[:, None], axis=0)] = number
    kinds, start = kind.tolist(), 0
    while start < len(a):
        end = start
        while end < len(kinds) and kinds[end] >= 0 and kinds[end] == kinds[start]:
            end += 1
        yield _edge(network, block, link, (a, p, b, q), start, end)
        start = end + 1


def _edge(
    network: LaidNetwork, block: Links, link: str, ends: tuple[Any, ...], first: int, last: int
) -> dict[str, Any]:
    a, p, b, q = ends
    return {
        "ep1": {
            "instance": f"{_instance(network, block.a_tier)}{_slice(a, first, last)}",
            "component": f"{_component(network, block.a_tier)}{_slice(p, first, last)}",
        },
        "ep2": {
            "instance": f"{_instance(network, block.b_tier)}{_slice(b, first, last)}",
            "component": f"{_component(network, block.b_tier)}{_slice(q, first, last)}",
        },
        "link": link,
        "scheme": "one2one",
    }


def _slice(values: Any, first: int, last: int) -> str:
    low, high = int(values[first]), int(values[last])
    return f"[{low}]" if low == high else f"[{low}:{high + 1}]"


def _instance(network: LaidNetwork, tier: str) -> str:
    return tier if tier in ENDPOINTS else f"{network.name}-{tier}"


def _device(network: LaidNetwork, tier: str) -> str:
    return tier if tier in ENDPOINTS else f"{network.name}-switch"


def _component(network: LaidNetwork, tier: str) -> str:
    return f"{network.name}-nic" if tier in ENDPOINTS else "port"
