"""The bucketed calendar."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rackwright.kernels.calendar import (
    WEEKS_PER_YEAR,
    bucket_edges,
    discount,
    discounted_weeks,
    ramp_integral,
    ramp_minimum,
)

STEPS = st.lists(
    st.tuples(st.floats(0, 120), st.floats(0, 1e6)),
    min_size=1,
    max_size=6,
    unique_by=lambda s: s[0],
)


def test_two_years_have_42_buckets():
    widths = np.diff(bucket_edges(104))

    assert widths.tolist() == [1.0] * 13 + [2.0] * 13 + [4.0] * 15 + [5.0]


@given(st.integers(1, 520))
def test_buckets_cover_the_horizon_and_never_shrink_below_a_week(weeks):
    edges = bucket_edges(weeks)

    assert edges[0] == 0
    assert edges[-1] == weeks
    assert np.diff(edges).min() >= 1
    assert np.all(edges == np.round(edges))


def test_no_horizon_is_refused():
    with pytest.raises(ValueError, match="horizon"):
        bucket_edges(0)


@given(STEPS)
def test_a_ramp_over_buckets_equals_the_sum_over_days(steps):
    week, value = zip(*steps, strict=True)
    edges = np.array([0.0, 3.0, 50.0, 104.0])
    fine = np.linspace(0, 104, 104 * 70 + 1)
    middle = 0.5 * (fine[1:] + fine[:-1])
    order = sorted(steps)
    level = np.array([([0.0] + [v for w, v in order if w <= m])[-1] for m in middle])
    by_day = [level[(middle > a) & (middle < b)].sum() / 70 for a, b in pairwise(edges)]

    assert ramp_integral(week, value, edges) == pytest.approx(by_day, abs=max(value) / 20)


@given(STEPS)
def test_the_least_value_is_never_above_the_mean(steps):
    week, value = zip(*steps, strict=True)
    edges = bucket_edges(104)
    least = ramp_minimum(week, value, edges[:-1], edges[1:])

    assert np.all(least * np.diff(edges) <= ramp_integral(week, value, edges) * (1 + 1e-9) + 1e-9)


def test_the_least_value_of_an_empty_interval_is_the_one_at_its_start():
    assert ramp_minimum([4.0, 10.0], [1.0, 3.0], [3.0, 4.0, 10.0], [3.0, 4.0, 10.0]).tolist() == [
        0.0,
        1.0,
        3.0,
    ]


@given(st.floats(0, 1), st.floats(0, 100), st.floats(0.1, 100))
def test_a_discounted_week_is_the_integral_of_the_discount_factor(rate, start, length):
    weeks = np.linspace(start, start + length, 4001)
    factor = discount(rate, weeks)
    trapezoid = float(((factor[1:] + factor[:-1]) / 2 * np.diff(weeks)).sum())

    got = float(discounted_weeks(rate, [start], [start + length])[0])
    assert got == pytest.approx(trapezoid, rel=1e-5)


def test_a_year_at_ten_percent_costs_ten_percent():
    assert discount(0.1, WEEKS_PER_YEAR) == pytest.approx(1 / 1.1)
