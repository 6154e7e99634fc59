"""Racks composed on an interface: the vendor's own choice, what does not mate, and its price."""

import pytest

from rackwright.design.bill import UPPER_END, bill_usd, price_lines, rack_items, residual
from rackwright.design.candidates import enumerate_candidates
from rackwright.design.compose import composed_racks
from rackwright.design.network import Ports, choose_network
from rackwright.design.rack import compose_rack
from rackwright.records.interface import RackInterface
from rackwright.records.study import Composed, DesignSpace, Generation, Study
from tests.design.hardware import CATALOG, CHAT

INTERFACES = CATALOG.names("interfaces")
MGX = CATALOG.find(RackInterface, "mgx-nvlink5")


def racks(redundancy="N+1", **axes):
    return composed_racks(Composed(**{"interface": "mgx-nvlink5", **axes}), CATALOG, redundancy)


def study(**space) -> Study:
    return Study(
        name="s",
        currency_year=2026,
        start="2027-01-04",
        workloads=(CHAT,),
        data_centers=(
            {
                "name": "hall",
                "power_w": 20e6,
                "basis": "it",
                "energy_usd_per_kwh": 0.06,
                "floor_m2": 3000,
                "energised": [{"value": 1.0}],
            },
        ),
        factories=(
            {
                "name": "plant",
                "country": "US",
                "touch_hours_per_week": [{"value": 900}],
                "labour_usd_per_hour": 45,
                "test_bays": [{"value": 8}],
            },
        ),
        design_space=DesignSpace(**space),
    )


@pytest.mark.parametrize("system", ["nvidia-gb200-nvl72", "nvidia-gb300-nvl72"])
def test_composing_what_the_vendor_sells_gives_back_the_vendors_figures(system):
    vendor = compose_rack(Generation(system=system), CATALOG)
    made = racks(
        accelerators=(vendor.accelerator.key,),
        accelerators_per_rack=(72,),
        scale_up_accelerators=(72,),
    ).racks

    assert len(made) == 1
    assert made[0].power_w == pytest.approx(vendor.power_w)
    assert made[0].peak_power_w == pytest.approx(vendor.peak_power_w)
    assert made[0].liquid_w == pytest.approx(vendor.liquid_w)
    assert made[0].mass_kg == pytest.approx(vendor.mass_kg)
    assert (made[0].compute_trays, made[0].switch_trays, made[0].cpus) == (18, 9, 36)


def test_every_interface_composes_something_and_names_what_is_in_the_catalog():
    for key in INTERFACES:
        interface = CATALOG.find(RackInterface, key)
        made = composed_racks(Composed(interface=key), CATALOG, "N+1")
        assert made.racks
        for rack in made.racks:
            assert rack.accelerator.key in interface.accelerators
            assert rack.accelerator.scale_up == interface.scale_up
            assert bill_usd(rack_items(rack, CATALOG)) > 0
        assert len({rack.key for rack in made.racks}) == len(made.racks)


def test_every_link_of_every_accelerator_ends_on_a_switch_port():
    made = racks(accelerators=("nvidia-gb200-gpu",), accelerators_per_rack=(36, 72)).racks
    links = CATALOG.accelerator("GB200").scale_up_links
    for rack in made:
        assert rack.switch_trays * MGX.switch_tray_links >= rack.accelerators * links


def test_what_does_not_make_a_rack_is_counted_by_reason():
    made = racks(accelerators_per_rack=(36, 54, 72), scale_up_accelerators=(36, 72))
    by_hand = {
        "mgx-nvlink5: 54 accelerators are no whole number of trays": 4,
        "mgx-nvlink5: domains of 72 do not divide 36 accelerators": 2,
    }

    assert made.rejected == by_hand
    assert len(made.racks) == 2 * 3 * 2 - sum(by_hand.values())


def test_a_hot_package_is_not_cooled_by_air():
    made = composed_racks(
        Composed(interface="oam-xgmi", accelerators=("amd-mi355x",)), CATALOG, "N+1"
    )

    assert [rack.cooling for rack in made.racks] == ["liquid"]
    assert list(made.rejected) == ["oam-xgmi: amd-mi355x draws 1400 W, air trays carry 1000 W away"]


@pytest.mark.parametrize(("redundancy", "shelves"), [("N", 4), ("N+1", 5), ("2N", 8)])
def test_shelves_carry_the_peak_with_the_declared_redundancy(redundancy, shelves):
    made = racks(redundancy, accelerators=("nvidia-gb200-gpu",), scale_up_accelerators=(72,)).racks

    # 132 kW at its peak over shelves of 33 kW
    assert [rack.power_shelves for rack in made] == [shelves]


def test_host_memory_and_backplane_enter_the_bill_as_chosen():
    small, large = racks(
        accelerators=("nvidia-gb200-gpu",),
        scale_up_accelerators=(36,),
        accelerators_per_rack=(36,),
        host_memory_bytes_per_cpu=(2.4e11, 4.8e11),
    ).racks
    quantity = [
        {i.line.part: i.line.quantity for i in rack_items(rack, CATALOG)} for rack in (small, large)
    ]

    assert [q["host-memory-lpddr5x"] for q in quantity] == [18 * 240, 18 * 480]
    assert quantity[0]["nvlink-copper-backplane"] == 0.5


def test_a_composed_rack_is_charged_the_upper_end_of_every_range():
    vendor = compose_rack(Generation(system="nvidia-gb200-nvl72"), CATALOG)
    (rack,) = racks(accelerators=("nvidia-gb200-gpu",), scale_up_accelerators=(72,)).racks
    over = residual([(vendor, rack_items(vendor, CATALOG))])
    lines = price_lines(rack, rack_items(rack, CATALOG), 1, over)
    own = price_lines(vendor, rack_items(vendor, CATALOG), 1, over)

    assert sum(x.usd for x in lines) == pytest.approx(sum(x.usd_high for x in lines))
    assert UPPER_END in [x.name for x in lines]
    assert UPPER_END not in [x.name for x in own]


def test_every_priced_system_is_reproduced_by_its_bill_and_its_residual():
    found = enumerate_candidates(study(generations=({"system": "nvidia-dgx-h200"},)), CATALOG)

    assert len(found.residual.of) >= 3
    shares = [system.residual_share for system in found.residual.of]
    assert (found.residual.low, found.residual.high) == (min(shares), max(shares))


@pytest.mark.parametrize("system", ["nvidia-gb200-nvl72", "nvidia-gb300-nvl72"])
def test_a_priced_system_costs_its_price_and_what_is_bought_beside_it(system):
    found = enumerate_candidates(
        study(generations=({"system": system},), nic_gbit_per_s=(400, 800)), CATALOG
    )
    price = next(s.price_usd for s in found.residual.of if s.system == system)
    sold_with = {"nvidia-gb200-nvl72": 4e11, "nvidia-gb300-nvl72": 8e11}[system]
    one = next(
        c for c in found.all if c.hardware.racks == 1 and c.network.ports.bit_per_s == sold_with
    )
    beside = bill_usd([item for item in one.items if item.line.level == "L12"])
    lines = price_lines(one.rack, one.items, 1, found.residual)

    assert sum(line.usd for line in lines) - beside == pytest.approx(price)


def test_planes_split_a_nic_and_reach_further_in_two_tiers():
    one = choose_network(CATALOG, "NVIDIA", Ports(8e11), 4608, 1.0)
    two = choose_network(CATALOG, "NVIDIA", Ports(8e11, 1, 2), 4608, 1.0)

    assert two.ports.link_bit_per_s == 4e11
    assert two.nics == one.nics == 4608
    assert two.tree.endpoint_links == 4608
    assert two.switches == 2 * two.tree.switches


def test_nics_side_by_side_multiply_rate_modules_and_links():
    one = choose_network(CATALOG, "NVIDIA", Ports(4e11), 576, 1.0)
    two = choose_network(CATALOG, "NVIDIA", Ports(4e11, 2, 2), 576, 1.0)
    joined = choose_network(CATALOG, "NVIDIA", Ports(4e11, 2, 1), 576, 1.0)

    assert two.ports.bit_per_s == 8e11
    assert two.nic_modules == joined.nic_modules == 2 * one.nic_modules
    assert two.switches == 2 * one.switches
    assert joined.tree.endpoint_links == 2 * one.tree.endpoint_links


def test_a_fabric_with_too_many_tiers_is_refused_with_the_reason():
    refused = choose_network(CATALOG, "NVIDIA", Ports(4e11), 4608, 1.0, (1,))

    assert refused == "links of 400 Gbit/s need 2 or 3 tiers for 4608 accelerators"


def test_planes_and_nics_that_do_not_divide_are_refused():
    assert "do not divide" in choose_network(CATALOG, "NVIDIA", Ports(4e11, 2, 3), 576, 1.0)


def test_candidates_are_all_combinations_or_counted():
    declared = study(
        generations=({"system": "nvidia-gb300-nvl72"},),
        composed=({"interface": "mgx-nvlink5", "accelerators_per_rack": [36, 72]},),
        nic_gbit_per_s=(400, 800),
        planes=(1, 2),
        oversubscription=(1.0, 2.0),
    )
    found = enumerate_candidates(declared, CATALOG)
    made = racks(accelerators_per_rack=(36, 72))
    fabrics = 2 * 2 * 2

    assert len(found.all) + sum(found.rejected.values()) - sum(made.rejected.values()) == (
        (1 + len(made.racks)) * fabrics
    )
    assert len({c.hardware.key for c in found.all}) == len(found.all)
