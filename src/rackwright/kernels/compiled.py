"""How a kernel is compiled: cached on disk, with fast-math flags that keep inf and nan tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit
from numba.np.unsafe.ndarray import to_fixed_tuple

as_tuple: Any = to_fixed_tuple
"""`as_tuple(row, n)` inside a kernel: a row of n numbers as a tuple, for a named tuple."""

F = TypeVar("F", bound=Callable[..., object])

FLAGS = {"reassoc", "contract", "arcp", "nsz", "afn"}
"""Not `fastmath=True`: that also assumes there is no inf or nan, and drops the tests for them."""

_FOLDER = Path(__file__).parent


def compiled(function: F) -> F:
    """Return the function compiled, with a disk cache that any change of a kernel file renews.

    numba keys its cache by the function's own file only, while the functions it calls are
    compiled into it: editing `operators.py` would leave a stale `training.py`. So a stamp over the
    whole folder is part of the version, which numba compares before it reads anything else (what
    it would read can name types that are no longer there).
    """
    return cast(F, _stamped(njit(cache=True, fastmath=FLAGS)(function)))


def bare(function: F) -> F:
    """Return the function compiled as `compiled` does, without counts of references to arrays.

    For functions that are called a million times and allocate nothing: the counts are atomic, and
    cost more than such a function does. It may make no array, nor take one out of a tuple.
    """
    return cast(F, _stamped(_bare(cache=True, fastmath=FLAGS, _nrt=False)(function)))


def inlined(function: F) -> F:
    """Return the function compiled as `bare` does, and put into each of its callers.

    For small functions that take tables: passing them costs more than the function does.
    """
    options = {"cache": True, "fastmath": FLAGS, "_nrt": False, "forceinline": True}
    return cast(F, _stamped(_bare(**options)(function)))


_bare: Any = njit  # the type stubs do not know all options


def _stamped(kernel: Any) -> Any:
    index: Any = getattr(getattr(kernel, "_cache", None), "_cache_file", None)
    if hasattr(index, "_version"):  # absent: numba's own stamp stays, as it would be
        index._version = f"{index._version} {_stamp()}"
    return kernel


def _stamp() -> tuple[float, int]:
    facts = [path.stat() for path in _FOLDER.glob("*.py")]
    return max(f.st_mtime for f in facts), sum(f.st_size for f in facts)
