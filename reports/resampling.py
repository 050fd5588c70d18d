"""Bootstrap by question, for measures that a jackknife does not suit: sums of absolute deviations, and benchmarks' own.

Every measure is a function of sums over questions, so one draw is one product of a weight vector with a matrix, and all
measures of a report share the same draws. Shares and smooth measures have closed intervals (`intervals.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracejury.reports.estimates import MIN_CLUSTERS, Estimate, Floats, finite
from tracejury.reports.student_t import t_quantile

_CHUNK = 500
_NORMAL = NormalDist()


class Bootstrapped:
    """Point estimates, bootstrap replicates and limits of a vector of measures.

    Attributes:
        point: Shape (measures,); nan where a denominator is zero.
        replicates: Shape (draws, measures).
        low: Lower limits, shape (measures,); nan where no interval could be had.
        high: Upper limits, shape (measures,).
    """

    def __init__(self, point: Floats, replicates: Floats, low: Floats, high: Floats) -> None:
        self.point, self.replicates, self.low, self.high = point, replicates, low, high

    def estimate(self, index: int) -> Estimate:
        """Return measure `index` as a record, nan as None; an interval without width is none."""
        value, low, high = (finite(x[index]) for x in (self.point, self.low, self.high))
        if low is not None and low == high:
            return Estimate(value=value, note="no variance")
        return Estimate(value=value, low=low, high=high)


def bootstrap(
    sums: NDArray[Any],
    measure: Callable[[Floats], Floats],
    *,
    draws: int = 10_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Bootstrapped:
    """Resample questions with replacement and return expanded percentile intervals.

    The percentile levels are widened for the number of questions (Hesterberg 2015, Am Stat 69:371, section 3.3): a
    plain percentile interval is too narrow by sqrt((n - 1) / n) and takes a normal quantile where Student's t belongs.

    Args:
        sums: What is added up within each question, shape (questions, columns).
        measure: Map from added-up columns, shape (..., columns), to measures, shape (..., measures). nan: undefined.
        draws: Number of bootstrap samples.
        confidence: Confidence level of the two-sided interval.
        seed: Seed of the resampling.

    Returns:
        Points, replicates and limits. A draw in which a measure is undefined is left out of that measure; where more
        than one in ten is, there is no interval. Limits are nan below `MIN_CLUSTERS` questions.
    """
    used = sums[sums.any(axis=1)]
    n = len(used)
    point = np.atleast_1d(measure(used.sum(axis=0)))
    low, high = np.full_like(point, np.nan), np.full_like(point, np.nan)
    if n < MIN_CLUSTERS:
        return Bootstrapped(point, np.empty((0, len(point))), low, high)
    rng = np.random.default_rng(seed)
    replicates = np.concatenate(
        [measure(_weights(rng, min(_CHUNK, draws - at), n) @ used) for at in range(0, draws, _CHUNK)]
    )
    level = _NORMAL.cdf(-float(np.sqrt(n / (n - 1))) * t_quantile(confidence, n - 1))
    for j, value in enumerate(point):
        defined = replicates[:, j][np.isfinite(replicates[:, j])]
        if np.isfinite(value) and len(defined) >= 0.9 * len(replicates):
            low[j], high[j] = np.quantile(defined, [level, 1 - level])
    return Bootstrapped(point, replicates, low, high)


def _weights(rng: np.random.Generator, draws: int, n: int) -> Floats:
    """Return how often each of `n` questions is in each draw, shape (draws, n)."""
    positions = rng.integers(0, n, (draws, n)) + np.arange(draws)[:, None] * n
    return np.bincount(positions.ravel(), minlength=draws * n).reshape(draws, n).astype(np.float64)
