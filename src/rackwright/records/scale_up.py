"""The fabric inside a scale-up domain: links, switch chips, copper pairs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rackwright.records.base import Record
from rackwright.records.provenance import Grade


class ScaleUp(Record):
    """One scale-up domain, wired."""

    rack: str  # key of the rack or server
    accelerator: str
    topology: Literal["switched", "mesh", "torus"]
    medium: str  # key of the cable or backplane; none known: board traces
    accelerators: int = Field(gt=0)
    links_per_accelerator: int = Field(gt=0)
    links: int
    switches: int  # chips
    switch_trays: int
    ports_per_switch: int
    lanes_per_direction: int  # of a link; 0 where it is not known
    pairs: int  # of copper, both directions; 0 where lanes are not known
    copper_m: float  # of all pairs, where they run in a backplane
    longest_m: float
    bytes_per_s: float  # of all accelerators, both ways
    assumptions: tuple[str, ...] = ()
    grade: Grade
