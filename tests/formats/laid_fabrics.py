"""Small fabrics as files and drawings take them."""

from __future__ import annotations

from rackwright import catalog
from rackwright.design.fabric import build_fabric
from rackwright.formats.laid import LaidFabric
from rackwright.records.fabric import FabricPlan, FloorPlan, SideNetwork
from rackwright.sheets import laid_fabric

STORAGE = SideNetwork(
    name="storage", ports_per_server=2, link_bit_per_s=4e11, switch="nvidia-qm9700"
)


def small(**other) -> LaidFabric:
    """Return 512 accelerators with a storage network on three rows."""
    plan = {
        "accelerators": 512, "switch": "nvidia-qm9700", "side_networks": (STORAGE,),
        "floor": FloorPlan(racks_per_row=8, cross_trays=(0, 8)),
    }  # fmt: skip
    return laid_fabric(build_fabric(FabricPlan(**{**plan, **other}), catalog.load()))
