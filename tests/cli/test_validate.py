"""The verb `validate`: keys of its document, its tables, what it says of bad input."""

import json

import pytest

from rackwright.cli.app import main
from tests.validate.tables import SERVING, TRAINING, as_predicted_serving, varied, write


def run(capsys, *words):
    """Return exit code, stdout and stderr of one command."""
    with pytest.raises(SystemExit) as left:
        main(["validate", *map(str, words)])
    told = capsys.readouterr()
    return left.value.code or 0, told.out, told.err


def test_training_has_the_published_keys(capsys):
    code, out, _ = run(capsys, "training", "--json")
    found = json.loads(out)

    assert code == 0
    assert found["kind"] == "training"
    assert {"rows", "scored", "refused", "error", "interval", "plan_regret"} <= set(found)
    assert {"no_data", "unsupported"} <= set(found["refused"])
    assert set(found["error"]) == {"all", "dense", "moe", "by_source", "by_accelerator"}
    assert set(found["error"]["all"]) == {"n", "median_pct", "mean_pct", "p90_pct"}
    assert set(found["interval"]) == {
        "nominal_pct", "coverage_pct", "median_half_width_pct", "score"
    }  # fmt: skip
    assert set(found["plan_regret"]) >= {"by_model", "bootstrap_mean_pct"}
    assert found["memory"]["plans"] == found["error"]["all"]["n"]
    assert found["memory"]["fit"] >= 0.97 * found["memory"]["plans"]  # they all ran


def test_serving_has_the_published_keys(capsys, tmp_path):
    file = as_predicted_serving(
        tmp_path / "serving_measured.csv", varied(SERVING, "concurrency", (4, 16))
    )
    code, out, _ = run(capsys, "serving", tmp_path, "--json")
    found = json.loads(out)

    assert code == 0
    assert found["rows"] == found["scored"] == 2
    for quantity in ("tpot", "ttft", "throughput"):
        assert set(found[quantity]) == {"error", "interval"}
    assert found["tpot"]["error"]["all"]["median_pct"] == pytest.approx(0.0, abs=1e-6)
    assert set(found["layout_choice"]) == {"groups", "within_5pct_pct"}
    assert file.is_file()


def test_the_text_shows_sources_accelerators_refusals_and_what_comes_next(capsys, tmp_path):
    rows = [TRAINING, {**TRAINING, "config_complete": "0"}]
    code, out, _ = run(capsys, "training", write(tmp_path / "t.csv", rows))

    assert code == 0
    assert "2 rows, 1 scored" in out
    assert "nvidia-h100-sxm" in out
    assert "refused: no data: 1" in out
    assert "  1  the source does not state the whole configuration" in out
    assert out.splitlines()[-1].startswith("next: rackwright validate training")


def test_nothing_to_compare_is_an_answer(capsys, tmp_path):
    file = write(tmp_path / "t.csv", [{**TRAINING, "config_complete": "0"}])
    code, out, _ = run(capsys, "training", file)

    assert code == 0
    assert "step time: nothing to compare with" in out


def test_a_contradictory_row_is_a_finding_on_stderr(capsys, tmp_path):
    file = write(tmp_path / "t.csv", [TRAINING, {**TRAINING, "row_id": "b-1", "dp": "3"}])
    code, out, err = run(capsys, "training", file, "--json")

    assert code == 1
    assert json.loads(out)["refused"]["wrong"] == 1
    assert "t.csv:3: row b-1, column n_acc: found 16" in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("trainning",),
            "allowed: training, serving, requests, goodput, fabric, wiring. Did you mean training?",
        ),
        (("training", "nowhere.csv"), "nowhere.csv: no such file or folder"),
        (("training", "--models", "nowhere"), "nowhere: no such folder of models"),
    ],
)
def test_mistakes_are_one_line_without_a_traceback(capsys, words, told):
    code, out, err = run(capsys, *words)

    assert code == 2
    assert told in err
    assert "Traceback" not in out + err
