"""Published figures of reliability beside ours."""

import pytest

from rackwright.validate.goodput import score_goodput
from tests.validate.tables import CATALOG


def test_every_published_figure_is_met_and_shows_its_arithmetic():
    score = score_goodput(CATALOG)

    assert len(score.checks) >= 7
    for check in score.checks:
        assert check.agrees, check.what
        assert check.arithmetic
        assert check.source


def test_causes_share_what_failures_take():
    score = score_goodput(CATALOG)
    whole = next(s for s in score.sizes if s.accelerators == 16_384)

    assert sum(c.count for c in score.causes) == 419
    assert sum(c.time_share for c in score.causes) == pytest.approx(
        whole.lost_share + whole.down_share
    )
    assert [c.count for c in score.causes] == sorted((c.count for c in score.causes), reverse=True)


def test_the_table_runs_from_a_thousand_to_a_hundred_thousand():
    score = score_goodput(CATALOG)

    assert score.sizes[0].accelerators == 1_024
    assert score.sizes[-1].accelerators > 100_000
    for slow, quick in zip(score.sizes, score.quicker, strict=True):
        assert quick.effective_share > slow.effective_share
