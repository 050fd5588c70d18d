"""Two readings of every step: what the jury's majority holds, and what its grounded verdicts alone hold."""

from __future__ import annotations

from enum import StrEnum

from tracejury.agents import Grade, Outcome
from tracejury.ledger import StepRow


class View(StrEnum):
    """Which result of the policy a rate reads."""

    MAJORITY = "majority"
    GROUNDED = "grounded"


def majority_outcome(row: StepRow) -> Outcome | None:
    """Return what the majority of the jury holds of the step; the outcome, where the ledger did not keep it yet."""
    return row.majority_outcome or row.outcome


def grounded_outcome(row: StepRow) -> Outcome | None:
    """Return the outcome, a verdict without a full grade being an abstention; the outcome where no grade was kept."""
    verdict = row.outcome in (Outcome.SUPPORTED, Outcome.ERROR)
    if verdict and row.majority_outcome is not None and row.evidence is not Grade.FULL:
        return Outcome.ABSTAINED
    return row.outcome


def keeps_grade(row: StepRow) -> bool:
    """Tell whether the ledger says how well the step's verdict is grounded."""
    return row.evidence is not None
