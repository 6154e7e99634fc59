"""Damaged files: what hypothesis feeds to everything that reads a study."""

from __future__ import annotations

import re

from hypothesis import strategies as st

ODD = st.sampled_from(
    [
        "true",
        "-1",
        '"x"',
        "[]",
        "{}",
        "nan",
        "inf",
        "1e999",
        "2026-01-01",
        '"3 furlongs"',
        "9" * 400,
    ]
)
KINDS = st.sampled_from(["cut", "swap", "rename", "negate", "unit", "drop", "byte", "copy"])


@st.composite
def damaged(draw, text):
    """A study with bytes cut out or put in, lines lost or twice, values, keys and units changed."""
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(KINDS)
        at = draw(st.integers(0, max(len(text) - 1, 0)))
        head, tail = text[:at], text[at:]
        if kind == "cut":
            text = head + tail[draw(st.integers(1, 30)) :]
        elif kind == "byte":
            text = head + draw(st.characters()) + tail
        elif kind in ("drop", "copy"):
            line, end, rest = tail.partition("\n")
            text = head + (rest if kind == "drop" else line + end + line + end + rest)
        elif kind == "swap":
            text = head + re.sub(r"= [^\n,}]+", f"= {draw(ODD)}", tail, count=1)
        elif kind == "rename":
            text = head + re.sub(r"\b[a-z_0-9]+ =", "renamed =", tail, count=1)
        elif kind == "negate":
            text = head + re.sub(r"= (\d)", r"= -\1", tail, count=1)
        else:
            text = head + re.sub(r'(\d) [A-Za-z/]+"', r'\1 kg/MW"', tail, count=1)
    return text
