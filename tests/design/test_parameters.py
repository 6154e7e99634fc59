"""Draws: the same world everywhere, families that inherit, shares that stay shares."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rackwright import catalog
from rackwright.catalog.load import Catalog
from rackwright.design.parameters import (
    draw,
    serving_efficiencies,
    training_efficiencies,
    value,
)
from rackwright.kernels.numbers import TrainingEfficiency
from rackwright.records.provenance import Grade

CATALOG: Catalog = catalog.load()
FAMILIES = ("Hopper", "Blackwell", "Blackwell Ultra", "CDNA4")


def test_the_same_seed_gives_the_same_worlds():
    one, two = draw(CATALOG, FAMILIES, 64, 7), draw(CATALOG, FAMILIES, 64, 7)

    assert one.names == two.names
    np.testing.assert_array_equal(one.values, two.values)
    assert one.weights.sum() == pytest.approx(1.0)


def test_another_family_beside_it_changes_no_draw():
    alone, beside = draw(CATALOG, ["Hopper"], 32, 7), draw(CATALOG, FAMILIES, 32, 7)

    for i, name in enumerate(alone.names):
        j = beside.names.index(name)
        np.testing.assert_array_equal(alone.values[:, i], beside.values[:, j])


def test_another_seed_is_another_set_of_worlds():
    one, two = draw(CATALOG, ["Hopper"], 32, 7), draw(CATALOG, ["Hopper"], 32, 8)

    assert not np.array_equal(one.values, two.values)


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_shares_stay_below_one_in_every_world(seed):
    parameters = draw(CATALOG, FAMILIES, 128, seed)
    for i, name in enumerate(parameters.names):
        entry = name.split(".", 1)[1]
        if entry.startswith(("matmul.", "attention", "memory")) or entry == "scale_up":
            assert parameters.values[:, i].max() <= 0.98


def test_the_median_of_many_draws_is_the_nominal_world():
    parameters = draw(CATALOG, ["Blackwell"], 4000, 3)

    # the standard error of a log median is 1.25 sd / sqrt(n); four of them
    for i, name in enumerate(parameters.names):
        logs = np.log(parameters.values[:, i] / parameters.nominal[i])
        if parameters.values[:, i].max() < 0.98:  # shares that are capped are not symmetric
            assert abs(np.median(logs)) <= 4 * 1.25 * np.std(logs) / np.sqrt(4000) + 1e-9, name


def test_a_family_inherits_what_its_file_does_not_name():
    parameters = draw(CATALOG, ["Blackwell", "Blackwell Ultra"], 16, 1)
    ours, theirs = (
        value(parameters, f, "serving.family.stack") for f in ("Blackwell Ultra", "Blackwell")
    )

    assert ours[0] == theirs[0]
    np.testing.assert_array_equal(ours[1], theirs[1])


def test_a_family_without_a_file_has_the_wide_common_spreads_and_grade_d():
    parameters = draw(CATALOG, ["Some New Chip"], 512, 1)
    e, draws, grade = training_efficiencies(parameters, "Some New Chip", "bf16")
    known = draw(CATALOG, ["Hopper"], 512, 1)
    _, narrow, _ = training_efficiencies(known, "Hopper", "bf16")

    assert grade == Grade.D
    assert draws.shape == (512, len(TrainingEfficiency._fields))
    assert np.std(np.log(draws[:, 0])) > 2 * np.std(np.log(narrow[:, 0]))
    assert e.matmul > 0


def test_a_family_whose_draws_were_not_made_is_a_clear_error():
    parameters = draw(CATALOG, [], 8, 1)
    without = type(parameters)(
        **{
            **dict(parameters),
            "names": ("common.memory",),
            "nominal": np.ones(1),
            "values": np.ones((8, 1)),
            "grades": (Grade.A,),
        }
    )

    with pytest.raises(KeyError, match="draw them for this family"):
        training_efficiencies(without, "Hopper", "bf16")


def test_every_accelerator_can_be_given_efficiencies():
    families = {a.family for a in CATALOG.all("accelerators")}
    parameters = draw(CATALOG, families, 4, 1)

    for family in families:
        for precision in ("bf16", "fp16", "fp8", "int8", "fp4"):
            e, _, _ = training_efficiencies(parameters, family, precision)
            assert min(e[:-4]) > 0  # the last four are switches
            served, _, _ = serving_efficiencies(parameters, family, precision)
            assert min(served) > 0


def test_every_parameter_says_where_it_comes_from():
    for file in CATALOG.all("efficiencies"):
        for entry in file.parameter:
            assert entry.source
            if entry.kind == "estimate":
                assert entry.note
