"""A run is there whole or not at all, and comes back as it was written."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from rackwright.formats.atomic import write_text
from rackwright.formats.run_folder import open_run
from rackwright.formats.stored import read_stored, write_record
from rackwright.records.base import FloatArray, Record, canonical_json, record_sha256
from rackwright.records.errors import InputError, RackwrightError


class Draws(Record):
    """A record inside a record, with an array."""

    names: tuple[str, ...]
    values: FloatArray


class Result(Record):
    """A record with arrays at several depths."""

    title: str
    rates: FloatArray
    draws: Draws
    by_probe: dict[str, FloatArray]
    limit: float | None = None


def result(rates, title="räck"):
    values = np.arange(6.0).reshape(2, 3)
    draws = Draws(names=("a", "b"), values=values)
    return Result(title=title, rates=rates, draws=draws, by_probe={"bf16/rate": values + 1})


FLOATS = arrays(
    np.float64, array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    elements=st.floats(allow_nan=False),
)  # fmt: skip


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(FLOATS)
def test_a_record_comes_back_as_it_was_written(tmp_path, rates):
    record = result(rates)

    write_record(tmp_path, "result", record)
    back = read_stored(tmp_path, "result", Result)

    assert record_sha256(back) == record_sha256(record)
    assert np.array_equal(back.rates, record.rates)
    assert not back.rates.flags.writeable


def test_nan_and_infinity_in_an_array_come_back(tmp_path):
    record = result(np.array([np.nan, np.inf, -0.0]))

    write_record(tmp_path, "result", record)

    assert canonical_json(read_stored(tmp_path, "result", Result)) == canonical_json(record)


def test_the_same_record_gives_the_same_bytes(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        write_record(tmp_path / folder, "result", result(np.linspace(0, 1, 1000)))

    one, two = (sorted((tmp_path / folder).iterdir()) for folder in ("one", "two"))
    assert [file.name for file in one] == [file.name for file in two]
    assert len(one) == 4
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(one, two, strict=True))


def test_a_changed_array_or_record_is_told(tmp_path):
    write_record(tmp_path, "result", result(np.ones(3)))
    write_record(tmp_path, "other", result(np.zeros(3)))
    files = sorted(
        tmp_path.glob("rates-*.parquet"), key=lambda file: _refers(tmp_path / "result.json", file)
    )
    zeros, ones = files

    ones.write_bytes(zeros.read_bytes())
    with pytest.raises(InputError, match="its numbers were changed"):
        read_stored(tmp_path, "result", Result)
    ones.unlink()
    with pytest.raises(InputError, match="no such file"):
        read_stored(tmp_path, "result", Result)

    text = (tmp_path / "other.json").read_text()
    (tmp_path / "other.json").write_text(text.replace('"title"', '"titel"'))
    with pytest.raises(
        InputError, match=r"other.json:\d+: titel: found an unknown key. Did you mean"
    ):
        read_stored(tmp_path, "other", Result)
    (tmp_path / "other.json").write_text(text[:-20])
    with pytest.raises(InputError, match="is no JSON any more"):
        read_stored(tmp_path, "other", Result)


def _refers(record, array):
    return array.stem.rpartition("-")[2] in record.read_text()


def test_a_finished_run_replaces_the_older_one_whole(tmp_path):
    target = tmp_path / "runs" / "houston"
    for title in ("first", "second"):
        with open_run(target) as run:
            run.finish("design", "sha", {"result": result(np.ones(2), title)})
            run.write("drawings/rack.svg", "<svg/>")
            run.write_log({"design": 0.5}, {"seed": 1})

    assert read_stored(target, "result", Result).title == "second"
    assert (target / "drawings" / "rack.svg").read_text() == "<svg/>"
    assert json.loads((target / "run.log.json").read_text())["seconds"] == {"design": 0.5}
    assert [entry.name for entry in target.parent.iterdir()] == ["houston"]


def test_a_failed_first_stage_leaves_nothing(tmp_path):
    with pytest.raises(RackwrightError, match="no design"), open_run(tmp_path / "run"):
        raise RackwrightError("no design")

    assert list(tmp_path.iterdir()) == []


def test_a_stopped_run_keeps_what_is_done_and_resumes(tmp_path):
    target = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt), open_run(target) as run:
        run.finish("design", "sha-1", {"result": result(np.ones(2))})
        raise KeyboardInterrupt

    assert not target.exists()
    with open_run(target, resume=True) as run:
        assert run.finished("design", "sha-1")
        assert not run.finished("design", "sha-2")
        assert not run.finished("build", "sha-1")
        assert run.load("result", Result).title == "räck"
        run.finish("design", "sha-2", {"result": result(np.zeros(2))})
    assert len(list(target.glob("rates-*.parquet"))) == 1  # that of the older inputs is gone

    with open_run(target, resume=True) as run:  # a finished run is taken up as well
        assert run.finished("design", "sha-2")
    with open_run(target) as run:
        assert run.stages == {}


def test_a_stop_while_records_are_written_leaves_the_stage_unfinished(tmp_path, monkeypatch):
    def stop(path, value):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), open_run(tmp_path / "run") as run:
        run.finish("design", "sha", {"result": result(np.ones(2))})
        monkeypatch.setattr("rackwright.formats.run_folder.write_json", stop)
        run.finish("build", "sha", {"other": result(np.ones(3))})

    monkeypatch.undo()
    with open_run(tmp_path / "run", resume=True) as run:
        assert run.finished("design", "sha")
        assert not run.finished("build", "sha")


def test_inputs_are_copied_with_their_tables(tmp_path):
    home = tmp_path / "study"
    (home / "tables").mkdir(parents=True)
    for name in ("study.toml", "tables/supply.csv", "../far.csv"):
        (home / name).write_text(name)

    with open_run(tmp_path / "run") as run:
        run.copy_inputs([home / n for n in ("study.toml", "tables/supply.csv", "../far.csv")])

    inputs = tmp_path / "run" / "inputs"
    assert (inputs / "tables" / "supply.csv").read_text() == "tables/supply.csv"
    assert (inputs / "far.csv").read_text() == "../far.csv"


def test_a_place_that_cannot_be_written_is_told_with_path_and_remedy(tmp_path):
    (tmp_path / "file").write_text("")

    with (
        pytest.raises(
            RackwrightError, match=r"file/run: cannot be written: Not a directory. Choose"
        ),
        open_run(tmp_path / "file" / "run"),
    ):
        pass
    with pytest.raises(RackwrightError, match=r"file/a.txt: cannot be written"):
        write_text(tmp_path / "file" / "a.txt", "")


def test_a_folder_of_someone_else_is_left_alone(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("x")

    with pytest.raises(RackwrightError, match="is no run of ours"), open_run(tmp_path / "thesis"):
        pass

    assert (tmp_path / "thesis" / "chapter.tex").read_text() == "x"


def test_the_folder_one_stands_in_is_a_folder_too(tmp_path, monkeypatch):
    (tmp_path / "mine.txt").write_text("x")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(RackwrightError, match="is no run of ours"), open_run("."):
        pass


def test_a_damaged_ledger_is_told(tmp_path):
    with open_run(tmp_path / "run") as run:
        run.finish("design", "sha", {})
    (tmp_path / "run" / "ledger.json").write_text('{"stages": [')

    with (
        pytest.raises(RackwrightError, match="damaged; start again"),
        open_run(tmp_path / "run", resume=True),
    ):
        pass


def test_a_new_run_keeps_the_files_that_people_put_into_the_old_one(tmp_path):
    place = tmp_path / "run"
    with open_run(place, owner="mine") as run:
        run.write("report.html", "old")
    (place / "rehearsal.jsonl").write_text("readings")
    (place / "notes").mkdir()
    (place / "notes" / "mine.txt").write_text("mine")
    for text in ("new", "newer"):
        with open_run(place, owner="mine") as run:
            run.write("report.html", text)
        assert (place / "report.html").read_text() == text
        assert (place / "rehearsal.jsonl").read_text() == "readings"
        assert (place / "notes" / "mine.txt").read_text() == "mine"


def test_what_an_old_run_wrote_and_the_new_one_does_not_is_gone(tmp_path):
    place = tmp_path / "run"
    with open_run(place, owner="mine") as run:
        run.write("old-drawing.svg", "old")
    with open_run(place, owner="mine") as run:
        run.write("report.html", "new")
    assert not (place / "old-drawing.svg").exists()


def test_the_run_of_another_study_is_not_replaced(tmp_path):
    place = tmp_path / "run"
    with open_run(place, owner="mine"):
        pass
    with pytest.raises(RackwrightError, match="'mine'"), open_run(place, owner="yours"):
        pass
