"""One configuration file while it is read: what it states, what was assumed, what is wrong.

Mistakes are collected, never raised, so that all of a file's can be told at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Literal

from rackwright.records.architecture import Architecture
from rackwright.records.base import Record
from rackwright.records.model import Attention, Experts, Hybrid, ModelShape, SlidingWindow
from rackwright.records.model import SparseAttention as Sparse

Fields = dict[str, Any]
"""Fields of a shape by dotted name, such as `moe.top_k`."""

MOST = 10**9  # no width, count or context of a published model comes near
MOST_LAYERS = 10**4
_PARTS: Mapping[str, type[Record]] = {
    "attention": Attention,
    "sliding_window": SlidingWindow,
    "sparse_attention": Sparse,
    "hybrid": Hybrid,
    "moe": Experts,
}


class ConfigKeys:
    """The keys of one file, looked up by the field they state."""

    def __init__(
        self, reading: Architecture, data: Mapping[str, Any], around: Mapping[str, Any]
    ) -> None:
        """Take the reading, the language model's own table and the table around it (or itself)."""
        self._reading, self._data, self._around = reading, data, around
        self.assumed: dict[str, Any] = {}
        self.mistakes: list[str] = []

    def stated(self) -> Fields:
        """Return every field that one key states, typed as the shape wants it."""
        fields: Fields = dict(self._reading.fixed)
        for field in self._reading.required:
            if self._lookup(field)[1] is None:
                self.wrong(
                    f"{self.key(field)}: missing; every {self._reading.key} configuration "
                    "states it, and it is not guessed"
                )
        for field in self._reading.reads:
            if not field.startswith("_"):
                value = self._typed(field)
                if value is not None:
                    fields[field] = value
        for key, allowed in self._reading.only.items():
            value = _find(self._data, key)[1]
            if value is not None and value not in allowed:
                shown = " or ".join(repr(word) for word in allowed)
                self.wrong(f"{key}: found {value!r}, only {shown} can be read")
        return fields

    def raw(self, field: str) -> Any:
        """Return what the file states for a field, else the documented default, else None."""
        key, value, stated = self._lookup(field)
        if stated:
            return value
        default = self._reading.defaults.get(key)
        if default not in (None, False, 0, "", []):
            self.assumed[key] = default
        return default

    def key(self, field: str) -> str:
        """Return the spelling that the file uses for a field, or the usual one."""
        return self._lookup(field)[0]

    def flag(self, field: str) -> bool:
        """Return a yes or no; anything else is a mistake."""
        value = self.raw(field)
        if value is None or isinstance(value, bool):
            return bool(value)
        self.wrong(f"{self.key(field)}: found {value!r}, allowed true or false")
        return False

    def whole(self, field: str, *, least: int = 1) -> int | None:
        """Return a whole number, None where there is none; anything else is a mistake."""
        value = self.raw(field)
        most = MOST_LAYERS if field == "layers" else MOST
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if value is None or (
            isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
        ):
            return value
        self.wrong(
            f"{self.key(field)}: found {_short(value)}, allowed a whole number "
            f"from {least} to {most:.0e}"
        )
        return None

    def whole_list(self, field: str) -> list[int]:
        """Return a list of whole numbers; empty where there is none or it is ill-formed."""
        value = self.raw(field)
        if value is None:
            return []
        good = isinstance(value, list) and all(
            isinstance(item, int) and 0 <= item <= MOST for item in value
        )
        if not good:
            self.wrong(f"{self.key(field)}: found {_short(value)}, allowed a list of counts")
            return []
        return [int(item) for item in value]

    def words(self, field: str, layers: int) -> list[str] | None:
        """Return one word per layer; None where the file has no such list.

        A list of another length, or of other things than words and numbers, is a mistake.
        """
        value = self.raw(field)
        if value is None:
            return None
        if isinstance(value, str):
            value = list(value)
        if not isinstance(value, list) or not all(isinstance(w, (str, int)) for w in value):
            self.wrong(f"{self.key(field)}: found {_short(value)}, allowed one word per layer")
            return []
        if len(value) != layers:
            self.wrong(
                f"{self.key(field)}: names {len(value)} layers, {self.key('layers')} says {layers}"
            )
            return []
        return [str(int(word)) if isinstance(word, bool) else str(word) for word in value]

    def biases(self) -> str:
        """Return which matrices have biases, from the flags of the file."""
        parts: set[str] = set(_BIASED[self._reading.fixed.get("biases", "none")])
        for key, which in self._reading.biases.items():
            stated, value = _find(self._data, key)
            if not stated:
                value = self._reading.defaults.get(key, False)
            negated = key.split(".")[-1].startswith("no_")
            if not isinstance(value, bool) and value is not None:
                self.wrong(f"{key}: found {_short(value)}, allowed true or false")
            elif bool(value) != negated:
                parts |= _BIASED[which]
        for name, biased in _BIASED.items():
            if parts == biased and name != "out":
                return name
        self.wrong(f"biases on {' and '.join(sorted(parts))} alone: no shape can say that")
        return "none"

    def letter(self, word: str) -> str | None:
        """Return the pattern letter of a layer's word, None where the type has no such word."""
        return self._reading.letters.get(word)

    def letter_words(self) -> Sequence[str]:
        """Return the words for layers that the type knows."""
        return sorted(self._reading.letters)

    def wrong(self, text: str) -> None:
        """Keep a mistake."""
        self.mistakes.append(text)

    def _lookup(self, field: str) -> tuple[str, Any, bool]:
        keys = self._reading.reads.get(field, ())
        for key in keys:
            stated, value = _find(self._data, key)
            if stated:
                return key, value, True
        if field == "tied_embeddings" and keys:  # composite files state it for the whole
            stated, value = _find(self._around, keys[0])
            if stated:
                return keys[0], value, True
        return (keys[0] if keys else field), None, False

    def _typed(self, field: str) -> Any:
        kind = _kind_of(field)
        if kind == "flag":
            return self.flag(field)
        if kind == "word":
            return self.raw(field)
        if field == "sliding_window.window":  # some types write 0 for no window
            return self.whole(field, least=0) or None
        return self.whole(field, least=0 if kind == "count" else 1)


_BIASED: Mapping[str, frozenset[str]] = {
    "none": frozenset(),
    "qkv": frozenset({"qkv"}),
    "attn": frozenset({"qkv", "out"}),
    "mlp": frozenset({"mlp"}),
    "all": frozenset({"qkv", "out", "mlp"}),
    "out": frozenset({"out"}),
}


@cache
def _kind_of(field: str) -> Literal["flag", "count", "whole", "word"]:
    """Return what a field of a shape holds, read from the record itself."""
    part, _, name = field.rpartition(".")
    record = _PARTS[part] if part else ModelShape
    info = record.model_fields[name]
    if info.annotation is bool:
        return "flag"
    if info.annotation not in (int, int | None):
        return "word"
    return "count" if any(getattr(limit, "ge", None) == 0 for limit in info.metadata) else "whole"


def _find(data: Mapping[str, Any], key: str) -> tuple[bool, Any]:
    """Return whether a dotted key stands in a table, and its value."""
    here: Any = data
    for word in key.split("."):
        if not isinstance(here, Mapping) or word not in here:
            return False, None
        here = here[word]
    return True, here


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


Step = Callable[[ConfigKeys, Fields], Fields]
"""One step of a reading: from keys and fields so far to the fields it adds; None takes one away."""
