"""The base of every record: frozen, strict, finite."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    WithJsonSchema,
)


class Record(BaseModel):
    """Base of every record: frozen, strict about unknown keys, finite numbers only."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        arbitrary_types_allowed=True,
        defer_build=True,  # a command pays for the records that it uses
    )


def _as_array(value: Any) -> NDArray[np.float64]:
    array = np.array(value, dtype=np.float64)  # always a copy: nobody else holds it
    array.setflags(write=False)
    return array


def array_sha256(array: NDArray[np.float64]) -> str:
    """Return the SHA-256 of an array's shape and little-endian bytes."""
    digest = hashlib.sha256(repr(array.shape).encode())
    digest.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
    return digest.hexdigest()


def _reference(array: NDArray[np.float64]) -> dict[str, Any]:
    return {"shape": list(array.shape), "sha256": array_sha256(array)}


FloatArray = Annotated[
    NDArray[np.float64],
    BeforeValidator(_as_array),
    PlainSerializer(_reference),
    WithJsonSchema({"type": "object", "title": "reference to a Parquet file beside the record"}),
]
"""A read-only float64 array. In JSON it is a reference: its shape and hash; the numbers lie
beside the record as Parquet, named with that hash (`formats.run_folder`)."""


def canonical_json(record: Record) -> str:
    """Return the record as JSON with sorted keys: the text that hashes are taken of."""
    return json.dumps(
        record.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )


def record_sha256(record: Record) -> str:
    """Return the SHA-256 of a record's canonical JSON."""
    return hashlib.sha256(canonical_json(record).encode()).hexdigest()
