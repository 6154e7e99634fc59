"""A list of tables may live in a spreadsheet beside the study."""

from __future__ import annotations

from pathlib import Path

import pytest

from rackwright.formats.border import read_located, read_record
from rackwright.records.errors import InputError
from rackwright.records.study import Study

TINY = (Path(__file__).parent / "tiny_study.toml").read_text()
HEAD, TAIL = TINY.split("[[supplies]]")[0], "\n[design_space]" + TINY.split("[design_space]")[1]
WITH_TABLE = 'supplies = { table = "supply.csv" }\n' + HEAD + TAIL

CSV = """\
part,origin,per_week@0,per_week@26,unit_usd,lead_time_weeks,hts
hbm3e-24gb,KR,1000,2000,,8 weeks,8473
hbm3e-36gb,KR,500,,"0.4 kUSD",,8542.32
"""


def study_file(tmp_path, table, name="supply.csv"):
    (tmp_path / name).write_bytes(table if isinstance(table, bytes) else table.encode())
    file = tmp_path / "study.toml"
    file.write_text(WITH_TABLE.replace("supply.csv", name))
    return file


def told(tmp_path, table):
    with pytest.raises(InputError) as caught:
        read_record(Study, study_file(tmp_path, table))
    return [line.removeprefix(f"{tmp_path}/") for line in caught.value.mistakes]


def test_rows_become_the_list_and_columns_with_a_week_its_ramps(tmp_path):
    study, locator = read_located(Study, study_file(tmp_path, CSV))

    first, second = study.supplies
    assert [(step.week, step.value) for step in first.per_week] == [(0, 1000), (26, 2000)]
    assert [(step.week, step.value) for step in second.per_week] == [(0, 500)]
    assert first.unit_usd is None
    assert second.unit_usd == 400
    assert first.hts == "8473"  # a heading is text, whatever it looks like
    assert [Path(file).name for file in locator.files] == ["study.toml", "supply.csv"]


def test_a_semicolon_file_with_a_mark_and_dos_lines_reads_the_same(tmp_path):
    dos = "\ufeff" + CSV.replace(",", ";").replace("\n", "\r\n")

    assert read_record(Study, study_file(tmp_path, dos)) == read_record(
        Study, study_file(tmp_path, CSV)
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("KR,1000", "Korea,1000", 'supply.csv:2: supplies[0].origin (column "origin"): found'),
        ("2000", "-2", 'supply.csv:2: supplies[0].per_week[1].value (column "per_week@26"): found'),
        ("8 weeks", "8 kg", 'supply.csv:2: supplies[0].lead_time_weeks (column "lead_time_weeks")'),
        ("origin", "orgin", 'supply.csv:2: supplies[0].orgin (column "orgin"): found an unknown'),
        (
            "per_week@26",
            "per_week@spring",
            'supply.csv:1: column "per_week@spring": found "spring"',
        ),
        ("unit_usd", "part", 'supply.csv:1: column "part" is there twice'),
        ("8473\n", "8473,extra\n", "supply.csv:2: found 8 cells, the header has 7"),
        ('"0.4 kUSD"', '"0.4 kUSD', "malformed CSV"),
    ],
)
def test_a_wrong_cell_is_told_with_file_row_and_column(old, new, message, tmp_path):
    lines = told(tmp_path, CSV.replace(old, new, 1))

    assert any(message in line for line in lines), lines


def test_an_unknown_column_is_told_once_not_once_per_row(tmp_path):
    lines = told(tmp_path, CSV.replace("origin", "orgin"))

    assert sum("unknown key" in line for line in lines) == 1
    assert sum("missing" in line for line in lines) == 1


def test_a_missing_table_is_told_at_the_line_that_names_it(tmp_path):
    file = study_file(tmp_path, CSV, "supplies.csv")
    file.write_text(WITH_TABLE)

    with pytest.raises(
        InputError, match=r"study.toml:1: supplies.table: .*Did you mean supplies.csv"
    ):
        read_record(Study, file)


def test_an_excel_sheet_reads_like_the_csv(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.title = "supply"
    for row in (
        ["part", "origin", "per_week@0", "per_week@26", "unit_usd", "lead_time_weeks", "hts"],
        ["hbm3e-24gb", "KR", 1000, 2000, None, "8 weeks", 8473],
        ["hbm3e-36gb", "KR", 500, None, "0.4 kUSD", None, "8542.32"],
    ):
        book.active.append(row)
    book.save(tmp_path / "supply.xlsx")
    file = tmp_path / "study.toml"
    file.write_text(WITH_TABLE.replace('"supply.csv"', '"supply.xlsx", sheet = "supply"'))

    assert read_record(Study, file) == read_record(Study, study_file(tmp_path, CSV))

    file.write_text(WITH_TABLE.replace('"supply.csv"', '"supply.xlsx", sheet = "suply"'))
    with pytest.raises(InputError, match=r'no sheet "suply". Did you mean supply\?'):
        read_record(Study, file)
    (tmp_path / "supply.xlsx").write_bytes(b"no workbook")
    with pytest.raises(InputError, match="is not an Excel workbook"):
        read_record(Study, file)
