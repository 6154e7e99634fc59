"""Re-check the certificate of a build plan: its bound and its worth, from the file alone.

    python tools/recheck_certificate.py certificate.json

Nothing of the product is imported. The numbers of the model (limits, costs, what a block uses)
are taken from the file; everything that is claimed about them is computed again:

* the leaves of the search cover every whole plan: each split has both its sides;
* at every leaf the prices there prove the bound there, over every row of the space (weak
  duality), and none exceeds the bound claimed;
* the plan keeps every limit, its set-ups, cells and large blocks are whole, a block works only
  when it is complete, a training workload runs in one place; its worth is the one claimed.

Prints OK, or one line per thing that is wrong; the exit code is 0 or 1 (2: not a certificate).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

NO_LIMIT = 1e299
CLOSED = -1e30
TOLERANCE = 1e-6
WORDS = {
    "study_sha256", "scenario", "designs", "platforms", "parts", "factories", "data_centers",
    "workloads", "kind",
}  # fmt: skip
"""Keys under which words stand; everything else is numbers."""


class Model:
    """The arrays of the file, by name."""

    def __init__(self, raw: dict[str, Any]) -> None:
        """Turn the file's lists into arrays; indices become integers."""
        self.a = {key: np.array(value, dtype=float) for key, value in raw["data"].items()}
        self.row = {key: np.array(value).astype(int) for key, value in raw["index"].items()}
        a = self.a
        for name in ("facts.arrival", "facts.group", "facts.cell_first", "facts.supply_part"):
            a[name] = a[name].astype(int)
        for name in (
            "core.entry_row",
            "core.entry_column",
            "blocks.platform",
            "blocks.accelerator",
        ):
            a[name] = a[name].astype(int)
        for name in ("setups.window", "setups.window_thing", "setups.total_thing"):
            a[name] = a[name].astype(int)
        self.A = csr_array(
            (a["core.entry_value"], (a["core.entry_row"], a["core.entry_column"])),
            shape=(a["core.limit"].size, a["core.objective"].size),
        )
        self.D, self.W = a["blocks.rate"].shape
        self.F, self.K, self.T = a["facts.arrival"].shape
        self.V = self.T + 1
        self.P = a["blocks.quantity"].shape[1] if a["blocks.quantity"].ndim == 2 else 0
        self.q = a["blocks.platform"]
        self.Q = int(self.q.max()) + 1
        self.rework_h = (1 - a["facts.first_pass_yield"]) * a["facts.rework_h"]
        self.touch = (
            a["blocks.touch_h"].sum(1)[:, None] + a["blocks.racks"][:, None] * self.rework_h
        )
        self.bay = a["blocks.bay_h"].sum(1)[:, None] / a["facts.first_pass_yield"]
        duty = a["facts.rack_duty"][a["blocks.accelerator"]]  # (D, F, K, T)
        self.rack_duty = duty * a["blocks.price_usd"][:, None, None, None]
        self.supply = self.supply_by()
        self.most_touch = self.touch_limit()
        self.open = self.routes()
        self.share, self.total, self.fee, self.paid = self.setups()

    def dual(self, y: np.ndarray, name: str) -> np.ndarray:
        """Duals of a family of limits, 0 where a limit does not exist."""
        where = self.row[name]
        return np.where(where >= 0, y[np.maximum(where, 0)], 0.0)

    def supply_by(self) -> np.ndarray:
        """Units of each part that can be there by the end of each bucket."""
        units = np.zeros((self.P, self.T))
        for s, p in enumerate(self.a["facts.supply_part"]):
            units[p] += self.a["facts.supply_units"][s]
            units[p, 0] += self.a["facts.supply_stock"][s]
        return units.cumsum(1)

    def touch_limit(self) -> np.ndarray:
        """Most touch hours of a factory and bucket with every cell bought."""
        people, share = self.a["facts.people_h"], self.a["facts.cell_share"][:, None]
        started = np.arange(self.T) >= self.a["facts.cell_first"][:, None]
        cells = started * (self.a["facts.cells_max"] * self.a["facts.cell_h_per_week"])[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            ceiling = np.where(share < 1, people / (1 - share), np.inf)
        return np.minimum(people + cells * self.a["facts.period_weeks"][:-1], ceiling)

    def routes(self) -> np.ndarray:
        """Where a block may be built: nothing that it needs is absent altogether."""
        a, arrival = self.a, self.a["facts.arrival"]
        least = np.minimum.accumulate(a["facts.power_w"][:, ::-1], axis=1)[:, ::-1]
        open_ = np.zeros((self.D, self.F, self.K, self.T), dtype=bool)
        useful = (a["blocks.allowed"] > 0) & (a["blocks.rate"] > 0).any(1)
        lacking = (a["blocks.quantity"].reshape(self.D, self.P) > 0) @ (self.supply <= 0)
        for f in range(self.F):
            for k in range(self.K):
                fits = a["blocks.max_coolant_c"] >= a["facts.coolant_c"][k]
                fits &= a["facts.floor_m2"][k] > 0
                fits &= (a["blocks.liquid_w"] <= 0) | (a["facts.liquid_w"][k] > 0)
                fits &= (a["blocks.air_w"] <= 0) | (a["facts.air_w"][k] > 0)
                for t in range(self.T):
                    v = arrival[f, k, t]
                    if v < 0 or least[k, v] <= 0:
                        continue
                    now = useful & fits & (a["blocks.first_week"] < a["facts.edges"][t + 1])
                    now &= ~lacking[:, t]
                    now &= (self.touch[:, f] <= 0) | (self.most_touch[f, t] > 0)
                    now &= (self.bay[:, f] <= 0) | (a["facts.bay_h"][f, t] > 0)
                    open_[:, f, k, t] = now
        return open_

    def setups(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Shares per window (D, F, Y) and in all (2, D, F); cost today and spent (Q, F)."""
        a, window = self.a, self.a["setups.window"]
        Y = int(window[-1]) + 1
        share, total = np.zeros((self.D, self.F, Y)), np.zeros((2, self.D, self.F))
        trains = (a["blocks.rate"][:, a["facts.serving"] == 0] > 0).any(1)
        serves = (a["blocks.rate"][:, a["facts.serving"] == 1] > 0).any(1)
        jobs = max(1, int((a["facts.serving"] == 0).sum()))
        total[1] = np.where(trains & ~serves, 1.0 / jobs, 0.0)[:, None]
        fee, paid = np.zeros((self.Q, self.F)), np.zeros((self.Q, self.F))
        power = a["facts.power_w"].max(1).sum()
        for d in range(self.D):
            for f in range(self.F):
                if not self.open[d, f].any():
                    continue
                use = [self.touch[d, f], self.bay[d, f], a["blocks.power_w"][d]]
                use += list(a["blocks.quantity"].reshape(self.D, self.P)[d])
                thing = a["setups.total_thing"][self.q[d], f]
                once = [self.most_touch[f].sum(), a["facts.bay_h"][f].sum(), power]
                once += list(self.supply[:, -1])
                total[0, d, f] = use[thing] / once[thing]
                for y in range(Y):
                    mine = window == y
                    each = [self.most_touch[f, mine].sum(), a["facts.bay_h"][f, mine].sum(), power]
                    each += [self.supply[p, mine].max() for p in range(self.P)]
                    thing = a["setups.window_thing"][self.q[d], f, y]
                    share[d, f, y] = use[thing] / each[thing] if each[thing] > 0 else 0.0
        for q in range(self.Q):
            for f in range(self.F):
                when = self.open[self.q == q, f].any((0, 1))
                if when.any() and a["facts.setup_usd"][f] > 0:
                    fee[q, f] = a["facts.setup_usd"][f] * a["facts.money"][when.argmax()]
                    paid[q, f] = a["facts.setup_usd"][f]
        return share, total, fee, paid


def earned(m: Model, y: np.ndarray, barred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what a block at work earns, (D, K, V) twice; `barred` is (D, W, K).

    First by work that needs complete blocks, then by work that does not.
    """
    a = m.a
    tokens = m.dual(y, "tokens")
    best = np.zeros((2, m.D, m.K, m.V))
    for w in range(m.W):
        rate = a["facts.value_usd"][w] - a["facts.availability"] * m.dual(y, "demand")[w]
        rate = rate - a["facts.work_s"] * tokens[w]
        energy = a["facts.energy_usd_per_w"] * a["blocks.average_power_w"][:, w, None, None]
        gain = a["blocks.rate"][:, w, None, None] * rate - m.dual(y, "gang")[w] - energy
        gain = np.where(barred[:, w, :, None], 0.0, gain)
        waits = (a["blocks.needs_all"][:, w] > 0)[:, None, None]
        best[0] = np.maximum(best[0], np.where(waits, gain, 0.0))
        best[1] = np.maximum(best[1], np.where(waits, 0.0, gain))
    return best[0], best[1]


def worth(m: Model, y: np.ndarray, leaf: dict[str, Any]) -> np.ndarray:
    """Worth of a block on every route at a leaf's prices and decisions, (D, F, K, T)."""
    a, arrival = m.a, m.a["facts.arrival"]
    barred = np.zeros((m.D, m.W, m.K), dtype=bool)
    for one in leaf["decisions"]:
        if one["kind"] == "only":
            where = slice(None) if one["data_center"] < 0 else one["data_center"]
            here = np.zeros((m.D, m.K), dtype=bool)
            here[one["rows"], where] = True
            barred[:, one["workload"]] |= ~here if one["yes"] else here
    waiting, other = earned(m, y, barred)
    cap, floor = np.zeros_like(other), np.zeros_like(other)
    for place in leaf["places"]:
        where = slice(None) if place["data_center"] < 0 else place["data_center"]
        cap[place["rows"], where] += np.array(place["cap"])
        floor[place["rows"], where] += np.array(place["floor"])
    kept = np.maximum(other, waiting - cap) + floor
    for name, use in (("power", "power_w"), ("liquid", "liquid_w"), ("air", "air_w")):
        kept = kept - a[f"blocks.{use}"][:, None, None] * m.dual(y, name)
    kept = kept - a["blocks.floor_m2"][:, None, None] * m.dual(y, "floor")
    kept = kept - a["blocks.power_w"][:, None, None] * a["facts.site_usd_per_w"]
    from_here = kept[:, :, ::-1].cumsum(2)[:, :, ::-1]
    from_here = from_here + a["facts.salvage"] * a["blocks.price_usd"][:, None, None]
    beta = y[m.row["budget"]] if m.row["budget"] >= 0 else 0.0
    money = a["facts.money"] + beta
    counted = np.zeros((m.D, m.K))
    for count in leaf["counts"]:
        where = slice(None) if count["data_center"] < 0 else count["data_center"]
        counted[count["rows"], where] += count["usd"]
    table = np.full((m.D, m.F, m.K, m.T), CLOSED)
    quantity = a["blocks.quantity"].reshape(m.D, m.P)
    for f in range(m.F):
        part = m.dual(y, "balance")[:, a["facts.group"][f]] if m.P else np.zeros((0, m.T))
        cost = quantity @ part + a["blocks.other_usd"][:, None] * money
        cost = cost + m.touch[:, f, None] * m.dual(y, "touch")[f]
        bay = a["facts.bay_usd_per_h"][f] * money + m.dual(y, "bay")[f]
        cost = cost + m.bay[:, f, None] * bay
        for k in range(m.K):
            freight = a["facts.freight_usd_per_kg"][f, k] * money
            there = np.maximum(arrival[f, k], 0)
            spent = cost + counted[:, k, None] + a["blocks.mass_kg"][:, None] * freight
            spent = spent + m.rack_duty[:, f, k] * money
            table[:, f, k] = from_here[:, k, there] - spent
    return np.where(m.open, table, CLOSED)


def leaf_bound(m: Model, leaf: dict[str, Any], wrong: list[str]) -> float:
    """Bound that a leaf's prices prove."""
    a = m.a
    y = np.zeros(a["core.limit"].size)
    y[leaf["dual_row"]] = leaf["dual_usd"]
    total = np.array(leaf["setup_total"])
    signs = [leaf["dual_usd"], total.ravel()]
    signs += [place[side] for place in leaf["places"] for side in ("cap", "floor")]
    if not all(np.all(np.array(sign, dtype=float) >= 0) for sign in signs):
        wrong.append("a price of a limit is negative")
    on, off = np.zeros((m.Q, m.F), dtype=bool), np.zeros((m.Q, m.F), dtype=bool)
    low, high = np.zeros(a["core.upper"].size), a["core.upper"].copy()
    for one in leaf["decisions"]:
        if one["kind"] == "setup":
            (on if one["yes"] else off)[one["platform"], one["factory"]] = True
        elif one["kind"] == "cells":
            low[one["column"]] = max(low[one["column"]], one["low"])
            high[one["column"]] = min(high[one["column"]], one["high"])
    table = worth(m, y, leaf)
    table[off[m.q]] = CLOSED
    best = table.max(2)
    owed = (m.total * total[:, m.q]).sum(0)
    window = a["setups.window"]
    theta = np.zeros((m.Q, m.F, int(window[-1]) + 1))
    for t in range(m.T):
        share = m.share[:, :, window[t]]
        spare = best[:, :, t] - owed
        with np.errstate(divide="ignore", invalid="ignore"):
            whole = np.where((best[:, :, t] > CLOSED) & (spare > 0), spare / share, 0.0)
        np.maximum.at(theta, (m.q[:, None], np.arange(m.F)[None], window[t]), whole)
    beta = y[m.row["budget"]] if m.row["budget"] >= 0 else 0.0
    surplus = total.sum(0) + theta.sum(2) - m.fee - beta * m.paid
    reduced = a["core.objective"] - m.A.T @ y
    bound = a["core.limit"] @ y + np.maximum(low * reduced, high * reduced).sum()
    bound += np.where(off, 0.0, np.where(on, surplus, np.maximum(0.0, surplus))).sum()
    return float(bound + owed_by_decisions(leaf) - a["facts.fixed_energy_usd"])


def owed_by_decisions(leaf: dict[str, Any]) -> float:
    """Right-hand sides of a leaf's decisions on counts and timing, times their prices."""
    usd = 0.0
    for count in leaf["counts"]:
        mine = [
            c
            for c in leaf["decisions"]
            if c["kind"] == "count"
            and (c["rows"], c["data_center"]) == (count["rows"], count["data_center"])
        ]
        side = min(c["high"] for c in mine) if count["usd"] > 0 else max(c["low"] for c in mine)
        usd += count["usd"] * side
    for place in leaf["places"]:
        mine = [
            c
            for c in leaf["decisions"]
            if c["kind"] == "active"
            and (c["rows"], c["data_center"]) == (place["rows"], place["data_center"])
        ]
        for v in np.flatnonzero(place["cap"]):
            most = [c["low"] for c in mine if not c["yes"] and c["period"] >= v]
            usd += place["cap"][v] * min(most, default=np.inf)
        for v in np.flatnonzero(place["floor"]):
            least = [c["low"] for c in mine if c["yes"] and c["period"] <= v]
            usd -= place["floor"][v] * max(least, default=0.0)
    return usd


def opposite(one: dict[str, Any]) -> dict[str, Any]:
    """Return the other side of a decision."""
    other = dict(one)
    if one["kind"] in ("setup", "only"):
        return {**other, "yes": not one["yes"]}
    if one["kind"] == "active":
        return {**other, "yes": not one["yes"], "low": one["low"] + (-1 if one["yes"] else 1)}
    if one["low"] > 0:
        return {**other, "low": 0.0, "high": one["low"] - 1}
    return {**other, "low": one["high"] + 1, "high": 1e300}


def covered(paths: list[list[dict[str, Any]]]) -> bool:
    """Whether the leaves' decisions are all ends of one tree of two-sided splits."""
    if len(paths) == 1 and not paths[0]:
        return True
    if not paths or any(not path for path in paths):
        return False
    first = paths[0][0]
    same = [path[1:] for path in paths if path[0] == first]
    other = [path[1:] for path in paths if path[0] == opposite(first)]
    if len(same) + len(other) != len(paths) or not same or not other:
        return False
    return covered(same) and covered(other)


def check_plan(m: Model, raw: dict[str, Any], wrong: list[str]) -> float:
    """Check the plan against every limit; return its worth."""
    a, plan = m.a, raw["incumbent"]
    x, n = np.zeros((m.D, m.F, m.K, m.T)), np.zeros((m.D, m.W, m.K, m.V))
    for d, f, k, t, blocks in plan["built"]:
        x[int(d), int(f), int(k), int(t)] = blocks
    for d, w, k, v, blocks in plan["at_work"]:
        n[int(d), int(w), int(k), int(v)] = blocks
    z = np.zeros(a["core.upper"].size)
    for column, value in plan["core"]:
        z[int(column)] = value
    up = np.zeros((m.Q, m.F), dtype=bool)
    for q, f in plan["setups"]:
        up[int(q), int(f)] = True
    used = m.A @ z
    there = np.zeros((m.D, m.K, m.V))
    worth_usd = float(a["core.objective"] @ z) - float((up * m.fee).sum())
    worth_usd -= float(a["facts.fixed_energy_usd"])
    if not (np.all(x >= 0) and np.all(n >= 0)):
        wrong.append("a number of blocks is negative")
    if ((x > 0) & ~m.open).any():
        wrong.append("blocks are built on a route that is closed")
    by_bucket = x.sum(2)  # (D, F, T)
    money = a["facts.money"]
    for f in range(m.F):
        for t in range(m.T):
            for p in range(m.P):
                used[m.row["balance"][p, a["facts.group"][f], t]] += (
                    by_bucket[:, f, t] @ a["blocks.quantity"][:, p]
                )
            used[m.row["touch"][f, t]] += by_bucket[:, f, t] @ m.touch[:, f]
            used[m.row["bay"][f, t]] += by_bucket[:, f, t] @ m.bay[:, f]
            for k in range(m.K):
                spend = a["blocks.other_usd"] + a["facts.bay_usd_per_h"][f] * m.bay[:, f]
                spend = spend + a["facts.freight_usd_per_kg"][f, k] * a["blocks.mass_kg"]
                spend = spend + m.rack_duty[:, f, k, t]
                v = a["facts.arrival"][f, k, t]
                credit = a["facts.salvage"][k, v] * a["blocks.price_usd"]
                worth_usd += float(x[:, f, k, t] @ (credit - spend * money[t]))
                if m.row["budget"] >= 0:
                    used[m.row["budget"]] += x[:, f, k, t] @ spend
                if v >= 0:
                    there[:, k, v:] += x[:, f, k, t][:, None]
    if m.row["budget"] >= 0:
        used[m.row["budget"]] += (up * m.paid).sum()
    for name, use in (("power", "power_w"), ("liquid", "liquid_w"), ("air", "air_w")):
        add(used, m.row[name], np.einsum("dkv,d->kv", there, a[f"blocks.{use}"]))
    add(used, m.row["floor"], np.einsum("dkv,d->kv", there, a["blocks.floor_m2"]))
    rate = np.einsum("dwkv,dw->wv", n, a["blocks.rate"])
    add(used, m.row["demand"], rate * a["facts.availability"])
    add(used, m.row["tokens"], (rate * a["facts.work_s"]).sum(1))
    add(used, m.row["gang"], n.sum((0, 2)))
    worth_usd += float((rate * a["facts.value_usd"]).sum())
    worth_usd -= float(
        np.einsum("dwkv,dw,kv->", n, a["blocks.average_power_w"], a["facts.energy_usd_per_w"])
    )
    worth_usd -= float(
        np.einsum("dkv,d,kv->", there, a["blocks.power_w"], a["facts.site_usd_per_w"])
    )
    scale = np.maximum(np.abs(a["core.limit"]), np.maximum(np.abs(m.A) @ np.abs(z), 1e-3))
    over = (used - a["core.limit"]) / scale
    if not over.max() <= 10 * TOLERANCE:  # the solver keeps scaled limits to 1e-7
        families = [name for name, rows in m.row.items() if int(over.argmax()) in rows.ravel()]
        wrong.append(f"a limit is exceeded by {over.max():.2g} of itself: {families or 'supply'}")
    if not (np.all(z >= -TOLERANCE) and np.all(z <= a["core.upper"] * (1 + TOLERANCE) + TOLERANCE)):
        wrong.append("a core decision leaves its bounds")
    if not np.all(n.sum(1) <= there + 1e-4):
        wrong.append("more blocks are at work than are there")
    check_whole(m, x, n, there, z, up, wrong)
    return worth_usd


def check_whole(
    m: Model,
    x: np.ndarray,
    n: np.ndarray,
    there: np.ndarray,
    z: np.ndarray,
    up: np.ndarray,
    wrong: list[str],
) -> None:
    """Check what has to be whole."""
    a = m.a
    built = np.zeros((m.Q, m.F))
    np.add.at(built, m.q, x.sum((2, 3)))
    if ((built > 1e-5) & ~up & (m.fee > 0)).any():
        wrong.append("a platform is built where it is not set up")
    cells = z[a["core.integer"] > 0]
    if cells.size and not np.abs(cells - np.round(cells)).max() <= 1e-4:
        wrong.append("a part of a robot cell is bought")
    large = a["blocks.whole"] > 0
    count = x.sum((1, 3))[large]  # by site
    if count.size and not np.abs(count - np.round(count)).max() <= 1e-3:
        wrong.append("a part of a large block is built")
    waiting = (n * a["blocks.needs_all"][:, :, None, None]).sum(1)
    if not np.all(waiting[large] <= np.floor(there[large] + 1e-3) + 1e-3):
        wrong.append("a large block works before it is complete")
    places = (n.sum(3) > 1e-6).sum((0, 2))  # (W,)
    if (places[a["facts.serving"] == 0] > 1).any():
        wrong.append("a training workload runs in several places")


def add(used: np.ndarray, rows: np.ndarray, amount: np.ndarray) -> None:
    """Add amounts to the limits that exist."""
    used[rows[rows >= 0]] += amount[rows >= 0]


def finite(value: Any) -> bool:
    """Whether every number is one and finite; comparisons with others would say anything."""
    if isinstance(value, dict):
        return all(key in WORDS or finite(inner) for key, inner in value.items())
    if isinstance(value, list):
        return all(finite(inner) for inner in value)
    return isinstance(value, int | float) and bool(np.isfinite(value))


def not_json(constant: str) -> None:
    """Refuse what Python reads and JSON does not know."""
    raise ValueError(f"{constant} is not JSON")


def recheck(raw: dict[str, Any]) -> list[str]:
    """Return everything that is wrong with a certificate."""
    wrong: list[str] = []
    if not finite(raw):
        return ["something that should be a finite number is not"]
    if not raw["leaves"]:
        return ["there are no leaves: nothing bounds the plan"]
    model = Model(raw)
    if not covered([leaf["decisions"] for leaf in raw["leaves"]]):
        wrong.append("the leaves do not cover every plan")
    bounds = [leaf_bound(model, leaf, wrong) for leaf in raw["leaves"]]
    slack = TOLERANCE * max(1.0, abs(raw["bound_usd"]))
    if not np.max(bounds) <= raw["bound_usd"] + slack:
        wrong.append(
            f"the prices prove {np.max(bounds):.2f}, not the {raw['bound_usd']:.2f} claimed"
        )
    worth_usd = check_plan(model, raw, wrong)
    claimed = raw["incumbent"]["surplus_usd"]
    if not abs(worth_usd - claimed) <= slack:
        wrong.append(f"the plan is worth {worth_usd:.2f}, not the {claimed:.2f} claimed")
    if not claimed <= raw["bound_usd"] + slack:
        wrong.append("the plan is worth more than the bound")
    return wrong


def main(arguments: list[str]) -> int:
    """Re-check one file."""
    if len(arguments) != 1:
        print(__doc__)
        return 2
    try:
        text = Path(arguments[0]).read_text(encoding="utf-8")
        raw = json.loads(text, parse_constant=not_json)
        wrong = recheck(raw)
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        print(f"{arguments[0]}: not a certificate that can be read: {error!r}")
        return 2
    for line in dict.fromkeys(wrong):
        print(f"WRONG: {line}")
    if not wrong:
        plan, bound = raw["incumbent"]["surplus_usd"], raw["bound_usd"]
        gap = (bound - plan) / max(1.0, abs(plan))
        print(
            f"OK: the plan is worth {plan:,.2f} USD, no plan is worth more than {bound:,.2f} USD "
            f"(gap {gap:.3%}); {len(raw['leaves'])} leaves over {len(raw['designs'])} designs"
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
