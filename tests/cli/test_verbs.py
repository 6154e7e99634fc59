"""Each verb through the command line, on the study that `init` writes; bad input in one line."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from rackwright.cli.app import application
from rackwright.cli.report import BROWSERS, print_pdf
from rackwright.records.errors import RackwrightError

NO_TRACE = "Traceback"
FILES = {"report": "report.html", "picture": "picture.svg"}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    place = tmp_path_factory.mktemp("verbs")
    assert call("init", str(place / "study.toml")).exit_code == 0
    result = call("run", str(place / "study.toml"), "--out", str(place / "run"), "--rehearse")
    assert result.exit_code == 0, result.output
    return place


def call(*words: str):
    return CliRunner().invoke(application(words), list(words))


def document(*words: str):
    result = call(*words, "--json")
    assert result.exit_code in (0, 1), result.output
    return json.loads(result.stdout)


def test_run_says_where_its_report_lies(home):
    report = (home / "run" / "report.html").read_text()
    assert "FICTITIOUS" in report.upper()
    log = json.loads((home / "run" / "run.log.json").read_text())
    assert log["seconds"]["build"] > 0


def test_design_prints_its_front_and_its_counts(home):
    made = document("design", str(home / "study.toml"))
    assert made["front"][0]["rank"] == 1
    serving = made["search"]["serving"]
    assert serving["evaluated"] >= serving["feasible"] > 0
    assert serving["per_core_second"] > 0


def test_a_design_is_explained_by_parts_that_sum(home):
    study = str(home / "study.toml")
    key = document("design", study)["front"][0]["key"]
    row = document("design", study, "--explain", key)
    assert sum(line["usd"] for line in row["price"]) == pytest.approx(row["price_usd"])
    service = next(s for s in row["services"] if s)
    assert sum(p["seconds"] for p in service["parts"]) == pytest.approx(service["step_s"], rel=1e-6)
    text = call("design", study, "--explain", key).stdout
    assert key in text
    assert "bottom-up" in text


def test_build_writes_a_plan_and_a_certificate_that_agree(home, tmp_path):
    made = document("build", str(home / "study.toml"), "--out", str(tmp_path / "plan"))
    assert sum(line["usd"] for line in made["money"]) == pytest.approx(made["surplus_usd"])
    assert made["bound_usd"] >= made["surplus_usd"]
    assert (tmp_path / "plan" / "certificate.json").is_file()


def test_a_scenario_is_planned_by_name(home):
    made = document("build", str(home / "study.toml"), "--scenario", "hbm-halves")
    assert made["scenario"] == "hbm-halves"


def test_a_rehearsal_is_judged_by_the_plan_of_the_run(home, tmp_path):
    plan, readings = str(home / "run"), str(tmp_path / "r.jsonl")
    words = ("accept", "rehearse", "--plan", plan, "--out", readings, "--racks", "10")
    assert call(*words, "--slow", "1").exit_code == 0
    report = document("accept", "judge", readings, "--plan", plan)
    assert report["fictitious"]
    assert sum(report["weights"]) == pytest.approx(1)
    failed = {u["rack"] for u in report["units"] if u["verdict"] == "FAIL"}
    assert failed == {"rehearsal-10"}


def test_a_rehearsal_overwrites_an_earlier_one_and_never_real_readings(home, tmp_path):
    plan, readings = str(home / "run"), tmp_path / "r.jsonl"
    words = ("accept", "rehearse", "--plan", plan, "--out", str(readings))
    assert call(*words).exit_code == 0
    assert call(*words).exit_code == 0
    real = readings.read_text().replace('"fictitious":true', '"fictitious":false')
    readings.write_text(real)
    result = call(*words)
    assert result.exit_code == 2
    assert "no earlier rehearsal" in result.stderr
    assert readings.read_text() == real


def test_a_run_with_measurements_goes_through_to_the_decision(home, tmp_path):
    readings = tmp_path / "m" / "r.jsonl"
    readings.parent.mkdir()
    call("accept", "rehearse", "--plan", str(home / "run"), "--out", str(readings))
    made = document(
        "run", str(home / "study.toml"), "--out", str(tmp_path / "again"),
        "--measurements", str(readings.parent),
    )  # fmt: skip
    assert made["evidence"]["decision"]["action"]


def test_readings_of_another_design_are_refused(home, tmp_path):
    readings = tmp_path / "r.jsonl"
    call("accept", "rehearse", "--plan", str(home / "run"), "--out", str(readings))
    text = readings.read_text().replace('"plan_sha256":"', '"plan_sha256":"f')
    readings.write_text(text)
    result = call("accept", "judge", str(readings), "--plan", str(home / "run"))
    assert result.exit_code == 2
    assert "another design" in result.stderr
    assert result.stderr.startswith(f"error: {readings}:1: rack rehearsal-01, ")
    assert len(result.stderr.splitlines()) == 1


def test_a_file_without_readings_is_a_mistake_and_not_a_run_without_measurements(home, tmp_path):
    nothing = tmp_path / "r.jsonl"
    nothing.write_text("")
    study, out = str(home / "study.toml"), str(tmp_path / "out")
    result = call("run", study, "--measurements", str(nothing), "--out", out)
    assert result.exit_code == 2
    assert f"{nothing}:1: no measurements" in result.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["r.jsonl"]


def test_buy_values_the_option_in_order(home):
    made = document("buy", str(home / "study.toml"))
    assert made["option_usd"] >= made["option_without_tests_usd"] - 1
    assert made["perfect_information_usd"] >= made["option_usd"] - 1
    assert made["conditions"]


def test_the_chances_of_a_gate_are_complete(home):
    lines = call("buy", str(home / "study.toml")).stdout.splitlines()
    head = next(i for i, line in enumerate(lines) if "over before" in line)
    gates = 0
    for line in lines[head + 1 :]:
        chances = [int(x) for x in re.findall(r"(\d+) %", line)]
        if len(chances) != 5:
            break
        gates += 1
        assert abs(sum(chances) - 100) <= 2  # each rounded to a whole per cent
    assert gates >= 2


def test_the_ledger_answers_a_question():
    made = document(
        "buy",
        "--ledger",
        "--op",
        "total_usd_b",
        "--ids",
        "stargate,oracle",
        "--as-of",
        "2025-12-01",
    )
    assert made["answer"] == 500


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("run", "{}/nope.toml"), "no such file"),
        (("run", "{}/study.toml", "--out", "/proc/no/where"), "cannot be written"),
        (("run", "{}/study.toml", "--measurements", "{}/nope"), "no such file"),
        (("run", "{}/study.toml", "--rehearse", "--measurements", "{}/run"), "leave out"),
        (("run", "{}/study.toml", "--out", "{}/study.toml"), "is no run of ours"),
        (("build", "{}/study.toml", "--scenario", "hbm-halve"), "Did you mean hbm-halves?"),
        (("build", "{}/study.toml", "--out", "/proc/no/where"), "cannot be written"),
        (("design", "{}/study.toml", "--explain", "foo"), "no design 'foo'"),
        (("accept", "judge", "{}/nope.jsonl", "--plan", "{}/run"), "no such file"),
        (("accept", "judge", "{}/study.toml", "--plan", "{}/nope"), "no such file"),
        (("accept", "plan", "{}/study.toml", "--out", "/proc/no/where"), "cannot be written"),
        (("buy",), "name a study"),
        (("buy", "{}/study.toml", "--as-of", "2025-12-01"), "--as-of asks the ledger"),
        (("buy", "--ledger", "--op", "total"), "allowed status"),
        (("buy", "--ledger", "--op", "total_gw"), "--ids"),
        (("buy", "--ledger", "--as-of", "soon"), "allowed a day"),
        (("catalog", "show", "nvidia-gb300-nvl7"), "Did you mean"),
    ],
)
def test_a_mistake_is_one_clear_message(home, words, says):
    result = call(*(w.format(home) for w in words))
    assert result.exit_code == 2
    assert says in result.stderr
    assert NO_TRACE not in result.output


def test_nothing_is_left_of_a_run_that_could_not_begin(home, tmp_path):
    broken = tmp_path / "study.toml"
    broken.write_text((home / "study.toml").read_text().replace("gb200", "gb2000"))
    result = call("run", str(broken), "--out", str(tmp_path / "run"))
    assert result.exit_code == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["study.toml"]


def test_two_runs_are_compared_field_by_field(home, tmp_path):
    study = tmp_path / "study.toml"
    study.write_text(
        (home / "study.toml")
        .read_text()
        .replace("volatility_per_year = 0.45", "volatility_per_year = 0.6")
    )
    other = str(tmp_path / "other")
    assert call("run", str(study), "--out", other).exit_code == 0
    made = document("compare", str(home / "run"), other)
    assert made["plan"] == []
    assert any(row["field"] == "option_usd" for row in made["decision"])
    assert "the runs say the same" in call("compare", other, other).stdout
    lines = call("compare", other, str(home / "run"), "--record", "summary").stdout.splitlines()
    (alone,) = (line for line in lines if "evidence:" in line)  # one was rehearsed, one not
    assert alone.startswith("  evidence: the left run has none (")
    result = call("compare", str(home / "run"), str(tmp_path))
    assert result.exit_code == 2
    assert "is no run folder" in result.stderr


def test_a_report_is_drawn_anew_from_the_records_of_a_run_byte_for_byte(home, tmp_path):
    made = document("report", str(home / "run"), "--out", str(tmp_path))
    assert made == {k: str(tmp_path / f) for k, f in FILES.items()}
    for file in FILES.values():
        assert (tmp_path / file).read_bytes() == (home / "run" / file).read_bytes()


def test_a_report_of_no_run_or_of_another_study_is_refused(home, tmp_path):
    result = call("report", str(tmp_path))
    assert result.exit_code == 2
    assert "is no finished run" in result.output
    copy = tmp_path / "copy"
    shutil.copytree(home / "run", copy)
    study = copy / "inputs" / "study.toml"
    study.write_text(study.read_text().replace("seed = ", "seed = 1"))
    result = call("report", str(copy))
    assert result.exit_code == 2
    assert "no study in it is the one of this run" in result.output


@pytest.mark.skipif(not any(map(shutil.which, BROWSERS)), reason="no browser is installed")
def test_a_page_is_printed_to_pdf(home, tmp_path):
    print_pdf(home / "run" / "report.html", tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")


def test_without_a_browser_a_pdf_is_refused_with_what_to_do(home, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(RackwrightError, match="in a browser and print it"):
        print_pdf(home / "run" / "report.html", tmp_path / "page.pdf")


def test_what_becomes_of_an_earlier_run_is_said_in_a_line(home, tmp_path):
    study, out = str(home / "study.toml"), tmp_path / "run"
    words = ("run", study, "--out", str(out))
    first = call(*words)
    again = call(*words)
    assert "holds a run" not in first.stderr
    assert f"{out}: holds a run; it is replaced when this one is done" in again.stderr
    shutil.copytree(out, tmp_path / "run.partial")
    assert "run.partial: a stopped run, begun anew" in call(*words).stderr
    assert "replaced" not in call(*words, "--resume").stderr


def test_the_catalog_is_looked_up_without_the_pipeline():
    code = (
        "import sys, rackwright.cli.catalog; "
        "sys.exit(any(m in sys.modules for m in ('rackwright.pipeline', 'numba', 'scipy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
