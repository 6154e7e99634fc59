"""Small tables whose measurements our own model made: what scoring them must say is known."""

import csv
from pathlib import Path

from rackwright.catalog import load
from rackwright.validate.resolve import Models, Refusals
from rackwright.validate.serving import serving_cases, serving_parameters, serving_points
from rackwright.validate.table import open_table
from rackwright.validate.training import training_cases, training_parameters, training_points

CATALOG = load()

TRAINING = {
    "row_id": "a-0", "source_id": "a", "software": "x 1.0", "model": "toy", "arch": "dense",
    "layers": "16", "hidden": "2048", "heads": "16", "kv_heads": "16", "head_dim": "128",
    "ffn": "8192", "gated": "0", "vocab": "50304", "seq": "2048", "accelerator": "H100",
    "n_acc": "16", "scaleup_size": "8", "precision": "BF16", "tp": "2", "pp": "2", "vpp": "1",
    "cp": "1", "ep": "1", "dp": "4", "zero_stage": "1", "offload": "", "recompute": "none",
    "mbs": "2", "gbs": "64", "tokens_per_s_per_acc": "", "step_time_s": "1.0",
    "config_complete": "1", "quality": "", "group": "",
}  # fmt: skip

SERVING = {
    "row_id": "s-0", "source_id": "a", "model": "llama-3.1-70b", "num_accel": "8",
    "accelerator": "NVIDIA H200 SXM 141GB", "mode": "agg", "tp": "8", "pp": "1", "ep": "1",
    "dp": "1", "layout": "", "precision": "fp8", "isl": "1024", "osl": "1024",
    "concurrency": "32", "batch": "", "framework": "", "out_tok_s": "", "out_tok_s_per_accel": "",
    "ttft_ms": "100", "tpot_ms": "10", "flags": "",
}  # fmt: skip


def write(file: Path, rows, columns=None) -> Path:
    """Write rows as a table."""
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns or list(rows[0]), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return file


def varied(base, column, values):
    """Return a row for each value of one column, with ids and groups of their own."""
    return [{**base, column: str(v), "row_id": f"{base['source_id']}-{column}-{v}"} for v in values]


def predicted_steps(file: Path):
    """Return our step time [s] of each row by its id."""
    cases, _ = training_cases(open_table(file, "training"), CATALOG, Models(CATALOG))
    points = training_points(cases, training_parameters(cases, CATALOG), Refusals())
    return {p.row_id: p.predicted for p in points}


def predicted_serving(file: Path):
    """Return our TPOT, TTFT [s] and rates by quantity and row id."""
    cases, _ = serving_cases(open_table(file, "serving"), CATALOG, Models(CATALOG))
    points = serving_points(cases, serving_parameters(cases, CATALOG), Refusals())
    return {
        name: {p.row_id: p.predicted for p in getattr(points, name)}
        for name in ("tpot", "ttft", "throughput")
    }


def as_predicted_training(file: Path, rows, factor=1.0) -> Path:
    """Write rows whose measured step time is ours, times a factor."""
    steps = predicted_steps(write(file, rows))
    return write(file, [{**r, "step_time_s": repr(steps[r["row_id"]] * factor)} for r in rows])


def as_predicted_serving(file: Path, rows, factor=1.0) -> Path:
    """Write rows whose measured times are ours, times a factor."""
    ours = predicted_serving(write(file, rows))
    made = []
    for row in rows:
        cells = dict(row)
        for name, column, scale in (("tpot", "tpot_ms", 1e3), ("ttft", "ttft_ms", 1e3),
                                    ("throughput", "out_tok_s", 1.0)):  # fmt: skip
            if row[column]:
                cells[column] = repr(ours[name][row["row_id"]] * scale * factor)
        made.append(cells)
    return write(file, made)
