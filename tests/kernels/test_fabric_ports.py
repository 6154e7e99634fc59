"""Connections of fabrics, port by port."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rackwright.kernels.fabric import Dragonfly, balanced_dragonfly, fat_tree, torus_links
from rackwright.kernels.fabric_ports import (
    wire_dragonfly,
    wire_mesh,
    wire_switched,
    wire_torus,
    wire_tree,
)


def every_port(wiring):
    ends = Counter()
    for block in wiring.blocks:
        ends.update((block.a_tier, *pair) for pair in zip(block.a, block.a_port, strict=True))
        ends.update((block.b_tier, *pair) for pair in zip(block.b, block.b_port, strict=True))
    return ends


def tree_of(servers, rails, radix, oversubscription=1.0, planes=1):
    tree = fat_tree(servers * rails, radix, oversubscription)
    assert tree is not None
    down = radix if tree.tiers == 1 else int(radix * oversubscription / (1 + oversubscription))
    return tree, wire_tree(tree, servers, rails, down, planes)


@settings(deadline=None, max_examples=60)
@given(
    servers=st.integers(1, 90), rails=st.sampled_from([1, 4, 8]),
    radix=st.sampled_from([8, 12, 16, 64]), ratio=st.sampled_from([1.0, 2.0, 3.0]),
    planes=st.sampled_from([1, 2]),
)  # fmt: skip
def test_port_lists_have_the_counts_and_use_each_port_once(servers, rails, radix, ratio, planes):
    if fat_tree(servers * rails, radix, ratio) is None:
        return
    tree, wiring = tree_of(servers, rails, radix, ratio, planes)

    assert wiring.between("server", "leaf") == planes * tree.endpoint_links
    assert wiring.between("leaf", "spine") == planes * tree.leaf_uplinks
    assert wiring.between("spine", "core") == planes * tree.core_links
    ends = every_port(wiring)
    assert set(ends.values()) == {1}
    for tier in ("leaf", "spine", "core"):
        if tier in wiring.devices:
            assert max(p for t, _, p in ends if t == tier) < radix
            assert {d for t, d, _ in ends if t == tier} <= set(range(wiring.devices[tier]))


@pytest.mark.parametrize(("servers", "rails", "radix"), [(64, 8, 64), (512, 8, 64), (96, 8, 16)])
def test_each_leaf_has_equally_many_links_to_each_spine_of_its_pod(servers, rails, radix):
    tree, wiring = tree_of(servers, rails, radix)
    leaf_spine = next(b for b in wiring.blocks if b.a_tier == "leaf")
    pairs = Counter(zip(leaf_spine.a.tolist(), leaf_spine.b.tolist(), strict=True))

    assert len(set(pairs.values())) == 1
    assert len(pairs) == tree.leaves * tree.spines // tree.pods


def test_a_rail_meets_in_leaves_of_its_own():
    _, wiring = tree_of(128, 8, 64)  # four scalable units of 32 servers
    access = wiring.blocks[0]
    rails_of_leaf = {
        (int(leaf), int(port)) for leaf, port in zip(access.b, access.a_port, strict=True)
    }

    assert len(rails_of_leaf) == 32


def test_each_core_reaches_every_pod():
    tree, wiring = tree_of(512, 8, 64)
    spine_core = wiring.blocks[-1]
    spines = tree.spines // tree.pods
    for core in range(tree.cores):
        pods = Counter((spine_core.a[spine_core.b == core] // spines).tolist())
        assert len(pods) == tree.pods
        assert len(set(pods.values())) == 1


@pytest.mark.parametrize(
    "shape", [Dragonfly(2, 4, 2, 9), Dragonfly(2, 4, 2, 7), Dragonfly(16, 32, 16, 74)]
)
def test_a_dragonfly_uses_each_port_once_and_joins_all_groups(shape):
    wiring = wire_dragonfly(shape, shape.endpoints)
    local, outward = wiring.blocks[1:]

    assert (local.size, outward.size) == (shape.local_links, shape.global_links)
    assert set(every_port(wiring).values()) == {1}
    groups = {(a, b) for a, b in zip(outward.a // shape.a, outward.b // shape.a, strict=True)}
    joined = {frozenset(map(int, pair)) for pair in groups}
    assert len(joined) == shape.g * (shape.g - 1) // 2
    assert max(map(int, outward.a_port)) < shape.p + shape.a - 1 + shape.h


def test_the_largest_dragonfly_is_wired():
    shape = balanced_dragonfly(16)
    assert wire_dragonfly(shape, shape.endpoints).links == shape.links + shape.endpoints


@pytest.mark.parametrize("shape", [(4, 4), (16, 20, 28), (2, 3), (1, 5), (2, 2, 2)])
def test_a_torus_has_its_links_and_uses_each_port_once(shape):
    wiring = wire_torus(shape)
    assert wiring.links == torus_links(shape)
    assert set(every_port(wiring).values()) == {1}


def test_a_mesh_of_eight_has_28_pairs():
    wiring = wire_mesh(8)
    assert wiring.links == 28
    assert set(every_port(wiring).values()) == {1}
    assert set(wiring.ports_in_use("accelerator")) == {7}


def test_the_backplane_of_72_has_18_chips_with_a_link_of_each_accelerator():
    wiring = wire_switched(72, 18, 72)
    assert wiring.devices == {"accelerator": 72, "switch": 18}
    assert wiring.links == 1296  # of two lanes and two directions: 5,184 pairs
    pairs = Counter(zip(wiring.blocks[0].a.tolist(), wiring.blocks[0].b.tolist(), strict=True))
    assert len(pairs) == 72 * 18
    assert set(every_port(wiring).values()) == {1}


def test_a_switched_eight_has_the_chips_that_its_links_need():
    wiring = wire_switched(8, 18, 72)  # HGX B200: two chips take 144 links
    assert wiring.devices["switch"] == 2
    assert set(every_port(wiring).values()) == {1}


def test_what_does_not_fit_is_refused():
    tree = fat_tree(64, 16)
    assert tree is not None
    with pytest.raises(ValueError, match="endpoints on"):
        wire_tree(tree, 4, 8, 8)
    with pytest.raises(ValueError, match="ports for"):
        wire_tree(tree, 8, 8, 4)
    with pytest.raises(ValueError, match="more than one accelerator can reach"):
        wire_switched(576, 2, 72)
    with pytest.raises(ValueError, match="asked for"):
        wire_dragonfly(Dragonfly(2, 4, 2, 9), 1000)


def test_a_fabric_of_131072_accelerators_is_arrays():
    tree = fat_tree(131_072, 128)
    assert tree is not None
    wiring = wire_tree(tree, 16_384, 8, 64)
    assert wiring.links == 3 * 131_072
    assert all(isinstance(block.a, np.ndarray) for block in wiring.blocks)
