"""DESIGN: which racks there could be, what they need, and what they do.

In: a Study, the catalog, the shapes of its models. Out: a Space (every row that some prices could
prefer, with the draws of its rates) and a Front (what people compare); `price` is loop 1's answer.

Reading order: `rack.py` (one rack), `compose.py` (racks from parts), `network.py` (their fabric),
`bill.py` (bill and price), `nets.py`, `floor.py`, `media.py`, `cabling.py` and `fabric.py` (every
port and cable of a plan, which `fabric_plan.py` takes from a design), `clos.py` (a planned
cluster), `scale_up.py` (links inside a rack), `candidates.py` (the hardware axes), `numbers.py`,
`parameters.py`, `software.py` and `choose.py` (the software axes, the best plan), `shards.py` (all
blocks, resumable), `performance.py` (what the chosen plans do), `space.py`, `sources.py` and
`dominance.py` (rows of the space), `search.py` (all of it), `front.py`, `pricing.py`, `probes.py`
(what early hardware should read); `deploy.py` and `simulate.py` (requests one by one),
`confirm.py` (what they say of the front).
"""

from rackwright.design.confirm import confirm
from rackwright.design.front import front
from rackwright.design.performance import How
from rackwright.design.pricing import price
from rackwright.design.search import predict_probes, search
from rackwright.design.shards import Ledger, Meter

__all__ = ["How", "Ledger", "Meter", "confirm", "front", "predict_probes", "price", "search"]
