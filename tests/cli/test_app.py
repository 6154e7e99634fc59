"""The command as a whole: quick help, plain mistakes, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
import typer

from rackwright.cli.app import main, verbs
from rackwright.cli.errors import STOPPED, guarded, interrupts_kept
from rackwright.cli.progress import Progress
from rackwright.records.errors import InputError, RackwrightError


def rackwright(*words, capsys=None):
    with pytest.raises(SystemExit) as left:
        main(words)
    return left.value.code


def test_the_help_names_every_verb_and_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from rackwright.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted(m for m in ('numpy', 'pydantic', 'rich', 'duckdb') if m in sys.modules))"
    )

    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout

    assert all(f"  {verb} " in out for verb in verbs())
    assert out.splitlines()[-1] == "[]"


def test_every_verb_has_a_help_text_and_the_json_option(capsys):
    for verb in verbs():
        assert rackwright(verb, "--help") == 0
        out = capsys.readouterr().out
        assert "--json" in out or "COMMAND" in out


def test_a_mistyped_verb_names_the_nearest(capsys):
    assert rackwright("chek") == 2
    assert "'check'" in capsys.readouterr().err


def test_the_version_is_printed(capsys):
    assert rackwright("--version") == 0
    assert capsys.readouterr().out.startswith("rackwright 0.")


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (RackwrightError("no design fits: power binds"), 2, "error: no design fits: power binds\n"),
        (InputError(["a:1: x", "b:2: y"]), 2, "error: a:1: x\nerror: b:2: y\n2 mistakes\n"),
        (KeyboardInterrupt(), 130, "stopped; what was finished is kept\n"),
    ],
)
def test_a_mistake_is_told_on_stderr_with_its_exit_code(error, code, told, capsys):
    def verb() -> None:
        raise error

    with pytest.raises(typer.Exit) as left:
        guarded(verb)()

    assert left.value.exit_code == code
    assert capsys.readouterr().err == told


def test_with_json_a_mistake_is_one_document_on_stdout(capsys):
    def verb(as_json: bool) -> None:
        raise InputError(["a:1: x"])

    with pytest.raises(typer.Exit):
        guarded(verb)(as_json=True)

    assert json.loads(capsys.readouterr().out) == {"errors": ["a:1: x"]}


def test_a_bug_keeps_its_traceback():
    def verb() -> None:
        raise KeyError("bug")

    with pytest.raises(KeyError):
        guarded(verb)()


def test_a_quick_task_shows_no_progress_and_a_slow_one_says_what_goes_on(capsys):
    with Progress(delay_s=5) as tell:
        tell("quick", 0.5)
    assert capsys.readouterr().err == ""

    with Progress(delay_s=0.01) as tell:
        tell("pricing", 0.1)
        time.sleep(0.1)
        tell("pricing", 0.9)
        tell("proving")
    assert capsys.readouterr().err == "pricing ...\nproving ...\n"


def test_the_progress_ends_also_after_an_error(capsys):
    with pytest.raises(ValueError, match="stop"), Progress(delay_s=0.05) as tell:
        tell("working")
        raise ValueError("stop")

    time.sleep(0.1)
    assert capsys.readouterr().err == ""


def test_ctrl_c_that_a_callback_ignored_is_no_traceback(capsys):
    lost = SimpleNamespace(exc_type=KeyboardInterrupt)

    def verb():
        sys.unraisablehook(lost)
        raise RuntimeError("no compiled object yet")

    with pytest.raises(typer.Exit) as left, interrupts_kept():
        guarded(verb)()
    assert left.value.exit_code == STOPPED
    assert "stopped" in capsys.readouterr().err
    with pytest.raises(KeyboardInterrupt):  # the one that is sent again
        time.sleep(10)


def test_ctrl_c_that_a_callback_ignored_is_sent_again():
    def verb():
        sys.unraisablehook(SimpleNamespace(exc_type=KeyboardInterrupt))
        time.sleep(10)

    since = time.perf_counter()
    with pytest.raises(typer.Exit) as left, interrupts_kept():
        guarded(verb)()
    assert left.value.exit_code == STOPPED
    assert time.perf_counter() - since < 5
