"""HTML and SVG from small calls: what is not already markup is escaped, always."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape


class Html(str):
    """Text that is markup already. Everything else that enters a tag is escaped."""

    __slots__ = ()


Part = str | Iterable["Part"] | None
"""What a tag may hold: markup, plain text (escaped), nothing, or any of these in a row."""


def tag(name: str, /, *content: Part, **attributes: str | float | None) -> Html:
    """Return an element with its content; plain text and attributes are escaped.

    Args:
        name: element name, e.g. `td`.
        content: markup, text, or iterables of both.
        attributes: `class_` is written `class`, other underscores become hyphens; `None` is left
            out; numbers are written with at most two decimals (a hundredth of a pixel).

    >>> tag("td", "a < b", class_="n")
    '<td class="n">a &lt; b</td>'
    >>> tag("line", x1=0.126, stroke_width=2)
    '<line x1="0.13" stroke-width="2"/>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = join(*content)
    if not inner and name in _EMPTY:
        return Html(f"<{name}{written}/>")
    return Html(f"<{name}{written}>{inner}</{name}>")


def join(*content: Part) -> Html:
    """Return parts one after the other; what is not markup is escaped."""
    return Html("".join(_flat(content)))


_EMPTY = frozenset(
    {"line", "rect", "circle", "path", "col", "polyline", "polygon", "br", "meta", "hr"}
)


def _flat(content: Iterable[Part]) -> Iterable[str]:
    for part in content:
        if part is None:
            continue
        if isinstance(part, Html):
            yield part
        elif isinstance(part, str):
            yield escape(_sound(part), quote=False)
        else:
            yield from _flat(part)


def _sound(text: str) -> str:
    """Return text with the characters that no XML may hold shown as unknown ones."""
    return _UNSOUND.sub("\N{REPLACEMENT CHARACTER}", text)


_UNSOUND = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _value(value: str | float) -> str:
    if isinstance(value, str):
        return escape(_sound(value), quote=True)
    rounded = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if rounded == "-0" else rounded
