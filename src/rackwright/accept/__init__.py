"""ACCEPT: test of early hardware.

In: a space row with predicted probes, then readings.
Out: a frozen AcceptancePlan, then an AcceptanceReport with new weights of the worlds.

Reading order: `plan.py` (promises and limits), `unit.py`, `promise.py`, `model.py` (the three
questions), `judge.py` (the report), `rehearse.py` (fictitious readings to rehearse on).
"""

from rackwright.accept.judge import judge
from rackwright.accept.plan import plan
from rackwright.accept.rehearse import rehearse

__all__ = ["judge", "plan", "rehearse"]
