"""Answers of all samples, beside a step audit of one of them: accuracy, self-consistency, calibration; paired too."""

from __future__ import annotations

import numpy as np

from tracejury.reports.answers import AnswerMetrics, Votes, answer_metrics, question_votes, self_consistency
from tracejury.reports.columns import Columns
from tracejury.reports.estimates import Estimate, Floats
from tracejury.reports.intervals import difference, mean_share
from tracejury.traces import Record


class SampledDifference(Record):
    """Two arms' answers over all samples, other arm minus baseline, over the questions that both have samples of."""

    questions: int
    k: int
    """Samples of a question that the majority is taken of: the fewest that any question has in either arm."""
    baseline: AnswerMetrics
    other: AnswerMetrics
    accuracy: Estimate
    self_consistency: Estimate
    """Of the expected accuracy of the majority of `k` samples."""
    brier: Estimate
    """Below 0: the other arm's vote share predicts better whether its majority is right."""


def sampled_metrics(columns: Columns, arm: int, *, confidence: float = 0.95) -> AnswerMetrics | None:
    """Return the answer metrics of an arm whose questions have several samples; None where none has."""
    if not any(votes.samples > 1 for votes, _ in question_votes(columns, arm)):
        return None
    return answer_metrics(columns, arm, confidence=confidence)


def sampled_difference(
    columns: Columns, before: int, after: int, *, confidence: float = 0.95
) -> SampledDifference | None:
    """Return the paired difference of two arms; None where one of them has no question with several samples."""
    baseline, other = (sampled_metrics(columns, arm, confidence=confidence) for arm in (before, after))
    votes = [_votes_by_question(columns, arm) for arm in (before, after)]
    shared = sorted(votes[0].keys() & votes[1].keys())
    if baseline is None or other is None or not shared:
        return None
    k = min(of_arm[question].samples for of_arm in votes for question in shared)
    measures = [np.array([_measures(of_arm[question], k) for question in shared]) for of_arm in votes]
    ones = np.ones(len(shared))
    accuracy, majority, brier = (
        difference(*(mean_share(of_arm[:, i], ones, confidence=confidence) for of_arm in measures)) for i in range(3)
    )
    return SampledDifference(
        questions=len(shared),
        k=k,
        baseline=baseline,
        other=other,
        accuracy=accuracy,
        self_consistency=majority,
        brier=brier,
    )


def _votes_by_question(columns: Columns, arm: int) -> dict[int, Votes]:
    traces = columns.traces
    mine = (traces["arm"] == arm) & (traces["gold"] >= 0)
    codes = np.unique(traces["question"][mine]).tolist()
    return dict(zip(codes, (votes for votes, _ in question_votes(columns, arm)), strict=True))


def _measures(votes: Votes, k: int) -> Floats:
    """Return the share of right samples, the accuracy of the majority of k, the squared error of the vote share."""
    majority = self_consistency(votes)
    confidence = votes.share or 0.0
    return np.array([votes.gold / votes.samples, majority[k - 1], (confidence - majority[-1]) ** 2])
