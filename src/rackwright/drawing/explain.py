"""One design in words and numbers: the same breakdown that the search scored it by."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rackwright.kernels.quantile import weighted_quantile
from rackwright.records.space import Service, Space, SpaceRow


def explain(row: SpaceRow, space: Space) -> list[str]:
    """Return lines that say what a design is, costs, draws, and does, and why."""
    return [
        f"{row.key}  (grade {row.grade}, {row.revision})",
        f"  {row.racks} {'rack' if row.racks == 1 else 'racks'}, "
        f"{row.accelerators:,} x {row.accelerator}, "
        f"{row.axes.nics_per_accelerator} x {row.nic_gbit_per_s} Gbit/s per accelerator, "
        "oversubscription "
        f"{row.oversubscription:g}; valid for clusters of {row.cluster_accelerators[0]:,} to "
        f"{row.cluster_accelerators[1]:,} accelerators; first built in week {row.first_week:g}",
        f"  {_axes(row)}",
        "",
        *_price(row),
        "",
        *_physical(row),
        *_services(row, space),
        "",
        "  assumed:",
        *(f"    {note}" for note in row.assumptions),
    ]


def _axes(row: SpaceRow) -> str:
    """Return where the design stands on the axes that its key does not tell."""
    axes = row.axes
    tiers = f"{axes.fabric_tiers} tiers" if axes.fabric_tiers != 1 else "1 tier"
    planes = f", {axes.planes} planes" if axes.planes > 1 else ""
    told = [
        f"composed on {axes.interface}" if axes.composed else "as its vendor sells it",
        f"{axes.accelerators_per_rack} accelerators per rack",
        f"scale-up {axes.scale_up} over {axes.scale_up_accelerators}",
        f"{axes.nic} to {axes.switch}, {tiers}{planes}",
        f"{axes.cooling}-cooled" if axes.cooling != "hybrid" else "cooled by liquid and air",
    ]
    if axes.power_shelves:
        told.append(f"{axes.power_shelves} x {axes.power_shelf}")
    if axes.host_cpu:
        memory = f"{axes.host_memory_bytes / 1e9:,.0f} GB of host memory per accelerator"
        told.append(f"{axes.host_cpu}, {memory}")
    return "; ".join(told)


def _price(row: SpaceRow) -> Iterator[str]:
    low = sum(line.usd_low for line in row.price)
    high = sum(line.usd_high for line in row.price)
    yield (
        f"  price of the block {row.price_usd / 1e6:,.2f} MUSD "
        f"({low / 1e6:,.2f} to {high / 1e6:,.2f}), bottom-up:"
    )
    for line in row.price:
        ends = f"{line.usd_low / 1e6:,.3f} to {line.usd_high / 1e6:,.3f}, "
        if not line.usd_low and not line.usd_high:  # what leads to the upper end has no range
            ends = ""
        yield (
            f"    {line.name:<17}{line.usd / 1e6:>10,.3f} MUSD  "
            f"{100 * line.usd / row.price_usd:>6.1f} %"
            f"  ({ends}grade {line.grade})"
        )


def _physical(row: SpaceRow) -> Iterator[str]:
    yield f"  power {row.provisioned_power_w / 1e3:,.1f} kW reserved (IT):"
    for line in row.power:
        share = line.w / row.provisioned_power_w
        yield f"    {line.name:<41}{line.w / 1e3:>10,.1f} kW  {100 * share:>6.1f} %"
    yield f"  heat {row.liquid_w / 1e3:,.1f} kW to coolant, {row.air_w / 1e3:,.1f} kW to air"
    yield (
        f"  floor {row.floor_m2:,.1f} m2, mass {row.mass_kg:,.0f} kg, coolant supply up to "
        f"{row.max_coolant_supply_c:g} degC"
    )
    for hours in row.hours:
        yield (
            f"  {hours.level}: {hours.touch_hours:,.1f} touch hours, "
            f"{hours.bay_hours:,.1f} bay hours"
        )


def _services(row: SpaceRow, space: Space) -> Iterator[str]:
    d = next(i for i, other in enumerate(space.rows) if other.key == row.key)
    weights = np.asarray(space.parameters.weights)
    for w, (workload, service) in enumerate(zip(space.workloads, row.services, strict=True)):
        yield ""
        if service is None:
            yield f"  {workload}: no plan on this block satisfies memory and limits"
            continue
        low, high = weighted_quantile(np.asarray(space.rates[d, w]), weights, (0.1, 0.9))
        yield (
            f"  {workload}: {service.rate_tokens_per_s:,.0f} tokens/s nominal, "
            f"{low:,.0f} to {high:,.0f} in 80 % of worlds (grade {service.grade})"
        )
        yield f"    {_plan(service)}"
        yield from _limits(service)
        yield from _kept(service)
        yield f"    step {service.step_s * 1e3:,.2f} ms:"
        for part in service.parts:
            share = part.seconds / service.step_s
            yield f"      {part.name:<28}{part.seconds * 1e3:>11,.3f} ms  {100 * share:>6.1f} %"


def _kept(service: Service) -> Iterator[str]:
    """Yield what failures leave of a training job's time."""
    size = service.goodput
    if size is not None:
        yield (
            f"    {100 * size.effective_share:.1f} % of the time is kept: a failure every "
            f"{size.mtbf_s / 3600:,.1f} h, checkpoints every {size.interval_s:,.0f} s cost "
            f"{100 * size.checkpoint_share:.1f} %, "
            f"lost work {100 * size.lost_share:.1f} %, restarts "
            f"{100 * size.down_share:.1f} %, waits for repair {100 * size.halted_share:.2f} % with "
            f"{size.spares} spare nodes"
        )


def _plan(service: Service) -> str:
    plan = service.plan
    text = (
        f"{plan.precision}, TP {plan.tensor_parallel}, PP {plan.pipeline_parallel}, "
        f"DP {plan.data_parallel}, EP {plan.expert_parallel}"
    )
    if plan.kind == "training":
        split = ", sequence parallel" if plan.sequence_parallel and plan.tensor_parallel > 1 else ""
        away = f", {plan.offload} offloaded" if plan.offload != "none" else ""
        return (
            f"{text}, CP {plan.context_parallel}, interleave {plan.interleave}, micro-batch "
            f"{plan.micro_batch}, recompute {plan.recompute}, ZeRO {plan.zero}{split}{away}"
        )
    cache = f", cache {plan.cache_precision}" if plan.cache_precision else ""
    draft = f", {plan.draft_tokens} tokens drafted" if plan.draft_tokens else ""
    apart = f", {100 * plan.prefill_share:.0f} % of them prefill only" if plan.prefill_share else ""
    copies = max(plan.expert_parallel // plan.tensor_parallel, 1)
    attention = f", attention DP {copies}" if copies > 1 else ""
    return (
        f"{text}{attention}, {plan.replicas} replicas of {plan.batch} requests{apart}, prefill "
        f"chunk {plan.prefill_chunk_tokens} tokens{cache}{draft}"
    )


def _limits(service: Service) -> Iterator[str]:
    parts = [
        f"{service.memory_bytes / 1e9:,.1f} GB per accelerator",
        f"{service.average_power_w / 1e3:,.1f} kW average",
    ]
    if service.ttft_s is not None:
        parts.append(f"TTFT {service.ttft_s * 1e3:,.0f} ms")
    if service.tpot_s is not None:
        parts.append(f"TPOT {service.tpot_s * 1e3:,.1f} ms")
    if service.mfu is not None:
        parts.append(f"MFU {100 * service.mfu:.1f} %")
    yield f"    {', '.join(parts)}"
