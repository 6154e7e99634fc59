"""Score our models against published measurements: every row scored, refused or named as wrong.

In: a table of the published format (the shipped ones in `tables/`), the catalog, models.
Out: a `TrainingScore` or `ServingScore`: errors of time, intervals, regret, refusals.

Reading order: `table.py` (a file to rows, and cells that cannot be right), `resolve.py` (names to
records, reasons of refusal), `measured.py` (a row as the model reads it), `training.py` and
`serving.py` (the scores), `served.py` (what each way of measuring serving says), `requests.py`
(replayed runs), `scores.py` (errors and intervals), `regret.py` (plans chosen by the model),
`cross.py` (what was left out of the fit), `fit.py`, `fit_training.py` and `fit_serving.py` (the
fit, what is fitted, on which rows), `calibrate.py` (your rows into the fit, printed).
`fabric.py` with `reference/` scores counts of published designs.
"""
