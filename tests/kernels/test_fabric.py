"""Counts of fat trees."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rackwright.kernels.fabric import fat_tree

# Al-Fares et al. 2008: a k-ary fat tree has k³/4 hosts, k²/2 edge, k²/2 aggregation, k²/4 core.
K_ARY = [(8, 128, 32, 32, 16), (48, 27648, 1152, 1152, 576), (64, 65536, 2048, 2048, 1024)]


@pytest.mark.parametrize(("k", "hosts", "edge", "aggregation", "core"), K_ARY)
def test_a_full_fat_tree_has_the_published_counts(k, hosts, edge, aggregation, core):
    got = fat_tree(hosts, k)
    assert got is not None
    assert (got.tiers, got.leaves, got.spines, got.cores) == (3, edge, aggregation, core)
    assert got.links == 3 * hosts


def test_a_full_two_tier_tree_has_half_the_radix_in_spines():
    got = fat_tree(2048, 64)  # 64 leaves of 32 down, 32 spines
    assert got is not None
    assert (got.tiers, got.leaves, got.spines, got.links) == (2, 64, 32, 4096)


def test_one_switch_is_enough_for_its_ports_and_one_more_is_not():
    assert fat_tree(64, 64) == (1, 1, 0, 0, 64, 0, 0, 1)
    two = fat_tree(65, 64)
    assert two is not None
    assert two.tiers == 2


def test_beyond_three_tiers_there_is_no_tree():
    assert fat_tree(65_537, 64) is None


@given(endpoints=st.integers(1, 60_000), radix=st.sampled_from([32, 64, 128, 144]))
def test_ports_are_never_over_used(endpoints, radix):
    got = fat_tree(endpoints, radix)
    if got is None:
        return
    assert got.leaves * radix >= got.endpoint_links + (got.uplinks if got.tiers == 2 else 0)
    assert got.switches * radix >= got.endpoint_links + 2 * got.uplinks


@given(endpoints=st.integers(200, 30_000))
def test_oversubscription_never_needs_more_switches_or_links(endpoints):
    full, lean = fat_tree(endpoints, 64, 1.0), fat_tree(endpoints, 64, 2.0)
    assert full is not None
    assert lean is not None
    assert lean.switches <= full.switches
    assert lean.links <= full.links


@pytest.mark.parametrize("arguments", [(0, 64, 1.0), (10, 1, 1.0), (10, 64, 0.5)])
def test_counts_below_their_range_are_refused(arguments):
    with pytest.raises(ValueError, match="need endpoints"):
        fat_tree(*arguments)
