"""What it costs to run the plan that the model likes best instead of the best one measured.

A good average error can still choose a bad plan: ranking is scored on its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from rackwright.records.base import Record

FEWEST_PLANS = 5
"""A model counts when this many plans were tried on one machine: of two, one is easily best."""

_SUBSETS = 200
_SEED = 1


class Tried(NamedTuple):
    """One measured plan; plans of one `same` differ in nothing else."""

    model: str
    same: tuple[str, ...]
    plan: tuple[float, ...]
    measured_s: float
    predicted_s: float


class PlanRegret(Record):
    """Regret in percent: measured time of the best predicted plan over the best measured."""

    by_model: Mapping[str, float]
    plans: Mapping[str, int]
    bootstrap_mean_pct: float | None = None


def plan_regret(tried: Sequence[Tried]) -> PlanRegret:
    """Return the regret of each model with enough plans, and its mean over random subsets.

    Repeats of a plan count as one, by the median of their times. Subsets hold half of a
    model's plans, drawn without replacement from a fixed seed.
    """
    sets: dict[tuple[str, ...], dict[tuple[float, ...], list[Tried]]] = {}
    for one in tried:
        sets.setdefault(one.same, {}).setdefault(one.plan, []).append(one)
    regrets: dict[str, list[float]] = {}
    plans: dict[str, int] = {}
    drawn: list[float] = []
    generator = np.random.default_rng(_SEED)
    for by_plan in (sets[key] for key in sorted(sets)):
        if len(by_plan) < FEWEST_PLANS:
            continue
        repeats = list(by_plan.values())
        model = repeats[0][0].model
        measured = np.array([np.median([r.measured_s for r in plan]) for plan in repeats])
        predicted = np.array([np.median([r.predicted_s for r in plan]) for plan in repeats])
        regrets.setdefault(model, []).append(regret_pct(measured, predicted))
        plans[model] = plans.get(model, 0) + measured.size
        for _ in range(_SUBSETS):
            some = generator.permutation(measured.size)[: measured.size // 2]
            drawn.append(regret_pct(measured[some], predicted[some]))
    return PlanRegret(
        by_model={model: float(np.mean(found)) for model, found in regrets.items()},
        plans=plans,
        bootstrap_mean_pct=float(np.mean(drawn)) if drawn else None,
    )


def regret_pct(measured: np.typing.ArrayLike, predicted: np.typing.ArrayLike) -> float:
    """Return how much longer the best predicted plan takes than the best measured one [%].

    Args:
        measured: times (n,).
        predicted: times (n,) in the same order.
    """
    times = np.asarray(measured, dtype=np.float64)
    chosen = times[int(np.argmin(np.asarray(predicted, dtype=np.float64)))]
    return 100.0 * float(chosen / times.min() - 1.0)
