"""Which wirings are fat trees."""

from __future__ import annotations

import numpy as np
import pytest

from rackwright.kernels.fabric import fat_tree
from rackwright.kernels.fabric_check import tree_faults
from rackwright.kernels.fabric_ports import Wiring, wire_tree

SIZES = [(64, 8, 64), (512, 8, 64), (96, 8, 16), (5, 8, 8), (256, 4, 32)]


def wired(servers, rails, radix, planes=1):
    tree = fat_tree(servers * rails, radix)
    assert tree is not None
    return wire_tree(tree, servers, rails, radix // 2, planes)


def swapped(wiring, block, i, j):
    """Return the wiring with the upper ends of two cables of a block swapped."""
    old = wiring.blocks[block]
    b, port = old.b.copy(), old.b_port.copy()
    b[[i, j]], port[[i, j]] = b[[j, i]], port[[j, i]]
    blocks = list(wiring.blocks)
    blocks[block] = old._replace(b=b, b_port=port)
    return Wiring(wiring.devices, tuple(blocks))


@pytest.mark.parametrize(("servers", "rails", "radix"), SIZES)
@pytest.mark.parametrize("planes", [1, 2])
def test_what_we_wire_is_a_fat_tree(servers, rails, radix, planes):
    assert tree_faults(wired(servers, rails, radix, planes)) == ()


@pytest.mark.parametrize(("servers", "rails", "radix"), SIZES)
def test_one_swapped_cable_is_found_wherever_it_is(servers, rails, radix):
    wiring = wired(servers, rails, radix)
    rng = np.random.default_rng(5)
    for k, block in enumerate(wiring.blocks[1:], start=1):
        for _ in range(5):
            i, j = rng.choice(block.size, 2, replace=False)
            if block.a[i] == block.a[j] or block.b[i] == block.b[j]:
                continue  # a bundle's own cables: the same tree
            other = swapped(wiring, k, i, j)
            assert tree_faults(other), (k, i, j)


def test_a_port_used_twice_is_named():
    wiring = wired(64, 8, 64)
    block = wiring.blocks[1]
    port = block.b_port.copy()
    port[0] = port[1]
    faults = tree_faults(Wiring(wiring.devices, (wiring.blocks[0], block._replace(b_port=port))))
    assert "carries 2 links" in faults[0].message
