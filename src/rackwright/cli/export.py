"""Write a design or a fabric in a format that the field's tools read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from rackwright import catalog as catalogs
from rackwright.catalog import Catalog
from rackwright.cli.given import CatalogFolder
from rackwright.cli.output import JsonFlag, answer
from rackwright.cli.progress import Progress
from rackwright.design.candidates import enumerate_candidates
from rackwright.design.fabric import Built, build_fabric, plan_of
from rackwright.design.floor import Hall, loads_of
from rackwright.drawing.fabric import fabric_svg
from rackwright.drawing.hall import hall_svg
from rackwright.drawing.layout.fabric import plural
from rackwright.formats.atomic import make_folder, write_text
from rackwright.formats.border import parse, read_record
from rackwright.formats.exports import EXPORTS, Export, Subject
from rackwright.formats.laid import LaidFabric, LaidNetwork
from rackwright.load import load_study
from rackwright.records.errors import InputError, RackwrightError, nearest
from rackwright.records.fabric import FabricPlan


def _hall(laid: LaidFabric) -> str:
    floor = laid.fabric.plan.floor
    roles = tuple(rack.role for rack in laid.fabric.racks)
    blocks = (
        (block, Hall(roles, network.rack_of, network.height_m))
        for network in laid.networks
        for block in network.wiring.blocks
        if block.a_tier != "manager"
    )
    return hall_svg(laid.fabric, *loads_of(blocks, floor))


def _drawn(draw: Callable[[LaidFabric], str]) -> Callable[[Subject, Path], list[Path]]:
    def write(subject: Subject, path: Path) -> list[Path]:
        assert subject.fabric is not None, "the verb gives what a format needs"
        return [write_text(path, draw(subject.fabric))]

    return write


DRAWINGS = {
    "fabric-svg": Export(
        "the fabric's tiers and rails as a drawing", "fabric", ".fabric.svg",
        _drawn(lambda laid: fabric_svg(laid.fabric, [n.wiring for n in laid.networks])),
    ),
    "hall-svg": Export(
        "racks, trays and how many cables they carry as a drawing", "fabric", ".hall.svg",
        _drawn(_hall),
    ),
}  # fmt: skip
FORMATS: dict[str, Export] = {**EXPORTS, **DRAWINGS}
"""What can be written; a format of another part of a design is one more entry."""


def run(
    form: Annotated[str, typer.Argument(metavar="FORMAT", help=f"one of {', '.join(FORMATS)}")],
    source: Annotated[
        Path, typer.Argument(help="a study, with --design; or a fabric plan, a TOML file")
    ],
    design: Annotated[
        str | None, typer.Option("--design", metavar="KEY", help="which design of a study")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="PATH", help="where to write; a default is told")
    ] = None,
    catalog: CatalogFolder = None,
    as_json: JsonFlag = False,
) -> None:
    """Write a design or a fabric in a format that the field's tools read."""
    if form not in FORMATS:
        raise InputError(
            [f"no format named {form!r}; allowed: {', '.join(FORMATS)}.{nearest(form, FORMATS)}"]
        )
    components = catalogs.load(catalog)
    with Progress() as progress:
        progress("export: laying the fabric's cables")
        plan = _plan(source, design, components, catalog)
        built = build_fabric(plan, components)
        progress(f"export: writing {form}")
        target = out or Path(f"{plan.name}{FORMATS[form].ending}")
        if target.parent != Path():
            make_folder(target.parent)
        written = FORMATS[form].write(Subject(laid_fabric(built)), target)
    document = {
        "format": form,
        "files": [str(path) for path in written],
        "networks": [n.model_dump(mode="json") for n in built.fabric.networks],
        "findings": list(built.fabric.findings),
        "grade": built.fabric.grade,
    }
    others = [name for name in FORMATS if name != form]
    answer(
        document, _lines(built, written), f"rackwright export {others[0]} {source}", as_json=as_json
    )


def laid_fabric(built: Built) -> LaidFabric:
    """Return a built fabric as formats and drawings take it."""
    return LaidFabric(
        built.fabric,
        tuple(
            LaidNetwork(
                net.name, net.wiring, net.switch.key, net.radix, net.per_cage, net.planes,
                net.split, net.link_bit_per_s,
                tuple(part.length_m for part in laid),
                tuple(part.cabled.medium_of for part in laid),
                tuple(part.cabled.media for part in laid),
                hall.rack_of, hall.height_m,
            )
            for net, laid, hall in zip(built.nets, built.laid, built.halls, strict=True)
        ),
    )  # fmt: skip


def _plan(source: Path, design: str | None, components: Catalog, folder: Path | None) -> FabricPlan:
    """Return the plan in a file, or that of a study's design."""
    if "design_space" not in parse(source).raw:
        if design is not None:
            raise RackwrightError(f"{source}: is a fabric plan; --design belongs to a study")
        return read_record(FabricPlan, source)
    study = load_study(source, folder).study
    candidates = {c.hardware.key: c for c in enumerate_candidates(study, components).all}
    if design is None or design not in candidates:
        wanted = f"no design {design!r}" if design else "name a design with --design KEY"
        some = ", ".join(list(candidates)[:3]) or "none"
        raise RackwrightError(
            f"{source}: {wanted}; there are {len(candidates)}, such as {some}."
            f"{nearest(design or '', candidates)}"
        )
    return plan_of(candidates[design])


def _lines(built: Built, written: list[Path]) -> list[str]:
    lines = [f"wrote {path}" for path in written[:8]]
    lines += [f"wrote {len(written) - 8} more"] if len(written) > 8 else []
    for net in built.fabric.networks:
        devices = ", ".join(f"{n:,} {plural(tier, n)}" for tier, n in net.devices.items())
        lines += [
            "",
            f"{net.name}: {devices}; {net.switch}, radix {net.radix}"
            + (f", {net.planes} planes" if net.planes > 1 else ""),
            f"  {net.switches:,} switches, {net.links:,} links, {net.cables:,} cables, "
            f"{net.modules:,} modules, {net.cages:,} cages",
            f"  {net.route_m / 1e3:,.1f} km as routed, the longest {net.longest_m:.1f} m; "
            f"{net.usd / 1e6:,.2f} million USD, {net.power_w / 1e3:,.1f} kW",
        ]
    lines += [f"finding: {text}" for text in built.fabric.findings]
    return [*lines, *built.fabric.assumptions, f"grade {built.fabric.grade}"]
