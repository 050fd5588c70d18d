"""Intervals by question, in closed form: for shares, for differences of shares, and for other measures.

The question is what was sampled, so the spread is that of the delete-one-question jackknife. A share has Wilson's
interval at its effective sample size, with Student's t for the normal quantile; at its ends it has Clopper and
Pearson's with questions as trials, so that no interval is without width. A difference of two shares puts the two
intervals together (MOVER). Nothing is drawn at random: the same verdicts have the same digits wherever they are shown.
`benchmarks/coverage.py` measures how often these intervals cover a known truth.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracejury.reports.estimates import MIN_CLUSTERS, Estimate, Floats, finite
from tracejury.reports.student_t import t_quantile

_EPSILON = 1e-12


class Share(NamedTuple):
    """A share with what its interval rests on, so that a difference with another share can be formed."""

    estimate: Estimate
    influence: Floats
    """The share without a question less the share with all, shape (questions,)."""
    effective: float
    """Steps that, drawn independently, would show the share as precisely."""
    degrees: float
    """Degrees of freedom of its variance."""
    trials: int
    """Questions that it is a share of."""
    confidence: float


def share(tops: NDArray[Any], bottoms: NDArray[Any], *, units: float | None = None, confidence: float = 0.95) -> Share:
    """Return sum(tops) / sum(bottoms), a share from 0 to 1, with its interval by question.

    Args:
        tops: What counts, by question, shape (questions,).
        bottoms: Of how much, shape (questions,); a question with 0 is in no sample of this share.
        units: Number of things counted, the largest effective sample size; None: the sum of `bottoms`.
        confidence: Confidence level of the interval.
    """
    top, bottom = float(np.sum(tops)), float(np.sum(bottoms))
    trials = int((np.asarray(bottoms) > 0).sum())
    if bottom <= 0:
        return Share(Estimate(value=None), np.zeros(len(tops)), 0.0, 1.0, trials, confidence)
    value = top / bottom
    with np.errstate(invalid="ignore", divide="ignore"):
        influence = np.nan_to_num((top - tops) / (bottom - bottoms) - value)
    units = bottom if units is None else units
    estimate = bounded(value, influence, trials=trials, units=units, weights=bottoms, confidence=confidence)
    effective = _effective(value, _variance(influence, trials), units, trials)
    return Share(estimate, influence, effective, _degrees(influence, trials, bottoms), trials, confidence)


def mean_share(tops: NDArray[Any], bottoms: NDArray[Any], *, confidence: float = 0.95) -> Share:
    """Return the mean over questions of tops / bottoms, every question with `bottoms` above 0 weighing the same."""
    there = np.asarray(bottoms) > 0
    shares = np.divide(tops, bottoms, out=np.zeros(len(there)), where=there)
    return share(shares, there.astype(np.float64), units=float(np.sum(bottoms)), confidence=confidence)


def difference(before: Share, after: Share) -> Estimate:
    """Return `after` less `before`, two shares over the same questions, with the interval of MOVER.

    Method of variance estimates recovery for correlated shares (Zou and Donner 2008, Stat Med 27:1693, eq. 6; Newcombe
    1998, Stat Med 17:2635, method 10), the correlation from the jackknife. Two things keep it honest where both sides
    move together: the variance is at least that of t^2 / 2 pseudo-questions moved each way (Bonett and Price 2012,
    J Educ Behav Stat 37:479), and few questions that differ have few degrees of freedom. Where none differs the limits
    are Clopper and Pearson's for the share of questions that might: identical arms are no proof of equality.
    """
    if before.estimate.value is None or after.estimate.value is None:
        return Estimate(value=None)
    p0, p1 = before.estimate.value, after.estimate.value
    limits = (before.estimate.low, before.estimate.high, after.estimate.low, after.estimate.high)
    if None in limits:
        return Estimate(value=p1 - p0)
    low0, high0, low1, high1 = (float(x or 0.0) for x in limits)
    change = after.influence - before.influence
    trials, confidence = min(before.trials, after.trials), before.confidence
    if float((change**2).sum()) <= _EPSILON:
        reach = 1 - ((1 - confidence) / 2) ** (1 / trials)
        return Estimate(value=p1 - p0, low=max(p1 - p0 - reach, -1.0), high=min(p1 - p0 + reach, 1.0))
    t = t_quantile(confidence, _degrees(change, trials, None))
    floor = t * t / 2 / (min(before.effective, after.effective) + t * t) ** 2
    correlation = _correlation(before, after, floor)
    wider = max(t / t_quantile(confidence, min(before.degrees, after.degrees)), 1.0)
    down = wider * _together(p1 - low1, high0 - p0, correlation)
    up = wider * _together(high1 - p1, p0 - low0, correlation)
    return Estimate(value=p1 - p0, low=max(p1 - p0 - down, -1.0), high=min(p1 - p0 + up, 1.0))


def bounded(
    value: float,
    influence: Floats,
    *,
    trials: int,
    units: float | None = None,
    ends: tuple[float, float] = (0.0, 1.0),
    weights: NDArray[Any] | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Return the interval of a measure that cannot leave `ends`.

    Wilson's interval (1927, JASA 22:209) at the effective sample size p(1 - p) / variance (Korn and Graubard 1998,
    Surv Methodol 24:193; Franco et al. 2019, J Surv Stat Methodol 7:334 compare such intervals). At an end: Clopper and
    Pearson's closed form (1934, Biometrika 26:404), 1 - (alpha / 2) ** (1 / questions). There is none below
    `MIN_CLUSTERS` questions.

    Args:
        value: The measure.
        influence: Its change without each question, shape (questions,).
        trials: Questions that the measure is a share of; of the rarer kind where it weighs two kinds alike.
        units: The largest effective sample size; None: `trials`.
        ends: The smallest and the largest value that the measure can have.
        weights: How much each question weighs, shape (questions,); None: alike.
        confidence: Confidence level of the interval.
    """
    if not np.isfinite(value):
        return Estimate(value=None)
    if trials < MIN_CLUSTERS:
        return Estimate(value=value)
    low_end, span = ends[0], ends[1] - ends[0]
    p = (value - low_end) / span
    reach = 1 - ((1 - confidence) / 2) ** (1 / trials)
    if p <= _EPSILON:
        return Estimate(value=ends[0], low=ends[0], high=low_end + span * reach)
    if p >= 1 - _EPSILON:
        return Estimate(value=ends[1], low=ends[1] - span * reach, high=ends[1])
    scaled = influence / span
    n = _effective(p, _variance(scaled, trials), trials if units is None else units, trials)
    t2 = t_quantile(confidence, _degrees(scaled, trials, weights)) ** 2
    centre = (p + t2 / (2 * n)) / (1 + t2 / n)
    half = np.sqrt(t2 * (p * (1 - p) / n + t2 / (4 * n * n))) / (1 + t2 / n)
    return Estimate(
        value=value,
        low=low_end + span * max(float(centre - half), 0.0),
        high=low_end + span * min(float(centre + half), 1.0),
    )


def unbounded(
    value: float, influence: Floats, *, trials: int, weights: NDArray[Any] | None = None, confidence: float = 0.95
) -> Estimate:
    """Return the jackknife interval of a measure without ends (Efron and Tibshirani 1993, eq. 11.5), by Student's t.

    Data that do not vary give no interval: how far such a measure could lie from its value is not known from them.
    """
    if not np.isfinite(value):
        return Estimate(value=None)
    variance = _variance(influence, trials)
    if trials < MIN_CLUSTERS or variance <= _EPSILON**2:
        return Estimate(value=value, note="no variance" if trials >= MIN_CLUSTERS else "")
    half = float(t_quantile(confidence, _degrees(influence, trials, weights)) * np.sqrt(variance))
    return Estimate(value=value, low=value - half, high=value + half)


class Jackknife:
    """A vector of measures of summed columns, with its change when a question is left out.

    Attributes:
        point: Shape (measures,); nan where a denominator is zero.
        influence: Shape (questions, measures); 0 where a measure is undefined without the question.
    """

    def __init__(self, sums: NDArray[Any], measure: Callable[[Floats], Floats], *, confidence: float = 0.95) -> None:
        """Compute `measure` over all questions and without each.

        Args:
            sums: What is added up within each question, shape (questions, columns).
            measure: Map from added-up columns, shape (..., columns), to measures, shape (..., measures).
            confidence: Confidence level of the intervals.
        """
        used = sums[sums.any(axis=1)]
        total = used.sum(axis=0)
        self.point = np.atleast_1d(measure(total))
        with np.errstate(invalid="ignore"):
            self.influence = np.nan_to_num(measure(total - used) - self.point)
        self.questions = len(used)
        self._confidence = confidence

    def value(self, index: int) -> float | None:
        """Return measure `index` without an interval."""
        return finite(self.point[index])

    def variance(self, index: int) -> float:
        """Return the variance of measure `index`."""
        return _variance(self.influence[:, index], self.questions)

    def degrees(self, index: int) -> float:
        """Return the degrees of freedom of that variance."""
        return _degrees(self.influence[:, index], self.questions, None)

    def bounded(
        self,
        index: int,
        *,
        trials: int | None = None,
        units: float | None = None,
        ends: tuple[float, float] = (0.0, 1.0),
    ) -> Estimate:
        """Return measure `index`, which cannot leave `ends`; `trials` are the questions that it rests on."""
        return bounded(
            float(self.point[index]), self.influence[:, index], trials=self.questions if trials is None else trials,
            units=units, ends=ends, confidence=self._confidence,
        )  # fmt: skip

    def unbounded(self, index: int, *, trials: int | None = None) -> Estimate:
        """Return measure `index`, which has no ends."""
        return unbounded(
            float(self.point[index]), self.influence[:, index], trials=self.questions if trials is None else trials,
            confidence=self._confidence,
        )  # fmt: skip


def _variance(influence: Floats, trials: int) -> float:
    return float((influence**2).sum() * (trials - 1) / trials) if trials else 0.0


def _effective(p: float, variance: float, units: float, trials: int) -> float:
    """Return the effective sample size: at an end that of the questions, else at most that of all units."""
    if not _EPSILON < p < 1 - _EPSILON:
        return float(trials)
    return min(p * (1 - p) / variance, units) if variance > 0 else float(units)


def _degrees(influence: Floats, trials: int, weights: NDArray[Any] | None) -> float:
    """Return the degrees of freedom of the variance: fewer where few questions weigh much, or few carry the spread.

    The lesser of Kish's effective number of questions less one, and 2 n / (kurtosis - 1), which is n for normal spread
    (the variance of a sample variance; Kendall and Stuart 1969, vol. 1, eq. 12.35).
    """
    squares = float((influence**2).sum())
    kurtosis = trials * float((influence**4).sum()) / squares**2 if squares > 0 else 1.0
    spread = 2 * trials / (kurtosis - 1) if kurtosis > 1 else float("inf")
    kish = float(trials)
    if weights is not None:
        kish = float(np.sum(weights)) ** 2 / float(np.sum(np.asarray(weights, dtype=np.float64) ** 2))
    return max(min(kish - 1, spread), 1.0)


def _correlation(before: Share, after: Share, floor: float) -> float:
    """Return the correlation of two shares that leaves their difference a variance of at least `floor`."""
    n = len(before.influence)
    v0, v1 = (_variance(s.influence, n) for s in (before, after))
    if v0 <= 0 or v1 <= 0:
        return 0.0
    joint = 2 * float((before.influence * after.influence).sum()) * (n - 1) / n
    return float(np.clip((v0 + v1 - max(v0 + v1 - joint, floor)) / (2 * np.sqrt(v0 * v1)), -1, 1))


def _together(one: float, other: float, correlation: float) -> float:
    return float(np.sqrt(max(one * one - 2 * correlation * one * other + other * other, 0.0)))
