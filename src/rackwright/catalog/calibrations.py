"""What fits on measurements say of the model's parameters: one file per kind in `calibrations/`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from rackwright.records.calibration import Calibration
from rackwright.records.errors import InputError


def calibrations(folders: Sequence[Path], file: Path | None = None) -> tuple[Calibration, ...]:
    """Return one calibration per kind, sorted: of the last folder that has it, or the file's.

    Raises:
        InputError: a file cannot be read or is no calibration.
    """
    paths = [p for folder in folders for p in sorted((folder / "calibrations").glob("*.json"))]
    found = [read_calibration(path) for path in (*paths, *([file] if file else []))]
    by_kind = {calibration.kind: calibration for calibration in found}
    return tuple(by_kind[kind] for kind in sorted(by_kind))


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
            [
                ": ".join(
                    [str(path), *([".".join(map(str, e["loc"]))] if e["loc"] else []), e["msg"]]
                )
                + ("" if e["loc"] else "; rackwright calibrate writes such a file")
                for e in error.errors()
            ]
        ) from error
