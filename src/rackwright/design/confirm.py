"""The percentiles of what is on the front, confirmed request by request.

The analytic model says TTFT and TPOT at the study's percentile from a Poisson batch and an M/D/1
queue with an exponential tail. Here the same question is asked of the simulator: Poisson arrivals
at the rate that the plan serves, requests of the workload's mean lengths, one replica of the block
(of separate pools a few of each). Where its answer is another one, the row says from what to what.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.catalog import Catalog
from rackwright.design.candidates import enumerate_candidates
from rackwright.design.deploy import Designed, designed
from rackwright.design.simulate import latencies, run, steady
from rackwright.kernels.arrivals import poisson_arrivals
from rackwright.kernels.simulator import alone
from rackwright.records.hardware import Hardware
from rackwright.records.model import ModelShape
from rackwright.records.space import Confirmed, Front, FrontRow, SoftwarePlan, Space
from rackwright.records.study import ServingWorkload, Study

Array = NDArray[np.float64]

LEAST_REQUESTS, MOST_REQUESTS = 2_000, 20_000
"""Requests of a row that count; before them come those that fill the replica."""
HALVINGS = 7
"""Of the rate, until the share that keeps the limits is known to 1 %."""
DIFFERENT = 0.05
"""Share by which an answer has to differ to be a correction."""
BATCHES = 10
"""Parts of the requests by whose spread the standard error of a percentile is told."""
MOST_REPLICAS = 16
"""Of separate pools, simulated together."""


def confirm(
    study: Study, catalog: Catalog, models: Mapping[str, ModelShape], space: Space, front: Front
) -> Front:
    """Return the front with what the simulator says of each row that serves.

    Args:
        study, catalog, models: the study with all that it names.
        space: the rows that the front is of.
        front: rows; those of training workloads stay as they are.
    """
    serving = {w.name: w for w in study.workloads if isinstance(w, ServingWorkload)}
    if not any(row.workload in serving for row in front.rows):
        return front
    blocks = {c.hardware.key: c.hardware for c in enumerate_candidates(study, catalog).all}
    rows = []
    for row in front.rows:
        if row.workload in serving:
            work = serving[row.workload]
            made = _of_row(space, row, blocks[row.key], work, models[work.model])
            confirmed = _confirmed(made, study.seed)
            row = FrontRow(**{**dict(row), "confirmed": confirmed})
        rows.append(row)
    return Front(rows=tuple(rows))


def _of_row(
    space: Space, row: FrontRow, block: Hardware, work: ServingWorkload, shape: ModelShape
) -> Designed:
    """Return one replica of a row's block, or a few of both pools, with its share of the rate."""
    found = next(r for r in space.rows if r.key == row.key)
    service = found.services[space.workloads.index(row.workload)]
    assert service is not None, "the front ranks rows that serve"
    plan = service.plan
    count, apart = _replicas(plan)
    made = designed(
        block, shape, work, plan, space.parameters, replicas=count, prefill_replicas=apart
    )
    share = (count + apart) / plan.replicas
    return made._replace(requests_per_s=made.requests_per_s * share)


def _replicas(plan: SoftwarePlan) -> tuple[int, int]:
    """Return how many replicas to simulate: one, or the pools in nearly the plan's proportion."""
    if plan.prefill_share == 0.0:
        return 1, 0
    most = min(plan.replicas, MOST_REPLICAS)
    misses = {}
    for total in range(2, most + 1):
        apart = min(max(round(plan.prefill_share * total), 1), total - 1)
        misses[total] = abs(apart / total - plan.prefill_share)
    total = min(misses, key=lambda n: (misses[n], n))
    apart = min(max(round(plan.prefill_share * total), 1), total - 1)
    return total - apart, apart


class _Percentiles(NamedTuple):
    ttft_s: float
    ttft_error_s: float
    tpot_s: float
    tpot_error_s: float
    requests: int

    def keep(self, work: ServingWorkload) -> bool:
        return self.ttft_s <= work.ttft_s and self.tpot_s <= work.tpot_s


def _confirmed(made: Designed, seed: int) -> Confirmed:
    work = made.workload
    seen = _simulated(made, 1.0, seed)
    share = 1.0
    if not seen.keep(work):  # how much of the rate keeps both limits
        low, high = 0.0, 1.0
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            kept = _simulated(made, middle, seed).keep(work)
            low, high = (middle, high) if kept else (low, middle)
        share = low
    return Confirmed(
        percentile=work.percentile,
        requests=seen.requests,
        ttft_s=steady(made.ttft_s),
        ttft_simulated_s=steady(seen.ttft_s),
        ttft_error_s=steady(seen.ttft_error_s),
        ttft_corrected=_differs(made.ttft_s, seen.ttft_s, seen.ttft_error_s),
        tpot_s=steady(made.tpot_s),
        tpot_simulated_s=steady(seen.tpot_s),
        tpot_error_s=steady(seen.tpot_error_s),
        tpot_corrected=_differs(made.tpot_s, seen.tpot_s, seen.tpot_error_s),
        rate_share=share,
    )


def _simulated(made: Designed, share: float, seed: int) -> _Percentiles:
    """Return the percentiles at a share of the rate that the analytic model says is served."""
    work, rate = made.workload, made.requests_per_s * share
    there = rate * (made.ttft_s + made.tpot_s * work.output_tokens)  # requests at once
    fill = 3 * math.ceil(there)
    n = fill + min(max(LEAST_REQUESTS, 20 * math.ceil(there)), MOST_REQUESTS)
    arrivals = poisson_arrivals(n, rate, np.random.default_rng([seed, 4]))
    asked = alone(
        arrivals,
        np.full(n, work.input_tokens, dtype=np.int64),
        np.full(n, work.output_tokens, dtype=np.int64),
    )
    seen = latencies(made.deployment, asked, run(made.deployment, asked))
    assert seen.ttft.size == n, "a plan on the front holds its requests"
    tpot = seen.tpot if seen.tpot.size else np.zeros(n)
    return _Percentiles(
        *_quantile(seen.ttft[fill:], work.percentile),
        *_quantile(tpot[fill:], work.percentile),
        n - fill,
    )


def _quantile(values: Array, share: float) -> tuple[float, float]:
    """Return a quantile and its standard error, from the quantiles of consecutive parts."""
    parts = [float(np.quantile(part, share)) for part in np.array_split(values, BATCHES)]
    error = float(np.std(parts, ddof=1)) / math.sqrt(BATCHES)
    return float(np.quantile(values, share)), error


def _differs(analytic: float, simulated: float, error: float) -> bool:
    apart = abs(simulated - analytic)
    return apart > DIFFERENT * analytic and apart > 2.0 * error
