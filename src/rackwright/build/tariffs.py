"""Duty rates of the study on the calendar: of parts into factories, of racks into data centers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rackwright.build.bills import Bills
from rackwright.build.duties import Array, Goods, duty_rates
from rackwright.records.rates import Duty
from rackwright.records.study import Study

Index = np.ndarray[tuple[int, ...], np.dtype[np.intp]]


def part_duty(
    study: Study, bills: Bills, duties: Sequence[Duty], edges: Array
) -> tuple[Array, Index, tuple[str, ...]]:
    """Return duty rates of supplies into factories, the group of each factory, and notes.

    Factories that pay the same duties share their parts: with everything known ahead, a part
    bought for one of them may as well be used at another.

    Args:
        study: supplies with their origin, factories with their country.
        bills: says which component a part is the package of.
        duties: dated customs measures.
        edges: bucket edges [weeks], shape (T + 1,).

    Returns:
        Rates of shape (S, G, T), groups of shape (F,), notes.
    """
    buckets = edges.size - 1
    table = np.zeros((len(study.supplies), len(study.factories), buckets))
    notes: list[str] = []
    for i, supply in enumerate(study.supplies):
        keys = tuple(k for k in (supply.part, bills.component.get(supply.part)) if k)
        goods = Goods(supply.hts, supply.origin, keys)
        for f, maker in enumerate(study.factories):
            table[i, f], said = duty_rates(goods, maker.country, duties, study.start, edges)
            notes.extend(said)
    each = table.transpose(1, 0, 2).reshape(len(study.factories), -1)
    _, first, group = np.unique(each, axis=0, return_index=True, return_inverse=True)
    return table[:, first], group.astype(np.intp).ravel(), tuple(dict.fromkeys(notes))


def rack_duty(
    study: Study, bills: Bills, duties: Sequence[Duty], edges: Array, transit: Array
) -> tuple[Array, tuple[str, ...]]:
    """Return duty rates of finished racks into data centers, (A, F, K, T), and notes.

    A rack originates where it is assembled, and enters when its transit is over.

    Args:
        study: factories with the heading of their racks, data centers with their country.
        bills: the accelerators, A of them, that racks are built around.
        duties: dated customs measures.
        edges: bucket edges [weeks], shape (T + 1,).
        transit: weeks from factory to data center, shape (F, K).
    """
    makers, centers = study.factories, study.data_centers
    table = np.zeros((len(bills.accelerators), len(makers), len(centers), edges.size - 1))
    notes: list[str] = []
    for f, maker in enumerate(makers):
        for k, center in enumerate(centers):
            for a, accelerator in enumerate(bills.accelerators):
                goods = Goods(maker.rack_hts, maker.country, (accelerator,))
                table[a, f, k], said = duty_rates(
                    goods, center.country, duties, study.start, edges + transit[f, k]
                )
                notes.extend(said)
    return table, tuple(dict.fromkeys(notes))
