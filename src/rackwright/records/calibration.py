"""What a fit on measurements says of the model's parameters: medians, and how they go together."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from rackwright.records.base import Record


class Calibration(Record):
    """Posterior of the fitted parameters of one kind of model, normal in their logarithms.

    A name is `<owner>.<entry>`: a chip family, a software stack or `common`, as in the draws. It
    takes the place of what the catalog states before any measurement.
    """

    kind: Literal["training", "serving"]
    names: tuple[str, ...]
    medians: tuple[float, ...]
    log_covariance: tuple[tuple[float, ...], ...] = Field(description="one row per name")
    residual_log_sd: float = Field(ge=0, description="of a row that the fit has not seen")
    rows: int = Field(ge=0, description="configurations in the fit")
    sources: tuple[str, ...]
    table_sha256: str

    @model_validator(mode="after")
    def _sizes_agree(self) -> Calibration:
        n = len(self.names)
        if len(self.medians) != n or len(self.log_covariance) != n:
            raise ValueError(f"{n} names, {len(self.medians)} medians: one of each is needed")
        if any(len(row) != n for row in self.log_covariance):
            raise ValueError(f"log_covariance: {n} rows of {n} numbers are needed")
        if len(set(self.names)) != n:
            raise ValueError("names: a name stands twice")
        if any(value <= 0.0 for value in self.medians):
            raise ValueError("medians: each must be more than zero")
        return self
