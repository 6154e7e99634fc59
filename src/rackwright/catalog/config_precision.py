"""The precision of published weights, from a configuration's quantisation table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

UNQUANTISED = "bf16"
_METHODS: Mapping[str, str] = {
    "fp8": "fp8_e4m3",
    "fbgemm_fp8": "fp8_e4m3",
    "mxfp4": "experts mxfp4, rest bf16",
    "awq": "int4",
    "gptq": "int4",
}
_ALGORITHMS: Mapping[str, str] = {
    "FP8": "fp8_e4m3",
    "NVFP4": "nvfp4",
    "MIXED_PRECISION": "mixed",
    "W4A16_AWQ": "int4",
    "W4A8_AWQ": "int4",
    "INT4_AWQ": "int4",
}


def weight_precision(table: object, experts: object, wrong: Callable[[str], None]) -> str:
    """Return the precision of the weights in words; bf16 where the file has no such table.

    Args:
        table: the value of `quantization_config`, of the file or of the language model in it.
        experts: the value of `expert_dtype`, where experts are kept narrower.
        wrong: takes a line about a method that is not known.

    Notes:
        Of a method that leaves some matrices alone, experts are told from the rest where the
        table names them; the counts of a shape do not depend on it.
    """
    if table is None:
        return UNQUANTISED
    if not isinstance(table, Mapping):
        wrong(f"quantization_config: found {table!r:.60}, allowed a table")
        return UNQUANTISED
    method = table.get("quant_method")
    if method == "modelopt" or (method is None and "quant_algo" in table):
        algorithm = str(table.get("quant_algo", "MIXED_PRECISION"))
        return _known(_ALGORITHMS, algorithm, "quant_algo", wrong)
    if method == "compressed-tensors":
        return _compressed(table)
    found = _known(_METHODS, str(method), "quant_method", wrong)
    blocks = table.get("weight_block_size")
    if isinstance(blocks, list) and len(blocks) == 2:
        found = f"{found} ({blocks[0]}x{blocks[1]} blocks)"
    return f"experts {experts}, rest {found}" if isinstance(experts, str) else found


def _known(names: Mapping[str, str], name: str, key: str, wrong: Callable[[str], None]) -> str:
    if name in names:
        return names[name]
    wrong(f"quantization_config.{key}: found {name!r:.60}, allowed {', '.join(sorted(names))}")
    return UNQUANTISED


def _compressed(table: Mapping[str, Any]) -> str:
    """Return the precision of the first group of weights; experts where attention is left out."""
    groups = table.get("config_groups")
    first: object = next(iter(groups.values()), {}) if isinstance(groups, Mapping) else {}
    weights = first.get("weights") if isinstance(first, Mapping) else None
    sizes = weights if isinstance(weights, Mapping) else {}
    style = str(table.get("format", ""))
    kind = "int" if sizes.get("type", "int") == "int" else "fp"
    if style.startswith(("mxfp4", "nvfp4")):
        name = style.split("-")[0]
    else:
        name = f"{kind}{sizes.get('num_bits', 8)}"
        if kind == "int" and sizes.get("group_size"):
            name += f" (group {sizes['group_size']})"
    left_out = " ".join(str(word) for word in table.get("ignore") or ())
    return f"experts {name}, rest bf16" if "self_attn" in left_out else name
