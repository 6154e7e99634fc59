"""Time the request-level simulator on one core: requests per second of CPU, after compilation.

Two loads, both with preemption and prefix cache:

- lengths like those of Azure's conversation trace of 2023 (means 1,155 and 211 tokens; medians of
  1,020 and 129 as the Splitwise paper, ISCA 2024, gives them), Poisson arrivals just above what
  one replica of an 8B model serves, its places limited by memory alone, the first run of each
  prompt one of 100;
- Mooncake's conversation trace at eight times its rate on one replica of a 70B model. The trace is
  not part of this repository: it is looked for in the folder that RACKWRIGHT_DATA names.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

from rackwright import catalog
from rackwright.design.deploy import Deployment, Engine, Layout, deploy
from rackwright.design.parameters import draw, engine_of
from rackwright.design.simulate import run
from rackwright.formats.trace import read_trace
from rackwright.kernels.arrivals import Lengths, draw_lengths, log_normal, poisson_arrivals
from rackwright.kernels.prefix import shared_runs
from rackwright.kernels.simulator import Requests
from rackwright.simulated import hardware_of

N = 300_000
RUN_TOKENS = 512
RATE_PER_S = 28.0
MOONCAKE = "trace_mooncake_conversation.jsonl"


def main() -> None:
    """Print both rates, with what shows that the load was the one that is claimed."""
    rng = np.random.default_rng(1)
    (a, sa), (b, sb) = log_normal(1155.0, {0.5: 1020.0}), log_normal(211.0, {0.5: 129.0})
    inputs, outputs = draw_lengths(
        N, Lengths(np.array([a, b]), np.diag([sa**2, sb**2]), np.array([14_000.0, 2_000.0])), rng
    )
    counts = (inputs > RUN_TOKENS).astype(np.int64)
    names = rng.integers(0, 100, int(counts.sum()))
    links, chain = shared_runs(counts, names, inputs, RUN_TOKENS)
    arrivals = poisson_arrivals(N, RATE_PER_S, rng)
    lengths = (float(inputs.mean()), float(outputs.mean()))
    told = f"Azure's lengths, means {lengths[0]:,.0f} and {lengths[1]:,.0f} tokens"
    small = _deployed("llama-3.1-8b", 1, lengths)
    asked = Requests(arrivals, inputs, outputs, links, chain, RUN_TOKENS, 0)
    _timed(told, small, asked)
    _timed("the same at six tenths of the rate", small, asked._replace(arrivals=arrivals / 0.6))

    file = Path(os.environ.get("RACKWRIGHT_DATA", "")) / MOONCAKE
    if not file.is_file():
        print(f"RACKWRIGHT_DATA names no folder with {MOONCAKE}: not timed")
        return
    trace = read_trace(file)
    links, chain = shared_runs(trace.counts, trace.names, trace.inputs, RUN_TOKENS)
    lengths = (float(trace.inputs.mean()), float(trace.outputs.mean()))
    large = _deployed("llama-3.1-70b", 8, lengths)
    asked = Requests(trace.arrivals / 8.0, trace.inputs, trace.outputs, links, chain, RUN_TOKENS, 0)
    _timed("Mooncake's trace, eight times its rate", large, asked)


def _deployed(model: str, tensor: int, lengths: tuple[float, float]) -> Deployment:
    components = catalog.load()
    hardware = hardware_of("H100", components)
    software = engine_of(components, "vllm", (9999,))
    parameters = draw(components, (hardware.accelerator.family,), n=2, stacks=(software.key,))
    engine = Engine(requests_at_once=1024)
    layout = Layout("fp8" if tensor > 1 else "bf16", tensor=tensor)
    shape = components.model(model)
    return deploy(hardware, shape, model, layout, engine, lengths, parameters, software)


def _timed(told: str, deployed: Deployment, asked: Requests) -> None:
    few = Requests(
        asked.arrivals[:9], asked.inputs[:9], asked.outputs[:9], asked.links[:9],
        asked.chain[: int(asked.links[:9].sum())], asked.run_tokens, 0,
    )  # fmt: skip
    run(deployed, few)  # compiles, or reads what was compiled
    best, got = np.inf, None
    for _ in range(5):
        since = time.process_time()
        got = run(deployed, asked)
        best = min(best, time.process_time() - since)
    assert got is not None, "at least one round was timed"
    n = asked.inputs.size
    busy = float(got.busy[0] / got.finished[got.outcome == 0].max())
    print(
        f"{told}: {n / best:,.0f} requests per second of CPU (best of 5 rounds of {n:,}); "
        f"{int(got.preemptions.sum()):,} preemptions, "
        f"{got.hit.sum() / asked.inputs.sum():.1%} of prompt tokens found in the cache, "
        f"{int(got.steps[0]) / n:.2f} engine steps a request, replica busy {busy:.0%}, "
        f"{n / np.nanmax(got.finished):.1f} requests/s served"
    )


if __name__ == "__main__":
    main()
