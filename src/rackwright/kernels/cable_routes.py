"""How long cables are that run along trays: Manhattan, over cross trays, with drops and slack."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

STOCK_M = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0,
           75.0, 100.0, 150.0, 200.0, 300.0, 500.0, 1000.0, 2000.0)  # fmt: skip
"""Lengths that cables are bought in (estimate: lengths common in vendors' lists)."""


def route_lengths(
    a_m: ArrayLike, b_m: ArrayLike, tray_height_m: float, cross_x_m: ArrayLike, same: ArrayLike
) -> Array:
    """Return how long the way of each cable is, from port to port.

    A cable rises to the tray above its row, runs along it, crosses to another row at the cross
    tray that makes the way shortest, and comes down. Within one rack it runs up or down only.

    Args:
        a_m: x, y, z of one port each [m], shape (n, 3).
        b_m: of the other port, shape (n, 3).
        tray_height_m: of all trays, above every port.
        cross_x_m: places of cross trays along the rows, shape (c,).
        same: whether both ports are in one rack, shape (n,).

    Raises:
        ValueError: a port above the tray, or rows to be joined without a cross tray.

    Returns:
        Lengths without slack [m], shape (n,).
    """
    a, b = np.asarray(a_m, dtype=float), np.asarray(b_m, dtype=float)
    inside = np.asarray(same, dtype=bool)
    if a.size and max(a[:, 2].max(), b[:, 2].max()) > tray_height_m:
        raise ValueError(f"a port lies above the tray at {tray_height_m:g} m")
    along = np.abs(a[:, 0] - b[:, 0])
    across = np.abs(a[:, 1] - b[:, 1])
    other_row = across > 0
    if np.any(other_row & ~inside):
        crosses = np.asarray(cross_x_m, dtype=float)
        if not crosses.size:
            raise ValueError("no cross tray joins the rows")
        detour = np.full(along.shape, np.inf)
        for x in crosses:
            np.minimum(detour, np.abs(a[:, 0] - x) + np.abs(b[:, 0] - x), out=detour)
        along = np.where(other_row, detour, along)
    drops = 2 * tray_height_m - a[:, 2] - b[:, 2]
    way: Array = np.where(inside, np.abs(a[:, 2] - b[:, 2]), along + across + drops)
    return way


def stock_lengths(length_m: ArrayLike, slack_fraction: float, loop_m: float) -> Array:
    """Return the length to buy for each way: with slack and a service loop at both ends.

    Raises:
        ValueError: a negative way, or one longer than any cable.
    """
    need = np.asarray(length_m, dtype=float)
    if need.size and need.min() < 0:
        raise ValueError(f"a length of {need.min():g} m is negative")
    need = need * (1 + slack_fraction) + 2 * loop_m
    stock = np.array(STOCK_M)
    at = np.searchsorted(stock, need - 1e-9)
    if need.size and at.max() >= len(stock):
        raise ValueError(f"a way of {need.max():.0f} m is longer than any cable ({stock[-1]:g} m)")
    bought: Array = stock[at]
    return bought


def tray_loads(
    a: tuple[ArrayLike, ArrayLike],
    b: tuple[ArrayLike, ArrayLike],
    crosses: ArrayLike,
    rows: int,
    positions: int,
) -> tuple[Whole, Whole]:
    """Return how many cables lie in each piece of the trays, on the ways of `route_lengths`.

    Args:
        a: row and position along it of one end, each of shape (n,).
        b: of the other end.
        crosses: positions of cross trays, shape (c,).
        rows: of the hall.
        positions: in a row.

    Returns:
        Cables over each position of each row, shape (rows, positions), and between rows r and
        r + 1 in each cross tray, shape (c, rows - 1).
    """
    (row_a, at_a), (row_b, at_b) = (
        (np.asarray(r, dtype=np.int64), np.asarray(p, dtype=np.int64)) for r, p in (a, b)
    )
    cross = np.asarray(crosses, dtype=float)
    steps = np.zeros((rows, positions + 1), np.int64)
    over = np.zeros((len(cross), max(rows, 1)), np.int64)
    same = row_a == row_b
    _run(steps, row_a[same], at_a[same], at_b[same])
    other = ~same
    if other.any() and len(cross):
        ways = np.abs(at_a[other, None] + 0.5 - cross) + np.abs(at_b[other, None] + 0.5 - cross)
        chosen = ways.argmin(axis=1)
        at = np.minimum(cross[chosen], positions - 1).astype(np.int64)
        _run(steps, row_a[other], at_a[other], at)
        _run(steps, row_b[other], at_b[other], at)
        low = np.minimum(row_a[other], row_b[other])
        high = np.maximum(row_a[other], row_b[other])
        np.add.at(over, (chosen, low), 1)
        np.add.at(over, (chosen, high), -1)
    return np.cumsum(steps, axis=1)[:, :-1], np.cumsum(over, axis=1)[:, : max(rows - 1, 0)]


def _run(steps: Whole, row: Whole, a: Whole, b: Whole) -> None:
    np.add.at(steps, (row, np.minimum(a, b)), 1)
    np.add.at(steps, (row, np.maximum(a, b) + 1), -1)
