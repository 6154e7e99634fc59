"""Every hardware candidate of the declared space: generation × NIC rate × fabric × block size."""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

from rackwright.catalog import Catalog
from rackwright.design.bill import Item, Residual, network_items, rack_items, residual
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
                for size, cluster in _blocks(study, rack):
                    made = _candidate(
                        catalog, generation, rack, items, gbit * 1e9, over, size, cluster
                    )
                    if isinstance(made, str):
                        rejected[made] = rejected.get(made, 0) + 1
                    else:
                        found.append(made)
    return Candidates(tuple(found), rejected, _residual(catalog, racks))


def _blocks(study: Study, rack: Rack) -> list[tuple[int, tuple[int, int]]]:
    """Racks per block with the cluster sizes it is valid for.

    A serving block stands alone in a fabric of the largest data center's size; a training block
    is a cluster of its own.
    """
    site_w = max(
        (d.power_w - d.fixed_power_w) / d.pue if d.basis == "utility" else d.power_w
        for d in study.data_centers
    )
    site = max(1, int(site_w // rack.peak_power_w)) * rack.accelerators
    blocks = [
        (racks, (racks * rack.accelerators, max(site, racks * rack.accelerators)))
        for racks in study.design_space.serving_block_racks
    ]
    for wanted in study.design_space.training_block_accelerators:
        racks = ceil(wanted / rack.accelerators)
        blocks.append((racks, (racks * rack.accelerators, racks * rack.accelerators)))
    return blocks


def _candidate(
    catalog: Catalog,
    generation: Generation,
    rack: Rack,
    items: tuple[Item, ...],
    bit_per_s: float,
    over: float,
    racks: int,
    cluster: tuple[int, int],
) -> Candidate | str:
    own = _own_bit_per_s(rack)
    if own is not None and bit_per_s > own:
        return f"{rack.key}: its hosts carry {own / 1e9:g} Gbit/s per accelerator at most"
    network = choose_network(catalog, rack.accelerator.vendor, bit_per_s, cluster[1], over)
    if isinstance(network, str):
        return network
    accelerators = racks * rack.accelerators
    tdp = rack.accelerator.tdp_w or rack.power_w / rack.accelerators
    per_rack = network.power_w * rack.accelerators / network.endpoints
    hardware = Hardware(
        key=f"{rack.key}/{bit_per_s / 1e9:g}g/o{over:g}/{racks}r",
        system=rack.key,
        accelerator=rack.accelerator,
        accelerators=accelerators,
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
        cluster=cluster,
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
