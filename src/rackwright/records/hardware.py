"""One hardware candidate: a block of identical racks, as the performance model sees it."""

from __future__ import annotations

from pydantic import Field

from rackwright.records.base import Record
from rackwright.records.component import Accelerator


class Hardware(Record):
    """A block of racks of one system with one scale-out fabric.

    Rates are one way per accelerator. `scale_out_bytes_per_s` is the NIC's rate; the fabric's
    share above the first switch tier is that divided by `oversubscription`.
    """

    key: str
    system: str
    accelerator: Accelerator
    accelerators: int = Field(gt=0, description="accelerators in the block")
    racks: int = Field(gt=0)
    accelerators_per_rack: int = Field(gt=0)
    scale_up_accelerators: int = Field(gt=0, description="accelerators in one scale-up domain")
    scale_up_bytes_per_s: float = Field(gt=0)
    scale_out_bytes_per_s: float = Field(gt=0)
    oversubscription: float = Field(ge=1)
    fabric_tiers: int = Field(ge=0)
    rack_overhead_w: float = Field(
        ge=0, description="IT power per rack beside the accelerators: hosts, switches, NICs, fans"
    )
    rack_provisioned_w: float = Field(gt=0)
    host_memory_bytes: float = Field(
        default=0.0, ge=0, description="of the hosts, per accelerator; 0: not known"
    )
