"""Where a rack's power goes: bands from the utility to the trays, as wide as their watts."""

from __future__ import annotations

from rackwright.drawing.charts.canvas import LINE, Drawing, path, rect, svg, text
from rackwright.drawing.html import Part, join, tag
from rackwright.drawing.style import chart_css
from rackwright.records.as_built import RackAsBuilt
from rackwright.records.chain import PowerPlan

WIDTH, BAND_PX, MARGIN, LOSS_PX = 828.0, 150.0, 24.0, 46.0
NAMES = {"circuit": "circuits", "shelf": "supplies", "tray": "trays"}


def power_svg(built: RackAsBuilt) -> str:
    """Return the flow of a rack's power as an SVG file."""
    inner = power_drawing(built.power, WIDTH - 2 * MARGIN)
    moved = tag("g", inner.body, transform=f"translate({MARGIN:g} {MARGIN + 26:g})")
    title = text(MARGIN, MARGIN + 12, f"{built.rack}: power from the utility to the trays", "title")
    whole = Drawing(WIDTH, inner.height + 2 * MARGIN + 26, join(title, moved))
    return f"{svg(whole, f'Power of {built.rack}', chart_css())}\n"


def power_drawing(plan: PowerPlan, width: float) -> Drawing:
    """Return the chain of stages with what each loses.

    Args:
        plan: stages from the utility down.
        width: of the drawing [px].
    """
    stages = plan.stages
    step = width / len(stages)
    px_per_w = BAND_PX / plan.utility_w
    top = 3 * LINE + 8
    marks: list[Part] = [
        text(0, 12, f"{plan.utility_w / 1e3:,.1f} kW in, {plan.load_w / 1e3:,.1f} kW at the trays: "
             f"{100 * plan.efficiency:.1f} % arrives (cooling not counted); "
             f"redundancy {plan.redundancy}, "
             f"{plan.feeds} {'feeds' if plan.feeds > 1 else 'feed'}", "quiet")
    ]  # fmt: skip
    for i, stage in enumerate(stages):
        x = i * step
        into, out = stage.in_w * px_per_w, stage.out_w * px_per_w
        marks.append(rect(x, top, 13, into, "c0 fill", f"{stage.name}: {stage.in_w / 1e3:,.2f} kW"))
        name = NAMES.get(stage.kind, stage.kind)
        units = f"{stage.units} x " if stage.units > 1 else ""
        marks.append(text(x, top - LINE - 4, f"{units}{name}", "strong"))
        amps = f"{stage.current_a:.1f} A each" if stage.current_a is not None else ""
        marks.append(text(x, top - 6, amps or f"{stage.in_w / 1e3:,.1f} kW", "small quiet"))
        if i + 1 < len(stages):
            ends = [(x + 13, top), (x + step, top), (x + step, top + out), (x + 13, top + out)]
            marks.append(path(ends, "c0 soft fill", closed=True))
        lost = stage.in_w - stage.out_w
        if lost > 0:
            low = top + into
            thick = max(lost * px_per_w, 1.5)
            bent = [(x + 13, low - thick), (x + 34, low - thick), (x + 44, low + LOSS_PX - 12),
                    (x + 30, low + LOSS_PX - 12), (x + 24, low), (x + 13, low)]  # fmt: skip
            marks.append(path(bent, "c5 fill", closed=True))
            marks.append(text(x + 2, low + LOSS_PX + 2, f"{lost / 1e3:,.2f} kW", "small"))
            marks.append(text(x + 2, low + LOSS_PX + 17, f"lost, {100 * (lost / stage.in_w):.1f} %",
                              "small quiet"))  # fmt: skip
    bottom = top + BAND_PX + LOSS_PX + 2 * LINE + 8
    for n, loss in enumerate(plan.losses):
        verdict = "holds" if loss.holds else "fails"
        line = (
            f"{loss.lost} lost: {loss.left_w / 1e3:,.1f} kW left for {loss.load_w / 1e3:,.1f} kW, "
            f"{verdict}"
        )
        marks.append(text(0, bottom + n * LINE, line, "" if loss.holds else "alarm strong"))
    return Drawing(width, bottom + len(plan.losses) * LINE, join(marks))
