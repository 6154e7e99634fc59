"""The certificate is re-checked by a script that knows nothing of the package."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from copy import deepcopy
from pathlib import Path

import pytest

from rackwright import pipeline
from rackwright.build import Limits, plan
from rackwright.cli.given import given_of
from rackwright.design.pricing import price
from rackwright.formats.run_folder import open_run
from rackwright.records.base import canonical_json, record_sha256
from rackwright.records.certificate import Certificate
from rackwright.records.study import Factory, Scenario, Study, SupplyEffect
from tests.build.flagship import flagship
from tests.build.synthetic import ramp

SCRIPT = Path(__file__).parents[2] / "tools" / "recheck_certificate.py"


def load_script():
    spec = importlib.util.spec_from_file_location("recheck_certificate", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


script = load_script()


@pytest.fixture(scope="module")
def planned():
    study, space = flagship(rows=80)
    return plan(study, space, price, work_limits=Limits(nodes=8))


@pytest.fixture(scope="module")
def raw(planned):
    return json.loads(canonical_json(planned[1]))


def test_the_script_imports_nothing_of_the_package():
    imports = re.findall(r"^(?:import|from) (\w+)", SCRIPT.read_text(), flags=re.M)

    assert set(imports) - set(sys.stdlib_module_names) == {"numpy", "scipy"}


def test_an_honest_certificate_passes(raw):
    assert script.recheck(raw) == []


def test_the_bound_is_the_one_that_the_plan_states(planned):
    built, certificate = planned

    assert certificate.bound_usd == built.bound_usd
    assert certificate.incumbent.surplus_usd == built.surplus_usd
    assert built.certificate_sha256 == record_sha256(certificate)


def test_the_certificate_survives_json(planned):
    text = canonical_json(planned[1])

    assert canonical_json(Certificate.model_validate_json(text)) == text


def test_a_certificate_holds_its_numbers_itself_and_only_numbers(planned):
    data = planned[1].data

    assert all(isinstance(value, tuple | float) for value in data.values())
    with pytest.raises(ValueError, match="one that is none"):
        Certificate(**{**dict(planned[1]), "data": {**data, "x": [1.0, float("nan")]}})


def test_the_script_says_ok_and_exits_with_zero(raw, tmp_path, capsys):
    path = tmp_path / "certificate.json"
    path.write_text(json.dumps(raw))

    assert script.main([str(path)]) == 0
    assert capsys.readouterr().out.startswith("OK: the plan is worth")


def test_a_damaged_file_is_told_from_a_wrong_one(tmp_path, capsys):
    path = tmp_path / "certificate.json"
    path.write_text("{")

    assert script.main([str(path)]) == 2
    assert "not a certificate" in capsys.readouterr().out


def test_what_is_no_number_is_refused_in_the_file_too(raw, tmp_path, capsys):
    path = tmp_path / "certificate.json"
    path.write_text(json.dumps({**raw, "bound_usd": float("nan")}))

    assert script.main([str(path)]) == 2
    assert "NaN is not JSON" in capsys.readouterr().out


def test_a_certificate_without_leaves_is_wrong(raw, tmp_path, capsys):
    path = tmp_path / "certificate.json"
    path.write_text(json.dumps({**raw, "leaves": []}))

    assert script.main([str(path)]) == 1
    assert "no leaves" in capsys.readouterr().out


def lower_bound(raw):
    raw["bound_usd"] = raw["incumbent"]["surplus_usd"]


def drop_leaf(raw):
    raw["leaves"].pop()


def change_dual(raw):
    raw["leaves"][0]["dual_usd"][0] *= 0.5


def negate_dual(raw):
    raw["leaves"][0]["dual_usd"][0] *= -1.0


def claim_more(raw):
    raw["incumbent"]["surplus_usd"] *= 1.001


def build_more(raw):
    raw["incumbent"]["built"][0][4] += 400.0


def work_more(raw):
    raw["incumbent"]["at_work"][0][4] += 400.0


def forget_setup(raw):
    raw["incumbent"]["setups"] = raw["incumbent"]["setups"][1:]


def build_too_early(raw):
    raw["data"]["blocks.first_week"] = [103.9] * len(raw["designs"])


def not_a_number(raw):
    raw["leaves"][0]["dual_usd"][0] = float("nan")


def endless_bound(raw):
    raw["bound_usd"] = float("inf")


def worth_nothing_known(raw):
    raw["incumbent"]["surplus_usd"] = float("nan")


def missing_number(raw):
    raw["data"]["blocks.price_usd"][0] = None


def number_in_words(raw):
    raw["data"]["blocks.power_w"][0] = "nan"


def no_leaves(raw):
    raw["leaves"] = []


def build_less_than_nothing(raw):
    raw["incumbent"]["built"][0][4] *= -1.0


def part_of_a_cell(raw):
    cell = raw["data"]["core.integer"].index(1.0)
    core = [pair for pair in raw["incumbent"]["core"] if pair[0] != cell]
    raw["incumbent"]["core"] = [*core, [cell, 0.4]]


@pytest.mark.parametrize(
    "tamper",
    [
        not_a_number,
        endless_bound,
        worth_nothing_known,
        missing_number,
        number_in_words,
        no_leaves,
        build_less_than_nothing,
        part_of_a_cell,
        lower_bound,
        drop_leaf,
        change_dual,
        negate_dual,
        claim_more,
        build_more,
        work_more,
        forget_setup,
        build_too_early,
    ],
)
def test_tampering_is_caught(raw, tamper):
    wrong = deepcopy(raw)
    tamper(wrong)

    assert script.recheck(wrong) != []


def wrongs(certificate):
    return script.recheck(json.loads(canonical_json(certificate)))


@pytest.mark.parametrize("seed", range(3))
def test_certificates_of_scenarios_start_from_the_base_plan_and_pass(seed):
    study, space = flagship(rows=40, seed=seed)
    few = [
        Factory(**{**dict(f), "touch_hours_per_week": ramp(100.0)}) for f in study.factories
    ]  # so that cells are worth their price
    study = Study(**{**dict(study), "factories": tuple(few)})
    limits = Limits(nodes=4, shadow_prices=0)
    rules = [
        Scenario(name="us-only", factory_countries=("US",)),
        Scenario(name="half", supply=(SupplyEffect(part="hbm", factor=0.5),)),
    ]
    base, proof = plan(study, space, price, work_limits=limits)

    assert wrongs(proof) == []
    for rule in rules:
        built, proof = plan(
            study, space, price, scenario=rule, known_plans=[base], work_limits=limits
        )
        assert wrongs(proof) == []
        assert built.cells


@pytest.mark.slow
def test_every_certificate_of_the_flagship_example_passes(tmp_path):
    given = given_of(Path(__file__).parents[2] / "examples" / "houston" / "study.toml")
    with open_run(tmp_path / "run") as folder:
        pipeline.run(given, folder)
    files = sorted((tmp_path / "run").glob("certificate*.json"))

    assert len(files) == 1 + 2 * len(given.study.scenarios)
    assert [(f.name, script.recheck(json.loads(f.read_text()))) for f in files] == [
        (f.name, []) for f in files
    ]
