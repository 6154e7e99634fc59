"""The front: the designs that people compare, at list prices, without shortage."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.kernels.quantile import weighted_quantile
from rackwright.records.provenance import worst
from rackwright.records.space import Front, FrontRow, Space, SpaceRow
from rackwright.records.study import Study

Array = NDArray[np.float64]

HOURS_PER_YEAR = 8766.0
WEEKS_PER_YEAR = HOURS_PER_YEAR / 168.0
SECONDS_PER_YEAR = HOURS_PER_YEAR * 3600.0


def front(study: Study, space: Space) -> Front:
    """Return, for each workload, the designs that no other beats on every axis, and the baseline.

    Axes: owning cost per token, tokens per second and watt, and price of a block. Owning cost is
    price as an annuity over the economic life, energy, and what the data center charges for
    reserved power; the first data center of the study stands for all.

    Args:
        study: prices of energy and capital, the baseline's name.
        space: rows with draws; interval ends are the weighted 10 % and 90 % quantiles.
    """
    rows: list[FrontRow] = []
    for w, workload in enumerate(space.workloads):
        rows += _of_workload(study, space, w, workload)
    return Front(rows=tuple(rows))


class Owning(NamedTuple):
    """Owning cost of each row while it does one workload, over the worlds."""

    usd_per_year: Array  # (D,)
    shares: Array  # (D, 3): of the price, of energy, of reserved power
    usd_per_token: Array  # (D, S), inf where nothing is served


def owning_cost(study: Study, space: Space, w: int) -> Owning:
    """Return what each row costs per year and per token of workload w in every world."""
    center = study.data_centers[0]
    rate = study.objective.discount_rate_per_year
    years = study.objective.life_weeks / WEEKS_PER_YEAR
    annuity = rate / (1 - (1 + rate) ** -years) if rate > 0 else 1 / years
    price = np.array([row.price_usd for row in space.rows])
    power = np.array([row.provisioned_power_w for row in space.rows])
    services = [row.services[w] for row in space.rows]
    average = np.array([0.0 if s is None else s.average_power_w for s in services])
    parts = np.stack(
        [
            price * annuity,
            average * center.pue * HOURS_PER_YEAR / 1e3 * center.energy_usd_per_kwh,
            power * center.infrastructure_usd_per_w_year,
        ],
        axis=1,
    )
    per_year = parts.sum(axis=1)
    tokens = space.rates[:, w, :] * study.objective.availability * SECONDS_PER_YEAR
    with np.errstate(divide="ignore"):
        return Owning(
            per_year,
            parts / per_year[:, None],
            np.where(tokens > 0, per_year[:, None] / tokens, np.inf),
        )


def _of_workload(study: Study, space: Space, w: int, workload: str) -> list[FrontRow]:
    weights = space.parameters.weights
    owning = owning_cost(study, space, w)
    able = [d for d, row in enumerate(space.rows) if row.services[w] is not None]
    if not able:
        return []
    baseline = [d for d in able if space.rows[d].system == study.design_space.baseline]
    able = _in_time(study, space, w, able)
    mean_rate = space.rates[:, w, :] @ weights
    tokens = mean_rate * study.objective.availability * SECONDS_PER_YEAR
    per_token = np.full(len(tokens), np.inf)
    np.divide(owning.usd_per_year, tokens, out=per_token, where=tokens > 0)
    per_watt = mean_rate / np.array([row.provisioned_power_w for row in space.rows])
    price = np.array([row.price_usd for row in space.rows])
    axes = np.stack([per_token, -per_watt, price], axis=1)
    winner = np.asarray(able)[np.argmin(owning.usd_per_token[able], axis=0)]
    best = np.bincount(winner, weights=weights, minlength=len(space.rows))
    keep = [d for d in able if not _beaten(axes[d], axes[able])]
    if baseline:  # ranked whatever it can do, also too late
        keep.append(min(baseline, key=lambda d: float(per_token[d])))
    ranked = sorted(set(keep), key=lambda d: (float(per_token[d]), space.rows[d].key))
    return [
        _row(
            space, w, workload, d, rank, per_token[d], per_watt[d], best[d], owning.shares[d], study
        )
        for rank, d in enumerate(ranked, start=1)
    ]


def _in_time(study: Study, space: Space, w: int, able: list[int]) -> list[int]:
    """Return the rows that can do the work at all: a training block alone, before it is due.

    Training is one job on one block; a block that would finish after the due date (or the
    horizon, where there is none) is no answer, however cheap its tokens are.
    """
    workload = study.workloads[w]
    if workload.kind != "training":
        return able
    weeks = workload.due_week or study.horizon_weeks
    rate = space.rates[:, w, :] @ space.parameters.weights * study.objective.availability
    done = [
        d
        for d in able
        if rate[d] * 604_800.0 * (weeks - space.rows[d].first_week) >= workload.tokens
    ]
    return done or able


def _row(
    space: Space,
    w: int,
    workload: str,
    d: int,
    rank: int,
    per_token: float,
    per_watt: float,
    chance: float,
    shares: Array,
    study: Study,
) -> FrontRow:
    row: SpaceRow = space.rows[d]
    service = row.services[w]
    assert service is not None, "only rows that serve the workload are ranked"
    low, high = weighted_quantile(space.rates[d, w], space.parameters.weights, (0.1, 0.9))
    return FrontRow(
        rank=rank,
        key=row.key,
        workload=workload,
        rate_tokens_per_s=float(space.rates[d, w] @ space.parameters.weights),
        rate_low=low,
        rate_high=high,
        usd_per_million_tokens=float(per_token * 1e6),
        capital_share=float(shares[0]),
        energy_share=float(shares[1]),
        reserved_share=float(shares[2]),
        tokens_per_s_per_w=float(per_watt),
        price_usd=row.price_usd,
        baseline=row.system == study.design_space.baseline,
        composed=row.axes.composed,
        chance_best=float(chance),
        grade=worst([row.grade, service.grade]),
    )


def _beaten(point: Array, others: Array) -> bool:
    """Return whether another point is no worse on every axis and better on one."""
    return bool(np.any(np.all(others <= point, axis=1) & np.any(others < point, axis=1)))
