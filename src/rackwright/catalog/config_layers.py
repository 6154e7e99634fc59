"""How the layers follow one another: the pattern of a shape, from the ways files state it.

A letter per layer: F full attention, S a window, L a fixed-size state; in state-space patterns
M, *, E and - each stand for one mixer or one feed-forward part.
"""

from __future__ import annotations

from collections.abc import Mapping

from rackwright.catalog.config_keys import ConfigKeys, Fields, Step


def layer_words(keys: ConfigKeys, fields: Fields) -> Fields:
    """Return the pattern from one word per layer, or from every n-th layer being a full one."""
    layers = int(fields["layers"])
    words = keys.words("_layer_words", layers)
    if words is None:
        return _every(keys, fields)
    letters = [keys.letter(word) for word in words]
    unknown = sorted({word for word, letter in zip(words, letters, strict=True) if letter is None})
    if unknown:
        keys.wrong(
            f"{keys.key('_layer_words')}: found {', '.join(map(repr, unknown))}, allowed "
            f"{', '.join(keys.letter_words())}"
        )
        return {}
    return _pattern(keys, fields, "".join(letter for letter in letters if letter))


def window_on_every_layer(keys: ConfigKeys, fields: Fields) -> Fields:
    """Return a window on every layer where the file states its width."""
    if keys.raw("_layer_words") is not None:
        return layer_words(keys, fields)
    letter = "S" if fields.get("sliding_window.window") else "F"
    return _pattern(keys, fields, letter * int(fields["layers"]))


def window_beyond(keys: ConfigKeys, fields: Fields) -> Fields:
    """Return windows on the layers after the first ones, where the file switches them on."""
    layers = int(fields["layers"])
    if not keys.flag("_window_used"):
        return {"sliding_window.window": None}
    if keys.raw("_layer_words") is not None:
        return layer_words(keys, fields)
    first = min(keys.whole("_window_from", least=0) or 0, layers)
    return _pattern(keys, fields, "F" * first + "S" * (layers - first))


def delta_layers_of_lists(keys: ConfigKeys, fields: Fields) -> Fields:
    """Return the pattern from two lists of layers, counted from one: full and delta layers."""
    layers = int(fields["layers"])
    full, delta = keys.whole_list("_full_layers"), keys.whole_list("_delta_layers")
    if not full and not delta:
        return layer_words(keys, fields)
    if sorted(full + delta) != list(range(1, layers + 1)):
        keys.wrong(
            f"{keys.key('_full_layers')} and {keys.key('_delta_layers')}: name "
            f"{len(full)} + {len(delta)} layers, {keys.key('layers')} says {layers}"
        )
        return {}
    return _pattern(
        keys, fields, "".join("F" if i + 1 in set(full) else "L" for i in range(layers))
    )


def full_layer_period(keys: ConfigKeys, fields: Fields) -> Fields:
    """Return the pattern of one attention layer in every period, at its offset."""
    period, offset = keys.whole("_full_period"), keys.whole("_full_offset", least=0)
    if period is None or offset is None:
        return {}
    if offset >= period:
        keys.wrong(
            f"{keys.key('_full_offset')}: found {offset}, allowed 0 to {period - 1} "
            f"({keys.key('_full_period')} less one)"
        )
        return {}
    layers = int(fields["layers"])
    pattern = "".join("*" if i % period == offset else "M" for i in range(layers))
    rank = keys.raw("_dt_rank")
    hidden = int(fields["hidden"])
    return {
        "hybrid.layer_pattern": repeated(pattern),
        "hybrid.dt_rank": -(-hidden // 16) if rank in (None, "auto") else keys.whole("_dt_rank"),
    }


def state_space_letters(keys: ConfigKeys, fields: Fields) -> Fields:
    """Return the pattern in which every letter is one mixer or one feed-forward part."""
    pattern = keys.raw("_letters")
    if pattern is None:
        words = keys.raw("_layer_words")
        if not isinstance(words, list) or not words:
            keys.wrong(f"{keys.key('_letters')} or {keys.key('_layer_words')}: missing")
            return {}
        pattern = "".join(keys.letter(str(word)) or "?" for word in words)
    if not isinstance(pattern, str) or not pattern or set(pattern) - set("M*E-"):
        keys.wrong(
            f"{keys.key('_letters')}: found {str(pattern)[:40]!r}, allowed the letters M "
            "(state-space), * (attention), E (experts), - (MLP)"
        )
        return {}
    layers = fields.get("layers")
    if layers is not None and layers != len(pattern):
        keys.wrong(
            f"{keys.key('_letters')}: names {len(pattern)} layers, "
            f"{keys.key('layers')} says {layers}"
        )
    found: Fields = {"layers": len(pattern), "hybrid.layer_pattern": repeated(pattern)}
    if "-" not in pattern:
        found["ffn"] = None
    if "E" not in pattern:
        found |= {field: None for field in fields if field.startswith("moe.")}
    if "M" not in pattern:
        keys.wrong(f"{keys.key('_letters')}: no layer is a state-space layer")
    return found


def compressed_blocks(keys: ConfigKeys, fields: Fields) -> Fields:
    """Return the compression ratio of every layer; each layer has the window besides."""
    layers = int(fields["layers"])
    ratios = keys.whole_list("_ratios")
    if not ratios:
        words = keys.words("_layer_words", layers)
        rates = keys.raw("_rates") or {}
        if not words or not isinstance(rates, Mapping):
            keys.wrong(f"{keys.key('_ratios')} or {keys.key('_layer_words')}: missing")
            return {}
        ratios = [int(rates.get(word) or 0) for word in words]
    if len(ratios) not in (layers, layers + 1):  # one more for the prediction layer
        keys.wrong(
            f"{keys.key('_ratios')}: names {len(ratios)} layers, {keys.key('layers')} says {layers}"
        )
        return {}
    return {
        "sliding_window.layer_pattern": f"(S)x{layers}",
        "sparse_attention.compress_ratio_by_layer": ratio_runs(ratios[:layers]),
    }


def shared_index(keys: ConfigKeys, fields: Fields) -> Fields:
    """Return how many layers own an index, where the others reuse an earlier one's."""
    words = keys.words("_index_words", int(fields["layers"]))
    own = sum(word == "full" for word in words or ())
    return {"sparse_attention.index_layers": own} if 0 < own < int(fields["layers"]) else {}


def sparse_where_flagged(keys: ConfigKeys, fields: Fields) -> Fields:
    """Return how many layers are sparse, from one flag or word per layer."""
    words = keys.words("_sparse_flags", int(fields["layers"])) or []
    sparse = sum(word not in ("0", "full_attention") for word in words)
    if not sparse:
        return {field: None for field in fields if field.startswith("sparse_attention.")}
    return {"sparse_attention.layers": sparse}


LAYER_STEPS: Mapping[str, Step] = {
    step.__name__: step
    for step in (
        layer_words, window_on_every_layer, window_beyond, delta_layers_of_lists,
        full_layer_period, state_space_letters, compressed_blocks, shared_index,
        sparse_where_flagged,
    )
}  # fmt: skip
"""The steps about layers that an `Architecture` may name."""


def repeated(pattern: str) -> str:
    """Return a pattern with its shortest period written as a repeat, and the rest behind.

    >>> repeated("SSSFSSFSSSFSSF")
    '(SSSFSSF)x2'
    >>> repeated("SSFSSFS")
    '(SSF)x2 S'
    """
    for period in range(1, len(pattern) // 2 + 1):
        times = len(pattern) // period
        rest = pattern[times * period :]
        if pattern[:period] * times == pattern[: times * period] and len(rest) < period:
            if rest and not pattern.startswith(rest):
                continue
            return f"({pattern[:period]})x{times} {rest}".strip()
    return pattern


def ratio_runs(ratios: list[int]) -> str:
    """Return ratios by layer, runs of one and alternations of two counted.

    >>> ratio_runs([0, 0, 4, 128, 4, 128, 4])
    '(0)x2 (4,128)x2 (4)x1'
    """
    told: list[str] = []
    at = 0
    while at < len(ratios):
        one, two = (_times(ratios[at:], width) for width in (1, 2))
        width, times = (2, two) if one == 1 and two > 1 else (1, one)
        told.append(f"({','.join(map(str, ratios[at : at + width]))})x{times}")
        at += width * times
    return " ".join(told)


def _times(ratios: list[int], width: int) -> int:
    """Return how often the first ones stand in a row."""
    times = 1
    while len(ratios) >= width * (times + 1) and (
        ratios[width * times : width * (times + 1)] == ratios[:width]
    ):
        times += 1
    return times


def _every(keys: ConfigKeys, fields: Fields) -> Fields:
    every = keys.whole("_full_every")
    if every is None:
        return {}
    other = keys.letter("_other") or "S"
    layers = int(fields["layers"])
    return _pattern(
        keys, fields, "".join("F" if (i + 1) % every == 0 else other for i in range(layers))
    )


def _pattern(keys: ConfigKeys, fields: Fields, pattern: str) -> Fields:
    """Return the fields of a pattern; a table of windows or states that no layer has is taken."""
    found: Fields = {}
    if "S" not in pattern:
        found |= {field: None for field in fields if field.startswith("sliding_window.")}
    elif fields.get("sliding_window.window") is None:
        keys.wrong(
            f"{keys.key('sliding_window.window')}: missing, and {pattern.count('S')} layers "
            "have a window"
        )
    else:
        found["sliding_window.layer_pattern"] = repeated(pattern)
    if "L" in pattern:
        found["hybrid.layer_pattern"] = repeated(pattern)
    else:
        found |= {field: None for field in fields if field.startswith("hybrid.")}
    return found
