"""The headline of a comparison: one plain sentence that can be read out."""

from __future__ import annotations

from tracejury.reports.resampling import Estimate

NOT_ENOUGH = "not enough verdicts to compare"


def headline(answers: Estimate | None, steps: Estimate | None, robust: bool, why_not: str | None) -> str:
    """Return the sentence.

    Args:
        answers: Difference of accuracies as a share; None: no gold answers.
        steps: Difference of step error rates as a share.
        robust: The direction of `steps` stays whatever the abstentions hide.
        why_not: Why there are not enough verdicts; None: there are.
    """
    answers_part = f"answers {points(answers)}" if answers else "answers not graded"
    if why_not is not None or steps is None:
        return f"{NOT_ENOUGH} ({why_not or 'no question has verdicts on both sides'}); {answers_part}"
    return f"{answers_part}, step errors {points(steps)}, direction robust to abstentions: {'yes' if robust else 'no'}"


def points(estimate: Estimate) -> str:
    """Return a difference of shares as `+9.7 points [7.1, 12.2]`."""
    if estimate.value is None:
        return "unknown"
    text = f"{100 * estimate.value:+.1f} points"
    if estimate.low is None or estimate.high is None:
        return f"{text} [too few questions for an interval]"
    return f"{text} [{100 * estimate.low:+.1f}, {100 * estimate.high:+.1f}]"
