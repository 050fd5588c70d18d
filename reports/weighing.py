"""Fitting `combine: weighted`: clusters of judges that err together, weighed by their skill, and the gain it brings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from tracejury.agents import Cluster, Combination
from tracejury.ledger import StepRow
from tracejury.reports.error_correlation import Moments, indicator_of
from tracejury.reports.estimates import Floats
from tracejury.reports.votes_table import (
    ERROR,
    SILENT,
    SUPPORTED,
    JudgeVotes,
    balanced,
    compared,
    credit_sums,
    majority,
    read_votes,
)

TOGETHER = 0.5
"""Judges whose errors correlate at least so much, on average between clusters, share one vote."""
_FOLDS = 5
_CERTAIN = 0.02
"""Skill is kept this far from 0 and 1, where log-odds have no end."""


def weigh(rows: Iterable[StepRow], *, seed: int = 0) -> Combination:
    """Fit clusters and weights on a labelled run, with the gain over the plain majority, out of fold by question.

    Raises:
        ValueError: The run has no human labels of both kinds, or fewer than three voting judges.
    """
    return weigh_votes(read_votes(rows), seed=seed)


def weigh_votes(votes: JudgeVotes, *, seed: int = 0) -> Combination:
    """Fit clusters and weights on votes; see `weigh`."""
    if not votes.has_labels:
        raise ValueError("weights are fitted on human labels of both kinds, and the run has none")
    if len(votes.judges) < 3:
        raise ValueError("two judges have nothing to weigh: give a run of three or more voting judges")
    votes = votes.labelled()
    combined = out_of_fold(votes, seed=seed)
    gain = compared(combined, majority(votes.says), votes)[1].unbounded(0)
    return Combination(
        run=votes.run,
        clusters=clusters_of(votes),
        gain=gain.value or 0.0,
        gain_low=gain.low,
        gain_high=gain.high,
        questions=len(np.unique(votes.question)),
    )


def clusters_of(votes: JudgeVotes) -> tuple[Cluster, ...]:
    """Cluster judges by the correlation of their errors (average linkage), and weigh clusters by their lead's skill.

    The weight is the log-odds of the lead's balanced accuracy (Nitzan and Paroush 1982, Int Econ Rev 23:289), which is
    the best for voters that err independently; a lead at or under chance has the least weight.
    """
    correlation = Moments(indicator_of(votes), votes.question, votes.questions).correlation()
    groups: list[list[int]] = [[j] for j in range(len(votes.judges))]
    while len(groups) > 1:
        linkage = {
            (a, b): float(correlation[np.ix_(groups[a], groups[b])].mean())
            for a in range(len(groups))
            for b in range(a + 1, len(groups))
        }
        (a, b), nearest = max(linkage.items(), key=lambda item: item[1])
        if nearest < TOGETHER:
            break
        groups[a] += groups.pop(b)
    alone = [votes.says[:, j] for j in range(len(votes.judges))]
    skill = balanced(credit_sums(alone, votes.human, votes.question, votes.questions).sum(axis=0))
    return tuple(_cluster(sorted(group), votes, skill) for group in groups)


def _cluster(group: Sequence[int], votes: JudgeVotes, skill: Floats) -> Cluster:
    lead = max(group, key=lambda j: skill[j])
    p = float(np.clip(skill[lead], 0.5 + _CERTAIN, 1 - _CERTAIN))
    return Cluster(
        judges=tuple(votes.judges[j] for j in group), lead=votes.judges[lead], weight=float(np.log(p / (1 - p)))
    )


def combined_votes(clusters: Sequence[Cluster], votes: JudgeVotes) -> NDArray[np.int64]:
    """Return each step's label by weighted clusters, -1 where none has more than half of the weight."""
    column = {name: j for j, name in enumerate(votes.judges)}
    total = np.zeros((2, len(votes.says)))
    for cluster in clusters:
        says = votes.says[:, [column[name] for name in cluster.judges]]
        label = majority(says)
        label = np.where(label == SILENT, votes.says[:, column[cluster.lead]], label)
        for code in (SUPPORTED, ERROR):
            total[code] += cluster.weight * (label == code)
    half = sum(cluster.weight for cluster in clusters) / 2
    return np.where(total[ERROR] > half, ERROR, np.where(total[SUPPORTED] > half, SUPPORTED, SILENT))


def out_of_fold(votes: JudgeVotes, *, seed: int = 0) -> NDArray[np.int64]:
    """Return each step's combined label by weights that were fitted on other questions."""
    fold = np.random.default_rng(seed).permutation(votes.questions) % _FOLDS
    combined = np.full(len(votes.says), SILENT)
    for k in range(_FOLDS):
        here = fold[votes.question] == k
        if here.any():
            combined[here] = combined_votes(clusters_of(votes.only(~here)), votes.only(here))
    return combined
