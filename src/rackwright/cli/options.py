"""Options that several verbs have; nothing heavy is imported here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

CatalogFolder = Annotated[
    Path | None,
    typer.Option("--catalog", metavar="DIR", help="components laid over the shipped catalog"),
]
CalibrationFile = Annotated[
    Path | None,
    typer.Option("--calibration", metavar="FILE", help="what `rackwright calibrate` has written"),
]
