"""Serve requests one by one, from a trace or made, and show what users would see."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from rackwright.asked import Arrivals, Wanted
from rackwright.cli.options import CalibrationFile, CatalogFolder
from rackwright.cli.output import JsonFlag, answer
from rackwright.cli.progress import Progress
from rackwright.cli.tables import rate, table
from rackwright.drawing.simulation import simulation_svg
from rackwright.formats.atomic import make_folder, write_json, write_text
from rackwright.records.simulation import Simulation, Spread
from rackwright.simulated import Served, Setting, simulated

RECORD, PICTURE = "simulation.json", "simulation.svg"


def run(
    trace: Annotated[
        Path | None,
        typer.Argument(help="requests as CSV or JSON lines; none: they are made"),
    ] = None,
    study: Annotated[
        Path | None, typer.Option(metavar="FILE", help="serve a workload of this study")
    ] = None,
    workload: Annotated[str, typer.Option(metavar="NAME", help="of the study")] = "",
    design: Annotated[str, typer.Option(metavar="ID", help="a design of the study's space")] = "",
    model: Annotated[str, typer.Option(help="without a study: a model of the catalog")] = "",
    on: Annotated[str, typer.Option(metavar="NAME", help="an accelerator or rack system")] = "",
    precision: Annotated[str, typer.Option(help="of the weights: bf16, fp8, fp4")] = "",
    cache_precision: Annotated[str, typer.Option(help="of keys and values: bf16, fp8")] = "",
    tensor: Annotated[int, typer.Option(help="accelerators that share each matrix")] = 1,
    pipeline: Annotated[int, typer.Option(help="stages of layers")] = 1,
    expert: Annotated[int, typer.Option(help="accelerators that share the experts")] = 1,
    replicas: Annotated[
        int | None, typer.Option(help="with a prefill pool: those that decode")
    ] = None,
    prefill_replicas: Annotated[
        int | None, typer.Option(help="a pool apart that only prefills")
    ] = None,
    prefill_tensor: Annotated[
        int | None, typer.Option(help="as --tensor, of the prefill pool; none: the same")
    ] = None,
    prefill_expert: Annotated[int | None, typer.Option(help="as --expert, likewise")] = None,
    engine: Annotated[str, typer.Option(help="of the catalog; none: vllm")] = "",
    requests_at_once: Annotated[int | None, typer.Option(help="in one replica")] = None,
    step_tokens: Annotated[int | None, typer.Option(help="in one step of a replica")] = None,
    block_tokens: Annotated[int, typer.Option(help="of a cache block")] = 16,
    cache_tokens: Annotated[
        int | None, typer.Option(help="of one replica; none: what its memory holds")
    ] = None,
    prefix_cache: Annotated[bool, typer.Option(help="prompts that begin alike")] = True,
    hash_tokens: Annotated[int, typer.Option(help="of a prefix block of the trace")] = 512,
    whole_prompt: Annotated[
        bool, typer.Option(help="a prompt waits until all its blocks are free")
    ] = True,
    route: Annotated[
        str, typer.Option(help="round-robin, least-loaded, prefix-aware, one-line")
    ] = "round-robin",
    requests: Annotated[
        int | None, typer.Option(metavar="N", help="how many; of a trace the first")
    ] = None,
    rate_: Annotated[
        float | None,
        typer.Option(
            "--rate", metavar="R", help="requests per second; a trace's times are stretched"
        ),
    ] = None,
    arrivals: Annotated[str, typer.Option(help="poisson, bursty or diurnal")] = "poisson",
    cv: Annotated[float, typer.Option(help="of the gaps of bursty arrivals")] = 2.0,
    swing: Annotated[float, typer.Option(help="of the rate over a day, 0..1")] = 0.5,
    period: Annotated[str, typer.Option(help="of diurnal arrivals")] = "24 h",
    input_: Annotated[
        str,
        typer.Option(
            "--input", metavar="TOKENS", help="1155, or mean=1155,p90=2500, or p50=..,p90=.."
        ),
    ] = "",
    output: Annotated[str, typer.Option(metavar="TOKENS", help="as --input")] = "",
    lengths: Annotated[
        Path | None, typer.Option(metavar="TRACE", help="log-normal lengths fitted to a trace")
    ] = None,
    clients: Annotated[
        int, typer.Option(metavar="N", help="that ask again after each answer; 0: open loop")
    ] = 0,
    think: Annotated[
        str, typer.Option(help="mean time from an answer to the next request")
    ] = "0 s",
    ttft: Annotated[str, typer.Option(help="limit of the time to first token")] = "",
    tpot: Annotated[str, typer.Option(help="limit of the time per output token")] = "",
    seed: Annotated[int, typer.Option(min=0, help="of what is made")] = 1,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="keep the record and the picture")
    ] = None,
    catalog: CatalogFolder = None,
    calibration: CalibrationFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Serve requests one by one, from a trace or made, and show what users would see."""
    setting = Setting(
        study, workload, design, model, on, precision, cache_precision, tensor, pipeline, expert,
        replicas, prefill_replicas, prefill_tensor, prefill_expert, engine, requests_at_once,
        step_tokens, block_tokens, cache_tokens, prefix_cache, whole_prompt, route,
    )  # fmt: skip
    wanted = Wanted(
        trace, hash_tokens, requests, rate_, Arrivals(arrivals, cv, swing, period), input_, output,
        lengths, clients, think,
    )  # fmt: skip
    with Progress() as progress:
        found = simulated(setting, wanted, ttft, tpot, seed, catalog, calibration, progress)
        if out is not None:
            progress("simulate: writing the record and the picture")
            _keep(out, found)
    lines = _lines(found.record)
    if out is not None:
        lines += ["", f"record: {out / RECORD}"]
    following = f"rackwright design {study} --explain {design}" if study else (
        f"rackwright catalog show {found.record.deployed.accelerator}"
    )  # fmt: skip
    answer(_document(found.record), lines, following, as_json=as_json)


def _document(record: Simulation) -> dict[str, Any]:
    return record.model_dump(mode="json")


def _keep(out: Path, found: Served) -> None:
    make_folder(out)
    write_json(out / RECORD, _document(found.record))
    if found.record.ttft is not None:
        write_text(out / PICTURE, simulation_svg(found.record))


def _lines(s: Simulation) -> list[str]:
    d, a = s.deployed, s.asked
    pools = f"{d.replicas} of {d.accelerators_per_replica}"
    if d.prefill_replicas:
        pools = (
            f"{d.prefill_replicas} of {d.accelerators_per_prefill_replica} to prefill and {pools} "
            "to decode"
        )
    lines = [
        f"{d.model} in {d.precision} on {d.accelerator}: replicas {pools}; cache of "
        f"{d.cache_tokens:,} tokens a replica",
        f"{a.requests:,} requests ({a.source}) over {a.seconds:,.1f} s, prompts of "
        f"{a.input_mean:,.0f} and answers of {a.output_mean:,.0f} tokens on average",
        "; ".join(f"{n:,} {word}" for word, n in s.outcomes.items() if n or word == "served"),
        "",
    ]
    rows = [
        _row(name, spread, scale)
        for name, spread, scale in (
            ("time to first token [s]", s.ttft, 1.0),
            ("time per output token [ms]", s.tpot, 1e3),
            ("whole answer [s]", s.e2e, 1.0),
        )
        if spread is not None
    ]
    if rows:
        lines += table(["", "mean", "p50", "p90", "p95", "p99", "max"], rows)
        lines.append("")
    lines.append(
        f"{s.requests_per_s:,.3g} requests/s, {rate(s.output_tokens_per_s)} output tokens/s "
        f"until the last answer at {s.seconds:,.1f} s"
    )
    if s.within is not None:
        lines.append(
            f"within the limits: {s.within.share:.1%} of the requests; goodput "
            f"{s.within.requests_per_s:,.3g} requests/s, {rate(s.within.tokens_per_s)} tokens/s"
        )
    busy, cache = s.busy_share, s.over_time.cache_share
    lines.append(
        f"replicas busy {min(busy):.0%} to {max(busy):.0%}; cache held "
        f"{max(cache, default=0.0):.0%} at most; {s.hit_share:.1%} of prompt "
        f"tokens found in it; {s.preemptions:,} preemptions"
    )
    waiting = s.over_time.waiting
    lines.append(
        f"queue: {max(waiting, default=0.0):,.0f} requests at its longest, "
        f"{waiting[-1] if waiting else 0.0:,.0f} in the last {s.over_time.span_s:,.3g} s"
    )
    notes = (*a.notes, *d.assumptions)
    return lines + [f"note: {note}" for note in notes] + [f"grade {s.grade}"]


def _row(name: str, spread: Spread, scale: float) -> list[str]:
    values = (spread.mean_s, spread.p50_s, spread.p90_s, spread.p95_s, spread.p99_s, spread.max_s)
    return [name, *(f"{scale * v:,.4g}" for v in values)]
