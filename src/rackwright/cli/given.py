"""What a verb starts from: the study in a file, with its catalog and models."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rackwright import catalog as catalogs
from rackwright.formats.border import read_json_lines
from rackwright.load import LoadedStudy, load_models, load_study
from rackwright.pipeline import Given
from rackwright.records.acceptance import Measurement
from rackwright.records.errors import InputError


def given_of(study: Path, catalog: Path | None = None, calibration: Path | None = None) -> Given:
    """Return the study in a file with all that it names."""
    return given_from(load_study(study, catalog), study, catalog, calibration=calibration)


def given_from(
    loaded: LoadedStudy,
    file: Path,
    catalog: Path | None = None,
    readings: tuple[Measurement, ...] = (),
    rehearse: bool = False,
    calibration: Path | None = None,
    places: tuple[str, ...] = (),
) -> Given:
    """Return a loaded study with its catalog and models."""
    components = catalogs.load(catalog, calibration)
    models = load_models(loaded.study, components, file.parent)
    return Given(loaded.study, components, models, readings, rehearse, places)


def read_readings(files: Iterable[Path]) -> tuple[tuple[Measurement, ...], tuple[str, ...]]:
    """Return the readings of files with one JSON object a line, and file and line of each.

    Raises:
        InputError: a file cannot be read, a line is no measurement, or there is none at all.
    """
    readings: list[Measurement] = []
    places: list[str] = []
    empty: list[str] = []
    for file in files:
        found, locator = read_json_lines(Measurement, file)
        readings += found
        places += [f"{file}:{locator.lines[(i,)]}" for i in range(len(found))]
        if not found:
            empty.append(f"{file}:1: no measurements: expected one JSON object a line")
    if empty:
        raise InputError(empty)
    return tuple(readings), tuple(places)
