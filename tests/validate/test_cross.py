"""Leaving out: what is left out of the fit, and that draws keep their spread."""

import numpy as np
import pytest

from rackwright.design.parameters import draw
from rackwright.validate.cross import cross_training, series, shifted
from rackwright.validate.fit import with_value
from rackwright.validate.fit_serving import FAMILIES
from rackwright.validate.training import score_training
from tests.validate.tables import CATALOG, TRAINING, as_predicted_training, varied


def test_rounds_of_one_benchmark_are_one_source():
    assert series("mlperf-v4.1") == series("mlperf-v5.1") == "mlperf"
    assert series("vtrain-a100-multi") == "vtrain-a100-multi"


def test_moved_draws_keep_their_log_spread():
    start = draw(CATALOG, FAMILIES)
    name = "Hopper.serving.stack"
    i = start.names.index(name)
    moved = shifted(start, with_value(start, name, 2.0 * start.nominal[i]))

    np.testing.assert_allclose(moved.values[:, i], 2.0 * start.values[:, i])
    assert np.std(np.log(moved.values[:, i])) == pytest.approx(np.std(np.log(start.values[:, i])))


def test_a_source_that_no_fit_has_seen_is_scored_with_what_ships(tmp_path):
    rows = varied(TRAINING, "accelerator", ("A100-80GB",))
    file = as_predicted_training(tmp_path / "t.csv", rows, 0.5)
    crossed = cross_training(file, CATALOG)

    found = crossed.sources["step"]
    assert not found.parts[0].refitted
    assert found.all == score_training(file, CATALOG).error.all
    assert crossed.accelerators["step"].parts[0].refitted
