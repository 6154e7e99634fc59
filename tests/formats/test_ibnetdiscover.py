"""Fabrics as InfiniBand topology text, and what OpenSM says of them."""

from __future__ import annotations

import numpy as np
import pytest

from rackwright.formats.ibnetdiscover import read_topology, topology_text, wiring_of
from rackwright.kernels.fabric import fat_tree
from rackwright.kernels.fabric_check import tree_faults
from rackwright.kernels.fabric_ports import Wiring, wire_tree
from rackwright.records.errors import InputError
from tests.formats.opensm import is_fat_tree, needs_opensm

TWO_TIERS, THREE_TIERS = (64, 8, 64), (48, 4, 16)  # servers, rails, radix


def wired(servers, rails, radix, planes=1):
    tree = fat_tree(servers * rails, radix)
    assert tree is not None
    return wire_tree(tree, servers, rails, radix // 2, planes)


def swapped(wiring, block):
    """Return the wiring with two cables of a block swapped at their upper ends."""
    old = wiring.blocks[block]
    i = 0
    j = int(np.flatnonzero((old.a != old.a[i]) & (old.b != old.b[i]))[-1])
    b, port = old.b.copy(), old.b_port.copy()
    b[[i, j]], port[[i, j]] = b[[j, i]], port[[j, i]]
    blocks = list(wiring.blocks)
    blocks[block] = old._replace(b=b, b_port=port)
    return Wiring(wiring.devices, tuple(blocks))


@pytest.mark.parametrize("size", [TWO_TIERS, THREE_TIERS])
def test_the_text_is_read_back_with_all_cables(size):
    wiring = wired(*size)
    text = topology_text(wiring, size[2])
    devices, cables = read_topology(text)
    back = wiring_of(text)

    assert len(cables) == wiring.links
    switches = sum(n for tier, n in wiring.devices.items() if tier != "server")
    assert sum(d.kind == "Switch" for d in devices.values()) == switches
    assert [b.size for b in back.blocks] == [b.size for b in wiring.blocks]
    assert tree_faults(back) == ()


def test_each_plane_is_a_text_of_its_own():
    wiring = wired(64, 8, 64, planes=2)
    first, second = (topology_text(wiring, 64, p, 2) for p in (0, 1))

    assert len(read_topology(first)[1]) == len(read_topology(second)[1]) == wiring.links // 2
    assert not set(read_topology(first)[0]) & set(read_topology(second)[0])


@needs_opensm
@pytest.mark.parametrize("size", [TWO_TIERS, THREE_TIERS])
def test_opensm_takes_our_fabrics_for_fat_trees(size, tmp_path):
    wiring = wired(*size)
    assert tree_faults(wiring) == ()
    assert is_fat_tree(topology_text(wiring, size[2]), tmp_path)


@needs_opensm
@pytest.mark.parametrize(("size", "block"), [(TWO_TIERS, 1), ((40, 8, 32), 1), ((36, 4, 12), 2)])
def test_opensm_and_we_reject_a_fabric_with_one_cable_swapped(size, block, tmp_path):
    wiring = swapped(wired(*size), block)
    assert tree_faults(wiring)
    assert not is_fat_tree(topology_text(wiring, size[2]), tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.replace('"S-0252570002000000"[1]', '"S-0252570002000000"[9]', 1), "lead back"),
        (lambda t: t + "nonsense\n", "no line of a topology"),
        (lambda t: '[1] "S-1"[1]\n' + t, "before any switch"),
        (lambda t: t.replace('"S-0252570001000000"[1]', '"S-ff"[1]', 1), "is no switch"),
    ],
)
def test_a_damaged_text_is_told_by_line(change, said):
    text = topology_text(wired(16, 2, 8), 8)
    with pytest.raises(InputError, match=said) as told:
        read_topology(change(text), "fabric.topo")
    assert "fabric.topo:" in str(told.value)
