"""The scale-out network of a cluster, to first order: which NIC, switch and module, how many."""

from __future__ import annotations

from functools import lru_cache
from math import ceil
from typing import NamedTuple, TypeVar

from rackwright.catalog import Catalog
from rackwright.kernels.fabric import FabricCount, fat_tree
from rackwright.records.component import Component
from rackwright.records.equipment import Nic, Optic, Switch
from rackwright.records.provenance import Grade, worst

_C = TypeVar("_C", bound=Component)

REACH_M = 100.0
"""Reach that every module of a hall's fabric must have; lengths come from a floor plan later."""


class Ports(NamedTuple):
    """How an accelerator reaches the fabric: so many NICs of a rate, in so many planes.

    With more planes than NICs each NIC is split into equal ports, one in each of its planes; with
    more NICs than planes each plane joins several NICs of an accelerator.
    """

    nic_bit_per_s: float
    nics: int = 1
    planes: int = 1

    @property
    def split(self) -> int:
        """Ports that a NIC is split into."""
        return max(self.planes // self.nics, 1)

    @property
    def link_bit_per_s(self) -> float:
        """Rate of one link."""
        return self.nic_bit_per_s / self.split

    @property
    def links_per_plane(self) -> int:
        """Links of an accelerator in each plane."""
        return max(self.nics // self.planes, 1)

    @property
    def bit_per_s(self) -> float:
        """Rate of an accelerator, all NICs together."""
        return self.nics * self.nic_bit_per_s

    def __str__(self) -> str:
        """Return the ports as a design's key names them: 400g, 2x400g, 800g-p2."""
        each = f"{self.nic_bit_per_s / 1e9:g}g"
        many = f"{self.nics}x" if self.nics > 1 else ""
        return many + each + (f"-p{self.planes}" if self.planes > 1 else "")


class Network(NamedTuple):
    """The parts of one cluster's fabric: equal planes. Counts are of the whole cluster.

    Links, link ends, modules and cages are different counts: a cage that carries two links takes
    one twin-port module for both.
    """

    nic: Nic
    switch: Switch
    nic_optic: Optic
    switch_optic: Optic
    tree: FabricCount  # of one plane
    endpoints: int  # accelerators
    links_per_cage: int
    ports: Ports

    @property
    def nics(self) -> int:
        """NICs of all accelerators."""
        return self.endpoints * self.ports.nics

    @property
    def nic_modules(self) -> int:
        """Modules in NICs: one for each, also where it is split over planes."""
        return self.nics

    @property
    def switches(self) -> int:
        """Switches of all planes."""
        return self.ports.planes * self.tree.switches

    @property
    def switch_modules(self) -> int:
        """Modules in switch cages, each for `links_per_cage` link ends."""
        ends = self.tree.endpoint_links + 2 * self.tree.uplinks
        return self.ports.planes * ceil(ends / self.links_per_cage)

    @property
    def power_w(self) -> float:
        """Typical power of switches and modules, NICs not counted."""
        return (
            self.switches * switch_power_w(self.switch)
            + self.nic_modules * _module_power_w(self.nic_optic)
            + self.switch_modules * _module_power_w(self.switch_optic)
        )

    @property
    def grade(self) -> Grade:
        """Worst grade of what the counts and powers lean on."""
        return worst(
            [
                self.switch.grade_of(("ports", "port_bit_per_s")),
                self.nic_optic.grade_of(("bit_per_s", "power_w")),
                self.switch_optic.grade_of(("bit_per_s", "power_w")),
                self.nic.grade_of(("port_bit_per_s",)),
            ]
        )


@lru_cache(maxsize=1 << 14)  # racks of one vendor and size share their fabrics
def choose_network(
    catalog: Catalog,
    vendor: str,
    ports: Ports,
    endpoints: int,
    oversubscription: float,
    tiers: tuple[int, ...] = (1, 2, 3),
) -> Network | str:
    """Return the cheapest fabric for the ports, or the reason why there is none.

    NICs and switches that ship, have a price and speak the same protocol are considered; those
    of the accelerator's vendor come first, since racks are qualified with them. A switch of
    twice the link rate splits each port in two.

    Args:
        catalog: components.
        vendor: of the accelerator.
        ports: NICs of one accelerator, and planes.
        endpoints: accelerators in the cluster.
        oversubscription: down over up bandwidth at the leaf.
        tiers: of switches that the fabric may have.
    """
    rate, link = f"{ports.nic_bit_per_s / 1e9:g} Gbit/s", ports.link_bit_per_s
    if max(ports.planes, ports.nics) % min(ports.planes, ports.nics):
        return f"{ports.planes} planes and {ports.nics} NICs per accelerator do not divide"
    nics = [
        n
        for n in _priced(catalog, "nics", Nic)
        if n.port_bit_per_s == ports.nic_bit_per_s and n.ports == 1
    ]
    nic_optic = _cheapest_optic(catalog, ports.nic_bit_per_s)
    if not nics or nic_optic is None:
        return f"no {'optical module' if nics else 'NIC'} of {rate} ships with a price"
    nics = [n for n in nics if (n.planes or 1) >= ports.split]
    if not nics:
        return f"no NIC of {rate} splits into {ports.split} planes"
    nic = min(nics, key=lambda n: (n.vendor != vendor, _usd(n), n.key))
    best: tuple[tuple[bool, float, str], Network] | None = None
    refused: set[int] = set()
    for switch in _priced(catalog, "switches", Switch):
        radix = None if switch.role == "oob" else switch_radix(switch, link)
        if radix is None or not _same_protocol(nic, switch, ports.split):
            continue
        tree = fat_tree(endpoints * ports.links_per_plane, radix, oversubscription)
        per_cage = max(1, radix // (switch.cages or switch.ports or radix))
        switch_optic = _cheapest_optic(catalog, link * per_cage)
        if tree is None or switch_optic is None:
            continue
        if tree.tiers not in tiers:
            refused.add(tree.tiers)
            continue
        network = Network(nic, switch, nic_optic, switch_optic, tree, endpoints, per_cage, ports)
        usd = network.switches * _usd(switch) + network.switch_modules * _usd(switch_optic)
        rank = (switch.vendor != nic.vendor, usd, switch.key)
        if best is None or rank < best[0]:
            best = (rank, network)
    if best is not None:
        return best[1]
    if refused:
        named = " or ".join(map(str, sorted(refused)))
        return f"links of {link / 1e9:g} Gbit/s need {named} tiers for {endpoints} accelerators"
    return f"no switch of {link / 1e9:g} Gbit/s joins {endpoints} accelerators in three tiers"


def _priced(catalog: Catalog, kind: str, cls: type[_C]) -> list[_C]:
    return [
        c
        for c in catalog.all(kind)
        if isinstance(c, cls) and c.status == "shipping" and c.latest_price()
    ]


@lru_cache(maxsize=1 << 10)
def _cheapest_optic(catalog: Catalog, bit_per_s: float) -> Optic | None:
    """Return the cheapest module of a rate that reaches across a hall, None where none ships."""
    fitting = [
        o
        for o in _priced(catalog, "optics", Optic)
        if o.bit_per_s == bit_per_s and (o.reach_m or 0) >= REACH_M
    ]
    return min(fitting, key=lambda o: (_usd(o), o.key), default=None)


def _module_power_w(optic: Optic) -> float:
    return optic.power_typical_w or optic.power_w or 0.0


def _usd(component: Component) -> float:
    price = component.latest_price()
    assert price is not None, "only priced components are compared"
    return price.usd_mid


def switch_radix(switch: Switch, bit_per_s: float) -> int | None:
    """Return the ports of a switch at a rate, whole or split in two; None where it has none."""
    if switch.ports is None or switch.port_bit_per_s is None:
        return None
    if switch.port_bit_per_s == bit_per_s:
        return switch.ports
    return 2 * switch.ports if switch.port_bit_per_s == 2 * bit_per_s else None


def _same_protocol(nic: Nic, switch: Switch, split: int) -> bool:
    """Return whether the NIC speaks the switch's protocol at the rate of its links.

    "Ethernet 2x400" on an 800 Gbit/s NIC is two ports of half the rate: it joins two planes, and
    not one.
    """
    spoken = {_protocol(p) for p in nic.protocols if "2x" not in p or split > 1}
    return _protocol(switch.protocol) in spoken


def _protocol(name: str) -> str:
    if name.startswith("InfiniBand"):
        return "InfiniBand"
    return "Ethernet" if "Ethernet" in name or "RoCE" in name else name


def switch_power_w(switch: Switch) -> float:
    """Return the typical power of a switch, the highest where no other is known [W]."""
    return switch.power_typical_w or switch.power_max_w or 0.0
