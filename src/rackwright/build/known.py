"""An earlier plan as a start: its structure, tried under today's limits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rackwright.build.branch import Cells, Count, Decision, Only, Setup
from rackwright.build.facts import Array
from rackwright.build.model import Model
from rackwright.build.whole import NEAR, complete_as
from rackwright.records.plan import BuildPlan


def known_rows(model: Model, keys: Sequence[str], plans: Sequence[BuildPlan]) -> list[int]:
    """Return the rows that can be built here among named designs and those of earlier plans."""
    place = {key: i for i, key in enumerate(model.blocks.keys)}
    open_rows = np.asarray(model.blocks.buildable.any(axis=(1, 2, 3)))
    names = dict.fromkeys([*keys, *(d for plan in plans for d in plan.designs)])
    return [place[key] for key in names if key in place and open_rows[place[key]]]


def structure_of(model: Model, plan: BuildPlan) -> tuple[Decision, ...] | None:
    """Return what is whole in an earlier plan, as decisions; None when it does not fit the model.

    Args:
        model: of today's question; names of designs, factories and sites are looked up in it.
        plan: made for the same horizon.
    """
    facts, blocks = model.facts, model.blocks
    edges = list(zip(facts.edges[:-1].tolist(), facts.edges[1:].tolist(), strict=True))
    if list(plan.buckets) != edges:
        return None
    x, n = np.zeros(blocks.buildable.shape), np.zeros((*blocks.rate.shape, *facts.power_w.shape))
    try:
        for one in plan.deliveries:
            d, f = blocks.keys.index(one.design), facts.factories.index(one.factory)
            x[d, f, facts.data_centers.index(one.data_center), one.bucket] += one.blocks
        for work in plan.assignments:
            d, w = blocks.keys.index(work.design), facts.workloads.index(work.workload)
            n[d, w, facts.data_centers.index(work.data_center), work.period] += work.blocks
        cells = {(facts.factories.index(c.factory), c.bucket): c.cells for c in plan.cells}
    except ValueError:  # a name that this question does not have
        return None
    return (*_setups(model, x), *_cells(model, cells), *_training(model, n), *_blocks(model, x))


def _setups(model: Model, x: Array) -> list[Decision]:
    used = np.zeros(model.setups.usd.shape)
    np.add.at(used, model.blocks.platform, x.sum(axis=(2, 3)))
    return [
        Setup(int(q), int(f), bool(used[q, f] > NEAR)) for q, f in np.argwhere(model.setups.exists)
    ]


def _cells(model: Model, cells: dict[tuple[int, int], int]) -> list[Decision]:
    where = model.core.column.cells
    return [
        Cells(
            int(where[f, t]), cells.get((int(f), int(t)), 0), float(cells.get((int(f), int(t)), 0))
        )
        for f, t in np.argwhere(where >= 0)
    ]


def _training(model: Model, n: Array) -> list[Decision]:
    usd = (n @ model.facts.work_s) * model.blocks.rate[:, :, None]  # (D, W, K)
    decided: list[Decision] = []
    for w in np.flatnonzero(~model.facts.serving):
        d, k = np.unravel_index(int(usd[:, w].argmax()), usd[:, w].shape)
        rows = (int(d),) if usd[d, w, k] > 0 else ()
        decided.append(Only(int(w), rows, int(k), True))
    return decided


def _blocks(model: Model, x: Array) -> list[Decision]:
    counts = x.sum(axis=(1, 3))  # (D, K)
    decided: list[Decision] = [
        Count((int(d),), int(k), round(float(counts[d, k])), float(round(float(counts[d, k]))))
        for d, k in np.argwhere((counts > NEAR) & model.blocks.whole[:, None])
    ]
    for k in range(counts.shape[1]):
        others = np.flatnonzero(model.blocks.whole & (counts[:, k] <= NEAR))
        if others.size:
            decided.append(Count(tuple(int(d) for d in others), k, 0, 0.0))
    return [*decided, *complete_as(model, x)]
