"""Counts of dragonflies, Slim Flies, tori and trees laid out by rails."""

from __future__ import annotations

import pytest

from rackwright.kernels.fabric import (
    Dragonfly,
    balanced_dragonfly,
    fat_tree,
    slim_fly,
    torus_links,
)

# DGX SuperPOD B200 reference architecture: endpoints, leaves, spines, cores, leaf-spine cables.
SUPERPOD = [(512, 16, 8, 0, 512), (2048, 64, 32, 0, 2048), (4096, 128, 128, 64, 4096),
            (8192, 256, 256, 128, 8192), (16384, 512, 512, 256, 16384)]  # fmt: skip


@pytest.mark.parametrize(("endpoints", "leaves", "spines", "cores", "cables"), SUPERPOD)
def test_trees_of_a_superpod_have_the_printed_counts(endpoints, leaves, spines, cores, cables):
    tree = fat_tree(endpoints, 64)
    assert tree is not None
    assert (tree.leaves, tree.spines, tree.cores) == (leaves, spines, cores)
    assert tree.leaf_uplinks == cables
    assert tree.core_links == (cables if cores else 0)


def test_spines_divide_the_uplinks_of_a_leaf():
    tree = fat_tree(12 * 32, 64)
    assert tree is not None
    assert tree.spines == 8  # six would take the links and leave unequal bundles


def test_rails_may_ask_for_more_leaves_than_the_endpoints_do():
    tree = fat_tree(8 * 20, 64, leaves=8)
    assert tree is not None
    assert (tree.tiers, tree.leaves, tree.spines) == (2, 8, 4)


def test_the_dragonfly_of_511_groups_has_the_counts_of_its_paper():
    # DeepSeek, ISCA'25, table 3
    df = Dragonfly(16, 32, 16, 511)
    assert (df.endpoints, df.switches, df.links) == (261632, 16352, 384272)


def test_the_largest_balanced_dragonfly_has_one_link_between_any_two_groups():
    df = balanced_dragonfly(64)
    assert df.g == df.a * df.h + 1
    assert df.p + df.a - 1 + df.h <= 64
    assert df.global_links == df.g * (df.g - 1) // 2


def test_the_slim_fly_of_64_ports_has_the_counts_of_its_paper():
    sf = slim_fly(64)
    assert (sf.q, sf.endpoints, sf.routers, sf.links) == (28, 32928, 1568, 32928)


@pytest.mark.parametrize(("shape", "links"), [((16, 20, 28), 26880), ((4, 4), 32), ((3, 1), 3)])
def test_a_torus_has_a_link_per_node_and_long_dimension(shape, links):
    assert torus_links(shape) == links


def test_what_cannot_be_built_is_refused():
    with pytest.raises(ValueError, match="radix"):
        balanced_dragonfly(2)
    with pytest.raises(ValueError, match="radix"):
        slim_fly(5)
    with pytest.raises(ValueError, match="sides"):
        torus_links((4, 0))
