"""Time the search: points per second and core, and the memory that a large one takes.

    python tools/bench_search.py [--points N]

Prints rates and ratios and asserts nothing. The wide search takes the racks and workloads of the
flagship over far more software axes, so that at least N points are evaluated.
With LLM_ANALYSIS naming a Python that has the package llm-analysis, its rate is measured in the
same run. Calculon's rate was measured by others, on its public validation runs.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import time
from math import ceil
from pathlib import Path

from rackwright import catalog as catalogs
from rackwright.design import How, Meter, search
from rackwright.load import load_models, load_study
from rackwright.records.study import DesignSpace, SoftwareSpace, Study

STUDY = Path("examples/houston/study.toml")
CALCULON_PER_CORE_SECOND = (93.0, 397.0)
"""Training configurations; measured by others on its public validation runs."""

_LLM_ANALYSIS = """
import time, logging
logging.disable(logging.CRITICAL)
from llm_analysis.analysis import LLMAnalysis, ActivationRecomputation, DSZeRO
from llm_analysis.config import ModelConfig, ParallelismConfig, get_gpu_config_by_name
model = ModelConfig("dense-7b", 32, 32, 4096, 32000, max_seq_len=2048, num_key_value_heads=32,
    num_key_value_groups=1, ffn_embed_dim=11008, expansion_ratio=2.6875, model_type="llama")
gpu = get_gpu_config_by_name("a100-sxm-80gb")
count, since = 0, time.process_time()
while time.process_time() - since < 3.0:
    for tp in (1, 2, 4, 8):
        for pp in (1, 2, 4, 8):
            one = LLMAnalysis(model, gpu, parallelism_config=ParallelismConfig(
                tp_size=tp, pp_size=pp, dp_size=64 // (tp * pp) or 1), flops_efficiency=0.5,
                hbm_memory_efficiency=0.8)
            one.training(batch_size_per_gpu=1, gradient_accumulation_steps=8, seq_len=2048,
                total_num_tokens=1e9, activation_recomputation=ActivationRecomputation.NONE,
                ds_zero=DSZeRO.STAGE_1)
            count += 1
print(count / (time.process_time() - since))
"""


def main() -> None:
    """Print the rates of a small and of a wide search beside others'."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=float, default=1e8)
    wanted = parser.parse_args().points
    loaded = load_study(STUDY)
    components = catalogs.load()
    models = load_models(loaded.study, components, STUDY.parent)
    search(loaded.study, components, models)  # compiles
    wide = _widened(loaded.study, 1)
    meter = Meter()
    space = search(wide, components, models, How(meter=meter))
    ours = _rates("one process", space.search, meter)
    evaluated = space.search.training.evaluated + space.search.serving.evaluated
    repeats = ceil(wanted / evaluated)
    meter, since = Meter(), time.perf_counter()
    space = search(_widened(loaded.study, repeats), components, models, How(jobs=2, meter=meter))
    _rates(f"two processes, {time.perf_counter() - since:.0f} s", space.search, meter)
    kilo = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"largest resident memory: {kilo / 1e3:.0f} MB here, {child / 1e3:.0f} MB in a worker")
    low, high = CALCULON_PER_CORE_SECOND
    print(f"Calculon, published: {low:.0f} to {high:.0f}/s and core: {ours / high:,.0f} to "
          f"{ours / low:,.0f} times slower")  # fmt: skip
    other = _llm_analysis()
    if other is None:
        print("llm-analysis: not measured (LLM_ANALYSIS names no Python that has it)")
    else:
        slower = ours / other
        print(f"llm-analysis, measured now: {other:,.0f}/s and core: {slower:,.0f} times slower")


def _widened(study: Study, times: int) -> Study:
    """Return the study with many values on every software axis; batches multiply by `times`."""
    software = SoftwareSpace(
        tensor_parallel=(1, 2, 4, 8, 16, 32),
        pipeline_parallel=(1, 2, 3, 4, 6, 7, 8, 9, 12, 14, 16, 18, 21, 24),
        context_parallel=(1, 2, 4, 8),
        expert_parallel=(1, 2, 4, 8, 16, 32, 64),
        micro_batch=(1, 2, 3, 4, 6, 8),
        interleave=(1, 2, 3, 4, 6, 7, 8, 9),
        zero=(0, 1, 2, 3),
        offload=("none", "optimizer"),
        sequence_parallel=(True, False),
        precision=("fp8", "bf16"),
        draft_tokens=(0, 1, 2, 3),
        prefill_share=(0.0, 0.25, 0.5),
        prefill_chunk_tokens=(512, 1024, 2048, 4096, 8192, 16384),
        batch=tuple(range(1, 1 + 24 * times)),
    )
    space = DesignSpace(**{**dict(study.design_space), "software": software})
    return Study(**{**dict(study), "design_space": space})


def _rates(label: str, stats, meter: Meter) -> float:  # type: ignore[no-untyped-def]
    """Print what was evaluated per CPU second; return the rate of training."""
    print(f"{label}: {stats.hardware} blocks")
    found = {}
    for kind in ("training", "serving"):
        counts, seconds = getattr(stats, kind), meter.seconds[kind]
        found[kind] = counts.evaluated / seconds
        print(
            f"  {kind:8s} {counts.evaluated:13,} evaluated, {counts.pruned:13,} pruned, "
            f"{seconds:6.1f} s of CPU: {found[kind] / 1e6:.2f} million/s and core"
        )
    return found["training"]


def _llm_analysis() -> float | None:
    python = os.environ.get("LLM_ANALYSIS")
    if not python:
        return None
    done = subprocess.run(
        [python, "-c", _LLM_ANALYSIS], capture_output=True, text=True, check=False
    )
    lines = done.stdout.split()
    return float(lines[-1]) if done.returncode == 0 and lines else None


if __name__ == "__main__":
    main()
