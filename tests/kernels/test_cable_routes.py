"""Ways of cables over trays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rackwright.kernels.cable_routes import STOCK_M, route_lengths, stock_lengths


def way(a, b, crosses=(0.0, 6.0), same=False, tray=3.0):
    return float(route_lengths([a], [b], tray, crosses, [same])[0])


def test_a_way_in_one_row_goes_up_along_and_down():
    assert way((1, 0.6, 1.0), (4, 0.6, 2.0)) == pytest.approx((3 - 1) + 3 + (3 - 2))


def test_a_way_to_another_row_takes_the_better_cross_tray():
    # over x = 0: 1 + 2; over x = 6: 5 + 4
    assert way((1, 0, 1.0), (2, 4, 1.0)) == pytest.approx(2 + 1 + 2 + 4 + 2)
    assert way((5, 0, 1.0), (6, 4, 1.0)) == pytest.approx(2 + 1 + 0 + 4 + 2)


def test_a_way_within_a_rack_is_its_height():
    assert way((1, 0, 0.4), (1, 0, 1.9), same=True) == pytest.approx(1.5)


def test_rows_without_a_cross_tray_have_no_way():
    with pytest.raises(ValueError, match="no cross tray"):
        way((1, 0, 1), (1, 4, 1), crosses=())
    assert way((1, 0, 1), (3, 0, 1), crosses=()) == pytest.approx(6)  # one row needs none


def test_a_port_above_the_tray_is_refused():
    with pytest.raises(ValueError, match="above the tray"):
        way((1, 0, 3.5), (1, 0, 1))


places = st.tuples(st.floats(0, 50), st.floats(0, 50), st.floats(0, 2.5))


@given(a=places, b=places, c=st.floats(0, 50))
def test_the_way_is_the_same_back_and_no_shorter_than_straight(a, b, c):
    there, back = way(a, b, (c,)), way(b, a, (c,))
    assert there == pytest.approx(back)
    assert there >= np.linalg.norm(np.subtract(a, b)) - 1e-9


@given(st.lists(st.floats(0, 1500), min_size=1, max_size=20))
def test_bought_lengths_are_in_stock_and_long_enough(ways):
    bought = stock_lengths(ways, 0.05, 0.5)
    assert set(bought) <= set(STOCK_M)
    assert np.all(bought >= np.array(ways) * 1.05 + 1.0 - 1e-6)


def test_negative_and_endless_ways_are_refused():
    with pytest.raises(ValueError, match="negative"):
        stock_lengths([3.0, -1.0], 0.0, 0.0)
    with pytest.raises(ValueError, match="longer than any cable"):
        stock_lengths([5000.0], 0.0, 0.0)
