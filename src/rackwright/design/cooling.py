"""How a rack is cooled: flow and temperatures to the cold plate, drops, the unit it hangs on.

The loop is followed from the distribution unit: row pipe, rack hoses, manifold, couplings and
hoses of a tray, cold plates, and the same way back. The rise is what the vendor's flow at the
supply temperature gives; where no flow is published it is the 10 K at which units are rated.
"""

from __future__ import annotations

from math import ceil, floor, sqrt
from typing import NamedTuple

import numpy as np

from rackwright.catalog import Catalog
from rackwright.design.liquid import (
    Liquid,
    coupling_drop_pa,
    flow_l_per_min,
    liquid,
    pipe_drop_pa,
    rise_k,
    velocity_m_per_s,
)
from rackwright.design.rack import Rack
from rackwright.records.cooling import Coolant, CoolingClass, Manifold, Pipe, QuickConnector
from rackwright.records.equipment import Cdu
from rackwright.records.errors import RackwrightError
from rackwright.records.loops import CduChoice, CoolingPlan, Segment
from rackwright.records.provenance import Grade, worst

RATED_RISE_K = 10.0
"""Rise at which pipes and units are rated. Source: OCP, 1.5 L/min of PG25 per kW (grade B)."""

AIR_RISE_K = 12.0
AIR_J_PER_M3_K = 1.2 * 1005.0
"""Rise of air through servers at least, and what a cubic metre takes. Source: OCP facility
guideline, 146 CFM per kW at 12 K (grade B)."""

PLATE_DROP_PA = 40e3
PLATE_RISE_K = 10.0
"""Drop over a tray's cold plates in series, at the flow of that rise. Planning estimate (D): makers
give 20 to 60 kPa; it goes with the square of the flow."""

HOSE_M, RACK_HOSE_M = 0.6, 1.5
"""Length of a tray's hose and of a rack's, each way. Planning estimates (grade D)."""

ROUGHNESS_M = {"hose": 2e-6, "steel": 45e-6}
"""Walls: smooth EPDM hose, and clean steel (Moody 1944)."""

MINOR_HOSE, MINOR_PIPE_PER_M = 2.0, 0.3
"""Velocity heads lost in a hose's ends, and by bends and tees along a metre of row pipe (D)."""

BORES_M = (0.0127, 0.0191, 0.0254, 0.0318, 0.0381, 0.0508, 0.0635, 0.0762)
"""Nominal bores of hoses and manifolds: half an inch to three inches."""

PUMP_SLOPE = 0.25
"""What a pump's head rises from its rated flow to none, over its rated head: estimate (D)."""

HOSE_SPEED_M_PER_S = 2.5
"""Velocity up to which hoses and their couplings are sized: estimate (D)."""


class Site(NamedTuple):
    """What a data center gives a rack's loop."""

    supply_c: float  # of the technology loop, at the racks
    room_air_w: float | None = None
    dew_point_c: float | None = None
    row_pipe_m: float = 20.0  # from the unit to the farthest rack


def cooling_plan(rack: Rack, catalog: Catalog, site: Site, coolant: str = "pg25") -> CoolingPlan:
    """Return how a rack is cooled at a site.

    Args:
        rack: what sheds the heat.
        catalog: units, couplings, pipes, classes.
        site: supply at the racks and the row's length. The facility's water may be as warm as that
            less the unit's approach.
        coolant: of the technology loop.

    Raises:
        RackwrightError: nothing of the heat goes into a liquid, or no unit carries one such rack.
    """
    if rack.liquid_w <= 0:
        raise RackwrightError(f"{rack.key}: all its heat goes to the air; there is no loop.")
    units = [u for u in catalog.all("cdus") if isinstance(u, Cdu) and u.heat_w and u.flow_l_per_min]
    of = catalog.find(Coolant, coolant)
    looked = [_hung_on(rack, catalog, site, of, unit) for unit in units]
    looked.sort(key=lambda h: (not h.choice.racks, h.choice.usd_per_rack or np.inf, h.choice.key))
    if not looked or not looked[0].choice.racks:
        raise RackwrightError(
            f"{rack.key}: no distribution unit of the catalog carries one such rack at "
            f"{site.supply_c:g} degC of supply."
        )
    best = looked[0]
    taken = catalog.find(Cdu, best.choice.key)
    drop = sum(s.drop_pa for s in best.segments)
    point = pump_point(taken, best.choice.flow_l_per_min * best.choice.racks, drop)
    return CoolingPlan(
        coolant=of.key,
        heat_w=rack.liquid_w,
        air_w=rack.air_w,
        facility_supply_c=site.supply_c - taken.approach_k,
        approach_k=taken.approach_k,
        supply_c=best.choice.supply_c,
        return_c=best.choice.supply_c + best.rise_k,
        rise_k=best.rise_k,
        flow_l_per_min=best.choice.flow_l_per_min,
        water_class=water_class(site.supply_c - taken.approach_k, catalog),
        segments=best.segments,
        drop_pa=drop,
        cdus=tuple(h.choice for h in looked),
        pump_point_l_per_min=None if point is None else point[0],
        pump_point_pa=None if point is None else point[1],
        air_flow_m3_per_s=rack.air_w / (AIR_J_PER_M3_K * AIR_RISE_K),
        air_rise_k=AIR_RISE_K,
        grade=worst([rack.grade, taken.grade_of(("heat_w", "flow_l_per_min")),
                     *(s.grade for s in best.segments)]),
        assumptions=(
            best.note,
            f"cold plates of a tray in series drop {PLATE_DROP_PA / 1e3:g} kPa at "
            f"{PLATE_RISE_K:g} K (estimate)",
            f"pumps gain {100 * PUMP_SLOPE:.0f} % of their rated head from rated flow to none "
            "(estimate)",
        ),
    )  # fmt: skip


class _Hung(NamedTuple):
    """A rack's loop on one kind of unit."""

    choice: CduChoice
    segments: tuple[Segment, ...]
    rise_k: float
    note: str


def _hung_on(rack: Rack, catalog: Catalog, site: Site, coolant: Coolant, unit: Cdu) -> _Hung:
    supply = site.supply_c
    flow, rise, note = _flow(rack, coolant, supply)
    segments = _segments(rack, catalog, flow, liquid(coolant, supply + rise / 2), site)
    drop = sum(s.drop_pa for s in segments)
    return _Hung(racks_on(unit, rack.liquid_w, flow, drop, supply), segments, rise, note)


def _flow(rack: Rack, coolant: Coolant, supply: float) -> tuple[float, float, str]:
    """Return flow, rise and where they come from."""
    points = rack.system.coolant_at_supply if rack.system is not None else ()
    if len(points) > 1:
        at = sorted(points, key=lambda p: p.supply_c)
        if at[0].supply_c <= supply <= at[-1].supply_c:
            flow = float(np.interp(supply, [p.supply_c for p in at],
                                   [p.flow_l_per_min for p in at]))  # fmt: skip
            rise = rise_k(rack.liquid_w, flow, liquid(coolant, supply))
            rise = rise_k(rack.liquid_w, flow, liquid(coolant, supply + rise / 2))
            return flow, rise, f"flow as {rack.key} asks for at a supply of {supply:g} degC"
    of = liquid(coolant, supply + RATED_RISE_K / 2)
    flow = flow_l_per_min(rack.liquid_w, RATED_RISE_K, of)
    return flow, RATED_RISE_K, f"no flow published at {supply:g} degC: {RATED_RISE_K:g} K of rise"


def water_class(supply_c: float, catalog: Catalog) -> str:
    """Return the ASHRAE class of facility water with that supply."""
    classes = [c for c in catalog.all("cooling_classes") if isinstance(c, CoolingClass)]
    liquid_ones = [c for c in classes if c.medium == "liquid" and c.max_supply_c is not None]
    fitting = [c for c in liquid_ones if (c.max_supply_c or 0.0) >= supply_c - 1e-9]
    if not fitting:
        return "W+"
    return min(fitting, key=lambda c: c.max_supply_c or 0.0).name.split()[-1]


def _segments(
    rack: Rack, catalog: Catalog, flow: float, of: Liquid, site: Site
) -> tuple[Segment, ...]:
    """Return the loop of one rack, from the row to the plates; each both ways."""
    trays = max(rack.compute_trays + rack.switch_trays, 1)
    each = flow / trays
    limits = next(m for m in catalog.all("manifolds") if isinstance(m, Manifold))
    tall = rack.enclosure.height_m or 2.2

    def line(name: str, kind: str, through: float, bore: float, length: float, wall: str,
             minor: float, parallel: int = 1) -> Segment:  # fmt: skip
        drop = pipe_drop_pa(
            through, bore, 2 * length, of, roughness_m=ROUGHNESS_M[wall], minor=2 * minor
        )
        return Segment(
            name=name, kind=kind, parallel=parallel, flow_l_per_min=through, bore_m=bore,
            velocity_m_per_s=velocity_m_per_s(through, bore), length_m=length, drop_pa=drop,
            grade=Grade.D,
        )  # fmt: skip

    pipe = _row_pipe(catalog, rack.liquid_w)
    coupling, pairs = _couplings(catalog, each)
    hose = _bore(each, HOSE_SPEED_M_PER_S)
    plate = PLATE_DROP_PA * (each / flow_l_per_min(rack.liquid_w / trays, PLATE_RISE_K, of)) ** 2
    through = each / pairs
    half = coupling_drop_pa(through, coupling.flow_coefficient_cv or 1.0, of)
    return (
        line("row pipe", "pipe", flow, pipe.bore_m, site.row_pipe_m, "steel",
             MINOR_PIPE_PER_M * site.row_pipe_m),
        line("rack hoses", "hose", flow, _bore(flow, HOSE_SPEED_M_PER_S), RACK_HOSE_M, "hose",
             MINOR_HOSE),
        line("manifold", "manifold", flow, _bore(flow, limits.velocity_max_m_per_s), tall / 2,
             "hose", MINOR_HOSE),
        Segment(name="tray couplings", kind="coupling", parallel=trays * pairs,
                flow_l_per_min=through, drop_pa=2 * half, key=coupling.key, grade=Grade.B),
        line("tray hoses", "hose", each, hose, HOSE_M, "hose", MINOR_HOSE, trays),
        Segment(name="cold plates", kind="cold plate", parallel=trays, flow_l_per_min=each,
                drop_pa=plate, grade=Grade.D),
    )  # fmt: skip


def _bore(flow: float, speed: float) -> float:
    """Return the smallest bore in which a flow keeps to a velocity."""
    return next((b for b in BORES_M if velocity_m_per_s(flow, b) <= speed), BORES_M[-1])


def _row_pipe(catalog: Catalog, heat_w: float) -> Pipe:
    """Return the smallest pipe that carries one rack's heat at the rise it is rated for."""
    pipes = sorted((p for p in catalog.all("pipes") if isinstance(p, Pipe)), key=lambda p: p.bore_m)
    return next((p for p in pipes if p.heat_w >= heat_w), pipes[-1])


def _couplings(catalog: Catalog, flow: float) -> tuple[QuickConnector, int]:
    """Return the smallest hand-mate coupling rated for a flow; else so many of the largest."""
    kinds = sorted(
        (
            c
            for c in catalog.all("connectors")
            if isinstance(c, QuickConnector) and c.flow_coefficient_cv is not None
        ),
        key=lambda c: c.rated_l_per_min,
    )
    fitting = next((c for c in kinds if c.rated_l_per_min >= flow), kinds[-1])
    return fitting, ceil(flow / fitting.rated_l_per_min - 1e-9)


def racks_on(unit: Cdu, heat_w: float, flow: float, drop_pa: float, supply_c: float) -> CduChoice:
    """Return how many racks a unit carries, and what keeps it from more.

    All racks hang side by side: their heats and flows add, the drop stays that of one.

    Args:
        unit: rated heat and flow, at its own approach.
        heat_w: of one rack into the liquid.
        flow: of one rack [L/min].
        drop_pa: of one rack's loop at that flow.
        supply_c: what the unit gives.
    """
    assert unit.heat_w is not None
    assert unit.flow_l_per_min is not None
    by_heat = floor(unit.heat_w / heat_w + 1e-9)
    by_flow = floor(unit.flow_l_per_min / flow + 1e-9)
    racks, bound = min(by_heat, by_flow), "heat" if by_heat < by_flow else "flow"
    rated = unit.head_pa or unit.head_low_pa
    head = None
    if rated is not None and racks:
        head = head_pa(rated, unit.flow_l_per_min, racks * flow)
        if head < drop_pa:
            racks, bound = 0, "head"
    price = unit.price[0] if unit.price else None
    mid = None if price is None else 0.5 * (price.usd_low + price.usd_high)
    return CduChoice(
        key=unit.key,
        approach_k=unit.approach_k,
        supply_c=supply_c,
        flow_l_per_min=flow,
        racks_by_heat=by_heat,
        racks_by_flow=by_flow,
        racks=racks,
        bound_by=bound,
        head_pa=head,
        drop_pa=drop_pa,
        usd_per_rack=mid / racks if mid is not None and racks else None,
    )


def head_pa(rated_pa: float, rated_l_per_min: float, flow: float) -> float:
    """Return a pump's head at a flow: a parabola through its rated point."""
    share = flow / rated_l_per_min
    return rated_pa * (1 + PUMP_SLOPE * (1 - share**2))


def pump_point(unit: Cdu, flow: float, drop_pa: float) -> tuple[float, float] | None:
    """Return where the pumps' curve meets the loop's: drop grows with the square of the flow.

    rated (1 + s) - rated s (q / q_r)^2 = drop (q / q_0)^2, solved for q.
    """
    rated = unit.head_pa or unit.head_low_pa
    if rated is None or unit.flow_l_per_min is None:
        return None
    fall = rated * PUMP_SLOPE / unit.flow_l_per_min**2
    meets = sqrt(rated * (1 + PUMP_SLOPE) / (drop_pa / flow**2 + fall))
    return meets, drop_pa * (meets / flow) ** 2
