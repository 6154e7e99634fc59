"""Rules of power: circuits, supplies, shelves, busbars, backup, the tree above the rack."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from math import sqrt

from rackwright.design.rules.registry import Found, rule
from rackwright.records.electrical import Circuit, PowerNode, Supplies
from rackwright.records.physical import PhysicalDesign

CONTINUOUS = {"NEC": 0.8, "IEC": 1.0}
"""Share of a breaker's rating that a load may take for hours.

NEC 210.20(A): 125 % of a continuous load. IEC breakers are rated for it.
"""


def continuous_w(circuit: Circuit) -> float:
    """Return the power that a circuit carries all the time, at a power factor of one."""
    return CONTINUOUS[circuit.code] * rating_w(circuit)


def rating_w(circuit: Circuit) -> float:
    """Return voltage times the breaker's current, over all phases."""
    return (sqrt(3) if circuit.phases == 3 else 1.0) * circuit.voltage_v * circuit.breaker_a


def kw(watts: float) -> str:
    """Return a power for a finding."""
    return f"{watts / 1e3:,.4g} kW"


@rule(
    "P1", "error", "Branch circuit, continuous load",
    source="NEC 210.20(A); HP rack power guide",
    depends_on=("data_centers.feed", "system.power_w", "servers_per_rack"),
)  # fmt: skip
def branch_circuit(design: PhysicalDesign) -> Iterator[Found]:
    """Hold each circuit's own load against what it carries all the time."""
    for c in design.power.circuits:
        if c.load_w is not None and c.load_w > continuous_w(c):
            root = "sqrt(3) x " if c.phases == 3 else ""
            yield Found(
                c.name,
                f"{kw(c.load_w)} > {kw(continuous_w(c))} = {CONTINUOUS[c.code]:g} x {root}"
                f"{c.voltage_v:g} V x {c.breaker_a:g} A ({c.code})",
                "fewer servers on the circuit, more circuits, or a larger breaker",
            )


@rule(
    "P2", "error", "2N: one feed carries all",
    source="NEC 210.20(A), derived",
    depends_on=("redundancy", "data_centers.feed", "system.power_w"),
)  # fmt: skip
def two_feeds(design: PhysicalDesign) -> Iterator[Found]:
    """Under 2N, hold the rack's load against each feed alone."""
    feeds: dict[str, list[Circuit]] = defaultdict(list)
    for c in design.power.circuits:
        if c.feed:
            feeds[c.feed].append(c)
    load = design.power.load_w
    if design.redundancy != "2N" or load is None or len(feeds) < 2:
        return
    carried = {feed: sum(continuous_w(c) for c in cs) for feed, cs in feeds.items()}
    left = {lost: sum(w for feed, w in carried.items() if feed != lost) for lost in carried}
    worst = min(sorted(left), key=lambda lost: left[lost])
    # In normal work each feed has half of what it must carry alone (NEC: 0.4 of its rating).
    half = 0.5 * sum(carried.values())
    if load > left[worst]:
        yield Found(
            f"feed {worst} lost",
            f"{kw(load)} > {kw(left[worst])} that the other feeds carry all the time",
            "declare N if that is what is meant, or size each feed for the whole rack",
        )
    elif load > half:
        yield Found(
            "all feeds",
            f"{kw(load)} > {kw(half)}, half of what the feeds carry all the time",
            "size each feed for the whole rack",
        )


def _survivors(s: Supplies) -> Iterator[tuple[int, int, float]]:
    for feed, lost in enumerate(s.per_feed):
        yield feed, s.count - lost, (s.count - lost) * s.each_w


@rule(
    "P3", "error", "Supplies when a feed is lost",
    source="NVIDIA DGX H100 user guide; derived",
    depends_on=("server.psus", "server.psu_w", "server.power_w", "redundancy", "feeds"),
)  # fmt: skip
def supplies_without_a_feed(design: PhysicalDesign) -> Iterator[Found]:
    """Hold what the supplies on the other feeds give against the most a server draws.

    Applies where the design promises to outlive a feed: any redundancy but N.
    """
    if design.redundancy == "N":
        return
    for s in design.power.supplies:
        if len(s.per_feed) < 2:
            continue
        feed, left, power = min(_survivors(s), key=lambda one: one[2])
        if power < s.load_w:
            yield Found(
                s.where,
                f"feed {feed + 1} of {len(s.per_feed)} lost: {left} x {kw(s.each_w)} = "
                f"{kw(power)} < {kw(s.load_w)}",
                "spread the supplies over more feeds or PDUs, cap the power, or declare N",
            )


@rule(
    "P4", "error", "Supplies when some fail",
    source="NVIDIA DGX B200 user guide",
    depends_on=("server.psus", "server.psu_w", "server.power_w", "server.psu_redundancy"),
)  # fmt: skip
def spare_supplies(design: PhysicalDesign) -> Iterator[Found]:
    """Hold what the supplies give without the declared spares against the most it draws."""
    for s in design.power.supplies:
        left = s.count - s.spare
        if left * s.each_w < s.load_w:
            yield Found(
                s.where,
                f"({s.count} - {s.spare}) x {kw(s.each_w)} = {kw(left * s.each_w)} "
                f"< {kw(s.load_w)}",
                "more or larger supplies, fewer declared spares, or a power cap",
            )


@rule(
    "P5", "error", "Shelves with a supply lost in each",
    source="OCP ORv3 HPR power shelf",
    depends_on=("system.power_shelf", "system.power_shelves", "system.power_w", "redundancy"),
)  # fmt: skip
def shelves_at_n_plus_1(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the shelves' N+1 rating against the rack, unless it is declared N."""
    s = design.power.shelves
    if s is None or s.n_plus_1_w is None or design.redundancy == "N":
        return
    if s.count * s.n_plus_1_w < s.load_w:
        yield Found(
            "power shelves",
            f"{s.count} x {kw(s.n_plus_1_w)} = {kw(s.count * s.n_plus_1_w)} < {kw(s.load_w)}",
            "one more shelf, a larger one, or a power cap",
        )


@rule(
    "P6", "error", "Shelves when a feed is lost",
    source="NVIDIA GB200 SuperPOD reference architecture; derived",
    depends_on=("system.power_shelf", "system.power_shelves", "system.power_w", "redundancy"),
)  # fmt: skip
def shelves_without_a_feed(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the shelves on the other feeds against the rack, where 2N is declared."""
    s = design.power.shelves
    if s is None or len(s.per_feed) < 2 or design.redundancy != "2N":
        return
    left = s.count - max(s.per_feed)
    if left * s.power_w < s.load_w:
        yield Found(
            "power shelves",
            f"shelves by feed {'/'.join(map(str, s.per_feed))}; the fuller one lost: {left} x "
            f"{kw(s.power_w)} = {kw(left * s.power_w)} < {kw(s.load_w)}",
            "divide the shelves evenly, add some, or declare what one feed carries",
        )


@rule(
    "P7", "error", "Output connector of a shelf",
    source="OCP ORv3 output connector",
    depends_on=("system.power_shelf", "system.power_shelves", "system.power_w"),
    standards=("OCP ORv3", "OCP ORv3 HPR", "HPR V2"),
)  # fmt: skip
def shelf_connector(design: PhysicalDesign) -> Iterator[Found]:
    """Hold a shelf's full current against its connector, in still air or with the flow it has."""
    s = design.power.shelves
    if s is None or s.voltage_min_v is None:
        return
    wanted = s.connector_airflow_m_per_s
    blown = s.connector_airflow_a if wanted is not None and s.airflow_m_per_s >= wanted else None
    rating = blown or s.connector_still_air_a
    if rating is None:
        return
    current = s.power_w / s.voltage_min_v
    if current > rating:
        more = ""
        if blown is None and s.connector_airflow_a is not None and wanted is not None:
            more = f" ({s.connector_airflow_a:g} A from {wanted:g} m/s of air on)"
        yield Found(
            "power shelves",
            f"{kw(s.power_w)} / {s.voltage_min_v:g} V = {current:,.0f} A > {rating:g} A{more}",
            "guarantee the airflow, or load the shelf less",
        )


@rule(
    "P8", "error", "Current of the busbar",
    source="OCP ORv3 base specification",
    depends_on=("enclosure.busbar", "system.power_w", "system.dc_bus_v"),
)  # fmt: skip
def busbar_current(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the bar's current at its lowest voltage against its rating."""
    b = design.power.busbar
    if b is None or b.rating_a is None:
        return
    current = b.load_w / b.voltage_min_v
    if current > b.rating_a:
        yield Found(
            "busbar",
            f"{kw(b.load_w)} / {b.voltage_min_v:g} V = {current:,.0f} A > {b.rating_a:,.0f} A",
            "a heavier bar, a second one, a higher voltage, or less power",
        )


@rule(
    "P8W", "warning", "Busbar without a stated rating",
    source="OCP ORv3 base specification names none",
    depends_on=("enclosure.busbar", "system.power_w", "system.dc_bus_v"),
)  # fmt: skip
def busbar_rating(design: PhysicalDesign) -> Iterator[Found]:
    """Say what current a bar of unknown rating has to carry."""
    b = design.power.busbar
    if b is not None and b.rating_a is None:
        current = b.load_w / b.voltage_min_v
        yield Found(
            "busbar",
            f"carries {kw(b.load_w)} / {b.voltage_min_v:g} V = {current:,.0f} A; "
            "no rating is stated",
            "ask the maker of the frame for the bar's rating",
        )


@rule(
    "P9", "error", "Blind-mate connector of a tray",
    source="OCP ORv3 base specification",
    depends_on=("enclosure.connector_a", "server.power_w"),
    standards=("OCP ORv3", "OCP ORv3 HPR"),
)  # fmt: skip
def tray_connector(design: PhysicalDesign) -> Iterator[Found]:
    """Hold a tray's current at the lowest voltage against its connector."""
    for t in design.power.trays:
        if t.connector_a is None:
            continue
        current = t.power_w / t.voltage_min_v
        if current > t.connector_a:
            yield Found(
                t.where,
                f"{kw(t.power_w)} / {t.voltage_min_v:g} V = {current:,.1f} A > {t.connector_a:g} A",
                "a second connector, or a tray that draws less",
            )


@rule(
    "P10", "error", "Window of the direct voltage",
    source="OCP ORv3 base specification",
    depends_on=("system.dc_bus_v", "enclosure.dc_v", "server.dc_input_v"),
)  # fmt: skip
def dc_window(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the voltage at the first tray, and at the last behind the drop, to their window."""
    b = design.power.busbar
    if b is None:
        return
    current = b.load_w / b.voltage_nominal_v
    at_tray = b.voltage_nominal_v - current * b.resistance_ohm
    for t in design.power.trays:
        low, high = t.window_low_v, t.window_high_v
        if low is None or high is None or low <= at_tray <= b.voltage_nominal_v <= high:
            continue
        drop = ""
        if at_tray < low and b.resistance_ohm:
            drop = f" - {current:,.0f} A x {b.resistance_ohm * 1e3:g} mohm = {at_tray:.1f} V"
        yield Found(
            t.where,
            f"{b.voltage_nominal_v:g} V{drop}, outside {low:g} to {high:g} V",
            "trays for this bus voltage, or shelves that give the trays' voltage",
        )


@rule(
    "P11", "warning", "Steps of the load",
    source="OCP HPR V2 power shelf; ai-infrastructure.net",
    depends_on=("system.transient_factor", "system.power_shelf"),
)  # fmt: skip
def transients(design: PhysicalDesign) -> Iterator[Found]:
    """Hold a step of the load against the peaks that the supplies allow, or the storage."""
    t = design.power.transient
    if t is None or t.storage_s >= t.duration_s:
        return
    peak = t.factor * t.steady_fraction
    if peak <= 1 or any(p.fraction >= peak and p.duration_s >= t.duration_s for p in t.peaks):
        return
    allowed = ", ".join(f"{100 * p.fraction:.0f} % for {p.duration_s * 1e3:g} ms" for p in t.peaks)
    yield Found(
        "power shelves",
        f"{t.factor:g} x {100 * t.steady_fraction:.0f} % of the rating = {100 * peak:.0f} % for "
        f"{t.duration_s * 1e3:g} ms; allowed: {allowed or 'no peak is stated'}; "
        f"storage lasts {t.storage_s * 1e3:g} ms",
        "capacitor shelves, a ramp limit of the accelerators, or more supplies",
    )


@rule(
    "P12", "error", "Input current of a supply",
    source="OCP HPR V2 power shelf",
    depends_on=("system.power_shelf", "server.psu_input_a", "data_centers.feed"),
)  # fmt: skip
def supply_input(design: PhysicalDesign) -> Iterator[Found]:
    """Hold a supply's input current against what its circuit carries all the time."""
    for s in design.power.supplies:
        if s.input_a is None or s.circuit_continuous_a is None:
            continue
        if s.input_a > s.circuit_continuous_a:
            yield Found(
                s.where,
                f"{s.input_a:g} A > {s.circuit_continuous_a:g} A that the circuit carries "
                "all the time",
                "a higher input voltage, or a larger circuit",
            )


@rule(
    "P13", "error", "Ride-through",
    source="OCP BBU shelf",
    depends_on=("backup_shelf", "data_centers.generator_start_s"),
)  # fmt: skip
def ride_through(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the batteries' time at the end of their life against generator and transfer."""
    r = design.power.ride_through
    if r is None:
        return
    wanted = r.generator_start_s + r.transfer_s
    total = f"{r.generator_start_s:g} s start + {r.transfer_s:g} s transfer = {wanted:g} s"
    if r.end_of_life_s is None:
        if r.new_s is not None:
            yield Found(
                "battery backup",
                f"only the time of new batteries is stated ({r.new_s:g} s) against {total}",
                "take the time at the end of their life",
            )
    elif r.end_of_life_s < wanted:
        yield Found(
            "battery backup",
            f"{r.end_of_life_s:g} s at the end of life < {total}",
            "more battery modules, or a generator that starts sooner",
        )


@rule(
    "P14", "warning", "Fault current",
    source="OCP ORv3 HPR and HPR V2 power shelves",
    depends_on=("system.power_shelf", "data_centers.feed"),
)  # fmt: skip
def fault_current(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the fault current that the feed can give against what the shelf withstands."""
    s = design.power.shelves
    if s is None or s.fault_a is None or s.available_fault_a is None:
        return
    if s.available_fault_a > s.fault_a:
        yield Found(
            "power shelves",
            f"{s.available_fault_a / 1e3:g} kA available > {s.fault_a / 1e3:g} kA withstand",
            "current-limiting breakers or a longer, thinner feed; or a shelf that withstands it",
        )


@rule(
    "P15", "warning", "Balance of the phases",
    source="practice, unsourced: the limit is the site's",
    depends_on=("power.circuits",),
)  # fmt: skip
def phase_balance(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the spread between phases against the site's limit."""
    for c in design.power.circuits:
        loads = c.phase_loads_w
        if loads is None or not sum(loads):
            continue
        mean = sum(loads) / 3
        apart = max(abs(load - mean) for load in loads) / mean
        if apart > design.power.phase_imbalance_max_fraction:
            shown = ", ".join(f"L{i + 1} {kw(load)}" for i, load in enumerate(loads))
            yield Found(
                c.name,
                f"{shown}: {100 * apart:.0f} % off the mean, the site allows "
                f"{100 * design.power.phase_imbalance_max_fraction:.0f} %",
                "spread single-phase supplies over L1, L2 and L3",
            )


@rule(
    "P16", "error", "The tree carries what hangs on it",
    source="NVIDIA DPS SDK",
    depends_on=("data_centers.power_w", "power.tree"),
)  # fmt: skip
def power_tree(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the sum below each node against its rating, unless it is capped."""
    below: dict[str, list[PowerNode]] = defaultdict(list)
    for node in design.power.tree:
        below[node.parent].append(node)
    for node in design.power.tree:
        children = below[node.name]
        if not children or node.capped:
            continue
        load = node.diversity * sum(
            c.capacity_w if c.load_w is None else c.load_w for c in children
        )
        if load > node.capacity_w:
            share = f"{node.diversity:g} x " if node.diversity != 1 else ""
            yield Found(
                node.name,
                f"{share}{len(children)} below it = {kw(load)} > {kw(node.capacity_w)}",
                "a power cap in software, declared as such, or a larger node",
            )


@rule(
    "P17", "warning", "Alternating or direct current",
    source="NVIDIA DGX B300 user guide",
    depends_on=("server.dc_input_v", "enclosure.standard"),
)  # fmt: skip
def input_kind(design: PhysicalDesign) -> Iterator[Found]:
    """Hold what the servers take against what the rack gives."""
    given = design.power.distribution
    for s in design.power.supplies:
        if given and s.input != given:
            yield Found(
                s.where,
                f"takes {s.input}, the rack gives {given}",
                "the server's other power variant, or another rack",
            )
