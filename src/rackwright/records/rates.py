"""Catalog entries that are not things: customs duties, and efficiencies of chip families."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from rackwright.records.base import Record
from rackwright.records.component import Component
from rackwright.records.provenance import Grade


class DutyStep(Record):
    """A later change of a duty's rate; None while the rate is unannounced."""

    day: date
    rate: float | None = Field(default=None, ge=0)


class Duty(Component):
    """A dated customs duty with the goods, origins and end uses it touches."""

    rate: float | None = Field(default=None, ge=0)  # ad valorem; None: announced, rate unknown
    valid_from: date | None = None
    valid_to: date | None = None
    hts: str = ""
    hts_headings: tuple[str, ...] = ()  # empty: all
    hts_excepted: tuple[str, ...] = ()
    origins_hit: tuple[str, ...] = ()  # ISO 3166 codes; empty: all
    origins_exempt: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ("US",)
    end_uses_exempt: tuple[str, ...] = ()
    components_hit: tuple[str, ...] = ()  # keys, where the measure names a test; empty: all
    not_stacked_with: tuple[str, ...] = ()  # keys of other duties
    basis: str = "customs value at entry"
    test: str = ""
    steps: tuple[DutyStep, ...] = ()
    watch: str = ""


class EfficiencyEntry(Record):
    """One named model parameter: a median, a log-spread, and where they come from."""

    name: str
    median: float = Field(gt=0)
    log_sd: float = Field(ge=0)
    kind: str  # measured | fitted | estimate
    source: str
    grade: Grade
    note: str = ""


class SoftwareStack(Component):
    """A training framework: what its steps do, and the parameters that are its own.

    `names` are the beginnings of the names that measured tables give it; of several that fit, the
    longest wins, then the latest `from_release` that is not after the measured one.
    """

    names: tuple[str, ...]
    from_release: tuple[int, ...] = ()
    families: tuple[str, ...] = ()  # chip families that it is new on; empty: all
    parent: str = ""  # stack whose entries hold where this one names none
    attention: Literal["kept", "flash", "flash2", "fused"]
    """Scores kept in memory; FlashAttention of 2022; of 2023; a kernel made for the generation."""
    sequence_parallel: bool = True
    gradient_bytes: float = Field(default=2.0, gt=0)
    dispatch: Literal["expert", "rank"] = "expert"
    """A token goes once to each of its experts, or once to each rank that holds some of them."""
    parameter: tuple[EfficiencyEntry, ...] = ()


class ServingEngine(Component):
    """An inference engine, and the parameters that are its own; names as of `SoftwareStack`."""

    names: tuple[str, ...]
    from_release: tuple[int, ...] = ()
    parent: str = ""
    max_requests: int = Field(default=2048, gt=0)  # at once, where nothing else is said
    parameter: tuple[EfficiencyEntry, ...] = ()


class Efficiencies(Component):
    """The performance model's parameters of one chip family."""

    family: str
    parent: str = ""  # family whose entries hold where this one names none
    parameter: tuple[EfficiencyEntry, ...] = ()
