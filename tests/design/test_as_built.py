"""Racks as they would be built: cooling, power and elevation against known figures."""

import itertools

import numpy as np
import pytest

from rackwright.catalog import load
from rackwright.design.cooling import RATED_RISE_K, Site, cooling_plan, pump_point, racks_on
from rackwright.design.elevation import elevation
from rackwright.design.liquid import (
    computed,
    coupling_drop_pa,
    flow_l_per_min,
    liquid,
    pipe_drop_pa,
    rise_k,
)
from rackwright.design.physical import as_built
from rackwright.design.power_chain import annual_energy, hourly_c, power_plan
from rackwright.design.rack import compose_rack
from rackwright.records.cooling import Coolant
from rackwright.records.equipment import Cdu
from rackwright.records.errors import RackwrightError
from rackwright.records.study import Climate, Generation

CATALOG = load()
SITE = Site(supply_c=38)
PG25, WATER = CATALOG.find(Coolant, "pg25"), CATALOG.find(Coolant, "water")


def rack(name, **more):
    return compose_rack(Generation(system=name, **more), CATALOG)


def rules(name, redundancy, **more):
    return {f.rule for f in as_built(rack(name, **more), CATALOG, SITE, redundancy).findings}


# --- liquids ----------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [20.0, 25.0, 30.0, 35.0, 40.0, 45.0, 50.0, 60.0])
def test_pg25_agrees_with_the_table_of_the_catalog(temperature):
    table = {p.temperature_c: p for p in PG25.properties}
    ours, theirs = computed("pg25", temperature), table[temperature]
    assert ours.density_kg_per_m3 == pytest.approx(theirs.density_kg_per_m3, rel=1e-3)
    assert ours.heat_capacity_j_per_kg_k == pytest.approx(theirs.heat_capacity_j_per_kg_k, rel=1e-3)
    assert ours.viscosity_pa_s == pytest.approx(theirs.viscosity_pa_s, rel=1e-3)


@pytest.mark.parametrize("temperature", [22.5, 33.3, 47.0, 55.0])
def test_between_its_points_the_table_agrees_with_coolprop(temperature):
    assert tuple(liquid(PG25, temperature)) == pytest.approx(
        tuple(computed("pg25", temperature)), rel=5e-3
    )


def test_pg25_takes_one_and_a_half_litres_a_minute_per_kilowatt():
    assert flow_l_per_min(1e3, 10.0, liquid(PG25, 35.0)) == pytest.approx(1.50, rel=0.01)


def test_116_kw_in_60_litres_a_minute_warm_it_by_29_k():
    assert rise_k(116e3, 60.0, liquid(PG25, 40.0)) == pytest.approx(29.0, rel=0.01)


def test_a_laminar_pipe_drops_as_hagen_and_poiseuille_say():
    of = liquid(PG25, 20.0)
    flow, bore, length = 1.0, 0.0254, 10.0
    speed = flow / 60e3 / (np.pi / 4 * bore**2)
    want = 32 * of.viscosity_pa_s * length * speed / bore**2
    got = pipe_drop_pa(flow, bore, length, of, roughness_m=0.0, minor=0.0)
    assert got == pytest.approx(want, rel=1e-6)


def test_a_turbulent_pipe_solves_colebrook():
    of = liquid(PG25, 40.0)
    flow, bore, length, rough = 160.0, 0.0508, 20.0, 45e-6
    speed = flow / 60e3 / (np.pi / 4 * bore**2)
    reynolds = of.density_kg_per_m3 * speed * bore / of.viscosity_pa_s
    factor = 0.02
    for _ in range(50):
        inside = rough / bore / 3.7 + 2.51 / (reynolds * np.sqrt(factor))
        factor = (-2 * np.log10(inside)) ** -2
    want = factor * length / bore * 0.5 * of.density_kg_per_m3 * speed**2
    got = pipe_drop_pa(flow, bore, length, of, roughness_m=rough, minor=0.0)
    assert got == pytest.approx(want, rel=0.01)


def test_a_coupling_drops_with_the_square_of_the_flow():
    of = liquid(WATER, 20.0)
    one = coupling_drop_pa(3.785412 * 0.8, 0.8, of)  # its own Cv: a psi over each half
    assert one == pytest.approx(2 * 6894.757, rel=1e-3)
    assert coupling_drop_pa(2 * 3.785412 * 0.8, 0.8, of) == pytest.approx(4 * one)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: computed("pg26", 30.0), "pg25"),
        (lambda: liquid(PG25, 500.0), "500"),
        (lambda: flow_l_per_min(1e3, -5.0, liquid(PG25, 30.0)), "-5"),
    ],
)
def test_impossible_liquids_are_named(call, said):
    with pytest.raises(RackwrightError, match=said):
        call()


# --- cooling ----------------------------------------------------------------------------------


def test_twelve_gb300_racks_on_two_megawatts_are_bound_by_flow():
    unit = CATALOG.find(Cdu, "coolit-chx2000")
    heat = 116e3
    flow = flow_l_per_min(heat, RATED_RISE_K, liquid(PG25, 45.0))
    choice = racks_on(unit, heat, flow, drop_pa=0.0, supply_c=40.0)
    assert (choice.racks, choice.racks_by_heat, choice.bound_by) == (12, 17, "flow")
    assert choice.racks == unit.racks_gb300


def test_a_loop_closes_its_heat_balance_and_meets_its_pumps():
    plan = cooling_plan(rack("nvidia-gb300-nvl72"), CATALOG, SITE)
    of = liquid(PG25, 0.5 * (plan.supply_c + plan.return_c))
    assert rise_k(plan.heat_w, plan.flow_l_per_min, of) == pytest.approx(plan.rise_k, rel=2e-3)
    assert plan.facility_supply_c + plan.approach_k == plan.supply_c == SITE.supply_c
    assert plan.water_class == "W40" if plan.facility_supply_c > 32 else "W32"
    assert plan.drop_pa == pytest.approx(sum(s.drop_pa for s in plan.segments))
    trays = next(s for s in plan.segments if s.kind == "cold plate")
    assert trays.parallel * trays.flow_l_per_min == pytest.approx(plan.flow_l_per_min)


def test_pumps_and_loop_meet_on_both_curves():
    unit = CATALOG.find(Cdu, "coolit-chx2000")
    flow, drop = 1800.0, 150e3
    at = pump_point(unit, flow, drop)
    assert at is not None
    from rackwright.design.cooling import head_pa

    assert at[1] == pytest.approx(drop * (at[0] / flow) ** 2)
    assert head_pa(unit.head_pa, unit.flow_l_per_min, at[0]) == pytest.approx(at[1])


def test_warm_water_needs_more_flow():
    cool, warm = (
        cooling_plan(rack("nvidia-gb300-nvl72"), CATALOG, Site(t)).flow_l_per_min for t in (25, 38)
    )
    assert warm > cool


def test_air_cooled_racks_have_no_loop():
    with pytest.raises(RackwrightError, match="no loop"):
        cooling_plan(rack("nvidia-dgx-h100"), CATALOG, SITE)


# --- power ------------------------------------------------------------------------------------


def test_dgx_h100_fails_on_two_feeds_and_holds_on_three():
    assert "P3" in rules("nvidia-dgx-h100", "2N", servers_per_rack=4)
    assert "P3" not in rules("nvidia-dgx-h100", "distributed", servers_per_rack=4)


def test_dgx_b200_fails_on_three_feeds():
    built = as_built(rack("nvidia-dgx-b200", servers_per_rack=4), CATALOG, SITE, "distributed")
    (finding,) = (f for f in built.findings if f.rule == "P3")
    assert "13.2 kW < 14.3 kW" in finding.text


def test_published_racks_raise_no_false_alarm_where_nothing_is_redundant():
    for name in ("nvidia-gb300-nvl72", "nvidia-dgx-h100", "nvidia-dgx-b200", "nvidia-dgx-h200"):
        assert not {r for r in rules(name, "N") if r != "P8W"}, name


def test_power_goes_down_the_chain_without_a_gap():
    plan = power_plan(rack("nvidia-gb200-nvl72"), CATALOG, "2N")
    for above, below in zip(plan.stages, plan.stages[1:], strict=False):
        assert above.out_w == pytest.approx(below.in_w)
    assert plan.utility_w * plan.efficiency == pytest.approx(plan.load_w)
    circuit = next(s for s in plan.stages if s.kind == "circuit")
    drawn = 3**0.5 * circuit.voltage_v * circuit.current_a * circuit.units
    assert drawn == pytest.approx(circuit.in_w)
    assert circuit.current_a <= circuit.continuous_a / 2  # under 2N each feed carries all


def test_a_site_that_is_always_cold_needs_no_chiller():
    cold = annual_energy(1e6, Climate(mean_c=0, seasonal_k=5, daily_k=3), supply_c=30)
    hot = annual_energy(1e6, Climate(mean_c=35, seasonal_k=5, daily_k=5), supply_c=20)
    assert cold.free_cooling_hours == cold.hours
    assert hot.free_cooling_hours == 0
    assert cold.pue < hot.pue
    assert hot.facility_j == pytest.approx(hot.pue * hot.it_j)


def test_the_year_has_its_mean_and_its_extremes():
    hours = hourly_c(Climate(mean_c=20, seasonal_k=8, daily_k=5))
    assert hours.mean() == pytest.approx(20, abs=0.1)
    assert hours.max() == pytest.approx(33, abs=0.2)
    assert hours.min() == pytest.approx(7, abs=0.2)


def test_a_rack_tells_how_it_is_built():
    from rackwright.drawing.as_built import as_built_lines

    text = "\n".join(as_built_lines(as_built(rack("nvidia-gb200-nvl72"), CATALOG, SITE, "N")))
    for said in ("9 x switch tray", "from the utility", "pg25", "bound by", "rules: 0 errors"):
        assert said in text


# --- elevation --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["nvidia-gb200-nvl72", "nvidia-gb300-nvl72", "nvidia-vr-nvl72", "nvidia-dgx-b200"]
)
def test_devices_stand_one_above_the_other_and_weigh_what_the_rack_weighs(name):
    one = rack(name)
    made = elevation(one, CATALOG)
    items = sorted(made.items, key=lambda i: i.bottom_u)
    for low, high in itertools.pairwise(items):
        assert low.bottom_u + low.units <= high.bottom_u + 1e-9
    assert items[-1].bottom_u + items[-1].units - 1 <= made.frame.units
    assert sum(i.kind == "compute" for i in items) == one.compute_trays
    assert sum(i.kind == "switch" for i in items) == one.switch_trays
    if one.switch_trays:  # its trays share the rack's mass
        total = sum(i.mass_kg for i in items) + made.frame.mass_kg
        assert total == pytest.approx(one.mass_kg, rel=1e-4)


def test_switches_stand_between_the_halves_of_the_trays():
    items = elevation(rack("nvidia-gb200-nvl72"), CATALOG).items
    switches = [i.bottom_u for i in items if i.kind == "switch"]
    trays = [i.bottom_u for i in items if i.kind == "compute"]
    below = sum(u < min(switches) for u in trays)
    assert below == 9
    assert max(switches) - min(switches) == 8


def test_a_supply_helps_its_own_server_alone():
    weak = rack("nvidia-dgx-b200")
    server = weak.server.model_copy(update={"psus": 5})  # 16.5 kW; 13.2 kW with one lost
    plan = power_plan(weak._replace(server=server), CATALOG, "N+1")
    supply, feed = plan.losses
    assert supply.lost == "one supply in each server"
    assert supply.left_w == 4 * 4 * 3300
    assert not supply.holds  # 19 of the rack's 20 would give 62.7 kW for 57.2 kW
    assert feed.left_w == 4 * 2 * 3300  # 3 + 2 in each server, the fuller feed lost
