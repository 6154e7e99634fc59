"""Scoring of training rows: known answers, refusals, what is wrong with a table."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rackwright.records.errors import InputError
from rackwright.validate.regret import FEWEST_PLANS, Tried, plan_regret
from rackwright.validate.training import score_training
from tests.validate.tables import (
    CATALOG,
    TRAINING,
    as_predicted_training,
    predicted_steps,
    varied,
    write,
)

BATCHES = varied(TRAINING, "gbs", (32, 64, 128, 256))


@pytest.mark.parametrize(("factor", "percent"), [(1.0, 0.0), (0.5, 100.0), (2.0, 50.0)])
def test_the_error_is_that_of_the_predicted_time(tmp_path, factor, percent):
    file = as_predicted_training(tmp_path / "t.csv", BATCHES, factor)
    score = score_training(file, CATALOG)

    assert (score.rows, score.scored) == (4, 4)
    assert score.error.all.median_pct == pytest.approx(percent, abs=1e-6)
    assert score.error.all.p90_pct == pytest.approx(percent, abs=1e-6)
    assert score.error.dense.n == 4
    assert score.error.moe.n == 0
    assert score.error.moe.median_pct is None


def test_intervals_hold_what_the_model_says_and_not_what_is_far_off(tmp_path):
    near = score_training(as_predicted_training(tmp_path / "t.csv", BATCHES), CATALOG).interval
    far = score_training(as_predicted_training(tmp_path / "t.csv", BATCHES, 20), CATALOG).interval

    assert near.nominal_pct == 80.0
    assert near.coverage_pct == 100.0
    assert far.coverage_pct == 0.0
    assert near.median_half_width_pct > 0.0
    assert far.score > near.score


def test_a_rate_of_tokens_is_the_same_as_a_step_time(tmp_path):
    row = dict(TRAINING)
    step = predicted_steps(write(tmp_path / "t.csv", [row]))["a-0"]
    rate = 64 * 2048 / step / 16
    row |= {"step_time_s": "", "tokens_per_s_per_acc": repr(rate)}
    score = score_training(write(tmp_path / "t.csv", [row]), CATALOG)

    assert score.error.all.median_pct == pytest.approx(0.0, abs=1e-6)


def test_repeats_count_once_by_their_median(tmp_path):
    step = predicted_steps(write(tmp_path / "t.csv", [TRAINING]))["a-0"]
    repeats = [
        {**TRAINING, "row_id": f"a-{i}", "group": "g", "step_time_s": repr(step * factor)}
        for i, factor in enumerate((0.1, 1.0, 1.0, 3.0))
    ]
    score = score_training(write(tmp_path / "t.csv", repeats), CATALOG)

    assert score.scored == 4
    assert score.error.all.n == 1
    assert score.error.all.median_pct == pytest.approx(0.0, abs=1e-6)


def test_every_row_is_scored_or_refused_with_a_reason(tmp_path):
    rows = [
        TRAINING,
        {**TRAINING, "config_complete": "0"},
        {**TRAINING, "quality": "eager"},
        {**TRAINING, "step_time_s": ""},
        {**TRAINING, "hidden": "", "model": "nobody-knows"},
        {**TRAINING, "precision": "FP6"},
        {**TRAINING, "offload": "optimizer"},
        {**TRAINING, "dp": "8"},
    ]
    score = score_training(write(tmp_path / "t.csv", rows), CATALOG)
    refused = score.refused

    assert (score.scored, refused.no_data, refused.unsupported, refused.wrong) == (1, 4, 2, 1)
    assert refused.reasons["no_data"]["not a clean measurement: eager"] == 1
    assert refused.reasons["unsupported"] == {"offload optimizer": 1, "precision FP6": 1}


def test_a_row_without_dimensions_takes_those_of_its_name(tmp_path):
    row = {**TRAINING, "model": "LLAMA-3.1-70b", "hidden": "", "gbs": "64"}
    row |= {"n_acc": "64", "tp": "8", "dp": "4"}

    assert score_training(write(tmp_path / "t.csv", [row]), CATALOG).scored == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"dp": "8"}, "column n_acc: found 16, but tp 2 × pp 2 × cp 1 × dp 8 = 32"),
        ({"step_time_s": "0"}, "column step_time_s: found 0, it must be more than zero"),
        ({"gbs": "many"}, "column gbs: found 'many', a number is needed"),
        ({"seq": "nan"}, "column seq: found 'nan', a number is needed"),
        ({"tp": "1.5"}, "column tp: found 1.5, a whole number is needed"),
        ({"mbs": "-1"}, "column mbs: found -1, it must be more than zero"),
        ({"ep": "32"}, "column ep: found 32, more than tp × cp × dp = 8"),
        ({"gbs": "20"}, "column gbs: found 20, not a multiple of dp × mbs = 8"),
        ({"layers": "1"}, "column pp: found 2, more stages than layers = 1"),
        ({"accelerator": "H1000"}, "column accelerator: no accelerator named 'H1000'"),
    ],
)
def test_a_wrong_cell_is_named_by_row_and_column_and_the_rest_is_scored(tmp_path, change, told):
    file = write(tmp_path / "t.csv", [TRAINING, {**TRAINING, **change, "row_id": "bad-1"}])
    score = score_training(file, CATALOG)

    assert score.scored == 1
    assert score.refused.wrong == 1
    assert len(score.mistakes) == 1
    assert f"t.csv:3: row bad-1, {told}" in score.mistakes[0]


def test_a_missing_column_an_empty_file_and_no_rows_are_told(tmp_path):
    columns = [name for name in TRAINING if name != "gbs"]
    with pytest.raises(InputError, match=r"t\.csv:1: column gbs is missing"):
        score_training(write(tmp_path / "t.csv", [TRAINING], columns), CATALOG)
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(InputError, match="the file is empty"):
        score_training(tmp_path / "empty.csv", CATALOG)
    with pytest.raises(InputError, match="no rows"):
        score_training(write(tmp_path / "t.csv", [], list(TRAINING)), CATALOG)
    (tmp_path / "short.csv").write_text("row_id,tp\na,1,2\n")
    with pytest.raises(InputError, match=r"short\.csv:2: 3 cells, the header has 2"):
        score_training(tmp_path / "short.csv", CATALOG)
    (tmp_path / "other.csv").write_text("colour,size\nred,1,2\nblue\n")
    with pytest.raises(InputError, match=r"other\.csv:1: no table of training") as caught:
        score_training(tmp_path / "other.csv", CATALOG)
    assert len(caught.value.mistakes) == 1


def test_a_parquet_table_scores_as_its_csv(tmp_path):
    import duckdb

    file = as_predicted_training(tmp_path / "t.csv", BATCHES, 0.5)
    target = tmp_path / "training_measured.parquet"
    duckdb.sql(f"copy (select * from read_csv('{file}')) to '{target}' (format parquet)")

    assert score_training(target, CATALOG) == score_training(file, CATALOG)
    (tmp_path / "bad.parquet").write_text("no")
    with pytest.raises(InputError, match="not a Parquet table"):
        score_training(tmp_path / "bad.parquet", CATALOG)


def tried(*times):
    """Return plans of one model by (measured, predicted)."""
    return [Tried("m", ("s",), (float(i),), m, p) for i, (m, p) in enumerate(times)]


def test_regret_is_the_chosen_over_the_best_measured_time():
    right = plan_regret(tried((1, 5), (2, 6), (3, 7), (4, 8), (5, 9)))
    wrong = plan_regret(tried((1.1, 5), (1, 6), (3, 7), (4, 8), (5, 9)))

    assert right.by_model == {"m": 0.0}
    assert right.bootstrap_mean_pct == 0.0
    assert wrong.by_model["m"] == pytest.approx(10.0)
    assert 0.0 < wrong.bootstrap_mean_pct < 10.0
    assert plan_regret(tried(*[(1, 1)] * (FEWEST_PLANS - 1))).by_model == {}


def test_the_same_table_gives_the_same_bytes(tmp_path):
    file = as_predicted_training(tmp_path / "t.csv", BATCHES, 0.7)

    first = score_training(file, CATALOG).model_dump_json()
    assert first == score_training(file, CATALOG).model_dump_json()


def test_the_shipped_table_is_scored_whole():
    score = score_training(None, CATALOG)
    refused = score.refused

    assert score.mistakes == ()
    assert score.rows == score.scored + refused.no_data + refused.unsupported + refused.wrong
    assert score.scored >= 0.95 * 565  # complete and clean rows
    assert set(score.plan_regret.by_model) == {
        "gpt-30l-3072h", "gpt-40l-6144h", "gpt-48l-8192h", "gpt-96l-12288h"
    }  # fmt: skip


def test_a_depth_that_no_model_has_is_a_wrong_cell(tmp_path):
    score = score_training(write(tmp_path / "t.csv", [{**TRAINING, "layers": "1e9"}]), CATALOG)

    assert score.refused.wrong == 1
    assert "column layers: found 1e9, at most 10,000 are allowed" in score.mistakes[0]


@settings(max_examples=40, deadline=None)
@given(
    column=st.sampled_from([name for name in TRAINING if name not in ("row_id", "source_id")]),
    text=st.sampled_from(["", "0", "-1", "7", "1e9", "inf", "x", "BF16", "1.5", "é", "2 2"]),
)
def test_a_damaged_cell_never_stops_the_scoring(tmp_path_factory, column, text):
    file = tmp_path_factory.mktemp("damaged") / "t.csv"
    score = score_training(write(file, [TRAINING, {**TRAINING, column: text}]), CATALOG)
    refused = score.refused

    assert score.rows == 2
    assert score.scored + refused.no_data + refused.unsupported + refused.wrong == 2
    assert bool(score.mistakes) == bool(refused.wrong)
