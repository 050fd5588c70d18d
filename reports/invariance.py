"""Verdicts under edits that keep the label: paraphrases, appended text, another order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracejury.ledger import StepRow
from tracejury.reports.estimates import Estimate
from tracejury.reports.intervals import share


class Edited(NamedTuple):
    """An edited step beside its original, by their places."""

    edit: str
    original: int
    edited: int


def invariance(outcome: NDArray[np.int64], edits: Iterable[Edited], question: NDArray[np.int64]) -> dict[str, Estimate]:
    """Return by edit the share of verdicts that it leaves unchanged, with an interval by question.

    Args:
        outcome: The outcome code of each step.
        edits: Pairs of steps, which ought to have the same outcome.
        question: Question code of each step.
    """
    questions = int(question.max()) + 1
    same: dict[str, NDArray[np.float64]] = defaultdict(lambda: np.zeros(questions))
    pairs: dict[str, NDArray[np.float64]] = defaultdict(lambda: np.zeros(questions))
    for edit in edits:
        pairs[edit.edit][question[edit.edited]] += 1
        same[edit.edit][question[edit.edited]] += outcome[edit.original] == outcome[edit.edited]
    return {edit: share(same[edit], pairs[edit]).estimate for edit in pairs}


def unchanged_between(before: Iterable[StepRow], after: Iterable[StepRow]) -> tuple[int, Estimate]:
    """Return how many steps two runs share, and the share of them with the same outcome, with an interval by question.

    Steps are paired by the question's key, arm, sample and place, so that a run over edited questions (options or
    passages in another order, a paraphrase) is set against the original.

    Raises:
        ValueError: The runs share no step.
    """
    first = {_key(row): row for row in before if row.outcome is not None}
    both = [(first[_key(row)], row) for row in after if row.outcome is not None and _key(row) in first]
    if not both:
        raise ValueError("the runs share no step: question key, arm, sample and place of a step must agree")
    codes = {name: i for i, name in enumerate(dict.fromkeys(old.question_id for old, _ in both))}
    question = np.array([codes[old.question_id] for old, _ in both])
    same = np.array([old.outcome is new.outcome for old, new in both], dtype=np.float64)
    total = np.bincount(question, minlength=len(codes))
    return len(both), share(np.bincount(question, weights=same, minlength=len(codes)), total).estimate


def _key(row: StepRow) -> tuple[object, ...]:
    return row.meta.get("question_key") or row.question_id, row.arm, row.sample, row.step_index
