"""How far the judges of a panel agree with one another, and which of them are one model under two names."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from tracejury.reports.agreement import RaterAgreement, rater_agreement
from tracejury.reports.columns import LABELS, Columns
from tracejury.traces import Record


class JudgePair(Record):
    """Two judges on the steps that both answered (supported, error, unclear, no claim)."""

    judges: tuple[str, str]
    same_weights: bool
    """Both are the same model: their agreement says less."""
    agreement: RaterAgreement


def judge_pairs(columns: Columns) -> tuple[JudgePair, ...]:
    """Return the agreement of every two judges, in the order of their names."""
    opinions = columns.opinions
    n, order = len(columns.steps["kind"]), sorted(range(len(columns.judges)), key=lambda c: str(columns.judges[c]))
    pairs = []
    for a, b in combinations(order, 2):
        ratings = np.full((n, 2), -1)
        for side, judge in enumerate((a, b)):
            mine = (opinions["judge"] == judge) & (opinions["label"] < len(LABELS))
            ratings[opinions["step"][mine], side] = opinions["label"][mine]
        (first, model), (second, other) = columns.judges[a], columns.judges[b]
        agreed = rater_agreement(ratings, columns.step_question, (first, second), categories=len(LABELS))
        if agreed.items:
            same = model is not None and model == other
            pairs.append(JudgePair(judges=(first, second), same_weights=same, agreement=agreed))
    return tuple(pairs)
