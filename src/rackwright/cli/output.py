"""What a verb answers: text for people, or one JSON document, and the command that comes next."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

JsonFlag = Annotated[
    bool, typer.Option("--json", help="print the answer as one JSON document on stdout")
]
"""Type of the parameter `as_json`, which every verb has."""

StudyFile = Annotated[Path, typer.Argument(help="the study, a TOML (or JSON) file")]


def answer(document: Any, lines: Iterable[str], following: str, *, as_json: bool) -> None:
    """Print an answer on stdout.

    Args:
        document: the answer as plain data; the whole of stdout with `--json`.
        lines: the answer for people.
        following: a sensible next command, printed last.
        as_json: print the document and nothing else.
    """
    if as_json:
        typer.echo(json.dumps(document, indent=1, ensure_ascii=False))
        return
    for line in lines:
        typer.echo(line)
    typer.echo(f"next: {following}")
