"""Two arms side by side, question by question, and which of the questions are decided in both."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tracejury.reports.columns import Bools, Columns
from tracejury.reports.estimates import Floats


class Sides(NamedTuple):
    """Both arms by question, paired questions only."""

    before: Floats
    """Steps by kind, shape (questions, KINDS)."""
    after: Floats
    right_before: Floats
    """Share of right samples; nan: no gold answer."""
    right_after: Floats
    unpaired: tuple[int, int]
    """Questions that only the baseline has traces of, and only the other arm."""

    def only(self, mask: Bools) -> Sides:
        """Return the questions in `mask`, shape (questions,)."""
        return self._replace(
            before=self.before[mask], after=self.after[mask], right_before=self.right_before[mask],
            right_after=self.right_after[mask],
        )  # fmt: skip


def pair(columns: Columns, before: int, after: int, steps: Bools | None = None) -> Sides:
    """Put two arms side by side over the questions that both have traces of, or, given a mask, both have `steps` of."""
    question, arm = columns.traces["question"], columns.traces["arm"]
    n = len(columns.questions)
    there = [np.bincount(question[arm == code], minlength=n) > 0 for code in (before, after)]
    both = there[0] & there[1]
    if steps is not None:
        for code in (before, after):
            both &= columns.per_question(steps & (columns.step_arm == code)).any(axis=1)
    counts, rights = [], []
    for code in (before, after):
        mask = columns.step_arm == code
        counts.append(columns.per_question(mask if steps is None else mask & steps)[both])
        graded = (arm == code) & (columns.traces["correct"] >= 0)
        right = np.bincount(question[graded], weights=columns.traces["correct"][graded], minlength=n)
        with np.errstate(invalid="ignore"):
            rights.append((right / np.bincount(question[graded], minlength=n))[both])
    unpaired = (int((there[0] & ~both).sum()), int((there[1] & ~both).sum()))
    return Sides(counts[0], counts[1], rights[0], rights[1], unpaired)


def decided_share(counts: Floats) -> Floats:
    """Return the share of each question's claims that have a verdict, shape (questions,); 0 where it has no claim."""
    claims = counts[:, :4].sum(axis=1)
    shares: Floats = np.divide(counts[:, :2].sum(axis=1), claims, out=np.zeros(len(counts)), where=claims > 0)
    return shares


def decided_in_both(sides: Sides, min_decided: float) -> Bools:
    """Return which questions have a verdict, and verdicts on `min_decided` of their claims, in both arms."""
    shares = np.minimum(decided_share(sides.before), decided_share(sides.after))
    return np.asarray((shares > 0) & (shares >= min_decided - 1e-9))


def questions_decided_in_both(
    columns: Columns, before: int, after: int, min_decided: float, steps: Bools | None = None
) -> Bools:
    """Return which questions have a verdict, and verdicts on `min_decided` of their claims, in both arms.

    Shape (questions,); given a mask, only its steps count.
    """
    arms = [columns.step_arm == code for code in (before, after)]
    counts = [columns.per_question(arm if steps is None else arm & steps) for arm in arms]
    shares = np.minimum(*(decided_share(side) for side in counts))
    return np.asarray((shares > 0) & (shares >= min_decided - 1e-9))
