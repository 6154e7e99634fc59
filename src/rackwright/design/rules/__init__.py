"""Rules of design for racks and clusters: one function each, which finds what is wrong and why.

In: a PhysicalDesign. Out: Findings, each with its arithmetic, its place and how to mend it.

Reading order: `registry.py` (what a rule is; `check`), then `power.py`, `cooling.py`,
`mechanics.py`, `network.py`, `documents.py`. A new rule is one function.
"""

from rackwright.design.rules import cooling, documents, mechanics, network, power
from rackwright.design.rules.registry import RULES, Rule, check, errors

__all__ = ["RULES", "Rule", "check", "cooling", "documents", "errors", "mechanics", "network",
           "power"]  # fmt: skip
