"""BUILD: from a study, a space and a way to price it to a plan with a proof.

In: `Study`, `Space`, `price(space, prices) -> Priced` (DESIGN's, passed in), duties.
Out: `BuildPlan` and `Certificate`.

Reading order: `plan` (the stage on one page), `scenario`, `facts` and `duties` (the study on
the bucketed calendar), `blocks` (the space as arrays), `core` and `setups` (limits), `master`
and `solver` (the linear program), `prices` and `bound` (loop 1's prices and what they prove),
`loop` (column generation), `branch`, `tree` and `rounding` (what has to be whole), `money`,
`draws`, `shadow`, `weekly`, `words`, `assumptions`, `diagnose` (what is said about the plan),
`certify`.
"""

from rackwright.build.plan import plan
from rackwright.build.scenario import apply_scenario
from rackwright.build.tree import Limits

__all__ = ["Limits", "apply_scenario", "plan"]
