"""The calibration: on rows it made itself it finds what made them; what ships is what it prints."""

import numpy as np
import pytest

from rackwright.catalog.calibrations import read_calibration
from rackwright.design.numbers import machine_numbers, model_numbers
from rackwright.design.parameters import draw, stack_of
from rackwright.kernels.memory import training_bytes
from rackwright.records.errors import InputError
from rackwright.validate import fit_training
from rackwright.validate.calibrate import calibrate
from rackwright.validate.resolve import Models
from rackwright.validate.table import open_table
from rackwright.validate.training import training_cases
from tests.validate.tables import CATALOG, as_predicted_serving, as_predicted_training, varied
from tests.validate.tables import SERVING as SERVED
from tests.validate.tables import TRAINING as TABLE_ROW

CASES, _ = training_cases(open_table(None, "training"), CATALOG, Models(CATALOG))
ROWS = fit_training.by_configuration([case.at for case in CASES])
TRAINING = next(c for c in CATALOG.calibrations() if c.kind == "training")


@pytest.mark.slow
def test_what_ships_is_what_the_fit_gives():
    found = calibrate("training", None, CATALOG).calibration

    assert found.names == TRAINING.names
    assert found.table_sha256 == TRAINING.table_sha256
    np.testing.assert_allclose(found.medians, TRAINING.medians, rtol=0.02)
    assert found.residual_log_sd == pytest.approx(TRAINING.residual_log_sd, rel=0.05)


def test_the_fit_finds_factors_that_were_put_into_the_rows():
    some = [row for row in ROWS if row.stack.key == "torchtitan"]
    before, after = fit_training.calibrate(some, CATALOG)
    ratios = np.exp(fit_training.errors(some, before)(after.values, None))
    made = [row._replace(step_s=row.step_s * r) for row, r in zip(some, ratios, strict=True)]
    _, again = fit_training.calibrate(made, CATALOG)

    assert np.abs(again.errors).max() < np.abs(after.errors).max()
    assert np.median(np.abs(again.errors)) < 0.03


def test_rows_of_ones_own_move_what_the_public_ones_say(tmp_path):
    rows = varied(TABLE_ROW, "software", ("a framework of our own",) * 6)
    file = as_predicted_training(tmp_path / "t.csv", rows, 1.5)
    found = calibrate("training", file, CATALOG)

    moved = {c.name: c.after / c.before for c in found.changed}
    assert found.before.median_pct == pytest.approx(100 / 3, abs=1.0)
    assert found.after.median_pct < 10.0
    assert max(moved, key=moved.get) == "other-training.training.stack"
    assert set(TRAINING.names) <= set(found.calibration.names)


def test_one_row_teaches_the_factor_of_a_stack(tmp_path):
    rows = varied(TABLE_ROW, "software", ("a framework of our own",))
    file = as_predicted_training(tmp_path / "t.csv", rows, 1.3)
    found = calibrate("training", file, CATALOG)

    assert found.left_out is None
    assert found.after.median_pct < 0.35 * found.before.median_pct


def test_serving_rows_of_ones_own_move_what_the_public_ones_say(tmp_path):
    rows = [
        {**r, "framework": "house-engine 1"} for r in varied(SERVED, "concurrency", (4, 16, 64))
    ]
    file = as_predicted_serving(tmp_path / "s.csv", rows, 1.4)
    found = calibrate("serving", file, CATALOG)

    assert found.before.median_pct == pytest.approx(100 * (1 - 1 / 1.4), abs=1.0)
    assert found.after.median_pct < 0.5 * found.before.median_pct


def test_the_draws_have_the_correlations_of_the_fit():
    families = ("Hopper", "Blackwell", "Ampere", "Blackwell Ultra")
    stacks = ("llm-foundry", "megatron-bridge", "megatron-deepspeed")
    drawn = draw(CATALOG, families, 4096, 1, stacks)
    fitted = [n for n in TRAINING.names if n in drawn.names][:12]
    columns = [drawn.names.index(n) for n in fitted]
    want = np.array(TRAINING.log_covariance)[
        np.ix_(*[[TRAINING.names.index(n) for n in fitted]] * 2)
    ]
    got = np.cov(np.log(drawn.values[:, columns]).T)
    capped = drawn.values[:, columns].max(axis=0) >= 0.98

    keep = np.ix_(~capped, ~capped)
    scale = np.sqrt(np.outer(np.diag(want), np.diag(want)))
    assert np.abs(got - want)[keep].max() / scale.max() < 0.08


@pytest.mark.parametrize(
    ("software", "release", "key"),
    [
        ("NeMo 26.04.01", (26, 4, 1), "megatron-bridge"),
        ("NeMo 26.08", (26, 8), "megatron-bridge-26.06"),
        ("Megatron-LM 2022", (2022,), "megatron-lm-2022"),
        ("Megatron-DeepSpeed", (), "megatron-deepspeed"),
        ("llm-foundry/Composer FSDP", (), "llm-foundry"),
        ("a framework of our own", (), "other-training"),
    ],
)
def test_software_is_known_by_the_beginning_of_its_name_and_its_release(software, release, key):
    assert stack_of(CATALOG, software, "Blackwell", release).key == key


def test_a_release_that_is_new_on_some_chips_is_the_old_one_on_others():
    assert stack_of(CATALOG, "NeMo 26.08", "Hopper", (26, 8)).key == "megatron-bridge"


def test_a_damaged_calibration_is_told_by_file_and_key(tmp_path):
    file = tmp_path / "c.json"
    text = TRAINING.model_dump_json()
    file.write_text(text.replace('"medians":[', '"medians":[-1.0,', 1))
    with pytest.raises(InputError, match=r"c\.json"):
        read_calibration(file)
    with pytest.raises(InputError, match="No such file"):
        read_calibration(tmp_path / "none.json")


def test_published_training_plans_fit_their_accelerators_by_our_count():
    # they ran, so they fitted; rows whose recomputation or offload is not stated may not
    fits = []
    for row in ROWS:
        m, h = model_numbers(row.shape), machine_numbers(row.hardware, row.precision, row.shape)
        p = row.plan
        held = training_bytes(m, p, p[6] * row.sequence / p[3], h.activation_bytes)
        fits.append(held <= h.memory_bytes)

    assert len(fits) > 400
    assert np.mean(fits) >= 0.95
