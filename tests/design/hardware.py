"""Blocks and workloads that the performance tests share."""

from rackwright import catalog
from rackwright.records.hardware import Hardware
from rackwright.records.study import ServingWorkload, Step, TrainingWorkload

CATALOG = catalog.load()

CHAT = ServingWorkload(
    kind="serving",
    name="chat",
    model="gpt-oss-120b",
    input_tokens=2048,
    output_tokens=512,
    ttft_s=2.0,
    tpot_s=0.03,
    precision="fp4",
    demand_tokens_per_s=(Step(week=0, value=1e7),),
    usd_per_million_tokens=0.5,
)
PRETRAIN = TrainingWorkload(
    kind="training",
    name="pretrain",
    model="llama-3.1-405b",
    tokens=15e12,
    sequence_length=8192,
    global_batch_sequences=2016,
    precision="fp8",
    usd_per_million_tokens=0.5,
)
MODELS = {name: CATALOG.model(name) for name in ("gpt-oss-120b", "llama-3.1-405b")}


def block(
    accelerator="GB300", accelerators=1008, domain=72, nic_bit_per_s=800e9, oversubscription=1.0
) -> Hardware:
    """A block of racks of 72 with reasonable overheads."""
    found = CATALOG.accelerator(accelerator)
    racks = max(accelerators // 72, 1)
    per_rack = accelerators // racks
    tdp = found.tdp_w or 1000.0
    return Hardware(
        key=f"{found.key}-{accelerators}-{nic_bit_per_s / 1e9:g}g-{oversubscription:g}",
        system="a rack",
        accelerator=found,
        accelerators=accelerators,
        racks=racks,
        accelerators_per_rack=per_rack,
        scale_up_accelerators=domain,
        scale_up_bytes_per_s=found.scale_up_bytes_per_s or 1e11,
        scale_out_bytes_per_s=nic_bit_per_s / 8,
        oversubscription=oversubscription,
        fabric_tiers=2,
        rack_overhead_w=per_rack * 350.0,
        rack_provisioned_w=per_rack * (tdp + 400.0),
    )
