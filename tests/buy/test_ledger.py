"""The ledger against the published questions (known_answers.yaml, buy.ledger)."""

from __future__ import annotations

from datetime import date

import pytest

from rackwright.buy import ledger
from rackwright.catalog.facts_file import commitments
from rackwright.records.errors import InputError, RackwrightError

LAYERS = {
    "hosting": ["oracle", "coreweave", "microsoft", "aws_2025", "aws_2026", "google_cloud"],
    "chips": ["nvidia_loi", "nvidia_equity", "amd", "broadcom"],
}
QUESTIONS = [
    ("total_usd_b", ["stargate", "stargate_sites_2025_09"], "2025-12-01", 500),
    ("total_gw", ["stargate", "oracle"], "2025-12-01", 10),
    ("total_usd_b", ["microsoft", "coreweave", "aws_2025", "google_cloud"], "2025-11-30", 310.4),
    ("total_gw", LAYERS["hosting"], "2025-11-30", 4.5),
    ("total_gw", LAYERS["chips"], "2026-03-01", 16),
    ("total_usd_b", ["dram_loi"], "2025-12-01", "unknown"),
    ("total_gw", ["oracle", "broadcom"], "2025-12-01", "not_additive"),
    ("total_usd_b", ["aws_2025"], "2025-10-15", 0),
    ("obligation_usd_b", ["dram_loi"], "2025-12-01", 0),
    ("obligation_usd_b", ["foxconn"], "2025-12-01", 0),
    ("obligation_usd_b", ["nvidia_loi", "nvidia_equity"], "2026-03-01", 0),
    ("obligation_usd_b", ["stargate", "aws_2025"], "2025-12-01", 38),
    ("status", ["nvidia_loi"], "2025-12-01", "loi"),
    ("status", ["nvidia_loi"], "2026-03-01", "superseded"),
    ("status", ["foxconn"], "2025-12-01", "option"),
    ("status", ["aws_2026"], "2026-02-10", "none"),
    ("status", ["stargate"], "2025-12-01", "target"),
]


@pytest.mark.parametrize(("operation", "ids", "day", "answer"), QUESTIONS)
def test_a_question_has_its_published_answer(operation, ids, day, answer):
    got = ledger.ask(commitments(), operation, ids, date.fromisoformat(day))

    assert got == (answer if isinstance(answer, str) else pytest.approx(answer, abs=1e-6))


def test_a_part_of_a_part_is_not_counted_twice():
    got = ledger.ask(
        commitments(), "total_usd_b", ["oracle", "stargate", "stargate_sites_2025_09"],
        date(2026, 1, 1),
    )  # fmt: skip

    assert got == 500


def test_the_report_has_a_row_for_each_commitment_and_a_total_for_each_layer():
    made = ledger.report(commitments(), date(2025, 12, 1))

    assert len(made.rows) == len(commitments().entries)
    assert {t.layer for t in made.totals} == set(commitments().layers)


def test_an_unknown_id_is_named_with_the_nearest():
    with pytest.raises(RackwrightError, match="Did you mean"):
        ledger.ask(commitments(), "status", ["orcale"], date(2026, 1, 1))


@pytest.mark.parametrize(
    "text",
    [
        "entries: [", "[]", "entries: 3\nlayers: {}", "layers: {a: [x]}\nentries: [{id: x}]",
        "layers: {a: [x]}\nentries: [{id: x, party: p, date: soon, binding: loi, grade: A}]",
        "layers: {}\nentries: [{id: x}]",
    ],
)  # fmt: skip
def test_a_damaged_ledger_is_one_clear_error(tmp_path, text):
    file = tmp_path / "ledger.yaml"
    file.write_text(text)

    with pytest.raises(InputError, match=r"ledger\.yaml"):
        commitments(file)
