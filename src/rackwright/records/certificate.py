"""The certificate of a plan: the model, the plan and the prices that prove how good it is.

It holds everything that `tools/recheck_certificate.py` needs to recompute the bound and the
worth of the plan without this package: numbers are inline, not references.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field, WithJsonSchema

from rackwright.records.base import Record

NO_LIMIT = 1e300
"""Written for "no limit": JSON has no infinity."""


def _as_inline(value: Any) -> Any:
    """Return numbers as nested tuples of floats; a single one as a float."""
    array = np.array(value, dtype=np.float64)
    if np.isnan(array).any():
        raise ValueError("a certificate holds numbers, and found one that is none")
    return _tuples(np.nan_to_num(array, posinf=NO_LIMIT, neginf=-NO_LIMIT).tolist())


def _tuples(value: Any) -> Any:
    return tuple(_tuples(inner) for inner in value) if isinstance(value, list) else value


InlineArray = Annotated[
    Any,
    BeforeValidator(_as_inline),
    WithJsonSchema({"type": "array", "title": "numbers, nested by axis"}),
]
"""Numbers, nested by axis, that stand in the JSON itself: no array is stored beside it."""


class Decided(Record):
    """One decision on what is whole, on the way from the root of the search to a leaf."""

    kind: Literal["setup", "cells", "count", "only", "active"]
    platform: int = -1
    factory: int = -1
    column: int = -1
    rows: tuple[int, ...] = ()
    workload: int = -1
    data_center: int = -1
    period: int = -1
    yes: bool = Field(default=True, description="set up; there; at least")
    low: float = 0.0
    high: float = NO_LIMIT


class PlaceDuals(Record):
    """Prices of decisions on timing, for rows at a data center (-1: all)."""

    rows: tuple[int, ...]
    data_center: int
    cap: InlineArray  # (V,) USD per block at work
    floor: InlineArray  # (V,) USD per block there


class CountDual(Record):
    """Price of a decision on how many blocks of some rows are built for a site (-1: all)."""

    rows: tuple[int, ...]
    data_center: int
    usd: float


class LeafProof(Record):
    """One end of the search: its decisions and the prices that bound every plan under them."""

    decisions: tuple[Decided, ...]
    bound_usd: float
    dual_row: tuple[int, ...]
    dual_usd: tuple[float, ...] = Field(description="USD per unit of the limit, others are 0")
    setup_total: InlineArray  # (2, Q, F)
    counts: tuple[CountDual, ...] = ()
    places: tuple[PlaceDuals, ...] = ()


class Incumbent(Record):
    """The plan: entries that are not zero."""

    surplus_usd: float
    built: InlineArray  # (n, 5): row, factory, data center, bucket, blocks
    at_work: InlineArray  # (n, 5): row, workload, data center, period, blocks
    setups: InlineArray  # (n, 2): platform, factory
    core: InlineArray  # (n, 2): column, value


class Certificate(Record):
    """A plan with the proof of its bound.

    `data` holds the model's arrays by name, `index` the places of rows and columns in the core;
    both are described in docs/methods/build.md.
    """

    study_sha256: str
    scenario: str
    designs: tuple[str, ...]
    platforms: tuple[str, ...]
    parts: tuple[str, ...]
    factories: tuple[str, ...]
    data_centers: tuple[str, ...]
    workloads: tuple[str, ...]
    data: dict[str, InlineArray]
    index: dict[str, InlineArray]
    incumbent: Incumbent
    leaves: tuple[LeafProof, ...]
    bound_usd: float
