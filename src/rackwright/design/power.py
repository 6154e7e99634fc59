"""Average power of a block at work: what each part of the time lets an accelerator draw."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rackwright.design.parameters import value
from rackwright.records.errors import InputError
from rackwright.records.hardware import Hardware
from rackwright.records.space import Parameters

Array = NDArray[np.float64]

_PRODUCTS = ("matmul", "attention", "vocabulary head", "prefill attention")
_STREAMS = ("memory passes", "optimizer", "cache read")
_EITHER = ("weights and products", "expert weights and products")


def average_power(
    block: Hardware,
    parameters: Parameters,
    names: Sequence[str],
    parts: Array,
    prefill: float,
    used: float,
) -> tuple[float, Array]:
    """Return the IT power of a block while a plan runs [W]: nominal, and in each draw (S,).

    An accelerator draws one share of its rated power while it multiplies, one while it streams
    memory, one while it waits; what stands idle in the block waits. Hosts, switches and fans
    draw their whole budget. Never more than the racks reserve.

    Args:
        block: the hardware.
        parameters: holds the three shares.
        names: of the parts of a step.
        parts: their times [s].
        prefill: share of the time in steps with prefill, where serving products are bound by
            arithmetic and not by memory.
        used: share of the block's accelerators that work.

    Raises:
        InputError: the accelerator's rated power is not in the catalog.
    """
    if block.accelerator.tdp_w is None:
        raise InputError([f"{block.accelerator.key}: tdp_w is not catalogued; power needs it"])
    share = dict(zip(names, parts / parts.sum(), strict=True))
    either = sum(share.get(name, 0.0) for name in _EITHER)
    products = sum(share.get(name, 0.0) for name in _PRODUCTS) + prefill * either
    streams = sum(share.get(name, 0.0) for name in _STREAMS) + (1.0 - prefill) * either
    waits = max(1.0 - products - streams, 0.0)
    family = block.accelerator.family
    nominal, draws = 0.0, np.zeros(parameters.values.shape[0])
    for entry, weight in (
        ("power.compute", used * products),
        ("power.memory", used * streams),
        ("power.wait", used * waits + 1.0 - used),
    ):
        middle, drawn = value(parameters, family, entry)
        nominal += weight * middle
        draws += weight * drawn
    rated = block.accelerators * block.accelerator.tdp_w
    fixed, limit = block.racks * block.rack_overhead_w, block.racks * block.rack_provisioned_w
    return min(rated * nominal + fixed, limit), np.minimum(rated * draws + fixed, limit)
