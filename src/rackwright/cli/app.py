"""The command `rackwright` and its verbs.

`rackwright --help` must answer at once, so a verb's file is imported only when it is called; its
line in the help is the first line of the file's docstring, read without importing it.
"""

from __future__ import annotations

import ast
import gc
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from importlib.metadata import version
from io import TextIOWrapper
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, NoReturn

import typer

from rackwright.cli.errors import STOPPED, guarded, interrupts_kept

ORDER = (
    "init", "check", "run", "design", "build", "accept", "buy", "simulate", "calibrate", "validate",
    "compare", "report", "export", "catalog", "studio",
)  # fmt: skip
"""The verbs in the order of the work; those without a file yet are not offered."""

_HELP = """Co-design of AI data-center hardware.

Which rack to build, whether and when it can be built, how to tell that the first units are what
was promised, and whether to use the option to buy them."""
_NEXT = "next: rackwright init (writes a commented study), then: rackwright check study.toml"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code.

    Exit codes: 0 done, 1 findings, 2 mistakes in the input, 130 stopped by Ctrl-C.
    """
    # Before numpy is imported: our matrices are small, where threads cost more than they give,
    # and sums over threads would differ in their last digits from machine to machine.
    for library in ("OPENBLAS", "MKL", "OMP"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal without "≥" shows "?", not a traceback
            stream.reconfigure(errors="replace")
    try:
        with interrupts_kept():
            application(words)(args=words, prog_name="rackwright")
    except KeyboardInterrupt:  # while a verb's file was imported
        print("stopped", file=sys.stderr)
        sys.exit(STOPPED)


def command() -> NoReturn:
    """Be the command: run `main` and leave at once.

    A process that ends hands its memory back whole; taking records, kernels and libraries apart
    before costs a second. For the same reason the collector of cycles looks rarely.
    """
    gc.set_threshold(100_000, 50, 50)
    code: int | str | None = 0
    try:
        main()
    except SystemExit as left:
        code = left.code
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # nobody reads on, as after `| head`
            stream.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def application(words: Sequence[str]) -> typer.Typer:
    """Return the application in which only the verb among the words is imported."""
    named = next((word for word in words if not word.startswith("-")), None)
    app = _typer(_HELP, epilog=_NEXT)
    app.callback(help=_HELP)(_options)
    for verb in verbs():
        if verb == named:
            _add(app, verb, import_module(f"rackwright.cli.{verb}"))
        else:
            app.command(verb, help=_first_line(verb))(_not_imported)
    return app


def verbs() -> tuple[str, ...]:
    """Return the verbs that there are, in the order of the work."""
    return tuple(verb for verb in ORDER if _file(verb).is_file())


def _add(app: typer.Typer, verb: str, module: ModuleType) -> None:
    """Add a verb's `run`, or its `subcommands` as a group of their own."""
    if hasattr(module, "run"):
        app.command(verb)(guarded(module.run))
        return
    group = _typer(module.__doc__ or "")
    subcommands: tuple[Callable[..., Any], ...] = module.subcommands
    for subcommand in subcommands:
        group.command(subcommand.__name__)(guarded(subcommand))
    app.add_typer(group, name=verb)


def _typer(text: str, epilog: str | None = None) -> typer.Typer:
    return typer.Typer(
        help=text,
        epilog=epilog,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,  # rich would double the time to the first line of help
        pretty_exceptions_enable=False,  # a bug shows its plain traceback
    )


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rackwright {version('rackwright')}")
        raise typer.Exit


def _options(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="print the version and stop"
        ),
    ] = False,
) -> None:
    """Take the options that stand before a verb."""


def _file(verb: str) -> Path:
    return Path(__file__).with_name(f"{verb}.py")


def _first_line(verb: str) -> str:
    text = ast.get_docstring(ast.parse(_file(verb).read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]


def _not_imported() -> None:
    raise AssertionError("a verb was called that is not the first word")
