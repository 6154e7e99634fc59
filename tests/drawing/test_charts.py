"""Charts are well-formed, stay inside their frame, and put values where their scales say."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rackwright.drawing.charts.axes import Scale, log_ticks, reach, ticks
from rackwright.drawing.charts.bars import Bar, Bars, Segment, bars
from rackwright.drawing.charts.canvas import Drawing, apart, bannered, svg, text_width, wrapped
from rackwright.drawing.charts.curves import Axis, Curve, Curves, Mark, curves
from rackwright.drawing.charts.pairs import Pair, Pairs, pairs
from rackwright.drawing.charts.probes import Probe, Probes, Reading, probes
from rackwright.drawing.charts.ranges import Range, Ranges, ranges
from rackwright.drawing.charts.spread import binned, spread
from rackwright.drawing.charts.steps import Layer, Limit, Steps, steps
from rackwright.drawing.charts.waterfall import Fall, Waterfall, waterfall
from rackwright.drawing.html import Html, join, tag
from rackwright.drawing.style import DARK, LIGHT, chart_css

finite = st.floats(-1e12, 1e12, allow_nan=False)
positive = st.floats(1e-9, 1e12, allow_nan=False)
width = st.sampled_from([320.0, 390.0, 780.0])
name = st.text(min_size=1, max_size=24)


def numbers(drawing: Drawing) -> dict[str, list[float]]:
    """Return all coordinates of a drawing's marks after checking that it is sound XML."""
    found: dict[str, list[float]] = {"x": [], "y": []}
    for node in ET.fromstring(svg(drawing, "chart", chart_css())).iter():
        for key, value in node.attrib.items():
            if key in ("x", "x1", "x2", "cx"):
                found["x"].append(float(value))
            if key in ("y", "y1", "y2", "cy"):
                found["y"].append(float(value))
            if key == "points":
                pairs_ = [p.split(",") for p in value.split()]
                found["x"] += [float(x) for x, _ in pairs_]
                found["y"] += [float(y) for _, y in pairs_]
    return found


def inside(drawing: Drawing) -> None:
    """Check that marks stay in the frame, with half a pixel for rounding."""
    found = numbers(drawing)
    assert all(math.isfinite(v) for v in found["x"] + found["y"])
    assert all(-0.6 <= x <= drawing.width + 0.6 for x in found["x"])
    assert all(-0.6 <= y <= drawing.height + 0.6 for y in found["y"])


@given(st.lists(st.tuples(name, finite), min_size=1, max_size=5), width)
def test_bars_stay_in_their_frame(values, wide):
    rows = tuple(Bar(n, (Segment("a", v, "c0"), Segment("b", v / 3, "c1")), "x") for n, v in values)
    inside(bars(Bars("u", rows), wide))


@given(st.lists(positive, min_size=1, max_size=6), st.lists(positive, max_size=4), width)
def test_steps_stay_in_their_frame(values, limits, wide):
    edges = tuple(float(i) for i in range(len(values) + 1))
    layers = (Layer("a", tuple(values), "c0"), Layer("b", tuple(values), "c1"))
    limit = Limit("most", tuple((float(i), v) for i, v in enumerate(limits)))
    inside(steps(Steps("u", edges, layers, limit), wide))


@given(st.lists(st.tuples(positive, positive), min_size=2, max_size=9), st.booleans(), width)
def test_curves_stay_in_their_frame(points, log, wide):
    line = Curve("a", tuple(sorted(points)), "c0")
    mark = Mark("here", *points[0])
    data = Curves(Axis("x", from_zero=False), Axis("y", log=log), (line,), (mark,))
    inside(curves(data, wide))


@given(st.lists(st.tuples(name, finite, finite), min_size=1, max_size=5), width)
def test_pairs_stay_in_their_frame(values, wide):
    rows = tuple(Pair(n, a, b, "note") for n, a, b in values)
    inside(pairs(Pairs("u", "base", "with", "without", rows), wide))


@given(st.lists(st.tuples(name, finite), min_size=1, max_size=9), width)
def test_waterfalls_stay_in_their_frame(values, wide):
    rows = tuple(Fall(n[:12], v, "note") for n, v in values)
    total = Fall("sum", sum(v for _, v in values), "note")
    inside(waterfall(Waterfall("u", rows, total), wide))


@given(st.lists(positive, min_size=1, max_size=6), width)
def test_ranges_stay_in_their_frame(values, wide):
    rows = tuple(Range("a", v / 2, v, v * 2, "c0", "1") for v in values)
    inside(ranges(Ranges("u", rows), wide))


@given(st.lists(finite, min_size=1, max_size=30), width)
def test_spreads_stay_in_their_frame_and_keep_all_weight(values, wide):
    even = [1 / len(values)] * len(values)
    data = binned("u", values, [("a", even, "c0"), ("b", even, "c1")])
    assert sum(data.of[0].shares) == pytest.approx(1)
    inside(spread(data, wide))


@given(st.lists(st.floats(0.5, 1.6), min_size=1, max_size=6), width)
def test_probes_stay_in_their_frame(shares, wide):
    units = tuple(Reading(f"r{i}", s, i == 0) for i, s in enumerate(shares))
    row = Probe("p", 1.02, 0.97, 1.1, 1.0, 0.95, units, shares[0], "PASS")
    inside(probes(Probes((row, row)), wide))


def test_a_bar_is_as_long_as_its_value_says():
    data = Bars("u", (Bar("one", (Segment("a", 50, "c0"), Segment("b", 25, "c1"))),
                      Bar("two", (Segment("a", 100, "c0"), Segment("b", -10, "c2")))))  # fmt: skip
    root = ET.fromstring(svg(bars(data, 400), "x"))
    wide = [float(r.attrib["width"]) for r in root.iter("{http://www.w3.org/2000/svg}rect")
            if "edge" in r.attrib["class"]]  # fmt: skip

    assert wide[0] / wide[1] == pytest.approx(2, rel=1e-3)
    assert wide[2] / wide[0] == pytest.approx(2, rel=1e-3)
    assert wide[3] / wide[2] == pytest.approx(0.1, rel=1e-2)


@given(finite, finite, st.integers(2, 12))
def test_ticks_are_round_and_inside(a, b, most):
    low, high = min(a, b), max(a, b)
    if high - low < 1e-6 * max(abs(low), abs(high), 1e-9):
        return
    found = ticks(low, high, most)
    slack = 1e-6 * (high - low) + 1e-9 * max(abs(low), abs(high))
    assert len(found) <= most
    assert all(low - slack <= v <= high + slack for v in found)


@given(st.floats(1e-6, 1e6), st.floats(1.01, 1e5))
def test_log_ticks_are_inside(low, ratio):
    found = log_ticks(low, low * ratio, 6)
    assert found
    assert all(low * (1 - 1e-6) <= v <= low * ratio * (1 + 1e-6) for v in found)


@given(st.lists(finite, min_size=1, max_size=6))
def test_an_axis_reaches_zero_and_every_value(values):
    low, high = reach(values)
    slack = 1e-9 * max(abs(low), abs(high))
    assert low <= 0 <= high
    assert low < high
    assert all(low - slack <= v <= high + slack for v in values)


def test_scales_are_linear_or_logarithmic():
    assert Scale(0, 10, 100, 200).at(5) == 150
    assert Scale(1, 100, 0, 200, log=True).at(10) == pytest.approx(100)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=6))
def test_labels_keep_their_order_and_their_distance(wanted):
    placed = apart(wanted, 10, 0, 100)
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    gaps = [placed[b] - placed[a] for a, b in pairwise(order)]
    assert all(gap >= 10 - 1e-9 for gap in gaps)


@given(st.text(alphabet="abc def", min_size=1, max_size=60), st.floats(60, 200))
def test_wrapped_lines_hold_every_word_and_fit(words, wide):
    lines = wrapped(words, wide)
    assert " ".join(lines).split() == words.split()
    assert all(text_width(line) <= wide or " " not in line for line in lines)


@given(st.text(max_size=40))
def test_text_that_is_not_markup_is_escaped(words):
    element = tag("p", words, title=words)

    read = ET.fromstring(element)  # whatever the characters, it is sound XML
    if words.isprintable():
        assert (read.text or "") == words
        assert read.attrib["title"] == words
    assert "<" not in element.removeprefix("<p").removesuffix("</p>")


def test_markup_stays_and_nothing_is_left_out():
    assert join(Html("<b>1</b>"), None, ["<", (Html("<i/>"),)]) == "<b>1</b>&lt;<i/>"


def test_a_banner_is_inside_the_picture():
    plain = Drawing(100, 50, tag("text", "chart"))

    marked = bannered(plain, "FICTITIOUS")

    assert marked.height > plain.height
    assert "FICTITIOUS" in svg(marked, "x")


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


# WCAG 2.2, success criterion 1.4.3: 4.5 to 1 for text of this size.
@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read_on_its_ground(palette):
    for ink in ("ink", "quiet", "accent", "alarm", "A", "B", "C", "D"):
        assert contrast(palette[ink], palette["paper"]) >= 4.5, ink
    assert contrast(palette["ink"], palette["alarm-wash"]) >= 4.5
    assert contrast(palette["alarm"], palette["alarm-wash"]) >= 4.5
    for i in range(8):
        on = palette["on-c0"] if i == 0 else palette["on"]
        assert contrast(on, palette[f"c{i}"]) >= 4.5, i
