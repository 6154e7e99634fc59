"""One block, one model: every software plan of the declared axes, and the best of them."""

from rackwright import catalog
from rackwright.design.choose import choose
from rackwright.design.parameters import draw
from rackwright.design.performance import describe
from rackwright.records.hardware import Hardware
from rackwright.records.study import SoftwareSpace, TrainingWorkload

components = catalog.load()
accelerator = components.accelerator("GB300")
block = Hardware(
    key="a block of eight racks",
    system="nvidia-gb300-nvl72",
    accelerator=accelerator,
    accelerators=576,
    racks=8,
    accelerators_per_rack=72,
    scale_up_accelerators=72,
    scale_up_bytes_per_s=accelerator.scale_up_bytes_per_s or 9e11,
    scale_out_bytes_per_s=100e9,
    oversubscription=1.0,
    fabric_tiers=2,
    rack_overhead_w=40e3,
    rack_provisioned_w=150e3,
)
work = TrainingWorkload(
    kind="training",
    name="pretrain",
    model="llama-3.1-70b",
    tokens=15e12,
    sequence_length=8192,
    global_batch_sequences=2304,
    precision="fp8",
    usd_per_million_tokens=0.5,
)
space = SoftwareSpace(
    tensor_parallel=(1, 2, 4, 8),
    pipeline_parallel=(1, 2, 4, 8),
    context_parallel=(1, 2),
    interleave=(1, 2, 5),
    micro_batch=(1, 2, 4),
    zero=(0, 1, 2, 3),
    offload=("none", "optimizer"),
)
shape = components.model(work.model)
parameters = draw(components, (accelerator.family,), 64, seed=1)

choice = choose(block, work, shape, space, parameters)
print(f"{choice.evaluated:,} plans evaluated, {choice.feasible:,} fit the memory")
for reason, count in sorted(choice.pruned.items(), key=lambda pair: -pair[1]):
    print(f"  {count:>6,} pruned: {reason}")

service, rates = describe(block, work, shape, choice, parameters)
plan = service.plan
print(
    f"best: TP {plan.tensor_parallel}, PP {plan.pipeline_parallel}, CP {plan.context_parallel}, "
    f"DP {plan.data_parallel}, micro-batch {plan.micro_batch}, recompute {plan.recompute}, "
    f"ZeRO {plan.zero}"
)
print(f"  {service.rate_tokens_per_s / 1e6:.2f} M tokens/s, {service.memory_bytes / 1e9:.0f} GB")
for part in service.parts:
    print(f"  {part.name:<20}{100 * part.seconds / service.step_s:>7.1f} %")
