"""A component's file: two sources of one number, and files that are not good enough."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings

from rackwright import catalog
from rackwright.catalog.component_file import read_component
from rackwright.catalog.kinds import KINDS
from rackwright.records.component import Accelerator
from rackwright.records.errors import InputError
from rackwright.records.provenance import Grade
from tests.damage import damaged

CATALOG = catalog.load()

GOOD = """
[nic]
name = "Example X1"
port_bit_per_s = 4e11

[[source]]
fields = ["port_bit_per_s"]
title = "Example X1 datasheet"
locator = "p. 3"
retrieved = "2026-01-01"
kind = "datasheet"
grade = "A"
"""


BROKEN = [
    ("port_bit_per_s = 4e11", "port_bit_per_s = 4e11\nports = 2", "ports: no .*source.* names"),
    ('fields = ["port_bit_per_s"]', 'fields = ["port_bit_per_s", "tdp_w"]', "'tdp_w' is not a key"),
    (
        "port_bit_per_s = 4e11",
        "port_bit_per_s = -4e11",
        "port_bit_per_s: found -4e.11 bit/s, plausible is",
    ),
    (
        "port_bit_per_s = 4e11",
        "port_rate = 4e11",
        r"port_rate: not a field of \[nic\]. Did you mean port_bit_per_s",
    ),
    ("[nic]", "[switch]", r"the table \[nic\] is missing|not known here"),
    ("[nic]", "[nic", "nic.*toml"),
    ('kind = "datasheet"\ngrade = "A"', 'kind = "estimate"\ngrade = "D"', "needs a note"),
    ('kind = "datasheet"', 'kind = "recalled"\nnote = "memory"', "grade D, not A"),
]


@pytest.mark.parametrize(("old", "new", "message"), BROKEN)
def test_a_bad_file_is_refused_by_name_and_key(tmp_path: Path, old, new, message):
    (tmp_path / "nics").mkdir()
    path = tmp_path / "nics" / "broken.toml"
    path.write_text(GOOD.replace(old, new))

    with pytest.raises(InputError, match=message) as caught:
        read_component(path, KINDS["nics"])
    assert "broken.toml" in str(caught.value)


# Several sources of one number.

TWO = """
[accelerator]
name = "Example X1"
family = "Example"
matmul_flop_per_s = { bf16 = 1e15, fp8 = 2e15 }
memory_bytes = 1.92e11
memory_bytes_per_s = 8e12

[[source]]
fields = ["matmul_flop_per_s", "memory_bytes", "memory_bytes_per_s", "family"]
title = "Example X1 in the press"
url = "https://example.org/x1"
retrieved = "2026-01-01"
kind = "secondary"
grade = "C"

[[alternative]]
field = "matmul_flop_per_s.fp8"
value = 1.8e15
title = "Example X1 datasheet"
retrieved = "2026-02-01"
kind = "datasheet"
grade = "A"

[[alternative]]
field = "memory_bytes"
value = 1.8e11
title = "A forum"
retrieved = "2026-02-01"
kind = "secondary"
grade = "D"
"""


def _read(folder, text, kind="accelerators"):
    path = folder / "example-x1.toml"
    path.write_text(text)
    return read_component(path, KINDS[kind])


def test_the_best_graded_of_two_values_is_in_use_and_both_are_kept(tmp_path):
    x1 = _read(tmp_path, TWO)

    assert x1.matmul_flop_per_s.fp8 == 1.8e15
    assert x1.matmul_flop_per_s.bf16 == 1e15
    assert x1.memory_bytes == 1.92e11
    kept = {(o.field, o.value, str(o.grade), o.title) for o in x1.alternative}
    assert kept == {
        ("matmul_flop_per_s.fp8", 2e15, "C", "Example X1 in the press"),
        ("memory_bytes", 1.8e11, "D", "A forum"),
    }
    assert x1.grade_of(["matmul_flop_per_s"]) == Grade.A


def test_a_better_graded_value_may_say_why_it_is_not_taken(tmp_path):
    said = 'grade = "A"\nnot_taken = "the sheet counts sparsity"'
    x1 = _read(tmp_path, TWO.replace('grade = "A"', said))

    assert x1.matmul_flop_per_s.fp8 == 2e15


def test_shipped_alternatives_are_no_better_graded_than_what_is_in_use():
    others = [(c, o) for kind in KINDS for c in CATALOG.all(kind) for o in c.alternative]

    assert len(others) >= 20
    for component, other in others:
        assert other.not_taken or other.grade >= component.grade_of([other.field.split(".")[0]])


WRONG_VALUES = [
    ("memory_bytes = 1.92e11", "memory_bytes = 192",
     r"memory_bytes: found 192 B, plausible is 1e\+09 .* factor of 1e\+09 left out \(1.92e\+11\)"),
    ("memory_bytes = 1.92e11", 'memory_bytes = "192 GB"',
     "memory_bytes: found '192 GB', allowed a plain number in B: write 1.92e.11"),
    ("memory_bytes = 1.92e11", 'memory_bytes = 1.92e11\ntdp_w = "1.2 kW"',
     "tdp_w: found '1.2 kW', allowed a plain number in W: write 1200"),
    ("memory_bytes = 1.92e11", 'memory_bytes = 1.92e11\ntdp_w = "12 kg"',
     "tdp_w: found '12 kg', allowed a plain number in W"),
    ("memory_bytes = 1.92e11", "memory_bytes = 1.92e11\ntdp_kw = 1.2",
     r"tdp_kw: not a field of \[accelerator\]. Did you mean .*tdp_w"),
    ("fp8 = 2e15", "fp8 = 2000", r"matmul_flop_per_s.fp8: found 2000 FLOP/s, plausible"),
    ("memory_bytes_per_s = 8e12", "memory_bytes_per_s = 8", "factor of 1e.12 left out"),
    ("value = 1.8e15", 'value = "1.8 PFLOP/s"', r"alternative\[0\].value: found '1.8 PFLOP/s'"),
    ("value = 1.8e15", "value = 1800", r"alternative\[0\]: matmul_flop_per_s.fp8: found 1800"),
    ('field = "memory_bytes"', 'field = "memory"', r"alternative\[1\].field: 'memory' is not"),
    ('grade = "A"', 'grade = "E"', "grade"),
    ('grade = "A"', "grade = 1", r"alternative\[0\].grade: missing"),
    ('retrieved = "2026-01-01"', 'retrieved = "last week"', "found the day 'last week'"),
    ('retrieved = "2026-01-01"', 'retrieved = "2026-31-31"', "found the day '2026-31-31'"),
    ('retrieved = "2026-01-01"', 'retrieved = "2026-02-30"', "found the day '2026-02-30'"),
    ("[[alternative]]", "[alternative]", "alternative|Cannot|twice|declare"),
    ('fields = ["matmul', 'fields = "all"\nother = ["matmul', r"source\[0\].fields: expected a"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), WRONG_VALUES)
def test_a_unit_clash_or_a_bad_claim_is_told_with_the_field(tmp_path, old, new, message):
    with pytest.raises(InputError, match=message) as caught:
        _read(tmp_path, TWO.replace(old, new, 1))
    assert all("example-x1.toml" in line for line in caught.value.mistakes)


def test_one_damaged_file_loses_no_other(tmp_path):
    (tmp_path / "nics").mkdir()
    (tmp_path / "nics" / "example-x1.toml").write_text(GOOD)
    (tmp_path / "nics" / "cut-short.toml").write_text(GOOD[:40])
    (tmp_path / "nics" / "unsourced.toml").write_text(GOOD.split("[[source]]")[0])
    over = catalog.load(tmp_path)
    good, mistakes = over.readable("nics")

    assert {c.key for c in good} == {*CATALOG.names("nics"), "example-x1"}
    assert over.get("nics", "nvidia-cx8-800").key == "nvidia-cx8-800"
    assert [m for m in mistakes if "cut-short.toml" in m]
    assert [m for m in mistakes if "unsourced.toml:4: port_bit_per_s: no [[source]]" in m]
    with pytest.raises(InputError, match=r"cut-short(?s:.)*unsourced"):
        over.all("nics")


@settings(max_examples=150, deadline=None)
@given(text=damaged(TWO))
def test_a_damaged_file_is_a_component_or_a_clear_message(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "example-x1.toml"
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    told = ()
    try:
        assert read_component(path, Accelerator).memory_bytes > 0
    except InputError as error:
        told = error.mistakes
    assert all(re.search(r"example-x1\.toml:\d+: ", line) for line in told)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("memory_bytes = 1.92e11", "memory_bytes = 192", "{}:{}: memory_bytes: found 192 B"),
        ("fp8 = 2e15", "fp8 = 2000", "{}:{}: matmul_flop_per_s.fp8: found 2000"),
        ('grade = "A"', 'grade = "E"', "{}:{}: "),
    ],
)
def test_a_mistake_in_a_component_is_told_with_its_line(tmp_path, old, new, told):
    with pytest.raises(InputError) as caught:
        _read(tmp_path, TWO.replace(old, new, 1))
    text = TWO.replace(old, new, 1)
    line = text[: text.index(new)].count("\n") + 1
    tables = [n for n, row in enumerate(text.splitlines(), 1) if n <= line and row[:1] == "["]
    message = caught.value.mistakes[0].split("example-x1.toml", 1)[1]
    assert message.startswith((told.format("", line), told.format("", tables[-1])))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"[nic\n", ":1: column 5: malformed TOML: "),
        (b"[nic]\nname = 'x'\nname = 'y'\n", ":3: column 11: malformed TOML: "),
        (b"[nic]\n\xff\xfe\n", ":2: found byte 0xff, which is not UTF-8 text"),
        (None, ": cannot be read: Is a directory"),
    ],
)
def test_a_file_that_is_no_toml_is_told_with_its_line(tmp_path, data, told):
    path = tmp_path / "broken.toml"
    path.mkdir() if data is None else path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_component(path, KINDS["nics"])
    (line,) = caught.value.mistakes
    assert line.startswith(f"{path}{told}")


def test_a_mistyped_folder_of_a_kind_is_told(tmp_path):
    (tmp_path / "acelerators").mkdir()
    (tmp_path / "acelerators" / "x.toml").write_text(GOOD)
    with pytest.raises(InputError, match=r"'acelerators'\. Did you mean accelerators"):
        catalog.load(tmp_path)
