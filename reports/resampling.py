"""Bootstrap intervals by question: the question is what was sampled, so it is what is resampled, everywhere.

Every measure of this room is a function of sums over questions (counts of outcomes, of right answers, of bins), so one
draw is one product of a weight vector with a matrix, and all measures of a report share the same draws.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracejury.traces import Record

Floats = NDArray[np.float64]
MIN_CLUSTERS = 5
"""Fewer questions give no interval: resampling three things says nothing about a fourth."""
_CHUNK = 500
_NORMAL = NormalDist()


class Estimate(Record):
    """A measure with its interval. None where it could not be had: no verdicts, or too few questions."""

    value: float | None
    low: float | None = None
    high: float | None = None

    def scaled(self, factor: float) -> Estimate:
        """Return the same in another unit, for instance points (100) from shares."""
        return Estimate(**{k: None if v is None else v * factor for k, v in self.model_dump().items()})


class Bootstrapped:
    """Point estimates, bootstrap replicates and BCa limits of a vector of measures.

    Attributes:
        point: Shape (measures,); nan where a denominator is zero.
        replicates: Shape (draws, measures).
        low: Lower limits, shape (measures,); nan where no interval could be had.
        high: Upper limits, shape (measures,).
    """

    def __init__(self, point: Floats, replicates: Floats, low: Floats, high: Floats) -> None:
        self.point, self.replicates, self.low, self.high = point, replicates, low, high

    def estimate(self, index: int) -> Estimate:
        """Return measure `index` as a record, nan as None."""
        value, low, high = (float(x[index]) for x in (self.point, self.low, self.high))
        return Estimate(value=_none(value), low=_none(low), high=_none(high))


def bootstrap(
    sums: NDArray[Any],
    measure: Callable[[Floats], Floats],
    *,
    draws: int = 10_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Bootstrapped:
    """Resample questions with replacement and return BCa intervals (Efron 1987, JASA 82:171, eq. 6.6).

    Args:
        sums: What is added up within each question, shape (questions, columns).
        measure: From added-up columns, shape (..., columns), to measures, shape (..., measures). nan: undefined.
        draws: Number of bootstrap samples.
        confidence: Confidence level of the two-sided interval.
        seed: Seed of the resampling.

    Returns:
        Points, replicates and limits. A draw in which a measure is undefined is left out of that measure; where more
        than one in ten is, there is no interval. Limits are nan below `MIN_CLUSTERS` questions.
    """
    used = sums[sums.any(axis=1)]
    n = len(used)
    total = used.sum(axis=0)
    point = np.atleast_1d(measure(total))
    blank = np.full_like(point, np.nan)
    if n < MIN_CLUSTERS:
        return Bootstrapped(point, np.empty((0, len(point))), blank, blank.copy())
    rng = np.random.default_rng(seed)
    replicates = np.concatenate(
        [measure(_weights(rng, min(_CHUNK, draws - at), n) @ used) for at in range(0, draws, _CHUNK)]
    )
    left_out = measure(total - used)
    low, high = bca(point, replicates, left_out, confidence)
    return Bootstrapped(point, replicates, low, high)


def bca(point: Floats, replicates: Floats, left_out: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Return the bias-corrected and accelerated limits, the acceleration from the jackknife over questions.

    Args:
        point: Shape (measures,).
        replicates: Shape (draws, measures).
        left_out: The measures without one question each, shape (questions, measures).
        confidence: Confidence level of the two-sided interval.

    Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, eq. 14.10, 14.14 and 14.15. Ties with the point
    estimate count by half, as scipy.stats.bootstrap has it.
    """
    low, high = np.full_like(point, np.nan), np.full_like(point, np.nan)
    tail = _NORMAL.inv_cdf((1 + confidence) / 2)
    for j, value in enumerate(point):
        finite = replicates[:, j][np.isfinite(replicates[:, j])]
        if not np.isfinite(value) or len(finite) < 0.9 * len(replicates):
            continue
        below = ((finite < value).mean() + (finite <= value).mean()) / 2
        if not 0 < below < 1 or finite.min() == finite.max():
            low[j], high[j] = finite.min(), finite.max()
            continue
        away = np.nanmean(left_out[:, j]) - left_out[:, j][np.isfinite(left_out[:, j])]
        spread = (away**2).sum()
        acceleration = (away**3).sum() / (6 * spread**1.5) if spread > 0 else 0.0
        bias = _NORMAL.inv_cdf(float(below))
        levels = [_adjusted(bias, acceleration, sign * tail) for sign in (-1, 1)]
        low[j], high[j] = np.quantile(finite, levels)
    return low, high


def _adjusted(bias: float, acceleration: float, normal: float) -> float:
    return _NORMAL.cdf(bias + (bias + normal) / (1 - acceleration * (bias + normal)))


def _weights(rng: np.random.Generator, draws: int, n: int) -> Floats:
    """Return how often each of `n` questions is in each draw, shape (draws, n)."""
    positions = rng.integers(0, n, (draws, n)) + np.arange(draws)[:, None] * n
    return np.bincount(positions.ravel(), minlength=draws * n).reshape(draws, n).astype(np.float64)


def _none(value: float) -> float | None:
    return value if np.isfinite(value) else None
