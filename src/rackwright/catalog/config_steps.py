"""What no single key of a configuration file states, and the list of all such steps.

A step takes the keys of a file and the fields read so far, and returns the fields it adds. An
`Architecture` names the steps of its type. Layer patterns are in `config_layers`, which layers
hold experts in `config_experts`; here are heads, widths and a few odd spellings.
"""

from __future__ import annotations

from collections.abc import Mapping

from rackwright.catalog.config_experts import EXPERT_STEPS
from rackwright.catalog.config_keys import ConfigKeys, Fields, Step
from rackwright.catalog.config_layers import LAYER_STEPS


def latent_heads(keys: ConfigKeys, fields: Fields) -> Fields:
    """Return the heads of latent attention: as many for keys as for queries."""
    nope, rope = fields.get("attention.nope_dim"), fields.get("attention.rope_dim")
    both = keys.raw("_query_dim")
    if nope and rope and both is not None and both != nope + rope:
        keys.wrong(
            f"{keys.key('_query_dim')}: found {both}, but {keys.key('attention.nope_dim')} {nope} "
            f"and {keys.key('attention.rope_dim')} {rope} make {nope + rope}"
        )
    return {"kv_heads": fields["heads"], "head_dim": fields.get("attention.v_dim")}


def delta_heads(keys: ConfigKeys, fields: Fields) -> Fields:
    """Return delta-net sizes that a file states once for keys and values."""
    heads, size = keys.whole("_delta_heads"), keys.whole("_delta_dim")
    return {
        "hybrid.key_heads": heads,
        "hybrid.value_heads": heads,
        "hybrid.key_dim": size,
        "hybrid.value_dim": size,
    }


def linear_heads_as_attention(keys: ConfigKeys, fields: Fields) -> Fields:
    """Return the state of linear attention whose heads are those of the full layers."""
    size = fields.get("head_dim") or int(fields["hidden"]) // int(fields["heads"])
    if "L" not in str(fields.get("hybrid.layer_pattern", "")):
        return {"hybrid.kind": None}
    return {
        "hybrid.key_heads": fields["heads"],
        "hybrid.value_heads": fields["heads"],
        "hybrid.key_dim": size,
        "hybrid.value_dim": size,
    }


def four_times_hidden(keys: ConfigKeys, fields: Fields) -> Fields:
    """Return a feed-forward width of four times the hidden one, where the file states none."""
    return {"ffn": fields.get("ffn") or 4 * int(fields["hidden"])}


def times_hidden(keys: ConfigKeys, fields: Fields) -> Fields:
    """Return a feed-forward width that the file states as a multiple of the hidden one."""
    ratio = keys.raw("_ffn_ratio")
    width = ratio * int(fields["hidden"]) if isinstance(ratio, (int, float)) else 0
    if isinstance(ratio, bool) or not 0 < width < 1e9 or width != int(width):
        keys.wrong(f"{keys.key('_ffn_ratio')}: found {ratio!r}, allowed a number above 0")
        return {}
    return {"ffn": int(width)}


def falcon_heads(keys: ConfigKeys, fields: Fields) -> Fields:
    """Return key-value heads: as stated by the new decoder, one for multi-query, else all."""
    if keys.flag("_new_decoder"):
        return {"kv_heads": fields.get("kv_heads") or fields["heads"]}
    return {"kv_heads": 1 if keys.flag("_multi_query") else fields["heads"]}


def alibi_or_else(keys: ConfigKeys, fields: Fields) -> Fields:
    """Return ALiBi where the flag says so, with no learned table."""
    if not keys.flag("_alibi"):
        return {}
    return {"positional": "alibi", "learned_positions": 0}


def one_head_if_multi_query(keys: ConfigKeys, fields: Fields) -> Fields:
    """Return one key-value head for multi-query attention."""
    return {"kv_heads": 1} if keys.raw("_attention_type") == "multiquery_attention" else {}


def same_projection(keys: ConfigKeys, fields: Fields) -> Fields:
    """Refuse a word embedding of another width than the layers."""
    width = keys.whole("_embedding_dim")
    if width is not None and width != fields["hidden"]:
        keys.wrong(
            f"{keys.key('_embedding_dim')}: found {width}, only {keys.key('hidden')} "
            f"{fields['hidden']} can be read"
        )
    return {}


def gemma4_parts(keys: ConfigKeys, fields: Fields) -> Fields:
    """Return what the full layers of Gemma 4 have of their own, and its optional experts."""
    found: Fields = {}
    if not fields.get("attention.global_key_is_value"):
        found["attention.global_kv_heads"] = None
    if fields.get("attention.global_kv_heads") == fields.get("kv_heads"):
        found["attention.global_kv_heads"] = None
    if not keys.flag("_experts_used"):
        found |= {field: None for field in fields if field.startswith("moe.")}
    return found


STEPS: Mapping[str, Step] = {
    **LAYER_STEPS,
    **EXPERT_STEPS,
    **{
        step.__name__: step
        for step in (
            latent_heads,
            delta_heads,
            linear_heads_as_attention,
            four_times_hidden,
            times_hidden,
            falcon_heads,
            alibi_or_else,
            one_head_if_multi_query,
            same_projection,
            gemma4_parts,
        )
    },
}  # fmt: skip
"""The steps that an `Architecture` may name."""
