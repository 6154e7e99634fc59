"""Operators and collectives: known answers by hand, and laws that any such time obeys."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rackwright.kernels.collectives import (
    all_reduce_seconds,
    expert_exchange_seconds,
    group_bytes_per_s,
    ring_seconds,
)
from rackwright.kernels.operators import (
    linear_backward_seconds,
    linear_forward_seconds,
    matmul_seconds,
    touched_fraction,
)

SIZE = st.floats(1.0, 1e5)
RATE = st.floats(1e9, 1e16)


def test_a_product_takes_its_arithmetic_and_its_traffic():
    got = matmul_seconds(2.0, 3.0, 5.0, 10.0, 100.0, 1.0, 2.0)

    assert got == pytest.approx(2 * 2 * 3 * 5 / 10 + (2 * 3 + 3 * 5 + 2 * 2 * 5) / 100)


def test_large_products_come_near_the_full_rate_and_small_ones_do_not():
    def share(n):
        return 2 * n**3 / 1e15 / matmul_seconds(n, n, n, 1e15, 3e12, 2.0, 2.0)

    assert share(16384.0) > 0.9
    assert share(256.0) < 0.5


@given(SIZE, SIZE, SIZE, RATE, RATE)
def test_a_product_never_beats_either_roof(m, k, n, flop_per_s, bytes_per_s):
    got = matmul_seconds(m, k, n, flop_per_s, bytes_per_s, 2.0, 2.0)

    assert got >= 2 * m * k * n / flop_per_s * (1 - 1e-12)
    assert got >= 2 * (m * k + k * n + m * n) / bytes_per_s * (1 - 1e-12)


@given(SIZE, SIZE, SIZE)
def test_backward_is_two_products_of_the_same_arithmetic(tokens, width, columns):
    forward = linear_forward_seconds(tokens, width, width * columns, 1e12, 1e30, 2.0)
    backward = linear_backward_seconds(tokens, width, width * columns, 1e12, 1e30, 2.0)

    assert backward == pytest.approx(2 * forward, rel=1e-9)


@given(st.integers(1, 64), st.integers(2, 64), st.floats(0, 2000))
def test_the_share_of_experts_touched_is_a_growing_share(top_k, experts, tokens):
    top_k = min(top_k, experts)
    got = touched_fraction(float(experts), float(top_k), tokens)

    assert 0 <= got <= 1
    assert touched_fraction(float(experts), float(top_k), tokens + 1) >= got


def test_the_share_of_experts_touched_is_that_of_random_choices():
    rng = np.random.default_rng(3)
    experts, top_k, tokens = 64, 4, 20
    draws = [
        np.unique([rng.permutation(experts)[:top_k] for _ in range(tokens)]).size
        for _ in range(400)
    ]

    # the mean of 400 draws has a standard error of about 0.2 %
    got = touched_fraction(float(experts), float(top_k), float(tokens))
    assert got == pytest.approx(np.mean(draws) / experts, rel=0.01)


def test_a_ring_moves_all_but_one_share():
    assert ring_seconds(8.0, 4.0, 2.0, 0.5) == pytest.approx(0.5 + 3 / 4 * 8 / 2)
    assert all_reduce_seconds(8.0, 4.0, 2.0, 0.5) == pytest.approx(0.5 + 2 * 3 / 4 * 8 / 2)
    assert ring_seconds(8.0, 1.0, 2.0, 0.5) == 0.0


def test_a_group_across_domains_shares_the_ports_of_its_members():
    inside = group_bytes_per_s(8.0, 8.0, 450e9, 50e9, 1.0)
    across = group_bytes_per_s(32.0, 4.0, 450e9, 50e9, 1.0)
    wide = group_bytes_per_s(144.0, 72.0, 450e9, 50e9, 1.0)
    thin = group_bytes_per_s(32.0, 4.0, 450e9, 50e9, 2.0)

    assert (inside, across, wide, thin) == (450e9, 200e9, 450e9, 100e9)


def test_expert_exchange_inside_a_domain_sends_every_copy_but_ones_own():
    got = expert_exchange_seconds(1000.0, 8.0, 2.0, 8.0, 8.0, 1e6, 1e3, 0.0)

    assert got == pytest.approx(1000 * 8 * 2 * 7 / 8 / 1e6)


def test_expert_exchange_across_domains_sends_one_copy_per_domain():
    got = expert_exchange_seconds(1000.0, 8.0, 2.0, 64.0, 8.0, 1e9, 1e3, 0.0)
    reached = 8 * (1 - (7 / 8) ** 8)

    assert got == pytest.approx(1000 * 2 * reached * 7 / 8 / 1e3)


@given(st.sampled_from([2, 4, 8, 16, 32, 64]), st.floats(1, 1e5), st.integers(1, 8))
def test_a_larger_domain_never_slows_the_exchange(group, tokens, top_k):
    times = [
        expert_exchange_seconds(tokens, float(top_k), 1e4, float(group), float(d), 9e11, 5e10, 1e-5)
        for d in (1, 2, 4, 8, 16, 32, 64)
        if d <= group
    ]

    assert all(later <= earlier * (1 + 1e-9) for earlier, later in pairwise(times))
    assert math.isfinite(times[0])
