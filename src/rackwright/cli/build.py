"""Plan what to build where and when, in the base case or a scenario."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rackwright.cli.given import given_of
from rackwright.cli.options import CalibrationFile, CatalogFolder
from rackwright.cli.output import JsonFlag, StudyFile, answer
from rackwright.cli.progress import Progress
from rackwright.cli.tables import money, table
from rackwright.formats.atomic import make_folder
from rackwright.formats.stored import write_record
from rackwright.pipeline import run_build, run_design
from rackwright.records.certificate import Certificate
from rackwright.records.errors import RackwrightError, nearest
from rackwright.records.plan import BuildPlan
from rackwright.records.space import Space
from rackwright.records.study import Scenario, Study
from rackwright.summary import design_blocks


def run(
    study: StudyFile,
    scenario: Annotated[
        str | None, typer.Option(metavar="NAME", help="a scenario of the study")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="write the plan and its certificate there")
    ] = None,
    catalog: CatalogFolder = None,
    calibration: CalibrationFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Plan what to build where and when, in the base case or a scenario."""
    given = given_of(study, catalog, calibration)
    chosen = _scenario(given.study, scenario)
    with Progress() as progress:
        progress("design: searching hardware and software")
        space = run_design(given)
        progress(f"build: planning over {len(space.rows)} designs")
        plan, certificate = run_build(given, space, chosen)
    lines = _lines(plan, space)
    if out is not None:
        lines.append(_written(out, plan, certificate))
    answer(plan.model_dump(mode="json"), lines, f"rackwright run {study}", as_json=as_json)


def _scenario(study: Study, name: str | None) -> Scenario | None:
    if name is None:
        return None
    for scenario in study.scenarios:
        if scenario.name == name:
            return scenario
    known = [s.name for s in study.scenarios]
    raise RackwrightError(
        f"no scenario {name!r} in the study; there is {', '.join(known) or 'none'}."
        f"{nearest(name, known)}"
    )


def _written(out: Path, plan: BuildPlan, certificate: Certificate) -> str:
    make_folder(out)
    write_record(out, "plan", plan)
    path = write_record(out, "certificate", certificate)
    return f"written: {out / 'plan.json'} and {path}"


def _lines(plan: BuildPlan, space: Space) -> list[str]:
    lines = [
        f"{plan.scenario}: surplus {money(plan.surplus_usd)}, bound {money(plan.bound_usd)} "
        f"(gap {100 * plan.gap_fraction:.3f} %), grade {plan.grade}; {plan.columns} columns in "
        f"{plan.rounds} pricing rounds; "
        + ("optimal over the space" if plan.proved else f"{plan.remaining} designs not excluded"),
        "",
    ]
    mix = design_blocks(space, plan)
    lines += table(
        ["design", "blocks", "racks", "accelerators", "blocks of the program"],
        [
            [
                b.design,
                f"{b.blocks:,.6g}",
                f"{b.racks:,.6g}",
                f"{b.accelerators:,.0f}",
                f"{b.program_blocks:,.1f}",
            ]
            for b in mix
        ],
    )
    lines.append(
        "  whole blocks, week by week: what is built. The program has parts of blocks, in buckets "
        f"of weeks: surplus, bound, gap are of it; whole weeks lose {money(plan.weekly_loss_usd)}"
    )
    lines += ["", "work:"]
    lines += table(
        ["workload", "tokens in horizon", "wanted", "value"],
        [
            [w.workload, f"{w.tokens:,.3e}", f"{w.wanted_tokens:,.3e}", money(w.value_usd)]
            for w in plan.work
        ],
    )
    lines += ["", "money, discounted to week 0:"]
    lines += table(["", "USD"], [[m.name, f"{round(m.usd):,}"] for m in plan.money])
    if plan.shadow_prices:
        lines += ["", "one more unit would be worth:"]
        lines += table(
            ["what", "unit", "USD", "given more", "given less", "basis"],
            [
                [
                    f"{s.kind} {s.name}",
                    s.unit,
                    f"{s.usd_per_unit:,.4g}",
                    f"{s.usd_low:,.4g}",
                    f"{s.usd_high:,.4g}",
                    s.basis,
                ]
                for s in plan.shadow_prices
            ],
        )
    if plan.binding:
        lines += ["", "binds:", *(f"  {text}" for text in plan.binding)]
    return lines
