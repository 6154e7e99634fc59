"""Which runs of blocks prompts share, against sets of beginnings."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rackwright.kernels.prefix import shared_runs


@given(st.lists(st.lists(st.integers(0, 2), max_size=5), max_size=12), st.integers(0, 80))
def test_runs_are_those_that_two_requests_begin_with(chains, tokens):
    inputs = np.array([(tokens + 7 * i) % 80 for i in range(len(chains))], dtype=np.int64)
    whole = [tuple(c[: int(t) // 16]) for c, t in zip(chains, inputs, strict=True)]
    seen = Counter(c[: k + 1] for c in whole for k in range(len(c)))
    counts = np.array([len(c) for c in chains], dtype=np.int64)
    names = np.array([n for c in chains for n in c], dtype=np.int64)
    links, chain = shared_runs(counts, names, inputs, 16)

    assert links.tolist() == [sum(seen[c[: k + 1]] > 1 for k in range(len(c))) for c in whole]
    begin, number = np.concatenate([[0], np.cumsum(links)]), {}
    for i, c in enumerate(whole):
        for k in range(links[i]):
            assert number.setdefault(c[: k + 1], chain[begin[i] + k]) == chain[begin[i] + k]
    assert len(set(number.values())) == len(number) == len(set(chain.tolist()))
