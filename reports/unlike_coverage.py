"""What a difference becomes when it may not rest on one arm having verdicts that the other lacks.

Where one arm has verdicts on more of its claims than the other, the surplus may be its harder or its easier steps.
Trimming the surplus from the arm that has it, all errors first or all supported steps first, bounds the difference
among the steps that would have a verdict in either arm (Lee 2009, Rev Econ Stud 76:1071, proposition 1). With like
coverage nothing is trimmed. This bound is narrower than that over all abstentions, which assumes nothing (Manski 1989).
"""

from __future__ import annotations

import numpy as np

from tracejury.reports.estimates import Floats


def trimmed_differences(before: Floats, after: Floats) -> tuple[Floats, Floats]:
    """Return the least and the largest difference of error rates, shape (...), from counts by kind (..., KINDS)."""
    (low0, high0), (low1, high1) = _trimmed(before, after), _trimmed(after, before)
    return low1 - high0, high1 - low0


def least_difference(before: Floats, after: Floats) -> Floats:
    """Return the difference nearest to 0 that unlike coverage leaves possible, shape (...)."""
    low, high = trimmed_differences(before, after)
    return np.asarray(np.where(low > 0, low, np.where(high < 0, high, np.where(np.isfinite(low), 0.0, np.nan))))


def _trimmed(own: Floats, other: Floats) -> tuple[Floats, Floats]:
    """Return the least and largest error rate of `own` at the coverage of `other`, where that is the smaller."""
    supported, error = own[..., 0], own[..., 1]
    decided = supported + error
    with np.errstate(invalid="ignore", divide="ignore"):
        coverage = decided / own[..., :4].sum(axis=-1)
        theirs = other[..., :2].sum(axis=-1) / other[..., :4].sum(axis=-1)
        kept_verdicts = decided * np.clip(theirs / coverage, 0, 1)
        low = np.maximum(kept_verdicts - supported, 0) / kept_verdicts
        return np.asarray(low), np.asarray(np.minimum(error, kept_verdicts) / kept_verdicts)
