"""A study from its file, with every name in it known: the way in for all commands."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from rackwright import catalog
from rackwright.catalog.load import Catalog
from rackwright.catalog.mates import strangers
from rackwright.formats.border import read_located
from rackwright.formats.places import Locator, Place
from rackwright.records.component import Component, Part
from rackwright.records.errors import InputError, UnknownComponentError, nearest
from rackwright.records.interface import RackInterface
from rackwright.records.model import ModelShape
from rackwright.records.study import Scenario, Study

KeyPath = tuple[str | int, ...]


class LoadedStudy(NamedTuple):
    """A study, and where each of its values was read."""

    study: Study
    locator: Locator

    @property
    def files(self) -> tuple[str, ...]:
        """Every file that was read, the study first."""
        return tuple(self.locator.files)


def load_study(path: str | Path, catalog_folder: str | Path | None = None) -> LoadedStudy:
    """Return the study in a file; every component and name that it refers to exists.

    Args:
        path: `study.toml`, or the same as JSON.
        catalog_folder: components laid over the shipped catalog.

    Raises:
        InputError: every mistake in the study, its tables and its references, one line each.
    """
    home = Path(path).parent
    study, locator = read_study(path)
    components = catalog.load(catalog_folder)
    found = [
        *_unknown_components(study, components, home),
        *_unknown_names(study, components.names("duties")),
    ]
    if found:
        found.sort(key=lambda entry: _order(locator.place(entry[0]), locator))
        raise InputError([locator.mistake(where, text) for where, text in found])
    models = {workload.model for workload in study.workloads}
    locator.files.extend(str(home / name) for name in sorted(models) if _is_file_name(name))
    return LoadedStudy(study, locator)


def read_study(path: str | Path) -> LoadedStudy:
    """Return the study in a file with the scenarios of its files; no name is looked up.

    Raises:
        InputError: every mistake in the study, its tables and scenario files, one line each.
    """
    study, locator = read_located(Study, path)
    return LoadedStudy(_with_scenario_files(study, locator, Path(path).parent), locator)


def _order(place: Place, locator: Locator) -> tuple[int, int]:
    return locator.files.index(place.file), place.line


def _with_scenario_files(study: Study, locator: Locator, home: Path) -> Study:
    """Return the study with the scenarios of its files behind its own."""
    scenarios = list(study.scenarios)
    mistakes: list[str] = []
    for i, name in enumerate(study.scenario_files):
        if not (home / name).is_file():
            text = f"no such file: {home / name}"
            mistakes.append(locator.mistake(("scenario_files", i), text))
            continue
        try:
            scenario, other = read_located(Scenario, home / name)
        except InputError as error:
            mistakes += error.mistakes
            continue
        if scenario.name in [known.name for known in scenarios]:
            text = f"a scenario named {scenario.name!r} is there already"
            mistakes.append(other.mistake(("name",), text))
        locator.adopt(("scenarios", len(scenarios)), other)
        scenarios.append(scenario)
    if mistakes:
        raise InputError(mistakes)
    return Study(**{**dict(study), "scenarios": tuple(scenarios), "scenario_files": ()})


def load_models(study: Study, components: Catalog, home: Path) -> dict[str, ModelShape]:
    """Return the shape of each model that a workload names, by that name.

    Args:
        study: the study, whose names were checked by `load_study`.
        components: the catalog.
        home: the folder of the study, where a model's `config.json` is looked for.
    """
    names = sorted({workload.model for workload in study.workloads})
    return {
        name: catalog.read_model_config(home / name, components)
        if _is_file_name(name)
        else components.model(name)
        for name in names
    }


def idle_effects(study: Study) -> Iterator[tuple[KeyPath, str]]:
    """Yield the places where a scenario changes nothing, which is rarely what was meant."""
    origins = {supply.origin for supply in study.supplies}
    countries = {factory.country for factory in study.factories}
    for i, scenario in enumerate(study.scenarios):
        here: KeyPath = ("scenarios", i)
        for k, effect in enumerate(scenario.supply):
            if effect.origin is not None and effect.origin not in origins:
                yield (*here, "supply", k, "origin"), f"no supply comes from {effect.origin}"
        for k, change in enumerate(scenario.factories):
            if change.country is not None and change.country not in countries:
                yield (*here, "factories", k, "country"), f"no factory is in {change.country}"
        if scenario.factory_countries and not countries & set(scenario.factory_countries):
            yield (*here, "factory_countries"), "no factory is in these countries"


def _unknown_components(
    study: Study, components: Catalog, home: Path
) -> Iterator[tuple[KeyPath, str]]:
    for i, workload in enumerate(study.workloads):
        where: KeyPath = ("workloads", i, "model")
        if _is_file_name(workload.model):
            yield from ((where, text) for text in _unreadable(home / workload.model, components))
        else:
            yield from _not_in(components, ("models",), workload.model, where)
    for i, generation in enumerate(study.design_space.generations):
        where = ("design_space", "generations", i, "system")
        yield from _not_in(components, ("systems", "servers"), generation.system, where)
    for i, composed in enumerate(study.design_space.composed):
        where = ("design_space", "composed", i)
        try:
            interface = components.find(RackInterface, composed.interface)
        except UnknownComponentError as error:
            yield (*where, "interface"), str(error)
            continue
        for axis, k, text in strangers(composed, interface):
            yield (*where, axis, k), text
    where = ("reliability", "failures")
    yield from _not_in(components, ("failures",), study.reliability.failures, where)
    # Supplies meet the lines of a bill by key: an alias would silently limit nothing.
    parts = {name for kind in _BILLED for name in components.names(kind)}
    parts -= {part.key for part in components.all("parts") if _is_stack(part)}
    for i, supply in enumerate(study.supplies):
        where = ("supplies", i, "part")
        hint = _billed_as(components, supply.part)
        if hint is not None:
            yield where, f"found {supply.part!r}, which no bill names: {hint}"
        else:
            yield from _not_among("part", supply.part, parts, where)


def _is_file_name(model: str) -> bool:
    return model.endswith(".json")


def _unreadable(config: Path, components: Catalog) -> tuple[str, ...]:
    """Return why a model's configuration file cannot be used; nothing when it can."""
    if not config.is_file():
        return (f"no such file: {config}",)
    try:
        catalog.read_model_config(config, components)
    except InputError as error:
        return error.mistakes
    return ()


_BILLED = ("parts", "nics", "switches", "optics", "power_shelves")


def _is_stack(component: Component) -> bool:
    """Return whether it is one stack of memory: a bill counts memory in GB by its kind."""
    return isinstance(component, Part) and component.memory_bytes is not None


def _billed_as(components: Catalog, name: str) -> str | None:
    """Return how a bill names a component that is in the catalog under another key."""
    parts = [part for part in components.all("parts") if isinstance(part, Part)]
    for part in parts:
        if part.key == name and _is_stack(part):
            kind = next(
                (p.key for p in parts if p.unit == "GB" and name.startswith(f"{p.key}-")), ""
            )
            return f"memory is allocated in GB by its kind, {kind or 'such as hbm3e'}"
    if name in components.names("accelerators"):
        packages = [p.key for p in parts if p.category == "package" and p.for_component == name]
        named = ", ".join(packages) or "a part"
        return f"an accelerator is billed as its package, {named}, and its memory"
    return None


def _unknown_names(study: Study, duties: Collection[str]) -> Iterator[tuple[KeyPath, str]]:
    data_centers = [row.name for row in study.data_centers]
    factories = [row.name for row in study.factories]
    workloads = [row.name for row in study.workloads]
    parts = [row.part for row in study.supplies]
    systems = [row.system for row in study.design_space.generations]
    if study.design_space.baseline is not None:
        where: KeyPath = ("design_space", "baseline")
        yield from _not_among("generation", study.design_space.baseline, systems, where)
    for i, factory in enumerate(study.factories):
        for k, route in enumerate(factory.routes):
            where = ("factories", i, "routes", k, "data_center")
            yield from _not_among("data center", route.data_center, data_centers, where)
    for i, scenario in enumerate(study.scenarios):
        for k, supply in enumerate(scenario.supply):
            if supply.part is not None:
                where = ("scenarios", i, "supply", k, "part")
                yield from _not_among("supply of a part", supply.part, parts, where)
        for k, key in enumerate(scenario.duties):
            yield from _not_among("duty", key, duties, ("scenarios", i, "duties", k))
        for k, plant in enumerate(scenario.factories):
            if plant.factory is not None:
                where = ("scenarios", i, "factories", k, "factory")
                yield from _not_among("factory", plant.factory, factories, where)
        for k, demand in enumerate(scenario.demand):
            if demand.workload is not None:
                where = ("scenarios", i, "demand", k, "workload")
                yield from _not_among("workload", demand.workload, workloads, where)


def _not_in(
    components: Catalog, kinds: tuple[str, ...], name: str, where: KeyPath
) -> Iterator[tuple[KeyPath, str]]:
    for kind in kinds:
        try:
            components.get(kind, name)
            return
        except UnknownComponentError as error:
            told = str(error)
    if len(kinds) > 1:
        known = [key for kind in kinds for key in components.names(kind)]
        told = str(UnknownComponentError("system or server", name, known))
    yield where, told


def _not_among(
    kind: str, name: str, known: Collection[str], where: KeyPath
) -> Iterator[tuple[KeyPath, str]]:
    if name not in known:
        there = sorted(set(known))
        listed = f" There is {', '.join(there)}." if len(there) <= 12 else ""
        yield where, f"found {name!r}, no {kind} of that name.{nearest(name, known) or listed}"
