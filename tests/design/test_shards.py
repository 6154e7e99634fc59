"""Shards: a ledger that loses nothing, the same answers from one process or several."""

import pytest

from rackwright.design.parameters import draw
from rackwright.design.shards import Ledger, Meter, Question, run_shards
from rackwright.records.errors import InputError
from rackwright.records.study import SoftwareSpace
from tests.design.hardware import CATALOG, CHAT, MODELS, PRETRAIN, block

PARAMETERS = draw(CATALOG, ("Hopper", "Blackwell", "Blackwell Ultra"), 4, 1)
QUESTION = Question(
    (block(), block("H200", 64, 8)), (PRETRAIN, CHAT), MODELS, SoftwareSpace(), PARAMETERS
)


def test_the_ledger_answers_what_it_knows(tmp_path):
    file = tmp_path / "ledger.jsonl"
    first = run_shards(QUESTION, Ledger(file, "abc"))
    lines = file.read_text().splitlines()
    meter = Meter()
    again = run_shards(QUESTION, Ledger(file, "abc"), meter=meter)

    assert again == first
    assert len(lines) == 1 + 4
    assert meter.seconds == {"training": 0.0, "serving": 0.0}


def test_a_line_cut_short_is_told_and_searched_again(tmp_path):
    file = tmp_path / "ledger.jsonl"
    first = run_shards(QUESTION, Ledger(file, "abc"))
    text = file.read_text()
    file.write_text(text[:-40])
    told = []
    ledger = Ledger(file, "abc", told.append)

    assert len(ledger.known) == 3
    assert "line 5 cut short or damaged; 1 shards are searched again" in told[0]
    assert run_shards(QUESTION, ledger) == first
    assert file.read_text() == text


@pytest.mark.parametrize("text", ["", "nonsense\n", '{"a": 1}\n'])
def test_a_file_that_is_no_ledger_is_refused(tmp_path, text):
    file = tmp_path / "ledger.jsonl"
    file.write_text(text)

    with pytest.raises(InputError, match="not a ledger of a search"):
        Ledger(file, "abc")


def test_the_ledger_of_another_search_is_refused(tmp_path):
    file = tmp_path / "ledger.jsonl"
    Ledger(file, "abc")

    with pytest.raises(InputError, match="ledger of another search"):
        Ledger(file, "def")


@pytest.mark.slow
def test_two_processes_find_what_one_finds(monkeypatch):
    monkeypatch.setattr("rackwright.design.shards._WORTH_A_POOL", 0)

    assert run_shards(QUESTION, jobs=2) == run_shards(QUESTION, jobs=1)


def test_more_axes_never_find_less():
    wide = SoftwareSpace(
        zero=(1, 2, 3),
        offload=("none", "optimizer"),
        context_parallel=(1, 2),
        sequence_parallel=(True, False),
        precision=("fp8", "bf16"),
        draft_tokens=(0, 1, 2),
        prefill_share=(0.0, 0.25, 0.5),
        cache_precision=("bf16", "fp8"),
    )
    few, many = run_shards(QUESTION), run_shards(QUESTION._replace(software=wide))

    for shard, choice in few.items():
        assert many[shard].rate >= choice.rate * (1 - 1e-12)
        assert many[shard].evaluated > choice.evaluated
