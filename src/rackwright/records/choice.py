"""What a search keeps of one block and one workload: counts, and the plan that it would choose."""

from __future__ import annotations

from pydantic import Field

from rackwright.records.base import Record


class Choice(Record):
    """The best software plan of one block for one workload, and what became of all others.

    Small on purpose: the search holds one per block and workload, whatever the number of plans.
    """

    evaluated: int = Field(default=0, ge=0, description="time and memory were both computed")
    feasible: int = Field(default=0, ge=0)
    rejected: dict[str, int] = Field(default_factory=dict, description="evaluated, by reason")
    pruned: dict[str, int] = Field(default_factory=dict, description="not evaluated, by reason")
    excess: dict[str, float] = Field(
        default_factory=dict, description="by reason, how far the nearest plan misses; > 1"
    )
    plan: tuple[float, ...] = Field(default=(), description="columns of the kernel; none: no plan")
    precision: str = ""
    cache_precision: str = ""
    rate: float = Field(default=0.0, ge=0, description="tokens per second of the block")
