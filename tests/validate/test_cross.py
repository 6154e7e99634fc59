"""Leaving out: what is left out of the fit, and that draws keep their spread."""

from rackwright.validate.cross import cross_training, series
from rackwright.validate.training import score_training
from tests.validate.tables import CATALOG, TRAINING, as_predicted_training, varied


def test_rounds_of_one_benchmark_are_one_source():
    assert series("mlperf-v4.1") == series("mlperf-v5.1") == "mlperf"
    assert series("vtrain-a100-multi") == "vtrain-a100-multi"


def test_a_source_that_no_fit_has_seen_is_scored_with_what_ships(tmp_path):
    rows = varied(TRAINING, "accelerator", ("A100-80GB",))
    file = as_predicted_training(tmp_path / "t.csv", rows, 0.5)
    crossed = cross_training(file, CATALOG)

    found = crossed.sources["step"]
    assert not found.parts[0].refitted
    assert found.all == score_training(file, CATALOG).error.all
    assert crossed.accelerators["step"].parts[0].refitted
