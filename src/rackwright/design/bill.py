"""The bill of one block and its price, bottom-up, with the residual of the priced systems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rackwright.catalog import Catalog
from rackwright.design.network import Network
from rackwright.design.rack import Rack
from rackwright.records.component import Component, Part, Price
from rackwright.records.errors import InputError
from rackwright.records.provenance import Grade, worst
from rackwright.records.space import BillLine, Level, PricedSystem, PriceLine
from rackwright.records.work import BillTemplate, TemplateLine

GROUPS = (
    "accelerators", "memory", "host", "scale-up", "power", "cooling", "frame", "network", "fabric",
)  # fmt: skip
"""Shares of the price, in the order in which they are shown."""

UPPER_END = "to the upper end"
"""Line of the price of a composed rack: what all its ranges reach above their middles."""

BYTES_PER_GB = 1e9


class Item(NamedTuple):
    """A line of the bill and the share of the price it belongs to."""

    line: BillLine
    group: str


class Residual(NamedTuple):
    """Price of a rack that its bill does not explain, as a share of the bill."""

    low: float
    middle: float
    high: float
    of: tuple[PricedSystem, ...]

    def own(self, system: str) -> float | None:
        """Return a priced system's own share."""
        return next((s.residual_share for s in self.of if s.system == system), None)


def rack_items(rack: Rack, catalog: Catalog) -> tuple[Item, ...]:
    """Return the bill of one rack up to L11, without NICs and fabric.

    Memory is billed by its kind in GB: stacks of every height are cut from the same wafers.

    Raises:
        InputError: no template fits the rack, or a part of it has no price.
    """
    items = [*_accelerator_items(rack, catalog)]
    counts: Mapping[str, float] = {
        "accelerator": rack.accelerators,
        "cpu": rack.cpus,
        "compute_tray": rack.compute_trays,
        "switch_tray": rack.switch_trays,
        "power_shelf": rack.power_shelves,
        "rack": 1,
        "liquid_w": rack.liquid_w * rack.peak_power_w / rack.power_w,
    }
    for line in _template(rack, catalog).line:
        key, quantity = _chosen(rack, line)
        quantity *= counts[line.per]
        if quantity:
            part = _component(catalog, key)
            items.append(_item(part, quantity, line.level, line.group))
    return tuple(items)


def _chosen(rack: Rack, line: TemplateLine) -> tuple[str, float]:
    """Return part and quantity of a template's line; what was chosen for a composed rack first."""
    made = rack.composition
    if made is None:
        return line.part, line.quantity
    if line.per == "cpu":
        if line.part == made.interface.host_memory:
            return line.part, made.host_memory_bytes_per_cpu / BYTES_PER_GB
        return (made.host if line.part in made.interface.hosts else line.part), line.quantity
    if line.per == "power_shelf":
        return rack.power_shelf, line.quantity
    if line.per == "rack" and line.group == "scale-up":
        return line.part, line.quantity * made.links
    return line.part, line.quantity


def network_items(network: Network, accelerators: int) -> tuple[Item, ...]:
    """Return NICs (L10) and the block's share of the cluster's switches and modules (L12)."""
    share = accelerators / network.endpoints
    return (
        _item(network.nic, accelerators * network.ports.nics, "L10", "network"),
        _item(network.switch, share * network.switches, "L12", "fabric"),
        _item(network.nic_optic, share * network.nic_modules, "L12", "fabric"),
        _item(network.switch_optic, share * network.switch_modules, "L12", "fabric"),
    )


def scaled(items: Sequence[Item], racks: int) -> tuple[Item, ...]:
    """Return the items of several equal racks."""
    return tuple(
        item._replace(line=BillLine(**{**dict(item.line), "quantity": item.line.quantity * racks}))
        for item in items
    )


def bill_usd(items: Sequence[Item]) -> float:
    """Return the middle price of the items."""
    return sum(item.line.quantity * item.line.unit_usd for item in items)


def residual(priced: Sequence[tuple[Rack, tuple[Item, ...]]]) -> Residual:
    """Return what priced systems cost beyond their bill: NRE, integration, licence, margin.

    Each system's price is reproduced by bill · (1 + its own share); systems without a price are
    charged the middle of the shares, with their range as the spread. Without any priced system
    the range is 0 to 10 % (estimate). What is bought beside a system (L12) is in neither.

    Args:
        priced: racks with a catalog price, each with its items, NICs included.
    """
    found: list[PricedSystem] = []
    for rack, items in priced:
        price = rack.system.latest_price() if rack.system else None
        if price is not None:
            bill = bill_usd(_of_maker(items))
            found.append(
                PricedSystem(
                    system=rack.key,
                    price_usd=price.usd_mid,
                    bill_usd=bill,
                    residual_share=price.usd_mid / bill - 1,
                    as_of=price.as_of,
                    grade=price.grade,
                )
            )
    if not found:
        return Residual(0.0, 0.05, 0.10, ())
    shares = [s.residual_share for s in found]
    return Residual(min(shares), sum(shares) / len(shares), max(shares), tuple(found))


def price_lines(
    rack: Rack, items: Sequence[Item], racks: int, over: Residual
) -> tuple[PriceLine, ...]:
    """Return the price by shares, the residual last; the low and high ends are ranges of prices.

    The residual applies to what a system's maker sells (up to L11), not to the fabric or the
    coolant units, which are bought beside it. A composed rack has no maker's price: it is charged
    the upper end of all its ranges, in a line that says so.
    """
    lines: list[PriceLine] = []
    for group in GROUPS:
        of = [item.line for item in items if item.group == group]
        if of:
            lines.append(
                PriceLine(
                    name=group,
                    usd=sum(x.quantity * x.unit_usd for x in of),
                    usd_low=sum(x.quantity * x.unit_usd_low for x in of),
                    usd_high=sum(x.quantity * x.unit_usd_high for x in of),
                    grade=worst(x.grade for x in of),
                )
            )
    base = bill_usd(_of_maker(items))
    own = over.own(rack.key)
    low, middle, high = (over.low, over.middle, over.high) if own is None else (own, own, own)
    last = PriceLine(
        name="residual",
        usd=base * middle,
        usd_low=base * low,
        usd_high=base * high,
        grade=Grade.D,
    )
    if rack.composition is not None:
        lines.append(_upper_end([*lines, last]))
    return (*lines, last)


def _of_maker(items: Sequence[Item]) -> tuple[Item, ...]:
    """Return what a system's maker sells: neither fabric nor coolant units (L12)."""
    return tuple(item for item in items if item.line.level != "L12")


def _upper_end(lines: Sequence[PriceLine]) -> PriceLine:
    """Return what leads from the middle to the upper end of all ranges; it has no range."""
    more = sum(line.usd_high - line.usd for line in lines)
    return PriceLine(name=UPPER_END, usd=more, usd_low=0.0, usd_high=0.0, grade=Grade.D)


def _accelerator_items(rack: Rack, catalog: Catalog) -> tuple[Item, Item]:
    accelerator = rack.accelerator
    package = next(
        (
            p
            for p in catalog.all("parts")
            if isinstance(p, Part)
            and p.category == "package"
            and p.for_component == accelerator.key
            and p.key.startswith("package-")
        ),
        None,
    )
    missing = [
        text
        for text, absent in (
            ("a part of category package that names it", package is None),
            ("memory_stacks and memory_stack_part", not accelerator.memory_stack_part),
        )
        if absent
    ]
    if missing:
        raise InputError(
            [f"catalog: {accelerator.key} needs {' and '.join(missing)} to be priced bottom-up"]
        )
    assert package is not None
    stack = catalog.find(Part, accelerator.memory_stack_part)
    assert stack.memory_bytes is not None, f"{stack.key}: a stack states its size"
    gb = stack.memory_bytes / BYTES_PER_GB
    price = _price_of(stack)
    memory = BillLine(
        part=accelerator.memory_kind.lower(),
        quantity=rack.accelerators * (accelerator.memory_stacks or 0) * gb,
        level="L10",
        unit_usd=price.usd_mid / gb,
        unit_usd_low=price.usd_low / gb,
        unit_usd_high=price.usd_high / gb,
        grade=price.grade,
    )
    return (
        _item(package, rack.accelerators, "L10", "accelerators"),
        Item(memory, "memory"),
    )


def _template(rack: Rack, catalog: Catalog) -> BillTemplate:
    templates = [t for t in catalog.all("bills") if isinstance(t, BillTemplate)]
    if rack.composition is not None:
        return catalog.find(BillTemplate, rack.composition.bill)
    named = [t for t in templates if rack.key in t.systems]
    if named:
        return named[0]
    if rack.switch_trays:
        frame = rack.system.frame if rack.system else ""
        fitting = [t for t in templates if frame in t.frames]
    else:
        assert rack.server is not None, "a rack without switch trays is made of servers"
        cooling, vendor = rack.server.cooling, rack.server.vendor
        fitting = [
            t for t in templates if cooling in t.coolings and (not t.vendors or vendor in t.vendors)
        ]
        fitting.sort(key=lambda t: (not t.vendors, t.key))
    if not fitting:
        raise InputError([f"catalog: no bill template fits {rack.key}; add one under bills/"])
    return fitting[0]


def _component(catalog: Catalog, key: str) -> Component:
    kind = "power_shelves" if key in catalog.names("power_shelves") else "parts"
    return catalog.get(kind, key)


def _item(component: Component, quantity: float, level: Level, group: str) -> Item:
    price = _price_of(component)
    line = BillLine(
        part=component.key,
        quantity=quantity,
        level=level,
        unit_usd=price.usd_mid,
        unit_usd_low=price.usd_low,
        unit_usd_high=price.usd_high,
        grade=price.grade,
    )
    return Item(line, group)


def _price_of(component: Component) -> Price:
    price = component.latest_price()
    if price is None:
        raise InputError(
            [f"catalog: {component.key} has no price: add a [[price]] (an estimate is flagged)"]
        )
    return price
