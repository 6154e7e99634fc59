"""Where a number comes from and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

from rackwright.records.base import Record


class Grade(StrEnum):
    """Grade of a fact, best first."""

    A = "A"  # standard, datasheet or filing
    B = "B"  # measurement or paper with its method
    C = "C"  # press or secondary
    D = "D"  # estimate


EvidenceKind = Literal["none", "fictitious", "measured"]
"""What the weights of the worlds rest on: nothing yet, made-up readings, or readings."""


class Source(Record):
    """One document that states one or more fields of a component."""

    fields: tuple[str, ...]
    title: str
    url: str = ""
    locator: str = ""
    retrieved: str
    kind: str  # datasheet | measured | paper | filing | secondary | estimate
    grade: Grade
    note: str = ""


def worst(grades: Iterable[Grade]) -> Grade:
    """Return the worst of the grades; A when there are none (nothing uncertain was used)."""
    return max(grades, default=Grade.A)
