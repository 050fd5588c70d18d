"""Outcome rates of steps, with the bounds that abstentions and failures leave open.

Error rate = error / (error + supported), always beside its abstention rate, its failure rate, and what it would be if
every abstention (and every failure) hid the one or the other. Steps without a claim have a column of their own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tracejury.reports.columns import KINDS, Bools, Columns
from tracejury.reports.resampling import MIN_CLUSTERS, Bootstrapped, Estimate, Floats, bootstrap
from tracejury.traces import Record

RATES = ("error", "abstained", "failed", "coverage", "no_claim", "low", "high", "low_failed", "high_failed")
"""Measures of `rates_of`, in its order."""


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
    draws: int = 2_000,
    confidence: float = 0.95,
    seed: int = 0,
    failures_abstain: bool = False,
) -> list[StepRates]:
    """Return the rates of each named group of steps, all intervals from the same draws of questions.

    Args:
        columns: Steps of one run or several.
        groups: (name, mask over steps).
        draws: Number of bootstrap samples.
        confidence: Confidence level of the intervals.
        seed: Seed of the resampling.
        failures_abstain: The paper's convention: an unusable reply counts as `uncertain`.
    """
    if not groups:
        return []
    counts = np.stack([columns.per_question(mask) for _, mask in groups], axis=1)
    if failures_abstain:
        counts[:, :, 2] += counts[:, :, 3]
        counts[:, :, 3] = 0
    shape = (len(groups), KINDS)

    def measure(sums: Floats) -> Floats:
        rates = rates_of(sums.reshape(*sums.shape[:-1], *shape))
        return rates.reshape(*sums.shape[:-1], -1)

    estimates = bootstrap(counts.reshape(len(counts), -1), measure, draws=draws, confidence=confidence, seed=seed)
    return [_rates(name, counts[:, g], estimates, g * len(RATES), confidence) for g, (name, _) in enumerate(groups)]


def _rates(name: str, counts: Floats, estimates: Bootstrapped, at: int, confidence: float) -> StepRates:
    supported, error, abstained, failed, no_claim = (int(n) for n in counts.sum(axis=0))
    claims = counts[:, :4]
    present = {
        "error": int(counts[:, :2].any(axis=1).sum()),
        "abstained": int(counts[:, :3].any(axis=1).sum()),
        "failed": int(claims.any(axis=1).sum()),
        "coverage": int(claims.any(axis=1).sum()),
        "no_claim": int(counts.any(axis=1).sum()),
    }
    with_intervals = {
        rate: share_estimate(estimates.estimate(at + RATES.index(rate)), clusters, confidence)
        for rate, clusters in present.items()
    }
    ends = {rate: estimates.estimate(at + RATES.index(rate)).value for rate in RATES[5:]}
    return StepRates(
        name=name,
        questions=present["no_claim"],
        steps=int(counts.sum()),
        supported=supported,
        error=error,
        abstained=abstained,
        failed=failed,
        no_claim=no_claim,
        error_rate=with_intervals["error"],
        abstention_rate=with_intervals["abstained"],
        failure_rate=with_intervals["failed"],
        coverage=with_intervals["coverage"],
        no_claim_rate=with_intervals["no_claim"],
        bounds=(ends["low"], ends["high"]),
        bounds_with_failures=(ends["low_failed"], ends["high_failed"]),
    )


def share_estimate(estimate: Estimate, clusters: int, confidence: float = 0.95) -> Estimate:
    """Mend what a bootstrap cannot do for a share: say nothing of too few questions, and nothing is never certain.

    A share of exactly 0 or 1 has no spread to resample; its interval is Clopper and Pearson's closed form with the
    questions as trials (Biometrika 1934, 26:404): from 0 to 1 - (alpha / 2) ** (1 / n).
    """
    if estimate.value is None or clusters < MIN_CLUSTERS:
        return Estimate(value=estimate.value)
    reach = 1 - ((1 - confidence) / 2) ** (1 / clusters)
    if estimate.value <= 0:
        return Estimate(value=0.0, low=0.0, high=reach)
    if estimate.value >= 1:
        return Estimate(value=1.0, low=1 - reach, high=1.0)
    return estimate
