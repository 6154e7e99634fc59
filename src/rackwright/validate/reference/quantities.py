"""How each printed count comes about: a rule for each family of keys.

A rule is a function of the facts, registered under a pattern of the quantity's name; the first
pattern that fits is asked. Nouns ("racks", "gpus per pod") need no rule: ratios give them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from rackwright.validate.reference.facts import Facts, Lacking
from rackwright.validate.reference.names import Asked, noun


class Question(NamedTuple):
    """What a rule is asked: the facts, the key as read, and the pattern's parts."""

    facts: Facts
    asked: Asked
    part: tuple[str | None, ...]


Rule = Callable[[Question], Any]

_R = TypeVar("_R", bound=Rule)

_RULES: list[tuple[re.Pattern[str], Rule]] = []


def quantity(pattern: str) -> Callable[[_R], _R]:
    """Register a function as the rule of quantities whose name fits a pattern."""

    def register(rule: _R) -> _R:
        _RULES.append((re.compile(pattern), rule))
        return rule

    return register


def value_of(facts: Facts, asked: Asked) -> Any:
    """Return the value of what a key asks for, in the unit that is printed.

    Raises:
        Lacking: the inputs do not determine it, or no rule knows it.
    """
    if asked.su is not None:
        facts = facts.varied(su=asked.su)
    for pattern, rule in _RULES:
        if match := pattern.fullmatch(asked.quantity):
            if asked.per == "su":
                facts = facts.varied(su=1)
            value = rule(Question(facts, asked, match.groups()))
            return value / asked.factor if isinstance(value, int | float) else value
    what = noun(asked.quantity)
    if not what:
        raise Lacking(f"no rule knows {asked.quantity}")
    return facts.count(what, asked.per or "cluster", asked.per_count)
