"""Time large fabrics, port by port, with lengths and media: seconds and peak memory.

    python tools/bench_fabric.py [--accelerators N]

Prints and asserts nothing. Each fabric is built in a process of its own, so that its peak memory
is its own; the catalog is read before the clock starts.
"""

from __future__ import annotations

import argparse
import resource
import time
from multiprocessing import get_context

from rackwright import catalog as catalogs
from rackwright.design.fabric import build_fabric
from rackwright.kernels.fabric_check import tree_faults
from rackwright.records.fabric import FabricPlan, FloorPlan

FLOOR = FloorPlan(racks_per_row=100, cross_trays=(0, 25, 50, 75, 100))

FABRICS: dict[str, dict[str, object]] = {
    "three tiers of radix 128": {"switch": "nvidia-sn5610", "nic_bit_per_s": 4e11},
    "two planes of radix 128": {"switch": "nvidia-sn5610", "nic_bit_per_s": 8e11, "planes": 2},
}


def main() -> None:
    """Print a line for each fabric."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accelerators", type=int, default=131_072)
    wanted = parser.parse_args().accelerators
    for name in FABRICS:
        with get_context("spawn").Pool(1) as pool:
            print(pool.apply(_timed, (name, wanted)))


def _timed(name: str, accelerators: int) -> str:
    components = catalogs.load()
    for kind in ("switches", "optics", "cables", "parts"):
        components.all(kind)
    plan = FabricPlan(accelerators=accelerators, servers_per_rack=8, floor=FLOOR, **FABRICS[name])
    since = time.perf_counter()
    built = build_fabric(plan, components)
    seconds = time.perf_counter() - since
    net = built.fabric.networks[0]
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    since = time.perf_counter()
    faults = tree_faults(built.nets[0].wiring)
    checked = time.perf_counter() - since
    return (
        f"{name}: {accelerators:,} accelerators, {net.switches:,} switches, {net.links:,} links, "
        f"{net.cables:,} cables with lengths: {seconds:.2f} s, peak {peak_mb:,.0f} MB; "
        f"checked as a fat tree in {checked:.2f} s, {len(faults)} faults"
    )


if __name__ == "__main__":
    main()
