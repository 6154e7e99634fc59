"""Set-ups: tooling and qualification paid once per platform and factory, and their tight big-M.

A platform built at a factory uses, in every window of about a quarter, some limited thing that all
its rows need: test bays, touch hours, a part, site power. With `share[d] = use[d] / limit` of one
such thing, the blocks of a window obey sum share · blocks <= set up (0 or 1). The thing is chosen
per platform, factory and window as the one that allows the fewest blocks. Two more rows cover all
windows together: one with the thing that is scarcest over the whole horizon, one that counts
blocks which can only train: a training workload keeps one block busy, another would stand idle.
This is the M of the bundle price, M[d] = 1 / share[d], as tight as one limit can make it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rackwright.build.blocks import Blocks, supply_by, touch_capacity
from rackwright.build.facts import Array, Facts, Index, Mask

WINDOW_WEEKS = 13.0


@dataclass(frozen=True)
class Setups:
    """Set-ups of Q platforms at F factories."""

    usd: Array  # (Q, F) paid today's worth
    spend: Array  # (Q, F) undiscounted
    window: Index  # (T,) window of each bucket; Y windows
    window_share: Array  # (D, F, Y) share of the window's scarcest thing that a block uses
    total_share: Array  # (2, D, F) share over all windows: of the scarcest thing; of the count
    window_thing: Index  # (Q, F, Y) index into things
    total_thing: Index  # (Q, F)
    things: tuple[str, ...]
    exists: NDArray[np.bool_]  # (Q, F) some row can be built and the set-up costs something


def setups_of(facts: Facts, blocks: Blocks) -> Setups:
    """Return costs and shares of every platform at every factory.

    The cost is paid in the first bucket in which the platform can be built there.
    """
    window = _windows(facts.edges)
    use, by_window, in_all = _things(facts, blocks, window)
    rows, makers, windows = blocks.buildable.shape[0], len(facts.factories), int(window[-1]) + 1
    platforms = len(blocks.platforms)
    window_share = np.zeros((rows, makers, windows))
    total_share = np.zeros((2, rows, makers))
    total_share[1] = _count_share(facts, blocks)[:, None]
    window_thing = np.zeros((platforms, makers, windows), dtype=np.intp)
    total_thing = np.zeros((platforms, makers), dtype=np.intp)
    usd = np.zeros((platforms, makers))
    spend = np.zeros((platforms, makers))
    exists = np.zeros((platforms, makers), dtype=bool)
    somewhere: Mask = np.asarray(blocks.buildable.any(axis=2))  # (D, F, T)
    for q in range(platforms):
        mine = np.flatnonzero((blocks.platform == q) & somewhere.any(axis=(1, 2)))
        if mine.size == 0:
            continue
        least = use[:, mine].min(axis=1)  # (R, F)
        window_thing[q] = _scarcest(by_window, least[:, :, None])
        total_thing[q] = _scarcest(in_all, least)
        f, y = np.arange(makers), np.arange(windows)
        limit = by_window[window_thing[q], f[:, None], y]
        window_share[mine] = use[window_thing[q], mine[:, None, None], f[:, None]] / limit
        total_share[0, mine] = use[total_thing[q], mine[:, None], f] / in_all[total_thing[q], f]
        first: Mask = np.asarray(somewhere[mine].any(axis=0))  # (F, T)
        exists[q] = first.any(axis=1) & (facts.setup_usd > 0)
        spend[q] = facts.setup_usd
        usd[q] = facts.setup_usd * facts.money[first.argmax(axis=1)]
    names = ("touch_hours", "bay_hours", "power", *facts.parts)
    return Setups(
        usd, spend, window, window_share, total_share, window_thing, total_thing, names, exists
    )


def _windows(edges: Array) -> Index:
    """Window of each bucket: about a quarter each, since a row per bucket is a slow program."""
    return np.asarray((edges[:-1] // WINDOW_WEEKS).astype(np.intp))


def _things(facts: Facts, blocks: Blocks, window: Index) -> tuple[Array, Array, Array]:
    """Use (R, D, F), limit by window (R, F, Y) and limit over all windows (R, F)."""
    makers, windows = len(facts.factories), int(window[-1]) + 1
    begins = np.searchsorted(window, np.arange(windows))
    ends = np.append(begins[1:], window.size) - 1
    shape = (blocks.power_w.size, makers)
    use = [blocks.touch_at_h, blocks.bay_at_h, np.broadcast_to(blocks.power_w[:, None], shape)]
    use += [np.broadcast_to(q[:, None], shape) for q in blocks.quantity.T]
    power = facts.power_w.max(axis=1).sum()
    touch = touch_capacity(facts)
    each = [
        np.add.reduceat(touch, begins, axis=1),
        np.add.reduceat(facts.bay_h, begins, axis=1),
        np.full((makers, windows), power),
    ]
    each += [np.broadcast_to(units[ends], (makers, windows)) for units in supply_by(facts)]
    once = [touch.sum(axis=1), facts.bay_h.sum(axis=1), np.full(makers, power)]
    once += [np.full(makers, units[-1]) for units in supply_by(facts)]
    return np.array(use), np.array(each), np.array(once)


def _count_share(facts: Facts, blocks: Blocks) -> Array:
    """1 / training workloads for a row that can do nothing else, 0 for other rows, (D,)."""
    trains = (blocks.rate[:, ~facts.serving] > 0).any(axis=1)
    serves = (blocks.rate[:, facts.serving] > 0).any(axis=1)
    return np.where(trains & ~serves, 1.0 / max(1, int((~facts.serving).sum())), 0.0)


def _scarcest(limit: Array, least_use: Array) -> Index:
    """Index of the thing that allows the fewest blocks; unused or absent things allow any."""
    usable = (least_use > 0) & (limit > 0) & np.isfinite(limit)
    allows = np.where(usable, limit / np.where(usable, least_use, 1.0), np.inf)
    return np.asarray(allows.argmin(axis=0))
