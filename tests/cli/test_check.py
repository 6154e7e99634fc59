"""`rackwright init` and `rackwright check`: from nothing to a study without mistakes."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from rackwright.cli.app import main
from rackwright.cli.check import KINDS, examine
from rackwright.formats.stored import write_record
from rackwright.records.acceptance import Measurement
from rackwright.records.base import record_sha256
from rackwright.records.errors import InputError
from rackwright.records.provenance import Grade
from rackwright.records.space import Parameters, SearchStats, Space

ROOT = Path(__file__).parents[2]


def rackwright(*words):
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    return left.value.code


def test_a_fresh_study_passes_its_check(tmp_path, capsys):
    file = tmp_path / "study.toml"

    assert rackwright("init", file) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"next: rackwright check {file}"
    assert rackwright("check", file) == 0
    out, err = capsys.readouterr()
    assert "a study, 1 workload, " in out
    assert out.splitlines()[-1] == f"next: rackwright run {file}"
    assert err == ""


def test_init_does_not_overwrite_unless_forced(tmp_path, capsys):
    file = tmp_path / "study.toml"
    file.write_text("mine")

    assert rackwright("init", file) == 2
    assert "exists" in capsys.readouterr().err
    assert file.read_text() == "mine"
    assert rackwright("init", file, "--force", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"written": str(file)}


def test_init_into_an_unwritable_place_is_one_message(tmp_path, capsys):
    (tmp_path / "file").write_text("")

    assert rackwright("init", tmp_path / "file" / "study.toml") == 2
    err = capsys.readouterr().err
    assert "cannot be written" in err
    assert err.count("\n") == 1


def test_check_tells_all_mistakes_and_nothing_on_stdout(tmp_path, capsys):
    file = tmp_path / "study.toml"
    rackwright("init", file)
    capsys.readouterr()
    text = file.read_text().replace('"20 MW"', '"20 MWh"').replace("racks = 8 ", "racs = 8 ")
    file.write_text(text)

    assert rackwright("check", file) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Did you mean MW?" in err
    assert "Did you mean racks" in err
    assert "2 mistakes" in err

    assert rackwright("check", file, "--json") == 2
    assert len(json.loads(capsys.readouterr().out)["errors"]) == 2


def test_findings_leave_with_one(tmp_path, capsys):
    file = tmp_path / "study.toml"
    rackwright("init", file)
    file.write_text(file.read_text().replace('origin = "KR"\nfactor', 'origin = "JP"\nfactor'))

    assert rackwright("check", file) == 1
    assert "no supply comes from JP" in capsys.readouterr().out


def test_the_schema_is_json_and_knows_units(capsys):
    assert rackwright("check", "--schema") == 0
    schema = json.loads(capsys.readouterr().out)

    power = schema["$defs"]["DataCenter"]["properties"]["power_w"]["anyOf"]
    assert [option["type"] for option in power] == ["number", "string"]


def test_check_without_a_file_says_what_to_name(capsys):
    assert rackwright("check") == 2
    assert "name a file" in capsys.readouterr().err


def space():
    values = np.ones((4, 1))
    parameters = Parameters(
        names=("x",), nominal=np.ones(1), values=values, weights=np.full(4, 0.25), grades=(Grade.D,)
    )
    return Space(
        study_sha256="0" * 64, workloads=("chat",), rows=(), rates=np.ones((0, 1, 4)),
        parameters=parameters, dominated=0, search=SearchStats(), grade=Grade.D,
    )  # fmt: skip


def test_a_scenario_is_known_by_its_content(tmp_path):
    file = tmp_path / "closure.toml"
    file.write_text('name = "closure"\n[[supply]]\norigin = "JP"\nfactor = 0\n')

    assert examine(file).kind == "scenario"


def test_a_record_is_known_by_its_content_whatever_its_name(tmp_path):
    write_record(tmp_path, "whatever", space())

    outcome = examine(tmp_path / "whatever.json")

    assert outcome.kind == "design space"
    assert outcome.sha256 == record_sha256(space())


def test_a_changed_record_is_told_with_its_line(tmp_path):
    file = write_record(tmp_path, "space", space())
    file.write_text(file.read_text().replace('"dominated": 0', '"dominated": -1'))

    with pytest.raises(
        InputError, match=r"space.json:\d+: dominated: found -1, allowed a whole number ≥ 0"
    ):
        examine(file)


def test_measurements_are_checked_line_by_line(tmp_path, capsys):
    reading = Measurement(plan_sha256="a" * 64, rack="r1", probe="p", value=1.0, unit="W")
    file = tmp_path / "early.jsonl"
    file.write_text(f"{reading.model_dump_json()}\n{reading.model_dump_json()}\n")

    assert rackwright("check", file) == 0
    assert "early.jsonl: measurements, 2 readings of 1 rack for plan" in capsys.readouterr().out

    file.write_text(file.read_text().replace('"value":1.0', '"value":"fast"', 1))
    assert rackwright("check", file) == 2
    assert 'early.jsonl:1: value: found "fast", allowed a number' in capsys.readouterr().err


@pytest.mark.parametrize("text", ['{"colour": "red"}', "[1, 2]", "", "{", '"a"', "\xff"])
def test_a_file_of_nobody_is_told_by_name_and_line(text, tmp_path):
    file = tmp_path / "thing.json"
    file.write_text(text, encoding="latin-1")

    with pytest.raises(InputError, match=r"thing.json:\d+: "):
        examine(file)


def test_every_kind_of_file_is_a_record_told_apart_by_its_keys():
    keys = {kind: frozenset(cls.model_fields) for kind, cls in KINDS.items()}

    assert len(set(keys.values())) == len(keys)


def test_a_rack_described_in_a_file_is_held_against_the_rules(capsys):
    file = ROOT / "examples" / "racks" / "dgx-h100-on-two-feeds.toml"

    assert rackwright("check", file) == 1
    out = capsys.readouterr().out
    assert "a physical design, 2 errors and 0 warnings" in out
    assert "3 x 3.3 kW = 9.9 kW < 10.2 kW" in out
    assert "(8 racks)" in out


def test_a_rack_on_three_feeds_is_clean(tmp_path, capsys):
    text = (ROOT / "examples" / "racks" / "dgx-h100-on-two-feeds.toml").read_text()
    file = tmp_path / "rack.toml"
    file.write_text(text.replace("[3, 3]", "[2, 2, 2]").replace('"2N"', '"distributed"'))

    assert rackwright("check", file) == 0
    assert "0 errors and 0 warnings" in capsys.readouterr().out


def test_mistakes_in_a_described_rack_are_told_with_their_lines(tmp_path):
    text = (ROOT / "examples" / "racks" / "dgx-h100-on-two-feeds.toml").read_text()
    file = tmp_path / "rack.toml"
    file.write_text(text.replace("units = 48", "units = -4").replace('"2N"', '"3N"'))
    with pytest.raises(InputError) as told:
        examine(file)
    mistakes = "\n".join(told.value.mistakes)
    assert "mechanics.frame.units: found -4" in mistakes
    assert 'redundancy: found "3N"' in mistakes


def test_a_study_is_checked_against_a_catalog_of_ones_own(tmp_path, capsys):
    file, mine = tmp_path / "study.toml", tmp_path / "mine" / "systems"
    rackwright("init", file)
    shipped = files("rackwright.catalog") / "systems" / "nvidia-gb200-nvl72.toml"
    mine.mkdir(parents=True)
    (mine / "ours-nvl72.toml").write_text(shipped.read_text("utf-8").replace("aliases = ", "# "))
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('"nvidia-gb200-nvl72"', '"ours-nvl72"'), encoding="utf-8")

    assert '"ours-nvl72"' in file.read_text(encoding="utf-8")
    assert rackwright("check", file) == 2
    assert rackwright("check", file, "--catalog", mine.parent) == 0
    assert "no system or server named 'ours-nvl72'" in capsys.readouterr().err
