"""The page is whole whatever the run has, says what its records say, and escapes all of it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest

from rackwright.drawing.picture import picture_svg
from rackwright.drawing.report import SECTIONS, report_html
from rackwright.records.base import record_sha256
from rackwright.records.provenance import Grade
from rackwright.records.run import Statement
from rackwright.records.space import Front, Space
from tests.drawing.synthetic import NASTY, acceptance, decision, plan, run, scenario, study, summary


class Tree(HTMLParser):
    """Reads a page: its text, its ids and links, and whether every element is closed."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.handle_startendtag(tag, attrs)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        values = dict(attrs)
        if values.get("id"):
            self.ids.append(values["id"])
        self.links += [v for k, v in attrs if k in ("href", "src") and v]

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def whole(page: str) -> Tree:
    """Return a page's tree after the checks that every page must pass."""
    tree = Tree(page)
    assert tree.open == []
    assert len(tree.ids) == len(set(tree.ids))
    assert "script" not in tree.tags
    assert all(link.startswith("#") and link[1:] in tree.ids for link in tree.links)
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", page)
    assert "nan" not in re.findall(r"[a-z]+", page.lower().replace("nvidia", ""))
    for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        ET.fromstring(svg)
    assert [anchor for anchor, _, _ in SECTIONS] == tree.ids
    return tree


@pytest.mark.parametrize("readings", [None, "measured", "fictitious"])
def test_every_headline_and_its_grade_appear(readings):
    answer = run(readings=readings)

    text = whole(report_html(study(), answer)).text

    for statement in answer.summary.statements:
        assert statement.text in text
        assert f"{statement.grade} {statement.text}" in text
    assert answer.summary.title in text


def test_the_fictitious_band_and_labels_appear_only_with_fictitious_readings():
    real = report_html(study(), run(readings="measured"))
    before = report_html(study(), run())
    made_up = report_html(study(), run(readings="fictitious"))

    assert "FICTITIOUS" not in real
    assert "FICTITIOUS" not in before
    assert 'class="band"' in made_up
    # on the page's band, and inside every picture that rests on the readings
    labelled = [s for s in re.findall(r"<svg.*?</svg>", made_up, re.DOTALL) if "FICTITIOUS" in s]
    names = {re.search('aria-label="([^"]*)"', s)[1] for s in labelled}
    assert len(names) == 4
    assert all("FICTITIOUS READINGS" in name for name in names)


def test_text_of_records_is_escaped_everywhere():
    hostile = summary(
        "fictitious",
        title=NASTY,
        statements=(Statement(text=NASTY, grade=Grade.D, leans_on=NASTY),),
        scenarios=(scenario("strait", 5e6, 2e6, note=NASTY, text=NASTY),),
        assumptions=(NASTY,),
    )
    answer = run(readings="fictitious", summary=hostile, plan=plan(binding=(NASTY,)),
                 decision=decision("exercise", text=NASTY))  # fmt: skip
    asked = study(title=NASTY, note=NASTY, source=NASTY)

    page = report_html(asked, answer)

    assert "<script" not in page
    assert "<b>a" not in page
    assert NASTY in whole(page).text
    ET.fromstring(picture_svg(asked, answer))


def test_the_same_records_give_the_same_bytes():
    first = report_html(study(), run(readings="fictitious"))

    assert report_html(study(), run(readings="fictitious")) == first
    assert picture_svg(study(), run()) == picture_svg(study(), run())


NO_SCENARIO = {"summary": summary(scenarios=())}
NO_MIX = {
    "summary": summary(mix=()),
    "plan": plan(deliveries=(), assignments=(), landed=(), money=(), work=(), buckets=(),
                 shadow_prices=(), binding=(), designs=()),
}  # fmt: skip
NO_FRONT = {"front": Front(rows=()), "summary": summary(best={})}
NO_BOUNDARY = {"decision": decision("decline", boundary=(), gates=(), conditions=())}
NO_FLIP = {"decision": decision("wait", conditions=decision("wait").conditions[1:])}
LARGE = {"plan": plan(surplus_usd=-3e9, bound_usd=1e9, proved=True, remaining=0, stopped_by="",
                      weekly_loss_usd=-2e5)}  # fmt: skip
FEW_WORLDS = {"plan": plan(surplus_draws=[]), "acceptance": acceptance()}


@pytest.mark.parametrize(
    "missing",
    [NO_SCENARIO, NO_MIX, NO_FRONT, NO_BOUNDARY, NO_FLIP, LARGE, FEW_WORLDS],
    ids=["scenario", "mix", "front", "boundary", "flip", "money", "worlds"],
)
def test_a_run_without_a_part_is_still_a_whole_page(missing):
    whole(report_html(study(), run(**missing)))
    ET.fromstring(picture_svg(study(), run(**missing)))


def test_a_study_without_a_market_is_still_a_whole_page():
    whole(report_html(study(market=None), run(readings="measured")))


def test_one_world_is_still_a_whole_page():
    answer = run()
    parameters = answer.space.parameters.__class__(
        **{**dict(answer.space.parameters), "values": [[1.0]], "weights": [1.0]}
    )
    space = Space(**{**dict(answer.space), "rates": answer.space.rates[:, :, :1],
                     "parameters": parameters})  # fmt: skip

    whole(report_html(study(), answer._replace(space=space, plan=plan(surplus_draws=[1e6]))))


def test_redesign_that_gains_nothing_is_said_plainly():
    answer = run(summary=summary(scenarios=(scenario("hbm-halves", 30e6, 0.0),)))

    assert "redesign gains nothing" in whole(report_html(study(), answer)).text


def test_a_gain_within_the_controls_gap_is_not_called_proven():
    doubtful = run(summary=summary(scenarios=(scenario("doubt", 30e6, 0.5e6),)))
    clear = run(summary=summary(scenarios=(scenario("clear", 30e6, 12e6),)))

    assert "in no scenario is a gain of redesign proven" in report_html(study(), doubtful)
    assert "not proven" in report_html(study(), doubtful)
    assert "redesign is worth most in clear: 12 MUSD" in report_html(study(), clear)


def test_shadow_prices_stand_with_both_sides():
    text = whole(report_html(study(), run())).text

    assert "10 USD 9 to 11" in text
    assert "30 USD 27 to 33" in text


def test_the_estimates_that_would_move_the_decision_back_are_named():
    answer = run(readings="measured")

    text = whole(report_html(study(), answer)).text

    assert "What would move the decision back" in text
    assert all(condition.text in text for condition in answer.summary.evidence.back)


def test_hashes_name_study_plan_certificate_and_test():
    answer = run()

    text = whole(report_html(study(), answer)).text

    for sha in (answer.summary.study_sha256, answer.plan.certificate_sha256,
                record_sha256(answer.plan), record_sha256(answer.acceptance)):  # fmt: skip
        assert sha in text


def test_wide_charts_are_drawn_again_for_a_phone():
    page = report_html(study(), run())

    wide, narrow = page.count('class="only-wide"'), page.count('class="only-narrow"')
    assert wide == narrow > 3
