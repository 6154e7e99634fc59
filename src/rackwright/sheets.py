"""What would be built, drawn for the report: the lead design's rack, its fabric and its hall."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rackwright.design.built import built_design
from rackwright.design.candidates import enumerate_candidates
from rackwright.design.fabric import Built, build_fabric
from rackwright.design.fabric_plan import plan_of
from rackwright.design.floor import Hall, loads_of
from rackwright.drawing.charts.canvas import Drawing
from rackwright.drawing.coolant import coolant_drawing
from rackwright.drawing.elevation import elevation_drawing
from rackwright.drawing.fabric import network_chart, words_of
from rackwright.drawing.hall import hall_drawing
from rackwright.drawing.html import Html
from rackwright.drawing.power_flow import power_drawing
from rackwright.drawing.sections.drawn import Sheet
from rackwright.formats.laid import LaidFabric, LaidNetwork
from rackwright.pipeline import Given, Result
from rackwright.records.errors import InputError, RackwrightError
from rackwright.summary import lead_design


def fabric_sheets(given: Given, result: Result) -> tuple[Sheet, ...]:
    """Return drawings of the lead design's fabric: its tiers, and the hall with its cables.

    A fabric that cannot be laid is a sheet that says why.
    """
    lead = lead_design(given.study, result.space, result.plan)
    candidates = enumerate_candidates(given.study, given.components).all
    chosen = next((c for c in candidates if c.hardware.key == lead), None)
    if chosen is None:
        return ()
    try:
        laid = laid_fabric(build_fabric(plan_of(chosen), given.components))
    except InputError as error:
        empty = Drawing(780, 1, Html(""))
        return (Sheet("The fabric of the design", "; ".join(error.mistakes), empty),)
    fabric, parts = laid.fabric, laid.fabric.networks[0]
    tiers = network_chart(fabric.plan, parts, laid.networks[0].wiring, 780)
    rows = max(rack.row for rack in fabric.racks) + 1
    return (
        Sheet(
            f"{lead}: fabric of {fabric.plan.accelerators:,} accelerators", words_of(parts), tiers
        ),
        Sheet(
            "The hall: racks, and the trays of that fabric as wide as what they carry",
            f"{len(fabric.racks):,} racks in {rows} {'row' if rows == 1 else 'rows'} on a floor of "
            "planning figures (grade D).",
            hall_drawing(fabric, *loads_of_fabric(laid), 780),
        ),
    )


def rack_sheets(given: Given, result: Result) -> tuple[Sheet, ...]:
    """Return drawings of the lead design's rack: elevation, power, coolant, and what rules find.

    A rack that cannot be fed or cooled is a sheet that says why.
    """
    lead = lead_design(given.study, result.space, result.plan)
    try:
        built = built_design(given.study, given.components, lead)
    except RackwrightError as error:
        return (Sheet("The rack of the design", str(error), Drawing(780, 1, Html(""))),)
    found = [f"{f.severity} {f.rule}, {f.where}: {f.text}" for f in built.findings]
    told = " ".join(found) if found else "The rules whose numbers are known find nothing."
    where = f"{built.rack} at {built.site}"
    sheets = [
        Sheet(f"{lead}: the rack, front and rear", told, elevation_drawing(built)),
        Sheet(f"{where}: power from the utility to the trays",
              "; ".join(built.power.assumptions), power_drawing(built.power, 780)),
    ]  # fmt: skip
    if built.cooling is not None:
        sheets.append(
            Sheet(f"{where}: the liquid loop", "; ".join(built.cooling.assumptions),
                  coolant_drawing(built.cooling, 780))
        )  # fmt: skip
    return tuple(sheets)


def laid_fabric(built: Built) -> LaidFabric:
    """Return a built fabric as formats and drawings take it."""
    return LaidFabric(
        built.fabric,
        tuple(
            LaidNetwork(
                net.name, net.wiring, net.switch.key, net.radix, net.per_cage, net.planes,
                net.split, net.link_bit_per_s,
                tuple(part.length_m for part in laid),
                tuple(part.cabled.medium_of for part in laid),
                tuple(part.cabled.media for part in laid),
                hall.rack_of, hall.height_m,
            )
            for net, laid, hall in zip(built.nets, built.laid, built.halls, strict=True)
        ),
    )  # fmt: skip


def loads_of_fabric(laid: LaidFabric) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many links lie in the trays of a fabric, along each row and across."""
    roles = tuple(rack.role for rack in laid.fabric.racks)
    blocks = (
        (block, Hall(roles, network.rack_of, network.height_m))
        for network in laid.networks
        for block in network.wiring.blocks
        if block.a_tier != "manager"
    )
    return loads_of(blocks, laid.fabric.plan.floor)
