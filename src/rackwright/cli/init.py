"""Write a commented study to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rackwright.cli.output import JsonFlag, answer
from rackwright.formats.atomic import write_text
from rackwright.records.errors import RackwrightError

TEMPLATE = Path(__file__).with_name("study_template.toml")


def run(
    file: Annotated[Path, typer.Argument(help="where to write it")] = Path("study.toml"),
    force: Annotated[bool, typer.Option("--force", help="overwrite a file that is there")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Write a commented study to start from.

    It is a small study that runs as it is; change its numbers one by one.
    """
    if file.exists() and not force:
        raise RackwrightError(f"{file}: exists; name another file, or overwrite it with --force.")
    write_text(file, TEMPLATE.read_text(encoding="utf-8"))
    answer(
        {"written": str(file)},
        [f"wrote {file}: a small study that runs as it is"],
        f"rackwright check {file}",
        as_json=as_json,
    )
