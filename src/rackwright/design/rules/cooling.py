"""Rules of cooling: liquid loops and their units, coolant, air, doors, and what a site claims."""

from __future__ import annotations

from collections.abc import Iterator
from math import pi

from rackwright.design.rules.power import kw
from rackwright.design.rules.registry import Found, rule
from rackwright.records.physical import PhysicalDesign

PASCAL_PER_PSI = 6894.757
L_PER_MIN_PER_GPM = 3.785412
LOOP = ("system.liquid_heat_w", "data_centers.coolant_supply_c", "cdu")


@rule("C1", "error", "Heat balance of a loop", source="CoolProp; OCP CDU white paper",
      depends_on=LOOP)  # fmt: skip
def heat_balance(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the rise that heat and flow give against what the loop's parts allow."""
    for one in design.cooling.loops:
        capacity = one.density_kg_per_m3 * one.heat_capacity_j_per_kg_k  # J/(m3 K)
        rise = 60e3 * one.heat_w / (capacity * one.flow_l_per_min)
        if one.rise_max_k is not None and rise > one.rise_max_k:
            needed = 60e3 * one.heat_w / (capacity * one.rise_max_k)
            yield Found(
                one.where,
                f"{kw(one.heat_w)} into {one.flow_l_per_min:,.4g} L/min warms it by {rise:.1f} K "
                f"> {one.rise_max_k:g} K",
                f"{needed:,.0f} L/min, or less heat into the loop",
            )


@rule("C2", "error", "Supply temperature", source="ASHRAE W classes; AMD MI355X data sheet",
      depends_on=("data_centers.coolant_supply_c", "cdu", "accelerator.coolant_max_inlet_c"),
      )  # fmt: skip
def supply_temperature(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the facility's warmest water plus the approach against the weakest part."""
    for one in design.cooling.loops:
        if one.facility_c is None or one.approach_k is None or one.supply_max_c is None:
            continue
        supply = one.facility_c + one.approach_k
        if supply > one.supply_max_c:
            yield Found(
                one.where,
                f"{one.facility_c:g} degC + {one.approach_k:g} K approach = {supply:g} degC > "
                f"{one.supply_max_c:g} degC",
                "colder facility water, a unit with a closer approach, or a part that takes it",
            )


@rule("C3", "error", "Capacity of the distribution units", source="OCP CDU white paper",
      depends_on=("cdu", "cdu_count", "system.liquid_heat_w", "redundancy"))  # fmt: skip
def cdu_capacity(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the units left after the spares against the heat, all at one approach.

    A unit's rating grows in proportion to the approach that it is allowed.
    """
    g = design.cooling.cdus
    if g is None:
        return
    if len(set(g.rated_approach_k)) > 1:
        kinds = ", ".join(f"{k:g} K" for k in sorted(set(g.rated_approach_k)))
        yield Found(
            "distribution units",
            f"ratings at different approaches are added: {kinds}",
            "restate every rating at one approach before adding them",
        )
        return
    each = g.rated_w * g.approach_k / g.rated_approach_k[0]
    left = (g.count - g.spare) * each
    if left < g.heat_w:
        yield Found(
            "distribution units",
            f"({g.count} - {g.spare}) x {kw(each)} at {g.approach_k:g} K = {kw(left)} < "
            f"{kw(g.heat_w)}",
            "another unit, or fewer racks on the loop",
        )


@rule("C4", "error", "Flow of the distribution units", source="CoolIT CHx2000 data sheet",
      depends_on=("cdu", "cdu_count", "system.coolant_l_per_min", "data_centers.coolant_supply_c"),
      )  # fmt: skip
def cdu_flow(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the flow that the racks need against the units', at the head that they have."""
    g = design.cooling.cdus
    if g is None or g.flow_each_l_per_min is None or g.flow_l_per_min is None:
        return
    left = (g.count - g.spare) * g.flow_each_l_per_min
    if g.flow_l_per_min > left:
        yield Found(
            "distribution units",
            f"{g.flow_l_per_min:,.0f} L/min > ({g.count} - {g.spare}) x "
            f"{g.flow_each_l_per_min:,.0f} = {left:,.0f} L/min",
            "fewer racks on the loop, a colder supply with a larger rise, or another unit",
        )
    elif g.head_pa is not None and g.drop_pa is not None and g.drop_pa > g.head_pa:
        yield Found(
            "distribution units",
            f"the loop drops {g.drop_pa / 1e3:,.0f} kPa at {g.flow_l_per_min:,.0f} L/min, the "
            f"pumps give {g.head_pa / 1e3:,.0f} kPa",
            "wider pipes and manifolds, larger couplings, or stronger pumps",
        )


@rule("C5", "error", "Pressure class", source="OCP BMQC; OCP Project Deschutes",
      depends_on=("cdu", "connector"))  # fmt: skip
def pressure_class(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the loop's highest pressure against its weakest part."""
    highest = max((p for one in design.cooling.loops if (p := one.pressure_pa)), default=None)
    if highest is None or not design.cooling.wetted:
        return
    weakest = min(design.cooling.wetted, key=lambda part: part.pressure_max_pa)
    if highest > weakest.pressure_max_pa:
        yield Found(
            weakest.name,
            f"{_psi(highest)} in the loop > {_psi(weakest.pressure_max_pa)}",
            "a pressure reducer or weaker pumps; or parts of the loop's class",
        )


@rule("C6", "error", "Flow through a coupling", source="OCP UQD",
      depends_on=("connector", "server.liquid_heat_w", "rise_k"))  # fmt: skip
def coupling_flow(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the flow through a coupling against its rating; the drop is told with it."""
    for use in design.cooling.connectors:
        if use.flow_l_per_min > use.rated_l_per_min:
            drop = ""
            if use.cv is not None:
                psi = (use.flow_l_per_min / L_PER_MIN_PER_GPM / use.cv) ** 2
                drop = f"; drop {psi:.2f} psi per half"
            yield Found(
                use.where,
                f"{use.flow_l_per_min:.1f} L/min through {use.kind} > "
                f"{use.rated_l_per_min:.1f} L/min{drop}",
                "the next larger coupling, two of them, or a larger rise",
            )


@rule("C7", "warning", "Velocity in a manifold", source="OCP rack manifold",
      depends_on=("manifold", "system.coolant_l_per_min"))  # fmt: skip
def manifold_velocity(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the velocity in a manifold or pipe against its limit."""
    for pipe in design.cooling.pipes:
        if pipe.flow_l_per_min is None or pipe.velocity_max_m_per_s is None:
            continue
        velocity = pipe.flow_l_per_min / 60e3 / (pi / 4 * pipe.bore_m**2)
        if velocity > pipe.velocity_max_m_per_s:
            yield Found(
                pipe.where,
                f"{pipe.flow_l_per_min:,.4g} L/min through {pipe.bore_m * 1e3:g} mm: "
                f"{velocity:.1f} m/s > {pipe.velocity_max_m_per_s:g} m/s",
                "a wider manifold, or one at each end",
            )


@rule("C8", "error", "Capacity of a pipe", source="OCP Modular TCS white paper",
      depends_on=("pipe", "system.liquid_heat_w", "rise_k"))  # fmt: skip
def pipe_capacity(design: PhysicalDesign) -> Iterator[Found]:
    """Hold a pipe's heat at its rise against its rating, which grows with the rise."""
    for pipe in design.cooling.pipes:
        if pipe.heat_w is None or pipe.rise_k is None or pipe.rated_w is None:
            continue
        carries = pipe.rated_w * pipe.rise_k / pipe.rated_rise_k
        if pipe.heat_w > carries:
            yield Found(
                pipe.where,
                f"{kw(pipe.heat_w)} > {kw(carries)} that DN{pipe.bore_m * 1e3:.0f} carries at "
                f"{pipe.rise_k:g} K",
                "the next larger pipe, or a larger rise",
            )


@rule("C9", "warning", "Spread of the branches' flows", source="OCP rack manifold",
      depends_on=("connector", "manifold"))  # fmt: skip
def branch_spread(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the spread of the flows of equal branches against the manifold's limit."""
    flows = design.cooling.branch_flows_l_per_min
    if len(flows) < 2:
        return
    spread = (max(flows) - min(flows)) / (sum(flows) / len(flows))
    limit = design.cooling.branch_spread_max_fraction
    if spread > limit:
        yield Found(
            "manifold",
            f"branches take {min(flows):.1f} to {max(flows):.1f} L/min: {100 * spread:.0f} % "
            f"apart > {100 * limit:.0f} %",
            "equal couplings and hoses, or balancing orifices",
        )


@rule("C10", "error", "Limits of the coolant", source="OCP PG25 guideline",
      depends_on=("coolant", "data_centers.coolant_supply_c", "rise_k"))  # fmt: skip
def coolant_limits(design: PhysicalDesign) -> Iterator[Found]:
    """Hold glycol, acidity and temperature against the coolant's limits."""
    c = design.cooling.coolant
    if c is None:
        return
    mend = "treat or replace the coolant"
    inside = (
        ("glycol", c.glycol_fraction, c.glycol_low_fraction, c.glycol_high_fraction, 100, "vol%"),
        ("pH", c.ph, c.ph_low, c.ph_high, 1, ""),
    )
    for what, value, low, high, scale, unit in inside:
        if value is None or low is None or high is None or low <= value <= high:
            continue
        text = f"{what} {value * scale:g} {unit}, allowed {low * scale:g} to {high * scale:g}"
        yield Found(c.name, " ".join(text.split()), mend)
    if c.hottest_c is not None and c.max_c is not None and c.hottest_c > c.max_c:
        yield Found(
            c.name,
            f"{c.hottest_c:g} degC > {c.max_c:g} degC at most",
            "more flow, or a colder supply",
        )


@rule("C11", "error", "Filtration", source="OCP CDU white paper", depends_on=("cdu",))
def filtration(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the filters against the finest mesh that cold plates and exchangers ask for."""
    c = design.cooling.coolant
    if c is None:
        return
    for where, mesh, most in (
        ("technology loop", c.filter_m, c.filter_max_m),
        ("facility loop", c.facility_filter_m, c.facility_filter_max_m),
    ):
        if mesh is not None and most is not None and mesh > most:
            yield Found(where, f"filter of {mesh * 1e6:g} um > {most * 1e6:g} um", "a finer filter")


@rule("C12", "error", "Condensation", source="OCP UQD; OCP door heat exchanger",
      depends_on=("data_centers.coolant_supply_c", "data_centers.dew_point_c"))  # fmt: skip
def condensation(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the supply against the room's dew point and the lowest that the parts take."""
    for one in design.cooling.loops:
        supply = one.supply_c
        if supply is None:
            continue
        if one.room_dew_point_c is not None and supply <= one.room_dew_point_c:
            yield Found(
                one.where,
                f"supply {supply:g} degC <= dew point of the room {one.room_dew_point_c:g} degC",
                "a warmer supply, or a drier room",
            )
        elif one.supply_min_c is not None and supply < one.supply_min_c:
            yield Found(
                one.where,
                f"supply {supply:g} degC < {one.supply_min_c:g} degC that the parts take",
                "a warmer supply",
            )


@rule("C13", "error", "Air at the inlet", source="ASHRAE air classes",
      depends_on=("data_centers.air_c",))  # fmt: skip
def air_inlet(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the inlet's temperature against the allowable one."""
    a = design.cooling.air
    if a is None or a.inlet_c is None or a.allowable_high_c is None:
        return
    if a.inlet_c > a.allowable_high_c:
        wanted = ""
        if a.recommended_low_c is not None and a.recommended_high_c is not None:
            wanted = f"; recommended {a.recommended_low_c:g} to {a.recommended_high_c:g} degC"
        yield Found(
            "air inlet",
            f"{a.inlet_c:g} degC > {a.allowable_high_c:g} degC{wanted}",
            "colder air, or servers of a wider class",
        )


@rule("C14", "error", "Flow of air", source="OCP facility guideline; NVIDIA user guides",
      depends_on=("servers_per_rack", "server.airflow_m3_per_s", "data_centers.airflow"),
      )  # fmt: skip
def air_flow(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the sum of the servers' fans against the room's air."""
    a = design.cooling.air
    if a is None or a.flow_needed_m3_per_s is None or a.flow_available_m3_per_s is None:
        return
    if a.flow_needed_m3_per_s > a.flow_available_m3_per_s:
        yield Found(
            "cold aisle",
            f"{a.flow_needed_m3_per_s:.2f} m3/s ({_cfm(a.flow_needed_m3_per_s)}) wanted > "
            f"{a.flow_available_m3_per_s:.2f} m3/s ({_cfm(a.flow_available_m3_per_s)})",
            "fewer servers in the aisle, or more air",
        )


@rule("C15", "error", "Heat that stays in the air", source="NVIDIA GB200/GB300 user guide",
      depends_on=("system.air_heat_w", "data_centers.air_w"))  # fmt: skip
def air_share(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the heat to the air against what the room takes, liquid-cooled or not."""
    a = design.cooling.air
    if a is None or a.heat_w is None or a.room_w is None:
        return
    if a.heat_w > a.room_w:
        why = " although the rack counts as liquid-cooled" if a.liquid_cooled else ""
        yield Found(
            "room air",
            f"{kw(a.heat_w)} to the air > {kw(a.room_w)} that it takes{why}",
            "air handlers or door exchangers for the remainder",
        )


@rule("C16", "error", "Direction of the air", source="NVIDIA QM97x0 hardware guide",
      depends_on=("switch.airflow",))  # fmt: skip
def air_direction(design: PhysicalDesign) -> Iterator[Found]:
    """Hold a device's direction of air against the aisle that its ports face."""
    for d in design.cooling.directed:
        # Air must come from the cold aisle: in at the ports where they face it, else out there.
        wanted = "P2C" if d.ports_face == "cold" else "C2P"
        if d.direction != wanted:
            yield Found(
                d.name,
                f"air {d.direction} with ports to the {d.ports_face} aisle: it would draw in "
                "warm air",
                f"the {wanted} variant, or turn the device round",
            )


@rule("C17", "error", "Heat exchanger in the door", source="OCP door heat exchanger",
      depends_on=("door", "data_centers.aisle_m"))  # fmt: skip
def door_exchanger(design: PhysicalDesign) -> Iterator[Found]:
    """Hold a door's depth, mass, aisle and drop against their limits."""
    d = design.cooling.door
    if d is None:
        return
    limits = [
        (d.depth_m > d.depth_max_m, f"depth {d.depth_m * 1e3:g} mm > {d.depth_max_m * 1e3:g} mm"),
        (d.mass_kg > d.mass_max_kg, f"filled {d.mass_kg:g} kg > {d.mass_max_kg:g} kg"),
        (d.aisle_m < d.aisle_min_m, f"aisle {d.aisle_m * 1e3:g} mm < {d.aisle_min_m * 1e3:g} mm"),
    ]
    if d.drop_pa is not None and d.drop_max_pa is not None:
        text = f"coolant drops {d.drop_pa / 1e3:g} kPa > {d.drop_max_pa / 1e3:g} kPa"
        limits.append((d.drop_pa > d.drop_max_pa, text))
    for broken, text in limits:
        if broken:
            yield Found("rear door", text, "another door, or a wider aisle")


@rule("C18", "warning", "Efficiency that a site claims", source="fleet figures of AWS, Microsoft, "
      "Google, Meta", depends_on=("data_centers.pue",))  # fmt: skip
def claimed_efficiency(design: PhysicalDesign) -> Iterator[Found]:
    """Hold a claim against what whole fleets publish."""
    c = design.cooling.claim
    if c is None:
        return
    if c.pue is not None and c.pue < c.fleet_pue_low:
        yield Found(
            "facility",
            f"PUE {c.pue:g}; fleets publish {c.fleet_pue_low:g} to {c.fleet_pue_high:g}",
            "ask for a year's measurements",
        )
    if (
        c.wue_l_per_kwh is not None
        and c.wue_l_per_kwh < c.fleet_wue_low_l_per_kwh
        and (c.pue is not None and c.pue < c.fleet_pue_low)
    ):
        yield Found(
            "facility",
            f"{c.wue_l_per_kwh:g} L/kWh of water beside that PUE; fleets publish "
            f"{c.fleet_wue_low_l_per_kwh:g} to {c.fleet_wue_high_l_per_kwh:g}",
            "ask which of the two was measured",
        )


def _psi(pascal: float) -> str:
    return f"{pascal / PASCAL_PER_PSI:.0f} psi"


def _cfm(m3_per_s: float) -> str:
    return f"{m3_per_s / 4.719474e-4:,.0f} CFM"
