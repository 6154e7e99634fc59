"""The scale-out network of a cluster, to first order: which NIC, switch and module, how many."""

from __future__ import annotations

from collections.abc import Iterable
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


class Network(NamedTuple):
    """The parts of one cluster's fabric. Counts are of the whole cluster.

    Links, link ends, modules and cages are different counts: a cage that carries two links takes
    one twin-port module for both.
    """

    nic: Nic
    switch: Switch
    nic_optic: Optic
    switch_optic: Optic
    tree: FabricCount
    endpoints: int
    links_per_cage: int

    @property
    def nic_modules(self) -> int:
        """Modules in NICs: one for each accelerator."""
        return self.tree.endpoint_links

    @property
    def switch_modules(self) -> int:
        """Modules in switch cages, each for `links_per_cage` link ends."""
        return ceil((self.tree.endpoint_links + 2 * self.tree.uplinks) / self.links_per_cage)

    @property
    def power_w(self) -> float:
        """Typical power of switches and modules, NICs not counted."""
        return (
            self.tree.switches * _switch_power_w(self.switch)
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


def choose_network(
    catalog: Catalog, vendor: str, bit_per_s: float, endpoints: int, oversubscription: float
) -> Network | str:
    """Return the cheapest fabric at a link rate, or the reason why there is none.

    NICs and switches that ship, have a price and speak the same protocol are considered; those
    of the accelerator's vendor come first, since racks are qualified with them. A switch of
    twice the link rate splits each port in two.

    Args:
        vendor: of the accelerator.
        bit_per_s: rate of a link, one NIC port per accelerator.
        endpoints: accelerators in the cluster.
        oversubscription: down over up bandwidth at the leaf.
    """
    rate = f"{bit_per_s / 1e9:g} Gbit/s"
    nics = [
        n
        for n in _priced(catalog.all("nics"), Nic)
        if n.port_bit_per_s == bit_per_s and n.ports == 1
    ]
    nic_optic = _cheapest_optic(catalog, bit_per_s)
    if not nics or nic_optic is None:
        return f"no {'optical module' if nics else 'NIC'} of {rate} ships with a price"
    nic = min(nics, key=lambda n: (n.vendor != vendor, _usd(n), n.key))
    best: tuple[tuple[bool, float, str], Network] | None = None
    for switch in _priced(catalog.all("switches"), Switch):
        radix = _radix(switch, bit_per_s)
        if radix is None or not _same_protocol(nic, switch):
            continue
        tree = fat_tree(endpoints, radix, oversubscription)
        per_cage = max(1, radix // (switch.cages or switch.ports or radix))
        switch_optic = _cheapest_optic(catalog, bit_per_s * per_cage)
        if tree is None or switch_optic is None:
            continue
        network = Network(nic, switch, nic_optic, switch_optic, tree, endpoints, per_cage)
        usd = tree.switches * _usd(switch) + network.switch_modules * _usd(switch_optic)
        rank = (switch.vendor != nic.vendor, usd, switch.key)
        if best is None or rank < best[0]:
            best = (rank, network)
    if best is None:
        return f"no switch of {rate} joins {endpoints} accelerators in three tiers"
    return best[1]


def _priced(components: Iterable[Component], cls: type[_C]) -> list[_C]:
    return [
        c for c in components if isinstance(c, cls) and c.status == "shipping" and c.latest_price()
    ]


def _cheapest_optic(catalog: Catalog, bit_per_s: float) -> Optic | None:
    """Return the cheapest module of a rate that reaches across a hall, None where none ships."""
    fitting = [
        o
        for o in _priced(catalog.all("optics"), Optic)
        if o.bit_per_s == bit_per_s and (o.reach_m or 0) >= REACH_M
    ]
    return min(fitting, key=lambda o: (_usd(o), o.key), default=None)


def _module_power_w(optic: Optic) -> float:
    return optic.power_typical_w or optic.power_w or 0.0


def _usd(component: Component) -> float:
    price = component.latest_price()
    assert price is not None, "only priced components are compared"
    return price.usd_mid


def _radix(switch: Switch, bit_per_s: float) -> int | None:
    if switch.ports is None or switch.port_bit_per_s is None or switch.role == "oob":
        return None
    if switch.port_bit_per_s == bit_per_s:
        return switch.ports
    return 2 * switch.ports if switch.port_bit_per_s == 2 * bit_per_s else None


def _same_protocol(nic: Nic, switch: Switch) -> bool:
    """Return whether the NIC speaks the switch's protocol at the full rate of one port.

    "Ethernet 2x400" on an 800 Gbit/s NIC is two ports of half the rate: not the same.
    """
    spoken = {_protocol(p) for p in nic.protocols if "2x" not in p}
    return _protocol(switch.protocol) in spoken


def _protocol(name: str) -> str:
    if name.startswith("InfiniBand"):
        return "InfiniBand"
    return "Ethernet" if "Ethernet" in name or "RoCE" in name else name


def _switch_power_w(switch: Switch) -> float:
    return switch.power_typical_w or switch.power_max_w or 0.0
