"""Replayed runs: the shipped ones within their bars, damaged files named."""

import csv

import numpy as np
import pytest

from rackwright.records.errors import InputError
from rackwright.validate import requests
from rackwright.validate.requests import score_requests
from rackwright.validate.resolve import Models
from rackwright.validate.table import SHIPPED
from tests.validate.tables import CATALOG, write

RUNS = SHIPPED / "serving_requests_measured.csv"
ENGINES = SHIPPED / "serving_requests_engines.toml"


def rows():
    with RUNS.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_the_second_half_of_the_public_runs_is_predicted_from_the_first():
    score = score_requests(None, None, CATALOG)

    assert [run.n for run in score.runs] == [150, 150]
    for run in score.runs:
        assert run.e2e_p99_error_pct < 5.0
        assert run.e2e_p90_error_pct < 5.0
        assert run.ttft_p50_error_pct < 10.0
        assert run.worst_cdf_gap <= 0.1


def test_wrong_cells_are_named_and_not_used(tmp_path):
    some = [r for r in rows() if r["run"].startswith("RTXPRO")][:40]
    some[3] = {**some[3], "output_tokens": "0"}
    some[5] = {**some[5], "arrival_s": "-1"}
    file = write(tmp_path / "r.csv", some)
    score = score_requests(file, ENGINES, CATALOG)

    assert len(score.mistakes) == 2
    assert ":5: run RTXPRO6000_Llama-3.1-8B, column output_tokens: found '0'" in score.mistakes[0]
    assert "column arrival_s: found '-1', a number >= 0" in score.mistakes[1]
    assert score.runs[0].n == 19


def test_a_run_without_its_engine_is_refused_with_the_nearest_name(tmp_path):
    some = [{**r, "run": "RTX4090_Llama-3.1-8C"} for r in rows()[:10]]
    score = score_requests(write(tmp_path / "r.csv", some), ENGINES, CATALOG)

    assert score.runs == ()
    assert "Did you mean RTX4090_Llama-3.1-8B" in score.refused["RTX4090_Llama-3.1-8C"]


def test_files_that_are_not_there_are_told(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        score_requests(tmp_path / "none.csv", None, CATALOG)
    with pytest.raises(InputError, match="name it with --engine"):
        score_requests(write(tmp_path / "r.csv", rows()[:4]), None, CATALOG)
    with pytest.raises(InputError, match="column e2e_ms is missing"):
        score_requests(write(tmp_path / "r.csv", [{"run": "a"}]), ENGINES, CATALOG)


def test_data_parallel_engines_share_the_requests(tmp_path):
    some = [r for r in rows() if r["run"].startswith("RTX4090")][:60]
    text = ENGINES.read_text(encoding="utf-8").replace("dp = 1", "dp = 2")
    engines = tmp_path / "e.toml"
    engines.write_text(text.replace("accelerators = 1", "accelerators = 2"), encoding="utf-8")
    file = write(tmp_path / "r.csv", some)
    one, two = (_replayed(file, e) for e in (ENGINES, engines))

    assert np.median(two) < 0.75 * np.median(one)  # with twice the cache nobody waits


def _replayed(file, engines):
    found, _ = requests._rows(file)
    run = found[0]["run"]
    told = requests._engines(engines)
    replay = requests._replay(run, found, told, CATALOG, Models(CATALOG))
    return requests._times(replay, np.zeros(5))[1]
