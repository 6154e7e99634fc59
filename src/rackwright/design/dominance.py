"""Which rows no price can ever prefer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rackwright.records.space import LEVELS, SpaceRow

Array = NDArray[np.float64]


def undominated(rows: tuple[SpaceRow, ...], rates: Array) -> list[int]:
    """Return the indices of the rows that some prices could prefer, in order.

    A row is dropped only if another of the same platform is no worse in every component (each
    part of the bill, power, heat, floor, mass, hours, price, first week, coolant limit) and in
    every workload in every world, average power included. Another platform never drops a row:
    it would need a set-up of its own. Of equal rows the first stays.

    Args:
        rows: D rows.
        rates: shape (D, W, S).
    """
    need = _needs(rows)
    gives = _gives(rows, rates)
    names = sorted({row.platform for row in rows})
    platforms = np.array([names.index(row.platform) for row in rows])
    kept: list[int] = []
    for d in range(len(rows)):
        same = np.flatnonzero(platforms == platforms[d])
        no_worse = np.all(need[same] <= need[d], axis=1) & np.all(gives[same] >= gives[d], axis=1)
        better = no_worse & (
            np.any(need[same] < need[d], axis=1) | np.any(gives[same] > gives[d], axis=1)
        )
        equal_before = no_worse & ~better & (same < d)
        if not (np.any(better) or np.any(equal_before)):
            kept.append(d)
    return kept


def _needs(rows: tuple[SpaceRow, ...]) -> Array:
    """All that a row costs, shape (D, n): less is better."""
    parts = sorted({line.part for row in rows for line in row.bill})
    column = {part: i for i, part in enumerate(parts)}
    bill = np.zeros((len(rows), len(parts)))
    hours = np.zeros((len(rows), 2 * len(LEVELS)))
    scalars = np.zeros((len(rows), 8))
    for d, row in enumerate(rows):
        for line in row.bill:
            bill[d, column[line.part]] += line.quantity
        for entry in row.hours:
            level = LEVELS.index(entry.level)
            hours[d, 2 * level] += entry.touch_hours
            hours[d, 2 * level + 1] += entry.bay_hours
        scalars[d] = (
            row.provisioned_power_w,
            row.liquid_w,
            row.air_w,
            row.floor_m2,
            row.mass_kg,
            row.price_usd,
            row.first_week,
            -row.max_coolant_supply_c,
        )
    power = np.array([[0.0 if s is None else s.average_power_w for s in r.services] for r in rows])
    return np.concatenate([bill, hours, scalars, power], axis=1)


def _gives(rows: tuple[SpaceRow, ...], rates: Array) -> Array:
    """All that a row does, shape (D, W · S): more is better."""
    return rates.reshape(len(rows), -1)
