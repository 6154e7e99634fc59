"""Write a design or a fabric in a format that the field's tools read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from rackwright import catalog as catalogs
from rackwright.catalog import Catalog
from rackwright.cli.options import CatalogFolder
from rackwright.cli.output import JsonFlag, answer
from rackwright.cli.progress import Progress
from rackwright.design.bill import Residual, price_lines, scaled
from rackwright.design.bom import bill_of
from rackwright.design.built import built_design
from rackwright.design.candidates import Candidate, enumerate_candidates
from rackwright.design.fabric import Built, build_fabric
from rackwright.design.fabric_plan import plan_of
from rackwright.design.rack import compose_rack
from rackwright.design.scale_up import wire_scale_up
from rackwright.drawing.as_built import finding_lines
from rackwright.drawing.coolant import coolant_svg
from rackwright.drawing.elevation import elevation_svg
from rackwright.drawing.fabric import fabric_svg
from rackwright.drawing.hall import hall_svg
from rackwright.drawing.layout.fabric import plural
from rackwright.drawing.power_flow import power_svg
from rackwright.formats.atomic import make_folder, write_text
from rackwright.formats.border import parse, read_record
from rackwright.formats.exports import EXPORTS, Export, Need, Subject
from rackwright.formats.laid import LaidFabric
from rackwright.formats.scale_up import LaidScaleUp
from rackwright.load import load_study
from rackwright.records.as_built import RackAsBuilt
from rackwright.records.errors import InputError, RackwrightError, nearest
from rackwright.records.fabric import FabricPlan
from rackwright.records.scale_up import ScaleUp
from rackwright.records.study import Generation, Study
from rackwright.sheets import laid_fabric, loads_of_fabric


def _hall(laid: LaidFabric) -> str:
    return hall_svg(laid.fabric, *loads_of_fabric(laid))


def _drawn(draw: Callable[[LaidFabric], str]) -> Callable[[Subject, Path], list[Path]]:
    def write(subject: Subject, path: Path) -> list[Path]:
        assert subject.fabric is not None, "the verb gives what a format needs"
        return [write_text(path, draw(subject.fabric))]

    return write


def _rack_drawn(draw: Callable[[RackAsBuilt], str]) -> Callable[[Subject, Path], list[Path]]:
    def write(subject: Subject, path: Path) -> list[Path]:
        assert subject.rack is not None, "the verb gives what a format needs"
        return [write_text(path, draw(subject.rack))]

    return write


DRAWINGS = {
    "elevation-svg": Export(
        "the rack's elevation, front and rear, as a drawing", "rack", ".elevation.svg",
        _rack_drawn(elevation_svg),
    ),
    "power-svg": Export(
        "the rack's power from the utility to the trays as a drawing", "rack", ".power.svg",
        _rack_drawn(power_svg),
    ),
    "coolant-svg": Export(
        "the rack's liquid loop on one line as a drawing", "rack", ".coolant.svg",
        _rack_drawn(coolant_svg),
    ),
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
        if FORMATS[form].needs == "rack":
            subject, found = _rack(source, design, components, catalog)
            name = "-".join((design or source.stem).split("/"))
        else:
            progress("export: laying the fabric's cables")
            plan = _plan(source, design, components, catalog)
            subject, found = _subject(FORMATS[form].needs, plan, components)
            name = plan.name
        progress(f"export: writing {form}")
        target = out or Path(f"{name}{FORMATS[form].ending}")
        if target.parent != Path():
            make_folder(target.parent)
        written = FORMATS[form].write(subject, target)
    document = {
        "format": form,
        "files": [str(path) for path in written],
        **found.document,
    }
    others = [name for name in FORMATS if name != form]
    lines = [f"wrote {path}" for path in written[:8]]
    lines += [f"wrote {len(written) - 8} more"] if len(written) > 8 else []
    again = f" --design {design}" if design else ""
    following = f"rackwright export {others[0]} {source}{again}"
    answer(document, [*lines, *found.lines], following, as_json=as_json)


class _Found(NamedTuple):
    """What a subject comes to, as data and as text."""

    document: dict[str, Any]
    lines: list[str]


def _rack(
    source: Path, design: str | None, components: Catalog, folder: Path | None
) -> tuple[Subject, _Found]:
    """Return a study's design as a rack as built, with its bill."""
    if "design_space" not in parse(source).raw:
        raise RackwrightError(f"{source}: is no study; a rack is a study's, with --design KEY")
    study = load_study(source, folder).study
    candidate, over = _candidate(source, study, design, components)
    built = built_design(study, components, candidate.hardware.key)
    bill = bill_of(candidate, components)
    items = scaled(candidate.items, built.racks)
    price = sum(line.usd for line in price_lines(candidate.rack, items, built.racks, over))
    document = {"rack": built.rack, "racks": built.racks, "grade": built.grade,
                "findings": [f.model_dump(mode="json") for f in built.findings],
                "bill_lines": len(bill.rows), "bill_usd": bill.usd(),
                "price_usd": price}  # fmt: skip
    lines = [
        f"{built.rack}, {built.racks} in the block, grade {built.grade}; bill of "
        f"{len(bill.rows)} lines, {bill.usd() / 1e6:,.2f} MUSD; with a residual of "
        f"{(price - bill.usd()) / 1e6:+,.2f} it is the design's price of {price / 1e6:,.2f}",
        *(line.removeprefix("    ") for line in finding_lines(built.findings)),
    ]
    return Subject(rack=built, bill=bill), _Found(document, lines)


def _subject(needs: Need, plan: FabricPlan, components: Catalog) -> tuple[Subject, _Found]:
    """Return what a format needs of a plan, and nothing else of it."""
    if needs == "scale-up":
        if not plan.rack:
            raise RackwrightError(
                "export: the plan names no rack; add rack = KEY, the rack or server whose "
                "scale-up domain is meant"
            )
        rack = compose_rack(Generation(system=plan.rack), components)
        wired = wire_scale_up(rack, components)
        record = wired.record
        return (
            Subject(scale_up=LaidScaleUp(*wired)),
            _Found({"scale_up": record.model_dump(mode="json")}, _scale_up_lines(record)),
        )
    built = build_fabric(plan, components)
    fabric = built.fabric
    document = {
        "networks": [n.model_dump(mode="json") for n in fabric.networks],
        "findings": list(fabric.findings),
        "grade": fabric.grade,
    }
    return Subject(laid_fabric(built)), _Found(document, _lines(built))


def _scale_up_lines(record: ScaleUp) -> list[str]:
    lines = [
        "",
        f"{record.rack}: {record.accelerators} x {record.accelerator}, {record.topology}: "
        f"{record.links:,} links, {record.switches} switch chips",
    ]
    if record.pairs:
        lines.append(
            f"  {record.pairs:,} copper pairs, {record.copper_m / 1e3:.2f} km, the longest "
            f"{record.longest_m:.2f} m; {record.bytes_per_s / 1e12:.1f} TB/s both ways"
        )
    return [*lines, *record.assumptions, f"grade {record.grade}"]


def _plan(source: Path, design: str | None, components: Catalog, folder: Path | None) -> FabricPlan:
    """Return the plan in a file, or that of a study's design."""
    if "design_space" not in parse(source).raw:
        if design is not None:
            raise RackwrightError(f"{source}: is a fabric plan; --design belongs to a study")
        return read_record(FabricPlan, source)
    study = load_study(source, folder).study
    return plan_of(_candidate(source, study, design, components)[0])


def _candidate(
    source: Path, study: Study, design: str | None, components: Catalog
) -> tuple[Candidate, Residual]:
    found = enumerate_candidates(study, components)
    candidates = {c.hardware.key: c for c in found.all}
    if design is None or design not in candidates:
        wanted = f"no design {design!r}" if design else "name a design with --design KEY"
        some = ", ".join(list(candidates)[:3]) or "none"
        raise RackwrightError(
            f"{source}: {wanted}; there are {len(candidates)}, such as {some}."
            f"{nearest(design or '', candidates)}"
        )
    return candidates[design], found.residual


def _lines(built: Built) -> list[str]:
    lines: list[str] = []
    for net in built.fabric.networks:
        devices = ", ".join(f"{n:,} {plural(tier, n)}" for tier, n in net.devices.items())
        lines += [
            "",
            f"{net.name}: {devices}; "
            + (f"{net.switch}, radix {net.radix}" if net.switches else "joined directly")
            + (f", {net.planes} planes" if net.planes > 1 else ""),
            f"  {net.switches:,} switches, {net.links:,} links, {net.cables:,} cables, "
            f"{net.modules:,} modules, {net.cages:,} cages",
            f"  {net.route_m / 1e3:,.1f} km as routed, the longest {net.longest_m:.1f} m; "
            f"{net.usd / 1e6:,.2f} million USD, {net.power_w / 1e3:,.1f} kW",
        ]
    lines += [f"finding: {text}" for text in built.fabric.findings]
    return [*lines, *built.fabric.assumptions, f"grade {built.fabric.grade}"]
