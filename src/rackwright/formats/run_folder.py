"""A run as a folder: put in place whole, or kept aside to be continued.

While a run goes on it lies in `<folder>.partial` with a ledger of the stages that are done. When
all is done it is moved to `<folder>`; a stop leaves the partial folder, from which the next run
may take every stage whose inputs have not changed.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from rackwright.formats.atomic import cannot_write, write_json, write_text
from rackwright.formats.stored import drop_unreferenced, read_stored, write_record
from rackwright.records.base import Record
from rackwright.records.errors import RackwrightError

R = TypeVar("R", bound=Record)

LEDGER = "ledger.json"
"""The stages that are done; a folder with it is a run."""


@contextmanager
def open_run(target: str | Path, *, resume: bool = False, owner: str = "") -> Iterator[RunFolder]:
    """Give a run folder to fill; it appears at `target` when the block ends without error.

    Args:
        target: where the finished run shall lie; an older run there is replaced at the end.
        resume: keep what a stopped or an older run at this place has finished.
        owner: name of the study; a folder with another study's run is refused.

    Files in an older run's folder that the run did not write (readings, notes) are kept.

    Raises:
        RackwrightError: the place cannot be written, or holds something that is no run, or the
            run of another study.
    """
    target = Path(target)
    if target.name in ("", ".."):  # "." has no name to put ".partial" behind
        target = target.resolve()
    partial = target.with_name(target.name + ".partial")
    _refuse_another_study(target, owner)
    try:
        _make_ready(target, partial, resume)
    except OSError as error:
        raise cannot_write(target, error) from None
    run = RunFolder(partial)
    try:
        yield run
    except RackwrightError:  # a study that has no answer leaves nothing half-written behind
        if not resume:
            shutil.rmtree(partial, ignore_errors=True)
        raise
    except BaseException:  # Ctrl-C too: what is finished stays, a folder with nothing in it goes
        if not run.stages and not run.begun:
            shutil.rmtree(partial, ignore_errors=True)
        raise
    try:
        drop_unreferenced(partial)  # of stages done anew after --resume
        _keep_foreign_files(target, partial)
        written = sorted(str(f.relative_to(partial)) for f in partial.rglob("*") if f.is_file())
        mine = sorted({*written, LEDGER} - set(_foreign(target)))
        write_json(partial / LEDGER, {"owner": owner, "files": mine, "stages": run.stages})
        _put_in_place(partial, target)
    except OSError as error:
        raise cannot_write(target, error) from None


class RunFolder:
    """A run being filled: records, other files, and the ledger of finished stages."""

    def __init__(self, path: Path) -> None:
        """Take up the ledger in the folder, if there is one."""
        self.path = path
        self.stages: dict[str, dict[str, Any]] = _read_ledger(path)
        self.begun = False

    def finished(self, stage: str, inputs_sha256: str) -> bool:
        """Tell whether a stage is done for inputs with this hash, and its files are there."""
        entry = self.stages.get(stage)
        if entry is None or entry["inputs_sha256"] != inputs_sha256:
            return False
        return all((self.path / f"{name}.json").is_file() for name in entry["records"])

    def load(self, name: str, cls: type[R]) -> R:
        """Return a record that a finished stage has written."""
        return read_stored(self.path, name, cls)

    def finish(self, stage: str, inputs_sha256: str, records: Mapping[str, Record]) -> None:
        """Write a stage's records, then enter the stage in the ledger."""
        for name, record in records.items():
            write_record(self.path, name, record)
        entry = {"inputs_sha256": inputs_sha256, "records": sorted(records)}
        # Entered last: a stop while the records are written leaves the stage unfinished.
        write_json(self.path / LEDGER, {"stages": {**self.stages, stage: entry}})
        self.stages = {**self.stages, stage: entry}

    def begin(self, name: str) -> Path:
        """Return the place where a stage keeps what it has so far; a stop leaves it there."""
        write_json(self.path / LEDGER, {"stages": self.stages})
        self.begun = True
        return self.path / name

    def write(self, name: str, text: str) -> Path:
        """Write another file of the run, such as a drawing or the report."""
        path = self.path / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(path, error) from None
        return write_text(path, text)

    def copy_inputs(self, files: Iterable[str | Path]) -> None:
        """Copy the files that the study was read from into `inputs/`, the study first.

        Tables keep their place relative to the study where they lie below it.
        """
        sources = [Path(file) for file in files]
        home = sources[0].parent.resolve()
        for source in sources:
            full = source.resolve()
            inside = full.relative_to(home) if full.is_relative_to(home) else Path(full.name)
            place = self.path / "inputs" / inside
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, place)
            except OSError as error:
                raise cannot_write(place, error) from None

    def write_log(self, seconds: Mapping[str, float], facts: Mapping[str, Any]) -> None:
        """Write `run.log.json`: what differs between machines and days, kept out of records."""
        log = {"seconds": dict(seconds), "host": _host(), **facts}
        write_json(self.path / "run.log.json", log)


def _make_ready(target: Path, partial: Path, resume: bool) -> None:
    old = _old(target)
    if old.exists() and not target.exists():
        os.replace(old, target)  # a stop came between the two moves of `_put_in_place`
    for place in (target, partial):
        if place.exists() and not _is_run(place):
            raise RackwrightError(
                f"{place}: exists and is no run of ours; name another folder, or remove it first."
            )
    if not resume:
        shutil.rmtree(partial, ignore_errors=True)
    elif not partial.exists() and target.exists():
        shutil.copytree(target, partial)
    partial.mkdir(parents=True, exist_ok=True)
    write_text(partial / ".writable", "")
    (partial / ".writable").unlink()


def _refuse_another_study(target: Path, owner: str) -> None:
    there = str(_ledger_of(target).get("owner", ""))
    if owner and there and there != owner:
        raise RackwrightError(
            f"{target}: holds a run of the study {there!r}, and this one is {owner!r}; name "
            "another folder with --out."
        )


def _foreign(target: Path) -> list[str]:
    """Return the files of an older run's folder that it did not write itself."""
    files = _ledger_of(target).get("files")
    if not isinstance(files, list):
        return []
    there = (str(f.relative_to(target)) for f in target.rglob("*") if f.is_file())
    return sorted(set(there) - {str(name) for name in files})


def _keep_foreign_files(target: Path, partial: Path) -> None:
    for name in _foreign(target):
        if not (partial / name).exists():
            (partial / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(target / name, partial / name)


def _ledger_of(folder: Path) -> dict[str, Any]:
    try:
        ledger = json.loads((folder / LEDGER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return ledger if isinstance(ledger, dict) else {}


def _is_run(place: Path) -> bool:
    return place.is_dir() and (not any(place.iterdir()) or (place / LEDGER).is_file())


def _put_in_place(partial: Path, target: Path) -> None:
    old = _old(target)
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        os.replace(target, old)
    os.replace(partial, target)
    shutil.rmtree(old, ignore_errors=True)


def _old(target: Path) -> Path:
    return target.with_name(target.name + ".old")


def _read_ledger(folder: Path) -> dict[str, dict[str, Any]]:
    path = folder / LEDGER
    if not path.is_file():
        return {}
    try:
        stages = json.loads(path.read_text(encoding="utf-8"))["stages"]
        return {
            name: {"inputs_sha256": str(entry["inputs_sha256"]), "records": list(entry["records"])}
            for name, entry in stages.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise RackwrightError(f"{path}: is damaged; start again without --resume.") from None


def _host() -> dict[str, Any]:
    packages = ("rackwright", "numpy", "scipy", "numba", "pydantic", "highspy", "duckdb")
    return {
        "system": platform.platform(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "python": sys.version.split()[0],
        "packages": {name: version(name) for name in packages},
    }
