"""Rules of the network: ports, tiers, rails, planes, copper and light, scale-up, management."""

from __future__ import annotations

from collections.abc import Iterator

from rackwright.design.rules.power import kw
from rackwright.design.rules.registry import Found, rule
from rackwright.records.physical import PhysicalDesign

FABRIC = ("switch", "oversubscription", "cluster_accelerators")
COPPER = ("DAC", "ACC", "AEC", "NVLink copper")
OPTICAL = ("AOC", "SR", "DR", "FR", "LR")


@rule("N1", "error", "Ports of a switch", source="all reference architectures",
      depends_on=FABRIC)  # fmt: skip
def port_budget(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the ports used against those there are."""
    for s in design.network.switches:
        if s.used > s.radix:
            yield Found(
                s.name, f"{s.used} links on {s.radix} ports", "more switches, or fewer links"
            )


@rule("N2", "error", "Oversubscription", source="NVIDIA SuperPOD; Meta 24k clusters",
      depends_on=FABRIC)  # fmt: skip
def oversubscription(design: PhysicalDesign) -> Iterator[Found]:
    """Hold down over up against what was declared."""
    for s in design.network.switches:
        down, up, most = s.down_bit_per_s, s.up_bit_per_s, s.oversubscription_max
        if down is None or up is None or most is None or down <= most * up * (1 + 1e-9):
            continue
        ratio = f"{down / up:.2f} : 1" if up else "no uplinks"
        yield Found(
            s.name,
            f"{down / 1e9:,.0f} Gbit/s down / {up / 1e9:,.0f} up = {ratio} > {most:g} : 1",
            "fewer ports down or more up, or declare it",
        )


@rule("N3", "error", "Equal bundles", source="derived; holds in every SuperPOD table",
      depends_on=FABRIC)  # fmt: skip
def equal_bundles(design: PhysicalDesign) -> Iterator[Found]:
    """Ask for uplinks that divide evenly over the spines."""
    for s in design.network.switches:
        if s.uplinks and s.spines and s.uplinks % s.spines:
            yield Found(
                s.name,
                f"{s.uplinks} uplinks over {s.spines} spines leave {s.uplinks % s.spines}",
                "a number of spines that divides the uplinks",
            )


@rule("N4", "error", "Endpoints that the tiers reach", source="DeepSeek, ISCA 2025",
      depends_on=FABRIC)  # fmt: skip
def tiers_reach(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the endpoints of a plane against 2 (k / 2) ** tiers."""
    f = design.network.fabric
    if f is None:
        return
    most = 2 * (f.radix // 2) ** f.tiers
    if f.endpoints > most:
        yield Found(
            f.name,
            f"{f.endpoints:,} endpoints > 2 x ({f.radix} / 2)^{f.tiers} = {most:,}",
            "another tier, planes, or switches with more ports",
        )


@rule("N5", "error", "Rails", source="NVIDIA DGX B200 SuperPOD; OCP OCDAI",
      depends_on=("wiring",))  # fmt: skip
def rails(design: PhysicalDesign) -> Iterator[Found]:
    """Ask for adapter i of every server on the leaf of rail i."""
    wrong = [p for p in design.network.rails if p.nic != p.leaf_rail]
    servers = sorted({p.server for p in wrong})
    for server in servers:
        ports = [p for p in wrong if p.server == server]
        shown = ", ".join(f"adapter {p.nic} on rail {p.leaf_rail}" for p in ports[:4])
        swapped = len(ports) == 2 and ports[0].nic == ports[1].leaf_rail
        yield Found(
            server,
            shown + (": the two are swapped" if swapped else ""),
            "cable each adapter to the leaf of its own rail",
        )


@rule("N6", "error", "Planes apart", source="NVIDIA DGX B300 SuperPOD; DeepSeek, ISCA 2025",
      depends_on=("wiring", "planes"))  # fmt: skip
def planes_apart(design: PhysicalDesign) -> Iterator[Found]:
    """Ask for no link between planes, and for every server on every plane."""
    for link in design.network.plane_links:
        if link.plane_a != link.plane_b:
            yield Found(
                link.name,
                f"joins plane {link.plane_a} and plane {link.plane_b}",
                "cable it inside its plane",
            )
    every = set(range(design.network.planes))
    for number, reached in enumerate(design.network.server_planes):
        if missing := sorted(every - set(reached)):
            yield Found(
                f"server {number}",
                f"does not reach plane {', '.join(map(str, missing))}",
                "cable an adapter to each plane",
            )


@rule("N7", "error", "A fat tree is a fat tree", source="OpenSM's fat-tree routing, measured",
      depends_on=("wiring",))  # fmt: skip
def fat_tree(design: PhysicalDesign) -> Iterator[Found]:
    """Tell what the structural check or the subnet manager refused."""
    f = design.network.fabric
    if f is not None and f.fat_tree is False:
        yield Found(f.name, f"is no fat tree: {f.fat_tree_why or 'refused'}", "mend the cabling")


@rule("N8", "error", "Reach of copper", source="NVIDIA MCP7Y cables; AIDC Studio",
      depends_on=("floor_plan", "cable"))  # fmt: skip
def copper_reach(design: PhysicalDesign) -> Iterator[Found]:
    """Hold a copper cable's length against its reach."""
    for link in design.network.links:
        if link.medium in COPPER and link.length_m > link.reach_m:
            yield Found(
                link.name,
                f"{link.count} x {link.medium} of {link.length_m:.1f} m > {link.reach_m:g} m",
                "move the racks together, or take an active or optical cable",
            )


@rule("N9", "error", "Reach of light", source="NVIDIA transceiver guides",
      depends_on=("floor_plan", "optic"))  # fmt: skip
def optical_reach(design: PhysicalDesign) -> Iterator[Found]:
    """Hold an optical link's length against its reach."""
    for link in design.network.links:
        if link.medium in OPTICAL and link.length_m > link.reach_m:
            yield Found(
                link.name,
                f"{link.count} x {link.medium} of {link.length_m:.0f} m > {link.reach_m:g} m",
                "single-mode modules of the next reach",
            )


@rule("N10", "error", "Both ends of a link", source="NVIDIA MMA4Z00-NS400, MCP7Y",
      depends_on=("optic", "nic", "switch"))  # fmt: skip
def both_ends(design: PhysicalDesign) -> Iterator[Found]:
    """Ask for one standard at both ends, and for modules that fit their cages."""
    for link in design.network.links:
        a, b = link.standard_a, link.standard_b
        if a and b and a != b:
            yield Found(link.name, f"{a} at one end, {b} at the other", "one standard at both ends")
        for cage, module in ((link.cage_a, link.module_a), (link.cage_b, link.module_b)):
            if cage and module and cage != module:
                yield Found(
                    link.name,
                    f"{module} module in a cage for {cage}",
                    f"the {cage} variant: finned in switches, flat in adapters",
                )


@rule("N11", "error", "Both fibres of a twin port", source="NVIDIA MMS4X00-NS400",
      depends_on=("optic", "wiring"))  # fmt: skip
def twin_fibres(design: PhysicalDesign) -> Iterator[Found]:
    """Ask for two straight or two split fibres on one twin-port module."""
    for link in design.network.links:
        if len(set(link.split)) > 1:
            yield Found(
                link.name,
                f"fibres {' and '.join(link.split)} on one module",
                "both straight, or both 1:2",
            )


@rule("N12", "warning", "Power of the modules in a switch",
      source="NVIDIA SN5000 and QM97x0 guides", depends_on=("switch", "optic"))  # fmt: skip
def optics_power(design: PhysicalDesign) -> Iterator[Found]:
    """Hold a switch with its modules against what it may draw."""
    for s in design.network.switches:
        if s.base_w is None or s.power_max_w is None:
            continue
        total = s.base_w + s.modules * s.module_w
        if total > s.power_max_w:
            yield Found(
                s.name,
                f"{s.base_w:g} W + {s.modules} x {s.module_w:g} W = {kw(total)} > "
                f"{kw(s.power_max_w)}",
                "modules that draw less, or fewer of them",
            )


@rule("N13", "warning", "Optical power", source="unsourced values", depends_on=("optic",))
def optical_power(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the weakest light less the losses against what the receiver needs."""
    for link in design.network.links:
        if link.tx_min_dbm is None or link.rx_min_dbm is None or link.loss_db is None:
            continue
        left = link.tx_min_dbm - link.loss_db - link.rx_min_dbm
        if left < 0:  # the planner's margin is part of the loss
            yield Found(
                link.name,
                f"{link.tx_min_dbm:g} dBm - {link.loss_db:g} dB = "
                f"{link.tx_min_dbm - link.loss_db:.1f} dBm < {link.rx_min_dbm:g} dBm",
                "fewer patch panels, or modules of the next reach",
            )


@rule("N14", "warning", "Bends and fill", source="practice, unsourced",
      depends_on=("floor_plan",))  # fmt: skip
def bends_and_fill(design: PhysicalDesign) -> Iterator[Found]:
    """Hold a tray's fill and its tightest bend against practice."""
    for c in design.network.conduits:
        if c.fill_fraction > c.fill_max_fraction:
            yield Found(
                c.name,
                f"filled {100 * c.fill_fraction:.0f} % > {100 * c.fill_max_fraction:.0f} %",
                "a wider tray, or a second one",
            )
        if (
            c.bend_radius_m is not None
            and c.bend_radius_min_m is not None
            and (c.bend_radius_m < c.bend_radius_min_m)
        ):
            yield Found(
                c.name,
                f"bent to {c.bend_radius_m * 1e3:g} mm < {c.bend_radius_min_m * 1e3:g} mm",
                "a wider bend",
            )


@rule("N15", "error", "Scale-up domain in one place", source="NVIDIA GB200/GB300 user guide",
      depends_on=("accelerator.scale_up_domain", "software.tensor_parallel"))  # fmt: skip
def one_domain(design: PhysicalDesign) -> Iterator[Found]:
    """Ask for a domain in the racks that the product joins, and for groups inside it."""
    s = design.network.scale_up
    if s is None:
        return
    if s.racks > s.racks_declared:
        yield Found(
            "scale-up domain",
            f"spans {s.racks} racks, the product joins {s.racks_declared}",
            "one domain in one rack, or a product that joins racks",
        )
    if s.group > s.accelerators:
        yield Found(
            "scale-up domain",
            f"a group of {s.group} accelerators on a domain of {s.accelerators}",
            "a smaller tensor- or expert-parallel group",
        )


@rule("N16", "error", "Ports of the scale-up switches", source="derived",
      depends_on=("system.switch_trays", "accelerator.scale_up_links"))  # fmt: skip
def scale_up_ports(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the accelerators' links against the ports of their switches."""
    s = design.network.scale_up
    if s is None or s.links_each is None or s.switch_ports is None:
        return
    links = s.accelerators * s.links_each
    if links > s.switch_ports:
        yield Found(
            "scale-up switches",
            f"{s.accelerators} x {s.links_each} = {links:,} links > {s.switch_ports:,} ports",
            "more switch trays, or fewer links each",
        )


@rule("N17", "error", "Everything can be managed", source="NVIDIA GB200 SuperPOD notes",
      depends_on=("servers_per_rack", "management_switch"))  # fmt: skip
def management_ports(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the devices with a management port against the out-of-band ports."""
    n = design.network
    if n.managed_devices is None or n.management_ports is None:
        return
    if n.managed_devices > n.management_ports:
        yield Found(
            "management switch",
            f"{n.managed_devices} devices on {n.management_ports} ports",
            "another management switch",
        )


@rule("N18", "warning", "Storage", source="NVIDIA ERA NVL72; GB200 SuperPOD notes",
      depends_on=("storage",))  # fmt: skip
def storage_rate(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the storage network's rate by accelerator against what is wanted."""
    n = design.network
    if n.storage_bit_per_s is None or not n.storage_accelerators or n.storage_min_bit_per_s is None:
        return
    each = n.storage_bit_per_s / n.storage_accelerators
    if each < n.storage_min_bit_per_s:
        yield Found(
            "storage network",
            f"{n.storage_bit_per_s / 1e9:,.0f} Gbit/s / {n.storage_accelerators} = "
            f"{each / 1e9:.2f} Gbit/s < {n.storage_min_bit_per_s / 1e9:g} Gbit/s each",
            "more storage ports",
        )


@rule("N19", "warning", "Ports of the fabric manager", source="NVIDIA DGX B200 SuperPOD",
      depends_on=FABRIC)  # fmt: skip
def manager_ports(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the leaf ports left against those that the fabric manager needs."""
    f = design.network.fabric
    if f is None or f.leaf_ports_free is None:
        return
    if f.leaf_ports_free < f.manager_ports_wanted:
        yield Found(
            f.name,
            f"{f.leaf_ports_free} leaf ports left, the fabric manager takes "
            f"{f.manager_ports_wanted}",
            "one server less, or one leaf more",
        )


@rule("N20", "warning", "Single point of failure", source="Alibaba HPN notes",
      depends_on=FABRIC)  # fmt: skip
def single_point(design: PhysicalDesign) -> Iterator[Found]:
    """Hold the share of the cluster that one switch takes against the declared one."""
    f = design.network.fabric
    if f is None or f.share_max is None:
        return
    for s in design.network.switches:
        if s.share is not None and s.share > f.share_max:
            yield Found(
                s.name,
                f"one lost takes {100 * s.share:.0f} % of the cluster, "
                f"declared {100 * f.share_max:.0f} %",
                "two of them, each with half of the links",
            )
