"""The plan in every world: assignments kept, work as fast as that world's hardware does it."""

from __future__ import annotations

import numpy as np

from rackwright.build.facts import Array
from rackwright.build.model import Model, Point, installed
from rackwright.records.space import Space


def surplus_by_world(model: Model, point: Point, space: Space, surplus_usd: float) -> Array:
    """Return what the plan is worth in each world, shape (S,).

    Blocks, assignments and costs stay. Served work is at most the demand. A training job goes
    on in its block, where nothing else is assigned to it, until its tokens are done: a slow
    world finishes later, a fast one earlier.

    Args:
        model: values on the calendar.
        point: the plan.
        space: rates (D, W, S).
        surplus_usd: worth of the plan at expected rates.
    """
    facts, blocks = model.facts, model.blocks
    worlds = space.rates.shape[2]
    expected = (point.n * blocks.rate[:, :, None, None]).sum(axis=(0, 2))  # (W, V)
    planned = float((expected * facts.value_usd).sum())
    earned = np.zeros(worlds)
    used = np.flatnonzero(point.n.any(axis=(1, 2, 3)))
    at_work = point.n[used].sum(axis=2)  # (d, W, V)
    idle = installed(point.x[used], facts) - point.n[used].sum(axis=1)  # (d, K, V)
    for w in range(len(facts.workloads)):
        rates = space.rates[used, w]  # (d, S)
        if facts.serving[w]:
            rate = np.einsum("ds,dv->sv", rates, at_work[:, w])
            limit = facts.demand[w] / facts.availability
            earned += np.minimum(rate, limit) @ facts.value_usd[w]
            continue
        here = (point.n[used, w].sum(axis=2) > 0)[:, :, None]  # blocks that train w
        spare = np.where(here, np.maximum(idle, 0.0), 0.0).sum(axis=1)  # (d, V)
        busy = at_work[:, w] + spare
        busy *= np.minimum(1.0, 1.0 / np.maximum(busy.sum(axis=0), 1e-12))  # one block at a time
        rate = np.einsum("ds,dv->sv", rates, busy)
        done = np.minimum((rate * facts.work_s).cumsum(axis=1), facts.wanted[w])
        each = np.diff(done, axis=1, prepend=0.0)  # tokens by period
        worked = facts.work_s > 0
        usd = np.where(worked, facts.value_usd[w] / np.where(worked, facts.work_s, 1.0), 0.0)
        earned += each @ usd
    return np.asarray(surplus_usd - planned + earned)
