"""Customs duty of goods on a route, bucket by bucket, from dated measures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.records.rates import Duty

Array = NDArray[np.float64]

END_USE = "us_data_center"


class Goods(NamedTuple):
    """What crosses a border."""

    hts: str  # tariff heading
    origin: str  # ISO 3166 code of the country
    keys: tuple[str, ...]  # of the catalog: the part itself, and the component it is, or holds


def duty_rates(
    goods: Goods, destination: str, duties: Sequence[Duty], start: date, edges: Array
) -> tuple[Array, tuple[str, ...]]:
    """Return the ad-valorem duty on goods into a country, averaged over each bucket.

    Measures add up, unless one's data names another that it does not stack with: of such a
    pair the higher rate is charged. A measure that exempts the end use is not charged, and
    what is made in the country itself pays none. A measure without a first day is a scenario
    and not in force.

    Args:
        goods: heading, origin and what they are.
        destination: country that they enter.
        duties: dated measures.
        start: day on which week 0 begins.
        edges: bucket edges [weeks], shape (T + 1,).

    Returns:
        Rates as fractions of the goods' price, shape (T,), and notes on what was not charged
        because its data are incomplete.
    """
    if destination == goods.origin:
        return np.zeros(edges.size - 1), ()
    hitting = [duty for duty in duties if _touches(duty, goods, destination)]
    touching = [duty for duty in hitting if duty.valid_from is not None]
    notes = [
        f"duty {d.key}: it has no first day, so it is not charged"
        for d in hitting
        if d.valid_from is None
    ]
    if not touching:
        return np.zeros(edges.size - 1), tuple(notes)
    days = int(np.ceil(edges[-1] * 7))
    rates = np.zeros((len(touching), days))
    for i, duty in enumerate(touching):
        for first, last, rate in _spans(duty, start, days):
            if rate is None:
                notes.append(f"duty {duty.key}: a rate from {first} days on is not announced: 0")
            rates[i, first:last] = rate or 0.0
    daily = _stacked(rates, touching)
    cumulative = np.concatenate([[0.0], np.cumsum(daily)])
    at_edge = np.interp(edges * 7, np.arange(days + 1), cumulative)
    return np.diff(at_edge) / np.diff(edges * 7), tuple(notes)


def _touches(duty: Duty, goods: Goods, destination: str) -> bool:
    if duty.destinations and destination not in duty.destinations:
        return False
    if duty.origins_hit and goods.origin not in duty.origins_hit:
        return False
    if goods.origin in duty.origins_exempt:
        return False
    if END_USE in duty.end_uses_exempt:
        return False
    if duty.components_hit and not set(goods.keys) & set(duty.components_hit):
        return False
    if duty.hts_headings and not _under(goods.hts, duty.hts_headings):
        return False
    return not _under(goods.hts, duty.hts_excepted)


def _under(hts: str, headings: Sequence[str]) -> bool:
    return bool(hts) and any(hts.startswith(heading) for heading in headings)


def _spans(duty: Duty, start: date, days: int) -> Iterator[tuple[int, int, float | None]]:
    """Yield (first day, day after the last, rate) of a measure, clipped to the horizon."""
    assert duty.valid_from is not None, "undated measures are left out before"
    begin = (duty.valid_from - start).days
    end = days if duty.valid_to is None else (duty.valid_to - start).days + 1
    steps = sorted(duty.steps, key=lambda step: step.day)
    marks = [(begin, duty.rate), *(((step.day - start).days, step.rate) for step in steps)]
    for (first, rate), after in zip(marks, [*(m[0] for m in marks[1:]), end], strict=True):
        low, high = max(first, 0), min(after, end, days)
        if low < high:
            yield low, high, rate


def _stacked(rates: Array, duties: Sequence[Duty]) -> Array:
    """Sum the measures day by day; of two that do not stack, the higher counts."""
    total = np.zeros(rates.shape[1])
    kept = rates.copy()
    for i, one in enumerate(duties):
        for j, other in enumerate(duties):
            if i < j and (other.key in one.not_stacked_with or one.key in other.not_stacked_with):
                lower = rates[i] < rates[j]
                kept[i, lower] = 0.0
                kept[j, ~lower] = 0.0
    for row in kept:
        total += row
    return total
