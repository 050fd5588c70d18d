"""How judges err together, and how many independent judges that is worth (Kish's and the eigenvalue count).

With human labels the indicator is a judge's error; without them it is the label `error`, whose correlation is agreement
beyond chance: it holds what judges share because it is true, so the count from it is a lower bound.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tracejury.reports.estimates import Estimate, Floats
from tracejury.reports.votes_table import SILENT, JudgeVotes

DRAWS = 400
_NULL_DRAWS = 200


class Moments:
    """Counts of a 0/1 indicator of judges over the steps on which any two of them decided, by question."""

    def __init__(self, indicator: Floats, question: NDArray[np.int64], questions: int) -> None:
        """Count; `indicator` has shape (steps, judges), nan where a judge did not decide."""
        present = np.isfinite(indicator)
        value = np.where(present, indicator, 0.0)
        judges = indicator.shape[1]
        self.judges = judges
        self.sums = np.zeros((questions, 3, judges, judges))
        order = np.argsort(question, kind="stable")
        edges = np.searchsorted(question[order], np.arange(questions + 1))
        for q in range(questions):
            at = order[edges[q] : edges[q + 1]]
            here, there = value[at], present[at].astype(np.float64)
            self.sums[q] = there.T @ there, here.T @ there, here.T @ here

    def correlation(self, weights: Floats | None = None) -> Floats:
        """Return phi of every two judges, shape (..., judges, judges), with questions weighed by (..., questions)."""
        sums = self.sums.sum(axis=0) if weights is None else np.tensordot(weights, self.sums, axes=1)
        n, ones, both = sums[..., 0, :, :], sums[..., 1, :, :], sums[..., 2, :, :]
        other = np.swapaxes(ones, -1, -2)
        with np.errstate(divide="ignore", invalid="ignore"):
            phi = (n * both - ones * other) / np.sqrt((n * ones - ones**2) * (n * other - other**2))
        phi = np.where(np.isfinite(phi), phi, 0.0)
        phi[..., np.arange(self.judges), np.arange(self.judges)] = 1.0
        return np.asarray(phi)


def kish(correlation: Floats) -> Floats:
    """Return Kish's effective number (1965, Survey Sampling, section 8.2): n^2 / sum of all correlations."""
    n = correlation.shape[-1]
    return np.asarray(np.clip(n * n / np.maximum(correlation.sum(axis=(-2, -1)), 1e-9), None, n))


def eigenvalue(correlation: Floats) -> Floats:
    """Return the participation ratio of the eigenvalues, (sum)^2 / sum of squares, which is n^2 / sum of squares."""
    n = correlation.shape[-1]
    return np.asarray(n * n / (correlation**2).sum(axis=(-2, -1)))


def indicator_of(votes: JudgeVotes) -> Floats:
    """Return the 0/1 indicator: errors where there are labels, else the label `error`; nan where undecided."""
    decided = votes.says != SILENT
    value = votes.says != votes.human[:, None] if votes.has_labels else votes.says == 1
    return np.where(decided, value.astype(np.float64), np.nan)


def resampled(moments: Moments) -> Floats:
    """Return correlations of bootstrap samples of questions, shape (DRAWS, judges, judges)."""
    rng = np.random.default_rng(0)
    questions = len(moments.sums)
    weights = rng.multinomial(questions, np.full(questions, 1 / questions), size=DRAWS).astype(np.float64)
    return moments.correlation(weights)


def null_correlations(votes: JudgeVotes) -> Floats:
    """Return correlations of independent judges of the same skill, shape (_NULL_DRAWS, judges, judges).

    Each judge's indicator is permuted among the steps of one human label: its skill by label stays, and what it shares
    with the others beyond that is gone.
    """
    rng = np.random.default_rng(0)
    indicator = indicator_of(votes)
    classes = [np.flatnonzero(votes.human == c) for c in np.unique(votes.human)]
    correlations = []
    for _ in range(_NULL_DRAWS):
        shuffled = indicator.copy()
        for judge in range(indicator.shape[1]):
            for members in classes:
                shuffled[members, judge] = indicator[rng.permutation(members), judge]
        correlations.append(Moments(shuffled, np.zeros(len(shuffled), dtype=np.int64), 1).correlation())
    return np.stack(correlations)


def percentiles(value: float, sample: Floats) -> Estimate:
    """Return a value with the 2.5th and 97.5th percentile of its bootstrap sample; no interval where nothing varies.

    Judges that never err, or always err together, show nothing about how they would err.
    """
    low, high = np.percentile(sample, [2.5, 97.5])
    if max(high, value) - min(low, value) < 1e-9:
        return Estimate(value=value, low=None, high=None, note="no variance: the judges' errors show nothing here")
    return Estimate(value=value, low=min(float(low), value), high=max(float(high), value))
