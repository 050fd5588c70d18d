"""Two readings of every step: what the jury's majority holds, and what its grounded verdicts alone hold."""

from __future__ import annotations

from enum import StrEnum

from tracejury.agents import Outcome
from tracejury.ledger import StepRow


class View(StrEnum):
    """Which result of the policy a rate reads."""

    MAJORITY = "majority"
    GROUNDED = "grounded"


def majority_outcome(row: StepRow) -> Outcome | None:
    """Return what the majority of the jury holds of the step; the outcome, where a ledger keeps one result only."""
    return getattr(row, "majority_outcome", None) or row.outcome


def grounded_outcome(row: StepRow) -> Outcome | None:
    """Return the outcome, a verdict without a full grade being an abstention; the outcome where no grade is kept."""
    if keeps_grade(row) and row.outcome in (Outcome.SUPPORTED, Outcome.ERROR) and _grade(row) != "full":
        return Outcome.ABSTAINED
    return row.outcome


def keeps_grade(row: StepRow) -> bool:
    """Tell whether the ledger says how well the step's verdict is grounded."""
    return _grade(row) is not None


def _grade(row: StepRow) -> str | None:
    grade = getattr(row, "evidence", None)
    return None if grade is None else str(getattr(grade, "value", grade))
