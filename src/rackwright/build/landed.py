"""What one block of each design of the plan costs delivered, undiscounted."""

from __future__ import annotations

import numpy as np

from rackwright.build.facts import Array, Index
from rackwright.build.model import Model, Point, rack_duty_usd
from rackwright.records.plan import LandedCost


def landed_costs(model: Model, point: Point) -> tuple[LandedCost, ...]:
    """Return the landed cost of each design of the plan.

    Parts that are paid on arrival, and duty, are at the plan's average per unit, others at the
    price in the design's bill; hours at its average cost per hour;
    cells are shared by touch hours, a set-up by the blocks of its platform at the factory. The
    shares add up to all that the plan spends to build.

    Args:
        model: costs.
        point: the plan.
    """
    facts, blocks = model.facts, model.blocks
    built = point.x.sum(axis=3)  # (D, F, K)
    number = built.sum(axis=(1, 2))
    part_usd, duty_usd = _per_unit(model, point)
    hours = built.sum(axis=2) * blocks.touch_at_h  # (D, F)
    per_hour, cells = _per_hour(model, point, hours.sum(axis=0))
    at_factory = built.sum(axis=2)  # (D, F)
    platform_blocks = np.zeros(point.setup.shape)
    np.add.at(platform_blocks, blocks.platform, at_factory)
    setup = _ratio(point.setup * model.setups.spend, platform_blocks)[blocks.platform]  # (D, F)
    freight = (built * facts.freight_usd_per_kg).sum(axis=(1, 2)) * blocks.mass_kg
    bays = (at_factory * blocks.bay_at_h * facts.bay_usd_per_h).sum(axis=1)
    racks_usd = (point.x * rack_duty_usd(facts, blocks)).sum(axis=(1, 2, 3))
    rows = []
    for d in np.flatnonzero(number > 0):
        parts = float(blocks.quantity[d] @ part_usd + blocks.other_usd[d])
        duty = float(blocks.quantity[d] @ duty_usd + racks_usd[d] / number[d])
        labour = float(hours[d] @ per_hour + bays[d]) / number[d]
        shared = float(at_factory[d] @ setup[d] + hours[d] @ cells) / number[d]
        moved = float(freight[d] / number[d])
        rows.append(
            LandedCost(
                design=blocks.keys[d],
                usd_per_block=parts + duty + labour + moved + shared,
                parts_usd=parts,
                duty_usd=duty,
                labour_usd=labour,
                freight_usd=moved,
                setup_usd=shared,
            )
        )
    return tuple(rows)


def _per_unit(model: Model, point: Point) -> tuple[Array, Array]:
    """Average price and duty of a unit of each part as the plan buys it, (P,) each."""
    facts, column = model.facts, model.core.column
    bought = _values(point.core, column.buy)  # (S, G, T)
    units = bought.sum(axis=(1, 2)) + _values(point.core, column.take).sum(axis=1)
    duty = (bought * facts.supply_duty).sum(axis=(1, 2)) * facts.supply_value_usd
    total, usd, paid = (np.zeros(len(facts.parts)) for _ in range(3))
    np.add.at(total, facts.supply_part, units)
    np.add.at(usd, facts.supply_part, units * facts.supply_unit_usd)
    np.add.at(paid, facts.supply_part, duty)
    return _ratio(usd, total), _ratio(paid, total)


def _per_hour(model: Model, point: Point, hours: Array) -> tuple[Array, Array]:
    """Average cost of a touch hour, and of the cells behind it, at each factory, (F,) each."""
    facts, column = model.facts, model.core.column
    people = _values(point.core, column.people).sum(axis=1) * facts.labour_usd_per_h
    robots = _values(point.core, column.robots).sum(axis=1) * facts.cell_usd_per_h
    cells = _values(point.core, column.cells).sum(axis=1) * facts.cell_usd
    return _ratio(people + robots, hours), _ratio(cells, hours)


def _ratio(top: Array, bottom: Array) -> Array:
    return np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1.0), 0.0)


def _values(values: Array, where: Index) -> Array:
    return np.where(where >= 0, values[np.maximum(where, 0)] if values.size else 0.0, 0.0)
