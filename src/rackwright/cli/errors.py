"""Mistakes as lines on stderr, and the exit codes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import typer

from rackwright.records.errors import InputError, RackwrightError

FINDINGS = 1
MISTAKES = 2
STOPPED = 130  # as a shell reports a program that Ctrl-C ended


def guarded(verb: Callable[..., None]) -> Callable[..., None]:
    """Return a verb that tells mistakes in lines instead of a traceback.

    A `RackwrightError` is the user's and gets exit code 2; with `--json` stdout has it as one
    document. Everything else is a bug and keeps its traceback.
    """

    @wraps(verb)
    def told(*args: Any, **options: Any) -> None:
        try:
            verb(*args, **options)
        except RackwrightError as error:
            _tell(error, as_json=bool(options.get("as_json")))
            raise typer.Exit(MISTAKES) from None
        except KeyboardInterrupt:
            typer.echo("stopped; what was finished is kept", err=True)
            raise typer.Exit(STOPPED) from None
        except BrokenPipeError:  # the reader of a pipe, such as `head`, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None

    return told


def _tell(error: RackwrightError, *, as_json: bool) -> None:
    lines = list(error.mistakes) if isinstance(error, InputError) else str(error).splitlines()
    if as_json:
        typer.echo(json.dumps({"errors": lines}, indent=1, ensure_ascii=False))
    for i, line in enumerate(lines):
        # Only an InputError is a list of mistakes; the lines of another message belong together.
        head = "error: " if i == 0 or isinstance(error, InputError) else "       "
        typer.echo(f"{head}{line}", err=True)
    if len(lines) > 1 and isinstance(error, InputError):
        typer.echo(f"{len(lines)} mistakes", err=True)
