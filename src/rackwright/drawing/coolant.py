"""A rack's liquid loop on one line: from the distribution unit to the cold plates and back."""

from __future__ import annotations

from rackwright.drawing.charts.canvas import LINE, Drawing, rect, rule, svg, text, text_width
from rackwright.drawing.html import Part, join, tag
from rackwright.drawing.style import chart_css
from rackwright.records.as_built import RackAsBuilt
from rackwright.records.loops import CoolingPlan, Segment

WIDTH, MARGIN, BOX_W, BOX_H = 828.0, 24.0, 99.0, 140.0


def coolant_svg(built: RackAsBuilt) -> str:
    """Return a rack's loop as an SVG file; a rack without one says so."""
    if built.cooling is None:
        only = text(MARGIN, MARGIN + 12, f"{built.rack}: all heat goes to the air", "title")
        whole = Drawing(WIDTH, 2 * MARGIN + 20, only)
        return f"{svg(whole, f'Coolant of {built.rack}', chart_css())}\n"
    inner = coolant_drawing(built.cooling, WIDTH - 2 * MARGIN)
    moved = tag("g", inner.body, transform=f"translate({MARGIN:g} {MARGIN + 26:g})")
    title = text(MARGIN, MARGIN + 12, f"{built.rack}: the liquid loop", "title")
    whole = Drawing(WIDTH, inner.height + 2 * MARGIN + 26, join(title, moved))
    return f"{svg(whole, f'Coolant of {built.rack}', chart_css())}\n"


def coolant_drawing(plan: CoolingPlan, width: float) -> Drawing:
    """Return the loop: supply on the upper line, return on the lower, a box for each segment.

    Args:
        plan: of one rack.
        width: of the drawing [px].
    """
    boxes = 1 + len(plan.segments)
    gap = (width - boxes * BOX_W) / (boxes - 1)
    top = 2 * LINE + 14
    warm, cold = top + BOX_H - 26, top + 26
    marks: list[Part] = [
        text(0, 12, f"{plan.heat_w / 1e3:,.1f} kW into {plan.flow_l_per_min:,.1f} L/min of "
             f"{plan.coolant}; {plan.drop_pa / 1e3:,.0f} kPa around the loop; "
             f"{plan.air_w / 1e3:,.1f} kW more to the air", "quiet"),
        rule(BOX_W, cold, width - BOX_W / 2, cold, "c0 line stroke"),
        rule(BOX_W, warm, width - BOX_W / 2, warm, "c5 line stroke"),
    ]  # fmt: skip
    marks += _unit(plan, top)
    for n, segment in enumerate(plan.segments, start=1):
        marks += _segment(segment, n * (BOX_W + gap), top)
    bottom = top + BOX_H + LINE + 8
    lines = [
        f"{c.key}: {c.racks} racks, bound by {c.bound_by} ({c.racks_by_heat} by heat, "
        f"{c.racks_by_flow} by flow)"
        for c in plan.cdus
    ]
    if plan.pump_point_l_per_min is not None and plan.pump_point_pa is not None:
        lines.insert(
            1,
            f"    its pumps would run at {plan.pump_point_l_per_min:,.0f} L/min and "
            f"{plan.pump_point_pa / 1e3:,.0f} kPa with all of them on the loop, not throttled",
        )
    for n, line in enumerate(lines):
        marks.append(text(0, bottom + n * LINE, line, "small" if n else "small strong"))
    return Drawing(width, bottom + len(lines) * LINE, join(marks))


def _unit(plan: CoolingPlan, top: float) -> list[Part]:
    first = plan.cdus[0]
    lines = (
        (f"{plan.supply_c:g} °C out", "small strong"),
        (_short(first.key), "small"),
        (f"{first.racks} racks each", "small"),
        (f"approach {plan.approach_k:g} K", "small"),
        (f"water {plan.facility_supply_c:g} °C", "small"),
        (f"class {plan.water_class}", "small"),
        (f"{plan.return_c:.1f} °C back", "small strong"),
    )
    marks: list[Part] = [rect(0, top, BOX_W, BOX_H, "ring")]
    for n, (words, style) in enumerate(lines):
        marks.append(text(6, top + 17 + n * LINE, words, style))
    return marks


def _short(key: str) -> str:
    """Return the end of a long key, which tells the model."""
    return key if text_width(key) < BOX_W - 10 else key.partition("-")[2]


def _segment(segment: Segment, x: float, top: float) -> list[Part]:
    many = f"{segment.parallel} x" if segment.parallel > 1 else ""
    lines = [
        (segment.name, "small strong"),
        (many, "small strong"),
        (f"{segment.flow_l_per_min:,.1f} L/min", "small"),
        (f"{segment.drop_pa / 1e3:,.1f} kPa", "small"),
    ]
    if segment.bore_m is not None and segment.velocity_m_per_s is not None:
        lines.append((f"{segment.bore_m * 1e3:.0f} mm {segment.velocity_m_per_s:.1f} m/s", "small"))
    elif segment.key:
        lines.append((segment.key, "small"))
    marks: list[Part] = [rect(x, top, BOX_W, BOX_H, "ring")]
    for n, (words, style) in enumerate(lines):
        if words:
            marks.append(text(x + 6, top + 17 + n * (LINE - 1), words, style))
    return marks
