"""Mistakes as lines on stderr, and the exit codes."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, NoReturn

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
        except BrokenPipeError:  # the reader of a pipe, such as `head`, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except KeyboardInterrupt:
            _stop()
        except Exception:
            if _swallowed.is_set():  # what a callback that Ctrl-C broke has left undone
                _stop()
            raise

    return told


@contextmanager
def interrupts_kept() -> Iterator[None]:
    """Keep Ctrl-C from being lost in a callback of the compiler, which ignores exceptions.

    It is sent again a moment later; whatever the broken callback leads to until then is no bug.
    """
    before = sys.unraisablehook

    def heard(lost: sys.UnraisableHookArgs) -> None:
        if lost.exc_type is not KeyboardInterrupt:
            before(lost)
            return
        _swallowed.set()
        main = threading.main_thread().ident or 0
        again = threading.Timer(_MOMENT_S, signal.pthread_kill, (main, signal.SIGINT))
        again.daemon = True
        again.start()

    sys.unraisablehook = heard
    try:
        yield
    finally:
        sys.unraisablehook = before
        _swallowed.clear()


_swallowed = threading.Event()
_MOMENT_S = 0.05


def _stop() -> NoReturn:
    typer.echo("stopped; what was finished is kept", err=True)
    raise typer.Exit(STOPPED) from None


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
