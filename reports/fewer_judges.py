"""Verdicts that part of the jury would have reached: the same opinions, fewer judges."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from tracejury.reports.columns import LABELS, NO_CLAIM, Columns, Ints


def recount(columns: Columns, judges: Collection[int]) -> Ints:
    """Return each step's majority outcome over `judges` alone as a code, shape (steps,).

    A strict majority of these judges decides, whatever the evidence: it is what the comparison's main row reads. A step
    without a majority abstains; one on which none of them gave an opinion, or on which missing opinions could have made
    the majority, has failed.

    Args:
        columns: Steps and opinions.
        judges: Codes of the judges (index in `columns.judges`); those without a vote are passed over.
    """
    opinions = columns.opinions
    n, kinds = len(columns.steps["kind"]), len(LABELS)
    mine = np.isin(opinions["judge"], sorted(judges)) & (opinions["votes"] == 1)
    size = len(np.unique(opinions["judge"][mine]))
    usable = mine & (opinions["label"] < kinds)
    at = opinions["step"][usable].astype(np.int64) * kinds + opinions["label"][usable]
    votes = np.bincount(at, minlength=n * kinds).reshape(n, kinds)
    opinions_given = votes.sum(axis=1)
    majority = size // 2 + 1
    winner = np.where(votes.max(axis=1) >= majority, votes.argmax(axis=1), -1)
    reached = votes.max(axis=1) + size - opinions_given >= majority
    could = (winner < 0) & reached & (opinions_given < size)
    outcome = np.full(n, 2, dtype=np.int64)
    outcome[winner == 0], outcome[winner == 1], outcome[winner == 3] = 0, 1, NO_CLAIM
    outcome[could | (opinions_given == 0)] = 3
    return outcome


def voting(columns: Columns) -> list[int]:
    """Return the codes of the judges that have a vote."""
    return sorted({int(j) for j in columns.opinions["judge"][columns.opinions["votes"] == 1]})
