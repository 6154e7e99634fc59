"""A scenario applied to a study: the same question in a world, or under a rule, of its own."""

from __future__ import annotations

from rackwright.records.errors import NothingFeasibleError
from rackwright.records.study import (
    DemandEffect,
    Factory,
    Ramp,
    Scenario,
    ServingWorkload,
    Step,
    Study,
    Supply,
    TrainingWorkload,
)


def apply_scenario(study: Study, scenario: Scenario | None) -> Study:
    """Return the study as it reads when the scenario holds.

    Ramps are split where a window opens or closes, so that a factor of 0 stops what would have
    arrived in the window and nothing else. Stock on hand is not touched.

    Args:
        study: the question.
        scenario: effects on supply, factories and demand; None returns the study itself.

    Returns:
        A new study; its hash differs, the plan keeps that of the study it came from.

    Raises:
        NothingFeasibleError: no factory stands in the countries that the scenario allows.
    """
    if scenario is None:
        return study
    factories = tuple(
        _factory(factory, scenario)
        for factory in study.factories
        if not scenario.factory_countries or factory.country in scenario.factory_countries
    )
    if not factories:
        there = ", ".join(f"{f.name} ({f.country})" for f in study.factories)
        raise NothingFeasibleError(
            f"scenario {scenario.name!r} lets only factories in "
            f"{', '.join(scenario.factory_countries)} build, and the study has {there}"
        )
    return Study(
        **{
            **dict(study),
            "factories": factories,
            "supplies": tuple(_supply(supply, scenario) for supply in study.supplies),
            "workloads": tuple(_workload(w, scenario.demand) for w in study.workloads),
        }
    )


def scale_window(ramp: Ramp, factor: float, from_week: float, to_week: float) -> Ramp:
    """Return the ramp times a factor from one week until another, split at both ends.

    >>> [(s.week, s.value) for s in scale_window((Step(value=8.0),), 0.5, 10.0, 20.0)]
    [(0.0, 8.0), (10.0, 4.0), (20.0, 8.0)]
    """
    if to_week <= from_week or factor == 1.0:
        return ramp
    steps = sorted(ramp, key=lambda step: step.week)
    weeks = sorted({step.week for step in steps} | {w for w in (from_week, to_week) if w >= 0})
    split = []
    for week in weeks:
        if week < steps[0].week:
            continue
        value = [step.value for step in steps if step.week <= week][-1]
        split.append(Step(week=week, value=value * (factor if from_week <= week < to_week else 1)))
    return tuple(split)


def _factory(factory: Factory, scenario: Scenario) -> Factory:
    touch, bays = factory.touch_hours_per_week, factory.test_bays
    for effect in scenario.factories:
        if effect.factory not in (None, factory.name):
            continue
        if effect.country not in (None, factory.country):
            continue
        touch = scale_window(touch, effect.factor, effect.from_week, effect.to_week)
        bays = scale_window(bays, effect.factor, effect.from_week, effect.to_week)
    return Factory(**{**dict(factory), "touch_hours_per_week": touch, "test_bays": bays})


def _supply(supply: Supply, scenario: Scenario) -> Supply:
    ramp = supply.per_week
    for effect in scenario.supply:
        if effect.part in (None, supply.part) and effect.origin in (None, supply.origin):
            ramp = scale_window(ramp, effect.factor, effect.from_week, effect.to_week)
    return Supply(**{**dict(supply), "per_week": ramp})


def _workload(
    workload: TrainingWorkload | ServingWorkload, effects: tuple[DemandEffect, ...]
) -> TrainingWorkload | ServingWorkload:
    for effect in effects:
        if effect.workload not in (None, workload.name):
            continue
        changed = dict(workload)
        changed["usd_per_million_tokens"] = workload.usd_per_million_tokens * effect.value_factor
        if isinstance(workload, ServingWorkload):
            changed["demand_tokens_per_s"] = tuple(
                Step(week=step.week, value=step.value * effect.demand_factor)
                for step in workload.demand_tokens_per_s
            )
        workload = type(workload)(**changed)
    return workload
