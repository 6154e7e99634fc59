"""Where servers and switches of a fabric stand: rows of racks, and a place for every device."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.kernels.cable_routes import route_lengths, tray_loads
from rackwright.kernels.fabric_ports import Links, Wiring
from rackwright.records.errors import InputError
from rackwright.records.fabric import FloorPlan
from rackwright.records.placement import PlacedRack

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

SWITCH_PITCH_M = 0.1
"""Height between switches of a network rack, two units each with a patch panel (estimate)."""

LOWEST_SWITCH_M = 0.4


class Hall(NamedTuple):
    """A floor: the slot of each rack, and the rack and height of each device by tier."""

    roles: tuple[str, ...]  # of each slot in order: compute | network
    rack_of: dict[str, Ints]
    height_m: dict[str, Array]


def lay_out(
    wiring: Wiring, servers_per_rack: int, servers_per_group: int, floor: FloorPlan
) -> Hall:
    """Return a floor on which leaves stand amid their servers and spines amid all.

    Servers fill racks in order; after half of each group's racks come the racks with its leaves.
    Upper tiers stand together in the middle of the sequence.

    Args:
        wiring: tiers `server` and `leaf`, perhaps `spine` and `core`; or one tier of direct links.
        servers_per_rack: of one compute rack.
        servers_per_group: servers around one set of leaves.
        floor: how many switches a network rack holds.
    """
    tier = "server" if "server" in wiring.devices else next(iter(wiring.devices))
    servers = wiring.devices[tier]
    leaf_tier = next((t for t in ("leaf", "switch") if t in wiring.devices), None)
    home = _home_group(wiring, tier, leaf_tier, servers_per_group) if leaf_tier else None
    groups = ceil(servers / servers_per_group)
    upper = [t for t in ("spine", "core") if t in wiring.devices]
    roles: list[str] = []
    rack_of = {t: np.zeros(n, np.int64) for t, n in wiring.devices.items()}
    place = {t: np.zeros(n, np.int64) for t, n in wiring.devices.items()}
    for group in range(groups):
        first = group * servers_per_group
        members = np.arange(first, min(first + servers_per_group, servers))
        racks = ceil(len(members) / servers_per_rack)
        leaves = np.flatnonzero(home == group) if home is not None else np.zeros(0, np.int64)
        shelves = ceil(len(leaves) / floor.switches_per_rack)
        before = len(roles)
        half = racks // 2
        slots = [
            *range(before, before + half),
            *range(before + half + shelves, before + racks + shelves),
        ]
        rack_of[tier][members] = np.array(slots)[(members - first) // servers_per_rack]
        place[tier][members] = (members - first) % servers_per_rack
        if leaf_tier and len(leaves):
            rack_of[leaf_tier][leaves] = (
                before + half + np.arange(len(leaves)) // floor.switches_per_rack
            )
            place[leaf_tier][leaves] = np.arange(len(leaves)) % floor.switches_per_rack
        roles += ["compute"] * half + ["network"] * shelves + ["compute"] * (racks - half)
        if group == (groups - 1) // 2 and upper:
            for t in upper:
                count = np.arange(wiring.devices[t])
                rack_of[t] = len(roles) + count // floor.switches_per_rack
                place[t] = count % floor.switches_per_rack
                roles += ["network"] * ceil(len(count) / floor.switches_per_rack)
    heights: dict[str, Array] = {
        t: np.asarray(LOWEST_SWITCH_M + SWITCH_PITCH_M * p, dtype=np.float64)
        if t != tier
        else _server_heights(p, floor)
        for t, p in place.items()
    }
    return Hall(tuple(roles), rack_of, heights)


def _server_heights(place: Ints, floor: FloorPlan) -> Array:
    return np.full(place.shape, floor.port_height_m)


def _home_group(wiring: Wiring, tier: str, leaf_tier: str, servers_per_group: int) -> Ints:
    """Return the group of each leaf: that of its first server."""
    first = np.full(wiring.devices[leaf_tier], np.iinfo(np.int64).max)
    for block in wiring.blocks:
        if (block.a_tier, block.b_tier) == (tier, leaf_tier):
            np.minimum.at(first, block.b, block.a)
    first[first == np.iinfo(np.int64).max] = 0
    return first // servers_per_group


def coordinates(slots: Ints, floor: FloorPlan) -> tuple[Array, Array]:
    """Return x and y of the middles of slots: along a row, then the next row."""
    row, position = np.divmod(slots, floor.racks_per_row)
    return (position + 0.5) * floor.rack_width_m, row * floor.row_pitch_m + floor.rack_depth_m / 2


def lengths_of(block: Links, hall: Hall, floor: FloorPlan) -> Array:
    """Return the way of each cable of a block [m], without slack.

    Raises:
        InputError: the floor has no way between two rows, or a port lies above the trays.
    """
    ends = []
    for tier, device in ((block.a_tier, block.a), (block.b_tier, block.b)):
        x, y = coordinates(hall.rack_of[tier][device], floor)
        ends.append(np.stack([x, y, hall.height_m[tier][device]], axis=1))
    same = hall.rack_of[block.a_tier][block.a] == hall.rack_of[block.b_tier][block.b]
    crosses = np.array(floor.cross_trays, dtype=float) * floor.rack_width_m
    try:
        return route_lengths(ends[0], ends[1], floor.tray_height_m, crosses, same)
    except ValueError as error:
        rows = ceil(len(hall.roles) / floor.racks_per_row)
        raise InputError(
            [f"floor: {error}; {len(hall.roles)} racks stand in {rows} rows of "
             f"{floor.racks_per_row}, cross_trays are {list(floor.cross_trays)}"]
        ) from None  # fmt: skip


def placed_racks(hall: Hall, floor: FloorPlan) -> tuple[PlacedRack, ...]:
    """Return every rack with its name and place."""
    slots = np.arange(len(hall.roles))
    x, y = coordinates(slots, floor)
    return tuple(
        PlacedRack(
            name=f"{_letters(i // floor.racks_per_row)}{i % floor.racks_per_row + 1:02d}",
            role="network" if role == "network" else "compute",
            row=i // floor.racks_per_row,
            position=i % floor.racks_per_row,
            x_m=float(x[i]),
            y_m=float(y[i]),
            width_m=floor.rack_width_m,
            depth_m=floor.rack_depth_m,
            height_m=floor.rack_height_m,
            front="-y" if (i // floor.racks_per_row) % 2 == 0 else "+y",
        )
        for i, role in enumerate(hall.roles)
    )


def _letters(row: int) -> str:
    """Return A, B, ... Z, AA, AB, ... for rows.

    >>> [_letters(i) for i in (0, 25, 26, 701, 702)]
    ['A', 'Z', 'AA', 'ZZ', 'AAA']
    """
    name = ""
    row += 1
    while row:
        row, letter = divmod(row - 1, 26)
        name = chr(ord("A") + letter) + name
    return name


def loads_of(blocks: Iterable[tuple[Links, Hall]], floor: FloorPlan) -> tuple[Ints, Ints]:
    """Return how many cables lie in the trays, along each row and across, of all blocks."""
    pairs = list(blocks)
    rows = max((ceil(len(hall.roles) / floor.racks_per_row) for _, hall in pairs), default=1)
    along = np.zeros((rows, floor.racks_per_row), np.int64)
    across = np.zeros((len(floor.cross_trays), max(rows - 1, 0)), np.int64)
    for block, hall in pairs:
        ends = [
            np.divmod(hall.rack_of[tier][device], floor.racks_per_row)
            for tier, device in ((block.a_tier, block.a), (block.b_tier, block.b))
        ]
        more, over = tray_loads(ends[0], ends[1], floor.cross_trays, rows, floor.racks_per_row)
        along += more
        across += over
    return along, across
