"""Rules of the house that hold for every file."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest
from pydantic import TypeAdapter

import rackwright.records
from rackwright.records.base import Record

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src" / "rackwright"
SOURCES = sorted(SRC.rglob("*.py"))
TEXT = {".py", ".md", ".toml", ".yaml", ".json", ".jsonl", ".csv", ".txt", ".svg", ".html", ""}


def tracked() -> list[Path]:
    """Return the files under version control; those of the package where there is no git."""
    git = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    names = git.stdout.split("\0") if git.returncode == 0 else []
    files = [ROOT / name for name in names if name] or SOURCES
    return [file for file in files if file.is_file() and file.suffix in TEXT]


def lines_with(pattern: str) -> list[str]:
    found = []
    for file in tracked():
        text = file.read_text(encoding="utf-8", errors="replace")
        found += [
            f"{file.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]}"
            for match in re.finditer(pattern, text)
        ]
    return found


def test_no_file_knows_a_path_of_one_machine():
    assert lines_with(r"(?<![\w.*}>-])/(?:work|farm|tmp|root|home|Users)/[A-Za-z]\S*") == []


def test_no_file_names_the_address_of_a_package_index():
    assert lines_with(r"(?:--(?:extra-)?index-url|https?://\S*/simple\b)") == []


def test_constraints_are_plain_pins():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]

    assert pins
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", pin) for pin in pins)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(SRC)))
def test_everything_public_has_a_docstring(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bare = [] if ast.get_docstring(tree) else [f"{path.relative_to(ROOT)}: module"]
    for owner in [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]:
        if owner is not tree and owner.name.startswith("_"):
            continue
        bare += [
            f"{path.relative_to(ROOT)}:{node.lineno}: {node.name}"
            for node in owner.body
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
            and not node.name.startswith("_")
            and not ast.get_docstring(node)
        ]
    assert not bare, "\n".join(bare)


def test_nothing_of_the_product_looks_like_a_test_to_pytest():
    named = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and re.match(r"test|Test", node.name)
    ]
    assert not named


def every_record() -> list[type[Record]]:
    folder = Path(rackwright.records.__file__).parent
    for path in sorted(folder.glob("*.py")):
        __import__(f"rackwright.records.{path.stem}")
    found, queue = set(), [Record]
    while queue:
        for cls in queue.pop().__subclasses__():
            if cls.__module__.startswith("rackwright.records.") and cls not in found:
                found.add(cls)
                queue.append(cls)
    return sorted(found, key=lambda cls: (cls.__module__, cls.__name__))


RECORDS = every_record()


@pytest.mark.parametrize("cls", RECORDS, ids=lambda cls: cls.__name__)
def test_every_record_has_a_schema_and_what_has_defaults_survives_json(cls):
    assert TypeAdapter(cls).json_schema()["type"] == "object"
    if not any(field.is_required() for field in cls.model_fields.values()):
        assert cls.model_validate_json(cls().model_dump_json()) == cls()


@pytest.mark.parametrize("cls", RECORDS, ids=lambda cls: cls.__name__)
def test_every_record_is_frozen_and_strict(cls):
    assert cls.model_config["frozen"]
    assert cls.model_config["extra"] == "forbid"
    assert cls.model_config["allow_inf_nan"] is False


def entries() -> list[Path]:
    return [path for path in (ROOT / "changelog.d").glob("*.md") if path.name != "README.md"]


def test_a_changelog_entry_is_two_short_lines_at_most():
    assert entries()
    for entry in entries():
        lines = entry.read_text(encoding="utf-8").strip().splitlines()
        assert 1 <= len(lines) <= 2, entry.name
        assert all(len(line) <= 160 for line in lines), entry.name


def test_decisions_are_numbered_without_a_clash():
    names = [path.name for path in (ROOT / "docs" / "decisions").glob("*.md")]
    numbers = sorted(name[:4] for name in names)

    assert all(re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", name) for name in names), names
    assert len(set(numbers)) == len(numbers), numbers
