"""Short names and steady colours of designs, the same on every chart of a page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from rackwright.drawing.style import colour
from rackwright.records.space import Space, SpaceRow


class Names(NamedTuple):
    """Label and colour by design key."""

    labels: Mapping[str, str]
    colours: Mapping[str, str]

    def label(self, key: str) -> str:
        """Return the short name of a design; its key where it has none."""
        return self.labels.get(key, key)

    def colour(self, key: str) -> str:
        """Return the colour of a design."""
        return self.colours.get(key, "c6")


BASELINE = "c7"
"""Colour of what is in use today, on every chart."""


def names_of(space: Space, keys: Sequence[str], baselines: Collection[str] = ()) -> Names:
    """Return names of the designs that a page shows, in the order in which they matter.

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
    others = [key for key in shown if key not in baselines]
    colours = dict.fromkeys(baselines, BASELINE) | {k: colour(i) for i, k in enumerate(others)}
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
