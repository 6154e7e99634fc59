"""Pure numbers: arrays in, arrays out; nothing of ours is imported.

Reading order: `compiled.py` (how), `numbers.py` (what kernels read), `operators.py` and
`collectives.py` (one product, one exchange), `memory.py`; `training_traffic.py`, `training.py` and
`training_search.py` (a training step, all plans of a block); `serving.py`, `serving_point.py` and
`serving_modes.py` (a serving step, its operating point, how it is measured); `fabric.py`,
`calendar.py`, `quantile.py`, `sensitivity.py`, `sequential.py`, `price_process.py`, `grid.py`.
"""
