"""A rack for NetBox: its rack type and the device types of what stands in it (YAML)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from rackwright.formats.netbox_fabric import MANUFACTURER
from rackwright.records.as_built import RackAsBuilt
from rackwright.records.mechanical import EIA_UNIT_M, Item


def netbox_rack_files(built: RackAsBuilt) -> dict[str, str]:
    """Return the files of a NetBox import by their names: a rack type, device types.

    Heights are in the units that the rack counts, weights decimals in kg.
    """
    files = {f"rack-types/{_slug(built.rack)}.yaml": _yaml(rack_type(built))}
    for slug, made in device_types(built).items():
        files[f"device-types/{slug}.yaml"] = _yaml(made)
    return files


def rack_type(built: RackAsBuilt) -> dict[str, Any]:
    """Return the rack type of a rack as built."""
    frame = built.mechanics.frame
    assert frame is not None, "a rack as built has a frame"
    made: dict[str, Any] = {
        "manufacturer": MANUFACTURER,
        "model": built.rack,
        "slug": _slug(built.rack),
        "form_factor": "4-post-cabinet",
        # Trays that count in EIA units hang on 19-inch rails, in an Open Rack's frame as well.
        "width": 21 if frame.unit_m > EIA_UNIT_M else 19,
        "u_height": frame.units,
        "outer_width": round(frame.width_m * 1e3),
        "outer_depth": round(frame.depth_m * 1e3),
        "outer_unit": "mm",
        "weight_unit": "kg",
        "comments": f"units of {frame.unit_m * 1e3:g} mm; grade {built.grade}",
    }
    if frame.mass_kg is not None:
        made["weight"] = float(frame.mass_kg)
    if frame.payload_kg is not None:
        made["max_weight"] = round(frame.payload_kg)
    return made


def device_types(built: RackAsBuilt) -> dict[str, dict[str, Any]]:
    """Return a device type for each kind of device, by its slug."""
    found: dict[str, dict[str, Any]] = {}
    for item in _kinds(built):
        model = item.key or item.name.rstrip("0123456789 ")
        slug = _slug(model)
        made: dict[str, Any] = {
            "manufacturer": MANUFACTURER,
            "model": model,
            "slug": f"{_slug(MANUFACTURER)}-{slug}",
            "u_height": round(2 * item.units) / 2,
            "is_full_depth": True,
        }
        if item.mass_kg is not None:
            made |= {"weight": float(round(item.mass_kg, 2)), "weight_unit": "kg"}
        if item.kind in ("compute", "management"):
            made["interfaces"] = [{"name": "mgmt", "type": "1000base-t", "mgmt_only": True}]
        if item.kind == "power":
            made["power-ports"] = [{"name": "in", "type": "iec-60309-3p-n-e-6h"}]
        found[slug] = made
    return found


def _kinds(built: RackAsBuilt) -> Iterator[Item]:
    seen: set[tuple[str, str]] = set()
    for item in built.mechanics.items:
        if (item.kind, item.key) not in seen:
            seen.add((item.kind, item.key))
            yield item


def _slug(name: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split())


def _yaml(value: dict[str, Any]) -> str:
    return "---\n" + str(yaml.safe_dump(value, sort_keys=False))
