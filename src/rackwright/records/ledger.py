"""Commitments: who owes what to whom, from when, and what stands inside what."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from rackwright.records.base import Record
from rackwright.records.provenance import Grade

Binding = Literal["contract", "loi", "option", "target", "superseded"]
Status = Literal["none", "superseded", "contract", "loi", "option", "target"]
Operation = Literal["status", "total_usd_b", "total_gw", "obligation_usd_b"]


class Commitment(Record):
    """One announced commitment; amounts nominal, null where unknown."""

    id: str
    party: str
    effective: date = Field(description="first day; a month alone means its first day")
    binding: Binding
    usd_b: float | None = Field(ge=0, description="billions of US dollars")
    gw: float | None = Field(ge=0)
    inbound: bool = Field(default=False, description="the money flows to us: no commitment of ours")
    part_of: str | None = None
    superseded_by: str | None = None
    layer: str
    terms: str = ""
    source: str = ""
    grade: Grade


class Ledger(Record):
    """All commitments, by layers whose amounts are never added together."""

    entries: tuple[Commitment, ...]
    layers: tuple[str, ...]


class LedgerRow(Record):
    """One commitment as of a day."""

    id: str
    party: str
    layer: str
    status: Status
    usd_b: float | None
    gw: float | None
    grade: Grade


class LayerTotal(Record):
    """Totals of one layer as of a day; text where no number is an answer."""

    layer: str
    total_usd_b: float | str
    obligation_usd_b: float | str
    total_gw: float | str


class LedgerReport(Record):
    """The ledger as of a day."""

    as_of: date
    rows: tuple[LedgerRow, ...]
    totals: tuple[LayerTotal, ...]
    grade: Grade
    notes: tuple[str, ...]
