"""Short names and steady colours of designs, the same on every chart of a page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from rackwright.drawing.style import COLOURS, colour
from rackwright.records.space import Space, SpaceRow

BASELINE = "c7"
"""Colour of what is in use today, on every chart."""


LISTED = "c6"
"""Colour of what no plan builds: it stands beside others only, under its own name."""


class Names(NamedTuple):
    """Label and colour by design key."""

    labels: Mapping[str, str]
    colours: Mapping[str, str]

    def label(self, key: str) -> str:
        """Return the short name of a design; its key where it has none."""
        return self.labels.get(key, key)

    def colour(self, key: str) -> str:
        """Return the colour of a design."""
        return self.colours.get(key, LISTED)


def names_of(
    space: Space,
    keys: Sequence[str],
    baselines: Collection[str] = (),
    built: Collection[str] | None = None,
) -> Names:
    """Return names of the designs that a page shows, in the order in which they matter.

    Designs that some plan builds have colours of their own; `built` says which, none = all.

    A name is the rack system and whatever else tells its designs apart: racks in the block,
    network rate, oversubscription.
    """
    rows = {row.key: row for row in space.rows}
    shown = [key for key in dict.fromkeys(keys) if key in rows]
    systems: dict[str, list[SpaceRow]] = {}
    for key in shown:
        systems.setdefault(rows[key].system, []).append(rows[key])
    labels = {key: _label(rows[key], systems[rows[key].system]) for key in shown}
    if len(set(labels.values())) < len(labels):
        labels = {key: key for key in shown}
    coloured = [k for k in shown if k not in baselines and (built is None or k in built)]
    colours = dict.fromkeys(baselines, BASELINE) | {
        k: colour(i % (COLOURS - 1)) for i, k in enumerate(coloured)
    }
    return Names(labels, colours)


_DETAILS: tuple[Callable[[SpaceRow], str], ...] = (
    lambda row: f"{row.racks} racks" if row.racks > 1 else "1 rack",
    lambda row: f"{row.nic_gbit_per_s}G",
    lambda row: f"{row.oversubscription:g}:1",
    lambda row: row.revision,
)


def _label(row: SpaceRow, siblings: Sequence[SpaceRow]) -> str:
    telling = [of(row) for of in _DETAILS if len({of(other) for other in siblings}) > 1]
    return " · ".join([row.system, *telling])
