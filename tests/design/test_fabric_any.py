"""Any plan is laid whole or told what it lacks: no traceback, no link without cable or place."""

from __future__ import annotations

from math import prod

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from rackwright import catalog
from rackwright.design.fabric import build_fabric
from rackwright.drawing.fabric import fabric_svg
from rackwright.drawing.hall import hall_svg
from rackwright.formats.laid import cable_rows
from rackwright.kernels.fabric_check import tree_faults
from rackwright.records.errors import InputError, RackwrightError
from rackwright.records.fabric import FabricPlan, FloorPlan
from rackwright.sheets import laid_fabric, loads_of_fabric

CATALOG = catalog.load()

SWITCHES = {  # with rates that their ports have, whole or in halves
    "nvidia-qm9700": (4e11, 2e11), "nvidia-sn5610": (8e11, 4e11), "celestica-ds5000": (4e11,),
    "nvidia-q3400-ra": (8e11, 4e11), "hpe-slingshot-11": (2e11,), "arista-7700r4c-38pe": (8e11,),
    "broadcom-th5-asic": (8e11,), "nvidia-sn2201": (1e9,),
}  # fmt: skip


@st.composite
def drawn_floors(draw):
    row = draw(st.integers(4, 40))
    return {
        "racks_per_row": row,
        "cross_trays": draw(st.lists(st.integers(0, row), max_size=3).map(tuple)),
        "switches_per_rack": draw(st.integers(1, 25)),
        "tray_height_m": draw(st.floats(2.3, 5.0)),
        "slack": draw(st.floats(0, 1)),
    }


@st.composite
def drawn_plans(draw):
    switch = draw(st.sampled_from(list(SWITCHES)))
    planes = draw(st.sampled_from([1, 1, 2]))
    shape = draw(st.lists(st.integers(1, 12), min_size=1, max_size=3).map(tuple))
    torus = draw(st.sampled_from([False, False, False, True]))
    tree = draw(st.sampled_from(["fat-tree", "fat-tree", "dragonfly"]))
    each = draw(st.sampled_from([1, 4, 8, 16]))
    return {
        "topology": "torus" if torus else tree,
        "shape": shape if torus else (),
        "accelerators": prod(shape) if torus else each * draw(st.integers(1, 400)),
        "accelerators_per_server": 1 if torus else each,
        "servers_per_rack": draw(st.integers(1, 18)),
        "switch": switch,
        "nic": draw(st.sampled_from(["", "", "nvidia-cx7-400", "nvidia-bf3-2x400"])),
        "nic_bit_per_s": draw(st.sampled_from(SWITCHES[switch])) * planes,
        "nics_per_accelerator": draw(st.sampled_from([1, 1, 2, 3])),
        "planes": planes,
        "oversubscription": draw(st.one_of(st.just(1.0), st.floats(1, 70))),
        "by_rail": draw(st.booleans()),
        "fabric_manager_ports": draw(st.sampled_from([0, 0, 4])),
    }


floors, plans = drawn_floors(), drawn_plans()


@settings(deadline=None, max_examples=250, derandomize=True)
@given(plan=plans, floor=floors)
def test_any_plan_is_laid_whole_or_told_what_it_lacks(plan, floor):
    try:
        asked = FabricPlan(**plan, floor=FloorPlan(**floor))
    except ValidationError:
        return
    try:
        built = build_fabric(asked, CATALOG)
    except RackwrightError:  # with its reason; anything else is a bug
        return
    (net,), (parts,) = built.nets, built.fabric.networks
    laid = laid_fabric(built)
    rows = list(cable_rows(laid))

    assert len(rows) == parts.links == sum(r.links for r in built.fabric.runs)
    assert len({(e.device, e.port) for row in rows for e in (row.a, row.b)}) == 2 * len(rows)
    assert all(row.length_m > 0 for row in rows)
    assert parts.modules <= parts.cages + parts.switches  # a cage may hold links of two kinds
    if net.tree is not None and net.tree.spines and plan["oversubscription"] == 1:
        assert tree_faults(net.wiring) == ()
    along, across = loads_of_fabric(laid)
    assert np.all(along >= 0)
    assert np.all(across >= 0)
    assert "nan" not in fabric_svg(built.fabric, [net.wiring])
    assert "nan" not in hall_svg(built.fabric, along, across)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(
    servers=st.integers(1, 700), planes=st.sampled_from([1, 2]), rails=st.sampled_from([1, 4, 8])
)
def test_any_even_tree_is_a_fat_tree(servers, planes, rails):
    plan = FabricPlan(
        accelerators=servers * rails, accelerators_per_server=rails, switch="nvidia-sn5610",
        nic_bit_per_s=4e11 * planes, planes=planes,
        floor=FloorPlan(racks_per_row=60, cross_trays=(0, 30, 60)),
    )  # fmt: skip
    try:
        built = build_fabric(plan, CATALOG)
    except InputError:
        assert servers * rails > 128**2 // 2
        return
    assert tree_faults(built.nets[0].wiring) == ()
