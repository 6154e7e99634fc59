"""Fabrics in the formats of other tools, read back by their own readers and schemas."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest
import yaml

from rackwright.formats.cable_schedule import COLUMNS, read_schedule, write_schedule
from rackwright.formats.exports import EXPORTS, Subject
from rackwright.formats.infragraph import infragraph, infragraph_text
from rackwright.formats.laid import cable_rows
from rackwright.formats.netbox_fabric import device_types, netbox_files
from rackwright.records.errors import InputError, RackwrightError
from tests.formats.laid_fabrics import small

TWO_PLANES = {"switch": "nvidia-sn5610", "nic_bit_per_s": 8e11, "planes": 2}


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_a_cable_schedule_is_read_back_identically(ending, tmp_path):
    rows = tuple(cable_rows(small()))
    path = write_schedule(rows, tmp_path / f"cables{ending}")

    assert read_schedule(path) == rows
    assert len(rows) == 2 * 512 + 2 * 128


def test_every_port_has_one_cable_and_every_end_a_rack():
    laid = small(**TWO_PLANES)
    rows = list(cable_rows(laid))
    ends = [(e.device, e.port) for row in rows for e in (row.a, row.b)]
    racks = {r.name for r in laid.fabric.racks}

    assert len(set(ends)) == len(ends)
    assert {e.rack for row in rows for e in (row.a, row.b)} <= racks
    assert len({row.cable for row in rows}) == len(rows)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("length_m", "far", "column length_m: found 'far'"),
        ("length_m", "-2", "allowed 0 m or more"),
        ("a_rack", "", "column a_rack: is empty"),
    ],
)
def test_cells_that_cannot_be_right_are_told_with_row_and_column(column, value, said, tmp_path):
    path = write_schedule(cable_rows(small()), tmp_path / "cables.csv")
    lines = list(csv.reader(path.read_text().splitlines()))
    lines[3][COLUMNS.index(column)] = value
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(lines)
    with pytest.raises(InputError, match=r"cables\.csv:4") as told:
        read_schedule(path)
    assert said in str(told.value)


def test_a_port_with_two_cables_is_told(tmp_path):
    rows = list(cable_rows(small()))
    path = write_schedule([*rows, rows[0]], tmp_path / "cables.csv")
    with pytest.raises(InputError, match="has a cable already, in line 2"):
        read_schedule(path)


def test_a_damaged_workbook_is_told(tmp_path):
    path = tmp_path / "cables.xlsx"
    path.write_bytes(b"PK\x03\x04 no workbook")
    with pytest.raises(InputError, match="no Excel workbook"):
        read_schedule(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_schedule(tmp_path / "none.csv")
    with pytest.raises(RackwrightError, match=r"ends in \.csv or \.xlsx"):
        write_schedule([], tmp_path / "cables.ods")


@pytest.mark.filterwarnings("ignore")  # of the package's own imports
@pytest.mark.parametrize(
    "other",
    [
        {"accelerators": 256},
        {**TWO_PLANES, "accelerators": 128},
        pytest.param({"accelerators": 4096}, marks=pytest.mark.slow),
    ],
)
def test_infragraph_reads_our_document_and_counts_the_same(other):
    infragraph_package = pytest.importorskip("infragraph")
    from infragraph.infragraph_service import InfraGraphService

    laid = small(**other)
    document = infragraph_package.Infrastructure()
    document.deserialize(infragraph_text(laid))
    service = InfraGraphService()
    service.set_graph(document)
    graph = service.get_networkx_graph()
    between = [(a, b) for a, b in graph.edges if a.rsplit(".", 2)[0] != b.rsplit(".", 2)[0]]

    assert len(between) == sum(net.wiring.links for net in laid.networks)
    for net in laid.networks:
        for tier, count in net.wiring.devices.items():
            name = tier if tier == "server" else f"{net.name}-{tier}"
            found = {n.split(".")[1] for n in graph.nodes if n.startswith(f"{name}.")}
            assert len(found) == count


def test_infragraph_edges_are_fewer_than_links():
    laid = small()
    assert len(infragraph(laid)["edges"]) < sum(net.wiring.links for net in laid.networks)


def test_netbox_devices_and_cables_name_the_same_things():
    files = netbox_files(small())
    devices = {row["name"]: row for row in csv.DictReader(files["devices.csv"].splitlines())}
    types = {
        t["model"]: {i["name"] for i in t["interfaces"]} for t in device_types(small()).values()
    }
    racks = {row["name"] for row in csv.DictReader(files["racks.csv"].splitlines())}
    assert {row["rack"] for row in devices.values()} <= racks
    for row in csv.DictReader(files["cables.csv"].splitlines()):
        for side in "ab":
            device = devices[row[f"side_{side}_device"]]
            assert row[f"side_{side}_name"] in types[device["device_type"]]
        assert float(row["length"]) > 0


@pytest.mark.skipif("RACKWRIGHT_DATA" not in os.environ, reason="RACKWRIGHT_DATA is not set")
def test_netbox_device_types_keep_to_the_schema():
    jsonschema = pytest.importorskip("jsonschema")
    referencing = pytest.importorskip("referencing")
    folder = Path(os.environ["RACKWRIGHT_DATA"]) / "catalog" / "schemas" / "netbox-devicetype"
    schemas = {f.name: json.loads(f.read_text()) for f in folder.glob("*.json")}
    resources = []
    for name, schema in schemas.items():
        resource = referencing.Resource(schema, referencing.jsonschema.DRAFT7)
        resources += [(name, resource)]
        resources += [(schema["$id"], resource)] if "$id" in schema else []
        resources += [
            (f"{schemas['devicetype.json'].get('$id', '').rpartition('/')[0]}/{name}", resource)
        ]
    registry = referencing.Registry().with_resources(resources)
    check = jsonschema.Draft7Validator(schemas["devicetype.json"], registry=registry)
    files = netbox_files(small())
    for name, text in files.items():
        if name.endswith(".yaml"):
            assert list(check.iter_errors(yaml.safe_load(text))) == []


def test_the_bill_has_a_range_a_grade_and_a_source_in_each_line(tmp_path):
    laid = small()
    (path,) = EXPORTS["fabric-bill"].write(Subject(laid), tmp_path / "x.csv")
    rows = list(csv.DictReader(path.read_text().splitlines()))
    middle = sum((float(r["usd_low"]) + float(r["usd_high"])) / 2 for r in rows)

    assert middle == pytest.approx(sum(net.usd for net in laid.fabric.networks))
    assert all(float(r["usd_low"]) <= float(r["usd_high"]) for r in rows)
    assert all(r["grade"] in "ABCD" and r["source"] for r in rows)


def test_each_plane_is_a_topology_file_of_its_own(tmp_path):
    written = EXPORTS["ibnetdiscover"].write(Subject(small(**TWO_PLANES)), tmp_path / "x.topo")
    assert [p.name for p in written] == ["x.plane-1.topo", "x.plane-2.topo"]


@pytest.mark.parametrize("name", sorted(n for n, e in EXPORTS.items() if e.needs == "fabric"))
def test_every_format_writes_the_same_bytes_twice(name, tmp_path):
    ending = EXPORTS[name].ending
    first, second = (
        EXPORTS[name].write(Subject(small()), tmp_path / str(i) / f"x{ending}")
        for i in range(2)
        if (tmp_path / str(i)).mkdir() is None
    )
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]
