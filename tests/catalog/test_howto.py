"""The pages on adding an accelerator and on models do what they say."""

import re
import shlex
from pathlib import Path

import pytest

from rackwright import catalog
from rackwright.cli.app import main
from rackwright.design.candidates import enumerate_candidates
from rackwright.load import load_study
from rackwright.records.component import Part
from rackwright.records.study import Generation
from tests.catalog.public_spelling import WRITERS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "howto" / "add-an-accelerator.md").read_text(encoding="utf-8")
FILES = re.findall(r"<!-- file: (\S+) -->\n```toml\n(.*?)```", PAGE, flags=re.DOTALL)
COMMANDS = re.findall(r"```console\n\$ rackwright (.*?)\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of the page, and one with the mistake that it shows."""
    for name, text in FILES:
        for top in ("mine", "wrong"):
            path = tmp_path / name.replace("mine", top, 1)
            path.parent.mkdir(parents=True, exist_ok=True)
            broken = text.replace("memory_bytes = 1.92e11", "memory_bytes = 192")
            path.write_text(broken if top == "wrong" else text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "mine"


def test_the_page_has_one_file_for_the_accelerator(folder):
    assert [name for name, _ in FILES if "/accelerators/" in name] == [
        "mine/accelerators/example-x1.toml"
    ]
    assert "synthetic" in catalog.load(folder).accelerator("X1").name


def run(words, capsys):
    with pytest.raises(SystemExit):
        main(words)
    told = capsys.readouterr()
    return told.out + told.err


@pytest.mark.parametrize(
    ("command", "printed"), [c for c in COMMANDS if c[1]], ids=lambda text: text[:40]
)
def test_a_command_prints_what_the_page_shows(folder, capsys, command, printed):
    assert run(shlex.split(command), capsys) == printed


def test_the_comparison_has_the_made_up_rate(folder, capsys):
    out = run(shlex.split(next(c for c, _ in COMMANDS if " diff " in c)), capsys)

    assert re.search(r"memory_bytes_per_s +8 TB/s +7 TB/s +-12.5 %", out)


def test_the_package_stands_in_the_same_file(folder):
    over = catalog.load(folder)
    package = over.find(Part, "package-example-x1")

    assert package.for_component == "example-x1"
    assert package.latest_price().usd_mid == 20000.0
    assert "package-example-x1" not in catalog.load().names("parts")


def test_the_accelerator_joins_the_candidates_of_a_study(folder):
    study = load_study(ROOT / "examples" / "houston" / "study.toml").study
    mine = Generation(system="example-x1-8", first_week=20, servers_per_rack=4)
    space = study.design_space
    with_mine = space.model_copy(update={"generations": (*space.generations, mine)})
    study = study.model_copy(update={"design_space": with_mine})

    found = enumerate_candidates(study, catalog.load(folder)).all
    racks = {c.rack.key for c in found if c.rack.accelerator.key == "example-x1"}
    assert racks == {"example-x1-8"}


def test_the_table_of_published_counts_is_what_the_command_prints(capsys):
    page = (ROOT / "docs" / "methods" / "models.md").read_text(encoding="utf-8")
    command, printed = re.findall(r"```console\n\$ rackwright (.*?)\n(.*?)```", page, re.DOTALL)[0]

    assert run(shlex.split(command), capsys) == printed


def test_the_page_on_models_counts_what_is_read_back():
    page = (ROOT / "docs" / "methods" / "models.md").read_text(encoding="utf-8")
    shapes = [m.shape for m in catalog.load().all("models")]
    read = [s for s in shapes if s.model_type in WRITERS]

    assert f"of {len(read)} catalogued models of {len({s.model_type for s in read})} types" in page
