"""One rack: what the catalog knows of it, what it is made of, what it costs bottom-up."""

from rackwright import catalog
from rackwright.design.bill import bill_usd, network_items, rack_items
from rackwright.design.network import Ports, choose_network
from rackwright.design.rack import compose_rack
from rackwright.records.study import Generation

components = catalog.load()
rack = compose_rack(Generation(system="nvidia-gb300-nvl72"), components)

print(f"{rack.key}: {rack.accelerators} x {rack.accelerator.key}, grade {rack.grade}")
print(f"  {rack.power_w / 1e3:.0f} kW, {rack.peak_power_w / 1e3:.0f} kW reserved")
liquid = 100 * rack.liquid_w / rack.power_w
print(f"  {liquid:.0f} % of the heat into the coolant, {rack.mass_kg:.0f} kg")

# The fabric that joins 64 such racks, at 800 Gbit/s per accelerator without oversubscription.
cluster = 64 * rack.accelerators
network = choose_network(components, rack.accelerator.vendor, Ports(800e9), cluster, 1.0)
assert not isinstance(network, str), network
tree = network.tree
print(f"{network.switch.key}: {tree.leaves} leaves, {tree.spines} spines, {tree.links} links,")
print(f"  {network.nic_modules} modules of {network.nic_optic.key} in NICs,")
print(f"  {network.switch_modules} of {network.switch_optic.key} in switch cages")

items = rack_items(rack, components) + network_items(network, rack.accelerators)
total = bill_usd(items)
shares: dict[str, float] = {}
for item in items:
    usd = item.line.quantity * item.line.unit_usd
    shares[item.group] = shares.get(item.group, 0.0) + usd
print(f"bill of one rack with its share of the fabric: {total / 1e6:.2f} MUSD")
for group, usd in sorted(shares.items(), key=lambda pair: -pair[1]):
    print(f"  {group:<13}{100 * usd / total:>6.1f} %")
