"""A sequential test: how many racks tell a good lot from a bad one, and what the risks are."""

import numpy as np

from rackwright.kernels.sequential import (
    boundaries,
    expected_further,
    fixed_sample,
    log_likelihood_ratio,
)

GOOD, BAD, SPREAD = 0.0, np.log(0.98), 0.022  # a bad lot is 2 % slow; racks differ by 2.2 %
ALPHA, BETA = 0.05, 0.10

limits = boundaries(ALPHA, BETA)
print(f"a fixed sample needs {fixed_sample(GOOD, BAD, SPREAD, ALPHA, BETA)} racks")
for name, truth in (("good", GOOD), ("between", 0.5 * (GOOD + BAD)), ("bad", BAD)):
    racks = expected_further(0.0, truth, GOOD, BAD, SPREAD, limits)
    print(f"a {name} lot takes {racks:.1f} racks on average")

rng = np.random.default_rng(1)
wrong = 0
for _ in range(2000):
    total, racks, ratio = 0.0, 0, 0.0
    while limits.accept_at < ratio < limits.reject_at:
        total, racks = total + rng.normal(GOOD, SPREAD), racks + 1
        ratio = log_likelihood_ratio(total, racks, GOOD, BAD, SPREAD)
    wrong += ratio >= limits.reject_at
print(f"of 2000 good lots {wrong / 20:.1f} % were rejected; at most {100 * ALPHA:.0f} % may be")
