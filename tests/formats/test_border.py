"""What comes in over the border, and what is said of what does not."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import Field

from rackwright.formats.border import parse, read_json_lines, read_located, read_record
from rackwright.records.base import Record
from rackwright.records.errors import InputError
from rackwright.records.quantity import PowerW
from rackwright.records.study import Study
from tests.damage import damaged

TINY = (Path(__file__).parent / "tiny_study.toml").read_text()


def mistakes(text, tmp_path, cls=Study):
    file = tmp_path / "study.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError) as caught:
        read_record(cls, file)
    return [line.removeprefix(f"{tmp_path}/") for line in caught.value.mistakes]


def test_a_study_is_read_into_numbers_of_si(tmp_path):
    (tmp_path / "study.toml").write_text(TINY)

    study = read_record(Study, tmp_path / "study.toml")

    assert study.data_centers[0].power_w == 100e6
    assert study.data_centers[0].energy_usd_per_kwh == 0.062
    assert study.workloads[1].tokens == 15e12
    assert study.factories[0].routes[0].transit_weeks == pytest.approx(5 / 7)
    assert study.horizon_weeks == 104


# What is changed in the tiny study, and what the message must say, in order.
CHANGES = [
    ('"100 MW"', '"100 MWh"', ["study.toml:30: data_centers[0].power_w: ", "an energy", "MW?"]),
    ('"100 MW"', "-5", ["study.toml:30: data_centers[0].power_w: found -5"]),
    ("floor_m2 = 9000", "floor = 9000", [":28: data_centers[0].floor_m2: missing", "in m2"]),
    ("floor_m2 = 9000", "floor_m2=1\nflor = 9", [":34: data_centers[0].flor: found an unknown"]),
    ("floor_m2 = 9000", "floor_m2=1\npeu = 1.2", ["unknown key. Did you mean pue?"]),
    ("tpot_s = 0.02", "tpot_s = 0", [":14: workloads[0].tpot_s: found 0, allowed > 0"]),
    ('"utility"', '"utilty"', [":31: data_centers[0].basis: found", "Did you mean utility?"]),
    ('kind = "training"', 'kind = "training "', [':20: workloads[1].kind: found "training "']),
    ('kind = "training"\n', "", [":19: workloads[1].kind: missing"]),
    ("2026-01-05", "2026", [":4: start: found 2026, allowed a date such as"]),
    ("104.0", "true", [":5: horizon_weeks: found true, allowed a whole number ≥ 4 and ≤ 520"]),
    ("104.0", '"104"', [':5: horizon_weeks: found "104", allowed a whole number']),
    ("104.0", "104.5", [":5: horizon_weeks: found 104.5"]),
    ("104.0", "nan", [":5: horizon_weeks: found nan"]),
    ("value = 4000 ", 'value = "many" ', [":42: factories[0].touch_hours_per_week"]),
    ("[{ value = 1000 }]", "[]", [":53: supplies[0].per_week: found a list of 0, allowed"]),
    ('country = "MX"', 'country = "Mexico"', [':41: factories[0].country: found "Mexico"', "ISO"]),
    ('"15 T tokens"', "15 T tokens", ["study.toml:23: column 13: malformed", '"15 T tokens".']),
    ('name = "tiny"', 'name = "tiny', ["study.toml:2: column 13: malformed TOML"]),
    ('name = "pretrain"', 'name = "chat"', ["study.toml:7: workloads: ", "'chat' is used twice"]),
    ("[{ value = 1000 }]", "[{ week = 9, value = 1 }, { week = 3, value = 2 }]",
     [":53: supplies[0].per_week: ", "must rise: found week 9 followed by week 3"]),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "told"), CHANGES)
def test_one_mistake_is_one_line_with_place_and_remedy(old, new, told, tmp_path):
    assert old in TINY
    lines = mistakes(TINY.replace(old, new, 1), tmp_path)

    line = next(line for line in lines if told[0] in line)
    for text in told:
        assert text in line
    assert len(lines) == (2 if new == "floor = 9000" else 1)  # the missing and the unknown key


def test_all_mistakes_are_told_at_once_and_in_the_order_of_the_file(tmp_path):
    text = (
        TINY.replace('"100 MW"', '"100 kg"').replace("2026-01-05", "1").replace('"KR"', '"Korea"')
    )

    lines = mistakes(text, tmp_path)

    assert [int(line.split(":")[1]) for line in lines] == [4, 30, 52]


def test_a_missing_file_names_the_nearest_one(tmp_path):
    (tmp_path / "study.toml").write_text(TINY)

    with pytest.raises(InputError, match=r"studi.toml: no such file. Did you mean study.toml\?"):
        read_record(Study, tmp_path / "studi.toml")
    with pytest.raises(InputError, match=r"is a folder, not a file. Did you mean .*study.toml\?"):
        read_record(Study, tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b'name = "a"\nx = "\xff"\n', "study.toml:2: found byte 0xff"),
        (b'{"name": 1,\n "name": 2}', "study.toml:1: name: is written twice"),
        (b'{"name": 1,\n oops}', "study.toml:2: column 2: malformed JSON"),
        (b"x = " + b"[" * 5000, "study.toml:1: nested too deeply"),
        (b'{"x": ' + b"[" * 100_000, "study.toml:1: nested too deeply"),
        (b"start = 2026-02-31", "study.toml:1: "),
        (b"", "study.toml:1: name: missing"),
    ],
)
def test_what_is_no_document_is_told_with_its_line(text, told, tmp_path):
    assert any(line.startswith(told) for line in mistakes(text, tmp_path))


def test_a_byte_order_mark_is_no_mistake(tmp_path):
    (tmp_path / "study.toml").write_bytes(b"\xef\xbb\xbf" + TINY.encode())

    assert read_record(Study, tmp_path / "study.toml").name == "tiny"


class Reading(Record):
    """A line of measurements."""

    rack: str
    power_w: PowerW
    share: float = Field(default=0.5, ge=0, le=1)


def test_json_lines_tell_each_wrong_line(tmp_path):
    file = tmp_path / "readings.jsonl"
    file.write_text('{"rack": "a", "power_w": 1}\n\n{"rack": 7, "power_w": "1 m"}\n[1]\n{"rack\n')

    with pytest.raises(InputError) as caught:
        read_json_lines(Reading, file)

    assert [line.split(": ")[0].split(":")[-1] for line in caught.value.mistakes] == list("3345")


def test_json_lines_give_records_and_their_lines(tmp_path):
    file = tmp_path / "readings.jsonl"
    file.write_text('{"rack": "a", "power_w": "2 kW"}\n\n{"rack": "b", "power_w": 1}\n')

    records, locator = read_json_lines(Reading, file)

    assert [record.power_w for record in records] == [2000, 1]
    assert locator.mistake((1, "rack"), "x").endswith("readings.jsonl:3: [1].rack: x")


def test_later_checks_can_cite_the_line_of_a_key(tmp_path):
    (tmp_path / "study.toml").write_text(TINY)

    _, locator = read_located(Study, tmp_path / "study.toml")

    told = locator.mistake(("design_space", "generations", 1, "system"), "no system of that name")
    assert (
        told
        == f"{tmp_path}/study.toml:56: design_space.generations[1].system: no system of that name"
    )


# --- damage -----------------------------------------------------------------------------------

HAS_LINE = re.compile(r"(study\.toml):\d+: ", re.DOTALL)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(damaged(TINY))
def test_a_damaged_study_gives_messages_with_file_and_line_and_no_other_error(tmp_path, text):
    file = tmp_path / "study.toml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        study = read_record(Study, file)
    except InputError as error:
        told = error.mistakes
        assert told, "an error without a message"
        assert all(HAS_LINE.search(line) for line in told), told
    else:
        assert Study.model_validate_json(study.model_dump_json()) == study


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_break_the_border(data):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "study.toml"
        file.write_bytes(data)
        try:
            parse(file)
        except InputError as error:
            told = error.mistakes
        else:
            return
    assert all(HAS_LINE.search(line) for line in told), told


def test_a_scenario_that_ends_before_it_begins_is_a_mistake_and_not_without_effect(tmp_path):
    window = (
        '\n[[scenarios]]\nname = "late"\n[[scenarios.supply]]\norigin = "KR"\nfactor = 0.5\n'
        "from_week = 10\nto_week = 5\n"
    )

    (line,) = mistakes(TINY + window, tmp_path)

    last = len((TINY + window).splitlines())
    assert line.startswith(f"study.toml:{last}: scenarios[0].supply[0].to_week: found 5, allowed")
    assert "after from_week (10)" in line


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.json", "[1, 2]", "a.json:1: found a list of 2, allowed a JSON object"),
        ("a.json", "x = 1", "a.json:1: column 1: malformed JSON"),
        (
            "a.toml",
            "x = 1\nx = 2\n",
            "a.toml:2: column 6: malformed TOML: this key is written twice",
        ),
    ],
)
def test_a_file_is_told_by_the_format_of_its_name(name, text, told, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError) as caught:
        parse(tmp_path / name)
    assert caught.value.mistakes[0].removeprefix(f"{tmp_path}/").startswith(told)
