"""The front's percentiles, confirmed request by request, and corrections said in words."""

from pathlib import Path

import numpy as np
import pytest

from rackwright import catalog, design
from rackwright.design.confirm import _replicas
from rackwright.load import load_models, load_study
from rackwright.records.space import Confirmed, SoftwarePlan

STUDY = Path("examples/houston/study.toml")


@pytest.fixture(scope="module")
def fronts():
    study, components = load_study(STUDY).study, catalog.load()
    models = load_models(study, components, STUDY.parent)
    space = design.search(study, components, models)
    plain = design.front(study, space)
    return study, plain, design.confirm(study, components, models, space, plain)


def test_rows_that_serve_are_confirmed_and_the_others_left_as_they_are(fronts):
    study, plain, confirmed = fronts
    serving = {w.name for w in study.workloads if w.kind == "serving"}

    for before, after in zip(plain.rows, confirmed.rows, strict=True):
        assert (after.confirmed is not None) == (after.workload in serving)
        assert {**dict(after), "confirmed": None} == dict(before)


def test_at_the_share_of_the_rate_that_is_told_the_limits_are_kept(fronts):
    for row in fronts[2].rows:
        known = row.confirmed
        if known is not None:
            assert known.ttft_simulated_s > 0.0
            assert 0.0 < known.ttft_error_s < known.ttft_simulated_s
            kept = known.ttft_simulated_s <= 3.0 and known.tpot_simulated_s <= 0.030
            assert (known.rate_share == 1.0) == kept
            assert known.rate_share > 0.8
            assert known.tpot_s == pytest.approx(0.030, rel=0.02)  # the plan goes to the limit


def test_corrections_say_which_percentile_from_what_to_what():
    told = Confirmed(
        percentile=0.95, requests=100, ttft_s=0.5, ttft_simulated_s=0.61, ttft_error_s=0.01,
        ttft_corrected=True, tpot_s=0.02, tpot_simulated_s=0.0201, tpot_error_s=0.001,
        tpot_corrected=False, rate_share=0.9,
    )  # fmt: skip

    assert told.corrections() == (
        "TTFT p95 0.5 s -> 0.61 s", "rate within the limits 100 % -> 90 %",
    )  # fmt: skip


@pytest.mark.parametrize("share", [0.05, 0.25, 0.4, 0.8])
def test_separate_pools_are_simulated_in_nearly_their_proportion(share):
    plan = SoftwarePlan(kind="serving", precision="fp8", tensor_parallel=1, pipeline_parallel=1,
                        data_parallel=1, expert_parallel=1, replicas=72,
                        prefill_share=share)  # fmt: skip
    decode, prefill = _replicas(plan)

    assert decode >= 1
    assert prefill >= 1
    assert np.isclose(prefill / (decode + prefill), share, atol=0.04)
