"""A rack composed from parts: what an interface lets mate, what it draws, what it is charged."""

from rackwright import catalog
from rackwright.design.bill import bill_usd, rack_items
from rackwright.design.compose import composed_racks
from rackwright.records.interface import RackInterface
from rackwright.records.study import Composed

components = catalog.load()
interface = components.find(RackInterface, "mgx-nvlink5")
print(f"{interface.key}: {interface.name}")
print(f"  packages: {', '.join(interface.accelerators)}")
print(f"  scale-up domains: {', '.join(map(str, interface.scale_up_domains))}")

# Two sizes of rack and of scale-up domain; every other axis takes what the interface names.
axes = Composed(
    interface=interface.key,
    accelerators_per_rack=(36, 72),
    scale_up_accelerators=(36, 72),
)
made = composed_racks(axes, components, redundancy="N+1")
for rack in made.racks:
    usd = bill_usd(rack_items(rack, components))
    print(
        f"{rack.key}: {rack.switch_trays} switch trays, {rack.power_shelves} shelves, "
        f"{rack.power_w / 1e3:.0f} kW, parts {usd / 1e6:.2f} MUSD"
    )
for reason, count in made.rejected.items():
    print(f"rejected {count}: {reason}")
