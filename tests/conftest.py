"""What holds for all tests: one thread per library, as the command line sets it."""

from __future__ import annotations

import os

from hypothesis import settings

for _library in ("OPENBLAS", "MKL", "OMP"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

# A busy machine is no failing test: examples have no deadline.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")
