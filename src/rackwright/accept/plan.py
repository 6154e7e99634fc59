"""The acceptance plan: promises and limits, frozen before the first measurement."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log, sqrt

import numpy as np

from rackwright.kernels.quantile import weighted_quantile
from rackwright.kernels.sequential import (
    boundaries,
    expected_further,
    fixed_sample,
    sibling_factor,
    unit_limit,
)
from rackwright.records.acceptance import AcceptancePlan, PlannedProbe, ProbePrediction
from rackwright.records.base import FloatArray, record_sha256
from rackwright.records.errors import InputError, nearest
from rackwright.records.provenance import worst
from rackwright.records.space import SpaceRow
from rackwright.records.study import AcceptanceTerms, ProbeTerms, Study


def plan(
    study: Study, row: SpaceRow, predictions: Sequence[ProbePrediction], weights: FloatArray
) -> AcceptancePlan:
    """Return the plan by which early racks of a design will be judged.

    The promise of a probe is the `promise_quantile` of its predicted draws, counted from the bad
    side: the product is expected to beat it in 1 - quantile of the worlds. A lot is good at
    p0 times the promise and bad at p1 times it (divided, where lower is better).

    Args:
        study: terms of the test; risks, racks, spreads by probe.
        row: the design; its hash goes into the plan.
        predictions: what each probe should read, in every world.
        weights: of the worlds, shape (S,).

    Raises:
        InputError: the study names a probe that this design does not have, or p1 >= p0.
    """
    terms = study.acceptance
    known = [p.probe for p in predictions]
    mistakes = [
        f"acceptance.probes: no probe named {name!r}; there is {', '.join(known)}."
        f"{nearest(name, known)}"
        for name in terms.probes
        if name not in known
    ]
    if terms.bad >= terms.good:
        mistakes.append(
            f"acceptance.bad: found {terms.bad:g}, must be below acceptance.good ({terms.good:g})"
        )
    if mistakes:
        raise InputError(mistakes)
    # One false rejection of a good lot is allowed at alpha over all probes together.
    alpha = terms.alpha / len(predictions)
    limit = unit_limit(terms.alpha, terms.racks * len(predictions))
    probes = tuple(
        _probe(p, terms, terms.probes.get(p.probe, terms.default_probe), weights, alpha, limit)
        for p in predictions
    )
    return AcceptancePlan(
        study_sha256=record_sha256(study),
        design=row.key,
        design_sha256=record_sha256(row),
        revision=row.revision,
        racks=terms.racks,
        hours_per_rack=terms.hours_per_rack,
        alpha=alpha,
        beta=terms.beta,
        unit_limit_z=limit,
        probes=probes,
        prior=weights,
        grade=worst([terms.grade, row.grade, *(p.grade for p in predictions)]),
        assumptions=(
            f"spreads of {len([p for p in known if p not in terms.probes])} of {len(known)} probes "
            "are the study's default",
            f"alpha {terms.alpha:g} is shared by {len(predictions)} probes: {alpha:.4g} each",
        ),
    )


def _probe(
    prediction: ProbePrediction,
    terms: AcceptanceTerms,
    spread: ProbeTerms,
    weights: FloatArray,
    alpha: float,
    limit: float,
) -> PlannedProbe:
    higher = prediction.better == "higher"
    q = terms.promise_quantile if higher else 1 - terms.promise_quantile
    promised = weighted_quantile(np.asarray(prediction.draws), weights, (q,))[0]
    sign = 1.0 if higher else -1.0
    good, bad = (promised * share**sign for share in (terms.good, terms.bad))
    sd = sqrt(spread.unit_log_sd**2 + spread.repeat_log_sd**2)
    mu_good, mu_bad = sign * log(good), sign * log(bad)
    limits = boundaries(alpha, terms.beta)
    slow_z = limit + unit_limit(terms.beta, 1)
    return PlannedProbe(
        probe=prediction.probe,
        unit=prediction.unit,
        better=prediction.better,
        predicted=prediction.nominal,
        draws=prediction.draws,
        promised=promised,
        good=good,
        bad=bad,
        unit_log_sd=spread.unit_log_sd,
        repeat_log_sd=spread.repeat_log_sd,
        model_log_sd=spread.model_log_sd,
        racks_needed=fixed_sample(mu_good, mu_bad, sd, alpha, terms.beta),
        # Wald's approximation may fall below one rack where the limits are nearly met by one.
        expected_racks_good=max(1.0, expected_further(0.0, mu_good, mu_good, mu_bad, sd, limits)),
        expected_racks_bad=max(1.0, expected_further(0.0, mu_bad, mu_good, mu_bad, sd, limits)),
        smallest_detectable=1 - exp(-slow_z * sd * sibling_factor(max(terms.racks - 1, 1))),
        how=prediction.how,
        grade=prediction.grade,
    )
