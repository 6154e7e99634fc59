"""`rackwright simulate`: a trace or made requests, in flags and words that say what is wrong."""

import json

import pytest

from rackwright.cli.app import main

MODEL = ["--model", "llama-3.1-8b", "--on", "H100", "--precision", "bf16"]
MADE = ["--input", "200", "--output", "mean=50,p90=90", "--rate", "20", "--requests", "300"]


def called(capsys, *words):
    code = 0
    try:
        main(["simulate", *map(str, words)])
    except SystemExit as stop:
        code = stop.code or 0
    out = capsys.readouterr()
    return code, out.out, out.err


def test_made_requests_are_the_same_bytes_with_the_same_seed(capsys):
    first, again, other = (
        called(capsys, *MODEL, *MADE, "--seed", seed, "--json")[1] for seed in (3, 3, 4)
    )

    assert first == again != other
    record = json.loads(first)
    assert record["outcomes"]["served"] == 300
    assert record["ttft"]["p50_s"] < record["ttft"]["p99_s"] < record["e2e"]["max_s"]
    assert 0.0 < min(record["busy_share"]) <= max(record["busy_share"]) <= 1.0


def test_a_trace_is_served_and_every_outcome_is_stated(capsys, tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("arrival_s,input_tokens,output_tokens\n2,100,10\n0,100,0\n1,5000,10\n3,0,4\n")
    code, out, _ = called(capsys, file, *MODEL, "--cache-tokens", "4096", "--out", tmp_path / "o")

    assert code == 0
    assert "1 served; 1 longer than the cache of a replica; 2 no prompt given or no output" in out
    assert "1 requests stood before an earlier one: sorted by arrival" in out
    record = json.loads((tmp_path / "o" / "simulation.json").read_text())
    assert record["outcomes"]["served"] == 1
    assert (tmp_path / "o" / "simulation.svg").read_text().startswith("<svg")


def test_when_nothing_is_served_the_answer_says_so(capsys, tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("arrival_s,input_tokens,output_tokens\n0,100,0\n")
    code, out, _ = called(capsys, file, *MODEL, "--out", tmp_path / "o")

    assert code == 0
    assert "0 served; 1 no prompt given or no output asked for" in out


def test_pools_clients_and_routes_can_be_asked_for(capsys):
    code, out, _ = called(
        capsys, *MODEL, "--input", "300", "--output", "60", "--clients", "12", "--think", "100 ms",
        "--requests", "200", "--replicas", "2", "--prefill-replicas", "1", "--prefill-tensor", "2",
        "--route", "least-loaded", "--ttft", "1 s", "--tpot", "30 ms", "--json",
    )  # fmt: skip
    record = json.loads(out)

    assert code == 0
    assert len(record["busy_share"]) == 3
    assert record["deployed"]["accelerators_per_prefill_replica"] == 2
    assert record["within"]["share"] <= 1.0
    assert max(record["over_time"]["running"]) <= 12 + 1e-9


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], ["--model: is needed", "--on: is needed"]),
        ([*MODEL, *MADE, "--route", "nearest", "--tensor", "0"], ["--tensor: found 0, from 1 to"]),
        ([*MODEL, *MADE, "--route", "least-load"], ["Did you mean least-loaded"]),
        (["--model", "llama-3.1-9b", "--on", "H1000", *MADE], ["no model named", "--on: no acc"]),
        ([*MODEL, "--input", "mean=100,p90=1e4", "--output", "x", "--rate", "1"],
         ["--input: 'mean=100,p90=1e4'", "--output: 'x'"]),
        ([*MODEL, "--input", "10"], ["--output: is needed"]),
        ([*MODEL, "--input", "10", "--output", "10"], ["--rate: is needed"]),
        ([*MODEL, *MADE, "--ttft", "5 parsecs", "--think", "soon"], ["--ttft: ", "--think: "]),
        ([*MODEL, *MADE, "--cv", "0", "--rate", "-3"], ["--cv: found 0", "--rate: found -3"]),
        ([*MODEL, *MADE, "--rate", "nan", "--requests", "99999999999"],
         ["--rate: found nan", "--requests: found 1e+11"]),
        ([*MODEL, *MADE, "--replicas", "1000000", "--block-tokens", "100000"],
         ["--replicas: found 1e+06, from 1 to 4096", "--block-tokens: found 100000"]),
        ([*MODEL, *MADE, "--arrivals", "diurnal", "--period", "0 s"], ["--period: found 0 s"]),
        ([*MODEL, *MADE, "--arrivals", "poison"], ["Did you mean poisson"]),
        ([*MODEL, *MADE, "--seed", "-1"], ["--seed"]),
        ([*MODEL, *MADE, "--engine", "vlm"], ["Did you mean vllm"]),
        ([*MODEL, *MADE, "--hash-tokens", "100"], ["no multiple of a cache block of 16 tokens"]),
        ([*MODEL, *MADE, "--tensor", "5"], ["5 does not divide the 32 heads"]),
        (["--model", "llama-3.1-405b", "--on", "H100", *MADE], ["spread the model over more"]),
        ([*MODEL, *MADE, "--precision", "fp5"], ["--precision: found 'fp5'"]),
        (["--study", "x.toml"], ["--workload: is needed", "--design: is needed"]),
        (["none.csv", *MODEL], ["No such file"]),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_without_a_traceback(capsys, words, told):
    code, out, err = called(capsys, *words)

    assert code == 2
    assert out == ""
    assert "Traceback" not in err
    for text in told:
        assert text in err


def test_a_design_of_a_study_serves_its_workload(capsys):
    words = ["--study", "examples/houston/study.toml", "--workload", "chat", "--requests", "2000"]
    code, out, _ = called(capsys, *words, "--design", "nvidia-dgx-b200/400g/o1/1r", "--json")
    record = json.loads(out)

    assert code == 0
    assert record["deployed"]["model"] == "gpt-oss-120b"
    assert record["within"]["ttft_s"] == 3.0

    code, _, err = called(capsys, *words, "--design", "nvidia-dgx-b200/400g/o1/9r")
    assert code == 2
    assert "Did you mean nvidia-dgx-b200/400g/o1/1r" in err
