"""Score our wiring of planned clusters against the cables that their designers list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from math import ceil
from pathlib import Path

from rackwright.design.clos import ClosPlan, LeafPorts, cables, wire_plan
from rackwright.formats.wiring_folder import (
    PARTS,
    PLAN,
    End,
    PartLine,
    Plan,
    SwitchClass,
    read_links,
    read_parts,
    read_plan,
)
from rackwright.kernels.fabric import FabricCount
from rackwright.records.base import Record
from rackwright.records.errors import InputError
from rackwright.validate.same_wiring import Cable, compare


class WrongPart(Record):
    """A quantity of the list of parts that we count otherwise."""

    section: str
    name: str
    printed: int | None
    computed: int


class WiringVariant(Record):
    """One folder: its cables beside ours, made from its plan."""

    id: str
    links: int
    matched: int
    missing: int
    extra: int
    bom_wrong: int
    first_difference: str = ""
    parts: tuple[WrongPart, ...] = ()
    skipped: str = ""


class WiringScore(Record):
    """All folders."""

    variants: tuple[WiringVariant, ...]

    @property
    def wrong(self) -> bool:
        """Whether a cable or a part differs anywhere."""
        return any(v.missing or v.extra or v.bom_wrong for v in self.variants)


def score_wiring(folders: Sequence[Path]) -> WiringScore:
    """Return how our wiring of each folder's plan compares with the folder's cables and parts.

    A folder of folders stands for those that hold a plan.

    Raises:
        InputError: a folder or one of its files cannot be read, all of them named.
    """
    found: list[WiringVariant] = []
    mistakes: list[str] = []
    for folder in _expanded(folders, mistakes):
        try:
            found.append(_variant(folder))
        except InputError as error:
            mistakes += error.mistakes
    if mistakes:
        raise InputError(mistakes)
    return WiringScore(variants=tuple(found))


def wire(plan: Plan) -> tuple[list[Cable], list[PartLine]]:
    """Return the cables and the parts of a plan.

    Raises:
        InputError: the plan cannot work.
    """
    wired: list[Cable] = []
    parts = [PartLine("server", plan.server_model, plan.server_class, plan.servers)]
    for model, count in Counter(plan.adapters).items():
        parts.append(PartLine("nic", model, "", count * plan.servers))
    server_modules, switch_modules = 0, 0
    for net, leaf, spine in _networks(plan):
        tree, wiring = wire_plan(net)
        parts.append(PartLine("switch", leaf.model, leaf.name, tree.leaves))
        if spine and tree.spines:
            parts.append(PartLine("switch", spine.model, spine.name, tree.spines))
        server_modules += tree.endpoint_links
        switch_modules += 2 * tree.leaf_uplinks + _modules_down(net, leaf, tree)
        names = {
            "server": plan.server_class,
            "leaf": leaf.name,
            "spine": spine.name if spine else "",
        }
        wired += [
            (End(ta, _name(names[ta], ta, a), p), End(tb, _name(names[tb], tb, b), q))
            for ta, a, p, tb, b, q in cables(net, wiring)
        ]
    parts += [
        PartLine("server_transceiver", "", "", server_modules),
        PartLine("switch_transceiver", "", "", switch_modules),
    ]
    return wired, parts


def _name(of: str, tier: str, number: int) -> str:
    return f"{of}-{number + 1:0{3 if tier == 'server' else 2}d}"


def _networks(plan: Plan) -> Iterator[tuple[ClosPlan, SwitchClass, SwitchClass | None]]:
    classes = {c.name: c for c in plan.switches}
    for attachment in plan.attachments:
        leaf = classes.get(attachment.switch_class)
        if leaf is None or attachment.zone not in leaf.zones:
            raise InputError(
                [f"{PLAN}: no zone {attachment.switch_class}/{attachment.zone} for server ports"]
            )
        spine = next(
            (c for c in plan.switches if c.role == "spine" and c.fabric == leaf.fabric), None
        )
        up = tuple(p for z in leaf.zones.values() if z.kind == "uplink" for p in z.ports)
        top = tuple(p for z in spine.zones.values() for p in z.ports) if spine else ()
        ports = LeafPorts(leaf.zones[attachment.zone].ports, up)
        yield (
            ClosPlan(leaf.name, plan.servers, attachment.ports, ports, top, leaf.least),
            leaf,
            spine,
        )


def _modules_down(net: ClosPlan, leaf: SwitchClass, tree: FabricCount) -> int:
    """Return the modules of leaves for servers: one for each cage in use."""
    per_cage = next(z.per_cage for z in leaf.zones.values() if z.ports == net.leaf.down)
    each, left = divmod(tree.endpoint_links, tree.leaves)
    return (tree.leaves - left) * ceil(each / per_cage) + left * ceil((each + 1) / per_cage)


def _variant(folder: Path) -> WiringVariant:
    theirs = read_links(folder)
    if not (folder / PLAN).is_file():
        return WiringVariant(
            id=folder.resolve().name, links=len(theirs), matched=0, missing=0, extra=0, bom_wrong=0,
            skipped=f"no {PLAN}: there is no plan to wire",
        )  # fmt: skip
    ours, parts = wire(read_plan(folder))
    compared = compare(ours, theirs)
    listed = (folder / PARTS).is_file()  # without a list of parts only cables are compared
    wrong = _wrong_parts(parts, read_parts(folder)) if listed else ()
    return WiringVariant(
        id=folder.resolve().name,
        links=len(theirs),
        matched=compared.matched,
        missing=compared.missing,
        extra=compared.extra,
        bom_wrong=len(wrong),
        first_difference=compared.first,
        parts=wrong,
    )


def _wrong_parts(ours: Sequence[PartLine], theirs: Sequence[PartLine]) -> tuple[WrongPart, ...]:
    """Return quantities that differ, by section and, where both name one, by use or model."""
    mine, printed = _totals(ours), _totals(theirs)
    return tuple(
        WrongPart(section=section, name=name, printed=printed.get((section, name)),
                  computed=mine.get((section, name), 0))
        for section, name in sorted({*mine, *printed})
        if mine.get((section, name), 0) != printed.get((section, name))
    )  # fmt: skip


def _totals(lines: Sequence[PartLine]) -> Counter[tuple[str, str]]:
    total: Counter[tuple[str, str]] = Counter()
    for line in lines:
        name = line.used_for or line.model
        if line.section.endswith("transceiver"):
            name = ""  # whatever model stands in for one
        total[line.section, name] += line.quantity
    return total


def _expanded(folders: Sequence[Path], mistakes: list[str]) -> Iterator[Path]:
    for folder in folders:
        if not folder.is_dir():
            mistakes.append(f"{folder}: no such folder")
            continue
        inner = sorted(p.parent for p in folder.glob(f"*/{PLAN}"))
        yield from inner if inner and not (folder / PLAN).is_file() else (folder,)
