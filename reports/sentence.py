"""The headline of a comparison: one plain sentence that can be read out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracejury.reports.estimates import Estimate

if TYPE_CHECKING:
    from tracejury.reports.comparison import StepComparison
    from tracejury.reports.differences import Difference

NOT_ENOUGH = "not enough verdicts to compare"
_UNPAIRED = ", which are not on the same questions"
_DIRECTIONS = {"up": "more errors", "down": "fewer errors", "none": "no difference"}


def headline(answers: Difference | None, majority: StepComparison, grounded: StepComparison | None) -> str:
    """Return the sentence: answers, step errors by both views, what speaks against reading them plainly, robustness.

    Args:
        answers: The difference of accuracies; None: no gold answers.
        majority: Step errors by the jury's majority.
        grounded: By grounded verdicts alone; None: the run does not tell these apart.
    """
    answers_part = f"answers {points(answers.difference)}" if answers else "answers not graded"
    if majority.why_not is not None or majority.steps is None:
        reason = majority.why_not or "no question is decided in both arms"
        pool = f"; all verdicts{_UNPAIRED}: {points(majority.pool.difference)}" if majority.pool.apart else ""
        return f"{NOT_ENOUGH} ({reason}); {answers_part}{pool}"
    parts = [f"{answers_part}, step errors {points(majority.steps.difference)}"]
    if grounded is not None:
        parts[0] += f" by majority ({_coverage(majority)})"
    parts[0] += _unlike(majority, name_coverage=grounded is None)
    if grounded is not None:
        parts.append(_grounded(majority, grounded))
    return ", ".join(parts) + _pool(majority) + f", direction robust to abstentions: {majority.robust}"


def points(estimate: Estimate) -> str:
    """Return a difference of shares as `+9.7 points [7.1, 12.2]`."""
    if estimate.value is None:
        return "unknown"
    text = f"{100 * estimate.value:+.1f} points"
    if estimate.low is None or estimate.high is None:
        return text
    return f"{text} [{100 * estimate.low:+.1f}, {100 * estimate.high:+.1f}]"


def _coverage(compared: StepComparison) -> str:
    before, after = (100 * c for c in compared.coverage)
    return f"coverage {before:.1f} and {after:.1f} %"


def _grounded(majority: StepComparison, grounded: StepComparison) -> str:
    if grounded.steps is None or grounded.why_not is not None:
        return f"too few grounded verdicts to compare ({_coverage(grounded)})"
    text = f"{points(grounded.steps.difference)} by grounded verdicts alone ({_coverage(grounded)})"
    if grounded.direction is not majority.direction:
        text += f", which show {_DIRECTIONS[grounded.direction]}"
    return text


def _unlike(compared: StepComparison, *, name_coverage: bool) -> str:
    """Say that unlike coverage could be the reason for a difference, where it could.

    The headline has one coverage, that of the paired questions; `name_coverage` says whether it has to be named here.

    The interval of the difference is moved by what the surplus of verdicts could hide, so that like coverage, which
    hides nothing, is never named as the reason.
    """
    if compared.like_coverage is None or compared.steps is None or compared.direction == "none":
        return ""
    difference, (least, largest) = compared.steps.difference, compared.like_coverage
    numbers = (difference.value, difference.low, difference.high, least.value, largest.value)
    if any(number is None for number in numbers):
        return ""
    value, low, high, least_value, largest_value = (float(number or 0.0) for number in numbers)
    if low - (value - least_value) > 0 or high + (largest_value - value) < 0:
        return ""
    named = f" ({_coverage(compared).removeprefix('coverage ')})" if name_coverage else ""
    return f", which unlike coverage alone{named} could explain"


def _pool(compared: StepComparison) -> str:
    """Say where the verdicts of all questions tell another story than those of the questions decided in both arms."""
    if not compared.pool.apart:
        return ""
    return f", unlike {points(compared.pool.difference)} over all verdicts{_UNPAIRED}"
