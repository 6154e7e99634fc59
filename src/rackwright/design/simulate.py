"""Requests one by one through a deployment, and what their users would see."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.design.deploy import Deployment
from rackwright.kernels.fleet import CURVE
from rackwright.kernels.fleet_state import EMPTY, SERVED, TOO_LONG
from rackwright.kernels.simulator import Requests, Served, simulate_fleet
from rackwright.records.simulation import (
    Asked,
    OverTime,
    Simulation,
    Spread,
    WithinLimits,
)

Array = NDArray[np.float64]

OUTCOMES = {
    SERVED: "served",
    TOO_LONG: "longer than the cache of a replica",
    EMPTY: "no prompt given or no output asked for",
}


class Seen(NamedTuple):
    """Latencies [s] of the requests that were served."""

    ttft: Array
    tpot: Array  # of those with two tokens and more
    e2e: Array


def simulate(
    deployed: Deployment,
    requests: Requests,
    asked: Asked,
    seed: int,
    ttft_limit_s: float | None = None,
    tpot_limit_s: float | None = None,
) -> tuple[Simulation, Served]:
    """Return what becomes of requests at a deployment, as a record and one by one.

    Args:
        deployed: from `deploy`.
        requests: their arrivals, lengths and common beginnings.
        asked: the record of them.
        seed: that they were made with; written into the record.
        ttft_limit_s, tpot_limit_s: a request that was served within both counts as goodput; one of
            a single token has no TPOT and keeps that limit.

    Notes:
        The host's part of a first token is added to the latencies; it does not hold the engine.
    """
    got = run(deployed, requests)
    served = got.outcome == SERVED
    seen = latencies(deployed, requests, got)
    seconds = steady(float(got.finished[served].max(initial=0.0)))
    outputs = requests.outputs[served]
    within = None
    if ttft_limit_s is not None or tpot_limit_s is not None:
        kept = _kept(deployed, requests, got, ttft_limit_s, tpot_limit_s)
        within = WithinLimits(
            ttft_s=ttft_limit_s,
            tpot_s=tpot_limit_s,
            share=float(kept.sum() / requests.inputs.size),
            requests_per_s=_per(float(kept.sum()), seconds),
            tokens_per_s=_per(float(requests.outputs[kept].sum()), seconds),
        )
    given = float(requests.inputs[served].sum())
    record = Simulation(
        deployed=deployed.record,
        asked=asked,
        seed=seed,
        outcomes={word: int(np.sum(got.outcome == code)) for code, word in OUTCOMES.items()},
        seconds=seconds,
        ttft=spread(seen.ttft),
        tpot=spread(seen.tpot),
        e2e=spread(seen.e2e),
        requests_per_s=_per(float(served.sum()), seconds),
        output_tokens_per_s=_per(float(outputs.sum()), seconds),
        within=within,
        busy_share=tuple(steady(min(_per(b, seconds), 1.0)) for b in got.busy.tolist()),
        hit_share=float(got.hit.sum()) / given if given else 0.0,
        preemptions=int(got.preemptions.sum()),
        steps=int(got.steps.sum()),
        over_time=_over_time(deployed, got, seconds),
        grade=deployed.record.grade,
    )
    return record, got


def run(deployed: Deployment, requests: Requests) -> Served:
    """Return what becomes of each request.

    Where drafted tokens are kept, an answer takes as many steps as it has kept tokens' worth.
    """
    if deployed.kept > 1.0:
        steps = np.ceil(requests.outputs / deployed.kept).astype(np.int64)
        requests = requests._replace(outputs=np.minimum(np.maximum(steps, 0), requests.outputs))
    return simulate_fleet(
        deployed.terms,
        deployed.terms_prefill,
        requests,
        deployed.limits,
        deployed.limits_prefill,
        deployed.fleet,
        True,
    )


def latencies(deployed: Deployment, requests: Requests, got: Served) -> Seen:
    """Return TTFT, TPOT and E2E of what was served; the host's part is in the first and last."""
    served = got.outcome == SERVED
    pools = 2.0 if deployed.fleet.prefill > 0 else 1.0
    host = pools * deployed.host_s
    first, last = got.first[served], got.finished[served]
    more = requests.outputs[served] > 1
    tpot = (last - first)[more] / (requests.outputs[served][more] - 1)
    arrived = got.arrived[served]
    return Seen(first - arrived + host, tpot, last - arrived + host)


def spread(values: Array) -> Spread | None:
    """Return how latencies [s] are spread; None for none."""
    if not values.size:
        return None
    curve = [steady(v) for v in np.quantile(values, np.linspace(0.0, 1.0, 101)).tolist()]
    return Spread(
        mean_s=steady(float(values.mean())),
        p50_s=curve[50],
        p90_s=curve[90],
        p95_s=curve[95],
        p99_s=curve[99],
        max_s=curve[100],
        curve_s=tuple(curve),
    )


def steady(value: float) -> float:
    """Return a number to nine digits.

    The last ones hang on what a compiler inlined into a kernel; records say the same without.
    """
    return float(f"{value:.9g}")


def _kept(
    deployed: Deployment,
    requests: Requests,
    got: Served,
    ttft_limit_s: float | None,
    tpot_limit_s: float | None,
) -> NDArray[np.bool_]:
    """Return which requests were served within both limits (N,)."""
    served = got.outcome == SERVED
    seen = latencies(deployed, requests, got)
    tpot = np.zeros(int(served.sum()))
    tpot[requests.outputs[served] > 1] = seen.tpot
    inside = np.ones(tpot.size, dtype=bool)
    if ttft_limit_s is not None:
        inside &= seen.ttft <= ttft_limit_s
    if tpot_limit_s is not None:
        inside &= tpot <= tpot_limit_s
    kept: NDArray[np.bool_] = np.zeros(served.size, dtype=bool)
    kept[served] = inside
    return kept


def _per(amount: float, seconds: float) -> float:
    return amount / seconds if seconds > 0.0 else 0.0


def _over_time(deployed: Deployment, got: Served, seconds: float) -> OverTime:
    """Return the curves as means over their spans; the last span may be a part of one."""
    fleet = deployed.fleet
    replicas = fleet.prefill + fleet.replicas
    spans = min(CURVE, math.ceil(seconds / got.span_s)) if got.span_s > 0.0 else 0
    lengths = np.full(spans, got.span_s)
    if spans:
        lengths[-1] = max(seconds - (spans - 1) * got.span_s, 1e-12)
    means = got.curves[:spans] / lengths[:, None] if spans else np.zeros((0, 4))
    held = fleet.prefill * deployed.limits_prefill.blocks + fleet.replicas * deployed.limits.blocks
    blocks = max(held, 1)
    return OverTime(
        span_s=steady(got.span_s),
        waiting=tuple(steady(v) for v in means[:, 0].tolist()),
        running=tuple(steady(v) for v in means[:, 1].tolist()),
        cache_share=tuple(steady(v) for v in (means[:, 2] / blocks).tolist()),
        busy_share=tuple(steady(v) for v in (means[:, 3] / replicas).tolist()),
    )
