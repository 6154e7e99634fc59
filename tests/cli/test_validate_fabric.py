"""What `validate fabric` and `validate wiring` print, and how they leave."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from rackwright.cli import main


def called(capsys, *words):
    with pytest.raises(SystemExit) as left:
        main(["validate", *map(str, words)])
    out, err = capsys.readouterr()
    return left.value.code, out, err


def test_the_document_of_validate_fabric_has_the_agreed_keys(capsys):
    code, out, _ = called(capsys, "fabric", "--json")
    answer = json.loads(out)

    assert code == 0
    assert answer["wrong"] == 0
    assert {"id", "checked", "wrong", "known_errors_flagged", "unsupported"} <= set(
        answer["designs"][0]
    )
    assert sum(d["checked"] for d in answer["designs"]) == answer["checked"]


def test_a_wrong_count_is_a_finding_that_is_named(tmp_path, capsys):
    file = tmp_path / "designs.yaml"
    file.write_text(
        "designs: [{id: a, given: {servers: 2, gpus_per_server: 8}, expect: {gpus: 17}}]"
    )
    code, out, _ = called(capsys, "fabric", file)

    assert code == 1
    assert "a: expect: gpus: printed 17, computed 16" in out


@pytest.mark.skipif("RACKWRIGHT_DATA" not in os.environ, reason="RACKWRIGHT_DATA is not set")
def test_the_document_of_validate_wiring_has_the_agreed_keys(capsys):
    folder = Path(os.environ["RACKWRIGHT_DATA"]) / "catalog" / "ocdai" / "opg-128-clos-ro"
    code, out, _ = called(capsys, "wiring", folder, "--json")
    (variant,) = json.loads(out)["variants"]

    assert code == 0
    assert {k: variant[k] for k in ("id", "links", "matched", "missing", "extra", "bom_wrong")} == {
        "id": "opg-128-clos-ro", "links": 288, "matched": 288, "missing": 0, "extra": 0,
        "bom_wrong": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("wiring",), "needs folders"),
        (("wiring", "nowhere"), "no such folder"),
        (("fabric", "nowhere.yaml"), "cannot be read"),
        (("fabric", "a.yaml", "b.yaml"), "takes one file, got 2"),
    ],
)
def test_mistakes_are_told_in_one_line(words, said, capsys):
    code, _, err = called(capsys, *words)
    assert code == 2
    assert said in err
    assert "Traceback" not in err
