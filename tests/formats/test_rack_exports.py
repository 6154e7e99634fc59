"""A rack in the field's formats: read back by their own readers, damaged tables told by cell."""

import json
import os
import re
import warnings
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest
import yaml
from openpyxl import load_workbook

from rackwright.catalog import load
from rackwright.design.bom import bill_of
from rackwright.design.candidates import enumerate_candidates
from rackwright.design.cooling import Site
from rackwright.design.physical import as_built
from rackwright.drawing.coolant import coolant_svg
from rackwright.drawing.elevation import elevation_svg
from rackwright.drawing.power_flow import power_svg
from rackwright.formats.bill import COLUMNS, read_bill, write_bill
from rackwright.formats.cyclonedx import cyclonedx_text
from rackwright.formats.netbox_rack import netbox_rack_files
from rackwright.formats.rack_scene import boxes, glb_bytes, racks_in_row, row_boxes, usda_text
from rackwright.load import load_study
from rackwright.records.errors import InputError

ROOT = Path(__file__).parents[2]
CATALOG = load()
STUDY = load_study(ROOT / "examples" / "houston" / "study.toml").study
CANDIDATES = enumerate_candidates(STUDY, CATALOG).all
CANDIDATE = next(c for c in CANDIDATES if c.rack.key == "nvidia-gb200-nvl72")
BUILT = as_built(CANDIDATE.rack, CATALOG, Site(supply_c=35), "N+1")
BILL = bill_of(CANDIDATE, CATALOG)


# --- bill -------------------------------------------------------------------------------------


def test_the_bill_costs_what_the_search_charged_for_parts():
    racks = CANDIDATE.hardware.racks
    parts = sum(i.line.quantity * i.line.unit_usd for i in CANDIDATE.items) * racks
    assert BILL.usd() == pytest.approx(parts)


def test_every_line_stands_in_another_and_its_quantities_multiply():
    rows = {row.number: row for row in BILL.rows}
    for number, row in rows.items():
        above = number.rpartition(".")[0]
        if above:
            assert row.total == pytest.approx(row.quantity * rows[above].total), number


def test_what_a_rack_has_once_stands_in_the_rack_and_not_in_a_tray():
    rows = {row.number: row for row in BILL.rows}
    inside = {row.part: rows[row.number.rpartition(".")[0]].name for row in BILL.rows[1:]}
    assert inside["nvlink-copper-backplane"] == inside["busbar-rack"] == "frame"
    assert inside["nvidia-mgx-33kw"] == "power"
    for row in BILL.rows:
        if row.number.startswith("1.1") and row.unit == "each":
            assert row.quantity == int(row.quantity), row


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_a_bill_is_read_back_as_it_was_written(tmp_path, ending):
    path = write_bill(BILL, tmp_path / f"bill{ending}")
    assert read_bill(path) == BILL


def test_wrong_cells_are_told_by_their_place(tmp_path):
    path = write_bill(BILL, tmp_path / "bill.xlsx")
    book = load_workbook(path)
    sheet = book.active
    sheet.cell(5, COLUMNS.index("quantity") + 1).value = -3
    sheet.cell(6, COLUMNS.index("part") + 1).value = None
    book.save(path)
    with pytest.raises(InputError) as told:
        read_bill(path)
    text = "\n".join(told.value.mistakes)
    assert "cell E5 (quantity): found -3" in text
    assert "cell C6 (part): is empty" in text


def test_a_line_without_the_one_above_it_is_told(tmp_path):
    path = write_bill(BILL, tmp_path / "bill.csv")
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("1.1.1,")))
    with pytest.raises(InputError, match=r"no line 1\.1\.1"):
        read_bill(path)


@pytest.mark.parametrize("keep", [0, 10, 300])
def test_a_damaged_workbook_is_told(tmp_path, keep):
    path = write_bill(BILL, tmp_path / "bill.xlsx")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match="damaged"):
        read_bill(path)


def test_a_workbook_with_a_damaged_inside_is_told(tmp_path):
    path = write_bill(BILL, tmp_path / "bill.xlsx")
    with ZipFile(path) as book:
        members = {name: book.read(name) for name in book.namelist()}
    refused = 0
    for name, whole in members.items():
        for spoilt in (whole[: len(whole) // 2], whole.replace(b'="', b'Q="', 5), b"\xff" * 99):
            with ZipFile(path, "w") as book:
                for other, data in members.items():
                    book.writestr(other, spoilt if other == name else data)
            try:
                read_bill(path)  # a workbook can do without some of its parts
            except InputError:
                refused += 1
    assert refused >= len(members)
    data = bytearray(write_bill(BILL, path).read_bytes())
    with ZipFile(path) as book:
        at = book.getinfo("xl/worksheets/sheet1.xml").header_offset + 200
    data[at : at + 40] = b"\xff" * 40
    path.write_bytes(data)
    with pytest.raises(InputError, match="damaged"):
        read_bill(path)


def test_a_csv_that_begins_with_nothing_is_told(tmp_path):
    path = tmp_path / "bill.csv"
    path.write_text("\n\n")
    with pytest.raises(InputError, match="first line"):
        read_bill(path)


def test_empty_lines_are_passed_over_and_typed_numbers_understood(tmp_path):
    path = write_bill(BILL, tmp_path / "bill.xlsx")
    book = load_workbook(path)
    book.active.insert_rows(7)
    book.active.cell(3, 1).value, book.active.cell(4, 1).value = 1, 1.1
    book.save(path)
    assert read_bill(path) == BILL


@pytest.mark.parametrize(
    ("row", "column", "value", "said"),
    [
        (6, "total", 99999, r"cell F6 \(total\): found 99999"),
        (7, "number", "1.1.1.1", r"cell A7 \(number\): found '1.1.1.1': another line"),
        (6, "usd_low", 1e9, r"cell I6 \(usd\): .* must rise"),
    ],
)
def test_lines_that_disagree_are_told_by_their_cell(tmp_path, row, column, value, said):
    path = write_bill(BILL, tmp_path / "bill.xlsx")
    book = load_workbook(path)
    book.active.cell(row, COLUMNS.index(column) + 1).value = value
    book.save(path)
    with pytest.raises(InputError) as told:
        read_bill(path)
    assert any(re.search(said, mistake) for mistake in told.value.mistakes), told.value.mistakes


# --- formats of others ------------------------------------------------------------------------


def test_cyclonedx_takes_the_bill_strictly():
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = cyclonedx_text(BILL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert text == cyclonedx_text(BILL)
    assert text.count('"bom-ref"') == len(BILL.rows)
    assert "timestamp" not in text


def test_netbox_files_have_what_its_import_asks_for():
    files = {name: yaml.safe_load(text) for name, text in netbox_rack_files(BUILT).items()}
    racks = [made for name, made in files.items() if name.startswith("rack-types/")]
    assert [r["u_height"] for r in racks] == [BUILT.mechanics.frame.units]
    assert [r["width"] for r in racks] == [19]  # EIA trays in an Open Rack's frame
    devices = [made for name, made in files.items() if name.startswith("device-types/")]
    assert len(devices) == len({(i.kind, i.key) for i in BUILT.mechanics.items})
    for made in devices:
        assert isinstance(made["weight"], float)
        assert made["u_height"] % 0.5 == 0
        assert re.fullmatch(r"[-a-z0-9_]+", made["slug"])


@pytest.mark.skipif("RACKWRIGHT_DATA" not in os.environ, reason="the schemas are others' files")
def test_netbox_device_types_keep_to_the_schema():
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT202012

    folder = Path(os.environ["RACKWRIGHT_DATA"]) / "catalog" / "schemas" / "netbox-devicetype"
    parts = {p.name: json.loads(p.read_text()) for p in folder.glob("*.json")}
    registry = Registry().with_resources(
        [(name, Resource.from_contents(p, DRAFT202012)) for name, p in parts.items()]
    )
    validator = Draft202012Validator(parts["devicetype.json"], registry=registry)
    for name, text in netbox_rack_files(BUILT).items():
        if name.startswith("device-types/"):
            errors = [e.message for e in validator.iter_errors(yaml.safe_load(text))]
            assert not errors, (name, errors)


def test_a_scene_has_the_names_and_the_size_of_the_rack():
    import trimesh

    scene = trimesh.load(BytesIO(glb_bytes(boxes(BUILT))), file_type="glb")
    wanted = {box.name for box in boxes(BUILT)}
    assert set(scene.geometry) == wanted
    frame = BUILT.mechanics.frame
    assert scene.extents == pytest.approx([frame.width_m, frame.height_m, frame.depth_m], rel=1e-3)
    assert {i.name for i in BUILT.mechanics.items} <= wanted


def test_a_row_has_every_rack_beside_the_other():
    import trimesh

    count = racks_in_row(BUILT)
    scene = trimesh.load(BytesIO(glb_bytes(row_boxes(BUILT, count))), file_type="glb")
    assert len(scene.geometry) == count * len(list(boxes(BUILT)))
    assert scene.extents[0] == pytest.approx(count * BUILT.mechanics.frame.width_m, rel=1e-3)
    assert f"rack {count}, compute tray 18" in scene.geometry


def test_openusd_opens_the_rack():
    usd = pytest.importorskip("pxr.Usd", reason="needs the extra rackwright[usd]")
    layer = pytest.importorskip("pxr.Sdf").Layer.CreateAnonymous(".usda")
    assert layer.ImportFromString(usda_text(boxes(BUILT), BUILT.rack))
    stage = usd.Stage.Open(layer)
    names = {prim.GetDisplayName() for prim in stage.GetDefaultPrim().GetChildren()}
    assert names == {box.name for box in boxes(BUILT)}


@pytest.mark.parametrize("draw", [elevation_svg, power_svg, coolant_svg])
def test_drawings_are_well_formed_and_the_same_each_time(draw):
    text = draw(BUILT)
    assert ElementTree.fromstring(text).tag.endswith("svg")
    assert text == draw(BUILT)
