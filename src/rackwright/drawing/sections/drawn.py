"""What would be built, drawn: sheets that other parts of the product hand to the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rackwright.drawing.charts.canvas import Drawing, svg
from rackwright.drawing.html import Html, Part, join, tag
from rackwright.drawing.parts import heading


class Sheet(NamedTuple):
    """One drawing with its title and what to know with it."""

    title: str
    words: str
    drawing: Drawing


def drawn(sheets: Sequence[Sheet], number: int, anchor: str) -> Html:
    """Return the section; each sheet is as wide as the page and scales with it."""
    return join(
        heading(number, anchor, "What would be built"),
        [_sheet(sheet) for sheet in sheets],
    )


def _sheet(sheet: Sheet) -> Part:
    caption = tag("figcaption", tag("b", sheet.title), tag("span", sheet.words))
    return tag("figure", caption, svg(sheet.drawing, sheet.title))
