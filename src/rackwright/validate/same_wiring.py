"""Are two lists of cables the same up to the names of devices in their roles?

Ports keep their names, so that a pair of devices taken as the same fixes, cable by cable, which
others are: the search is over one device of each connected part only.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from rackwright.formats.wiring_folder import End

Cable = tuple[End, End]
_Device = tuple[str, str]  # role, name
_Graph = dict[_Device, dict[str, tuple[_Device, str]]]


class Compared(NamedTuple):
    """How many cables of ours are those of theirs, and where the first difference lies."""

    matched: int
    missing: int  # theirs without ours
    extra: int  # ours without theirs
    first: str


def compare(ours: Sequence[Cable], theirs: Sequence[Cable]) -> Compared:
    """Return how two lists of cables differ under the best renaming that is found.

    Args:
        ours: cables; each port carries one.
        theirs: cables as published.
    """
    twice = _doubled(theirs)
    if twice:
        return Compared(0, len(theirs), len(ours), f"{twice} carries two cables")
    mine, published = _graph(ours), _graph(theirs)
    renamed, first = _rename(mine, published)
    translated = Counter(_plain(_apply(renamed, c)) for c in ours)
    wanted = Counter(_plain(c) for c in theirs)
    both = translated & wanted
    matched = sum(both.values())
    if matched == len(theirs) == len(ours):
        first = ""
    elif not first:
        odd = next(iter((wanted - both) or (translated - both)))
        first = " to ".join(f"{end.device} {end.port}" for end in sorted(odd))
    return Compared(matched, len(theirs) - matched, len(ours) - matched, first)


def _rename(mine: _Graph, published: _Graph) -> tuple[dict[_Device, _Device], str]:
    """Return ours to theirs, as many as can be, and the first contradiction of the best try."""
    renamed: dict[_Device, _Device] = {}
    taken: set[_Device] = set()
    first = ""
    candidates: dict[tuple[str, frozenset[str]], list[_Device]] = {}
    for device, ports in published.items():
        candidates.setdefault((device[0], frozenset(ports)), []).append(device)
    for root in sorted(mine, key=lambda d: (d not in published, d)):
        if root in renamed:
            continue
        same = candidates.get((root[0], frozenset(mine[root])), [])
        tries = sorted(same, key=lambda d: (d != root, d))
        best: dict[_Device, _Device] = {}
        told = f"{root[1]}: no {root[0]} of theirs has the same ports in use" if not same else ""
        for candidate in tries:
            if candidate in taken:
                continue
            found, contradiction = _follow(root, candidate, mine, published, taken)
            if len(found) > len(best):
                best, told = found, contradiction
            if not contradiction:
                break
        renamed.update(best)
        taken.update(best.values())
        first = first or told
    return renamed, first


def _follow(
    root: _Device, candidate: _Device, mine: _Graph, published: _Graph, taken: set[_Device]
) -> tuple[dict[_Device, _Device], str]:
    """Return the renaming that one pair of devices forces, and its first contradiction."""
    found, used, queue, first = {root: candidate}, {candidate}, deque([root]), ""
    while queue:
        at = queue.popleft()
        theirs = published[found[at]]
        for port, (other, other_port) in mine[at].items():
            if port not in theirs:
                first = first or f"{found[at][1]} {port}: theirs is free, ours goes to {other[1]}"
                continue
            there, there_port = theirs[port]
            if other_port != there_port or other[0] != there[0]:
                first = first or (
                    f"{found[at][1]} {port}: theirs goes to {there[1]} {there_port}, "
                    f"ours to {other[1]} {other_port}"
                )
            elif other in found:
                if found[other] != there:
                    first = first or (
                        f"{found[at][1]} {port}: theirs goes to {there[1]} {there_port}, "
                        f"ours to {found[other][1]} {other_port}"
                    )
            elif there in used or there in taken:
                first = first or f"{there[1]} stands for two of ours"
            else:
                found[other] = there
                used.add(there)
                queue.append(other)
        if first and len(found) == 1:
            break
    return found, first


def _graph(cables: Iterable[Cable]) -> _Graph:
    graph: _Graph = {}
    for a, b in cables:
        graph.setdefault((a.role, a.device), {})[a.port] = ((b.role, b.device), b.port)
        graph.setdefault((b.role, b.device), {})[b.port] = ((a.role, a.device), a.port)
    return graph


def _doubled(cables: Iterable[Cable]) -> str:
    count = Counter((end.role, end.device, end.port) for cable in cables for end in cable)
    twice = next(((role, d, p) for (role, d, p), n in count.items() if n > 1), None)
    return f"{twice[1]} {twice[2]}" if twice else ""


def _apply(renamed: Mapping[_Device, _Device], cable: Cable) -> Cable:
    a, b = cable
    return _end(renamed, a), _end(renamed, b)


def _end(renamed: Mapping[_Device, _Device], end: End) -> End:
    role, name = renamed.get((end.role, end.device), (end.role, f"our {end.device}"))
    return End(role, name, end.port)


def _plain(cable: Cable) -> frozenset[End]:
    return frozenset(cable)
