"""A folder with a cluster's wiring: the plan (`topology-map.yaml`), its cables and its parts.

The form is that of the Open Cluster Designs of OCP: `connectivity-map.csv` has one row for each
link, `bom.csv` quantities by section, and the plan says which classes of switches and servers
there are, which ports of a class are for what, and which adapters go where.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from rackwright.records.errors import InputError

PLAN, LINKS, PARTS = "topology-map.yaml", "connectivity-map.csv", "bom.csv"

_COLUMNS = ("a_device", "a_interface", "a_role", "b_device", "b_interface", "b_role")


class End(NamedTuple):
    """One end of a link."""

    role: str
    device: str
    port: str


class Zone(NamedTuple):
    """Ports of a class of switches for one use, in the order in which they are filled."""

    kind: str  # server | uplink | fabric
    ports: tuple[str, ...]  # names of logical ports
    per_cage: int


class SwitchClass(NamedTuple):
    """Equal switches of one fabric."""

    name: str
    fabric: str
    role: str  # leaf | spine
    model: str
    least: int  # switches that redundancy asks for
    zones: Mapping[str, Zone]


class Attachment(NamedTuple):
    """Ports of each server of a class that go to one class of leaves, in order."""

    switch_class: str
    zone: str
    ports: tuple[str, ...]


class Plan(NamedTuple):
    """What a wiring is made from."""

    server_class: str
    servers: int
    adapters: tuple[str, ...]  # models, one for each adapter of a server
    server_model: str
    switches: tuple[SwitchClass, ...]
    attachments: tuple[Attachment, ...]


class PartLine(NamedTuple):
    """A line of the list of parts."""

    section: str
    model: str
    used_for: str
    quantity: int


def read_plan(folder: Path) -> Plan:
    """Return the plan of a folder.

    Raises:
        InputError: there is none, or it lacks or contradicts something; the message names it.
    """
    path = folder / PLAN
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError([f"{path}: cannot be read: {error.strerror}"]) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise InputError([f"{path}{f':{mark.line + 1}' if mark else ''}: no YAML"]) from None
    try:
        return _plan(data)
    except KeyError as error:
        raise InputError(
            [f"{path}: nothing named {error.args[0]!r}, which the plan needs"]
        ) from None
    except (TypeError, ValueError, IndexError, AttributeError) as error:
        raise InputError([f"{path}: {error}"]) from None


def read_links(folder: Path) -> tuple[tuple[End, End], ...]:
    """Return the cables of a folder, one pair of ends each.

    Raises:
        InputError: the file cannot be read or lacks columns.
    """
    rows = _rows(folder / LINKS, _COLUMNS)
    return tuple(
        (
            End(r["a_role"], r["a_device"], r["a_interface"]),
            End(r["b_role"], r["b_device"], r["b_interface"]),
        )
        for r in rows
    )


def read_parts(folder: Path) -> tuple[PartLine, ...]:
    """Return the parts of a folder.

    Raises:
        InputError: the file cannot be read, lacks columns, or a quantity is no whole number.
    """
    path, found, mistakes = folder / PARTS, [], []
    rows = _rows(path, ("section", "module_type_model", "hedgehog_class", "quantity"))
    for line, row in enumerate(rows, start=2):
        if row["section"].startswith("#"):
            continue
        try:
            quantity = int(row["quantity"])
        except ValueError:
            mistakes.append(f"{path}:{line}: quantity: {row['quantity']!r} is no whole number")
            continue
        found.append(
            PartLine(row["section"], row["module_type_model"], row["hedgehog_class"], quantity)
        )
    if mistakes:
        raise InputError(mistakes)
    return tuple(found)


def _rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            lacking = [c for c in columns if c not in (reader.fieldnames or ())]
            if lacking:
                raise InputError([f"{path}:1: no column {', '.join(lacking)}"])
            return [{k: v or "" for k, v in row.items() if k} for row in reader]
    except OSError as error:
        raise InputError([f"{path}: cannot be read: {error.strerror}"]) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError([f"{path}: no CSV: {error}"]) from None


def _plan(data: Any) -> Plan:
    reference = data["reference_data"]
    devices = _by_id(reference["device_types"])
    modules = _by_id(reference["module_types"])
    breakouts = _by_id(reference["breakout_options"])
    extensions = _by_id(reference.get("device_type_extensions") or [])
    if len(data["server_classes"]) != 1:
        raise ValueError(f"{len(data['server_classes'])} server classes: only one can be wired")
    server = data["server_classes"][0]
    adapters = {n["nic_id"]: modules[n["module_type"]] for n in data["server_nics"]}
    switches = [
        _switch_class(c, data["switch_port_zones"], devices, extensions, breakouts)
        for c in data["switch_classes"]
    ]
    return Plan(
        server_class=server["server_class_id"],
        servers=int(server["quantity"]),
        adapters=tuple(a["model"] for a in adapters.values()),
        server_model=devices.get(server["server_device_type"], {}).get("model", ""),
        switches=tuple(switches),
        attachments=_attachments(data["server_connections"], adapters),
    )


def _switch_class(
    entry: Mapping[str, Any],
    zones: Sequence[Mapping[str, Any]],
    devices: Mapping[str, Any],
    extensions: Mapping[str, Any],
    breakouts: Mapping[str, Any],
) -> SwitchClass:
    name = entry["switch_class_id"]
    extension = extensions.get(entry["device_type_extension"], {})
    device = devices[extension.get("device_type", entry["device_type_extension"])]
    cages = [template["name"] for template in device["interface_templates"]]
    found = {}
    for zone in sorted(zones, key=lambda z: z.get("priority", 0)):
        if zone["switch_class"] == name:
            per_cage = int(breakouts[zone["breakout_option"]]["logical_ports"])
            ports = tuple(
                f"{cages[i - 1]}/{k}" if per_cage > 1 else cages[i - 1]
                for i in _numbers(zone["port_spec"])
                for k in range(1, per_cage + 1)
            )
            found[zone["zone_name"]] = Zone(zone["zone_type"], ports, per_cage)
    return SwitchClass(
        name,
        entry["fabric_name"],
        "spine" if entry["hedgehog_role"] == "spine" else "leaf",
        device.get("slug") or device["model"],
        2 if entry.get("redundancy_type") or entry.get("mclag_pair") else 1,
        found,
    )


def _attachments(
    connections: Sequence[Mapping[str, Any]], adapters: Mapping[str, Any]
) -> tuple[Attachment, ...]:
    """Return the connections of a server grouped by where they go, in the order of the rails."""
    grouped: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for connection in connections:
        switch_class, zone = connection["target_zone"].split("/")
        templates = adapters[connection["nic"]]["interface_templates"]
        first = int(connection.get("port_index", 0))
        for i in range(int(connection["ports_per_connection"])):
            port = f"{connection['nic']}-{templates[first + i]['name']}"
            rail = connection.get("rail")
            grouped.setdefault((switch_class, zone), []).append(
                (int(rail) if rail is not None else i, port)
            )
    return tuple(
        Attachment(switch_class, zone, tuple(port for _, port in sorted(ports, key=lambda p: p[0])))
        for (switch_class, zone), ports in grouped.items()
    )


def _by_id(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {entry["id"]: entry for entry in entries}


def _numbers(spec: str) -> list[int]:
    """Return the numbers of "1-63:2,64": ranges with a step.

    >>> _numbers("1-7:2,8")
    [1, 3, 5, 7, 8]
    """
    found: list[int] = []
    for part in str(spec).split(","):
        span, _, step = part.partition(":")
        low, _, high = span.partition("-")
        found += range(int(low), int(high or low) + 1, int(step or 1))
    return found
