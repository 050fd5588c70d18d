"""Answer metrics: accuracy, self-consistency, calibration of the vote share. Unparsable answers are counted, not lost.

A tie between options counts as the chance of a fair draw among them, so that nothing depends on the order of samples.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from math import comb
from typing import NamedTuple

import numpy as np

from tracejury.reports.columns import Columns
from tracejury.reports.estimates import Estimate, Floats
from tracejury.reports.intervals import mean_share, share
from tracejury.reports.reliability import Calibration, calibration
from tracejury.traces import Record


class Votes(NamedTuple):
    """The samples of one question."""

    gold: int
    """Samples that gave the gold answer."""
    others: tuple[int, ...]
    """Samples of each other answer given, the commonest first."""
    unparsable: int

    @property
    def samples(self) -> int:
        """All samples, unparsable ones included."""
        return self.gold + sum(self.others) + self.unparsable

    @property
    def share(self) -> float | None:
        """Vote share of the commonest answer among those that could be parsed: the confidence. None: none could."""
        parsed = self.gold + sum(self.others)
        return max(self.gold, *self.others, 0) / parsed if parsed else None


class SelfConsistency(Record):
    """Expected accuracy of the majority of `k` samples."""

    k: int
    questions: int
    """Those with at least `k` samples."""
    accuracy: Estimate


class AnswerMetrics(Record):
    """Answers of one arm, over questions with a gold answer. Shares from 0 to 1."""

    name: str
    questions: int
    traces: int
    unparsable: int
    accuracy: Estimate
    """Mean over questions of the share of right samples; unparsable ones are wrong."""
    if_unparsable_right: float
    self_consistency: tuple[SelfConsistency, ...]
    """For k = 1 to the largest number of samples that a question has."""
    calibration: Calibration | None
    """None where questions have a single sample: a vote share needs votes."""


def answer_metrics(
    columns: Columns, arm: int, *, draws: int = 2_000, confidence: float = 0.95, seed: int = 0
) -> AnswerMetrics | None:
    """Return the answer metrics of the arm with code `arm`; None where no question has a gold answer.

    Args:
        columns: From `gather`.
        arm: Index in `columns.arms`.
        draws: Number of bootstrap samples of questions.
        confidence: Confidence level of every interval.
        seed: Seed of the resampling.
    """
    voted_questions = question_votes(columns, arm)
    if not voted_questions:
        return None
    votes = [v for v, _ in voted_questions]
    options = np.array([m for _, m in voted_questions])
    samples = np.array([v.samples for v in votes])
    right, unparsable = (np.array([getattr(v, name) for v in votes]) for name in ("gold", "unparsable"))
    most = int(samples.max())
    majority = np.stack([_padded(v, most) for v in votes])
    there = np.arange(1, most + 1) <= samples[:, None]
    reached = there.sum(axis=0)
    parsed = samples > unparsable
    top = np.array([v.share if v.share is not None else np.nan for v in votes])
    hits = majority[np.arange(len(votes)), samples - 1]
    return AnswerMetrics(
        name=columns.arms[arm].arm,
        questions=len(votes),
        traces=int(samples.sum()),
        unparsable=int(unparsable.sum()),
        accuracy=mean_share(right, samples, confidence=confidence).estimate,
        if_unparsable_right=float(((right + unparsable) / samples).mean()),
        self_consistency=tuple(
            SelfConsistency(
                k=k,
                questions=int(reached[k - 1]),
                accuracy=share(
                    np.where(there[:, k - 1], majority[:, k - 1], 0.0),
                    there[:, k - 1],
                    units=reached[k - 1] * k,
                    confidence=confidence,
                ).estimate,
            )
            for k in range(1, most + 1)
        ),
        calibration=calibration(
            top[parsed], hits[parsed], options[parsed], draws=draws, confidence=confidence, seed=seed
        )
        if most > 1
        else None,
    )


def question_votes(columns: Columns, arm: int) -> list[tuple[Votes, int]]:
    """Return (votes, number of options) of every question with a gold answer, in the order of the question codes.

    The votes are the arm's traces; where one trace stands for all samples of its question, those.
    """
    traces = columns.traces
    mine = np.flatnonzero((traces["arm"] == arm) & (traces["gold"] >= 0))
    mine = mine[np.argsort(traces["question"][mine], kind="stable")]
    starts = np.unique(traces["question"][mine], return_index=True)[1]
    votes_and_options = []
    for rows in np.split(mine, starts[1:]) if len(mine) else []:
        gold, question = int(traces["gold"][rows[0]]), int(traces["question"][rows[0]])
        counts = columns.sampled_answers.get((arm, question)) or Counter(traces["answer"][rows].tolist())
        others = sorted((n for answer, n in counts.items() if answer >= 0 and answer != gold), reverse=True)
        votes = Votes(counts.get(gold, 0), tuple(others), counts.get(-1, 0))
        votes_and_options.append((votes, int(traces["options"][rows[0]])))
    return votes_and_options


def self_consistency(votes: Votes) -> Floats:
    """Return the expected accuracy of the majority of k of the question's samples, for k = 1 to all, shape (samples,).

    Exact over all subsets: the number of k-subsets with g right samples and j_o of each other answer is a product of
    binomials (multivariate hypergeometric; Wang et al. 2023, arXiv 2203.11171, estimate the same by sampling). Samples
    that could not be parsed are drawn like others and cast no vote; a draw without any vote is wrong.
    """
    return np.array(_self_consistency(votes))


@lru_cache(maxsize=4096)
def _self_consistency(votes: Votes) -> tuple[float, ...]:
    n = votes.samples
    silent = _choices(votes.unparsable, votes.unparsable)
    wins = np.zeros(n + 1)
    for g in range(1, votes.gold + 1):
        # ties[t] counts, by number of samples drawn, the ways in which t others have exactly g votes and none has more.
        ties = [silent]
        for other in votes.others:
            below = _choices(other, min(g - 1, other))
            even = np.zeros(g + 1)
            even[g] = float(comb(other, g))
            stepped = [np.convolve(ways, below) for ways in ties] + [np.zeros(1)]
            for t, ways in enumerate(ties if other >= g else []):
                stepped[t + 1] = _added(stepped[t + 1], np.convolve(ways, even))
            ties = stepped
        for t, ways in enumerate(ties):
            wins[g : g + len(ways)] += comb(votes.gold, g) * ways[: n + 1 - g] / (t + 1)
    return tuple(wins[k] / comb(n, k) for k in range(1, n + 1))


def _choices(n: int, at_most: int) -> Floats:
    return np.array([float(comb(n, j)) for j in range(at_most + 1)])


def _added(a: Floats, b: Floats) -> Floats:
    total = np.zeros(max(len(a), len(b)))
    total[: len(a)] += a
    total[: len(b)] += b
    return total


def _padded(votes: Votes, length: int) -> Floats:
    return np.pad(self_consistency(votes), (0, length - votes.samples))
