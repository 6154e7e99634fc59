"""Every example prints what its `.out` file says."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from rackwright import catalog
from rackwright.design.candidates import enumerate_candidates
from rackwright.load import load_study

EXAMPLES = Path(__file__).parent.parent / "examples"
SCRIPTS = sorted(EXAMPLES.glob("[0-9]*.py"))
STUDIES = sorted(EXAMPLES.glob("*/study.toml"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_an_example_prints_its_stored_output(script, capsys):
    runpy.run_path(str(script), run_name="__main__")

    assert capsys.readouterr().out == script.with_suffix(".out").read_text()


@pytest.mark.parametrize("study", STUDIES, ids=lambda path: path.parent.name)
def test_every_study_of_the_examples_loads_and_has_racks_to_search(study):
    loaded = load_study(study).study
    found = enumerate_candidates(loaded, catalog.load())

    assert found.all
    today = loaded.design_space.baseline
    assert any(candidate.rack.key == today for candidate in found.all)


def test_examples_are_numbered_without_gaps():
    assert [int(path.name[:3]) for path in SCRIPTS] == list(range(1, len(SCRIPTS) + 1))


def test_the_readme_shows_what_the_example_prints():
    printed = (EXAMPLES / "006_requests_one_by_one.out").read_text(encoding="utf-8")

    assert printed in (EXAMPLES.parent / "README.md").read_text(encoding="utf-8")
