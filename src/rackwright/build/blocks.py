"""The space as arrays: what one block of each row uses, does, and where it may be built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rackwright.build.facts import Array, Facts, Index
from rackwright.records.space import LEVELS, Space
from rackwright.records.study import Study


@dataclass(frozen=True)
class Blocks:
    """One line per row of the space. D rows; other axes as in `facts`."""

    keys: tuple[str, ...]
    platforms: tuple[str, ...]
    platform: Index  # (D,)
    accelerator: Index  # (D,) place among those of the facts
    rate: Array  # (D, W) tokens/s, expected over the worlds as weighted now
    average_power_w: Array  # (D, W)
    power_w: Array  # (D,)
    liquid_w: Array
    air_w: Array
    floor_m2: Array
    mass_kg: Array
    price_usd: Array
    other_usd: Array  # (D,) price less the parts that are paid on arrival, at the bill's prices
    quantity: Array  # (D, P)
    billed_usd: Array  # (D, P) the parts at the bill's prices
    touch_h: Array  # (D, L) at list
    bay_h: Array  # (D, L)
    racks: Array  # (D,)
    touch_at_h: Array  # (D, F) rework included
    bay_at_h: Array  # (D, F) retest included
    first_week: Array  # (D,)
    max_coolant_c: Array  # (D,)
    allowed: NDArray[np.bool_]  # (D,)
    buildable: NDArray[np.bool_]  # (D, F, K, T)
    whole: NDArray[np.bool_]  # (D,) counted in whole blocks by the bucketed plan
    needs_all: NDArray[np.bool_]  # (D, W) works only when the block is complete


def blocks_of(study: Study, space: Space, facts: Facts, whole_share: float) -> Blocks:
    """Return the rows of the space as arrays.

    Args:
        study: for the platforms that it allows.
        space: D rows with rates (D, W, S).
        facts: the study on the calendar.
        whole_share: a block is counted in whole numbers when one takes more than this share of
            the power of all sites together. It may be built over several buckets; training, and
            serving as one replica, waits until it is complete.

    Returns:
        The arrays, with `buildable` false on every route that some limit forbids outright.
    """
    rows = space.rows
    platforms = tuple(dict.fromkeys(row.platform for row in rows))
    place = {name: i for i, name in enumerate(platforms)}
    quantity, billed = _bills(space, facts.parts)
    touch = _hours(space, "touch_hours")
    bay = _hours(space, "bay_hours")
    racks = np.array([float(row.racks) for row in rows])
    power = np.array([row.provisioned_power_w for row in rows])
    whole = power > whole_share * facts.power_w.max(axis=1).sum()
    choice = study.objective.allowed_platforms
    allowed = np.array([not choice or row.platform in choice for row in rows], dtype=bool)
    rework = (1 - facts.first_pass_yield) * facts.rework_h
    blocks = Blocks(
        keys=tuple(row.key for row in rows),
        platforms=platforms,
        platform=np.array([place[row.platform] for row in rows], dtype=np.intp),
        accelerator=np.array(
            [facts.accelerators.index(row.accelerator) for row in rows], dtype=np.intp
        ),
        rate=np.asarray(space.rates @ space.parameters.weights),
        average_power_w=np.array(
            [[0.0 if s is None else s.average_power_w for s in row.services] for row in rows]
        ).reshape(len(rows), len(facts.workloads)),
        power_w=power,
        liquid_w=np.array([row.liquid_w for row in rows]),
        air_w=np.array([row.air_w for row in rows]),
        floor_m2=np.array([row.floor_m2 for row in rows]),
        mass_kg=np.array([row.mass_kg for row in rows]),
        price_usd=np.array([row.price_usd for row in rows]),
        other_usd=np.array([row.price_usd for row in rows]) - billed @ facts.part_stated,
        quantity=quantity,
        billed_usd=billed,
        touch_h=touch,
        bay_h=bay,
        racks=racks,
        touch_at_h=touch.sum(axis=1)[:, None] + racks[:, None] * rework,
        bay_at_h=bay.sum(axis=1)[:, None] / facts.first_pass_yield,
        first_week=np.array([row.first_week for row in rows]),
        max_coolant_c=np.array([row.max_coolant_supply_c for row in rows]),
        allowed=allowed,
        buildable=np.zeros((len(rows), *facts.arrival.shape), dtype=bool),
        whole=whole,
        needs_all=whole[:, None] & (_one_replica(space) | ~facts.serving),
    )
    return Blocks(**{**vars(blocks), "buildable": _buildable(blocks, facts)})


def supply_by(facts: Facts) -> Array:
    """Return the units of each part that can have arrived by the end of each bucket, (P, T)."""
    units = np.zeros((len(facts.parts), facts.edges.size - 1))
    arrivals = facts.supply_units.copy()
    if arrivals.size:
        arrivals[:, 0] += facts.supply_stock
        np.add.at(units, facts.supply_part, arrivals)
    return np.asarray(units.cumsum(axis=1))


def touch_capacity(facts: Facts) -> Array:
    """Return the most touch hours of each factory and bucket with every cell bought, (F, T)."""
    t = np.arange(facts.edges.size - 1)
    cells = np.where(t >= facts.cell_first[:, None], facts.cells_max[:, None], 0.0)
    by_cells = cells * facts.cell_h_per_week[:, None] * facts.period_weeks[:-1]
    share = np.where(facts.cell_share < 1, facts.cell_share, 0.0)[:, None]
    shared = facts.people_h / (1 - share)
    limit = np.where(facts.cell_share[:, None] < 1, shared, np.inf)
    return np.asarray(np.minimum(facts.people_h + by_cells, limit))


def _one_replica(space: Space) -> NDArray[np.bool_]:
    """Where a block serves as one replica: the racks of others serve as they come, (D, W)."""
    return np.array(
        [[s is None or s.plan.replicas == 1 for s in row.services] for row in space.rows],
        dtype=bool,
    ).reshape(len(space.rows), len(space.workloads))


def typical_usd(facts: Facts, blocks: Blocks) -> float:
    """Return the money of a typical rack: its price or its work, whichever is more.

    The solver counts in it, so that its tolerances mean the same in small and large studies.
    """
    earns = (blocks.rate * facts.value_usd.sum(axis=1)).max(axis=1, initial=0.0)
    each = np.maximum(earns, blocks.price_usd) / blocks.racks
    each = each[blocks.buildable.any(axis=(1, 2, 3))]
    return float(np.median(each)) if each.size else 1.0


def _buildable(blocks: Blocks, facts: Facts) -> NDArray[np.bool_]:
    """Routes on which no limit is zero: what is left out here no price could bring back."""
    arrives = facts.arrival >= 0
    live = np.minimum.accumulate(facts.power_w[:, ::-1], axis=1)[:, ::-1]  # least from v on
    k = np.arange(len(facts.data_centers))[None, :, None]
    arrives &= live[k, facts.arrival] > 0
    begun = blocks.first_week[:, None] < facts.edges[1:]
    cool = blocks.max_coolant_c[:, None] >= facts.coolant_c
    fits = cool & (facts.floor_m2 > 0)
    fits &= (blocks.liquid_w[:, None] <= 0) | (facts.liquid_w > 0)
    fits &= (blocks.air_w[:, None] <= 0) | (facts.air_w > 0)
    hours = (blocks.touch_at_h[:, :, None] <= 0) | (touch_capacity(facts) > 0)
    hours &= (blocks.bay_at_h[:, :, None] <= 0) | (facts.bay_h > 0)
    supplied = ~((blocks.quantity > 0) @ (supply_by(facts) <= 0).astype(float) > 0)  # (D, T)
    useful = blocks.allowed & (blocks.rate > 0).any(axis=1)
    return np.asarray(
        arrives
        & (begun & supplied & useful[:, None])[:, None, None, :]
        & fits[:, None, :, None]
        & hours[:, :, None, :]
    )


def _bills(space: Space, parts: Sequence[str]) -> tuple[Array, Array]:
    column = {part: i for i, part in enumerate(parts)}
    quantity = np.zeros((len(space.rows), len(parts)))
    billed = np.zeros_like(quantity)
    for d, row in enumerate(space.rows):
        for line in row.bill:
            p = column.get(line.part)
            if p is not None:
                quantity[d, p] += line.quantity
                billed[d, p] += line.quantity * line.unit_usd
    return quantity, billed


def _hours(space: Space, name: str) -> Array:
    table = np.zeros((len(space.rows), len(LEVELS)))
    for d, row in enumerate(space.rows):
        for hours in row.hours:
            table[d, LEVELS.index(hours.level)] += getattr(hours, name)
    return table
