"""The one page of a run: the answers with their pictures, then what they stand on.

One HTML file that needs no network and no script; light, dark, on a phone and on paper.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rackwright.drawing.html import Html, join, tag
from rackwright.drawing.page import Answer, Page, page_of
from rackwright.drawing.page_style import page_css
from rackwright.drawing.sections.beside import beside
from rackwright.drawing.sections.best import best
from rackwright.drawing.sections.choice import choice
from rackwright.drawing.sections.drawn import Sheet, drawn
from rackwright.drawing.sections.early import early
from rackwright.drawing.sections.ground import ground
from rackwright.drawing.sections.opening import opening
from rackwright.drawing.sections.proof import proof
from rackwright.drawing.sections.shortage import shortage
from rackwright.records.study import Study

SECTIONS: tuple[tuple[str, str, Callable[[Page, int, str], Html]], ...] = (
    ("best", "Best rack and mix", best),
    ("beside", "Runners-up", beside),
    ("shortage", "When supply halves", shortage),
    ("early", "Early racks", early),
    ("decision", "The decision", choice),
    ("proof", "Money and proof", proof),
    ("ground", "What this stands on", ground),
)


def report_html(study: Study, answer: Answer, sheets: Sequence[Sheet] = ()) -> str:
    """Return the page of a run as one HTML file; the same records give the same bytes.

    Args:
        study: the question.
        answer: the records of the run (`pipeline.Result`).
        sheets: drawings of what would be built; none = no section of them.
    """
    page = page_of(study, answer)
    sections = list(SECTIONS)
    if sheets:
        sections.insert(-1, ("drawn", "What would be built", lambda _, i, a: drawn(sheets, i, a)))
    contents = tuple((anchor, name) for anchor, name, _ in sections)
    body = tag(
        "main",
        opening(page, contents),
        (write(page, i, anchor) for i, (anchor, _, write) in enumerate(sections, start=1)),
    )
    head = join(
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", answer.summary.title),
        tag("style", Html(page_css())),
    )
    whole = tag("html", tag("head", head), tag("body", body), lang="en")
    return f"<!doctype html>\n{whole}\n"
