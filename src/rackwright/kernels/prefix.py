"""Prompts that begin alike: which runs of blocks several requests share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]


def shared_runs(counts: Whole, names: Whole, inputs: Whole, run_tokens: int) -> tuple[Whole, Whole]:
    """Return how many runs at the beginning of each prompt other requests have too, and which.

    Args:
        counts: (N,) names of each request.
        names: (sum of counts,) numbers >= 0 of what stands in each run of a prompt, request after
            request; equal names at the end of equal beginnings are the same run.
        inputs: (N,) prompt tokens; a run that the prompt does not fill counts for nobody else.
        run_tokens: tokens of a run.

    Returns:
        (N,) leading runs that at least one other request begins with, and their numbers from 0.

    Notes:
        Level by level: requests of one beginning that go on alike stay together. One that goes on
        alone is left out from there on, so the work is a few times the shared runs.
    """
    n = counts.size
    links, begin = np.zeros(n, dtype=np.int64), np.concatenate([[0], np.cumsum(counts)])[:-1]
    whole = np.minimum(counts, inputs // run_tokens)
    level: list[tuple[Whole, Whole]] = []
    different = int(names.max(initial=0)) + 1
    there, parent, known, depth = np.arange(n), np.zeros(n, dtype=np.int64), 0, 0
    while there.size:
        keep = whole[there] > depth
        there, parent = there[keep], parent[keep]
        if not there.size:
            break
        pairs = parent * different + names[begin[there] + depth]
        _, group, size = np.unique(pairs, return_inverse=True, return_counts=True)
        several = size > 1
        number = np.cumsum(several) - 1 + known
        keep = several[group]
        there, parent = there[keep], number[group[keep]]
        links[there] += 1
        level.append((there, parent))
        known += int(several.sum())
        depth += 1
    chain = np.empty(int(links.sum()), dtype=np.int64)
    start = np.concatenate([[0], np.cumsum(links)])[:-1]
    for depth, (some, numbers) in enumerate(level):
        chain[start[some] + depth] = numbers
    return links, chain
