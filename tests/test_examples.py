"""Every example prints what its `.out` file says."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
SCRIPTS = sorted(EXAMPLES.glob("[0-9]*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_an_example_prints_its_stored_output(script, capsys):
    runpy.run_path(str(script), run_name="__main__")

    assert capsys.readouterr().out == script.with_suffix(".out").read_text()


def test_examples_are_numbered_without_gaps():
    assert [int(path.name[:3]) for path in SCRIPTS] == list(range(1, len(SCRIPTS) + 1))
