"""The formats of `rackwright export`: a name, what it is, and a function that writes it.

A format is one entry of `EXPORTS`. A writer takes the subject and the place to write to, and
returns the files that it wrote; `needs` says which part of the subject it cannot do without.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from rackwright.formats.atomic import make_folder, write_bytes, write_json, write_text
from rackwright.formats.bill import write_bill
from rackwright.formats.cable_schedule import write_schedule
from rackwright.formats.cyclonedx import cyclonedx_text
from rackwright.formats.ibnetdiscover import topology_text
from rackwright.formats.infragraph import infragraph_text
from rackwright.formats.laid import LaidFabric, cable_rows
from rackwright.formats.netbox_fabric import netbox_files
from rackwright.formats.netbox_rack import netbox_rack_files
from rackwright.formats.rack_scene import boxes, glb_bytes, racks_in_row, row_boxes, usda_text
from rackwright.formats.scale_up import LaidScaleUp, scale_up_text
from rackwright.records.as_built import RackAsBuilt
from rackwright.records.bill import BillOfMaterials
from rackwright.records.errors import RackwrightError
from rackwright.records.fabric import FabricLine

Need = Literal["fabric", "scale-up", "rack"]


class Subject(NamedTuple):
    """What can be exported: of each part at most one, None where it is not there."""

    fabric: LaidFabric | None = None
    scale_up: LaidScaleUp | None = None
    rack: RackAsBuilt | None = None
    bill: BillOfMaterials | None = None


class Export(NamedTuple):
    """One format."""

    summary: str
    needs: Need
    ending: str  # of the file written where no other is named; "" for a folder
    write: Callable[[Subject, Path], list[Path]]


def _fabric(subject: Subject) -> LaidFabric:
    assert subject.fabric is not None, "the verb gives what a format needs"
    return subject.fabric


def _bill(subject: Subject, path: Path) -> list[Path]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(list(FabricLine.model_fields))
    for line in _fabric(subject).fabric.bill:
        writer.writerow(line.model_dump(mode="json").values())
    return [write_text(path, text.getvalue())]


def _scale_up(subject: Subject, path: Path) -> list[Path]:
    assert subject.scale_up is not None, "the verb gives what a format needs"
    return [write_text(path, scale_up_text(subject.scale_up))]


def _topology(subject: Subject, path: Path) -> list[Path]:
    network = _fabric(subject).networks[0]
    tiers = set(network.wiring.devices)
    if not tiers <= {"server", "leaf", "spine", "core"}:
        odd = ", ".join(sorted(tiers - {"server", "leaf", "spine", "core"}))
        raise RackwrightError(
            f"export ibnetdiscover: a fabric of servers, leaves, spines and cores is written; "
            f"this one has {odd}. Plan it as a fat tree without fabric managers."
        )
    if network.planes == 1:
        return [write_text(path, topology_text(network.wiring, network.radix))]
    return [
        write_text(
            path.with_name(f"{path.stem}.plane-{plane + 1}{path.suffix}"),
            topology_text(network.wiring, network.radix, plane, network.planes),
        )
        for plane in range(network.planes)
    ]


def _netbox(subject: Subject, path: Path) -> list[Path]:
    return _files(netbox_files(_fabric(subject)), path)


def _files(texts: Mapping[str, str], path: Path) -> list[Path]:
    written = []
    for name, text in texts.items():
        make_folder((path / name).parent)
        written.append(write_text(path / name, text))
    return written


def _rack(subject: Subject) -> RackAsBuilt:
    assert subject.rack is not None, "the verb gives what a format needs"
    return subject.rack


def _rack_bill(subject: Subject) -> BillOfMaterials:
    assert subject.bill is not None, "the verb gives what a format needs"
    return subject.bill


EXPORTS: dict[str, Export] = {
    "ibnetdiscover": Export(
        "InfiniBand topology as ibnetdiscover prints it, a file for each plane", "fabric", ".topo",
        _topology,
    ),
    "infragraph": Export(
        "the fabric as an infragraph document (JSON)", "fabric", ".infragraph.json",
        lambda s, p: [write_text(p, infragraph_text(_fabric(s)))],
    ),
    "netbox": Export(
        "NetBox device types (YAML), devices and cables (CSV), in a folder", "fabric", "", _netbox
    ),
    "cables": Export(
        "the cable schedule, .csv or .xlsx", "fabric", ".csv",
        lambda s, p: [write_schedule(cable_rows(_fabric(s)), p)],
    ),
    "fabric-bill": Export(
        "the fabric's parts with price ranges and sources (CSV)", "fabric", ".bill.csv", _bill
    ),
    "scale-up": Export(
        "the links of one scale-up domain (CSV)", "scale-up", ".scale-up.csv", _scale_up
    ),
    "bom": Export(
        "the indented bill of materials, .csv or .xlsx", "rack", ".bom.csv",
        lambda s, p: [write_bill(_rack_bill(s), p)],
    ),
    "cyclonedx": Export(
        "the hardware bill as CycloneDX (JSON)", "rack", ".cdx.json",
        lambda s, p: [write_text(p, cyclonedx_text(_rack_bill(s)))],
    ),
    "netbox-rack": Export(
        "NetBox rack type and device types (YAML), in a folder", "rack", "",
        lambda s, p: _files(netbox_rack_files(_rack(s)), p),
    ),
    "glb": Export(
        "the rack as a scene with named parts (glTF binary)", "rack", ".glb",
        lambda s, p: [write_bytes(p, glb_bytes(boxes(_rack(s))))],
    ),
    "glb-row": Export(
        "a row of such racks as a scene with named parts (glTF binary)", "rack", ".row.glb",
        lambda s, p: [write_bytes(p, glb_bytes(row_boxes(_rack(s), racks_in_row(_rack(s)))))],
    ),
    "usd": Export(
        "the rack as OpenUSD (needs the extra rackwright[usd])", "rack", ".usda",
        lambda s, p: [write_text(p, usda_text(boxes(_rack(s)), _rack(s).rack))],
    ),
    "usd-row": Export(
        "a row of such racks as OpenUSD (needs the extra rackwright[usd])", "rack", ".row.usda",
        lambda s, p: [
            write_text(p, usda_text(row_boxes(_rack(s), racks_in_row(_rack(s))), _rack(s).rack))
        ],
    ),
    "rack": Export(
        "the rack as built: elevation, power, cooling, findings (JSON)", "rack", ".rack.json",
        lambda s, p: [write_json(p, _rack(s).model_dump(mode="json"))],
    ),
    "fabric": Export(
        "the fabric's record: counts, cable runs, racks (JSON)", "fabric", ".json",
        lambda s, p: [write_json(p, _fabric(s).fabric.model_dump(mode="json"))],
    ),
}  # fmt: skip
"""Formats by name."""
