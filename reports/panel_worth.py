"""How many independent judges a panel is worth, what each judge adds or takes, and whether the jury beats its best."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

import numpy as np

from tracejury.agents import family
from tracejury.ledger import StepRow
from tracejury.reports.error_correlation import (
    Moments,
    eigenvalue,
    indicator_of,
    kish,
    null_correlations,
    percentiles,
    resampled,
)
from tracejury.reports.estimates import MIN_CLUSTERS, Estimate, Floats
from tracejury.reports.votes_table import JudgeVotes, balanced, compared, credit_sums, majority, read_votes
from tracejury.traces import Record

LEAST_ADDED = 0.1
"""A judge that adds less to the effective number is named in a warning."""


class EffectiveNumber(Record):
    """An effective number of judges beside its null."""

    value: Estimate
    null: Estimate
    """The same of independent judges of the same skill: mean, and the middle 95 % of its draws."""


class PairCorrelation(Record):
    """How two judges err together; without labels, how they agree beyond chance."""

    judges: tuple[str, str]
    correlation: Estimate
    same_weights: bool
    same_family: bool


class JudgeWorth(Record):
    """What one judge does for the panel."""

    judge: str
    adds: Estimate
    """Effective number (Kish) with it less without it."""
    accuracy: Estimate | None
    """Its balanced accuracy alone; None: there are no labels."""
    jury_gain: Estimate | None
    """Balanced accuracy of the majority with it less without it, an abstention being credited 1/2."""


class PanelWorth(Record):
    """What a panel is worth, measured on a run of it."""

    run: str
    steps: int
    questions: int
    judges: int
    basis: str
    """`errors`: correlation of errors against human labels. `agreement`: without labels, a lower bound."""
    kish: EffectiveNumber
    eigenvalue: EffectiveNumber
    pairs: tuple[PairCorrelation, ...]
    worth: tuple[JudgeWorth, ...]
    jury: Estimate | None
    """Balanced accuracy of the plain majority, an abstention being credited 1/2."""
    jury_coverage: float
    best: str | None
    """The judge with the highest balanced accuracy on these very steps."""
    jury_less_best: Estimate | None
    warnings: tuple[str, ...]


def panel_worth(rows: Iterable[StepRow]) -> PanelWorth:
    """Measure what the voting judges of a run are worth together.

    Raises:
        ValueError: The run has no opinions, or fewer than two voting judges.
    """
    return worth_of(read_votes(rows))


def worth_of(votes: JudgeVotes) -> PanelWorth:
    """Measure what judges are worth together, from their votes; see `panel_worth`."""
    if len(votes.judges) < 2:
        raise ValueError(f"run {votes.run!r} has one voting judge; how many judges a panel is worth takes two or more")
    votes = votes.labelled() if votes.has_labels else votes
    moments = Moments(indicator_of(votes), votes.question, votes.questions)
    point, sample, null = moments.correlation(), resampled(moments), null_correlations(votes)
    clusters = len(np.unique(votes.question))

    def estimate(value: float, of_sample: Floats) -> Estimate:
        return percentiles(value, of_sample) if clusters >= MIN_CLUSTERS else Estimate(value=value)

    numbers = [
        EffectiveNumber(
            value=estimate(float(count(point)), count(sample)),
            null=percentiles(float(count(null).mean()), count(null)),
        )
        for count in (kish, eigenvalue)
    ]
    pairs = tuple(
        PairCorrelation(
            judges=(votes.judges[i], votes.judges[j]),
            correlation=estimate(float(point[i, j]), sample[:, i, j]),
            same_weights=votes.models[i] is not None and votes.models[i] == votes.models[j],
            same_family=_same_family(votes.models[i], votes.models[j]),
        )
        for i, j in combinations(range(len(votes.judges)), 2)
    )
    adds = []
    for j in range(len(votes.judges)):
        rest = [k for k in range(len(votes.judges)) if k != j]
        without, without_sample = point[np.ix_(rest, rest)], sample[:, rest][:, :, rest]
        change = float(kish(point) - kish(without))
        adds.append(estimate(change, kish(sample) - kish(without_sample)))
    jury, best, difference, accuracies, gains = _accuracy(votes)
    report = PanelWorth(
        run=votes.run,
        steps=len(votes.says),
        questions=clusters,
        judges=len(votes.judges),
        basis="errors" if votes.has_labels else "agreement",
        kish=numbers[0],
        eigenvalue=numbers[1],
        pairs=pairs,
        worth=tuple(
            JudgeWorth(judge=name, adds=adds[j], accuracy=accuracies[j], jury_gain=gains[j])
            for j, name in enumerate(votes.judges)
        ),
        jury=jury,
        jury_coverage=float((majority(votes.says) >= 0).mean()),
        best=best,
        jury_less_best=difference,
        warnings=(),
    )
    return report.model_copy(update={"warnings": tuple(_warnings(report))})


_Accuracy = tuple[Estimate | None, str | None, Estimate | None, list[Estimate | None], list[Estimate | None]]


def _accuracy(votes: JudgeVotes) -> _Accuracy:
    """Return jury, best judge, their difference, each judge alone, and what the jury gains by each."""
    judges = range(len(votes.judges))
    if not votes.has_labels:
        return None, None, None, [None for _ in judges], [None for _ in judges]
    jury = majority(votes.says)
    alone = [votes.says[:, j] for j in judges]
    values = balanced(credit_sums(alone, votes.human, votes.question, votes.questions).sum(axis=0))
    best = int(np.argmax(values))
    both, difference = compared(jury, alone[best], votes)
    accuracies: list[Estimate | None] = []
    gains: list[Estimate | None] = []
    for j in judges:
        rest = majority(np.delete(votes.says, j, axis=1))
        accuracies.append(compared(alone[j], jury, votes)[0].bounded(0))
        gains.append(compared(jury, rest, votes)[1].unbounded(0))
    return both.bounded(0), votes.judges[best], difference.unbounded(0), accuracies, gains


def _warnings(report: PanelWorth) -> Iterator[str]:
    for pair in report.pairs:
        if pair.same_weights or pair.same_family:
            what = "have the same weights" if pair.same_weights else "are of one family"
            yield f"{pair.judges[0]} and {pair.judges[1]} {what}: their agreement says less"
    for judge in report.worth:
        if judge.adds.value is not None and judge.adds.value < LEAST_ADDED:
            yield (
                f"{judge.judge} adds {judge.adds.value:+.2f} effective judges, under {LEAST_ADDED}: "
                "the panel would be worth as much without it"
            )
        gain = judge.jury_gain
        if gain is not None and gain.value is not None and gain.high is not None and gain.high < 0:
            yield f"{judge.judge} takes from the jury: {gain.value:+.3f} balanced accuracy against the panel without it"
    less = report.jury_less_best
    if less is not None and less.value is not None and less.value < 0:
        clear = "clearly " if less.high is not None and less.high < 0 else ""
        yield f"the jury is {clear}worse than its best member {report.best} ({less.value:+.3f} balanced accuracy)"


def _same_family(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and family(one) == family(other)
