"""The fit: on rows it made itself it finds what made them; on the public rows, the catalog."""

import os
from pathlib import Path

import numpy as np
import pytest

from rackwright.catalog import load
from rackwright.design.parameters import draw
from rackwright.records.errors import InputError
from rackwright.validate import fit_serving
from rackwright.validate.first_fit import main
from rackwright.validate.fit import robust_sd
from rackwright.validate.fit_serving import FAMILIES, SERVED, unqueued
from rackwright.validate.measured import read_serving

DATA = Path(os.environ.get("RACKWRIGHT_DATA", "/nonexistent"))
CATALOG = load()
PARAMETERS = draw(CATALOG, FAMILIES, n=2)

needs_data = pytest.mark.skipif(
    not (DATA / "serving_measured.csv").is_file(),
    reason="RACKWRIGHT_DATA does not name a folder with the measured tables",
)


def test_a_missing_table_is_one_clear_message(tmp_path):
    with pytest.raises(InputError, match=r"serving_measured\.csv: no such table"):
        read_serving(tmp_path, CATALOG, FAMILIES, ())
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
    assert printed >= 10


@needs_data
def test_the_errors_on_the_public_rows_are_within_the_aim():
    served = unqueued(read_serving(DATA, CATALOG, FAMILIES, SERVED))

    assert len(served) > 600
    assert np.median(np.abs(np.expm1(fit_serving.errors(served)(PARAMETERS)))) < 0.25
