"""Profile-likelihood intervals of judges' balanced accuracies in the model of Dawid and Skene.

Where a judge is nearly perfect, or the others are weak, the likelihood is flat on one side of its maximum, and an
interval that is symmetric on any scale misses that side. The profile likelihood follows it: the interval holds every
balanced accuracy under which the answers are not much less likely than at the maximum, the other parameters being
fitted anew (Venzon and Moolgavkar 1988, Appl Stat 37:87). Steps of one question go together, so the ratio is divided
by the design effect (Chandler and Bate 2007, Biometrika 94:167).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracejury.reports.estimates import Floats

PSEUDO_ANSWERS = 0.01
"""Added to each cell of a judge's table, so that no probability is 0, where EM would never leave."""
_CHANCE, _NEAR_ONE = 0.5, 1 - 1e-4
_PRECISION = 5e-4


class LatentTruth(NamedTuple):
    """Parameters of the model: what share of the steps is wrong, and how each judge answers in either state."""

    wrong: float
    """P(a step is wrong)."""
    confusion: Floats
    """P(answer | state), shape (2 states, judges, 2 answers)."""


def profile_interval(
    answers: Floats, counts: Floats, fitted: LatentTruth, judge: int, quantile: float, design_effect: float
) -> tuple[float, float]:
    """Return the limits of a judge's balanced accuracy, from chance to 1.

    Args:
        answers: 1 where a judge gave an answer, shape (patterns, judges, 2 answers); neither is 1 where it gave none.
        counts: How many steps have each pattern, shape (patterns,).
        fitted: The parameters at the maximum of the likelihood.
        judge: Which judge.
        quantile: Of the signed root of the likelihood ratio, for instance 1.96.
        design_effect: Variance of the estimate by question over that by step.
    """
    from scipy.optimize import brentq

    profile = _Profile(answers, counts, judge)
    start = profile.parameters(fitted)
    value = float(np.clip(fitted.confusion[[0, 1], judge, [0, 1]].mean(), _CHANCE, _NEAR_ONE))
    top = profile.maximum(value, start)

    def excess(accuracy: float) -> float:
        ratio = 2 * max(top - profile.maximum(accuracy, start), 0.0) / design_effect
        return float(np.sqrt(ratio)) - quantile

    low = _CHANCE if excess(_CHANCE) <= 0 else brentq(excess, _CHANCE, value, xtol=_PRECISION)
    high = 1.0 if excess(_NEAR_ONE) <= 0 else brentq(excess, value, _NEAR_ONE, xtol=_PRECISION)
    return low, high


class _Profile:
    """The largest log-likelihood for a given balanced accuracy of one judge.

    The free parameters are logits of the share of wrong steps and of every other judge's probabilities of the right
    answer in either state; and how far the judge's own two differ, as the artanh of a share of what the balanced
    accuracy allows.
    """

    def __init__(self, answers: Floats, counts: Floats, judge: int) -> None:
        self._answers, self._counts, self._judge = answers, counts, judge
        self._judges = answers.shape[1]

    def parameters(self, fitted: LatentTruth) -> Floats:
        """Return the free parameters at fitted values."""
        right = fitted.confusion[[0, 1], :, [0, 1]]
        own = right[:, self._judge]
        reach = max(min(1 - own.mean(), own.mean()), 1e-6)
        apart = np.clip((own[0] - own[1]) / 2 / reach, -0.999, 0.999)
        logits = _logit(np.append(right.reshape(-1), fitted.wrong))
        logits[self._judge] = np.arctanh(apart)
        logits[self._judges + self._judge] = 0.0
        return logits

    def maximum(self, accuracy: float, start: Floats) -> float:
        """Return the log-likelihood with the other parameters at their best."""
        from scipy.optimize import minimize

        return -float(minimize(self._loss, start, args=(accuracy,), jac=True, method="L-BFGS-B").fun)

    def _loss(self, parameters: Floats, accuracy: float) -> tuple[float, Floats]:
        """Return minus the log-likelihood, and its gradient."""
        judges, judge = self._judges, self._judge
        right = 1 / (1 + np.exp(-np.clip(parameters[: 2 * judges], -30, 30))).reshape(2, judges)
        wrong = 1 / (1 + np.exp(-np.clip(parameters[-1], -30, 30)))
        reach, share = min(1 - accuracy, accuracy), np.tanh(parameters[judge])
        right[:, judge] = np.clip(accuracy + reach * share * np.array([1, -1]), 1e-9, 1 - 1e-9)
        confusion = np.stack([np.stack([right[0], 1 - right[0]], 1), np.stack([1 - right[1], right[1]], 1)])
        logs = np.log(np.maximum(confusion, 1e-300))
        joint = (
            np.log(np.array([1 - wrong, wrong]))[:, None]
            + logs.reshape(2, -1) @ self._answers.reshape(len(self._counts), -1).T
        )
        most = joint.max(axis=0)
        mixture = np.exp(joint - most)
        total = mixture.sum(axis=0)
        loglik = float((self._counts * (most + np.log(total))).sum() + PSEUDO_ANSWERS * logs.sum())

        weights = mixture / total * self._counts
        tables = (weights @ self._answers.reshape(len(self._counts), -1)).reshape(2, judges, 2) + PSEUDO_ANSWERS
        hits = tables[[0, 1], :, [0, 1]]
        gradient = hits - tables.sum(axis=2) * right
        own = right[:, judge]
        by_own = hits[:, judge] / own - (tables[:, judge].sum(axis=1) - hits[:, judge]) / (1 - own)
        gradient[:, judge] = (by_own[0] - by_own[1]) * reach * (1 - share**2), 0.0
        by_wrong = weights[1].sum() - self._counts.sum() * wrong
        return -loglik, -np.append(gradient.reshape(-1), by_wrong)


def _logit(shares: Floats) -> Floats:
    clipped: NDArray[np.float64] = np.clip(shares, 1e-6, 1 - 1e-6)
    return np.log(clipped / (1 - clipped))
