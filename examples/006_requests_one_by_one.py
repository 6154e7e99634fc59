"""A replica, request by request: what users see as the load grows, and what a full cache does."""

import numpy as np

from rackwright import catalog
from rackwright.design.deploy import Engine, Layout, deploy
from rackwright.design.parameters import draw
from rackwright.design.simulate import simulate
from rackwright.kernels.arrivals import Lengths, draw_lengths, log_normal, poisson_arrivals
from rackwright.kernels.simulator import alone
from rackwright.records.simulation import Asked
from rackwright.simulated import hardware_of

N = 5_000
components = catalog.load()
hardware = hardware_of("H100", components)
shape = components.model("llama-3.1-8b")
# The estimates of the catalog alone, so that what is printed stays when fits are renewed.
parameters = draw(components, (hardware.accelerator.family,), 2, calibrations=())

# Lengths like those of a chat: log-normal, known by their means and medians.
(prompt, prompt_sd), (said, said_sd) = log_normal(1155, {0.5: 1020}), log_normal(211, {0.5: 129})
spread = np.diag([prompt_sd**2, said_sd**2])
lengths = Lengths(np.array([prompt, said]), spread, np.array([14_000.0, 2_000.0]))
inputs, outputs = draw_lengths(N, lengths, np.random.default_rng(1))
means = (float(inputs.mean()), float(outputs.mean()))

for room in (None, 100_000):
    engine = Engine(requests_at_once=256, cache_tokens=room)
    replica = deploy(hardware, shape, shape.name, Layout("bf16"), engine, means, parameters)
    print(f"a cache of {replica.record.cache_tokens:,} tokens")
    print("  requests/s  TTFT p50   p99 [ms]  TPOT p50   p99 [ms]  within  preempted")
    for rate in (8.0, 12.0, 16.0, 20.0):
        arrivals = poisson_arrivals(N, rate, np.random.default_rng(2))
        asked = Asked(
            source="made", requests=N, clients=0, seconds=float(arrivals[-1]),
            input_mean=means[0], output_mean=means[1], shared_share=0.0,
        )  # fmt: skip
        seen, _ = simulate(
            replica, alone(arrivals, inputs, outputs), asked, 2, ttft_limit_s=1.0, tpot_limit_s=0.03
        )
        assert seen.ttft is not None
        assert seen.tpot is not None
        assert seen.within is not None
        print(
            f"  {rate:>10.0f}{1e3 * seen.ttft.p50_s:>10.0f}{1e3 * seen.ttft.p99_s:>11.0f}"
            f"{1e3 * seen.tpot.p50_s:>10.1f}{1e3 * seen.tpot.p99_s:>11.1f}"
            f"{seen.within.share:>8.1%}{seen.preemptions:>11,}"
        )
