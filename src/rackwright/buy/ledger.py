"""The commitments ledger: as-of reports without double counting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from rackwright.records.errors import RackwrightError, nearest
from rackwright.records.ledger import (
    Commitment,
    LayerTotal,
    Ledger,
    LedgerReport,
    LedgerRow,
    Operation,
    Status,
)
from rackwright.records.provenance import worst

Answer = float | str


def report(ledger: Ledger, as_of: date) -> LedgerReport:
    """Return every commitment's status and the totals of each layer on a day."""
    rows = tuple(
        LedgerRow(
            id=e.id, party=e.party, layer=e.layer, status=status(ledger, e, as_of), usd_b=e.usd_b,
            gw=e.gw, grade=e.grade,
        )
        for e in ledger.entries
    )  # fmt: skip
    totals = tuple(
        LayerTotal(
            layer=layer,
            total_usd_b=ask(ledger, "total_usd_b", _of_layer(ledger, layer), as_of),
            obligation_usd_b=ask(ledger, "obligation_usd_b", _of_layer(ledger, layer), as_of),
            total_gw=ask(ledger, "total_gw", _of_layer(ledger, layer), as_of),
        )
        for layer in ledger.layers
    )
    return LedgerReport(
        as_of=as_of,
        rows=rows,
        totals=totals,
        grade=worst(e.grade for e in ledger.entries),
        notes=(
            "amounts of two layers are not added: chips stand inside hosting, hosting inside the "
            "umbrella",
            "an unknown amount is left out, so a total with one is a lower bound",
            "an entry whose dollars flow in counts its gigawatts only: it is no commitment of ours",
            "only contracts oblige; a letter of intent, an option and a target oblige to nothing",
        ),
    )


def ask(ledger: Ledger, operation: Operation, ids: Sequence[str], as_of: date) -> Answer:
    """Return the answer to one question.

    Args:
        ledger: all commitments.
        operation: `status` (of one id), `total_usd_b`, `total_gw`, `obligation_usd_b`.
        ids: the commitments asked about.
        as_of: the day.

    Returns:
        A number; a status word; `unknown` when no selected amount is known; `not_additive` when
        amounts other than 0 of two layers would be added.

    Raises:
        RackwrightError: an id that the ledger does not have, or `status` of several.
    """
    selected = [find(ledger, name) for name in ids]
    if operation == "status":
        if len(selected) != 1:
            raise RackwrightError(f"status is asked of one commitment, found {len(selected)} ids")
        return status(ledger, selected[0], as_of)
    amount: Callable[[Commitment], float | None] = (
        (lambda e: e.gw) if operation == "total_gw" else (lambda e: e.usd_b)
    )
    counted = [e for e in selected if status(ledger, e, as_of) not in ("none", "superseded")]
    if operation != "total_gw":
        counted = [e for e in counted if not e.inbound]
    if operation == "obligation_usd_b":
        counted = [e for e in counted if status(ledger, e, as_of) == "contract"]
    return _sum(ledger, counted, amount)


def status(ledger: Ledger, entry: Commitment, as_of: date) -> Status:
    """Return the status of a commitment on a day.

    Before it is in effect: none. Once the entry that supersedes it is in effect: superseded;
    until then such an entry was a letter of intent.
    """
    if as_of < entry.effective:
        return "none"
    if entry.superseded_by is not None and as_of >= find(ledger, entry.superseded_by).effective:
        return "superseded"
    return "loi" if entry.binding == "superseded" else entry.binding


def find(ledger: Ledger, name: str) -> Commitment:
    """Return a commitment by its id.

    Raises:
        RackwrightError: there is none; the message has the nearest ids.
    """
    for entry in ledger.entries:
        if entry.id == name:
            return entry
    known = [e.id for e in ledger.entries]
    raise RackwrightError(f"no commitment {name!r} in the ledger.{nearest(name, known)}")


def _sum(
    ledger: Ledger, counted: list[Commitment], amount: Callable[[Commitment], float | None]
) -> Answer:
    known = {e.id: value for e in counted if (value := amount(e)) is not None}
    if counted and not known:
        return "unknown"
    outer = [e for e in counted if e.id in known and not _inside(ledger, e, set(known))]
    if len({e.layer for e in outer if known[e.id] != 0}) > 1:
        return "not_additive"
    return float(sum(known[e.id] for e in outer))


def _inside(ledger: Ledger, entry: Commitment, known: set[str]) -> bool:
    """Return whether the entry lies inside a known selected one, over any number of steps."""
    seen = {entry.id}
    parent = entry.part_of
    while parent is not None and parent not in seen:
        if parent in known:
            return True
        seen.add(parent)
        parent = find(ledger, parent).part_of
    return False


def _of_layer(ledger: Ledger, layer: str) -> list[str]:
    return [e.id for e in ledger.entries if e.layer == layer]
