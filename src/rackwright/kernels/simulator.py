"""A replica that batches continuously, request by request, from event to event.

Between an admission, a completion and a full cache nothing changes but that every context grows by
a token a step: those steps are summed at once. A loop over every step is the reference in the
tests.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rackwright.kernels.compiled import compiled
from rackwright.kernels.serving import StepTerms, seconds_of

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

SERVED, TOO_LONG, EMPTY = 0, 1, 2
"""Outcomes: answered; longer than the whole cache; no output was asked for."""


class Limits(NamedTuple):
    """What an engine keeps to."""

    requests: int  # that run at once
    tokens: int  # in a step, decoded and prefilled together
    blocks: int  # of cache memory
    block_tokens: int


class Served(NamedTuple):
    """What became of each request; times in seconds on the clock of the arrivals."""

    scheduled: Array  # when its prefill began, the first time
    first: Array  # its first token
    finished: Array
    outcome: Whole
    preemptions: Whole
    steps: int  # of the engine


@compiled
def simulate(
    t: StepTerms,
    arrivals: Array,
    inputs: Whole,
    outputs: Whole,
    limits: Limits,
    fast: bool,
) -> Served:
    """Return what becomes of requests at one replica.

    Args:
        t: terms of the replica's step.
        arrivals: (N,) [s], sorted.
        inputs, outputs: (N,) tokens.
        limits: of the engine.
        fast: False: every step by itself, the reference.

    Notes:
        First come, first served. A step decodes a token of every running request, then goes on
        with begun prompts, then admits waiting ones while requests, tokens and blocks last. When
        a decode finds no block, the request admitted last gives its blocks back and waits at the
        front to be computed again. A request longer than all blocks is refused on arrival.
    """
    n = arrivals.size
    scheduled, first, finished = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
    outcome, preemptions = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    context, made = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    target = inputs.copy()  # tokens that its prefill has to compute
    held = np.zeros(n, dtype=np.int64)  # blocks
    taken = np.zeros(n, dtype=np.int64)  # prompt tokens in this step
    running = np.empty(limits.requests, dtype=np.int64)
    again = np.empty(n, dtype=np.int64)  # preempted, the front last
    count, waiting, head, steps = 0, 0, 0, 0
    free, now = limits.blocks, 0.0
    size = limits.block_tokens
    for i in range(n):
        if outputs[i] <= 0:
            outcome[i] = EMPTY
        elif math.ceil((inputs[i] + outputs[i]) / size) > limits.blocks:
            outcome[i] = TOO_LONG
    while True:
        while head < n and outcome[head] != SERVED:
            head += 1
        if count == 0 and waiting == 0:
            if head >= n:
                break
            now = max(now, arrivals[head])
        # decode: a block for each request whose last one is full
        while True:
            need = 0
            for k in range(count):
                i = running[k]
                if context[i] >= target[i] and context[i] % size == 0:
                    need += 1
            if need <= free:
                break
            count -= 1
            free += _preempt(running[count], context, target, inputs, made, held, preemptions)
            again[waiting] = running[count]
            waiting += 1
        decoding, seen = 0, 0.0
        for k in range(count):
            i = running[k]
            if context[i] >= target[i]:
                decoding += 1
                seen += context[i]
                if context[i] % size == 0:
                    held[i] += 1
                    free -= 1
        # prefill: begun prompts, then waiting ones
        budget, prefilled, prefill_seen = limits.tokens - decoding, 0, 0.0
        for k in range(count):
            i = running[k]
            taken[i] = 0
            if context[i] < target[i] and budget > 0:
                chunk = _room(min(target[i] - context[i], budget), context[i], held[i], free, size)
                free -= _blocks(context[i] + chunk, size) - held[i]
                held[i] = max(held[i], _blocks(context[i] + chunk, size))
                taken[i] = chunk
                budget -= chunk
                prefilled += chunk
                prefill_seen += chunk * (context[i] + 0.5 * chunk)
        while count < limits.requests and budget > 0:
            if waiting > 0:
                i = again[waiting - 1]
            elif head < n and arrivals[head] <= now:
                i = head
            else:
                break
            chunk = min(target[i], budget)
            if _blocks(chunk, size) > free:
                break
            if waiting > 0:
                waiting -= 1
            else:
                head += 1
                while head < n and outcome[head] != SERVED:
                    head += 1
            held[i] = _blocks(chunk, size)
            free -= held[i]
            taken[i] = chunk
            budget -= chunk
            prefilled += chunk
            prefill_seen += 0.5 * chunk * chunk
            if math.isnan(scheduled[i]):
                scheduled[i] = now
            running[count] = i
            count += 1
        if decoding == 0 and prefilled == 0:  # begun prompts hold every block: the last gives way
            count -= 1
            free += _preempt(running[count], context, target, inputs, made, held, preemptions)
            again[waiting] = running[count]
            waiting += 1
            continue
        mean = seen / decoding if decoding > 0 else 0.0
        if decoding < count or not fast:
            ahead = 1
            now += seconds_of(
                t, float(decoding), mean, float(prefilled), prefill_seen / max(prefilled, 1)
            )
        else:
            until = np.inf
            if waiting == 0 and head < n and count < limits.requests:
                until = arrivals[head]
            ahead, spent = _ahead(
                t, running, count, context, made, outputs, held, free, size, mean, until - now
            )
            now += spent
        steps += ahead
        # what the steps made
        k = 0
        while k < count:
            i = running[k]
            if context[i] >= target[i]:
                context[i] += ahead
                target[i] = context[i]
                made[i] += ahead
                blocks = _blocks(context[i], size)
                if blocks > held[i]:
                    free -= blocks - held[i]
                    held[i] = blocks
            elif taken[i] > 0:
                context[i] += taken[i]
                taken[i] = 0
                if context[i] >= target[i]:
                    made[i] += 1
                    target[i] = context[i]
                    if math.isnan(first[i]):
                        first[i] = now
            if made[i] >= outputs[i]:
                finished[i] = now
                free += held[i]
                held[i] = 0
                for j in range(k, count - 1):
                    running[j] = running[j + 1]
                count -= 1
            else:
                k += 1
    return Served(scheduled, first, finished, outcome, preemptions, steps)


@compiled
def _preempt(
    i: int,
    context: Whole,
    target: Whole,
    inputs: Whole,
    made: Whole,
    held: Whole,
    preemptions: Whole,
) -> int:
    """Take a request's cache away; return its blocks. What it has said is computed again."""
    blocks = int(held[i])
    held[i], context[i] = 0, 0
    target[i] = inputs[i] + made[i]
    preemptions[i] += 1
    return blocks


@compiled
def _blocks(tokens: int, size: int) -> int:
    return (tokens + size - 1) // size


@compiled
def _room(wanted: int, context: int, held: int, free: int, size: int) -> int:
    """Return how many of the wanted tokens fit the blocks."""
    room: int = max(min(wanted, (held + free) * size - context), 0)
    return room


@compiled
def _ahead(
    t: StepTerms,
    running: Whole,
    count: int,
    context: Whole,
    made: Whole,
    outputs: Whole,
    held: Whole,
    free: int,
    size: int,
    mean: float,
    until: float,
) -> tuple[int, float]:
    """Return how many steps pass until something happens, and their time.

    A step's time is smooth in the contexts, and near enough a parabola while it changes by SMOOTH.
    """
    steps = 2**62
    for k in range(count):
        i = running[k]
        steps = min(steps, int(outputs[i] - made[i]))
    if mean < t.window:  # the reach of windows is a kink
        steps = min(steps, max(math.ceil(t.window - mean), 1))
    begin = seconds_of(t, float(count), mean, 0.0, 0.0)
    growth = (t.cache_context + t.cache_window) * t.stack * count / t.shared
    if growth * steps > SMOOTH * begin:
        steps = max(int(SMOOTH * begin / growth), 1)
    low, high = 1, steps
    while low < high:  # the most steps whose blocks there are; one is there already
        middle = (low + high + 1) // 2
        need = 0
        for k in range(count):
            i = running[k]
            need += max(_blocks(context[i] + middle, size) - held[i], 0)
        if need <= free:
            low = middle
        else:
            high = middle - 1
    steps = low
    spent = _sum(t, float(count), mean, begin, steps)
    if until < spent:
        low, high = 1, min(max(int(until / begin) + 1, 1), steps)  # no step is shorter than begin
        while low < high:  # the fewest steps that last until then
            middle = (low + high) // 2
            if _sum(t, float(count), mean, begin, middle) < until:
                low = middle + 1
            else:
                high = middle
        steps = low
        spent = _sum(t, float(count), mean, begin, steps)
    return steps, spent


SMOOTH = 0.01
"""Growth of a step, as a share of its time, over which sums are by Simpson's rule: 1e-10 of it."""


@compiled
def _sum(t: StepTerms, batch: float, mean: float, begin: float, n: int) -> float:
    """Return the time of n steps, the parabola through the first, the middle and the last."""
    if n == 1:
        return begin
    half = seconds_of(t, batch, mean + 0.5 * (n - 1), 0.0, 0.0)
    end = seconds_of(t, batch, mean + n - 1.0, 0.0, 0.0)
    return n * half + (begin - 2.0 * half + end) * n * (n + 1) / (6.0 * (n - 1))
