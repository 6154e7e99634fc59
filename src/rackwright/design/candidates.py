"""Every hardware candidate of the declared space: generation × NIC rate × fabric × block size."""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

from rackwright.catalog import Catalog
from rackwright.design.bill import (
    Item,
    Residual,
    bill_usd,
    network_items,
    rack_items,
    residual,
)
from rackwright.design.network import Network, choose_network
from rackwright.design.rack import Rack, compose_rack
from rackwright.records.errors import InputError, UnknownComponentError
from rackwright.records.hardware import Hardware
from rackwright.records.study import Generation, Study


class Candidate(NamedTuple):
    """One block of racks with one fabric."""

    hardware: Hardware
    generation: Generation
    rack: Rack
    network: Network
    items: tuple[Item, ...]  # of one rack: bill with NICs and its share of the fabric
    nic_bit_per_s: float
    cluster: tuple[int, int]


class Candidates(NamedTuple):
    """All candidates, what was rejected and why, and the residual of priced systems."""

    all: tuple[Candidate, ...]
    rejected: dict[str, int]
    residual: Residual


def enumerate_candidates(study: Study, catalog: Catalog) -> Candidates:
    """Return all hardware candidates of a study, in the order of its axes.

    Raises:
        InputError: unknown systems, and components that lack what a rack needs; all at once.
    """
    racks: list[tuple[Generation, Rack, tuple[Item, ...]]] = []
    mistakes: list[str] = []
    for i, generation in enumerate(study.design_space.generations):
        try:
            rack = compose_rack(generation, catalog)
            racks.append((generation, rack, rack_items(rack, catalog)))
        except UnknownComponentError as error:
            mistakes.append(f"design_space.generations[{i}].system: {error}")
        except InputError as error:
            mistakes += [f"design_space.generations[{i}].system: {m}" for m in error.mistakes]
    if mistakes:
        raise InputError(mistakes)
    found: list[Candidate] = []
    rejected: dict[str, int] = {}
    for generation, rack, items in racks:
        for gbit in study.design_space.nic_gbit_per_s:
            for over in study.design_space.oversubscription:
                for block in _blocks(study, rack):
                    made = _candidate(catalog, generation, rack, items, gbit * 1e9, over, block)
                    if isinstance(made, str):
                        rejected[made] = rejected.get(made, 0) + 1
                    else:
                        found.append(made)
    return Candidates(tuple(found), rejected, _residual(catalog, racks))


class _Block(NamedTuple):
    """Racks in a block, and the cluster sizes (accelerators) whose fabric it may share."""

    racks: int
    pods: tuple[int, ...]


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
        blocks.append(_Block(racks, tuple(sorted(pods | {max(site, own)}))))
    return blocks + [_Block(n, (n * rack.accelerators,)) for n in clusters]


def _candidate(
    catalog: Catalog,
    generation: Generation,
    rack: Rack,
    items: tuple[Item, ...],
    bit_per_s: float,
    over: float,
    block: _Block,
) -> Candidate | str:
    own = _own_bit_per_s(rack)
    if own is not None and bit_per_s > own:
        return f"{rack.key}: its hosts carry {own / 1e9:g} Gbit/s per accelerator at most"
    network = _cheapest(catalog, rack, bit_per_s, over, block)
    if isinstance(network, str):
        return network
    racks = block.racks
    tdp = rack.accelerator.tdp_w or rack.power_w / rack.accelerators
    per_rack = network.power_w * rack.accelerators / network.endpoints
    hardware = Hardware(
        key=f"{rack.key}/{bit_per_s / 1e9:g}g/o{over:g}/{racks}r",
        system=rack.key,
        accelerator=rack.accelerator,
        accelerators=racks * rack.accelerators,
        racks=racks,
        accelerators_per_rack=rack.accelerators,
        scale_up_accelerators=rack.domain,
        scale_up_bytes_per_s=rack.accelerator.scale_up_bytes_per_s
        or rack.accelerator.host_bytes_per_s
        or bit_per_s / 8,
        scale_out_bytes_per_s=bit_per_s / 8,
        oversubscription=over if network.tree.tiers > 1 else 1.0,
        fabric_tiers=network.tree.tiers,
        rack_overhead_w=max(rack.power_w - rack.accelerators * tdp, 0.0) + per_rack,
        rack_provisioned_w=rack.peak_power_w + per_rack,
    )
    return Candidate(
        hardware=hardware,
        generation=generation,
        rack=rack,
        network=network,
        items=items + network_items(network, rack.accelerators),
        nic_bit_per_s=bit_per_s,
        cluster=(racks * rack.accelerators, max(block.pods)),
    )


def _cheapest(
    catalog: Catalog, rack: Rack, bit_per_s: float, over: float, block: _Block
) -> Network | str:
    """Return the fabric that costs least per accelerator, or the reason why none can be built."""
    found = [
        choose_network(catalog, rack.accelerator.vendor, bit_per_s, pod, over) for pod in block.pods
    ]
    networks = [network for network in found if not isinstance(network, str)]
    if not networks:
        return next(reason for reason in found if isinstance(reason, str))
    return min(
        networks, key=lambda n: (bill_usd(network_items(n, n.endpoints)) / n.endpoints, n.endpoints)
    )


def _own_bit_per_s(rack: Rack) -> float | None:
    """Rate of one compute port as the vendor builds the rack, None where none is published."""
    if rack.system is not None and rack.system.scale_out_bit_per_s is not None:
        return rack.system.scale_out_bit_per_s
    ports = rack.server.ports if rack.server is not None else ()
    rates = [p.bit_per_s for p in ports if p.network == "compute" and p.bit_per_s is not None]
    return max(rates, default=None)


def _residual(catalog: Catalog, racks: list[tuple[Generation, Rack, tuple[Item, ...]]]) -> Residual:
    """Compare each priced system with its own bill, built with the NICs its maker sells it with.

    All priced rack systems of the catalog count, whether the study names them or not.
    """
    priced: list[tuple[Rack, tuple[Item, ...]]] = []
    known = {rack.key: (rack, items) for _, rack, items in racks}
    for system in catalog.all("systems"):
        if not system.price:
            continue
        try:
            rack, items = known.get(system.key) or _made(system.key, catalog)
        except InputError:
            continue  # a priced system without the data for a bill says nothing of the residual
        own = _own_bit_per_s(rack)
        network = choose_network(
            catalog, rack.accelerator.vendor, own or 4e11, rack.accelerators, 1.0
        )
        if not isinstance(network, str):
            nics = network_items(network, rack.accelerators)[:1]
            priced.append((rack, items + nics))
    return residual(priced)


def _made(key: str, catalog: Catalog) -> tuple[Rack, tuple[Item, ...]]:
    rack = compose_rack(Generation(system=key), catalog)
    return rack, rack_items(rack, catalog)
