"""What every chart is made of: text with a known width, marks, legends, the wrapping element."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rackwright.drawing.html import Html, Part, join, tag

SIZE = 12.0
"""Height of the type [px at a scale of one]."""
SMALL = 11.5
"""Height of smaller type [px]."""
LINE = 18.0
"""Height of one line of text [px]."""


class Drawing(NamedTuple):
    """Something drawn: its size and its marks, to be wrapped or put into a larger picture."""

    width: float
    height: float
    body: Html


def svg(drawing: Drawing, label: str, style: str = "") -> Html:
    """Return a drawing as an SVG element that scales with its place.

    Args:
        drawing: what to wrap.
        label: what it shows, for those who do not see it.
        style: CSS to carry inside, for a file of its own; a page has it already.
    """
    return tag(
        "svg",
        tag("style", Html(style)) if style else None,
        tag("rect", width=drawing.width, height=drawing.height, class_="paper") if style else None,
        drawing.body,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {drawing.width:.0f} {drawing.height:.0f}",
        width=f"{drawing.width:.0f}" if style else None,
        height=f"{drawing.height:.0f}" if style else None,
        class_="chart",
        role="img",
        aria_label=label,
    )


def bannered(drawing: Drawing, words: str) -> Drawing:
    """Return a drawing with a warning above it that goes wherever the picture goes."""
    warning = text(0, 13, words, "alarm strong")
    moved = tag("g", drawing.body, transform=f"translate(0 {LINE + 4:.0f})")
    return Drawing(drawing.width, drawing.height + LINE + 4, join(warning, moved))


def text(x: float, y: float, words: str, class_: str = "", anchor: str = "start") -> Html:
    """Return a line of text; `y` is its base line."""
    side = None if anchor == "start" else anchor
    return tag("text", words, x=x, y=y, class_=class_ or None, text_anchor=side)


def text_width(words: str, size: float = SIZE, *, strong: bool = False) -> float:
    """Return about how wide a line of text is [px]; a little too wide rather than too narrow.

    Widths are those of common sans-serif type, in five classes.
    """
    return size * sum(_WIDTHS.get(c, 0.60) for c in words) * (1.1 if strong else 1.0)


_WIDTHS = {
    **dict.fromkeys("ijl|.,:;'!", 0.28),
    **dict.fromkeys("ft()[]r/- ", 0.36),
    **dict.fromkeys("mwMW%@", 0.90),
    **dict.fromkeys("ABCDEGHKNOPQRSUVXY", 0.71),
}


def rect(x: float, y: float, width: float, height: float, class_: str, note: str = "") -> Html:
    """Return a rectangle; `note` appears where a pointer rests on it."""
    return tag(
        "rect",
        tag("title", note) if note else None,
        x=x,
        y=y,
        width=max(width, 0.0),
        height=height,
        class_=class_,
    )


def rule(x1: float, y1: float, x2: float, y2: float, class_: str) -> Html:
    """Return a straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def dot(x: float, y: float, radius: float, class_: str, note: str = "") -> Html:
    """Return a circle; `note` appears where a pointer rests on it."""
    return tag("circle", tag("title", note) if note else None, cx=x, cy=y, r=radius, class_=class_)


def path(points: Iterable[tuple[float, float]], class_: str, *, closed: bool = False) -> Html:
    """Return a line through points, closed to an area where asked."""
    steps = " ".join(f"{_short(x)},{_short(y)}" for x, y in points)
    return tag("polygon" if closed else "polyline", points=steps, class_=class_)


def legend(
    entries: Sequence[tuple[str, str]], x: float, y: float, width: float
) -> tuple[Html, float]:
    """Return swatches with their names, in as many lines as they need, and their height.

    Args:
        entries: (name, class of the swatch).
        x: left edge.
        y: upper edge.
        width: room for a line.
    """
    parts: list[Part] = []
    at, top = x, y
    for name, class_ in entries:
        wide = 16 + text_width(name, SMALL) + 16
        if at > x and at + wide - 16 > x + width:
            at, top = x, top + LINE
        parts.append(swatch(at, top + 3, class_))
        parts.append(text(at + 16, top + 13, name, "small"))
        at += wide
    return join(parts), (top - y + LINE) if entries else 0.0


def swatch(x: float, y: float, class_: str) -> Html:
    """Return a small sample of a mark: a line, a dot or a square, as its class says."""
    kinds = class_.split()
    if "line" in kinds:
        return rule(x, y + 5.5, x + 11, y + 5.5, class_)
    if "dot" in kinds:
        return dot(x + 5.5, y + 5.5, 5, class_)
    return rect(x, y, 11, 11, class_)


def apart(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return positions near the wanted ones, in the same order, at least a gap apart.

    >>> apart([10, 11, 50], 12, 0, 100)
    [10.0, 22.0, 50.0]
    >>> apart([99.0, 98.0], 10.0, 0.0, 100.0)
    [100.0, 90.0]
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    placed = [0.0] * len(wanted)
    last = low - gap
    for i in order:
        last = placed[i] = max(float(wanted[i]), last + gap)
    limit = high
    for i in reversed(order):
        placed[i] = min(placed[i], limit)
        limit = placed[i] - gap
    return placed


def wrapped(words: str, width: float, size: float = SIZE) -> list[str]:
    """Return a text in lines that fit a width."""
    lines: list[str] = []
    for word in words.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _short(value: float) -> str:
    rounded = f"{value:.1f}"
    return rounded.removesuffix(".0")
