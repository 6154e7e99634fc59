"""Differences of two documents."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rackwright.drawing.compare import differences

ROWS = [{"name": "a", "usd": 1.0}, {"name": "b", "usd": 2.0}]

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


def test_rows_are_matched_by_name_and_not_by_place():
    other = [{"name": "c", "usd": 3.0}, {"name": "a", "usd": 1.5}, {"name": "b", "usd": 2.0}]

    got = {d.field: (d.left, d.right) for d in differences({"rows": ROWS}, {"rows": other})}

    assert got == {
        "rows[a].usd": (1.0, 1.5),
        "rows[c].name": (None, "c"),
        "rows[c].usd": (None, 3.0),
    }


def test_sentences_are_matched_by_what_they_say():
    got = differences({"notes": ["a", "b", "c"]}, {"notes": ["c", "d", "a"]})

    assert [(d.left, d.right) for d in got] == [("b", None), (None, "d")]


def test_a_relative_difference_is_right_over_left():
    (only,) = differences({"x": 4.0}, {"x": 5.0})
    assert only.relative == 0.25
    (text,) = differences({"x": "a"}, {"x": "b"})
    assert text.relative is None


@given(document=st.dictionaries(st.text(), plain, max_size=4))
def test_a_document_does_not_differ_from_itself(document):
    assert differences(document, document) == []


@given(left=st.dictionaries(st.text(), st.integers(), max_size=4),
       right=st.dictionaries(st.text(), st.integers(), max_size=4))  # fmt: skip
def test_differences_are_the_same_from_both_sides(left, right):
    there = {(d.field, d.left, d.right) for d in differences(left, right)}
    back = {(d.field, d.right, d.left) for d in differences(right, left)}
    assert there == back
