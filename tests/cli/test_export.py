"""The verb export: formats of a fabric plan and of a study's design."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from rackwright.cli import main
from rackwright.cli.export import FORMATS
from rackwright.formats.bill import read_bill
from rackwright.formats.ibnetdiscover import topology_text
from tests.formats.test_ibnetdiscover import swapped, wired

PLAN = Path(__file__).parents[2] / "examples" / "fabric" / "fabric.toml"
STUDY = Path(__file__).parents[2] / "examples" / "houston" / "study.toml"
KEY = "nvidia-gb200-nvl72/400g/o1/1r"


def called(capsys, *words):
    with pytest.raises(SystemExit) as left:
        main(["export", *map(str, words)])
    out, err = capsys.readouterr()
    return left.value.code, out, err


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_every_format_is_written_from_the_example(form, tmp_path, capsys):
    target = tmp_path / f"x{FORMATS[form].ending}"
    source = [STUDY, "--design", KEY] if FORMATS[form].needs == "rack" else [PLAN]
    code, out, _ = called(capsys, form, *source, "--out", target, "--json")

    assert code == 0
    answer = json.loads(out)
    assert all(Path(file).stat().st_size > 0 for file in answer["files"])
    if FORMATS[form].needs == "scale-up":
        assert (answer["scale_up"]["links"], answer["scale_up"]["switches"]) == (144, 2)
    elif FORMATS[form].needs == "rack":
        assert (answer["rack"], answer["bill_lines"] > 20) == ("nvidia-gb200-nvl72", True)
    else:
        assert answer["networks"][0]["links"] == 2048


def test_a_rack_is_asked_of_a_study(capsys):
    code, _, err = called(capsys, "glb", PLAN)
    assert code == 2
    assert "is no study" in err
    code, _, err = called(capsys, "glb", STUDY, "--design", "nvidia-gb200-nvl7")
    assert code == 2
    assert "nvidia-gb200-nvl72" in err


def test_a_bill_tells_what_parts_it_from_the_price_of_its_design(tmp_path, capsys):
    out = tmp_path / "bill.csv"
    code, told, _ = called(capsys, "bom", STUDY, "--design", KEY, "--out", out)
    assert code == 0
    numbers = r"([\d.]+) MUSD; with a residual of ([-+.\d]+) it is the design's price of ([\d.]+)"
    bill, residual, price = map(float, re.search(numbers, told).groups())
    assert bill + residual == pytest.approx(price, abs=0.011)
    rows = read_bill(out)
    assert rows.usd() / 1e6 == pytest.approx(bill, abs=0.006)


def test_a_design_of_a_study_is_exported(tmp_path, capsys):
    code, _, err = called(capsys, "cables", STUDY)
    assert code == 2
    assert "name a design with --design KEY" in err
    key = err.split("such as ")[1].split(",")[0]
    code, out, err = called(
        capsys, "cables", STUDY, "--design", key, "--out", tmp_path / "c.csv", "--json"
    )
    assert code == 0, err
    assert json.loads(out)["networks"][0]["links"] > 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("nvidia-qm9700", "nvidia-qm9701"), "no switch named"),
        (('"2.4 m"', '"-2.4 m"'), "floor.row_pitch_m"),
        (("accelerators = 1024", "accelerators = 131072"), "more than three tiers"),
        (("[0, 6, 13]", "[]"), "no cross tray joins the rows"),
        (("[0, 6, 13]", "[0, 99]"), "cross_trays"),
        (("by_rail", "by_rial"), "by_rail"),
        (("400 Gbit/s", "400 kg"), "nic_bit_per_s"),
    ],
)
def test_mistakes_of_a_plan_are_told_without_a_traceback(change, said, tmp_path, capsys):
    plan = tmp_path / "fabric.toml"
    plan.write_text(PLAN.read_text().replace(*change, 1))
    code, _, err = called(capsys, "fabric", plan, "--out", tmp_path / "x.json")
    assert code == 2
    assert said in err
    assert "Traceback" not in err


def test_the_backplane_of_an_nvl72_has_a_row_for_each_link(tmp_path, capsys):
    plan, table = tmp_path / "fabric.toml", tmp_path / "x.csv"
    plan.write_text(PLAN.read_text().replace("nvidia-dgx-b200", "nvidia-gb300-nvl72"))
    code, out, _ = called(capsys, "scale-up", plan, "--out", table)
    rows = table.read_text().splitlines()

    assert code == 0
    assert "5,184 copper pairs" in out
    assert len(rows) == 1 + 1296
    assert sum(int(row.split(",")[6]) for row in rows[1:]) == 5184


def test_an_unknown_format_is_told_with_the_nearest(capsys):
    code, _, err = called(capsys, "ibnetdiscovr", PLAN)
    assert code == 2
    assert "Did you mean ibnetdiscover?" in err


def test_a_fabric_plan_is_checked_like_any_other_file(capsys):
    with pytest.raises(SystemExit) as left:
        main(["check", str(PLAN)])
    assert left.value.code == 0
    assert "a fabric plan, 4 networks, 3492 links, 37 racks" in capsys.readouterr().out


def test_a_topology_is_checked_as_a_fat_tree(tmp_path, capsys):
    topology = tmp_path / "x.topo"
    called(capsys, "ibnetdiscover", PLAN, "--out", topology)
    code, out = checked(capsys, topology)
    assert code == 0
    assert "2048 links; a fat tree" in out


def test_a_swapped_cable_of_a_topology_is_named(tmp_path, capsys):
    topology = tmp_path / "x.topo"
    wiring = swapped(wired(64, 8, 64), 1)
    topology.write_text(topology_text(wiring, 64))
    code, out = checked(capsys, topology)

    assert code == 1
    assert "leaf-1 has 3 links to spine-1, others have 4: not a fat tree" in out


def checked(capsys, file):
    with pytest.raises(SystemExit) as left:
        main(["check", str(file)])
    return left.value.code, capsys.readouterr().out


@pytest.mark.parametrize("plan", sorted(PLAN.parent.glob("*.toml")), ids=lambda path: path.stem)
def test_every_example_of_a_fabric_is_laid_without_findings(plan, capsys):
    code, out = checked(capsys, plan)
    assert code == 0
    assert "a fabric plan" in out
