"""Decisions on what is whole: the branches of the search, and how each splits in two.

Every decision is one of five kinds. Both sides of a split together cover every plan with whole
set-ups, cells and blocks, so that the larger of the two bounds holds for their parent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

ALL = -1
"""Over all data centers together."""


@dataclass(frozen=True)
class Setup:
    """Platform q is, or is not, set up at factory f."""

    platform: int
    factory: int
    on: bool


@dataclass(frozen=True)
class Cells:
    """The cells that start at a factory in a bucket (a core column) lie in low..high."""

    column: int
    low: int
    high: float


@dataclass(frozen=True)
class Count:
    """Blocks of these rows at one data center, or (ALL) at all of them, lie in low..high."""

    rows: tuple[int, ...]
    data_center: int
    low: int
    high: float


@dataclass(frozen=True)
class Only:
    """A training workload runs on one of these rows at one site, or (ALL) at any; or on none."""

    workload: int
    rows: tuple[int, ...]
    data_center: int
    there: bool


@dataclass(frozen=True)
class Active:
    """So many blocks of these rows are complete at one data center, or (ALL) over all of them.

    At least so many from the period on, or at most so many until it.
    """

    rows: tuple[int, ...]
    data_center: int
    period: int
    at_least: bool
    blocks: int


Decision = Setup | Cells | Count | Only | Active


def split(decision: Decision) -> tuple[Decision, Decision]:
    """Return the decision and its opposite."""
    if isinstance(decision, Setup):
        return decision, replace(decision, on=not decision.on)
    if isinstance(decision, Only):
        return decision, replace(decision, there=not decision.there)
    if isinstance(decision, Active):
        step = -1 if decision.at_least else 1
        # At least m from v on, or at most m - 1 until v.
        return decision, replace(
            decision, at_least=not decision.at_least, blocks=decision.blocks + step
        )
    if decision.low > 0:
        return decision, replace(decision, low=0, high=float(decision.low - 1))
    return decision, replace(decision, low=int(decision.high) + 1, high=np.inf)


def allowed_to_train(
    decisions: tuple[Decision, ...], workload: int, rows: int, centers: int
) -> NDArray[np.bool_]:
    """Return where a training workload may run under the decisions, shape (D, K)."""
    allowed = np.ones((rows, centers), dtype=bool)
    for decision in decisions:
        if isinstance(decision, Only) and decision.workload == workload:
            here = np.zeros((rows, centers), dtype=bool)
            sites = slice(None) if decision.data_center == ALL else decision.data_center
            here[list(decision.rows), sites] = True
            allowed &= here if decision.there else ~here
    return allowed
