"""The wiring of a scale-up domain as a table: one row for each link."""

from __future__ import annotations

import csv
import io
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.kernels.fabric_ports import Wiring
from rackwright.records.scale_up import ScaleUp

COLUMNS = ("a", "a_number", "a_link", "b", "b_number", "b_port", "pairs", "length_m")


class LaidScaleUp(NamedTuple):
    """A domain with its connections and, where they run in a backplane, their lengths."""

    record: ScaleUp
    wiring: Wiring
    length_m: NDArray[np.float64]


def scale_up_text(laid: LaidScaleUp) -> str:
    """Return the links of a domain as CSV; numbers of devices and ports begin with 1."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    pairs = 2 * laid.record.lanes_per_direction or ""
    at = 0
    for block in laid.wiring.blocks:
        for a, p, b, q in zip(*(x.tolist() for x in block[2:]), strict=True):
            length = f"{laid.length_m[at]:.3f}" if at < len(laid.length_m) else ""
            writer.writerow([block.a_tier, a + 1, p + 1, block.b_tier, b + 1, q + 1, pairs, length])
            at += 1
    return text.getvalue()
