"""A cache on disk that an earlier version of the kernels has left."""

import pickle
from pathlib import Path

import numba

from rackwright.kernels.compiled import compiled


def twice(x: float) -> float:
    return 2.0 * x


def test_a_cache_of_other_kernels_is_compiled_again():
    first = compiled(twice)
    assert first(1.0) == 2.0
    index = Path(first._cache._cache_file._index_path)
    gone = b"\x80\x04crackwright.kernels.numbers\nNoLongerThere\n."  # pickled, of another state
    index.write_bytes(pickle.dumps(numba.__version__) + gone)

    again = compiled(twice)
    assert again(1.0) == 2.0
    assert again.stats.cache_hits == {}
    third = compiled(twice)
    assert third(1.0) == 2.0
    assert sum(third.stats.cache_hits.values()) == 1
