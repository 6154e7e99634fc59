"""Traces: known spellings are read alike, and everything that is wrong is told at once."""

import os
from pathlib import Path

import numpy as np
import pytest

from rackwright.formats.trace import read_trace
from rackwright.kernels.prefix import shared_runs
from rackwright.records.errors import InputError

MOONCAKE = Path(os.environ.get("RACKWRIGHT_DATA", "")) / "trace_mooncake_conversation.jsonl"


def written(tmp_path, text, name="t.jsonl"):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


def test_three_spellings_say_the_same(tmp_path):
    mooncake = written(tmp_path, '{"timestamp": 0, "input_length": 700, "output_length": 5}\n'
                       '{"timestamp": 1500, "input_length": 90, "output_length": 7}\n')  # fmt: skip
    azure = written(tmp_path, "TIMESTAMP,ContextTokens,GeneratedTokens\n"
                    "2023-11-16 18:17:03.9799600,700,5\n2023-11-16 18:17:05.4799600,90,7\n",
                    "a.csv")  # fmt: skip
    plain = written(tmp_path, "arrival_s,input_tokens,output_tokens\n0,700,5\n1.5,90,7\n", "p.csv")

    for file in (mooncake, azure, plain):
        trace = read_trace(file)
        np.testing.assert_allclose(trace.arrivals, [0.0, 1.5], atol=1e-6)
        assert trace.inputs.tolist() == [700, 90]
        assert trace.outputs.tolist() == [5, 7]


def test_names_of_prefix_blocks_are_a_list_or_words_in_a_cell(tmp_path):
    lines = written(tmp_path, '{"timestamp": 0, "input_length": 700, "output_length": 5, '
                    '"hash_ids": [4, 9]}\n')  # fmt: skip
    cells = written(tmp_path, "arrival_s,input_tokens,output_tokens,prefix_hashes\n0,700,5,4 9\n"
                    "0,700,5,\n", "c.csv")  # fmt: skip

    assert read_trace(lines).counts.tolist() == [2]
    assert read_trace(cells).counts.tolist() == [2, 0]


def test_requests_out_of_order_are_sorted_and_it_is_noted(tmp_path):
    trace = read_trace(written(tmp_path, "arrival_s,input_tokens,output_tokens\n3,1,0\n1,2,5\n"))

    assert trace.inputs.tolist() == [2, 1]
    assert trace.outputs.tolist() == [5, 0]
    assert any("1 requests stood before an earlier one" in note for note in trace.notes)


def test_every_wrong_cell_is_told_at_once(tmp_path):
    file = written(tmp_path, "arrival_s,input_tokens,output_tokens\n-1,5,5\n0,5.5,5\nsoon,5,-3\n"
                   "1,2\n2,nan,4\n")  # fmt: skip
    with pytest.raises(InputError) as caught:
        read_trace(file)
    told = "\n".join(caught.value.mistakes)

    assert ":2: arrival_s: found '-1', a time >= 0 or a date is needed" in told
    assert ":3: input_tokens: found '5.5', a whole number of tokens >= 0" in told
    assert ":4: arrival_s: found 'soon'" in told
    assert ":4: output_tokens: found '-3'" in told
    assert ":5: has not the 3 cells of the head" in told
    assert ":6: input_tokens: found 'nan'" in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("arrival_s,input_tokens\n0,5\n", "no column of answer lengths; it is named output_tokens"),
        ("arival_s,input_tokens,output_tokens\n", "Did you mean arrival_s"),
        ("", "holds no request"),
        ("arrival_s,input_tokens,output_tokens\n", "holds no request"),
        ('{"timestamp": 0, "input_length": 700\n', ":1: is no JSON"),
        ('{"timestamp": 0, "input_length": 700}\n', ":1: no column of answer lengths"),
        ("[1, 2]\n", "one JSON object is needed"),
        ('{"timestamp": 0, "input_length": 7, "output_length": 1, "hash_ids": 5}\n', "a list of"),
    ],
)  # fmt: skip
def test_a_trace_that_cannot_be_read_says_why(tmp_path, text, told):
    with pytest.raises(InputError, match=told):
        read_trace(written(tmp_path, text))


def test_a_thousand_mistakes_are_counted_after_the_first(tmp_path):
    rows = "".join("0,-1,5\n" for _ in range(1000))
    with pytest.raises(InputError) as caught:
        read_trace(written(tmp_path, "arrival_s,input_tokens,output_tokens\n" + rows))

    assert len(caught.value.mistakes) == 21
    assert "and 980 more mistakes" in caught.value.mistakes[-1]


def test_files_that_are_no_text_are_told(tmp_path):
    file = tmp_path / "b.csv"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="no text in UTF-8"):
        read_trace(file)
    with pytest.raises(InputError, match="No such file"):
        read_trace(tmp_path / "none.csv")


@pytest.mark.skipif(not MOONCAKE.is_file(), reason="RACKWRIGHT_DATA names no folder with it")
def test_mooncakes_trace_has_the_hits_that_its_authors_count():
    # 12,031 requests, 36.6 % of 288,500 blocks hit with an unlimited cache (its description)
    trace = read_trace(MOONCAKE)
    links, chain = shared_runs(trace.counts, trace.names, trace.inputs, 1)

    assert trace.inputs.size == 12_031
    assert trace.names.size == 288_500
    assert (links.sum() - chain.max() - 1) / trace.names.size == pytest.approx(0.366, abs=5e-4)
