"""A fabric in InfiniBand topology form: the text that `ibnetdiscover` prints and `ibsim` reads.

One file holds one plane, since planes are subnets of their own. Each endpoint is an adapter with
one port. GUIDs are ours: a locally administered prefix, the tier, the number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from rackwright.kernels.fabric_ports import Links, Wiring
from rackwright.records.errors import InputError

_PREFIX = 0x0252_5700  # locally administered; "RW"
_TIERS = ("server", "leaf", "spine", "core", "switch", "endpoint")


class Device(NamedTuple):
    """An adapter or a switch as the text names it."""

    kind: str  # Switch | Ca
    guid: str
    name: str


class _Cable(NamedTuple):
    a: str
    a_port: int
    b: str
    b_port: int


def topology_text(wiring: Wiring, radix: int, plane: int = 0, planes: int = 1) -> str:
    """Return one plane of a fabric as InfiniBand topology text.

    Args:
        wiring: tiers `server`, `leaf`, `spine`, `core`.
        radix: ports of a switch.
        plane: which one, from 0.
        planes: how many the wiring has.
    """
    return "\n".join(_lines(wiring, radix, plane, planes)) + "\n"


def read_topology(text: str, where: str = "topology") -> tuple[dict[str, Device], list[_Cable]]:
    """Return the devices by GUID and the cables of InfiniBand topology text.

    Each cable stands in the text at both ends; the two must agree.

    Raises:
        InputError: a line is none of the form, a far end is unknown, or two ends disagree; each
            with its line.
    """
    devices: dict[str, Device] = {}
    ends: dict[tuple[str, int], tuple[str, int, int]] = {}
    mistakes: list[str] = []
    at: Device | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        if head := re.match(r'(Switch|Ca|Hca)\s+(\d+)\s+"([^"]+)"(?:\s*#\s*"([^"]*)")?', line):
            at = Device("Switch" if head[1] == "Switch" else "Ca", head[3], head[4] or head[3])
            if at.guid in devices:
                mistakes.append(f"{where}:{number}: {at.guid} stands there twice")
            devices[at.guid] = at
        elif link := re.match(r'\[(\d+)\](?:\([0-9a-f]+\))?\s+"([^"]+)"\[(\d+)\]', line):
            if at is None:
                mistakes.append(f"{where}:{number}: a link before any switch or adapter")
                continue
            if (at.guid, int(link[1])) in ends:
                mistakes.append(f"{where}:{number}: port {link[1]} of {at.name} has two cables")
            ends[at.guid, int(link[1])] = (link[2], int(link[3]), number)
        elif line.strip() and not re.match(r"(#|vendid|devid|sysimgguid|switchguid|caguid)", line):
            mistakes.append(f"{where}:{number}: no line of a topology: {line.strip()[:40]!r}")
    cables = []
    for (guid, port), (far, far_port, number) in ends.items():
        back = ends.get((far, far_port))
        if far not in devices:
            mistakes.append(f"{where}:{number}: {far} is no switch or adapter of the file")
        elif back is None or back[:2] != (guid, port):
            mistakes.append(f"{where}:{number}: {far}[{far_port}] does not lead back here")
        elif (guid, port) < (far, far_port):
            cables.append(_Cable(guid, port, far, far_port))
    if mistakes:
        raise InputError(mistakes)
    return devices, cables


def is_topology(text: str) -> bool:
    """Return whether a text looks like InfiniBand topology: it has a switch or an adapter."""
    return re.search(r'^(Switch|Ca|Hca)\s+\d+\s+"', text, re.MULTILINE) is not None


def wiring_of(text: str, where: str = "topology") -> Wiring:
    """Return a topology text as a wiring; see `named_wiring`."""
    return named_wiring(text, where)[0]


def named_wiring(text: str, where: str = "topology") -> tuple[Wiring, dict[str, tuple[str, ...]]]:
    """Return a topology text as a wiring, switches by their distance from the adapters, and names.

    Raises:
        InputError: the text cannot be read, or a switch reaches no adapter.
    """
    devices, cables = read_topology(text, where)
    near: dict[str, set[str]] = {guid: set() for guid in devices}
    for cable in cables:
        near[cable.a].add(cable.b)
        near[cable.b].add(cable.a)
    rank = {guid: 0 for guid, device in devices.items() if device.kind == "Ca"}
    front = list(rank)
    while front:
        front = [far for guid in front for far in near[guid] if far not in rank
                 and rank.setdefault(far, rank[guid] + 1)]  # fmt: skip
    lost = [devices[g].name for g in devices if g not in rank]
    if lost:
        raise InputError([f"{where}: no way from {lost[0]} to an adapter"])
    tiers = ("server", "leaf", "spine", "core")
    most = max(rank.values(), default=0)
    if most >= len(tiers):
        raise InputError([f"{where}: {most} tiers of switches; up to three are read"])
    index: dict[str, int] = {}
    count = dict.fromkeys(tiers[: most + 1], 0)
    for guid in devices:
        index[guid] = count[tiers[rank[guid]]]
        count[tiers[rank[guid]]] += 1
    grouped: dict[tuple[str, str], list[tuple[int, int, int, int]]] = {}
    for a, a_port, b, b_port in cables:
        if rank[a] > rank[b]:
            a, a_port, b, b_port = b, b_port, a, a_port
        key = (tiers[rank[a]], tiers[rank[b]])
        grouped.setdefault(key, []).append((index[a], a_port - 1, index[b], b_port - 1))
    names = {
        tier: tuple(devices[g].name for g in devices if tiers[rank[g]] == tier) for tier in count
    }
    blocks = [
        Links(*key, *np.array(sorted(rows), dtype=np.int32).T)
        for key, rows in sorted(grouped.items(), key=lambda item: tiers.index(item[0][0]))
    ]
    return Wiring(count, tuple(blocks)), names


def _lines(wiring: Wiring, radix: int, plane: int, planes: int) -> Iterator[str]:
    yield "# InfiniBand topology, written by Rackwright"
    blocks = [_of_plane(block, wiring, plane, planes) for block in wiring.blocks]
    names = _names(wiring, blocks)
    ports: dict[str, list[str]] = {}
    for block in blocks:
        for a, p, b, q in zip(*(x.tolist() for x in block[2:]), strict=True):
            lower = _adapter(a, p) if block.a_tier == "server" else _guid(block.a_tier, a)
            low_port = 1 if block.a_tier == "server" else p + 1
            upper = _guid(block.b_tier, b)
            low_mark, low_name = _mark(block.a_tier), names[lower]
            ports.setdefault(lower, []).append(
                f"[{low_port}]{'(' + lower + ')' if low_mark == 'H' else ''}\t"
                f'"S-{upper}"[{q + 1}]\t\t# "{names[upper]}"'
            )
            ports.setdefault(upper, []).append(
                f'[{q + 1}]\t"{low_mark}-{lower}"[{low_port}]\t\t# "{low_name}"'
            )
    for guid, lines in ports.items():
        is_switch = int(guid[8:10], 16) != _TIERS.index("server")
        yield ""
        yield f"{'switchguid' if is_switch else 'caguid'}=0x{guid}"
        if is_switch:
            yield f'Switch\t{radix} "S-{guid}"\t\t# "{names[guid]}" base port 0 lid 0 lmc 0'
        else:
            yield f'Ca\t1 "H-{guid}"\t\t# "{names[guid]}"'
        yield from sorted(lines, key=lambda line: int(line[1 : line.index("]")]))


def _of_plane(block: Links, wiring: Wiring, plane: int, planes: int) -> Links:
    size = wiring.devices[block.b_tier] // planes
    keep = block.b // size == plane
    return Links(block.a_tier, block.b_tier, *(x[keep] for x in block[2:]))


def _names(wiring: Wiring, blocks: list[Links]) -> dict[str, str]:
    names = {
        _guid(tier, i): f"{tier}-{i + 1}"
        for tier, count in wiring.devices.items()
        if tier != "server"
        for i in range(count)
    }
    for block in blocks:
        if block.a_tier == "server":
            for a, p in zip(block.a.tolist(), block.a_port.tolist(), strict=True):
                names[_adapter(a, p)] = f"server-{a + 1} HCA-{p + 1}"
    return names


def _mark(tier: str) -> str:
    return "H" if tier == "server" else "S"


def _guid(tier: str, number: int) -> str:
    return f"{_PREFIX:08x}{_TIERS.index(tier):02x}{number:06x}"


def _adapter(server: int, port: int) -> str:
    return f"{_PREFIX:08x}{_TIERS.index('server'):02x}{server * 256 + port:06x}"
