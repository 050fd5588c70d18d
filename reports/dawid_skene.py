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
from tracejury.reports.profile_likelihood import PSEUDO_ANSWERS, LatentTruth, profile_interval
from tracejury.reports.student_t import t_quantile

_MISSING = 2
_ITERATIONS = 1_000
_TOLERANCE = 1e-6
_LEAST_JUDGES = 3
_EDGE = 0.998


def reliabilities(
    labels: NDArray[np.int64], questions: NDArray[np.int64], names: Sequence[str], *, confidence: float = 0.95
) -> dict[str, Estimate]:
    """Estimate each judge's reliability by EM (Dawid and Skene 1979, Applied Statistics 28:20), by question.

    The interval is that of the profile likelihood, its design effect and degrees of freedom from the jackknife.

    Args:
        labels: 0 supported, 1 error, any other code missing; shape (steps, judges).
        questions: The question of each step, shape (steps,).
        names: The judges.
        confidence: Confidence level of the intervals.

    Returns:
        Judge -> reliability. The mapping is empty where fewer than three judges decide the same steps on at least
        `MIN_CLUSTERS` questions: agreement of two does not say who is right. A judge that never decides is not in it.
    """
    answers = np.where((labels == 0) | (labels == 1), labels, _MISSING)
    decided = answers != _MISSING
    together = decided.sum(axis=1) >= _LEAST_JUDGES
    if len(np.unique(questions[together])) < MIN_CLUSTERS:
        return {}
    patterns, pattern = np.unique(answers, axis=0, return_inverse=True)
    codes = np.unique(questions, return_inverse=True)[1]
    sums = np.zeros((codes.max() + 1, len(patterns)))
    np.add.at(sums, (codes, pattern.reshape(-1)), 1)
    counts = sums.sum(axis=0)
    says_state = np.stack([patterns == state for state in (0, 1)], axis=-1).astype(np.float64)

    decided_labels = np.stack([(answers == state).any(axis=1) for state in (0, 1)], axis=1)
    all_agree = not decided_labels.all(axis=1).any()
    by_question = Jackknife(sums, lambda total: _balanced_accuracies(says_state, total), confidence=confidence)
    # The same influence of a single step, as if steps were independent: what the design effect is compared with.
    by_step = _balanced_accuracies(says_state, counts - np.diag(np.minimum(counts, 1))) - by_question.point
    wrong, confusion = _fit(says_state, counts)
    fitted = LatentTruth(float(wrong), confusion)

    reliabilities_by_judge: dict[str, Estimate] = {}
    for j, name in enumerate(names):
        if not decided[:, j].any():
            continue
        value = float(by_question.point[j])
        questions_decided = len(np.unique(questions[decided[:, j] & together]))
        if all_agree or questions_decided < MIN_CLUSTERS:
            # Where all agree there is no spread, and what is left is how little so many questions can show.
            none = np.zeros(len(sums))
            estimate = bounded(1.0 if all_agree else value, none, trials=questions_decided, confidence=confidence)
        else:
            steps_a_question = decided[:, j].sum() / len(np.unique(questions[decided[:, j]]))
            variance = by_question.variance(j)
            effect = variance / max(float((counts * by_step[:, j] ** 2).sum()), 1e-12)
            # At the edge the jackknife sees no spread: then questions count, not steps, as for any share at its end.
            effect = steps_a_question if value > _EDGE else float(np.clip(effect, 1.0, steps_a_question))
            quantile = t_quantile(confidence, by_question.degrees(j))
            low, high = profile_interval(says_state, counts, fitted, j, quantile, effect)
            estimate = Estimate(value=value, low=min(low, value), high=max(high, value))
        reliabilities_by_judge[name] = estimate
    return reliabilities_by_judge


def _balanced_accuracies(answers: Floats, counts: Floats) -> Floats:
    """Return the judges' balanced accuracies at the maximum of the likelihood, shape (..., judges)."""
    confusion = _fit(answers, counts)[1]
    return np.asarray((confusion[..., 0, :, 0] + confusion[..., 1, :, 1]) / 2)


def _fit(answers: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Return the share of wrong steps, shape (...), and the confusion, shape (..., 2 states, judges, 2 answers).

    Args:
        answers: 1 where a judge gave an answer, each distinct row of answers once, shape (patterns, judges, 2).
        counts: How many steps have each pattern, shape (..., patterns).
    """
    flat = answers.reshape(len(answers), -1)
    votes = answers.sum(axis=1)
    # The start is the majority's share, so that state 1 stays `error`; a step that nobody decided starts even.
    wrong = np.broadcast_to((votes[:, 1] + 0.5) / (votes.sum(axis=1) + 1), counts.shape)
    steps = np.maximum(counts.sum(axis=-1), 1)[..., None]
    for _ in range(_ITERATIONS):
        weights = np.stack([counts * (1 - wrong), counts * wrong], axis=-2)
        prior = np.clip(weights.sum(axis=-1) / steps, 1e-9, 1)
        table = (weights @ flat).reshape(*weights.shape[:-1], *answers.shape[1:]) + PSEUDO_ANSWERS
        confusion = table / table.sum(axis=-1, keepdims=True)
        likelihood = np.log(prior)[..., None] + np.log(confusion).reshape(*weights.shape[:-1], -1) @ flat.T
        before = wrong
        wrong = 1 / (1 + np.exp(np.clip(likelihood[..., 0, :] - likelihood[..., 1, :], -500, 500)))
        if np.abs(wrong - before).max() < _TOLERANCE:
            break
    return prior[..., 1], confusion
