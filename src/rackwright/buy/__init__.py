"""BUY: the option to purchase.

In: an OptionCase (numbers of the plan, the product, the market). Out: a Decision.

Reading order: `case.py` (the option as numbers), `worth.py` (what a lot is worth on a day),
`option.py` (backward induction), `paths.py` (the policy on fresh paths), `decide.py` (the
decision in words), `ledger.py` (commitments as of a day).
"""

from rackwright.buy.case import option_case
from rackwright.buy.decide import decide

__all__ = ["decide", "option_case"]
