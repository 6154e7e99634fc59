"""Wirings of planned clusters beside the cables that their designers list."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
import yaml

from rackwright.formats.wiring_folder import LINKS, PARTS, PLAN, End, read_plan
from rackwright.records.errors import InputError
from rackwright.validate.same_wiring import compare
from rackwright.validate.wiring import score_wiring, wire

PORTS = [{"name": f"E{i}"} for i in range(1, 9)]


def plan_of(servers=4, rails=4, zones=("1-4", "5-8")):
    """Return the plan of a small cluster: `rails` adapters each, leaves of 4 x 2 down, 4 up."""
    nics = [{"server_class": "c", "nic_id": f"be{r}", "module_type": "nic"} for r in range(rails)]
    return {
        "reference_data": {
            "device_types": [{"id": "sw", "model": "Switch", "slug": "switch",
                              "interface_templates": PORTS}],
            "module_types": [{"id": "nic", "model": "Adapter",
                              "interface_templates": [{"name": "p0"}]}],
            "breakout_options": [{"id": "two", "logical_ports": 2},
                                 {"id": "one", "logical_ports": 1}],
        },
        "switch_classes": [
            {"switch_class_id": "leaf", "fabric_name": "be", "hedgehog_role": "server-leaf",
             "device_type_extension": "sw"},
            {"switch_class_id": "spine", "fabric_name": "be", "hedgehog_role": "spine",
             "device_type_extension": "sw"},
        ],
        "switch_port_zones": [
            {"switch_class": "leaf", "zone_name": "down", "zone_type": "server",
             "port_spec": zones[0], "breakout_option": "two"},
            {"switch_class": "leaf", "zone_name": "up", "zone_type": "uplink",
             "port_spec": zones[1], "breakout_option": "one"},
            {"switch_class": "spine", "zone_name": "all", "zone_type": "fabric",
             "port_spec": "1-8", "breakout_option": "one"},
        ],
        "server_classes": [{"server_class_id": "c", "quantity": servers,
                            "server_device_type": "s"}],
        "server_nics": nics,
        "server_connections": [
            {"nic": f"be{r}", "ports_per_connection": 1, "rail": r, "target_zone": "leaf/down",
             "distribution": "rail-optimized"} for r in range(rails)
        ],
    }  # fmt: skip


def folder_of(tmp_path: Path, plan=None, change=None) -> Path:
    """Return a folder with a plan and our own cables, renamed, perhaps changed."""
    plan = plan or plan_of()
    (tmp_path / PLAN).write_text(yaml.safe_dump(plan))
    cables, parts = wire(read_plan(tmp_path))
    rows = [[a.device, a.port, a.role, b.device, b.port, b.role] for a, b in cables]
    other = {"c-001": "c-003", "c-003": "c-001", "leaf-01": "leaf-02", "leaf-02": "leaf-01"}
    rows = [[other.get(cell, cell) for cell in row] for row in rows]
    if change:
        change(rows)
    with (tmp_path / LINKS).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["a_device", "a_interface", "a_role", "b_device", "b_interface", "b_role"])
        writer.writerows(rows)
    with (tmp_path / PARTS).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["section", "module_type_model", "hedgehog_class", "quantity"])
        writer.writerows([p.section, p.model, p.used_for, p.quantity] for p in parts)
    return tmp_path


@pytest.mark.skipif("RACKWRIGHT_DATA" not in os.environ, reason="RACKWRIGHT_DATA is not set")
def test_published_wirings_are_ours_up_to_names():
    folder = Path(os.environ["RACKWRIGHT_DATA"]) / "catalog" / "ocdai"
    score = score_wiring([folder])

    assert len(score.variants) == 3
    for variant in score.variants:
        assert (variant.matched, variant.missing, variant.extra) == (variant.links, 0, 0)
        assert variant.bom_wrong == 0
        assert variant.first_difference == ""


def test_devices_may_have_other_names_within_their_roles(tmp_path):
    (variant,) = score_wiring([folder_of(tmp_path)]).variants
    assert (variant.links, variant.matched, variant.missing, variant.extra) == (24, 24, 0, 0)


def test_two_swapped_cables_are_told_with_their_place(tmp_path):
    def swap(rows):
        up = [i for i, row in enumerate(rows) if row[5] == "spine"]
        i, j = up[0], up[-1]
        rows[i][3:5], rows[j][3:5] = rows[j][3:5], rows[i][3:5]

    (variant,) = score_wiring([folder_of(tmp_path, change=swap)]).variants
    assert variant.missing == variant.extra == 2
    assert "spine" in variant.first_difference


def test_a_cable_that_is_lacking_is_missing_from_theirs(tmp_path):
    (variant,) = score_wiring([folder_of(tmp_path, change=lambda rows: rows.pop())]).variants
    assert (variant.missing, variant.extra) == (0, 1)
    assert variant.first_difference


def test_a_port_with_two_cables_is_told(tmp_path):
    (variant,) = score_wiring(
        [folder_of(tmp_path, change=lambda rows: rows.append(rows[0]))]
    ).variants
    assert "carries two cables" in variant.first_difference


def test_a_part_that_differs_is_counted(tmp_path):
    folder = folder_of(tmp_path)
    file = folder / PARTS
    file.write_text(file.read_text().replace("Adapter,,16", "Adapter,,15"))
    (variant,) = score_wiring([folder]).variants
    assert variant.bom_wrong == 1
    assert (variant.parts[0].printed, variant.parts[0].computed) == (15, 16)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda p: p.pop("switch_classes"), "switch_classes"),
        (lambda p: p["server_connections"][0].update(target_zone="leaf"), "not enough values"),
        (lambda p: p["server_connections"][0].update(target_zone="x/y"), "no zone x/y"),
        (lambda p: p["switch_port_zones"][0].update(port_spec="1-99"), "out of range"),
        (lambda p: p["server_classes"][0].update(quantity=10_000), "more than a leaf reaches"),
        (lambda p: p["switch_port_zones"].pop(1), "no uplinks"),
    ],
)
def test_a_plan_that_cannot_work_is_told(tmp_path, damage, said):
    folder = folder_of(tmp_path)
    plan = plan_of()
    damage(plan)
    (folder / PLAN).write_text(yaml.safe_dump(plan))
    with pytest.raises(InputError, match=said):
        score_wiring([folder])


def test_files_that_are_lacking_or_damaged_are_told(tmp_path):
    folder = folder_of(tmp_path)
    (folder / LINKS).write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="no column a_device"):
        score_wiring([folder])
    with pytest.raises(InputError, match="no such folder"):
        score_wiring([tmp_path / "none"])


def test_a_folder_without_a_plan_is_skipped_and_says_so(tmp_path):
    folder = folder_of(tmp_path)
    (folder / PLAN).unlink()
    (variant,) = score_wiring([folder]).variants
    assert "no plan" in variant.skipped


def test_without_a_list_of_parts_the_cables_are_compared(tmp_path):
    folder = folder_of(tmp_path)
    (folder / PARTS).unlink()
    (variant,) = score_wiring([folder]).variants
    assert (variant.matched, variant.bom_wrong) == (24, 0)


def test_other_ports_are_another_wiring():
    ours = [(End("server", "a", "p0"), End("leaf", "l", "E1"))]
    theirs = [(End("server", "x", "p0"), End("leaf", "m", "E2"))]
    assert compare(ours, theirs).matched == 0
