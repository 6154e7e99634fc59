"""The calibrations that ship: what the fits on public measurements say, one file per kind."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic import ValidationError

from rackwright.records.calibration import Calibration
from rackwright.records.errors import InputError

FOLDER = Path(__file__).parent / "calibrations"


@cache
def shipped() -> tuple[Calibration, ...]:
    """Return the calibrations that ship, in the order of their names."""
    return tuple(read_calibration(path) for path in sorted(FOLDER.glob("*.json")))


def read_calibration(path: Path) -> Calibration:
    """Return the calibration in a file.

    Raises:
        InputError: the file cannot be read or is no calibration; every mistake in it.
    """
    try:
        return Calibration.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputError([f"{path}: {error.strerror or error}"]) from error
    except ValidationError as error:
        raise InputError(
            [f"{path}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        ) from error
