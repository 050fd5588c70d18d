"""Outcome rates of steps, with the bounds that abstentions and failures leave open.

Error rate = error / (error + supported), always beside its abstention rate, its failure rate, and what it would be if
every abstention (and every failure) hid the one or the other. Steps without a claim have a column of their own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tracejury.reports.columns import Bools, Columns
from tracejury.reports.estimates import Estimate, Floats, finite
from tracejury.reports.intervals import share
from tracejury.traces import Record

RATES = ("error", "abstained", "failed", "coverage", "no_claim", "low", "high", "low_failed", "high_failed")
"""Measures of `rates_of`, in its order."""
_KIND_NAMES = ("supported", "error", "abstained", "failed", "no_claim")


class StepRates(Record):
    """The outcomes of a set of steps and the rates that they give (shares from 0 to 1)."""

    name: str
    questions: int
    steps: int
    supported: int
    error: int
    abstained: int
    failed: int
    no_claim: int
    error_rate: Estimate
    """error / (error + supported)."""
    abstention_rate: Estimate
    """abstained / (error + supported + abstained): of the steps with a claim on which the jury answered."""
    failure_rate: Estimate
    """failed / all steps with a claim."""
    coverage: Estimate
    """(error + supported) / all steps with a claim."""
    no_claim_rate: Estimate
    """no claim / all steps."""
    bounds: tuple[float | None, float | None]
    """The error rate if every abstention were supported, and if every one were an error."""
    bounds_with_failures: tuple[float | None, float | None]
    """The same over abstentions and failures."""


def rates_of(sums: Floats) -> Floats:
    """Return the measures of `RATES` from counts by kind, shape (..., KINDS) to (..., len(RATES)); nan: undefined.

    The bounds are the worst-case bounds for a share with missing outcomes (Manski 1989, J Hum Resour 24:343).
    """
    supported, error, abstained, failed, no_claim = np.moveaxis(sums, -1, 0)
    decided = supported + error
    answered = decided + abstained
    claims = answered + failed
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.stack(
            [
                error / decided,
                abstained / answered,
                failed / claims,
                decided / claims,
                no_claim / (claims + no_claim),
                error / answered,
                (error + abstained) / answered,
                error / claims,
                (error + abstained + failed) / claims,
            ],
            axis=-1,
        )


def step_rates(
    columns: Columns,
    groups: Sequence[tuple[str, Bools]],
    *,
    confidence: float = 0.95,
    failures_abstain: bool = False,
) -> list[StepRates]:
    """Return the rates of each named group of steps, with intervals by question.

    Args:
        columns: Steps of one run or several.
        groups: (name, mask over steps).
        confidence: Confidence level of the intervals.
        failures_abstain: The paper's convention: an unusable reply counts as `uncertain`.
    """
    rates = []
    for name, mask in groups:
        counts = columns.per_question(mask)
        if failures_abstain:
            counts[:, 2] += counts[:, 3]
            counts[:, 3] = 0
        rates.append(rates_from_counts(name, counts, confidence))
    return rates


def rates_from_counts(name: str, counts: Floats, confidence: float = 0.95) -> StepRates:
    """Return the rates of steps counted by question and kind, shape (questions, KINDS)."""
    supported, error, abstained, failed, no_claim = counts.T
    decided = supported + error
    claims = decided + abstained + failed

    def rate(tops: Floats, bottoms: Floats) -> Estimate:
        return share(tops, bottoms, confidence=confidence).estimate

    ends = dict(zip(RATES, map(finite, rates_of(counts.sum(axis=0))), strict=True))
    return StepRates(
        name=name,
        questions=int(counts.any(axis=1).sum()),
        steps=int(counts.sum()),
        **{kind: int(n) for kind, n in zip(_KIND_NAMES, counts.sum(axis=0), strict=True)},
        error_rate=rate(error, decided),
        abstention_rate=rate(abstained, decided + abstained),
        failure_rate=rate(failed, claims),
        coverage=rate(decided, claims),
        no_claim_rate=rate(no_claim, claims + no_claim),
        bounds=(ends["low"], ends["high"]),
        bounds_with_failures=(ends["low_failed"], ends["high_failed"]),
    )
