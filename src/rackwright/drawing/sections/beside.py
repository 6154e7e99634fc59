"""The front and its runners-up side by side: plan, time, power, and what moves the cost."""

from __future__ import annotations

from collections.abc import Callable

from rackwright.drawing import words
from rackwright.drawing.charts.bars import bars
from rackwright.drawing.charts.ranges import ranges
from rackwright.drawing.html import Html, Part, join, tag
from rackwright.drawing.layout.beside import power_bars, sensitivity, time_bars
from rackwright.drawing.page import Page
from rackwright.drawing.parts import figure, heading, side_by_side, small, table
from rackwright.records.space import FrontRow, Service, Space, SpaceRow

MOST_BESIDE = 4
"""Designs that stand beside one another: as many columns as a page holds."""

_Shown = tuple[FrontRow, SpaceRow, Service]


def beside(page: Page, number: int, anchor: str) -> Html:
    """Return the section: for each workload the best designs and the baseline in columns."""
    workloads = list(dict.fromkeys(row.workload for row in page.answer.front.rows))
    return join(
        heading(number, anchor, "Runners-up side by side"),
        tag(
            "p",
            "What the best design does differently from those behind it. The functions that "
            "searched all plans give these breakdowns.",
            class_="lead",
        ),
        (_workload(page, workload) for workload in workloads),
        _residuals(page.answer.space),
    )


def _workload(page: Page, workload: str) -> Html | None:
    shown = _shown(page, workload)
    if not shown:
        return None
    best = shown[0]
    rows = [row for _, row, _ in shown]
    return join(
        tag("h3", workload),
        table(
            ("", *(page.names.label(row.key) for row in rows)),
            [(name, *(of(x) for x in shown)) for name, of in _LINES],
            "t" + "n" * len(rows),
        ),
        side_by_side(
            figure(bars, time_bars([(row, service) for _, row, service in shown], page.names),
                   f"{workload}: where accelerator time goes", half=True),
            figure(bars, power_bars(rows, page.names), f"{workload}: what draws the power",
                   half=True),
        ),
        figure(ranges, sensitivity(page.answer.space, best[1], best[0]),
               f"{workload}: what moves the cost of {page.names.label(best[1].key)}",
               "Each input by itself: parameters of the performance model over 80 % of worlds, "
               "prices of parts over their ranges, energy by a quarter. Inputs that move together "
               "share their effect."),
    )  # fmt: skip


def _shown(page: Page, workload: str) -> list[_Shown]:
    """Return the best designs of a workload; where no baseline is among them it is the last."""
    ranked = [row for row in page.answer.front.rows if row.workload == workload]
    first = ranked[:MOST_BESIDE]
    baseline = next((row for row in ranked if row.baseline), None)
    if baseline is not None and baseline not in first:
        first[-1] = baseline
    found: list[_Shown] = []
    for front in first:
        row = page.row(front.key)
        if row is not None:
            service = row.services[page.answer.space.workloads.index(workload)]
            if service is not None:
                found.append((front, row, service))
    return found


def _plan(x: _Shown) -> Part:
    plan = x[2].plan
    axes = [
        ("TP", plan.tensor_parallel), ("PP", plan.pipeline_parallel), ("CP", plan.context_parallel),
        ("EP", plan.expert_parallel), ("DP", plan.data_parallel),
    ]  # fmt: skip
    return " ".join(f"{name} {n}" for name, n in axes if n > 1) or "no parallelism"


def _more(x: _Shown) -> Part:
    plan = x[2].plan
    if plan.kind == "training":
        told = [f"micro-batch {plan.micro_batch}", f"recompute {plan.recompute}"]
        told += [f"interleave {plan.interleave}"] if plan.interleave > 1 else []
        told += [f"ZeRO {plan.zero}"]
        told += [f"{plan.offload} offloaded"] if plan.offload != "none" else []
    else:
        told = [f"{plan.replicas:,} replicas of {plan.batch:,}"]
        told += [f"chunk {plan.prefill_chunk_tokens:,}"]
        told += [f"{plan.draft_tokens} drafted"] if plan.draft_tokens else []
        told += [f"{100 * plan.prefill_share:.0f} % prefill only"] if plan.prefill_share else []
    return small(", ".join(told), wraps=True)


def _latency(x: _Shown) -> Part:
    service = x[2]
    if service.ttft_s is None or service.tpot_s is None:
        return words.seconds(service.step_s)
    return f"{words.seconds(service.ttft_s)}, {words.seconds(service.tpot_s)}"


def _rack(x: _Shown) -> Part:
    axes = x[1].axes
    made = f"composed on {axes.interface}" if axes.composed else "as sold"
    return small(
        f"{made}; {axes.accelerators_per_rack} per rack, scale-up {axes.scale_up_accelerators}, "
        f"{axes.cooling}",
        wraps=True,
    )


def _network(x: _Shown) -> Part:
    row, axes = x[1], x[1].axes
    planes = f", {axes.planes} planes" if axes.planes > 1 else ""
    return small(
        f"{axes.nics_per_accelerator} × {row.nic_gbit_per_s} Gbit/s, {axes.fabric_tiers} "
        f"tier{'s' if axes.fabric_tiers != 1 else ''}, {row.oversubscription:g}:1{planes}",
        wraps=True,
    )


def _cost(x: _Shown) -> Part:
    front = x[0]
    split = (
        f"price {100 * front.capital_share:.0f} %, energy {100 * front.energy_share:.0f} %, "
        f"power {100 * front.reserved_share:.0f} %"
    )
    return tag(
        "span", words.number(front.usd_per_million_tokens), tag("br"), small(split, wraps=True)
    )


_LINES: tuple[tuple[str, Callable[[_Shown], Part]], ...] = (
    ("USD per million tokens", _cost),
    ("tokens/s per accelerator",
     lambda x: words.number(x[2].rate_tokens_per_s / x[1].accelerators)),
    ("kUSD per accelerator", lambda x: words.number(x[1].price_usd / x[1].accelerators / 1e3)),
    ("W per accelerator, reserved",
     lambda x: words.number(x[1].provisioned_power_w / x[1].accelerators)),
    ("W per accelerator, average",
     lambda x: words.number(x[2].average_power_w / x[1].accelerators)),
    ("step, or TTFT and TPOT", _latency),
    ("memory per accelerator, GB", lambda x: words.number(x[2].memory_bytes / 1e9)),
    ("software plan", _plan),
    ("", _more),
    ("rack", _rack),
    ("network", _network),
)  # fmt: skip


def _residuals(space: Space) -> Html | None:
    """Return the priced systems against their bills: what composed racks are charged."""
    systems = space.priced_systems
    if not systems:
        return None
    high = max(system.residual_share for system in systems)
    return join(
        table(
            ("priced system", "price", "its bill", "residual", "as of"),
            [
                (
                    s.system, words.usd(s.price_usd), words.usd(s.bill_usd),
                    words.percent(s.residual_share), s.as_of,
                )
                for s in systems
            ],
            "tnnnn",
            title="Prices of systems against the bills of their parts",
        ),
        tag("p", "The residual is engineering, integration, licence and margin. A rack composed "
            f"from parts is charged {words.percent(high)} and the upper end of every part's "
            "price, so that it is recommended only if it wins there.", class_="lead"),
    )  # fmt: skip
