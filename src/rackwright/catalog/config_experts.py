"""Which layers hold experts, from the several ways in which configuration files say so.

A shape knows one form: some leading dense layers, then experts on the last of every n layers.
What a file says otherwise is a mistake with the layers in its message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from rackwright.catalog.config_keys import ConfigKeys, Fields, Step


def experts_by_word(keys: ConfigKeys, fields: Fields) -> Fields:
    """Return the experts' layers from one word or flag per layer, else from leading dense ones."""
    layers = int(fields["layers"])
    stated = keys.raw("_expert_words")
    if isinstance(stated, int) and not isinstance(stated, bool):  # a period, not a list
        return {"moe.interleave": keys.whole("_expert_words")}
    words = keys.words("_expert_words", layers)
    if not words:
        return {}
    return _placed(keys, "_expert_words", [word not in ("dense", "0") for word in words])


def experts_by_number(keys: ConfigKeys, fields: Fields) -> Fields:
    """Return the experts' layers from a list of their numbers, counted from zero."""
    layers = int(fields["layers"])
    numbers = keys.whole_list("_expert_numbers")
    if not numbers:
        return {}
    if max(numbers) >= layers:
        keys.wrong(
            f"{keys.key('_expert_numbers')}: names layer {max(numbers)}, "
            f"{keys.key('layers')} says {layers}"
        )
        return {}
    return _placed(keys, "_expert_numbers", [i in set(numbers) for i in range(layers)])


def experts_every_step(keys: ConfigKeys, fields: Fields) -> Fields:
    """Return experts on the last of every n layers, except where a list says dense."""
    layers = int(fields["layers"])
    every = keys.whole("_expert_step") or 1
    dense = set(keys.whole_list("_dense_numbers"))
    holds = [(i + 1) % every == 0 and i not in dense for i in range(layers)]
    return _placed(keys, "_dense_numbers" if dense else "_expert_step", holds)


def experts_at_offset(keys: ConfigKeys, fields: Fields) -> Fields:
    """Return experts on the layer at an offset of every period."""
    period, offset = keys.whole("_expert_period"), keys.whole("_expert_offset", least=0)
    if period is None or offset is None:
        return {}
    holds = [i % period == offset for i in range(int(fields["layers"]))]
    return _placed(keys, "_expert_offset", holds)


def experts_in_range(keys: ConfigKeys, fields: Fields) -> Fields:
    """Return experts from a first to a last layer, every n-th of them."""
    layers = int(fields["layers"])
    start = keys.whole("_expert_start", least=0) or 0
    end = keys.raw("_expert_end")
    last = layers - 1 if end in (None, -1) else (keys.whole("_expert_end") or layers - 1)
    every = keys.whole("_expert_step") or 1
    holds = [start <= i <= last and (i + 1) % every == 0 for i in range(layers)]
    return _placed(keys, "_expert_start", holds)


def experts_beside_dense(keys: ConfigKeys, fields: Fields) -> Fields:
    """Return whether a dense MLP stands beside the experts; where not, its width is theirs."""
    every = keys.whole("_expert_step") or 1
    beside = keys.flag("_beside")
    found = _placed(
        keys, "_expert_step", [(i + 1) % every == 0 for i in range(int(fields["layers"]))]
    )
    width = fields.get("ffn")
    return {**found, "moe.moe_ffn": width, "moe.parallel_dense_mlp": beside}


def shared_width_each(keys: ConfigKeys, fields: Fields) -> Fields:
    """Return the total width of the shared experts where the file states that of one."""
    each, shared = keys.whole("_shared_each", least=0), fields.get("moe.shared") or 0
    if not each:
        return {"moe.shared": 0}
    return {"moe.shared": max(shared, 1), "moe.shared_ffn": each * max(shared, 1)}


def nothing_more(keys: ConfigKeys, fields: Fields) -> Fields:
    """Return nothing: the keys alone state the shape, and no step of an extended reading is due."""
    return {}


EXPERT_STEPS: Mapping[str, Step] = {
    step.__name__: step
    for step in (
        experts_by_word, experts_by_number, experts_every_step, experts_at_offset,
        experts_in_range, experts_beside_dense, shared_width_each, nothing_more,
    )
}  # fmt: skip
"""The steps about experts that an `Architecture` may name."""


def _placed(keys: ConfigKeys, field: str, holds: Sequence[bool]) -> Fields:
    """Return the leading dense layers and the period that give the same layers."""
    layers = len(holds)
    if not any(holds):
        keys.wrong(f"{keys.key(field)}: no layer holds experts")
        return {}
    first = holds.index(True)
    gaps = {b - a for a, b in pairwise(i for i, held in enumerate(holds) if held)} or {1}
    every = min(gaps)
    dense = first - every + 1
    if dense >= 0 and [i >= dense and (i - dense + 1) % every == 0 for i in range(layers)] == list(
        holds
    ):
        return {"moe.first_dense": dense, "moe.interleave": every}
    shown = ", ".join(str(i) for i, held in enumerate(holds) if not held)
    keys.wrong(
        f"{keys.key(field)}: dense layers {shown[:60]} are neither the first ones nor all but "
        "every n-th: no shape can say that"
    )
    return {}
