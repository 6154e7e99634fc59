"""The certificate is re-checked by a script that knows nothing of the package."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from copy import deepcopy
from pathlib import Path

import pytest

from rackwright.build import Limits, plan
from rackwright.design.pricing import price
from rackwright.records.base import canonical_json, record_sha256
from rackwright.records.certificate import Certificate
from tests.build.flagship import flagship

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


@pytest.mark.parametrize(
    "tamper",
    [
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
