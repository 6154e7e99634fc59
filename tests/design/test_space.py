"""Rows of the space: shares sum to what they are shares of, and every part has its sources."""

from importlib.resources import files

import pytest

from rackwright import catalog
from rackwright.design import front, search
from rackwright.records.study import SoftwareSpace, Study
from tests.design.hardware import CATALOG, MODELS
from tests.design.test_compose import study

SMALL = SoftwareSpace(
    tensor_parallel=(1, 8), pipeline_parallel=(1,), expert_parallel=(1, 8), batch=(1, 64)
)
STUDY: Study = study(
    generations=({"system": "nvidia-gb300-nvl72"}, {"system": "nvidia-dgx-h200"}),
    composed=({"interface": "hgx-nvlink5", "cooling": ["liquid"]},),
    baseline="nvidia-dgx-h200",
    software=SMALL,
)
SPACE = search(STUDY, CATALOG, MODELS)


def test_shares_of_power_and_price_sum_to_the_whole():
    for row in SPACE.rows:
        assert sum(line.w for line in row.power) == pytest.approx(row.provisioned_power_w)
        assert sum(line.usd for line in row.price) == pytest.approx(row.price_usd)


def test_a_row_says_where_it_stands_on_the_hardware_axes():
    made = {row.axes.composed: row for row in SPACE.rows}

    assert set(made) == {True, False}
    assert made[True].axes.interface == "hgx-nvlink5"
    assert made[True].axes.cooling == "liquid"
    for row in SPACE.rows:
        assert row.axes.nic in CATALOG.names("nics")
        assert row.axes.switch in CATALOG.names("switches")
        assert row.axes.host_cpu in {line.part for line in row.bill}
        assert row.axes.host_memory_bytes > 1e11


def test_what_the_designs_lean_on_has_its_sources():
    told = {source.component for source in SPACE.sources}
    for row in SPACE.rows:
        assert row.accelerator in told
        assert CATALOG.accelerator(row.accelerator).memory_stack_part in told
        for line in row.bill:
            if not line.part.startswith("hbm"):  # memory is billed by its kind
                assert line.part in told


def test_the_front_ranks_composed_racks_at_the_upper_end_and_the_baseline_always():
    rows = front(STUDY, SPACE).rows
    prices = {row.key: row for row in SPACE.rows}

    assert any(row.baseline for row in rows)
    for row in rows:
        assert row.capital_share + row.energy_share + row.reserved_share == pytest.approx(1.0)
        if row.composed:
            high = sum(line.usd_high for line in prices[row.key].price)
            assert row.price_usd == pytest.approx(high)
    costs = [row.usd_per_million_tokens for row in rows]
    assert costs == sorted(costs)


def test_a_chip_family_without_measurements_is_an_assumption_of_grade_d(tmp_path):
    there = files("rackwright.catalog") / "accelerators" / "nvidia-h200-sxm.toml"
    text = there.read_text(encoding="utf-8").replace('family = "Hopper"', 'family = "Zephyr"')
    (tmp_path / "accelerators").mkdir()
    (tmp_path / "accelerators" / "nvidia-h200-sxm.toml").write_text(text, encoding="utf-8")
    over = catalog.load(tmp_path)
    (row,) = search(
        study(generations=({"system": "nvidia-dgx-h200"},), software=SMALL),
        over,
        MODELS,
    ).rows

    assert any("chip family 'Zephyr'" in note for note in row.assumptions)
    assert row.services[0].grade == "D"
