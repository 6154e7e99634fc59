"""First question: which rack and which mix are best without shortage, and what the plan builds."""

from __future__ import annotations

from collections.abc import Iterator

from rackwright.drawing import words
from rackwright.drawing.charts.bars import bars
from rackwright.drawing.charts.curves import curves
from rackwright.drawing.charts.ranges import ranges
from rackwright.drawing.charts.steps import steps
from rackwright.drawing.html import Html, Part, join, tag
from rackwright.drawing.layout.designs import chosen, cost_ranges, price_bars, step_bars
from rackwright.drawing.layout.plans import (
    power_steps,
    progress_curves,
    rack_steps,
    served_steps,
)
from rackwright.drawing.page import Page
from rackwright.drawing.parts import Line, figure, grade, heading, side_by_side, small, table
from rackwright.records.plan import BuildPlan
from rackwright.records.space import FrontRow, Service, SpaceRow
from rackwright.records.study import ServingWorkload

MOST_PRICED = 6
"""How many systems have their price drawn."""


def best(page: Page, number: int, anchor: str) -> Html:
    """Return the section: the front, what its designs are made of, and the plan over time."""
    answer = page.answer
    served = list(dict.fromkeys(row.workload for row in answer.front.rows))
    return join(
        heading(number, anchor, "Best rack and mix without shortage"),
        tag(
            "p",
            "The front holds the designs that no other beats on cost per token, tokens per watt "
            "and price at once, at list prices and as if everything could be had; the system in "
            "use today stands beside them as the baseline.",
            class_="lead",
        ),
        (_front(page, workload) for workload in served) if served else _nothing(),
        _made_of(page),
        tag("h3", "The plan"),
        _mix(page),
        _over_time(page),
    )


def _nothing() -> Html:
    return tag("p", "No design serves any workload within its limits.", class_="answer")


def _front(page: Page, workload: str) -> Html:
    rows = [row for row in page.answer.front.rows if row.workload == workload]
    head = ("design", "USD per million tokens", "tokens/s per block", "tokens/s per kW",
            "price of a block", "cheapest in", "grade")  # fmt: skip
    lines = [_front_line(page, row) for row in rows]
    return join(
        figure(ranges, cost_ranges(page.answer.front, workload, page.names),
               f"{workload}: what a million tokens cost",
               "Price as an annuity, energy and reserved power. Dots are expected values, bars "
               "hold 80 % of worlds. In colour: what the plan or a scenario builds."),
        table(head, lines, "tnnnnnt"),
        _confirmed(page, rows),
    )  # fmt: skip


def _confirmed(page: Page, rows: list[FrontRow]) -> Part:
    """Return where the simulator's percentiles are other ones than the analytic model's."""
    known = [(row, row.confirmed) for row in rows if row.confirmed is not None]
    if not known:
        return None
    lines = [
        tag("li", page.design(row.key), ": ", "; ".join(found) if found else "confirmed")
        for row, confirmed in known
        for found in (confirmed.corrections(),)
    ]
    return join(
        tag("p", "Percentiles confirmed request by request, at Poisson arrivals and the mean "
            "lengths; what the analytic model says is corrected where it is more than 5 % and two "
            "standard errors off:"),
        tag("ul", *lines),
    )  # fmt: skip


def _front_line(page: Page, row: FrontRow) -> Line:
    interval = words.rate_interval(row.rate_low, row.rate_high)
    tags = [t for t, on in (("baseline", row.baseline), ("composed", row.composed)) if on]
    cells: tuple[Part, ...] = (
        page.design(row.key, *tags),
        words.number(row.usd_per_million_tokens),
        tag("span", words.rate(row.rate_tokens_per_s), tag("br"), small(interval)),
        words.number(row.tokens_per_s_per_w * 1e3),
        words.usd(row.price_usd),
        words.percent(row.chance_best, 0),
        grade(row.grade),
    )
    return Line(cells, "strong" if row.rank == 1 and not row.baseline else "")


def _made_of(page: Page) -> Html:
    """Return price and step time of the designs that matter."""
    answer = page.answer
    keys = [*answer.summary.best.values(), *(b.design for b in answer.summary.mix)]
    keys += [row.key for row in answer.front.rows if row.baseline]
    rows = [r for k in dict.fromkeys(keys) if (r := page.row(k)) is not None]
    fronted = [r for x in answer.front.rows if (r := page.row(x.key)) is not None]
    systems: dict[str, SpaceRow] = {}
    for row in (*rows, *fronted):
        systems.setdefault(row.system, row)
    priced = list(systems.values())[:MOST_PRICED]
    figures: list[Part] = []
    for workload in answer.space.workloads:
        key = chosen(answer.space, answer.front, answer.plan, workload)
        service = _service(page, key, workload)
        if service is not None and key is not None:
            figures.append(
                figure(bars, step_bars(service), f"{workload}: where a step's time goes",
                       f"{page.names.label(key)}. {plan_words(service)}", half=True)
            )  # fmt: skip
    return join(
        figure(bars, price_bars(priced, page.names), "What a rack costs, bottom-up",
               "Per accelerator, so that blocks of different sizes compare; one design of each "
               "system. At the bar's end the price with the range of its parts; a residual left "
               "of zero means that the priced system costs less than its bill.")
        if priced
        else None,
        side_by_side(*figures) if figures else None,
        table(
            ("design", "power, IT", "to coolant", "to air", "floor", "mass", "first built"),
            [_physical(page, row) for row in rows],
            "tnnnnnn",
            title="What a block needs",
        )
        if rows
        else None,
    )  # fmt: skip


def _physical(page: Page, row: SpaceRow) -> tuple[Part, ...]:
    return (
        page.design(row.key),
        words.power(row.provisioned_power_w),
        words.power(row.liquid_w),
        words.power(row.air_w),
        f"{words.number(row.floor_m2)} m²",
        f"{words.number(row.mass_kg / 1e3)} t",
        f"week {words.number(row.first_week)}",
    )


def _service(page: Page, key: str | None, workload: str) -> Service | None:
    row = page.row(key) if key is not None else None
    return row.services[page.answer.space.workloads.index(workload)] if row is not None else None


def plan_words(service: Service) -> str:
    """Return a software plan in words."""
    plan = service.plan
    axes = [("TP", plan.tensor_parallel), ("PP", plan.pipeline_parallel),
            ("DP", plan.data_parallel), ("EP", plan.expert_parallel)]  # fmt: skip
    parallel = ", ".join(f"{name} {n}" for name, n in axes if n > 1) or "no parallelism"
    memory = (
        f"{words.number(service.memory_bytes / 1e9)} GB per accelerator, "
        f"{words.power(service.average_power_w)} on average"
    )
    if plan.kind == "training":
        mfu = f", MFU {words.percent(service.mfu, 0)}" if service.mfu is not None else ""
        return (
            f"{plan.precision}, {parallel}, micro-batch {plan.micro_batch}, recompute "
            f"{plan.recompute}, {memory}{mfu}."
        )
    limits = [
        f"{name} {words.seconds(value)}"
        for name, value in (("TTFT", service.ttft_s), ("TPOT", service.tpot_s))
        if value is not None
    ]
    return (
        f"{plan.precision}, {parallel}, {plan.replicas:,} replicas of {plan.batch:,} requests, "
        f"{memory}, {', '.join(limits)}."
    )


def _mix(page: Page) -> Html:
    mix, plan = page.answer.summary.mix, page.answer.plan
    if not mix:
        reasons = " ".join(plan.binding)
        return tag("p", f"The plan builds nothing. {reasons}", class_="answer")
    landed = {x.design: x.usd_per_block for x in plan.landed}
    lead = page.answer.summary.lead_design
    lines = []
    for b in mix:
        row = page.row(b.design)
        power = b.blocks * row.provisioned_power_w if row is not None else 0.0
        usd = landed.get(b.design)
        tags = ("tested first",) if b.design == lead else ()
        lines.append(
            (
                page.design(b.design, *tags), words.count(b.blocks), words.count(b.racks),
                words.count(b.accelerators), words.count(b.program_blocks), words.power(power),
                words.usd(usd) if usd is not None else "",
            )
        )  # fmt: skip
    head = ("design", "blocks", "racks", "accelerators", "blocks of the program", "power, IT",
            "landed cost of a block")  # fmt: skip
    return join(
        table(head, lines, "tnnnnnn", title="The mix"),
        tag("p", "Blocks, racks and accelerators are whole, as they are built week by week. The "
            "program plans in buckets of weeks and in parts of blocks: surplus, bound and the "
            "charts below are of it; whole racks and weeks lose "
            f"{words.usd(plan.weekly_loss_usd)}.", class_="lead"),
    )  # fmt: skip


def _over_time(page: Page) -> Html | None:
    answer, study, names = page.answer, page.study, page.names
    if not answer.plan.deliveries:
        return None
    plan, space = answer.plan, answer.space
    charts = [
        figure(steps, power_steps(study, space, plan, names),
               "Power reserved, under what is live", half=True),
        *_work_over_time(page),
    ]  # fmt: skip
    work = tag("div", _work(plan), class_="column")
    beside = len(charts) % 2 == 1  # the table fills the place that is left
    return join(
        figure(steps, rack_steps(space, plan, names), "Racks installed, by design"),
        side_by_side(*charts, work if beside else None),
        None if beside else work,
    )


def _work(plan: BuildPlan) -> Html:
    """Return the work of each workload, within the horizon and after it."""
    lines = []
    for row in plan.work:
        finished = (
            "" if row.finished_week is None else tag("span", tag("br"),
            small(f"done in week {row.finished_week:.0f}"))
        )  # fmt: skip
        done = row.tokens / row.wanted_tokens if row.wanted_tokens > 0 else 0.0
        lines.append(
            (
                tag("span", row.workload, finished),
                tag("span", words.number(row.tokens / 1e12), tag("br"),
                    small(f"{words.percent(done, 0)} of {words.number(row.wanted_tokens / 1e12)}")),
                words.number(row.tokens_after / 1e12), words.musd(row.value_usd),
            )
        )  # fmt: skip
    head = ("work", "within the plan", "after it", "worth, MUSD")
    return table(head, lines, "tnnn", title="Work delivered, T tokens")


def _work_over_time(page: Page) -> Iterator[Html]:
    answer = page.answer
    for workload in page.study.workloads:
        if isinstance(workload, ServingWorkload):
            data = served_steps(page.study, answer.space, answer.plan, workload, page.names)
            title = f"{workload.name}: work served, under the demand"
            yield figure(steps, data, title, half=True)
        else:
            line = progress_curves(page.study, answer.space, answer.plan, workload)
            yield figure(curves, line, f"{workload.name}: tokens trained", half=True)
