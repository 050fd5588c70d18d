"""How reliable judges are, without labels: Dawid and Skene's model of a step that is right or wrong.

The state of a step is one of two; `unclear` and `no claim` are missing answers of a judge, never a state of the step. A
judge's reliability is the mean of P(it answers supported | supported) and P(it answers error | error), its balanced
accuracy over the steps that it decides. Judges that share weights err together and look more reliable than they are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tracejury.reports.estimates import MIN_CLUSTERS, Estimate, Floats
from tracejury.reports.intervals import Jackknife, bounded

_MISSING = 2
_ITERATIONS = 1_000
_TOLERANCE = 1e-6
_LEAST_JUDGES = 3


def reliabilities(
    labels: NDArray[np.int64], questions: NDArray[np.int64], names: Sequence[str], *, draws: int = 200, seed: int = 0
) -> dict[str, Estimate]:
    """Estimate each judge's reliability by EM (Dawid and Skene 1979, Applied Statistics 28:20), by question.

    Args:
        labels: 0 supported, 1 error, any other code missing; shape (steps, judges).
        questions: The question of each step, shape (steps,).
        names: The judges.
        draws: Number of bootstrap samples of questions.
        seed: Seed of the resampling.

    Returns:
        Judge -> reliability. The mapping is empty where fewer than three judges decide the same steps on at least
        `MIN_CLUSTERS` questions: agreement of two does not say who is right. A judge that never decides is not in it.
    """
    answers = np.where((labels == 0) | (labels == 1), labels, _MISSING)
    together = (answers != _MISSING).sum(axis=1) >= _LEAST_JUDGES
    if len(np.unique(questions[together])) < MIN_CLUSTERS:
        return {}
    patterns, pattern = np.unique(answers, axis=0, return_inverse=True)
    codes = np.unique(questions, return_inverse=True)[1]
    sums = np.zeros((codes.max() + 1, len(patterns)))
    np.add.at(sums, (codes, pattern.reshape(-1)), 1)

    def measure(total: Floats) -> Floats:
        return _balanced_accuracies(patterns, total)

    estimates = Jackknife(sums, measure)
    decided_labels = np.stack([(answers == state).any(axis=1) for state in (0, 1)], axis=1)
    all_agree = not decided_labels.all(axis=1).any()
    reliabilities_by_judge = {}
    for j, name in enumerate(names):
        decided = answers[:, j] != _MISSING
        if not decided.any():
            continue
        trials = len(np.unique(questions[decided & together]))
        # Where all agree there is no spread, and what is left is how little so many questions can show.
        estimate = (
            bounded(1.0, np.zeros(len(sums)), trials=trials)
            if all_agree
            else estimates.bounded(j, trials=trials, units=float((decided & together).sum()))
        )
        reliabilities_by_judge[name] = estimate
    return reliabilities_by_judge


def _balanced_accuracies(patterns: NDArray[np.int64], counts: Floats) -> Floats:
    """Return the judges' balanced accuracies at the maximum of the likelihood, shape (..., judges).

    Args:
        patterns: Answers of the judges, each distinct row once, shape (patterns, judges).
        counts: How many steps have each pattern, shape (..., patterns).
    """
    labels = np.stack([patterns == state for state in (0, 1)], axis=-1).astype(np.float64)
    flat = labels.reshape(len(patterns), -1)
    votes = labels.sum(axis=1)
    # The start is the majority's share, so that state 1 stays `error`; a step that nobody decided starts even.
    wrong = np.broadcast_to((votes[:, 1] + 0.5) / (votes.sum(axis=1) + 1), counts.shape)
    steps = np.maximum(counts.sum(axis=-1), 1)[..., None]
    for _ in range(_ITERATIONS):
        weights = np.stack([counts * (1 - wrong), counts * wrong], axis=-2)
        prior = np.clip(weights.sum(axis=-1) / steps, 1e-9, 1)
        # One pseudo-answer in a hundred keeps an estimate from the edge, where EM would never leave.
        table = (weights @ flat).reshape(*weights.shape[:-1], *labels.shape[1:]) + 0.01
        confusion = table / table.sum(axis=-1, keepdims=True)
        likelihood = np.log(prior)[..., None] + np.log(confusion).reshape(*weights.shape[:-1], -1) @ flat.T
        before = wrong
        wrong = 1 / (1 + np.exp(np.clip(likelihood[..., 0, :] - likelihood[..., 1, :], -500, 500)))
        if np.abs(wrong - before).max() < _TOLERANCE:
            break
    return np.asarray((confusion[..., 0, :, 0] + confusion[..., 1, :, 1]) / 2)
