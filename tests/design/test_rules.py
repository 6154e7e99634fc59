"""Each rule on a design that breaks it and on one that keeps it."""

import pytest
from pydantic import ValidationError

from rackwright.design.rules import RULES, check
from rackwright.records.electrical import (
    Busbar,
    Circuit,
    ElectricalDesign,
    Peak,
    PowerNode,
    RideThrough,
    Shelves,
    Supplies,
    Transient,
    TrayFeed,
)
from rackwright.records.mechanical import Frame, Item, MechanicalDesign
from rackwright.records.physical import Closure, PhysicalDesign, Statement
from rackwright.records.thermal import (
    AirUse,
    CduGroup,
    ConnectorUse,
    CoolantUse,
    Directed,
    DoorUse,
    FacilityClaim,
    Loop,
    Part,
    PipeUse,
    ThermalDesign,
)
from rackwright.records.wiring import (
    Conduit,
    FabricUse,
    LinkUse,
    NetworkDesign,
    PlaneLink,
    RailPort,
    ScaleUpUse,
    SwitchUse,
)


def power(redundancy="N", standards=(), **kw):
    return PhysicalDesign(
        name="rack", redundancy=redundancy, standards=standards, power=ElectricalDesign(**kw)
    )


def cooling(**kw):
    return PhysicalDesign(name="rack", cooling=ThermalDesign(**kw))


def mechanics(**kw):
    return PhysicalDesign(name="rack", mechanics=MechanicalDesign(**kw))


def network(**kw):
    return PhysicalDesign(name="rack", network=NetworkDesign(**kw))


def feed(name, load_w=None, **kw):
    return Circuit(name=name, feed=name, voltage_v=415, phases=3, breaker_a=60, load_w=load_w, **kw)


def shelves(**kw):
    return Shelves(**({"count": 8, "power_w": 33e3, "load_w": 120e3} | kw))


def servers(**kw):
    return Supplies(**({"where": "server", "count": 6, "each_w": 3300, "load_w": 10200} | kw))


def bar(**kw):
    base = {"load_w": 120e3, "voltage_min_v": 48, "voltage_nominal_v": 51}
    return Busbar(**(base | kw))


def tray(power_w=4e3, **kw):
    return TrayFeed(where="tray", power_w=power_w, voltage_min_v=48, **kw)


def step(**kw):
    base = {
        "factor": 1.4,
        "duration_s": 0.2,
        "peaks": (Peak(fraction=1.4, duration_s=0.05), Peak(fraction=1.6, duration_s=4e-4)),
    }
    return Transient(**(base | kw))


def loop(**kw):
    base = {
        "heat_w": 116e3,
        "flow_l_per_min": 92.6,
        "density_kg_per_m3": 1012.5,
        "heat_capacity_j_per_kg_k": 3956.7,
    }
    return Loop(**(base | kw))


def units(**kw):
    base = {"count": 2, "rated_w": 1350e3, "rated_approach_k": (4,), "approach_k": 4}
    return CduGroup(**(base | {"heat_w": 1392e3, "spare": 0} | kw))


def pg25(**kw):
    base = {
        "glycol_low_fraction": 0.245,
        "glycol_high_fraction": 0.295,
        "ph_low": 8,
        "ph_high": 10.5,
        "max_c": 66,
        "filter_max_m": 50e-6,
        "facility_filter_max_m": 200e-6,
    }
    return CoolantUse(name="PG25", **(base | kw))


def door(**kw):
    base = {"depth_m": 0.3, "mass_kg": 140, "aisle_m": 1.2, "drop_pa": 90e3}
    limits = {"depth_max_m": 0.305, "mass_max_kg": 150, "aisle_min_m": 1.2, "drop_max_pa": 100e3}
    return DoorUse(**(base | limits | kw))


def claim(**kw):
    return FacilityClaim(
        fleet_pue_low=1.08,
        fleet_pue_high=1.18,
        fleet_wue_low_l_per_kwh=0.15,
        fleet_wue_high_l_per_kwh=0.27,
        **kw,
    )


def eia(**kw):
    base = {"units": 42, "unit_m": 0.04445, "width_m": 0.6, "depth_m": 1.2, "height_m": 2.0}
    return Frame(**(base | kw))


def orv3(**kw):
    base = {"units": 44, "unit_m": 0.048, "width_m": 0.6, "depth_m": 1.068, "payload_kg": 1400}
    return Frame(**(base | {"brace_above_kg": 800, "shelf_set_kg": 80} | kw))


def item(name="server", bottom_u=1, **kw):
    return Item(**({"name": name, "kind": "compute", "bottom_u": bottom_u, "units": 1} | kw))


def stack(count, units, **kw):
    return tuple(item(f"server {i}", 1 + i * units, units=units, **kw) for i in range(count))


def switch(**kw):
    return SwitchUse(**({"name": "leaf", "radix": 64, "used": 64} | kw))


def link(**kw):
    return LinkUse(**({"name": "uplink", "medium": "DR", "length_m": 20, "reach_m": 100} | kw))


def fabric(**kw):
    return FabricUse(**({"endpoints": 2048, "radix": 64, "tiers": 2} | kw))


BROKEN_AND_KEPT = {
    "P1": (
        power(circuits=(feed("A", 40.8e3),)),
        power(circuits=(feed("A", 30.6e3),)),
    ),
    "P2": (
        power("2N", circuits=(feed("A"), feed("B")), load_w=57.2e3),
        power("2N", circuits=(feed("A"), feed("B")), load_w=30e3),
    ),
    "P3": (
        power("N+1", supplies=(servers(per_feed=(3, 3)),)),
        power("N+1", supplies=(servers(per_feed=(2, 2, 2)),)),
    ),
    "P4": (
        power(supplies=(servers(count=5, load_w=14.3e3, spare=1),)),
        power(supplies=(servers(count=6, load_w=14.3e3, spare=1),)),
    ),
    "P5": (
        power("N+1", shelves=shelves(count=3, n_plus_1_w=27.5e3, load_w=90e3)),
        power("N+1", shelves=shelves(count=4, n_plus_1_w=27.5e3, load_w=90e3)),
    ),
    "P6": (
        power("2N", shelves=shelves(per_feed=(5, 3))),
        power("2N", shelves=shelves(per_feed=(4, 4))),
    ),
    "P7": (
        power(shelves=shelves(
            power_w=18e3, voltage_min_v=47.5, connector_still_air_a=360, connector_airflow_a=500,
            connector_airflow_m_per_s=1.524,
        )),
        power(shelves=shelves(
            power_w=18e3, voltage_min_v=47.5, connector_still_air_a=360, connector_airflow_a=500,
            connector_airflow_m_per_s=1.524, airflow_m_per_s=1.6,
        )),
    ),
    "P8": (power(busbar=bar(rating_a=1500)), power(busbar=bar(rating_a=3000))),
    "P8W": (power(busbar=bar()), power(busbar=bar(rating_a=3000))),
    "P9": (
        power(trays=(tray(5.4e3, connector_a=100),)),
        power(trays=(tray(4.2e3, connector_a=100),)),
    ),
    "P10": (
        power(busbar=bar(rating_a=3e3), trays=(tray(window_low_v=52, window_high_v=56),)),
        power(busbar=bar(rating_a=3e3), trays=(tray(window_low_v=46, window_high_v=52),)),
    ),
    "P11": (power(transient=step()), power(transient=step(storage_s=0.5))),
    "P12": (
        power(supplies=(servers(input_a=55.7, circuit_continuous_a=48),)),
        power(supplies=(servers(input_a=46.3, circuit_continuous_a=48),)),
    ),
    "P13": (
        power(ride_through=RideThrough(end_of_life_s=90, new_s=240, generator_start_s=120)),
        power(ride_through=RideThrough(end_of_life_s=90, generator_start_s=60, transfer_s=10)),
    ),
    "P14": (
        power(shelves=shelves(fault_a=25e3, available_fault_a=40e3)),
        power(shelves=shelves(fault_a=40e3, available_fault_a=25e3)),
    ),
    "P15": (
        power(circuits=(feed("A", phase_loads_w=(9e3, 0, 0)),)),
        power(circuits=(feed("A", phase_loads_w=(9e3, 9e3, 8.8e3)),)),
    ),
    "P16": (
        power(tree=(
            PowerNode(name="utility", capacity_w=750e3),
            PowerNode(name="switchboard", parent="utility", capacity_w=1600e3),
        )),
        power(tree=(
            PowerNode(name="utility", capacity_w=750e3, capped=True),
            PowerNode(name="switchboard", parent="utility", capacity_w=1600e3),
        )),
    ),
    "P17": (
        power(distribution="AC", supplies=(servers(input="DC"),)),
        power(distribution="AC", supplies=(servers(),)),
    ),
    "C1": (
        cooling(loops=(loop(flow_l_per_min=60, rise_max_k=20),)),
        cooling(loops=(loop(rise_max_k=20),)),
    ),
    "C2": (
        cooling(loops=(loop(facility_c=40, approach_k=4, supply_max_c=43),)),
        cooling(loops=(loop(facility_c=32, approach_k=4, supply_max_c=43),)),
    ),
    "C3": (cooling(cdus=units(count=1)), cooling(cdus=units())),
    "C4": (
        cooling(cdus=units(
            rated_w=4e6, count=1, flow_each_l_per_min=2125, flow_l_per_min=24 * 92.6
        )),
        cooling(cdus=units(
            rated_w=4e6, count=1, flow_each_l_per_min=2125, flow_l_per_min=22 * 92.6
        )),
    ),
    "C5": (
        cooling(
            loops=(loop(pressure_pa=90 * 6894.76),),
            wetted=(Part(name="blind-mate manifold", pressure_max_pa=50 * 6894.76),),
        ),
        cooling(
            loops=(loop(pressure_pa=40 * 6894.76),),
            wetted=(Part(name="blind-mate manifold", pressure_max_pa=50 * 6894.76),),
        ),
    ),
    "C6": (
        cooling(connectors=(ConnectorUse(
            where="tray", kind="UQD04", flow_l_per_min=9.3, rated_l_per_min=6.4352, cv=0.8
        ),)),
        cooling(connectors=(ConnectorUse(
            where="tray", kind="UQD06", flow_l_per_min=9.3, rated_l_per_min=11.356, cv=1.6
        ),)),
    ),
    "C7": (
        cooling(pipes=(PipeUse(
            where="manifold", bore_m=0.0254, flow_l_per_min=120, velocity_max_m_per_s=1.5
        ),)),
        cooling(pipes=(PipeUse(
            where="manifold", bore_m=0.0508, flow_l_per_min=120, velocity_max_m_per_s=1.5
        ),)),
    ),
    "C8": (
        cooling(pipes=(PipeUse(
            where="rack hose", bore_m=0.025, heat_w=116e3, rise_k=20, rated_w=55e3
        ),)),
        cooling(pipes=(PipeUse(
            where="rack hose", bore_m=0.05, heat_w=116e3, rise_k=20, rated_w=215e3
        ),)),
    ),
    "C9": (
        cooling(branch_flows_l_per_min=(9.3, 9.3, 2.1)),
        cooling(branch_flows_l_per_min=(9.3, 9.2, 9.25)),
    ),
    "C10": (cooling(coolant=pg25(hottest_c=70)), cooling(coolant=pg25(hottest_c=55, ph=9))),
    "C11": (cooling(coolant=pg25(filter_m=100e-6)), cooling(coolant=pg25(filter_m=25e-6))),
    "C12": (
        cooling(loops=(loop(supply_c=14, supply_min_c=17),)),
        cooling(loops=(loop(supply_c=30, supply_min_c=17, room_dew_point_c=15),)),
    ),
    "C13": (
        cooling(air=AirUse(inlet_c=38, allowable_high_c=35)),
        cooling(air=AirUse(inlet_c=27, allowable_high_c=35)),
    ),
    "C14": (
        cooling(air=AirUse(flow_needed_m3_per_s=2.926, flow_available_m3_per_s=2.36)),
        cooling(air=AirUse(flow_needed_m3_per_s=2.0, flow_available_m3_per_s=2.36)),
    ),
    "C15": (
        cooling(air=AirUse(heat_w=19.3e3, room_w=0, liquid_cooled=True)),
        cooling(air=AirUse(heat_w=19.3e3, room_w=25e3, liquid_cooled=True)),
    ),
    "C16": (
        cooling(directed=(Directed(name="switch", direction="C2P", ports_face="cold"),)),
        cooling(directed=(Directed(name="switch", direction="P2C", ports_face="cold"),)),
    ),
    "C17": (cooling(door=door(aisle_m=1.0)), cooling(door=door())),
    "C18": (cooling(claim=claim(pue=1.02)), cooling(claim=claim(pue=1.12))),
    "M1": (
        mechanics(frame=eia(), items=(*stack(4, 10), item("pdu", 41, units=6, kind="pdu"))),
        mechanics(frame=eia(), items=stack(4, 8)),
    ),
    "M2": (
        mechanics(frame=orv3(device_depth_m=0.8026), items=(item(depth_m=0.897),)),
        mechanics(frame=orv3(device_depth_m=0.8026), items=(item(depth_m=0.78),)),
    ),
    "M3": (
        mechanics(frame=orv3(), items=stack(10, 4, mass_kg=90)),
        mechanics(frame=orv3(braced=True), items=stack(10, 4, mass_kg=90)),
    ),
    "M4": (
        mechanics(frame=orv3(), items=(item(mass_kg=142, shelf_set=True),)),
        mechanics(frame=orv3(), items=(item(mass_kg=70, shelf_set=True),)),
    ),
    "M5": (
        mechanics(frame=eia(), mass_kg=1360, floor_kg_per_m2=1220),
        mechanics(frame=eia(), mass_kg=860, floor_kg_per_m2=1220),
    ),
    "M6": (
        mechanics(
            frame=eia(height_m=2.4, units=52, width_m=0.6),
            items=tuple(item(f"tray {u}", u, mass_kg=60) for u in range(44, 52)),
        ),
        mechanics(
            frame=eia(), items=tuple(item(f"tray {u}", u, mass_kg=60) for u in range(1, 12))
        ),
    ),
    "M7": (
        mechanics(frame=eia(), items=(item("switch", 1), item("cdu", 20, kind="cdu", wet=True))),
        mechanics(frame=eia(), items=(item("cdu", 1, kind="cdu", wet=True), item("switch", 20))),
    ),
    "N1": (network(switches=(switch(used=65),)), network(switches=(switch(),))),
    "N2": (
        network(switches=(switch(
            down_bit_per_s=40 * 4e11, up_bit_per_s=24 * 4e11, oversubscription_max=1
        ),)),
        network(switches=(switch(
            down_bit_per_s=32 * 4e11, up_bit_per_s=32 * 4e11, oversubscription_max=1
        ),)),
    ),
    "N3": (
        network(switches=(switch(uplinks=32, spines=6),)),
        network(switches=(switch(uplinks=32, spines=8),)),
    ),
    "N4": (network(fabric=fabric(endpoints=4096)), network(fabric=fabric())),
    "N5": (
        network(rails=(
            RailPort(server="n1", nic=0, leaf_rail=1), RailPort(server="n1", nic=1, leaf_rail=0)
        )),
        network(rails=(
            RailPort(server="n1", nic=0, leaf_rail=0), RailPort(server="n1", nic=1, leaf_rail=1)
        )),
    ),
    "N6": (
        network(planes=2, plane_links=(PlaneLink(name="x", plane_a=0, plane_b=1),)),
        network(planes=2, plane_links=(PlaneLink(name="x", plane_a=1, plane_b=1),),
                server_planes=((0, 1),)),
    ),
    "N7": (
        network(fabric=fabric(fat_tree=False, fat_tree_why="one cable swapped")),
        network(fabric=fabric(fat_tree=True)),
    ),
    "N8": (
        network(links=(link(medium="DAC", length_m=6, reach_m=2),)),
        network(links=(link(medium="DAC", length_m=1.5, reach_m=2),)),
    ),
    "N9": (
        network(links=(link(medium="SR", length_m=80, reach_m=50),)),
        network(links=(link(medium="SR", length_m=30, reach_m=50),)),
    ),
    "N10": (
        network(links=(link(standard_a="SR4", standard_b="DR4"),)),
        network(links=(link(standard_a="DR4", standard_b="DR4", cage_a="finned",
                            module_a="finned"),)),
    ),
    "N11": (
        network(links=(link(split=("straight", "1:2")),)),
        network(links=(link(split=("1:2", "1:2")),)),
    ),
    "N12": (
        network(switches=(switch(base_w=700, modules=64, module_w=30, power_max_w=2200),)),
        network(switches=(switch(base_w=700, modules=64, module_w=15, power_max_w=2200),)),
    ),
    "N13": (
        network(links=(link(tx_min_dbm=-2.9, rx_min_dbm=-5.9, loss_db=4.0),)),
        network(links=(link(tx_min_dbm=-2.9, rx_min_dbm=-5.9, loss_db=2.0),)),
    ),
    "N14": (
        network(conduits=(Conduit(name="tray", fill_fraction=0.9),)),
        network(conduits=(Conduit(name="tray", fill_fraction=0.3),)),
    ),
    "N15": (
        network(scale_up=ScaleUpUse(accelerators=8, group=16)),
        network(scale_up=ScaleUpUse(accelerators=72, group=16)),
    ),
    "N16": (
        network(scale_up=ScaleUpUse(accelerators=72, links_each=18, switch_ports=1152)),
        network(scale_up=ScaleUpUse(accelerators=72, links_each=18, switch_ports=1296)),
    ),
    "N17": (
        network(managed_devices=49, management_ports=48),
        network(managed_devices=47, management_ports=48),
    ),
    "N18": (
        network(storage_bit_per_s=1e11, storage_accelerators=72, storage_min_bit_per_s=12.5e9),
        network(storage_bit_per_s=1.6e12, storage_accelerators=72, storage_min_bit_per_s=12.5e9),
    ),
    "N19": (
        network(fabric=fabric(manager_ports_wanted=4, leaf_ports_free=0)),
        network(fabric=fabric(manager_ports_wanted=4, leaf_ports_free=8)),
    ),
    "N20": (
        network(fabric=fabric(share_max=0.5), switches=(switch(share=1.0),)),
        network(fabric=fabric(share_max=0.5), switches=(switch(share=0.125),)),
    ),
    "D1": (
        PhysicalDesign(name="r", closures=(
            Closure(where="leaf to spine", links=64, module_ends=128, fibres=32),)),
        PhysicalDesign(name="r", closures=(
            Closure(where="leaf to spine", links=64, module_ends=128, fibres=64),)),
    ),
    "D2": (
        PhysicalDesign(name="r", statements=(Statement(name="lead time of optics"),)),
        PhysicalDesign(name="r", statements=(
            Statement(name="lead time of optics", source="vendor", as_of="2026-09"),)),
    ),
}  # fmt: skip


def test_every_rule_has_a_design_that_breaks_it():
    assert set(BROKEN_AND_KEPT) == set(RULES)
    assert len(RULES) == 65


@pytest.mark.parametrize("key", BROKEN_AND_KEPT)
def test_a_design_that_breaks_one_rule_is_found_by_it_alone(key):
    findings = check(BROKEN_AND_KEPT[key][0])
    assert {f.rule for f in findings} == {key}
    for finding in findings:
        assert finding.severity == RULES[key].severity
        assert finding.text
        assert finding.mend
        assert finding.depends_on


@pytest.mark.parametrize("key", BROKEN_AND_KEPT)
def test_a_design_that_keeps_a_rule_is_not_found(key):
    assert check(BROKEN_AND_KEPT[key][1]) == ()


def test_the_arithmetic_is_in_the_finding():
    (h100,) = check(BROKEN_AND_KEPT["P3"][0])
    assert "3 x 3.3 kW = 9.9 kW < 10.2 kW" in h100.text
    (b200,) = check(power("N+1", supplies=(servers(load_w=14.3e3, per_feed=(2, 2, 2), spare=1),)))
    assert "4 x 3.3 kW = 13.2 kW < 14.3 kW" in b200.text
    (warm,) = check(BROKEN_AND_KEPT["C1"][0])
    assert "29.0 K" in warm.text


def test_under_the_iec_a_feed_that_carries_all_is_large_enough():
    def fed(load_w):
        both = tuple(feed(name, code="IEC") for name in "AB")  # 43.13 kW each, all the time
        return {f.rule for f in check(power("2N", circuits=both, load_w=load_w))}

    assert fed(43e3) == set()
    assert fed(44e3) == {"P2"}


def test_the_first_tray_has_the_whole_voltage_and_the_last_what_the_bar_leaves():
    def told(volts):
        one = bar(rating_a=3e3, voltage_nominal_v=volts, resistance_ohm=1e-3)
        return check(power(busbar=one, trays=(tray(window_low_v=46, window_high_v=52),)))

    assert told(51) == ()  # 51 V and 48.6 V
    (high,) = told(53)  # 53 V and 50.7 V
    assert high.text == "53 V, outside 46 to 52 V"
    (low,) = told(48)
    assert "48 V - 2,500 A x 1 mohm = 45.5 V" in low.text


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: servers(per_feed=(-1, 7)), "greater than or equal to 0"),
        (lambda: servers(spare=6), "spare is 6 of 6"),
        (lambda: shelves(per_feed=(5, 2)), "per_feed has 7 shelves, count is 8"),
        (lambda: feed("A", phase_loads_w=(-5, 5, 1)), "greater than or equal to 0"),
        (lambda: units(rated_approach_k=(-4,)), "greater than 0"),
        (lambda: units(spare=2), "spare is 2 of 2"),
        (lambda: power(tree=(PowerNode(name="a", parent="b", capacity_w=1),)), "hangs on 'b'"),
        (lambda: power(tree=(PowerNode(name="a", parent="a", capacity_w=1),)), "hangs on 'a'"),
        (lambda: power(tree=(PowerNode(name="a", capacity_w=1),) * 2), "two nodes"),
    ],
)
def test_a_design_that_cannot_be_is_refused(make, said):
    with pytest.raises(ValidationError, match=said):
        make()


def test_racks_that_are_alike_are_found_once():
    one = PhysicalDesign(name="a", racks=8, network=NetworkDesign(switches=(switch(used=65),)))
    (finding,) = check(one, one.model_copy(update={"name": "b", "racks": 4}))
    assert finding.racks == 12


def test_a_rule_of_a_standard_leaves_other_racks_alone():
    broken = BROKEN_AND_KEPT["P9"][0]
    assert check(broken.model_copy(update={"standards": ("EIA-310",)})) == ()
    assert check(broken.model_copy(update={"standards": ("OCP ORv3",)}))
