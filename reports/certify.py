"""Thresholds with a finite-sample guarantee: fixed-sequence testing, the question as the exchangeable unit.

Of a class of verdicts (`supported` or `error`) those are kept whose probability of being wrong is at most a threshold.
The guarantee: with confidence 1 - delta over the draw of the certifying questions, P(wrong | kept) <= alpha, where a
verdict is drawn by drawing a question that has kept verdicts, then one of them. Source: the selective judging of
arXiv 2407.18370 (section 3: thresholds tested from the strictest on, each at level delta, with an exact binomial bound,
until the first that fails). Steps of a question are not independent, so one verdict a question enters each test.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from tracejury.agents import Certified

Floats = NDArray[np.float64]
_GRID = 25


class Verdicts(NamedTuple):
    """One class of verdicts. Arrays of one length: a question code, P(wrong) as calibrated, whether it was wrong."""

    question: NDArray[np.int64]
    mistaken: Floats
    wrong: NDArray[np.bool_]


def certify(fitting: Verdicts, certifying: Verdicts, *, alpha: float, delta: float, seed: int = 0) -> Certified:
    """Find the loosest threshold that holds.

    Args:
        fitting: Verdicts of the questions that the probabilities were fitted on. They lay down the sequence of
            thresholds and its start; nothing of them enters a test.
        certifying: Verdicts of other questions, exchangeable with those to come.
        alpha: The risk allowed.
        delta: How often the guarantee may fail, over draws of the certifying questions.
        seed: Decides which verdict of a question is looked at.
    """
    needed = questions_needed(alpha, delta)
    everyone = len(np.unique(certifying.question))
    # Which verdict of a question is drawn must not depend on its score: a random order, fixed for all thresholds.
    lot = np.random.default_rng(seed).permutation(len(certifying.question))
    best, tested = None, 0
    for threshold in sequence(fitting, everyone, needed):
        n, k = _drawn(certifying, certifying.mistaken <= threshold, lot)
        tested = n if best is None else tested
        if n < needed or binom.cdf(k, n, alpha) > delta:
            break
        best, tested = threshold, n
    if best is None:
        note = f"not certified: {tested} questions, at least {needed} needed"
        if tested >= needed:
            note = f"not certified: {tested} questions, {_mistakes(certifying, fitting, lot, needed)}"
        return Certified(alpha=alpha, threshold=None, questions=tested, needed=needed, note=note)
    note = f"certified on {tested} questions: P(wrong) <= {alpha:g} with confidence {1 - delta:g}"
    return Certified(alpha=alpha, threshold=float(best), questions=tested, needed=needed, note=note)


def questions_needed(alpha: float, delta: float) -> int:
    """Return how many questions without one mistake it takes: the least n with (1 - alpha)^n <= delta."""
    return math.ceil(math.log(delta) / math.log1p(-alpha))


def sequence(fitting: Verdicts, questions: int, needed: int) -> Sequence[float]:
    """Return the thresholds in the order of testing, strictest first.

    It starts where as many certifying questions can be expected as a test needs: earlier thresholds could not pass,
    and the first that fails ends the sequence.
    """
    if not len(fitting.mistaken):
        return []
    here = len(np.unique(fitting.question))
    # The least threshold at which each question has a verdict; the share of questions that must be reached.
    first = np.sort([fitting.mistaken[fitting.question == q].min() for q in np.unique(fitting.question)])
    share = min(1.0, 1.2 * needed / max(1, questions))
    start = first[min(here - 1, math.ceil(share * here) - 1)]
    levels = np.quantile(fitting.mistaken, np.linspace(0, 1, _GRID))
    return [float(start), *(float(x) for x in np.unique(levels) if x > start)]


def _drawn(verdicts: Verdicts, kept: NDArray[np.bool_], lot: NDArray[np.int64]) -> tuple[int, int]:
    """Return the number of questions with kept verdicts, and of mistakes among one kept verdict of each."""
    at = np.flatnonzero(kept)
    at = at[np.argsort(lot[at])]
    _, first = np.unique(verdicts.question[at], return_index=True)
    return len(first), int(verdicts.wrong[at[first]].sum())


def _mistakes(certifying: Verdicts, fitting: Verdicts, lot: NDArray[np.int64], needed: int) -> str:
    threshold = sequence(fitting, len(np.unique(certifying.question)), needed)[0]
    n, k = _drawn(certifying, certifying.mistaken <= threshold, lot)
    return f"{k} of {n} verdicts wrong at the strictest threshold"
