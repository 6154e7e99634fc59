"""How often a training job is stopped, what that costs it, and what is done about it."""

from __future__ import annotations

from pydantic import Field

from rackwright.records.base import Record
from rackwright.records.component import Component


class Cause(Record):
    """Interruptions of one cause in the time observed."""

    name: str
    count: float = Field(ge=0)
    takes_node: bool = Field(description="the node leaves for repair; else it goes on")


class FailureLog(Component):
    """Interruptions that somebody counted: on how many accelerators, for how long, and why."""

    accelerators: int = Field(gt=0)
    days: float = Field(gt=0)
    accelerators_per_node: int = Field(gt=0)
    cause: tuple[Cause, ...] = Field(min_length=1)

    @property
    def interruptions(self) -> float:
        """All of them."""
        return sum(c.count for c in self.cause)

    @property
    def per_accelerator_s(self) -> float:
        """Interruptions per accelerator and second."""
        return self.interruptions / (self.accelerators * self.days * 86_400.0)

    @property
    def node_share(self) -> float:
        """Share of the interruptions after which a node leaves for repair."""
        return sum(c.count for c in self.cause if c.takes_node) / self.interruptions


class Size(Record):
    """What failures leave of a job of one size."""

    accelerators: int
    mtbf_s: float = Field(gt=0)
    interval_s: float = Field(gt=0, description="work between checkpoints: the optimum")
    young_s: float
    daly_s: float
    checkpoint_share: float = Field(description="of time, in checkpoints")
    lost_share: float = Field(description="of time, in work that a failure destroyed")
    down_share: float = Field(description="of time, in detection and restarts")
    spares: int = Field(ge=0, description="nodes, beside those of the job")
    halted_share: float = Field(description="of time, waiting for a repair")
    effective_share: float = Field(ge=0, le=1, description="of time, in work that is kept")
