"""Numbers and tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

MOST_WORDS = 5
"""Words of a number with its unit and its error; more is a sentence."""


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return aligned lines; columns whose cells look like numbers stand to the right."""
    widths = [max(len(str(r[i])) for r in (header, *rows)) for i in range(len(header))]
    numeric = [all(_looks_numeric(r[i]) for r in rows) for i in range(len(header))]
    return [
        "  "
        + "  ".join(
            cell.rjust(w) if right else cell.ljust(w)
            for cell, w, right in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in (header, *rows)
    ]


def _looks_numeric(cell: str) -> bool:
    """Return whether a cell is a number with a unit or a range, and no sentence.

    >>> _looks_numeric("96.9 %"), _looks_numeric("96.9 % of the promise on 6 racks")
    (True, False)
    """
    begins = bool(cell) and (cell[0].isdigit() or cell[0] in "+-−")
    return begins and len(cell.split()) <= MOST_WORDS


def money(usd: float) -> str:
    """Return dollars in a readable unit."""
    for scale, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(usd) >= scale:
            return f"{usd / scale:,.2f} {unit}USD"
    return f"{usd:,.2f} USD"


def rate(tokens_per_s: float) -> str:
    """Return tokens per second in a readable unit."""
    for scale, unit in ((1e6, "M"), (1e3, "k")):
        if abs(tokens_per_s) >= scale:
            return f"{tokens_per_s / scale:,.3g} {unit}"
    return f"{tokens_per_s:,.3g}"
