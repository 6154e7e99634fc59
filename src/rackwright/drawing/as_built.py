"""A rack as built, in words and numbers: elevation, power, cooling, findings."""

from __future__ import annotations

from collections.abc import Iterator

from rackwright.records.as_built import RackAsBuilt
from rackwright.records.mechanical import Item
from rackwright.records.physical import Finding


def as_built_lines(built: RackAsBuilt) -> list[str]:
    """Return lines that say how a rack stands, is fed and cooled, and what the rules find."""
    many = f"{built.racks} such racks" if built.racks > 1 else "1 such rack"
    return [
        f"  as built at {built.site or 'a site'}: {built.rack}, {many} (grade {built.grade})",
        *_elevation(built),
        *_power(built),
        *_cooling(built),
        *_year(built),
        *finding_lines(built.findings),
    ]


def _elevation(built: RackAsBuilt) -> Iterator[str]:
    frame = built.mechanics.frame
    if frame is None:
        return
    yield (
        f"    elevation, {frame.key}, {frame.units} units of {frame.unit_m * 1e3:g} mm, "
        "from the bottom:"
    )
    for first, last, items in _runs(built.mechanics.items):
        name = items[0].name.rstrip("0123456789 ")
        mass = sum(i.mass_kg or 0.0 for i in items)
        yield f"      unit {_span(first, last):<8}{len(items):>3} x {name:<22}{mass:>8,.0f} kg"
    total, height = built.mechanics.mass_kg, built.centre_of_gravity_m
    if total is not None and height is not None:
        yield f"      {total:,.0f} kg in all, centre of gravity {height:.2f} m above the floor"


def _span(first: float, last: float) -> str:
    return f"{first:g}" if first == last else f"{first:g}-{last:g}"


def _runs(items: tuple[Item, ...]) -> Iterator[tuple[float, float, list[Item]]]:
    """Yield runs of devices of one kind, with the first and the last unit they take."""
    run: list[Item] = []
    for item in sorted(items, key=lambda i: i.bottom_u):
        if run and (item.kind, item.key) != (run[-1].kind, run[-1].key):
            yield run[0].bottom_u, run[-1].bottom_u + run[-1].units - 1, run
            run = []
        run.append(item)
    if run:
        yield run[0].bottom_u, run[-1].bottom_u + run[-1].units - 1, run


def _power(built: RackAsBuilt) -> Iterator[str]:
    p = built.power
    yield (
        f"    power, {p.redundancy}: {p.load_w / 1e3:,.1f} kW at most, {p.utility_w / 1e3:,.1f} kW "
        f"from the utility ({100 * p.efficiency:.1f} % arrives, without cooling)"
    )
    for s in p.stages:
        lost = s.in_w - s.out_w
        amps = ""
        if s.current_a is not None and s.continuous_a is not None:
            amps = f"{s.current_a:.1f} A each of {s.continuous_a:g} A all the time"
        elif s.note:
            amps = s.note
        yield (
            f"      {s.units:>3} x {s.name:<24}{s.in_w / 1e3:>9,.1f} kW in  "
            f"{lost / 1e3:>6,.2f} kW lost  {amps}".rstrip()
        )
    for loss in p.losses:
        verdict = "holds" if loss.holds else "FAILS"
        yield (
            f"      {loss.lost} lost: {loss.left_w / 1e3:,.1f} kW left for "
            f"{loss.load_w / 1e3:,.1f} kW, {verdict}"
        )


def _cooling(built: RackAsBuilt) -> Iterator[str]:
    c = built.cooling
    if c is None:
        yield "    cooling: all heat goes to the air"
        return
    yield (
        f"    cooling, {c.coolant}: {c.heat_w / 1e3:,.1f} kW into {c.flow_l_per_min:,.1f} L/min, "
        f"{c.supply_c:g} to {c.return_c:.1f} degC (facility water up to {c.facility_supply_c:g} "
        f"degC, {c.water_class})"
    )
    for s in c.segments:
        bore = f"bore {s.bore_m * 1e3:.0f} mm, {s.velocity_m_per_s:.1f} m/s" if s.bore_m else s.key
        yield (
            f"      {s.parallel:>3} x {s.name:<16}{s.flow_l_per_min:>8,.1f} L/min "
            f"{s.drop_pa / 1e3:>7,.1f} kPa  {bore}".rstrip()
        )
    yield f"      the loop drops {c.drop_pa / 1e3:,.0f} kPa"
    for choice in c.cdus:
        yield (
            f"      {choice.key}: {choice.racks} racks, bound by {choice.bound_by} "
            f"({choice.racks_by_heat} by heat, {choice.racks_by_flow} by flow)"
        )
    yield (
        f"      {c.air_w / 1e3:,.1f} kW to the air: {c.air_flow_m3_per_s:.2f} m3/s "
        f"({c.air_flow_m3_per_s / 4.719474e-4:,.0f} CFM) at {c.air_rise_k:g} K"
    )


def _year(built: RackAsBuilt) -> Iterator[str]:
    y = built.year
    if y is None:
        return
    yield (
        f"    a year at {built.site}: PUE {y.pue:.3f} (worst hour {y.worst_hour_pue:.3f}), "
        f"{y.free_cooling_hours:,.0f} of {y.hours:,.0f} hours without chillers, "
        f"{y.facility_j / 3.6e9:,.0f} MWh for {y.it_j / 3.6e9:,.0f} MWh of IT (shares are "
        "estimates)"
    )


def finding_lines(findings: tuple[Finding, ...]) -> Iterator[str]:
    """Yield the findings of the rules, each with its arithmetic and how to mend it."""
    if not findings:
        yield "    rules: nothing found by those whose numbers are known"
        return
    errors = sum(f.severity == "error" for f in findings)
    yield f"    rules: {errors} errors, {len(findings) - errors} warnings"
    for f in findings:
        racks = f" ({f.racks} racks)" if f.racks > 1 else ""
        yield f"      {f.severity} {f.rule}, {f.where}{racks}: {f.text}"
        yield f"        mend: {f.mend}; source: {f.source}"
