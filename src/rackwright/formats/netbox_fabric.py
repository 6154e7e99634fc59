"""A fabric for NetBox: device types, devices and cables, in the forms that its import takes.

Device types are YAML files in the form of the device type library; racks, devices and cables are
CSV files of the bulk import. Servers have one device type with the ports of all networks.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import yaml

from rackwright.formats.laid import (
    ENDPOINTS,
    LaidFabric,
    LaidNetwork,
    cable_rows,
    device_name,
    port_name,
)

INTERFACES = {
    1e9: "1000base-t", 1e11: "100gbase-x-qsfp28", 2e11: "200gbase-x-qsfp56",
    4e11: "400gbase-x-qsfp112", 8e11: "800gbase-x-osfp",
}  # fmt: skip
"""NetBox's names for ports of a rate; another rate is `other`."""

MANUFACTURER = "Rackwright"
"""Device types are described as planned here; models keep the catalog's key."""


def netbox_files(laid: LaidFabric) -> dict[str, str]:
    """Return the files of a NetBox import by their names.

    Returns:
        `device-types/*.yaml`, `racks.csv`, `devices.csv`, `cables.csv`, to be imported in that
        order.
    """
    files = {
        f"device-types/{slug}.yaml": "---\n" + yaml.safe_dump(device_type, sort_keys=False)
        for slug, device_type in device_types(laid).items()
    }
    files["racks.csv"] = _racks(laid)
    files["devices.csv"] = _devices(laid)
    files["cables.csv"] = _cables(laid)
    return files


def device_types(laid: LaidFabric) -> Mapping[str, dict[str, Any]]:
    """Return the device types of a fabric by slug: one for each switch, one for servers."""
    found: dict[str, dict[str, Any]] = {}
    for network in laid.networks:
        for tier in network.wiring.devices:
            slug = _slug(network, tier)
            device_type = found.setdefault(
                slug,
                {
                    "manufacturer": MANUFACTURER,
                    "model": slug,
                    "slug": f"rackwright-{slug}",
                    "u_height": 1,
                    "is_full_depth": True,
                    "interfaces": [],
                },
            )
            known = {i["name"] for i in device_type["interfaces"]}
            used = network.wiring.ports_in_use(tier)
            count = int(used.max(initial=0)) if tier in ENDPOINTS else network.radix
            kind = INTERFACES.get(network.link_bit_per_s, "other")
            device_type["interfaces"] += [
                {"name": name, "type": kind}
                for name in (port_name(network, tier, p) for p in range(count))
                if name not in known
            ]
    return found


def _slug(network: LaidNetwork, tier: str) -> str:
    if tier not in ENDPOINTS:
        return network.switch
    return "fabric-manager" if tier == "manager" else tier


def _racks(laid: LaidFabric) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["site", "name", "status", "role", "description"])
    for rack in laid.fabric.racks:
        at = f"x {rack.x_m:.2f} m, y {rack.y_m:.2f} m"
        place = f"row {rack.row + 1}, position {rack.position + 1}: {at}"
        writer.writerow([laid.fabric.plan.name, rack.name, "planned", rack.role, place])
    return text.getvalue()


def _devices(laid: LaidFabric) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["name", "role", "manufacturer", "device_type", "site", "rack", "status"])
    racks = [rack.name for rack in laid.fabric.racks]
    seen: set[str] = set()
    for network in laid.networks:
        for tier, count in network.wiring.devices.items():
            places = network.rack_of.get(tier, np.zeros(count, np.int64)).tolist()
            for i in range(count):
                name = device_name(network, tier, i)
                if name not in seen:
                    seen.add(name)
                    slug = _slug(network, tier)
                    writer.writerow(
                        [name, tier, MANUFACTURER, slug, laid.fabric.plan.name, racks[places[i]],
                         "planned"]
                    )  # fmt: skip
    return text.getvalue()


def _cables(laid: LaidFabric) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["label", "side_a_device", "side_a_type", "side_a_name", "side_b_device", "side_b_type",
         "side_b_name", "status", "length", "length_unit", "description"]
    )  # fmt: skip
    for row in cable_rows(laid):
        writer.writerow(
            [row.cable, row.a.device, "dcim.interface", row.a.port, row.b.device, "dcim.interface",
             row.b.port, "planned", f"{row.length_m:g}", "m", row.medium]
        )  # fmt: skip
    return text.getvalue()
