"""What failures leave of training jobs: parts that sum to the whole, and rates that carry it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rackwright import catalog
from rackwright.design.goodput import goodput
from rackwright.records.reliability import FailureLog
from rackwright.records.study import Reliability

LOG = catalog.load().find(FailureLog, "llama3-405b-2024")


@given(
    accelerators=st.integers(8, 200_000),
    billions=st.floats(0.1, 5000.0),
    detect=st.floats(0.0, 2000.0),
    restart=st.floats(1.0, 2000.0),
    repair=st.floats(0.0, 500.0),
)
def test_the_parts_of_time_sum_to_one(accelerators, billions, detect, restart, repair):
    terms = Reliability(detect_s=detect, restart_s=restart, repair_hours=repair)
    size = goodput(LOG, terms, billions * 1e9, accelerators)
    parts = (size.effective_share, size.checkpoint_share, size.lost_share, size.down_share,
             size.halted_share)  # fmt: skip

    assert sum(parts) == pytest.approx(1.0, abs=1e-9)
    assert all(0.0 <= part <= 1.0 for part in parts)
    assert size.halted_share <= 0.001


def test_a_larger_job_keeps_less_and_fails_in_proportion():
    small, large = (goodput(LOG, Reliability(), 405e9, n) for n in (1_000, 100_000))

    assert large.effective_share < small.effective_share
    assert small.mtbf_s == pytest.approx(100 * large.mtbf_s)


def test_given_spares_are_taken_as_they_are():
    none, some = (
        goodput(LOG, Reliability(spares_share=share), 405e9, 16_384) for share in (0.0, 0.02)
    )

    assert none.spares == 0
    assert some.spares == 40
    assert none.halted_share > 0.9  # of 20 nodes in repair on average, none may be
    assert some.halted_share < 0.001
