"""Every hardware candidate of the declared space: rack × ports × fabric × block size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import product
from math import ceil
from typing import NamedTuple

from rackwright.catalog import Catalog
from rackwright.design.bill import (
    BYTES_PER_GB,
    Item,
    Residual,
    bill_usd,
    network_items,
    rack_items,
    residual,
)
from rackwright.design.compose import as_generation, composed_racks
from rackwright.design.network import Network, Ports, choose_network
from rackwright.design.physical import findings_without_liquids
from rackwright.design.rack import Rack, compose_rack
from rackwright.design.rules import errors
from rackwright.records.component import Part
from rackwright.records.errors import InputError, UnknownComponentError
from rackwright.records.hardware import Hardware
from rackwright.records.physical import Redundancy
from rackwright.records.study import Generation, Study


class Candidate(NamedTuple):
    """One block of racks with one fabric."""

    hardware: Hardware
    generation: Generation
    rack: Rack
    network: Network
    items: tuple[Item, ...]  # of one rack: bill with NICs and its share of the fabric
    ports: Ports
    cluster: tuple[int, int]


class Candidates(NamedTuple):
    """All candidates, what was rejected and why, and the residual of priced systems."""

    all: tuple[Candidate, ...]
    rejected: dict[str, int]
    residual: Residual


class _Fabric(NamedTuple):
    """One choice on the axes of the network."""

    ports: Ports
    oversubscription: float
    tiers: tuple[int, ...]


def enumerate_candidates(study: Study, catalog: Catalog) -> Candidates:
    """Return all hardware candidates of a study, in the order of its axes.

    Raises:
        InputError: unknown systems, and components that lack what a rack needs; all at once.
    """
    racks, rejected = _racks(study, catalog)
    found: list[Candidate] = []
    for generation, rack, items in racks:
        for fabric in _fabrics(study):
            for block in _blocks(study, rack):
                made = _candidate(catalog, generation, rack, items, fabric, block)
                if isinstance(made, str):
                    rejected[made] += 1
                else:
                    found.append(made)
    found.sort(key=lambda c: c.rack.composition is not None)  # vendors' racks first; stable
    return Candidates(tuple(_once(found)), dict(rejected), _residual(catalog, racks))


def _once(found: list[Candidate]) -> Iterator[Candidate]:
    """Yield each design once: two tables of a study may compose the same rack."""
    seen: set[str] = set()
    for candidate in found:
        if candidate.hardware.key not in seen:
            seen.add(candidate.hardware.key)
            yield candidate


_Racks = list[tuple[Generation, Rack, tuple[Item, ...]]]


def _racks(study: Study, catalog: Catalog) -> tuple[_Racks, Counter[str]]:
    """Return vendors' racks and composed ones with their bills, and what does not mate."""
    racks: _Racks = []
    rejected: Counter[str] = Counter()
    mistakes: list[str] = []
    for i, generation in enumerate(study.design_space.generations):
        where = f"design_space.generations[{i}].system"
        try:
            rack = _told(compose_rack(generation, catalog), catalog, study.redundancy)
            racks.append((generation, rack, rack_items(rack, catalog)))
        except UnknownComponentError as error:
            mistakes.append(f"{where}: {error}")
        except InputError as error:
            mistakes += [f"{where}: {m}" for m in error.mistakes]
    for i, composed in enumerate(study.design_space.composed):
        where = f"design_space.composed[{i}]"
        try:
            made = composed_racks(composed, catalog, study.redundancy)
        except (UnknownComponentError, InputError) as error:
            mistakes += [f"{where}: {m}" for m in str(error).splitlines()]
            continue
        rejected.update(made.rejected)
        for rack in made.racks:
            broken = errors(findings_without_liquids(rack, catalog, study.redundancy))
            if broken:  # nobody sells it: it is not proposed
                rejected.update(f"{rack.key}: rule {f.rule}, {f.where}: {f.text}" for f in broken)
                continue
            try:
                racks.append((as_generation(rack, composed), rack, rack_items(rack, catalog)))
            except InputError as error:  # a part without a price cannot be charged
                rejected.update(error.mistakes)
    if mistakes:
        raise InputError(mistakes)
    return racks, rejected


def _told(rack: Rack, catalog: Catalog, redundancy: Redundancy) -> Rack:
    """Return a vendor's rack with what the rules find in it: it is sold, and ranked, as it is."""
    found = errors(findings_without_liquids(rack, catalog, redundancy))
    notes = tuple(f"{rack.key}: rule {f.rule}, {f.where}: {f.text}" for f in found)
    return rack._replace(assumptions=(*rack.assumptions, *notes))


def _fabrics(study: Study) -> Iterator[_Fabric]:
    space = study.design_space
    axes = product(
        space.nic_gbit_per_s, space.nics_per_accelerator, space.planes, space.oversubscription
    )
    for gbit, nics, planes, over in axes:
        yield _Fabric(Ports(gbit * 1e9, nics, planes), over, space.fabric_tiers)


class _Block(NamedTuple):
    """Racks in a block, and the cluster sizes (accelerators) whose fabric it may share."""

    racks: int
    pods: tuple[int, ...]
    site_w: float  # IT power of the largest data center


def _blocks(study: Study, rack: Rack) -> list[_Block]:
    """Return the blocks of a rack.

    A training block is a cluster of its own. A serving block needs no other block (what reaches
    it from outside comes by its hosts' own ports): it shares the fabric of whatever pod, from one
    leaf up to the largest data center, costs least per accelerator.
    """
    site_w = max(
        (d.power_w - d.fixed_power_w) / d.pue if d.basis == "utility" else d.power_w
        for d in study.data_centers
    )
    site = max(1, int(site_w // rack.peak_power_w)) * rack.accelerators
    clusters = [
        ceil(wanted / rack.accelerators)
        for wanted in study.design_space.training_block_accelerators
    ]
    blocks = []
    for racks in study.design_space.serving_block_racks:
        own = racks * rack.accelerators
        pods = {own << i for i in range(32) if own << i <= site}
        pods |= {n * rack.accelerators for n in clusters if own <= n * rack.accelerators <= site}
        blocks.append(_Block(racks, tuple(sorted(pods | {max(site, own)})), site_w))
    return blocks + [_Block(n, (n * rack.accelerators,), site_w) for n in clusters]


def _candidate(
    catalog: Catalog,
    generation: Generation,
    rack: Rack,
    items: tuple[Item, ...],
    fabric: _Fabric,
    block: _Block,
) -> Candidate | str:
    ports, over = fabric.ports, fabric.oversubscription
    own = _own_bit_per_s(rack)
    if own is not None and ports.bit_per_s > own:
        return f"{rack.key}: its hosts carry {own / 1e9:g} Gbit/s per accelerator at most"
    racks = block.racks
    if racks * rack.peak_power_w > block.site_w:
        return (
            f"{rack.key}: {racks:,} racks draw {racks * rack.peak_power_w:,.0f} W, the largest "
            f"data center gives {block.site_w:,.0f} W"
        )
    network = _cheapest(catalog, rack, fabric, block)
    if isinstance(network, str):
        return network
    tdp = rack.accelerator.tdp_w or rack.power_w / rack.accelerators
    per_rack = network.power_w * rack.accelerators / network.endpoints
    per_rack += _more_nics_w(rack, network)
    billed = items + network_items(network, rack.accelerators)
    hardware = Hardware(
        key=f"{rack.key}/{ports}/o{over:g}/{racks}r",
        system=rack.key,
        accelerator=rack.accelerator,
        accelerators=racks * rack.accelerators,
        racks=racks,
        accelerators_per_rack=rack.accelerators,
        scale_up_accelerators=rack.domain,
        scale_up_bytes_per_s=rack.accelerator.scale_up_bytes_per_s
        or rack.accelerator.host_bytes_per_s
        or ports.bit_per_s / 8,
        scale_out_bytes_per_s=ports.bit_per_s / 8,
        oversubscription=over if network.tree.tiers > 1 else 1.0,
        fabric_tiers=network.tree.tiers,
        rack_overhead_w=max(rack.power_w - rack.accelerators * tdp, 0.0) + per_rack,
        rack_provisioned_w=rack.peak_power_w + per_rack,
        host_memory_bytes=_host_memory_bytes(catalog, items) / rack.accelerators,
    )
    return Candidate(
        hardware=hardware,
        generation=generation,
        rack=rack,
        network=network,
        items=billed,
        ports=ports,
        cluster=(racks * rack.accelerators, max(block.pods)),
    )


def _more_nics_w(rack: Rack, network: Network) -> float:
    """Return the power of NICs beyond the one per accelerator that a rack's own power holds."""
    each = network.nic.power_typical_w or network.nic.power_max_w or 0.0
    return (network.ports.nics - 1) * rack.accelerators * each


def _host_memory_bytes(catalog: Catalog, items: tuple[Item, ...]) -> float:
    """Return the memory of a rack's hosts, as its bill has it."""
    parts = {
        p.key for p in catalog.all("parts")
        if isinstance(p, Part) and p.category == "host" and p.unit == "GB"
    }  # fmt: skip
    return sum(i.line.quantity for i in items if i.line.part in parts) * BYTES_PER_GB


def _cheapest(catalog: Catalog, rack: Rack, fabric: _Fabric, block: _Block) -> Network | str:
    """Return the fabric that costs least per accelerator, or the reason why none can be built."""
    vendor, ports = rack.accelerator.vendor, fabric.ports
    found = [
        choose_network(catalog, vendor, ports, pod, fabric.oversubscription, fabric.tiers)
        for pod in block.pods
    ]
    networks = [network for network in found if not isinstance(network, str)]
    if not networks:
        return next(reason for reason in found if isinstance(reason, str))
    return min(
        networks, key=lambda n: (bill_usd(network_items(n, n.endpoints)) / n.endpoints, n.endpoints)
    )


def _own_bit_per_s(rack: Rack) -> float | None:
    """Rate of an accelerator's ports as the vendor builds the rack, None where none is known."""
    if rack.composition is not None:  # its NICs sit on the accelerator's own host link
        link = rack.accelerator.host_bytes_per_s
        return None if link is None else 8.0 * link
    if rack.system is not None and rack.system.scale_out_bit_per_s is not None:
        return rack.system.scale_out_bit_per_s
    ports = rack.server.ports if rack.server is not None else ()
    rates = [p.bit_per_s for p in ports if p.network == "compute" and p.bit_per_s is not None]
    return max(rates, default=None)


def _residual(catalog: Catalog, racks: _Racks) -> Residual:
    """Compare each priced system with its own bill, built with the NICs its maker sells it with.

    All priced rack systems of the catalog count, whether the study names them or not.
    """
    priced: list[tuple[Rack, tuple[Item, ...]]] = []
    known = {rack.key: (rack, items) for _, rack, items in racks if rack.composition is None}
    for system in catalog.all("systems"):
        if not system.price:
            continue
        try:
            rack, items = known.get(system.key) or _made(system.key, catalog)
        except InputError:
            continue  # a priced system without the data for a bill says nothing of the residual
        own = _own_bit_per_s(rack)
        network = choose_network(
            catalog, rack.accelerator.vendor, Ports(own or 4e11), rack.accelerators, 1.0
        )
        if not isinstance(network, str):
            nics = network_items(network, rack.accelerators)[:1]
            priced.append((rack, items + nics))
    return residual(priced)


def _made(key: str, catalog: Catalog) -> tuple[Rack, tuple[Item, ...]]:
    rack = compose_rack(Generation(system=key), catalog)
    return rack, rack_items(rack, catalog)
