"""The picture of a fabric: each network's tiers with its five counts."""

from __future__ import annotations

from collections.abc import Sequence

from rackwright.drawing.charts.canvas import LINE, Drawing, svg, text
from rackwright.drawing.charts.fabric import fabric_chart
from rackwright.drawing.charts.ring import ring_chart
from rackwright.drawing.html import Part, join, tag
from rackwright.drawing.layout.fabric import diagram, plural, ring
from rackwright.drawing.style import chart_css
from rackwright.kernels.fabric_ports import Wiring
from rackwright.records.fabric import Fabric, FabricPlan, NetworkParts

WIDTH, MARGIN = 1180.0, 24.0


def fabric_svg(fabric: Fabric, wirings: Sequence[Wiring]) -> str:
    """Return a fabric as an SVG file: one diagram for each network, the accelerators' first.

    Args:
        fabric: counts of all networks.
        wirings: their connections, in the same order.
    """
    inner = WIDTH - 2 * MARGIN
    plan = fabric.plan
    y = MARGIN + 16
    marks: list[Part] = [
        text(MARGIN, y, f"Fabric of {plan.accelerators:,} accelerators: {plan.topology}", "title")
    ]
    for parts, wiring in zip(fabric.networks, wirings, strict=True):
        y += LINE + 12
        for line, style in zip(_head(parts), ("strong", "quiet", "quiet"), strict=False):
            marks.append(text(MARGIN, y, line, style))
            y += LINE
        chart = network_chart(plan, parts, wiring, inner)
        marks.append(tag("g", chart.body, transform=f"translate({MARGIN:g} {y:g})"))
        y += chart.height
    whole = Drawing(WIDTH, y + MARGIN, join(marks))
    return f"{svg(whole, f'Fabric {plan.name}', chart_css())}\n"


def network_chart(plan: FabricPlan, parts: NetworkParts, wiring: Wiring, width: float) -> Drawing:
    """Return one network: as tiers, or as a ring where devices join directly."""
    direct = ring(wiring)
    if direct is not None:
        return ring_chart(direct, width)
    return fabric_chart(diagram(plan, parts, wiring), width)


def words_of(parts: NetworkParts) -> str:
    """Return a network in one line: switches, counts, power and price."""
    return "; ".join(_head(parts)) + "."


def _head(parts: NetworkParts) -> list[str]:
    planes = f", first of {parts.planes} equal planes drawn" if parts.planes > 1 else ""
    return [
        f"{parts.name}: {parts.switch}, radix {parts.radix}{planes}"
        if parts.switches
        else f"{parts.name}: accelerators joined directly",
        f"{parts.switches:,} {plural('switch', parts.switches)}, {parts.links:,} links, "
        f"{parts.cables:,} cables, {parts.modules:,} modules, {parts.cages:,} cages",
        f"{parts.route_m / 1e3:,.1f} km as routed, longest {parts.longest_m:.1f} m; "
        f"{parts.power_w / 1e3:,.1f} kW; {parts.usd / 1e6:,.2f} million USD (estimate)",
    ]
