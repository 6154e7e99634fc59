"""The option as numbers: from the plan, the space and the study to an OptionCase."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rackwright.records.decision import OptionCase
from rackwright.records.errors import InputError, RackwrightError
from rackwright.records.plan import BuildPlan
from rackwright.records.provenance import Grade, worst
from rackwright.records.space import Service, Space, SpaceRow
from rackwright.records.study import Market, Study, Workload

Array = NDArray[np.float64]


def option_case(study: Study, space: Space, plan: BuildPlan, design: str) -> OptionCase:
    """Return the option on the plan's blocks of one design.

    The strike is the landed cost of a block (what the plan spends on it) and the maker's margin;
    the sale is a transfer, so the margin moves money between the two sides and makes none.
    Performance is the rate over its expected value, over the worlds as weighted now.

    Raises:
        InputError: the study has no market, or the market's workload is not served by the design.
        RackwrightError: the plan has no blocks of the design.
    """
    if study.market is None:
        raise InputError(
            ["market: missing; buy needs the price process of one workload, see rackwright init"]
        )
    market, terms = study.market, study.option
    d = next(i for i, row in enumerate(space.rows) if row.key == design)
    w = space.workloads.index(market.workload)
    row, service = space.rows[d], space.rows[d].services[w]
    if service is None:
        raise InputError([f"market.workload: {design} cannot serve {market.workload!r}"])
    mine = [x for x in plan.deliveries if x.design == design]
    blocks = sum(x.blocks for x in mine)
    if not blocks:
        raise RackwrightError(f"the plan builds no block of {design}: there is nothing to buy")
    center = next(c for c in study.data_centers if c.name == mine[0].data_center)
    mean, sd = _performance(space, d, w, service)
    workload = study.workloads[w]
    spread = study.acceptance.default_probe
    return OptionCase(
        study_sha256=space.study_sha256,
        design=design,
        workload=market.workload,
        lot_blocks=float(terms.lot_blocks or max(1.0, round(plan.whole_blocks(design)))),
        strike_usd_per_block=landed_usd_per_block(plan, design) * (1 + terms.maker_margin),
        delivery_weeks=sum(x.arrival_week * x.blocks for x in mine) / blocks,
        # Performance is taken over what is expected now, so that 1 is what the page says.
        rate_tokens_per_s=service.rate_tokens_per_s * float(np.exp(mean + 0.5 * sd**2)),
        performance_log_mean=-0.5 * sd**2,
        performance_log_sd=sd,
        average_power_w=service.average_power_w,
        reserved_power_w=row.provisioned_power_w,
        pue=center.pue,
        energy_usd_per_kwh=center.energy_usd_per_kwh,
        infrastructure_usd_per_w_year=center.infrastructure_usd_per_w_year,
        operation_usd_per_block_year=terms.operation_usd_per_block_year,
        availability=study.objective.availability,
        utilisation=terms.utilisation,
        life_weeks=study.objective.life_weeks,
        salvage=study.objective.salvage,
        gate_weeks=terms.gate_weeks,
        lapse_per_week=terms.lapse_per_week,
        campaign_racks=terms.racks_per_gate,
        campaign_usd=(
            terms.racks_per_gate
            * study.acceptance.hours_per_rack
            * study.acceptance.usd_per_rack_hour
        ),
        reading_log_sd=float(np.hypot(spread.unit_log_sd, spread.repeat_log_sd)),
        model_log_sd=spread.model_log_sd,
        grades=_grades(study, market, row, service, center.grade, plan.grade),
        **_market_numbers(market, workload),
    )


def landed_usd_per_block(plan: BuildPlan, design: str) -> float:
    """Return what the plan spends on a block of a design, delivered."""
    return next(x.usd_per_block for x in plan.landed if x.design == design)


def _performance(space: Space, d: int, w: int, service: Service) -> tuple[float, float]:
    """Mean and spread of log(rate / nominal) over the worlds that serve at all."""
    weights = np.asarray(space.parameters.weights)
    ratio = np.asarray(space.rates[d, w]) / service.rate_tokens_per_s
    served = ratio > 0
    # A world that serves nothing within the limits counts as a hundredth: logs need a floor.
    logs = np.log(np.where(served, ratio, 0.01))
    mean = float(weights @ logs)
    return mean, float(np.sqrt(weights @ (logs - mean) ** 2))


def _market_numbers(market: Market, workload: Workload) -> dict[str, object]:
    start = market.start_usd_per_million_tokens or workload.usd_per_million_tokens
    return {
        "discount_rate_per_year": market.discount_rate_per_year,
        "price_usd_per_million_tokens": start,
        "long_run_usd_per_million_tokens": market.long_run_usd_per_million_tokens or start,
        "mean_reversion_per_year": market.mean_reversion_per_year * market.mean_reversion,
        "volatility_per_year": market.volatility_per_year,
        "decay_per_year": market.decay_per_year * market.decay,
        "jumps_per_year": market.jumps_per_year * market.jumps,
        "jump_log_mean": market.jump_log_mean,
        "jump_log_sd": market.jump_log_sd,
        "forward": tuple(
            (step.week, step.value) for step in market.forward_usd_per_million_tokens or ()
        ),
    }


def _grades(
    study: Study, market: Market, row: SpaceRow, service: Service, center: Grade, plan: Grade
) -> dict[str, Grade]:
    """Grade of each number by where it comes from; what is not named here is an estimate."""
    workload = next(w for w in study.workloads if w.name == market.workload)
    price = worst([market.grade, workload.grade])
    return {
        "price_usd_per_million_tokens": price,
        "long_run_usd_per_million_tokens": market.grade,
        "strike_usd_per_block": worst([row.grade, plan]),
        "rate_tokens_per_s": service.grade,
        "decay_per_year": market.grade,
        "volatility_per_year": market.grade,
        "mean_reversion_per_year": market.grade,
        "jumps_per_year": market.grade,
        "discount_rate_per_year": market.grade,
        "utilisation": study.option.grade,
        "lapse_per_week": study.option.grade,
        "campaign_usd": study.acceptance.grade,
        "delivery_weeks": plan,
        "energy_usd_per_kwh": center,
        "infrastructure_usd_per_w_year": center,
        "life_weeks": study.grade,
    }
