"""Scale-up domains wired from the catalog."""

from __future__ import annotations

import numpy as np
import pytest

from rackwright import catalog
from rackwright.design.rack import compose_rack
from rackwright.design.scale_up import wire_scale_up
from rackwright.records.errors import InputError
from rackwright.records.study import Generation

CATALOG = catalog.load()


def wired(system):
    return wire_scale_up(compose_rack(Generation(system=system), CATALOG), CATALOG)


@pytest.mark.parametrize("system", ["nvidia-gb200-nvl72", "nvidia-gb300-nvl72"])
def test_an_nvl72_has_18_chips_and_5184_pairs(system):
    record = wired(system).record

    assert (record.accelerators, record.links, record.switches) == (72, 1296, 18)
    assert (record.lanes_per_direction, record.pairs) == (2, 5184)
    assert record.bytes_per_s == pytest.approx(129.6e12)  # printed as 130 TB/s


def test_the_backplane_comes_near_the_two_miles_that_are_told_of_it():
    record = wired("nvidia-gb200-nvl72").record
    told = CATALOG.get("systems", "nvidia-gb200-nvl72").scale_up_cable_m

    assert record.copper_m == pytest.approx(told, rel=0.2)  # an analyst's figure, our estimate
    assert record.longest_m < CATALOG.get("cables", "nvlink5-cartridge").reach_m


def test_each_accelerator_has_one_link_to_each_chip():
    block = wired("nvidia-gb200-nvl72").wiring.blocks[0]
    matrix = np.zeros((72, 18), int)
    np.add.at(matrix, (block.a, block.b), 1)
    assert np.all(matrix == 1)


def test_eight_accelerators_of_xgmi_are_a_mesh():
    record = wired("amd-mi300x-8oam").record
    assert (record.topology, record.accelerators, record.links) == ("mesh", 8, 28)


def test_eight_accelerators_of_nvlink5_are_switched_by_two_chips():
    record = wired("nvidia-dgx-b200").record
    assert (record.topology, record.switches, record.links) == ("switched", 2, 144)


def test_four_instances_are_a_torus_of_64():
    rack = compose_rack(Generation(system="amd-mi300x-8oam"), CATALOG)
    rack = rack._replace(accelerator=CATALOG.accelerator("aws-trainium2"))
    record = wire_scale_up(rack, CATALOG).record
    assert (record.topology, record.accelerators, record.links) == ("torus", 64, 192)


@pytest.mark.parametrize(("system", "said"), [("nvidia-dgx-h100", "no switch chip of NVLink4")])
def test_what_the_catalog_lacks_is_named(system, said):
    with pytest.raises(InputError, match=said):
        wired(system)


def test_too_few_switch_trays_are_told_with_the_count():
    rack = compose_rack(Generation(system="nvidia-gb200-nvl72"), CATALOG)
    with pytest.raises(InputError, match="need 18 chips of 72 ports; 8 switch trays have 16"):
        wire_scale_up(rack._replace(switch_trays=8), CATALOG)
