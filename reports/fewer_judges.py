"""Verdicts that part of the jury would have reached: the same opinions, fewer judges."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from tracejury.reports.columns import LABELS, NO_CLAIM, Columns, Ints


def recount(columns: Columns, judges: Collection[int]) -> Ints:
    """Return each step's outcome code by the policy's majority rule over `judges` alone, shape (steps,).

    A strict majority of these judges decides, a verdict must be grounded, and a grounded error is never outvoted. What
    would go to the resolver abstains: it is not asked again. A step on which none of them
    gave an opinion, or on which missing opinions could have made the majority, has failed.

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
    grounded = np.bincount(at, weights=opinions["grounded"][usable], minlength=n * kinds).reshape(n, kinds) > 0
    opinions_given = votes.sum(axis=1)
    majority = size // 2 + 1
    winner = np.where(votes.max(axis=1) >= majority, votes.argmax(axis=1), -1)
    error = (winner == 1) & grounded[:, 1]
    supported = (winner == 0) & grounded[:, 0] & ~grounded[:, 1]
    no_claim = (winner == 3) & ~grounded[:, 1]
    could = (
        (winner < 0)
        & (votes.max(axis=1) + size - opinions_given >= majority)
        & (opinions_given < size)
        & ~grounded[:, 1]
    )
    outcome = np.full(n, 2, dtype=np.int64)
    outcome[supported], outcome[error], outcome[no_claim] = 0, 1, NO_CLAIM
    outcome[could | (opinions_given == 0)] = 3
    return outcome


def voting(columns: Columns) -> list[int]:
    """Return the codes of the judges that have a vote."""
    return sorted({int(j) for j in columns.opinions["judge"][columns.opinions["votes"] == 1]})
