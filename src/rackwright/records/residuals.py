"""How far predictions lie from measurements, row by row, for a drawing."""

from __future__ import annotations

from pydantic import Field

from rackwright.records.base import Record


class SourceResiduals(Record):
    """Log of predicted over measured for the rows of one source."""

    source: str
    logs: tuple[float, ...] = Field(min_length=1)


class Residuals(Record):
    """One quantity of a table, by source."""

    quantity: str
    sources: tuple[SourceResiduals, ...]
