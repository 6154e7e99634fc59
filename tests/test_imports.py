"""Imports point down, and no module imports in a circle: the table of ARCHITECTURE.md, enforced.

Every import statement counts, also inside functions and under TYPE_CHECKING.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src" / "rackwright"

GROUND = {"records", "kernels", "catalog"}
STAGES = {"design", "build", "accept", "buy"}
FACES = {"drawing", "formats"}
WHOLE = {"asked", "load", "simulated", "summary", "pipeline", "sheets", "validate"}

# A folder or a module beside the folders, and what of ours it may import besides itself.
MAY_IMPORT: dict[str, set[str]] = {
    "records": set(),
    "kernels": set(),
    "catalog": {"records"},
    "drawing": {"records", "kernels"},
    "formats": {"records", "kernels"},
    **dict.fromkeys(STAGES, GROUND),
    "load": GROUND | {"formats"},
    "asked": {"records", "kernels", "design", "formats"},
    "simulated": GROUND | {"design", "asked", "load"},
    "summary": {"records", "kernels"},
    "validate": GROUND | STAGES | {"formats"},
    "pipeline": GROUND | STAGES | {"formats", "load", "summary", "__init__"},
    "sheets": {"records", "design", "drawing", "formats", "pipeline", "summary"},
    "__init__": set(),
    "__main__": {"cli"},
    "cli": GROUND | STAGES | FACES | WHOLE,
    "studio": GROUND | STAGES | FACES | WHOLE,
}


def modules() -> dict[str, Path]:
    """Return every module of ours by its dotted name below `rackwright`."""
    found = {}
    for path in sorted(SRC.rglob("*.py")):
        parts = path.relative_to(SRC).with_suffix("").parts
        if parts[-1] == "__init__" and len(parts) > 1:
            parts = parts[:-1]
        found[".".join(parts)] = path
    return found


MODULES = modules()


def imports_of(path: Path, name: str) -> Iterator[tuple[int, str]]:
    """Yield line and target of each import of ours; targets are names in MODULES."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "rackwright":
                    yield node.lineno, target_of(alias.name.split(".")[1:])
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
                base = package[: len(package) - node.level + 1] + (node.module or "").split(".")
                base = [part for part in base if part]
            elif (node.module or "").split(".")[0] == "rackwright":
                base = (node.module or "").split(".")[1:]
            else:
                continue
            for alias in node.names:
                yield node.lineno, target_of([*base, alias.name])


def target_of(parts: list[str]) -> str:
    """Return the deepest module that the parts name; the rest are names inside it."""
    while parts and ".".join(parts) not in MODULES:
        parts = parts[:-1]
    return ".".join(parts) or "__init__"


def floor(name: str) -> str:
    return name.split(".")[0]


def test_every_folder_has_a_row_in_the_table():
    assert {floor(name) for name in MODULES} <= MAY_IMPORT.keys()


@pytest.mark.parametrize("name", MODULES)
def test_imports_point_down(name):
    allowed = MAY_IMPORT.get(floor(name), set()) | {floor(name)}

    wrong = [
        f"{MODULES[name].relative_to(ROOT)}:{line}: imports {target}"
        for line, target in imports_of(MODULES[name], name)
        if floor(target) not in allowed
    ]
    assert not wrong, "\n".join(wrong)


def test_no_module_imports_in_a_circle():
    graph = {
        name: sorted({target for _, target in imports_of(path, name)} - {name})
        for name, path in MODULES.items()
    }
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join((*way[way.index(name) :], name))
        if name not in done:
            for target in graph[name]:
                visit(target, (*way, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def test_no_import_hides_in_a_string():
    hidden = [
        f"{path.relative_to(ROOT)}"
        for name, path in MODULES.items()
        if re.search(r"import_module\(|__import__\(", path.read_text(encoding="utf-8"))
        and name != "cli.app"  # a verb's file is imported by its name
    ]
    assert not hidden


def test_the_table_is_the_one_in_architecture():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^|]+)` \| ([^|]*) \|", text, re.MULTILINE)
    written = {
        name.strip("/"): set(re.findall(r"`([a-z_]+)(?:/|\.py)?`", allowed))
        for names, allowed in rows
        for name in re.findall(r"[a-z_]+", names)
        if name != "py"
    }

    expected = {
        name: allowed - {"__init__"} for name, allowed in MAY_IMPORT.items() if "__" not in name
    }
    assert written == expected
