"""How small a difference a number of questions can show, before any step is judged."""

from __future__ import annotations

from math import sqrt

from tracejury.reports.differences import minimal_effect

PLANNED_STEPS = 8
"""Judged steps of a chain."""
PLANNED_ERROR_RATE = 0.15
PLANNED_CORRELATION = 0.2
"""Of the errors of the steps of one chain."""


def detectable_difference(
    questions: int,
    *,
    steps: int = PLANNED_STEPS,
    error_rate: float = PLANNED_ERROR_RATE,
    correlation: float = PLANNED_CORRELATION,
    confidence: float = 0.95,
    power: float = 0.8,
) -> float:
    """Return the smallest difference of two step error rates that a paired study of this size finds, from 0 to 1.

    A question's rate in one arm has the variance p(1 - p)(1 + (m - 1) rho) / m of m correlated steps (Donner and Klar
    2000, chapter 1); the two arms count as independent, so that chains that agree by question show smaller ones.

    Args:
        questions: Questions with verdicts in both arms.
        steps: Judged steps of a chain (m).
        error_rate: The rate of step errors (p).
        correlation: Intraclass correlation of the errors of one chain (rho).
        confidence: Of the two-sided test.
        power: The chance to find the difference.
    """
    variance = error_rate * (1 - error_rate) * (1 + (steps - 1) * correlation) / steps
    return min(1.0, minimal_effect(sqrt(2 * variance / questions), confidence, power))
