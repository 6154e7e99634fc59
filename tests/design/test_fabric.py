"""Fabrics from plans: counts, cables, places, and what cannot work."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from rackwright import catalog
from rackwright.design.candidates import enumerate_candidates
from rackwright.design.fabric import build_fabric
from rackwright.design.fabric_plan import plan_of
from rackwright.design.nets import SWITCHES
from rackwright.design.network import Ports, choose_network
from rackwright.kernels.fabric_check import tree_faults
from rackwright.load import load_study
from rackwright.records.errors import InputError, UnknownComponentError
from rackwright.records.fabric import FabricPlan, FloorPlan, SideNetwork

CATALOG = catalog.load()


def planned(**other) -> FabricPlan:
    return FabricPlan(**{"accelerators": 1024, "switch": "nvidia-qm9700", **other})


def compute(plan):
    return build_fabric(plan, CATALOG).fabric.networks[0]


def test_the_five_counts_of_a_superpod_of_1024_are_told_apart():
    net = compute(planned(media=("xcvr-800-2xdr4-osfp", "xcvr-400-dr4-osfp")))

    assert net.devices == {"server": 128, "leaf": 32, "spine": 16}
    assert (net.switches, net.links) == (48, 2048)
    assert net.cables == 2048  # a fibre for each link
    assert net.modules == 1024 + (1024 + 2 * 1024) // 2  # twin-port modules in switches
    assert net.cages == net.modules


def test_two_planes_of_half_rate_double_the_links_and_not_the_modules():
    plan = planned(switch="nvidia-sn5610", nic_bit_per_s=8e11, planes=2)
    net = compute(plan)

    assert net.radix == 128
    assert net.devices == {"server": 128, "leaf": 32, "spine": 16}
    assert net.links == 2 * 2048
    assert net.modules == 1024 + 2 * (1024 + 2 * 1024) // 2


@pytest.mark.parametrize("endpoints", [256, 1024, 4096])
@pytest.mark.parametrize(("rate", "nics", "planes"), [(4e11, 1, 1), (8e11, 1, 2), (8e11, 1, 1)])
@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_what_design_counts_is_what_the_port_list_holds(endpoints, rate, nics, planes, ratio):
    ports = Ports(rate, nics, planes)
    chosen = choose_network(CATALOG, "NVIDIA", ports, endpoints, ratio)
    assert not isinstance(chosen, str)
    optics = tuple(o for o in CATALOG.names("optics") if o != "aoc-800" and "lpo" not in o)
    built = build_fabric(
        planned(accelerators=endpoints, switch=chosen.switch.key, nic_bit_per_s=rate,
                nics_per_accelerator=nics, planes=planes, oversubscription=ratio, media=optics),
        CATALOG,
    )  # fmt: skip
    net = built.fabric.networks[0]

    assert net.switches == chosen.switches
    assert net.links == planes * chosen.tree.links
    switch_cages = sum(
        len(np.unique(np.concatenate([
            device.astype(np.int64) * 4096 + port // built.nets[0].per_cage
            for block in built.nets[0].wiring.blocks
            for side, device, port in ((block.a_tier, block.a, block.a_port),
                                       (block.b_tier, block.b, block.b_port))
            if side == tier
        ]))) for tier in net.devices if tier in SWITCHES
    )  # fmt: skip
    # a search rounds cages once, the port list once for each switch
    assert chosen.switch_modules <= switch_cages <= chosen.switch_modules + 2 * net.switches


@pytest.mark.parametrize(
    "plan",
    [
        planned(),
        planned(accelerators=4096, side_networks=(
            SideNetwork(name="storage", ports_per_server=2, link_bit_per_s=4e11,
                        switch="nvidia-qm9700"),)),
        planned(switch="nvidia-sn5610", nic_bit_per_s=8e11, planes=2),
    ],
)  # fmt: skip
def test_every_network_is_a_fat_tree_with_a_cable_and_a_length_for_each_link(plan):
    built = build_fabric(plan, CATALOG)
    for net, laid in zip(built.nets, built.laid, strict=True):
        assert tree_faults(net.wiring) == ()
        for block, part in zip(net.wiring.blocks, laid, strict=True):
            assert part.length_m.shape == part.route_m.shape == (block.size,)
            assert np.all(part.length_m > part.route_m)
            assert np.all(part.cabled.medium_of >= 0)
    runs = built.fabric.runs
    for net in built.fabric.networks:
        assert sum(r.links for r in runs if r.network == net.name) == net.links


def test_in_band_storage_and_out_of_band_networks_have_counts_of_their_own():
    sides = tuple(
        SideNetwork(name=name, ports_per_server=ports, link_bit_per_s=rate, switch=switch)
        for name, ports, rate, switch in (
            ("storage", 2, 4e11, "nvidia-qm9700"),
            ("in-band", 2, 2e11, "nvidia-sn4600"),
            ("out-of-band", 3, 1e9, "nvidia-sn2201"),
        )
    )
    with pytest.raises(InputError, match="in-band"):  # the catalog has no medium of 200 Gbit/s
        build_fabric(planned(side_networks=sides), CATALOG)
    built = build_fabric(planned(side_networks=(sides[0], sides[2])), CATALOG)
    counts = {n.name: (n.devices["leaf"], n.links) for n in built.fabric.networks}

    assert counts["storage"] == (8, 256 + 256)
    assert counts["out-of-band"][1] >= 384


def test_fabric_managers_take_free_ports_and_say_when_there_are_none():
    built = build_fabric(planned(accelerators=1016, fabric_manager_ports=4), CATALOG)
    assert built.nets[0].wiring.devices["manager"] == 4
    with pytest.raises(InputError, match="plan a server fewer"):
        build_fabric(planned(fabric_manager_ports=4), CATALOG)


def test_the_bill_is_closed_and_comes_to_the_price():
    built = build_fabric(planned(switch="nvidia-sn5610", nic_bit_per_s=8e11, planes=2), CATALOG)
    fabric = built.fabric
    middle = sum((line.usd_low + line.usd_high) / 2 for line in fabric.bill)
    of = {line.part: line.quantity for line in fabric.bill}
    modules = sum(q for part, q in of.items() if part.startswith("xcvr"))
    net = fabric.networks[0]

    assert middle == pytest.approx(net.usd)
    assert of["nvidia-sn5610"] == net.switches
    assert modules == net.modules
    assert of["fibre-jumper"] == net.links  # each link one fibre, each of its ends in a module
    assert all(line.source for line in fabric.bill)


def test_a_network_that_hangs_on_one_spine_is_a_finding():
    lean = SideNetwork(
        name="in-band", ports_per_server=2, link_bit_per_s=4e11, switch="nvidia-sn5600",
        oversubscription=3,
    )  # fmt: skip
    found = build_fabric(planned(side_networks=(lean,)), CATALOG).fabric.findings
    assert any("one spine joins 3 leaves" in text for text in found)


def test_copper_is_taken_where_it_reaches_and_fibre_beyond():
    built = build_fabric(planned(), CATALOG)
    longest = {kind: max(r.length_m for r in built.fabric.runs if r.kind == kind)
               for kind in ("copper", "fibre")}  # fmt: skip
    assert longest["copper"] <= 7 < longest["fibre"]


def test_a_medium_goes_into_the_cages_of_the_nic():
    osfp = build_fabric(planned(nic="nvidia-cx7-400"), CATALOG).fabric
    qsfp = build_fabric(planned(nic="amd-pollara-400", switch="celestica-ds5000"), CATALOG).fabric
    assert "xcvr-400-sr4-qsfp112" in {line.part for line in qsfp.bill}
    assert not any("osfp" in line.part and "400" in line.part for line in qsfp.bill)
    assert any(r.kind == "copper" for r in osfp.runs)
    with pytest.raises(UnknownComponentError, match="nvidia-cx7-400"):
        build_fabric(planned(nic="nvidia-cx7-40"), CATALOG)


def test_a_longer_floor_needs_no_fewer_metres():
    near, far = (
        compute(
            planned(floor=FloorPlan(row_pitch_m=p, racks_per_row=8, cross_trays=(0, 8)))
        ).route_m
        for p in (2.4, 4.0)
    )
    assert far > near


def test_racks_stand_apart_and_have_names():
    racks = build_fabric(planned(), CATALOG).fabric.racks
    assert len({r.name for r in racks}) == len(racks)
    assert len({(r.x_m, r.y_m) for r in racks}) == len(racks)
    assert {r.role for r in racks} == {"compute", "network"}


def test_dragonfly_and_torus_are_built():
    net = compute(planned(topology="dragonfly", accelerators=4096))
    assert net.devices["endpoint"] == 4096
    torus = compute(planned(topology="torus", accelerators=512, shape=(8, 8, 8)))
    assert (torus.switches, torus.links) == (0, 3 * 512)


@pytest.mark.slow
def test_131072_accelerators_take_seconds():
    start = time.perf_counter()
    built = build_fabric(
        planned(accelerators=131_072, switch="nvidia-sn5610", servers_per_rack=8), CATALOG
    )
    assert time.perf_counter() - start < 10
    assert built.fabric.networks[0].links == 3 * 131_072


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"accelerators": 131_072}, "more than three tiers of nvidia-qm9700"),
        ({"nic_bit_per_s": 1e11}, "has no ports of 100 Gbit/s"),
        ({"switch": "broadcom-th5-asic"}, "no number of ports"),
        ({"accelerators": 4096, "floor": FloorPlan(cross_trays=())}, "no cross tray"),
        ({"accelerators": 4096, "floor": FloorPlan(switches_per_rack=60)}, "above the tray"),
        ({"media": ("dac-800-osfp",)}, "the longest reaches 3 m"),
        ({"nic": "nvidia-cx8-800"}, "has ports of 800 Gbit/s, nic_bit_per_s asks for 400"),
        (
            {"nic": "nvidia-cx7-400", "planes": 2, "switch": "mellanox-qm8700"},
            "splits into 1 planes",
        ),
        ({"topology": "torus", "shape": (4, 4)}, "has 16 accelerators"),
        ({"topology": "dragonfly", "groups": 2, "accelerators": 100_000}, "too few"),
    ],
)
def test_what_cannot_work_is_told_with_its_place(other, said):
    with pytest.raises(InputError, match=said):
        build_fabric(planned(**other), CATALOG)


def test_unknown_names_are_told_with_the_nearest():
    with pytest.raises(UnknownComponentError, match="dac-800-osfp"):
        build_fabric(planned(media=("dac-800-osf",)), CATALOG)
    with pytest.raises(UnknownComponentError, match="nvidia-qm9700"):
        build_fabric(planned(switch="nvidia-qm970"), CATALOG)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: planned(accelerators=1001), "partly filled"),
        (lambda: planned(planes=3, nics_per_accelerator=2), "do not divide"),
        (lambda: planned(topology="torus"), "needs its shape"),
        (lambda: FloorPlan(tray_height_m=1.0), "above port_height_m"),
        (lambda: FloorPlan(row_pitch_m=1.0), "rows would overlap"),
        (lambda: FloorPlan(cross_trays=(0, 99)), "go from 0 to"),
        (lambda: FloorPlan(service_loop_m=-1.0), "service_loop_m"),
    ],
)
def test_plans_that_contradict_themselves_are_refused(make, said):
    with pytest.raises(ValidationError, match=said):
        make()


def test_every_design_of_an_example_is_laid_with_the_counts_of_its_search():
    study = load_study(Path(__file__).parents[2] / "examples" / "houston" / "study.toml").study
    seen = set()
    for candidate in enumerate_candidates(study, CATALOG).all:
        plan = plan_of(candidate)
        network = candidate.network
        key = (
            plan.accelerators,
            plan.switch,
            plan.planes,
            plan.oversubscription,
            plan.nic_bit_per_s,
        )
        if key in seen:
            continue
        seen.add(key)
        parts = build_fabric(plan, CATALOG).fabric.networks[0]
        assert parts.switches == network.switches
        assert parts.links == plan.planes * network.tree.links
    assert len(seen) > 5
