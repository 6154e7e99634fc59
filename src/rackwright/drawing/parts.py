"""Pieces of the page: tables that become cards on a phone, figures, grades, key numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from rackwright.drawing.charts.canvas import Drawing, bannered, svg
from rackwright.drawing.html import Html, Part, join, tag
from rackwright.records.provenance import Grade

T = TypeVar("T")

WIDE, HALF, NARROW = 780.0, 390.0, 350.0
"""Widths that charts are drawn at [px]: the page's, half of it, a phone's."""

NARROW_COLUMNS = 3
"""A table of no more columns than these fits a phone as it is."""

GRADES = {
    Grade.A: "standard, datasheet or filing",
    Grade.B: "measurement or paper",
    Grade.C: "press or secondary",
    Grade.D: "estimate",
}

FICTITIOUS = "FICTITIOUS READINGS"


class Line(NamedTuple):
    """One line of a table and how it is set apart."""

    cells: tuple[Part, ...]
    style: str = ""


def grade(of: Grade) -> Html:
    """Return a grade as a chip."""
    return tag("span", of.value, class_=f"grade {of.value}", title=GRADES[of])


def mark() -> Html:
    """Return the word that stands beside everything that rests on made-up readings."""
    return tag("span", FICTITIOUS, class_="mark")


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[Part] | Line],
    numbers: str = "",
    title: str = "",
    widths: Sequence[int] = (),
) -> Html:
    """Return a table; on a phone each row becomes a card with its columns named.

    Args:
        head: names of the columns with their units.
        rows: cells, or lines with a style.
        numbers: one letter per column, `n` for numbers (right), anything else for text.
        title: its caption.
        widths: of the columns [%]; none = as their content asks.
    """
    sides = [("n" if side == "n" else None) for side in numbers.ljust(len(head), "t")]
    lines = [row if isinstance(row, Line) else Line(tuple(row)) for row in rows]
    return tag(
        "table",
        tag("caption", title) if title else None,
        tag("colgroup", (tag("col", style=f"width:{w}%") for w in widths)) if widths else None,
        tag("thead", tag("tr", (tag("th", n, class_=s) for n, s in zip(head, sides, strict=True)))),
        tag("tbody", (_row(line, head, sides) for line in lines)),
        class_="stack" if len(head) > NARROW_COLUMNS else None,
    )


def figure(
    draw: Callable[[T, float], Drawing],
    data: T,
    title: str,
    text: Part = "",
    *,
    half: bool = False,
    fictitious: bool = False,
) -> Html:
    """Return a chart with its title and what to see in it.

    A chart of the page's width is drawn again for a phone, so that its type stays legible. One
    that rests on made-up readings says so inside the picture, wherever that is copied to.
    """
    caption = tag("figcaption", tag("b", title), tag("span", text) if text else None)
    label = f"{title} ({FICTITIOUS})" if fictitious else title

    def at(width: float) -> Html:
        drawing = draw(data, width)
        return svg(bannered(drawing, FICTITIOUS) if fictitious else drawing, label)

    if half:
        return tag("figure", caption, at(HALF))
    wide, narrow = (tag("div", at(WIDE), class_="only-wide"),
                    tag("div", at(NARROW), class_="only-narrow"))  # fmt: skip
    return tag("figure", caption, wide, narrow)


def side_by_side(*content: Part) -> Html:
    """Return pieces in two columns, one under the other on a phone."""
    return tag("div", *content, class_="two")


def heading(number: int, anchor: str, words: str) -> Html:
    """Return the heading of a section with its number."""
    return tag("h2", tag("span", str(number), class_="no"), words, id=anchor)


def keys(items: Iterable[tuple[str, str, Part]]) -> Html:
    """Return key numbers: what it is, the number, what to know with it."""
    return tag(
        "div",
        (
            tag(
                "div",
                tag("div", label, class_="label"),
                tag("div", value, class_="value"),
                tag("div", more, class_="more"),
            )
            for label, value, more in items
        ),
        class_="keys",
    )


def bullets(lines: Iterable[Part], *, dense: bool = False) -> Html:
    """Return lines as a list, dense ones in two columns of smaller type."""
    return tag("ul", (tag("li", line) for line in lines), class_="dense" if dense else None)


def small(words: str, *, wraps: bool = False) -> Html:
    """Return a quieter piece of a cell, which may wrap where the cell does not."""
    return tag("small", words, class_="wraps" if wraps else None)


def design(key: str, label: str, *tags: str) -> Html:
    """Return a design by its short name with its key below, and tags such as `baseline`."""
    chips = [join(" ", tag("span", t, class_="tag")) for t in tags]
    if label == key:
        return tag("span", label, chips, class_="key")
    return tag("span", label, chips, tag("br"), small(key), class_="key")


def _row(line: Line, head: Sequence[str], sides: Sequence[str | None]) -> Html:
    cells = (
        tag("td", cell, class_=side, data_label=name)
        for cell, name, side in zip(line.cells, head, sides, strict=True)
    )
    return tag("tr", cells, class_=line.style or None)
