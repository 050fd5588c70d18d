"""One paired difference: step errors, or answers, of two arms over the same questions, with its tests."""

from __future__ import annotations

from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from tracejury.reports.estimates import Estimate, Floats
from tracejury.reports.intervals import Jackknife, Share, difference, mean_share, share
from tracejury.reports.paired import rank_biserial, sign_flip, wilcoxon
from tracejury.reports.rates import rates_of
from tracejury.reports.sides import Sides, decided_in_both
from tracejury.reports.unlike_coverage import least_difference
from tracejury.traces import Record


class Settings(Record):
    """How a comparison is made."""

    draws: int = 10_000
    """Random swaps of the permutation test."""
    confidence: float = 0.95
    """Of the whole family: with m comparisons each interval has 1 - (1 - confidence) / m."""
    seed: int = 0
    min_decided: float = 0.5
    """Share of a question's claims that must have a verdict, in each arm, for the question to be compared."""
    min_coverage: float = 0.3
    """Share of claims with a verdict that both arms must reach."""
    min_questions: int = 20
    """Questions decided in both arms."""


class Difference(Record):
    """One paired difference, other arm minus baseline. Shares from 0 to 1."""

    questions: int
    """Pairs that it rests on: every figure of this record is over these questions."""
    baseline: Estimate
    other: Estimate
    difference: Estimate
    by_question: Estimate
    """The mean over questions of the difference within each: every question weighs the same."""
    wilcoxon_p: float
    """Of the differences by question. Both tests of step errors allow for unlike coverage of the two arms."""
    permutation_p: float
    permutation_p_holm: float
    """Corrected for the number of arms compared."""
    permutation_p_verdicts_alone: float
    """The same, were steps without a verdict like those with one."""
    effect_size: Estimate
    """Cohen's d of paired differences: mean / standard deviation (Cohen 1988, section 2.3.5)."""
    rank_biserial: float | None
    detectable: float | None
    """The smallest true difference that a study of this size finds with power 80 %."""


class PairedRates(NamedTuple):
    """Rates of two arms over the same questions and their difference, other arm minus baseline, without its tests."""

    questions: int
    baseline: Estimate
    other: Estimate
    difference: Estimate
    by_question: Estimate


def paired_rates(sides: Sides, settings: Settings) -> PairedRates | None:
    """Return the step error rates over the questions decided in both arms, as `step_difference` does, without tests."""
    decided = sides.only(decided_in_both(sides, settings.min_decided))
    return _error_rates(decided, settings.confidence) if len(decided.before) else None


def step_difference(
    sides: Sides, settings: Settings
) -> tuple[Difference | None, tuple[Estimate, Estimate] | None, tuple[Estimate, Estimate] | None]:
    """Return the difference of step error rates, and its worst cases over abstentions, then over failures too.

    The difference is over the questions decided in both arms (`Settings.min_decided`); its rates are pooled over their
    steps. The worst cases are over all paired questions, decided or not: what abstentions hide may lie in any of them.
    """
    decided = sides.only(decided_in_both(sides, settings.min_decided))
    if not len(decided.before):
        return None, None, None
    return (
        _step_difference(decided, settings),
        worst_cases(sides, settings.confidence, failures=False),
        worst_cases(sides, settings.confidence, failures=True),
    )


def _error_rates(sides: Sides, confidence: float) -> PairedRates:
    counts = sides.before, sides.after
    before, after = (error_share(side, confidence) for side in counts)
    alike = [mean_share(side[:, 1], side[:, :2].sum(axis=1), confidence=confidence) for side in counts]
    change = difference(before, after)
    return PairedRates(len(sides.before), before.estimate, after.estimate, change, difference(*alike))


def _step_difference(sides: Sides, settings: Settings) -> Difference:
    counts = sides.before, sides.after
    d = rates_of(sides.after)[:, 0] - rates_of(sides.before)[:, 0]
    draws, seed = settings.draws, settings.seed
    return _difference(
        d,
        _error_rates(sides, settings.confidence),
        wilcoxon_p=_allowing_wilcoxon(d, *counts),
        permutation_p=sign_flip(*counts, least_difference, draws=draws, seed=seed),
        permutation_p_verdicts_alone=sign_flip(*counts, _rate_difference, draws=draws, seed=seed),
        settings=settings,
    )


def answer_difference(sides: Sides, settings: Settings) -> Difference | None:
    """Return the difference of accuracies over the paired questions that have a gold answer."""
    both = np.isfinite(sides.right_before) & np.isfinite(sides.right_after)
    if not both.any():
        return None
    before, after = sides.right_before[both], sides.right_after[both]
    shares = [mean_share(right, np.ones(len(right)), confidence=settings.confidence) for right in (before, after)]
    change = difference(*shares)
    p = sign_flip(
        before[:, None], after[:, None], lambda a, b: (b - a)[..., 0], draws=settings.draws, seed=settings.seed
    )
    d = after - before
    return _difference(
        d, PairedRates(len(d), shares[0].estimate, shares[1].estimate, change, change), wilcoxon_p=wilcoxon(d),
        permutation_p=p, permutation_p_verdicts_alone=p, settings=settings,
    )  # fmt: skip


def error_share(counts: Floats, confidence: float) -> Share:
    """Return error / (error + supported) from counts by question and kind, shape (questions, KINDS)."""
    return share(counts[:, 1], counts[:, :2].sum(axis=1), confidence=confidence)


def worst_cases(sides: Sides, confidence: float, *, failures: bool) -> tuple[Estimate, Estimate]:
    """Return the difference if abstentions (and failures) were all against it, and if all for it (Manski 1989)."""
    kinds = 4 if failures else 3

    def ends(counts: Floats) -> list[Share]:
        claims = counts[:, :kinds].sum(axis=1)
        hidden = counts[:, 2:kinds].sum(axis=1)
        return [share(counts[:, 1] + extra, claims, confidence=confidence) for extra in (0 * hidden, hidden)]

    (low0, high0), (low1, high1) = ends(sides.before), ends(sides.after)
    return difference(high0, low1), difference(low0, high1)


def _difference(
    d: Floats,
    rates: PairedRates,
    *,
    wilcoxon_p: float,
    permutation_p: float,
    permutation_p_verdicts_alone: float,
    settings: Settings,
) -> Difference:
    return Difference(
        **rates._asdict(),
        wilcoxon_p=wilcoxon_p,
        permutation_p=permutation_p,
        permutation_p_holm=permutation_p,
        permutation_p_verdicts_alone=permutation_p_verdicts_alone,
        effect_size=_effect_size(d, settings.confidence),
        rank_biserial=rank_biserial(d),
        detectable=_detectable(rates.difference, settings.confidence),
    )


def _effect_size(d: Floats, confidence: float) -> Estimate:
    def measure(total: Floats) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = total[..., 0] / total[..., 2]
            variance = (total[..., 1] - total[..., 2] * mean**2) / (total[..., 2] - 1)
            return np.asarray(mean / np.sqrt(np.where(variance > 1e-12, variance, np.nan)))[..., None]

    sums = np.stack([d, d * d, np.ones(len(d))], axis=1)
    estimate = Jackknife(sums, measure, confidence=confidence).unbounded(0)
    return estimate if estimate.value is not None else Estimate(value=None, note="no variance")


def _detectable(change: Estimate, confidence: float) -> float | None:
    """Return the minimal detectable effect, from the interval of a difference."""
    if change.low is None or change.high is None:
        return None
    standard_error = (change.high - change.low) / 2 / NormalDist().inv_cdf((1 + confidence) / 2)
    return minimal_effect(standard_error, confidence, 0.8)


def minimal_effect(standard_error: float, confidence: float, power: float) -> float:
    """Return the minimal detectable effect of a two-sided test (Bloom 1995, Eval Rev 19:547)."""
    normal = NormalDist()
    return standard_error * (normal.inv_cdf((1 + confidence) / 2) + normal.inv_cdf(power))


def _allowing_wilcoxon(d: Floats, before: Floats, after: Floats) -> float:
    """Return Wilcoxon's p of the differences by question, less what unlike coverage can explain of the pooled one."""
    totals = before.sum(axis=0), after.sum(axis=0)
    least = float(least_difference(*totals))
    return wilcoxon(d - (float(_rate_difference(*totals)) - least)) if least != 0 or not np.any(d) else 1.0


def _rate_difference(before: Floats, after: Floats) -> Floats:
    return np.asarray(rates_of(after)[..., 0] - rates_of(before)[..., 0])
