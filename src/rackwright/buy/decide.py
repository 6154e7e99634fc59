"""The decision: what to do today, what it is worth, and what would change it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.buy.option import ACTIONS, DECLINE, EXERCISE, WORTHLESS, Solved, solve
from rackwright.buy.paths import Played, play
from rackwright.records.decision import (
    Action,
    BoundaryPoint,
    Condition,
    Decision,
    Gate,
    OptionCase,
)
from rackwright.records.provenance import EvidenceKind, Grade, worst

Array = NDArray[np.float64]

_BASIS: dict[EvidenceKind, str] = {
    "none": "",
    "fictitious": "On FICTITIOUS readings: ",
    "measured": "On what was measured: ",
}

RANGE = 2.0
"""Estimates are tried from half to twice their value."""

CLOSE = 2e-3
"""Relative width to which the value that flips the action is found."""


class Estimate(NamedTuple):
    """A number of the case that the decision rests on."""

    name: str
    unit: str
    words: str


ESTIMATES = (
    Estimate("price_usd_per_million_tokens", "USD per million tokens", "the price of work today"),
    Estimate("long_run_usd_per_million_tokens", "USD per million tokens", "the long-run price"),
    Estimate("strike_usd_per_block", "USD", "the landed price of a block"),
    Estimate("rate_tokens_per_s", "tokens/s", "the expected rate of a block"),
    Estimate("decay_per_year", "per year", "the yearly fall of the long-run price"),
    Estimate("volatility_per_year", "per year", "the volatility of the price"),
    Estimate("mean_reversion_per_year", "per year", "the speed of mean reversion"),
    Estimate("jumps_per_year", "per year", "scarcity jumps a year"),
    Estimate("utilisation", "share", "utilisation"),
    Estimate("lapse_per_week", "per week", "the chance that the slot lapses"),
    Estimate("campaign_usd", "USD", "the cost of one test campaign"),
    Estimate("life_weeks", "weeks", "the economic life"),
    Estimate("delivery_weeks", "weeks", "the time to delivery"),
    Estimate("energy_usd_per_kwh", "USD/kWh", "the price of energy"),
    Estimate("infrastructure_usd_per_w_year", "USD/W a year", "the rent of power"),
    Estimate("discount_rate_per_year", "per year", "the discount rate"),
)


def decide(
    case: OptionCase,
    seed: int,
    evidence: EvidenceKind = "none",
    assumptions: tuple[str, ...] = (),
) -> Decision:
    """Return the decision on the option.

    Values: the option with all gates and tests; the same without tests; early access is the
    difference with tests gross of their cost (never negative), and net of it. The lower bound is
    the policy on fresh paths, perfect information bounds everything from above.

    Args:
        case: the option as numbers.
        seed: of the fresh paths.
        evidence: what the belief in the performance rests on; the decision says so.
        assumptions: what the pipeline filled in.
    """
    full = solve(case)
    untested = solve(case, tests=False)
    gross = solve(case, free_tests=True)
    played = play(case, full, seed)
    act, value = full.at(0, 0, *full.start)
    action = ACTIONS[act]
    conditions = what_flips(case, action)
    perfect = max(played.perfect_usd, value)
    grade = worst([case.grades.get(e.name, Grade.D) for e in ESTIMATES])
    now = float(full.values(0, 0, *(np.array([s]) for s in full.start))[EXERCISE, 0])
    return Decision(
        study_sha256=case.study_sha256,
        evidence=evidence,
        design=case.design,
        lot_blocks=case.lot_blocks,
        action=action,
        strike_usd_per_block=case.strike_usd_per_block,
        exercise_now_usd=now,
        option_usd=max(value, 0.0),
        option_without_tests_usd=max(untested.value, 0.0),
        early_access_usd=max(gross.value - untested.value, 0.0),
        early_access_net_usd=value - untested.value,
        tests_cost_usd=played.tests_usd,
        perfect_information_usd=perfect,
        lower_bound_usd=played.value_usd,
        lower_bound_standard_error_usd=played.standard_error_usd,
        gates=_gates(case, full, played),
        boundary=_boundary(case, full),
        partial_exercise=(
            "All or nothing: the value of the lot is proportional to its blocks (no falling "
            "marginal value, cash limit or learning from a first lot is declared), so a part is "
            "never better than all or none."
        ),
        conditions=conditions,
        text=_BASIS[evidence] + _text(action, case, value, now, conditions, grade),
        grade=grade,
        assumptions=assumptions,
    )


def what_flips(case: OptionCase, action: Action) -> tuple[Condition, ...]:
    """Return, for each estimate, the nearest value that changes today's action.

    Sorted by how small a relative change suffices; estimates that flip nothing in the range come
    last.
    """
    lead_usd = _lead(case, "utilisation", case.utilisation, action).usd
    found = [_flip(case, estimate, action, lead_usd) for estimate in ESTIMATES]
    return tuple(sorted(found, key=_ease))


def _ease(condition: Condition) -> tuple[float, str]:
    if condition.flips_at is None:
        return float("inf"), condition.estimate
    return abs(np.log(condition.flips_at / condition.now)), condition.estimate


def _flip(case: OptionCase, estimate: Estimate, action: Action, lead_usd: float) -> Condition:
    now = float(getattr(case, estimate.name))
    top = 1.0 if estimate.name in ("utilisation", "lapse_per_week") else np.inf
    ends = (now / RANGE, min(now * RANGE, top))
    grade = case.grades.get(estimate.name, Grade.D)
    crossings = [
        crossing
        for end in ends
        if (crossing := _crossing(case, estimate.name, now, end, action, lead_usd))
    ]
    frame = {"estimate": estimate.name, "grade": grade, "now": now, "unit": estimate.unit}
    if now == 0 or not crossings:
        text = f"{estimate.words} ({_amount(now, estimate)}): no value from half to twice flips it"
        return Condition(**frame, flips_at=None, tried=ends, becomes=None, text=text)
    at, becomes = min(crossings, key=lambda c: abs(np.log(c[0] / now)))
    side = "above" if at < now else "below"
    text = (
        f"{estimate.words} stays {side} {_amount(at, estimate)} (now {_amount(now, estimate)}, "
        f"grade {grade}); beyond it: {becomes}"
    )
    return Condition(**frame, flips_at=at, tried=ends, becomes=becomes, text=text)


def _amount(value: float, estimate: Estimate) -> str:
    """Return a value with its unit, in digits that a person compares at a glance."""
    if estimate.unit == "USD":
        return f"{value / 1e6:,.3f} MUSD"
    if estimate.unit == "share":
        return f"{100 * value:.1f} %"
    if estimate.unit in ("per year", "per week") and estimate.name != "jumps_per_year":
        return f"{100 * value:.2f} % {estimate.unit}"
    digits = f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
    return f"{digits} {estimate.unit}"


def _crossing(
    case: OptionCase, name: str, now: float, end: float, action: Action, lead_usd: float
) -> tuple[float, Action] | None:
    """Return the first value found beyond which the action is another, and that action.

    What the action leads the best other by is followed to zero in logs of the value, by false
    position (Illinois), to CLOSE of the value.
    """
    if now <= 0 or end == now:
        return None
    there = _lead(case, name, end, action)
    if there.best == action:
        return None
    same, different = _Lead(float(np.log(now)), lead_usd, action), there
    moved = 0  # which end the last step moved
    while abs(different.log - same.log) > CLOSE:
        share = same.usd / (same.usd - different.usd)
        # Off the ends by half the width that is wanted, so that both close in.
        apart = abs(different.log - same.log)
        share = min(max(share, 0.45 * CLOSE / apart), 1 - 0.45 * CLOSE / apart)
        value = float(np.exp(same.log + share * (different.log - same.log)))
        tried = _lead(case, name, value, action)
        # An end that stays twice counts half, or one end would do all the moving.
        if tried.best == action:
            halved = 0.5 if moved == 1 else 1.0
            same, different, moved = tried, different._replace(usd=halved * different.usd), 1
        else:
            halved = 0.5 if moved == -1 else 1.0
            different, same, moved = tried, same._replace(usd=halved * same.usd), -1
    return float(np.exp(different.log)), different.best


class _Lead(NamedTuple):
    """How far an action is ahead of the best other one when an estimate has a value."""

    log: float  # of the value
    usd: float  # > 0 exactly where the action is the best
    best: Action


def _lead(case: OptionCase, name: str, value: float, action: Action) -> _Lead:
    solved = solve(OptionCase(**{**dict(case), name: value}))
    values = solved.values(0, 0, *(np.array([s]) for s in solved.start))[:, 0]
    mine = ACTIONS.index(action)
    best = ACTIONS[int(solved.best(values[:, None])[0])]
    usd = float(values[mine] - np.delete(values, mine).max())
    least = 1e-9 * abs(solved.worth.cost_usd)  # a tie still has its side
    return _Lead(
        float(np.log(value)), max(usd, least) if best == action else min(usd, -least), best
    )


def _gates(case: OptionCase, solved: Solved, played: Played) -> tuple[Gate, ...]:
    belief = solved.start[1]
    rows = []
    for i, week in enumerate(case.gate_weeks):
        scale = solved.worth.scale(week * 168 / 8766)
        values = solved.values(i, 0, solved.prices, np.full(len(solved.prices), belief))
        buys, gives_up = _exercised_from(solved, values), _declined_to(solved, values)
        rows.append(
            Gate(
                week=week,
                exercise_above_usd_per_million_tokens=(
                    None if buys is None else float(scale * np.exp(buys))
                ),
                decline_below_usd_per_million_tokens=(
                    None if gives_up is None else float(scale * np.exp(gives_up))
                ),
                chance={a: float(played.chance[i, j]) for j, a in enumerate(ACTIONS)},
            )
        )
    return tuple(rows)


def _exercised_from(solved: Solved, values: Array) -> float | None:
    """Return the lowest level from which exercise is best, None where it never is.

    Between two points of the grid it lies where the values cross: the policy interpolates too.
    """
    best = np.flatnonzero(solved.best(values) == EXERCISE)
    if best.size == 0:
        return None
    lead = values[EXERCISE] - np.delete(values, EXERCISE, axis=0).max(axis=0)
    return _zero_of(solved.prices, lead, int(best[0]))


def _declined_to(solved: Solved, values: Array) -> float | None:
    """Return the level up to which, from below, nothing is done; None where something always is."""
    done = np.flatnonzero(solved.best(values) == DECLINE)
    if done.size == 0:
        return None
    if done[-1] + 1 == len(solved.prices):
        return float(solved.prices[-1])
    worth = np.delete(values, DECLINE, axis=0).max(axis=0) - WORTHLESS * solved.worth.cost_usd
    return _zero_of(solved.prices, worth, int(done[-1]) + 1)


def _zero_of(levels: Array, lead: Array, after: int) -> float:
    """Return where a lead reaches zero between a point of the grid and the one before it."""
    if after == 0:
        return float(levels[0])
    below, above = float(lead[after - 1]), float(lead[after])
    share = -below / (above - below) if np.isfinite(below) and above > below else 1.0
    step = float(levels[after] - levels[after - 1])
    return float(levels[after - 1]) + min(max(share, 0.0), 1.0) * step


def _boundary(case: OptionCase, solved: Solved) -> tuple[BoundaryPoint, ...]:
    """Lowest price at which exercise is best, by gate and believed performance, no tests done."""
    points = []
    middle = len(solved.beliefs) // 2
    chosen = range(middle - 24, middle + 25, 8)
    for i, week in enumerate(case.gate_weeks):
        scale = solved.worth.scale(week * 168 / 8766)
        for j in chosen:
            level = _exercised_from(solved, solved.actions[i, 0, :, :, j])
            price = None if level is None else float(scale * np.exp(level))
            points.append(
                BoundaryPoint(
                    week=week,
                    performance=float(np.exp(solved.beliefs[j])),
                    price_usd_per_million_tokens=price,
                )
            )
    return tuple(points)


def _text(
    action: Action,
    case: OptionCase,
    value: float,
    now: float,
    conditions: tuple[Condition, ...],
    grade: Grade,
) -> str:
    verb = {
        "exercise": f"Exercise now: buy all {case.lot_blocks:,.0f} blocks",
        "test": "Do not buy yet: test more early racks until the next gate",
        "wait": "Do not buy yet: keep the slot and wait for the next gate",
        "decline": "Decline the option",
    }[action]
    money = f"the option is worth {value / 1e6:,.0f} MUSD, buying today {now / 1e6:,.0f} MUSD"
    close = [c.text for c in conditions if c.flips_at is not None][:3]
    held = "; ".join(close) if close else "no estimate flips it between half and twice its value"
    lead = "Holds while" if close else "Firm:"
    weak = " It rests on estimates (grade D)." if grade == Grade.D else ""
    return f"{verb} ({money}). {lead} {held}.{weak}"
