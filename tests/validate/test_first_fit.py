"""The fit: on rows it made itself it finds what made them; on the public rows, the catalog."""

import os
from pathlib import Path

import numpy as np
import pytest

from rackwright.catalog import load
from rackwright.design.parameters import draw
from rackwright.records.errors import InputError
from rackwright.validate import fit_serving, fit_training
from rackwright.validate.first_fit import main
from rackwright.validate.fit import Free, fit, robust_sd, with_value
from rackwright.validate.fit_serving import SERVED, unqueued
from rackwright.validate.fit_training import FAMILIES, by_configuration, held_bytes
from rackwright.validate.measured import read_serving, read_training

DATA = Path(os.environ.get("RACKWRIGHT_DATA", "/nonexistent"))
CATALOG = load()
PARAMETERS = draw(CATALOG, FAMILIES, n=2)

needs_data = pytest.mark.skipif(
    not (DATA / "training_measured.csv").is_file(),
    reason="RACKWRIGHT_DATA does not name a folder with the measured tables",
)


def test_a_missing_table_is_one_clear_message(tmp_path):
    with pytest.raises(InputError, match=r"training_measured\.csv: no such table"):
        read_training(tmp_path, CATALOG, FAMILIES)
    assert main([]) == 2


def test_the_robust_spread_of_normal_errors_is_their_standard_deviation():
    errors = np.random.default_rng(1).normal(0.0, 0.2, 20_000)
    errors[:100] = 50.0  # gross errors do not move it

    assert robust_sd(errors) == pytest.approx(0.2, rel=0.03)


@needs_data
def test_the_catalog_holds_what_the_fit_prints(capsys):
    # the catalog rounds to four digits and the two fits lean on each other: two percent
    assert main([str(DATA)]) == 0
    nominal = dict(zip(PARAMETERS.names, PARAMETERS.nominal, strict=True))
    printed = 0
    for line in capsys.readouterr().out.splitlines():
        words = line.split()
        name = (
            " ".join(words[:2]) if words[:1] == ["Blackwell"] and "." not in words[0] else words[0]
        )
        if name in nominal:
            value = float(words[len(name.split())])
            assert value == pytest.approx(nominal[name], rel=0.02), name
            printed += 1
    assert printed >= 25


@needs_data
def test_the_errors_on_the_public_rows_are_within_the_aim():
    trained = by_configuration(read_training(DATA, CATALOG, FAMILIES))
    megatron = [r for r in trained if r.source.startswith(("megatron-bridge-perf", "mlperf"))]
    served = unqueued(read_serving(DATA, CATALOG, FAMILIES, SERVED))

    def median(errors):
        return np.median(np.abs(np.expm1(errors(PARAMETERS))))

    assert len(megatron) > 90
    assert len(served) > 600
    assert median(fit_training.errors(megatron)) < 0.15
    assert median(fit_serving.errors(served)) < 0.25


@needs_data
def test_the_fit_finds_a_factor_that_was_put_into_the_rows():
    rows = by_configuration(read_training(DATA, CATALOG, ("Hopper",)))[:12]
    slow = with_value(PARAMETERS, "Hopper.training.stack", 1.4)
    ratios = np.exp(fit_training.errors(rows)(slow))
    made = [row._replace(step_s=row.step_s * r) for row, r in zip(rows, ratios, strict=True)]
    free = (Free("Hopper.training.stack", 1.0, 0.5),)

    found, spread = fit(PARAMETERS, free, fit_training.errors(made), noise=0.05)
    got = found.nominal[found.names.index("Hopper.training.stack")]
    assert got == pytest.approx(1.4, rel=0.01)
    assert spread[0] < 0.05


@needs_data
def test_published_training_plans_fit_their_accelerators_by_our_count():
    # they ran, so they fitted; rows whose recomputation or offload is not stated may not
    rows = by_configuration(read_training(DATA, CATALOG, (*FAMILIES, "Ampere")))
    fits = [ours <= there for ours, there in held_bytes(rows)]

    assert len(fits) > 400
    assert np.mean(fits) >= 0.97
