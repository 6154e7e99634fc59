"""Compare the goodput model with what was published, the arithmetic told."""

from __future__ import annotations

from rackwright.catalog import Catalog
from rackwright.design.goodput import goodput
from rackwright.kernels.goodput import spares_for
from rackwright.records.base import Record
from rackwright.records.reliability import FailureLog, Size
from rackwright.records.study import Reliability

SIZES = (1_024, 4_096, 16_384, 32_768, 65_536, 102_400)
PARAMETERS = 405e9
"""Of the model whose state is written and read, in the table by size."""
DAY_S = 86_400.0


class Check(Record):
    """One published figure beside ours."""

    what: str
    arithmetic: str
    ours: float
    published: str
    agrees: bool
    source: str


class CauseCost(Record):
    """What one cause takes of the time of the job that was observed."""

    name: str
    count: float
    hours_between: float
    time_share: float  # lost work and restarts; repair waits are shared by all
    takes_node: bool


class GoodputScore(Record):
    """What was compared, and what failures leave of jobs of several sizes."""

    checks: tuple[Check, ...]
    causes: tuple[CauseCost, ...]  # of the log, the costliest first
    failures: str
    terms: Reliability
    sizes: tuple[Size, ...]
    quicker: tuple[Size, ...]  # with a minute to detect and a minute to restart


def score_goodput(catalog: Catalog) -> GoodputScore:
    """Return the model beside published figures, and a table by size.

    Args:
        catalog: with the failure logs.
    """
    terms = Reliability()
    llama = catalog.find(FailureLog, "llama3-405b-2024")
    quick = Reliability(detect_s=60.0, restart_s=60.0)
    return GoodputScore(
        checks=(*_llama(llama, terms), *_research(catalog), _delta(catalog, terms)),
        causes=_causes(llama, terms),
        failures=llama.key,
        terms=terms,
        sizes=tuple(goodput(llama, terms, PARAMETERS, n) for n in SIZES),
        quicker=tuple(goodput(llama, quick, PARAMETERS, n) for n in SIZES),
    )


def _causes(log: FailureLog, terms: Reliability) -> tuple[CauseCost, ...]:
    size = goodput(log, terms, PARAMETERS, log.accelerators)
    each = (size.lost_share + size.down_share) / log.interruptions
    costs = [
        CauseCost(
            name=cause.name,
            count=cause.count,
            hours_between=log.days * 24.0 / cause.count,
            time_share=each * cause.count,
            takes_node=cause.takes_node,
        )
        for cause in log.cause
        if cause.count
    ]
    return tuple(sorted(costs, key=lambda c: (-c.count, c.name)))


def _llama(log: FailureLog, terms: Reliability) -> tuple[Check, ...]:
    hours = 1.0 / (log.per_accelerator_s * log.accelerators) / 3600.0
    size = goodput(log, terms, PARAMETERS, log.accelerators)
    per_node_days = log.per_accelerator_s * DAY_S * 1000.0 * log.accelerators_per_node
    listed = " + ".join(f"{c.count:g}" for c in log.cause)
    source = "Llama 3, arXiv 2407.21783, table 5"
    return (
        Check(
            what="unexpected interruptions, sum of the causes",
            arithmetic=listed,
            ours=log.interruptions,
            published="419",
            agrees=log.interruptions == 419,
            source=source,
        ),
        Check(
            what="hours between interruptions of the job",
            arithmetic=f"{log.days:g} d x 24 h / {log.interruptions:g}",
            ours=hours,
            published="one every three hours",
            agrees=round(hours) == 3,
            source="DCD on the same report",
        ),
        Check(
            what="interruptions per 1,000 node-days",
            arithmetic=f"{log.interruptions:g} / ({log.accelerators:,} / "
            f"{log.accelerators_per_node} x {log.days:g} d) x 1,000",
            ours=per_node_days,
            published="3.79",
            agrees=abs(per_node_days - 3.79) < 0.005,
            source="derived from the same counts",
        ),
        Check(
            what="effective training time, share",
            arithmetic=f"{PARAMETERS / 1e9:g}e9 x 14 B / {terms.storage_bytes_per_s / 1e12:g} TB/s "
            f"written every {size.interval_s:.0f} s; {terms.detect_s + terms.restart_s:g} s to "
            "detect and restart, and the state read",
            ours=size.effective_share,
            published="above 0.90",
            agrees=size.effective_share > 0.90,
            source="Llama 3, section 3.3.4; our times to detect and restart are estimates",
        ),
    )


def _research(catalog: Catalog) -> tuple[Check, ...]:
    """Return the mean time to failure by the published line, and where it was seen to be wrong."""
    log = catalog.find(FailureLog, "meta-rsc-1")
    source = "Kokolis et al., HPCA 2025: rate of RSC-1, observed times"
    found = []
    for accelerators, line_h, seen_h in ((8, 153.8 * 24.0, 1128.0), (1024, 28.8, 7.9)):
        hours = 1.0 / (log.per_accelerator_s * accelerators) / 3600.0
        nodes = accelerators // log.accelerators_per_node
        found.append(
            Check(
                what=f"hours to a failure on {accelerators:,} accelerators by the rate",
                arithmetic=f"24 h / (6.50 / 1,000 x {nodes} nodes); observed {hours / seen_h:.1f} "
                "times shorter: one rate does not hold at all sizes",
                ours=hours,
                published=f"{line_h:,.1f} by the line; {seen_h:,.1f} observed",
                agrees=abs(hours / line_h - 1.0) < 0.005,
                source=source,
            )
        )
    return tuple(found)


def _delta(catalog: Catalog, terms: Reliability) -> Check:
    log = catalog.find(FailureLog, "meta-rsc-1")
    nodes = 1056 // 8
    failures_per_s = log.per_accelerator_s * 1056
    in_repair = failures_per_s * terms.repair_hours * 3600.0
    spares = spares_for(0.01, in_repair)
    share = spares / nodes
    return Check(
        what="spare nodes for 1,056 accelerators that wait at most 1 % of the time, share",
        arithmetic=f"6.50 / 1,000 node-days x {nodes} nodes x {terms.repair_hours / 24:g} d = "
        f"{in_repair:.2f} nodes in repair; Erlang's loss formula: {spares} of {nodes}",
        ours=share,
        published="0.05",
        agrees=abs(share - 0.05) < 0.02,
        source="Cui et al., arXiv 2503.11901v3 (Delta); the repair time is our estimate",
    )
