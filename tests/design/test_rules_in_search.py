"""The cheap rules in the search: vendors' racks are told, composed ones that break them are not
proposed."""

from pathlib import Path

from rackwright.catalog import load
from rackwright.design import candidates
from rackwright.load import load_study

ROOT = Path(__file__).parents[2]
CATALOG = load()
HOUSTON = load_study(ROOT / "examples" / "houston" / "study.toml").study
WIDE = load_study(ROOT / "examples" / "wide" / "study.toml").study


def notes(redundancy):
    study = HOUSTON.model_copy(update={"redundancy": redundancy})
    return {
        c.rack.key: [n for n in c.rack.assumptions if "rule P3" in n]
        for c in candidates.enumerate_candidates(study, CATALOG).all
    }


def test_a_vendors_rack_that_breaks_a_rule_is_ranked_and_told():
    (told,) = notes("N+1")["nvidia-dgx-b200"]
    assert "9.9 kW < 14.3 kW" in told
    assert notes("N")["nvidia-dgx-b200"] == []


def test_a_composed_rack_that_breaks_a_rule_is_rejected_with_its_arithmetic(monkeypatch):
    right = candidates.composed_racks

    def starved(*given):
        made = right(*given)
        return made._replace(racks=tuple(r._replace(power_shelves=1) for r in made.racks))

    study = WIDE.model_copy(update={"redundancy": "N+1"})
    before = candidates.enumerate_candidates(study, CATALOG)
    monkeypatch.setattr(candidates, "composed_racks", starved)
    after = candidates.enumerate_candidates(study, CATALOG)
    assert len(after.all) < len(before.all)
    assert any("rule P5, power shelves: 1 x 27.5 kW" in reason for reason in after.rejected)
