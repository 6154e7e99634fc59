"""Loop 1's answer: what every row of the space is worth at BUILD's prices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.records.prices import Priced, Prices
from rackwright.records.space import LEVELS, Space, SpaceRow

Array = NDArray[np.float64]

NOT_BUILDABLE = -1e30
"""Worth of a block that cannot be built or would arrive after the horizon."""


def price(space: Space, prices: Prices) -> Priced:
    """Return what one block of each row is worth, less what it costs, on every route.

    The formula is in `records.prices.Prices`. It is a few matrix products over all rows, so the
    whole space is priced at once and exactly: a row that no column of the plan uses yet is
    priced as if it were in it.

    Args:
        space: rows of D designs; rates (D, W, S) with their weights.
        prices: what BUILD pays and earns at the margin.

    Returns:
        `worth_usd` of shape (D, F, K, T); `NOT_BUILDABLE` where a row cannot be built.
    """
    rows = _rows(space, prices)
    worth = _worth_from(rows, prices)  # (D, K, V + 1): of a block at work from period v on
    cost = _cost(rows, prices)  # (D, F, K, T)
    arrival = prices.arrival.astype(np.intp)  # (F, K, T); -1 picks the padding below
    k = np.arange(len(prices.data_centers))[None, :, None]
    gain = worth[:, k, arrival]  # (D, F, K, T)
    buildable = (arrival >= 0)[None] & (
        rows.first_week[:, None, None, None] < prices.bucket_end_week
    )
    return Priced(worth_usd=np.where(buildable, gain - cost, NOT_BUILDABLE))


class _Rows(NamedTuple):
    """The numbers of all rows that prices multiply."""

    accelerator: NDArray[np.intp]  # (D,)
    rate: Array  # (D, W)
    average_power_w: Array  # (D, W)
    power_w: Array  # (D,)
    liquid_w: Array
    air_w: Array
    floor_m2: Array
    mass_kg: Array
    price_usd: Array
    stated_usd: Array
    first_week: Array
    parts: Array  # (D, P)
    touch: Array  # (D, L)
    bay: Array  # (D, L)


def expected_rates(space: Space) -> Array:
    """Return the rates over the worlds as weighted now: tokens/s per block, shape (D, W)."""
    return np.asarray(space.rates @ space.parameters.weights)


def _rows(space: Space, prices: Prices) -> _Rows:
    rows = space.rows
    column = {part: i for i, part in enumerate(prices.parts)}
    quantity = np.zeros((len(rows), len(prices.parts)))
    stated = np.zeros(len(rows))
    for d, row in enumerate(rows):
        for line in row.bill:
            if line.part in column:
                p = column[line.part]
                quantity[d, p] += line.quantity
                stated[d] += prices.part_stated[p] * line.quantity * line.unit_usd
    return _Rows(
        accelerator=np.array(
            [prices.accelerators.index(row.accelerator) for row in rows], dtype=np.intp
        ),
        rate=expected_rates(space),
        average_power_w=np.array(
            [[0.0 if s is None else s.average_power_w for s in row.services] for row in rows]
        ),
        power_w=_column(rows, "provisioned_power_w"),
        liquid_w=_column(rows, "liquid_w"),
        air_w=_column(rows, "air_w"),
        floor_m2=_column(rows, "floor_m2"),
        mass_kg=_column(rows, "mass_kg"),
        price_usd=_column(rows, "price_usd"),
        stated_usd=stated,
        first_week=_column(rows, "first_week"),
        parts=quantity,
        touch=_hours(rows, "touch_hours"),
        bay=_hours(rows, "bay_hours"),
    )


def _column(rows: Sequence[SpaceRow], name: str) -> Array:
    return np.array([getattr(row, name) for row in rows], dtype=float)


def _hours(rows: Sequence[SpaceRow], name: str) -> Array:
    table = np.zeros((len(rows), len(LEVELS)))
    for d, row in enumerate(rows):
        for hours in row.hours:
            table[d, LEVELS.index(hours.level)] += getattr(hours, name)
    return table


def _worth_from(rows: _Rows, prices: Prices) -> Array:
    """Value of a block from each period of arrival on, shape (D, K, V + 1); the last is 0."""
    best = np.zeros((len(rows.power_w), *prices.energy_usd_per_w.shape))  # idle is free
    for w in range(len(prices.workloads)):
        earned = (
            rows.rate[:, w, None, None] * prices.rate_usd[w]
            - prices.gang_usd[w]
            - rows.average_power_w[:, w, None, None] * prices.energy_usd_per_w
        )
        # A row that cannot serve w has rate 0 and earns at most 0: it never beats idling.
        np.maximum(best, earned, out=best)
    held = (
        rows.power_w[:, None, None] * prices.power_usd_per_w
        + rows.liquid_w[:, None, None] * prices.liquid_usd_per_w
        + rows.air_w[:, None, None] * prices.air_usd_per_w
        + rows.floor_m2[:, None, None] * prices.floor_usd_per_m2
    )
    from_here = np.cumsum((best - held)[:, :, ::-1], axis=2)[:, :, ::-1]
    worth = from_here + prices.salvage * rows.price_usd[:, None, None]
    return np.concatenate([worth, np.zeros((*worth.shape[:2], 1))], axis=2)


def _cost(rows: _Rows, prices: Prices) -> Array:
    """Cost of one block on every route, shape (D, F, K, T)."""
    built = (
        np.einsum("dp,pft->dft", rows.parts, prices.part_usd)
        + (rows.price_usd - rows.stated_usd)[:, None, None] * prices.money
        + np.einsum("dl,lft->dft", rows.touch, prices.touch_usd)
        + np.einsum("dl,lft->dft", rows.bay, prices.bay_usd)
    )
    freight = rows.mass_kg[:, None, None, None] * prices.mass_usd_per_kg
    duty = prices.rack_duty[rows.accelerator] * rows.price_usd[:, None, None, None]
    return np.asarray(built[:, :, None, :] + freight + duty * prices.money[:, None, :])
