"""The verb `catalog`: what is listed, shown, found, compared, and what cannot be."""

import json
import re

import pytest

from rackwright.cli.app import main


def run(capsys, *words):
    """Return exit code, stdout and stderr of one command."""
    with pytest.raises(SystemExit) as left:
        main(["catalog", *words])
    told = capsys.readouterr()
    return left.value.code or 0, told.out, told.err


def document(capsys, *words):
    code, out, _ = run(capsys, *words, "--json")
    assert code == 0
    return json.loads(out)


def test_the_kinds_are_listed_with_their_counts(capsys):
    counts = document(capsys, "list")

    assert counts["accelerators"] >= 45
    assert sum(counts.values()) - counts["models"] - counts["architectures"] >= 250


@pytest.mark.parametrize("kind", ["accelerators", "coolants", "feeds", "architectures"])
def test_every_kind_is_listed_with_grades(capsys, kind):
    rows = document(capsys, "list", kind)

    assert rows
    assert all(row["kind"] == kind and row["grade"] in "ABCD" for row in rows)


def test_a_component_is_shown_with_units_sources_and_what_others_say(capsys):
    code, out, _ = run(capsys, "show", "B300")

    assert code == 0
    assert "memory_bytes" in out
    assert "288 GB" in out
    assert "fp4 elsewhere: 12.6 PFLOP/s [B]" in out
    assert "[A, datasheet, 2026-11-22] NVIDIA DGX B300 datasheet" in out
    assert out.splitlines()[-1].startswith("next: rackwright catalog")


def test_prices_are_shown_as_dated_ranges(capsys):
    _, out, _ = run(capsys, "show", "nvidia-h100-sxm")

    assert "price 28,000.00 to 28,000.00 USD as of 2026 [C, secondary] analyst" in out
    assert "lead time 52 to 52 weeks as of 2026-02" in out


def test_a_component_is_found_by_part_of_a_name_and_by_a_mistyped_one(capsys):
    assert {r["key"] for r in document(capsys, "find", "mi35")} >= {"amd-mi350x", "amd-mi355x"}
    assert "blackwell" in [r["key"] for r in document(capsys, "find", "blckwell")]
    found = document(capsys, "find", "nvidia dgx b300")
    assert "nvidia-dgx-b300-psu" in [row["key"] for row in found]
    assert all("b300" in row["key"] for row in found)


@pytest.mark.parametrize("bytes_", ["192e9", "192 GB", "0.192 TB"])
def test_a_component_is_found_by_what_its_numbers_are(capsys, bytes_):
    found = document(capsys, "find", "--where", f"memory_bytes>={bytes_}", "--kind", "accelerators")
    keys = {row["key"] for row in found}

    assert {"amd-mi300x", "nvidia-b300-sxm"} <= keys
    assert "nvidia-h200-sxm" not in keys
    assert all(row["values"]["memory_bytes"] >= 192e9 for row in found)


def test_conditions_hold_together_and_reach_into_tables(capsys):
    found = document(
        capsys, "find", "--where", "matmul_flop_per_s.fp4>9e15", "--where", "family~blackwell"
    )

    assert {row["key"] for row in found} == {
        "nvidia-b300-sxm", "nvidia-gb200-gpu", "nvidia-gb300-gpu",
    }  # fmt: skip


def test_two_components_are_compared_with_the_relative_difference(capsys):
    rows = {row["field"]: row for row in document(capsys, "diff", "H100", "H200")["fields"]}

    assert rows["memory_bytes"]["relative"] == pytest.approx(141 / 80 - 1)
    assert rows["memory_kind"]["relative"] is None
    assert "tdp_w" not in rows
    code, out, _ = run(capsys, "diff", "H100", "H200", "--all")
    assert code == 0
    assert "+76.2 %" in out
    assert "700 W" in out


def test_the_models_are_checked_against_what_was_published(capsys):
    told = document(capsys, "models", "--check")

    assert told["total_met"] >= 161
    assert told["both_met"] >= 150
    missed = [m for m in told["models"] if abs(m["relative"]) > 0.01]
    assert all(m["reason"] for m in missed)


WRONG = [
    (["show", "B20O"], "no component named 'B20O'.*Did you mean B200"),
    (["list", "nic"], "no catalog kind named 'nic'.*Did you mean nics"),
    (["find"], "nothing to look for"),
    (["find", "x", "--kind", "gpus"], "no catalog kind named 'gpus'"),
    (["find", "--where", "memory_byte>=1"], "no component has a field 'memory_byte'.*memory_bytes"),
    (["find", "--where", "memory_bytes"], "found 'memory_bytes', allowed a field, one of"),
    (["find", "--where", "memory_bytes>=2 kg"], "--where memory_bytes: found .2 kg., which is a m"),
    (["diff", "B200", "B2000"], "no component named 'B2000'"),
    (["list", "nics", "--catalog", "nowhere"], "nowhere: no such catalog folder"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "told"), WRONG, ids=lambda words: " ".join(words)[:30])
def test_what_cannot_be_answered_is_told_in_one_line(capsys, words, told):
    code, _, err = run(capsys, *words)

    assert code == 2
    assert len(err.splitlines()) == 1
    assert re.search(told, err)


def test_finding_nothing_is_told_with_an_exit_code(capsys):
    code, out, _ = run(capsys, "find", "zzzzqqq")

    assert code == 1
    assert "nothing found" in out


def test_a_damaged_file_is_told_and_the_others_are_listed(capsys, tmp_path):
    (tmp_path / "feeds").mkdir()
    (tmp_path / "feeds" / "cut.toml").write_text('[feed]\nname = "Half a')
    code, out, err = run(capsys, "list", "feeds", "--catalog", str(tmp_path))

    assert code == 1
    assert "nec-60a-415v-3p" in out
    assert "cut.toml" in err
    assert run(capsys, "show", "nec-60a-415v-3p", "--catalog", str(tmp_path))[0] == 0
