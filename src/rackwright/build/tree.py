"""The search for whole set-ups, cells and blocks: branch, price the space again, bound.

Loop 1 runs in every branch, so that every bound holds over the whole space and not only over
the columns at hand. The open and closed leaves together are the proof; `certificate` writes it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rackwright.build.branch import ALL, Active, Cells, Count, Decision, Only, Setup, split
from rackwright.build.facts import Array
from rackwright.build.loop import Closed, close, violation_usd
from rackwright.build.master import Master
from rackwright.build.model import Model, Point, installed, nothing
from rackwright.build.prices import Price
from rackwright.build.rounding import completed, round_up
from rackwright.build.whole import Rounded, better, is_whole, waiting_work
from rackwright.records.space import Space

WHOLE = 1e-5
"""A number this close to a whole one counts as whole."""


EVERY = 16
"""A whole plan is looked for at the root and in one of so many branches: it costs ten branches."""

VIOLATION_MOST = 1e4
"""Times the plan's worth: what a violation costs at most."""


@dataclass(frozen=True)
class Limits:
    """Deterministic limits on the work of one plan.

    Attributes:
        batch: designs added per pricing round.
        rounds: pricing rounds per branch.
        nodes: branches of the search; more prove more.
        tries: designs tried for each training workload when a plan is made whole.
        gap: share of the plan's worth at which it counts as proved.
        iterations: simplex iterations of one linear program.
        whole_share: share of all sites' power from which on a block is counted in whole numbers.
        shadow_prices: limits whose price is bracketed by re-solves.
    """

    batch: int = 8
    rounds: int = 40
    nodes: int = 12
    tries: int = 2
    gap: float = 3e-3
    iterations: int = 200_000
    whole_share: float = 0.02
    shadow_prices: int = 6


@dataclass(frozen=True)
class Leaf:
    """One end of the search tree with what is proved there."""

    decisions: tuple[Decision, ...]
    closed: Closed


@dataclass(frozen=True)
class Found:
    """The best whole plan, and the leaves that prove how good it is."""

    best: Point
    fixed: tuple[Decision, ...]
    leaves: tuple[Leaf, ...]
    bound_usd: float
    rounds: int
    nodes: int
    stopped_by: str


def search(
    master: Master,
    space: Space,
    price: Price,
    limits: Limits,
    known: Sequence[tuple[Decision, ...]] = (),
) -> Found:
    """Return the best whole plan found and a bound on every plan over the space.

    Args:
        master: with its first designs; grows.
        space: all rows.
        price: DESIGN's answer to prices.
        limits: work limits; the search ends when the gap or the nodes are spent.
        known: structures of earlier plans, tried first; where one is within the gap already, no
            other is looked for at the root.

    Returns:
        The plan and its proof. The search takes the branch with the largest bound first.
    """
    root = close(master, space, price, batch=limits.batch, rounds=limits.rounds)
    here = _Search(master, space, price, limits, root.bound.usd, Rounded(nothing(master.model), ()))
    for structure in known:
        here.keep(completed(master, structure, root.bound.usd))
    if root.bound.usd > here.target():
        here.round_up(root.point, (), limits.tries)
    open_leaves = [(-root.bound.usd, 0, Leaf((), root))]
    done: list[Leaf] = []
    rounds, nodes = root.rounds, 1
    stopped = "" if root.closed else f"{limits.rounds} pricing rounds"
    while open_leaves and -open_leaves[0][0] > here.target():
        leaf = heapq.heappop(open_leaves)[2]
        decision = choose(master.model, leaf)
        if decision is None:
            here.round_up(leaf.closed.point, leaf.decisions)
            done.append(leaf)
            continue
        if nodes + 2 > limits.nodes:
            done.append(leaf)
            stopped = f"{limits.nodes} branches"
            break
        for side in split(decision):
            child = here.branch((*leaf.decisions, side), leaf.closed.basis)
            rounds, nodes = rounds + child.closed.rounds, nodes + 1
            heapq.heappush(open_leaves, (-child.closed.bound.usd, nodes, child))
            if nodes % EVERY == 0:
                here.round_up(child.closed.point, child.decisions)
    master.decide((), 0.0)
    leaves = (*done, *(leaf for _, _, leaf in sorted(open_leaves, key=lambda o: o[1])))
    bound = max(*(leaf.closed.bound.usd for leaf in leaves), here.best.point.objective_usd)
    return Found(here.best.point, here.best.fixed, leaves, bound, rounds, nodes, stopped)


@dataclass
class _Search:
    """What a search carries from branch to branch."""

    master: Master
    space: Space
    price: Price
    limits: Limits
    root_usd: float
    best: Rounded

    def target(self) -> float:
        """Bounds up to this are as good as proved."""
        worth = self.best.point.objective_usd
        return worth + self.limits.gap * abs(worth)

    def branch(self, decisions: tuple[Decision, ...], basis: object) -> Leaf:
        """Price the space again under the decisions, from the basis of the parent."""
        violation = violation_usd(self.root_usd)
        while True:
            self.master.restore(basis)
            closed = close(
                self.master,
                self.space,
                self.price,
                decisions,
                batch=self.limits.batch,
                rounds=self.limits.rounds,
                enough_usd=self.best.point.objective_usd,
                violation=violation,
            )
            # A branch without any plan violates a little; a higher price shows it for what it is.
            hopeless = closed.point.violation > WHOLE and closed.bound.usd > self.target()
            if not hopeless or violation > VIOLATION_MOST * abs(self.root_usd):
                return Leaf(decisions, closed)
            violation *= 30.0

    def round_up(self, point: Point, decisions: tuple[Decision, ...], tries: int = 1) -> None:
        """Keep the whole plan near a point when it is the best."""
        if point.violation < WHOLE and point.objective_usd > self.best.point.objective_usd:
            self.keep(round_up(self.master, point, decisions, self.root_usd, tries))

    def keep(self, found: Rounded | None) -> None:
        """Keep a plan that is worth more, if all that has to be whole in it is."""
        if found is not None and is_whole(self.master.model, found.point):
            self.best = better(self.best, found)


def choose(model: Model, leaf: Leaf) -> Decision | None:
    """Return the decision to split on: None when the point of the leaf is whole already.

    Of what is not whole, the one with the most money at stake is taken.
    """
    point = leaf.closed.point
    found: list[tuple[float, Decision]] = []
    for rule in (_kinds, _setups, _counts, _cells, _only, _active):
        found.extend(rule(model, point))
    found = [(usd, d) for usd, d in found if d not in leaf.decisions]
    return max(found, key=lambda one: one[0])[1] if found else None


Stakes = Iterator[tuple[float, Decision]]
"""Decisions with the money at stake in each."""


def _kinds(model: Model, point: Point) -> Stakes:
    """Blocks that can do nothing but one training workload, all designs together."""
    blocks, facts = model.blocks, model.facts
    built = point.x.sum(axis=(1, 2, 3))
    only_train = model.setups.total_share[1].any(axis=1)
    for w in np.flatnonzero(~facts.serving):
        rows = np.flatnonzero(blocks.whole & only_train & (blocks.rate[:, w] > 0))
        number = float(built[rows].sum())
        missing = np.ceil(number - WHOLE) - number
        if rows.size > 1 and missing > WHOLE:
            usd = missing * float(blocks.price_usd[rows] @ built[rows]) / number
            # First in any case: it decides what the other decisions are about.
            some = tuple(int(d) for d in rows)
            yield 10 * usd, Count(some, ALL, int(np.floor(number)) + 1, np.inf)


def _setups(model: Model, point: Point) -> Stakes:
    """Set-ups of which only a part is paid."""
    partly = (point.setup > WHOLE) & (point.setup < 1 - WHOLE)
    for q, f in zip(*np.nonzero(partly), strict=True):
        yield (1 - point.setup[q, f]) * model.setups.usd[q, f], Setup(int(q), int(f), True)


def _counts(model: Model, point: Point) -> Stakes:
    """Designs of which a part of a whole block is built for a site."""
    built = np.where(model.blocks.whole[:, None], point.x.sum(axis=(1, 3)), 0.0)  # (D, K)
    part = np.minimum(built - np.floor(built), np.ceil(built) - built)
    for d, k in np.argwhere(part > WHOLE):
        low = int(np.floor(built[d, k])) + 1
        usd = float(part[d, k] * model.blocks.price_usd[d])
        yield usd, Count((int(d),), int(k), low, np.inf)


def _cells(model: Model, point: Point) -> Stakes:
    """Purchases of a part of a cell."""
    for column in np.flatnonzero(model.core.integer):
        cells = point.core[column]
        part = min(cells - np.floor(cells), np.ceil(cells) - cells)
        if part > WHOLE:
            low = int(np.floor(cells)) + 1
            yield part * -model.core.objective[column], Cells(int(column), low, np.inf)


def _only(model: Model, point: Point) -> Stakes:
    """Training workloads that several designs, or sites, share.

    The designs are lined up by platform, size and speed, and cut where half of the value lies on
    either side: to decide on one design at a time would leave its neighbours to take its place.
    """
    facts, blocks = model.facts, model.blocks
    order = np.lexsort((blocks.rate.sum(axis=1), blocks.racks, blocks.platform))
    value = point.n * facts.value_usd[:, None, :] * blocks.rate[:, :, None, None]
    for w in np.flatnonzero(~facts.serving):
        usd = value[:, w].sum(axis=2)  # (D, K)
        by_row = usd.sum(axis=1)[order]
        total = float(by_row.sum())
        if total <= 0:
            continue
        part = by_row.cumsum() / total
        cut = int(np.searchsorted(part, 0.5, side="right"))
        cut = int(np.clip(cut, np.searchsorted(part, WHOLE) + 1, np.searchsorted(part, 1 - WHOLE)))
        if WHOLE < part[cut - 1] < 1 - WHOLE:
            rows = tuple(sorted(int(d) for d in order[:cut]))
            yield total - float(by_row.max()), Only(int(w), rows, ALL, True)
        elif np.count_nonzero(usd.sum(axis=0) > WHOLE * total) > 1:
            rows = tuple(int(d) for d in np.flatnonzero(usd.any(axis=1)))
            site = int(usd.sum(axis=0).argmax())
            yield total - float(usd.max()), Only(int(w), rows, site, True)


def _active(model: Model, point: Point) -> Stakes:
    """Work done by parts of blocks that are not complete.

    Blocks for one training workload are taken together first: designs that are nearly alike
    would otherwise take each other's place one branch after the other.
    """
    facts, blocks = model.facts, model.blocks
    there = np.where(blocks.whole[:, None, None], installed(point.x, facts), 0.0)  # (D, K, V)
    at_work = waiting_work(model, point)
    value = (facts.value_usd * (blocks.rate * blocks.needs_all)[:, :, None]).max(axis=1)  # (D, V)
    for w in np.flatnonzero(~facts.serving):
        rows = np.flatnonzero(blocks.whole & (blocks.rate[:, w] > 0))
        if rows.size > 1:
            yield from _incomplete(
                tuple(int(d) for d in rows),
                ALL,
                there[rows].sum(axis=(0, 1)),
                at_work[rows].sum(axis=(0, 1)),
                2 * value[rows].mean(axis=0),
            )
    early = at_work > np.floor(there + WHOLE) + WHOLE
    for d, k in zip(*np.nonzero(early.any(axis=2)), strict=True):
        yield from _incomplete((int(d),), int(k), there[d, k], at_work[d, k], value[d])


def _incomplete(
    rows: tuple[int, ...], center: int, there: Array, at_work: Array, value_usd: Array
) -> Stakes:
    complete = np.floor(there + WHOLE)
    early = np.maximum(0.0, at_work - complete)
    if early.max() > WHOLE:
        usd = early * value_usd
        v = int(np.searchsorted(usd.cumsum(), 0.5 * usd.sum()))  # the middle of it
        while early[v] <= WHOLE:
            v += 1
        yield float(usd.sum()), Active(rows, center, v, True, int(complete[v]) + 1)
