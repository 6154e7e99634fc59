"""How a rack is fed: the chain from the utility to the tray, and what each loss leaves.

A rack with shelves takes alternating current at the shelves and gives direct current to its
trays; a rack of servers feeds their own supplies. Circuits are those of the catalog: the one with
the fewest cords that carries the rack.
"""

from __future__ import annotations

from math import ceil, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.catalog import Catalog
from rackwright.design.elevation import shelf_of_interface
from rackwright.design.rack import Rack
from rackwright.design.rules.power import CONTINUOUS
from rackwright.records.chain import AnnualEnergy, FeedLoss, PowerPlan, Stage
from rackwright.records.electrical import Code
from rackwright.records.equipment import PowerShelf
from rackwright.records.errors import RackwrightError
from rackwright.records.powering import Feed, PowerSupply
from rackwright.records.provenance import Grade, worst
from rackwright.records.study import Climate

FEEDS = {"N": 1, "N+1": 2, "2N": 2, "distributed": 3}
"""Feeds to a rack under each redundancy: distributed shares the load over three."""

UPSTREAM = (("transformer", 0.99), ("UPS", 0.97), ("busway", 0.995))
"""Efficiency of what stands above the circuits. Planning estimates (grade D); replace them by the
site's."""

HOURS_PER_YEAR = 8766.0


def power_plan(rack: Rack, catalog: Catalog, redundancy: str, code: str = "NEC") -> PowerPlan:
    """Return how a rack is fed.

    Args:
        rack: what draws the power.
        catalog: shelves, circuits, classes of supplies.
        redundancy: as the study declares it.
        code: electrical code of the site: NEC, or IEC.

    Raises:
        RackwrightError: the redundancy is unknown, or the catalog has no circuit of the code.
    """
    if redundancy not in FEEDS:
        raise RackwrightError(f"redundancy {redundancy!r}: one of {', '.join(FEEDS)}.")
    feeds = FEEDS[redundancy]
    load = rack.peak_power_w
    supply = supply_class(rack, catalog)
    key = rack.power_shelf or shelf_of_interface(rack, catalog)
    shelf = catalog.find(PowerShelf, key) if key else None
    known = supplies_of(rack, shelf)
    # Where a maker states none, half load is what supplies with a spare feed run at.
    share = load / (known.units * known.each_w) if known else 0.5
    efficiency = supply_efficiency(supply, share)
    into = load / efficiency
    circuit = _circuit(catalog, code, into / feeds)
    one = continuous_w(circuit)
    # Every feed carries the whole rack where one must be enough; else the feeds share it.
    alone = into if redundancy == "2N" else into / max(feeds - (redundancy != "N"), 1)
    per_feed = ceil(alone / one - 1e-9)
    amps = into / feeds / per_feed / (sqrt(3) * circuit.voltage_v)
    stages = [
        Stage(name="trays", kind="tray", units=max(rack.servers, 1), in_w=load, out_w=load,
              grade=rack.grade),
        Stage(name=key if shelf else "server supplies", kind="shelf",
              units=known.units if known else 1, in_w=into, out_w=load, load_fraction=share,
              grade=supply.grade_of(()) if supply else Grade.D,
              note=f"{100 * efficiency:.1f} % at {100 * share:.0f} % of the rating"),
        Stage(name=circuit.key, kind="circuit", units=feeds * per_feed, in_w=into, out_w=into,
              voltage_v=circuit.voltage_v, current_a=amps,
              continuous_a=CONTINUOUS[code_of(circuit)] * circuit.breaker_a,
              load_fraction=amps / circuit.breaker_a, grade=Grade.B),
    ]  # fmt: skip
    above = into
    for name, ratio in reversed(UPSTREAM):
        stages.append(Stage(name=name, kind=name, in_w=above / ratio, out_w=above, grade=Grade.D,
                            note=f"{100 * ratio:.1f} %, estimate"))  # fmt: skip
        above /= ratio
    losses = _losses(load, known, feeds, per_feed * one * efficiency)
    return PowerPlan(
        load_w=load,
        stages=tuple(reversed(stages)),
        losses=losses,
        utility_w=above,
        efficiency=load / above,
        feeds=feeds,
        circuits_per_feed=per_feed,
        circuit=circuit.key,
        redundancy=redundancy,
        grade=worst([s.grade for s in stages]),
        assumptions=(
            "transformer, UPS and busway at " + ", ".join(f"{100 * r:.1f} %" for _, r in UPSTREAM)
            + " (estimates)",
            f"efficiency of the supplies as {supply.name if supply else 'no class'}",
            *(() if known else ("supplies are not in the catalog: half load, no loss of one",)),
            *((f"power shelf taken as {key}, as its interface names it",)
              if shelf and not rack.power_shelf else ()),
        ),
    )  # fmt: skip


class SupplyUnits(NamedTuple):
    """How many supplies, or shelves, and what one gives.

    Shelves feed one busbar together; the supplies of a server feed that server alone.
    """

    units: int
    each_w: float
    servers: int = 0  # that the supplies are divided among; 0: shelves


def supplies_of(rack: Rack, shelf: PowerShelf | None) -> SupplyUnits | None:
    """Return a rack's shelves, or the supplies of all its servers; None where neither is known."""
    if shelf is not None and rack.power_shelves:
        return SupplyUnits(rack.power_shelves, shelf.power_w)
    server = rack.server
    if server is not None and server.psus and server.psu_w:
        return SupplyUnits(server.psus * rack.servers, server.psu_w, rack.servers)
    return None


def supply_class(rack: Rack, catalog: Catalog) -> PowerSupply | None:
    """Return the class of supplies whose efficiency a rack has: ORv3 for shelves, else 80 PLUS."""
    kinds = [s for s in catalog.all("power_supplies") if isinstance(s, PowerSupply)]
    if rack.power_shelves:
        return next((s for s in kinds if s.efficiency_peak and not s.efficiency_by_load), None)
    return next((s for s in kinds if s.efficiency_by_load), None)


def supply_efficiency(supply: PowerSupply | None, load_fraction: float) -> float:
    """Return a class's efficiency at a share of the load: between its points, else its peak.

    Raises:
        RackwrightError: the class states neither.
    """
    if supply is not None and supply.efficiency_by_load:
        points = sorted((p.load_fraction, p.efficiency) for p in supply.efficiency_by_load)
        loads, ratios = [load for load, _ in points], [ratio for _, ratio in points]
        return float(np.interp(load_fraction, loads, ratios))
    if supply is not None and supply.efficiency_peak:
        return supply.efficiency_peak
    raise RackwrightError("no class of power supplies states an efficiency")


def continuous_w(feed: Feed) -> float:
    """Return what a circuit of the catalog carries all the time."""
    phases = sqrt(3) if feed.phases == 3 else 1.0
    return CONTINUOUS[code_of(feed)] * phases * feed.voltage_v * feed.breaker_a


def code_of(feed: Feed) -> Code:
    """Return the electrical code that a circuit of the catalog is built under."""
    return "NEC" if feed.code.upper().startswith("NEC") or feed.key.startswith("nec") else "IEC"


def _circuit(catalog: Catalog, code: str, per_feed_w: float) -> Feed:
    """Return the largest circuit of a code: it takes the fewest cords."""
    kinds = [f for f in catalog.all("feeds") if isinstance(f, Feed) and code_of(f) == code]
    if not kinds:
        raise RackwrightError(f"the catalog has no circuit of code {code}")
    return max(kinds, key=lambda f: (min(continuous_w(f), per_feed_w), continuous_w(f)))


def _losses(
    load: float, known: SupplyUnits | None, feeds: int, feed_w: float
) -> tuple[FeedLoss, ...]:
    """Return what each single loss leaves: supplies are spread evenly over the feeds.

    What a server's supplies leave is told for all servers, each with the same loss: none helps
    another.
    """
    found = []
    left = (feeds - 1) * feed_w
    if known is not None:
        together = known.units // max(known.servers, 1)
        all_w = max(known.servers, 1) * known.each_w
        what = "one supply in each server" if known.servers else "one shelf"
        found.append(FeedLoss(lost=what, left_w=(together - 1) * all_w, load_w=load))
        left = min((together - ceil(together / feeds)) * all_w, left)
    if feeds > 1:
        found.append(FeedLoss(lost="one feed", left_w=left, load_w=load))
    return tuple(found)


def hourly_c(climate: Climate) -> NDArray[np.float64]:
    """Return the temperature of each hour of a year, shape (8766,); coldest in mid January."""
    hour = np.arange(int(HOURS_PER_YEAR))
    season = -np.cos(2 * np.pi * (hour / 24 - 15) / 365.25)
    day = -np.cos(2 * np.pi * (hour % 24 - 4) / 24)
    return climate.mean_c + climate.seasonal_k * season + climate.daily_k * day


def annual_energy(
    it_w: float,
    climate: Climate,
    *,
    supply_c: float,
    cooler_approach_k: float = 8.0,
    fixed_fraction: float = 0.05,
    pump_fraction: float = 0.02,
    fan_fraction: float = 0.03,
    chiller_carnot: float = 0.45,
) -> AnnualEnergy:
    """Return a year's energy of a load: dry coolers while the air is cold enough, else chillers.

    In an hour with air at t, the water that dry coolers give is t + approach. Up to the supply
    wanted only fans and pumps run. Beyond it a chiller lifts the heat, with a coefficient of
    performance of `chiller_carnot` of Carnot's between the supply and t + approach.

    Args:
        it_w: at the racks, all year.
        climate: of the site.
        supply_c: of the facility's water that the racks are designed for.
        cooler_approach_k: of the dry coolers.
        fixed_fraction: transformers, UPS, light, over IT.
        pump_fraction, fan_fraction: over the heat, at full speed.
        chiller_carnot: share of Carnot's coefficient that a chiller reaches.

    Source:
        first principles; the shares are planning estimates (grade D).
    """
    outside = hourly_c(climate)
    lift = outside + cooler_approach_k - supply_c
    carnot = (supply_c + 273.15) / np.maximum(lift, 1.0)
    chiller = np.where(lift > 0, 1.0 / (chiller_carnot * carnot), 0.0)
    # Fans slow down while the air is far colder than what is wanted: power goes with the cube.
    speed = np.clip(cooler_approach_k / np.maximum(supply_c - outside, cooler_approach_k), 0.3, 1)
    pue = 1 + fixed_fraction + pump_fraction + fan_fraction * speed**3 + chiller
    seconds = 3600.0
    return AnnualEnergy(
        it_j=it_w * outside.size * seconds,
        facility_j=float(it_w * pue.sum() * seconds),
        pue=float(pue.mean()),
        free_cooling_hours=float((lift <= 0).sum()),
        hours=float(outside.size),
        worst_hour_pue=float(pue.max()),
    )
