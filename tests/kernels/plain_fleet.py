"""The fleet of `kernels/simulator.py` told plainly: every engine step by itself, every block named.

Nothing of the product's simulator is used here but the time of a step and the words for a route.
"""

from __future__ import annotations

from collections import OrderedDict

import numpy as np

from rackwright.kernels.fleet_state import (
    EMPTY,
    LEAST_LOADED,
    ONE_LINE,
    PREFIX_AWARE,
    ROUND_ROBIN,
    SERVED,
    TOO_LONG,
)
from rackwright.kernels.serving import seconds_of


class Ask:
    """One request and where it stands."""

    def __init__(self, i, given, said, chain):
        self.i, self.given, self.said, self.chain = i, given, said, chain
        self.context, self.made, self.target = 0, 0, given
        self.preemptions, self.hit, self.taken, self.carried = 0, 0, 0, False
        self.arrived = self.scheduled = self.first = self.finished = float("nan")
        self.alone, self.names, self.replica = 0, [], -1  # unnamed blocks, named ones, in order

    @property
    def decodes(self):
        return self.context >= self.target


class Cache:
    """Blocks of one replica: empty ones, named ones with their holders, unused names by age."""

    def __init__(self, blocks, size, span, caching):
        self.empty, self.size, self.span, self.caching = blocks, size, span, caching
        self.holders, self.unused = {}, OrderedDict()  # name → holders; name → blocks

    def names(self, ask, tokens):
        """Names of the whole blocks of a request's first tokens: (name, blocks)."""
        if not self.caching:
            return []
        run = self.span * self.size
        shared = [
            (("shared", c), self.span) for k, c in enumerate(ask.chain) if (k + 1) * run <= tokens
        ]
        if len(shared) < len(ask.chain):
            return shared
        rest = max(tokens - len(shared) * run, 0) // self.size
        return shared + [(("own", ask.i, k), 1) for k in range(rest)]

    def free(self):
        return self.empty + sum(self.unused.values())

    def find(self, ask):
        found = []
        for name, blocks in self.names(ask, ask.target):
            if not self.holders.get(name) and name not in self.unused:
                break
            found.append((name, blocks))
        hit = min(sum(b for _, b in found) * self.size, (ask.target - 1) // self.size * self.size)
        idle = sum(b for name, b in found if name in self.unused)
        return found, hit, idle

    def hold(self, ask, found):
        for name, blocks in found:
            self.unused.pop(name, None)
            self.holders[name] = self.holders.get(name, 0) + 1
            ask.names.append((name, blocks))

    def take(self, blocks):
        while self.empty < blocks:
            _, freed = self.unused.popitem(last=False)
            self.empty += freed
        self.empty -= blocks

    def held(self, ask):
        return ask.alone + sum(b for _, b in ask.names)

    def publish(self, ask, tokens):
        """Name the shared runs that are whole; own blocks are named when they are given back."""
        for name, blocks in self.names(ask, tokens)[len(ask.names) :]:
            if name[0] == "own":
                break
            if self.holders.get(name) or name in self.unused:
                self.empty += blocks
                self.unused.pop(name, None)
            self.holders[name] = self.holders.get(name, 0) + 1
            ask.alone -= blocks
            ask.names.append((name, blocks))

    def release(self, ask):
        shared = [n for n in ask.names if n[0][0] == "shared"]
        own = [n for n in ask.names if n[0][0] == "own"]
        alone = ask.alone + len(own)
        if len(shared) == len(ask.chain):
            whole = [n for n in self.names(ask, ask.context) if n[0][0] == "own"][:alone]
            for name, blocks in reversed(whole):
                self.unused[name] = blocks
            alone -= len(whole)
        self.empty += alone
        for name, _ in own:
            self.holders.pop(name)
        for name, blocks in reversed(shared):
            self.holders[name] -= 1
            if self.holders[name] == 0:
                self.unused[name] = blocks
        ask.names, ask.alone = [], 0


class Engine:
    """One replica, a step at a time."""

    def __init__(self, terms, limits, span, caching, hands_on):
        self.terms, self.limits, self.hands_on = terms, limits, hands_on
        self.cache = Cache(limits.blocks, limits.block_tokens, span, caching)
        self.running, self.waiting, self.batch = [], [], []
        self.end, self.steps, self.busy, self.link = np.inf, 0, 0.0, 0.0

    def load(self):
        return len(self.running) + len(self.waiting)

    def backlog(self):
        waiting = sum(a.target for a in self.waiting if not a.carried)
        return waiting + sum(a.target - a.context for a in self.running if not a.decodes)

    def preempt(self):
        ask = self.running.pop()
        self.cache.release(ask)
        ask.context, ask.target = 0, ask.given + ask.made
        ask.preemptions += 1
        self.waiting.insert(0, ask)

    def grow(self, ask, tokens):
        """Find blocks for the first tokens of a request; False where there are not enough."""
        need = max(-(-tokens // self.cache.size) - self.cache.held(ask), 0)
        if need > self.cache.free():
            return False
        self.cache.take(need)
        ask.alone += need
        return True

    def plan(self, now, line):
        while True:
            if self.planned(now, line):
                return
            if self.batch or self.running:
                continue
            if not self.gave_way:
                return

    def planned(self, now, line):
        self.gave_way, self.batch = False, []
        limits, k, tokens, seen, decoding = self.limits, 0, 0, 0.0, []
        while k < len(self.running):
            ask = self.running[k]
            if ask.decodes:
                while k < len(self.running) and not self.grow(ask, ask.context + 1):
                    self.preempt()
                    self.gave_way = True
                if k < len(self.running):
                    decoding.append(ask)
            k += 1
        room = limits.tokens - len(decoding)
        for ask in [a for a in self.running if not a.decodes]:
            chunk = min(ask.target - ask.context, room)
            if chunk <= 0:
                continue
            if not self.grow(ask, ask.context + chunk):
                assert self.running[-1] is ask
                self.preempt()
                self.gave_way = True
                break
            tokens, seen = tokens + chunk, seen + chunk * (ask.context + 0.5 * chunk)
            room -= chunk
            self.into_step(ask, chunk)
        while not self.gave_way and room > 0 and len(self.running) < limits.requests:
            queue = self.waiting or line
            if not queue:
                break
            ask = queue[0]
            found, hit, idle = self.cache.find(ask)
            held = sum(b for _, b in found)
            chunk = min(ask.target - hit, room)
            size = self.cache.size
            need = max(-(-(ask.target + 1 if ask.carried else hit + chunk) // size) - held, 0)
            gate = max(need, -(-ask.target // size) - held) if limits.whole_prompt else need
            if gate > self.cache.free() - idle:
                break
            queue.pop(0)
            self.cache.hold(ask, found)
            self.cache.take(need)
            ask.alone += need
            self.running.append(ask)
            ask.replica = self.number
            if np.isnan(ask.scheduled):
                ask.scheduled = now
            if ask.carried:
                ask.carried, ask.context = False, ask.target
                self.cache.publish(ask, ask.target)
                decoding.append(ask)
                room -= 1
                continue
            ask.context = hit
            ask.hit += hit
            tokens, seen = tokens + chunk, seen + chunk * (hit + 0.5 * chunk)
            room -= chunk
            self.into_step(ask, chunk)
        if not decoding and not self.batch:
            return False
        mean = sum(a.context for a in decoding) / len(decoding) if decoding else 0.0
        spent = seconds_of(
            self.terms, float(len(decoding)), mean, float(tokens), seen / max(tokens, 1)
        )
        self.decoding, self.began, self.end = decoding, now, now + spent
        return True

    def into_step(self, ask, chunk):
        ask.taken = chunk
        self.batch.append(ask)
        self.cache.publish(ask, ask.context + chunk)

    def take(self):
        now, left = self.end, []
        self.steps += 1
        self.busy += now - self.began
        self.end = np.inf
        for ask in self.decoding:
            ask.context += 1
            ask.target = ask.context
            ask.made += 1
        left += sorted((a for a in self.decoding if a.made >= a.said), key=lambda a: a.i)
        for ask in self.batch:
            ask.context += ask.taken
            if ask.context < ask.target:
                continue
            ask.made += 1
            if np.isnan(ask.first):
                ask.first = now
            if self.hands_on or ask.made >= ask.said:
                left.append(ask)
        for ask in left:
            self.running.remove(ask)
        self.batch, self.decoding = [], []
        return left


def plain_fleet(t, t_prefill, asked, limits, limits_prefill, fleet):
    """What `simulate_fleet` returns, as a dict of arrays."""
    n, pool = asked.inputs.size, fleet.prefill
    at = np.concatenate([[0], np.cumsum(asked.links)])
    asks = [
        Ask(i, int(asked.inputs[i]), int(asked.outputs[i]),
            [int(c) for c in asked.chain[at[i] : at[i + 1]]] if fleet.caching else [])
        for i in range(n)
    ]  # fmt: skip
    size = limits.block_tokens
    outcome = np.zeros(n, dtype=np.int64)
    for ask in asks:
        if ask.given <= 0 or ask.said <= 0:
            outcome[ask.i] = EMPTY
        elif -(-(ask.given + ask.said) // size) > limits.blocks or (
            pool and -(-ask.given // size) > limits_prefill.blocks
        ):
            outcome[ask.i] = TOO_LONG
    span = asked.run_tokens // size
    engines = [Engine(t_prefill, limits_prefill, span, fleet.caching, True) for _ in range(pool)]
    engines += [Engine(t, limits, span, fleet.caching, False) for _ in range(fleet.replicas)]
    for number, engine in enumerate(engines):
        engine.number = number
    front = engines[:pool] or engines
    due, line, turn, turn_decode, issued = [], [], 0, 0, 0
    if asked.clients:
        due = [(asked.arrivals[i], i, False) for i in range(min(asked.clients, n))]
        issued = len(due)
    else:
        due = [(a, i, False) for i, a in enumerate(asked.arrivals)]
    while True:
        now = min([d[0] for d in due] + [e.end for e in engines], default=np.inf)
        if now == np.inf:
            break
        for engine in engines:
            if engine.end != now:
                continue
            for ask in engine.take():
                if engine.hands_on and ask.said > 1:
                    engine.link = max(engine.link, now) + fleet.moved_each_s * ask.given
                    due.append((engine.link + fleet.moved_s, ask.i, True))
                    continue
                ask.finished = now
                engine.cache.release(ask)
                if asked.clients and issued < n:
                    due.append((now + asked.arrivals[issued], issued, False))
                    issued += 1
        while ready := [d for d in due if d[0] <= now]:
            event = min(ready, key=lambda d: d[0])
            due.remove(event)
            _, i, moved = event
            ask = asks[i]
            if moved:
                engines[ask.replica].cache.release(ask)
                ask.first, ask.carried = now, True
                if fleet.route == ROUND_ROBIN:
                    engine = engines[pool + turn_decode % fleet.replicas]
                    turn_decode += 1
                else:
                    engine = min(engines[pool:], key=lambda e: (e.load(), e.number))
            else:
                ask.arrived = now
                if outcome[i] != SERVED:
                    if asked.clients and issued < n:
                        due.append((now + asked.arrivals[issued], issued, False))
                        issued += 1
                    continue
                if fleet.route == ONE_LINE:
                    line.append(ask)
                    continue
                if fleet.route == ROUND_ROBIN:
                    engine = front[turn % len(front)]
                    turn += 1
                elif fleet.route == LEAST_LOADED:
                    engine = min(front, key=lambda e: (e.load(), e.number))
                else:
                    assert fleet.route == PREFIX_AWARE
                    engine = min(
                        front,
                        key=lambda e: (
                            e.backlog() + ask.given - e.cache.find(ask)[1], e.load(), e.number,
                        ),
                    )  # fmt: skip
            ask.replica = engine.number
            engine.waiting.append(ask)
        for engine in engines:
            if engine.end == np.inf:
                engine.plan(now, line if engine in front else [])
    get = lambda name: np.array([getattr(a, name) for a in asks])  # noqa: E731
    return {
        "arrived": get("arrived"), "scheduled": get("scheduled"), "first": get("first"),
        "finished": get("finished"), "outcome": outcome, "preemptions": get("preemptions"),
        "hit": get("hit"), "replica": get("replica"),
        "steps": np.array([e.steps for e in engines]), "busy": np.array([e.busy for e in engines]),
    }  # fmt: skip
