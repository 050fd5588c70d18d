"""Thresholds with a finite-sample guarantee: fixed-sequence testing, the question as the exchangeable unit.

Of a class of verdicts (`supported` or `error`) those are kept whose probability of being wrong is at most a threshold.
The guarantee: with confidence 1 - delta over the draw of the certifying questions, P(wrong | kept) <= alpha, where a
verdict is drawn by drawing a question that has kept verdicts, then one of them. Source: the selective judging of
arXiv 2407.18370 (section 3: thresholds tested from the strictest on, each at level delta, with an exact binomial bound,
until the first that fails). Steps of a question are not independent, so one verdict a question enters each test.

With `per="step"` every kept verdict weighs alike and all of them enter the test, a one-sided Student's t on the ratio
of mistakes to verdicts with questions as the units (Cochran 1977, Sampling Techniques, section 6.3). That guarantee
holds for many questions, not for each number of them: `benchmarks/guarantee.py` measures how often it fails.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from tracejury.agents import Certified
from tracejury.reports.student_t import t_quantile

Unit = Literal["question", "step"]
Floats = NDArray[np.float64]
_GRID = 25


class Verdicts(NamedTuple):
    """One class of verdicts. Arrays of one length: a question code, P(wrong) as calibrated, whether it was wrong."""

    question: NDArray[np.int64]
    mistaken: Floats
    wrong: NDArray[np.bool_]


def certify(
    fitting: Verdicts, certifying: Verdicts, *, alpha: float, delta: float, seed: int = 0, per: Unit = "question"
) -> Certified:
    """Find the loosest threshold that holds.

    Args:
        fitting: Verdicts of the questions that the probabilities were fitted on. They lay down the sequence of
            thresholds and its start; nothing of them enters a test.
        certifying: Verdicts of other questions, exchangeable with those to come.
        alpha: The risk allowed.
        delta: How often the guarantee may fail, over draws of the certifying questions.
        seed: Decides which verdict of a question is looked at.
        per: What is drawn when the risk is said: a question, then one of its kept verdicts; or a kept verdict (`step`).
    """
    needed = questions_needed(alpha, delta)
    everyone = len(np.unique(certifying.question))
    # Which verdict of a question is drawn must not depend on its score: a random order, fixed for all thresholds.
    random_order = np.random.default_rng(seed).permutation(len(certifying.question))
    best: float | None = None
    first: tuple[int, int] | None = None
    for threshold in sequence(fitting, everyone, alpha):
        passing = certifying.mistaken <= threshold
        n, k = _one_verdict_each(certifying, passing, random_order)
        first = first or (n, k)
        by_question = binom.cdf(k, n, alpha) <= delta
        holds = by_question if per == "question" else _holds_by_step(certifying, passing, alpha, delta)
        if n < needed or not holds:
            break
        best, tested = threshold, n
    if best is None:
        tested, mistakes = first or (0, 0)
        note = f"not certified: {everyone} questions, at least {needed} needed"
        if everyone >= needed:
            note = f"not certified: of {everyone} questions {tested} keep a verdict at best, {mistakes} of these wrong"
        return Certified(alpha=alpha, threshold=None, questions=tested, needed=needed, note=note, per=per)
    of_what = "" if per == "question" else " of all kept verdicts alike, approximately"
    note = f"certified on {tested} questions: P(wrong) <= {alpha:g} with confidence {1 - delta:g}{of_what}"
    return Certified(alpha=alpha, threshold=best, questions=tested, needed=needed, note=note, per=per)


def questions_needed(alpha: float, delta: float) -> int:
    """Return how many questions without one mistake it takes: the least n with (1 - alpha)^n <= delta."""
    return math.ceil(math.log(delta) / math.log1p(-alpha))


def sequence(fitting: Verdicts, questions: int, alpha: float) -> Sequence[float]:
    """Return the thresholds in the order of testing, strictest first.

    The first that fails ends the sequence, so it starts where the fitting half expects a test to pass most surely: a
    stricter threshold keeps too few questions to show anything, a looser one too many mistakes.

    Args:
        fitting: The fitting half's verdicts.
        questions: How many questions the certifying half has.
        alpha: The risk allowed.
    """
    if not len(fitting.mistaken):
        return []
    levels = np.unique(np.quantile(fitting.mistaken, np.linspace(0, 1, _GRID)))
    scale = questions / len(np.unique(fitting.question))
    expected = []
    for level in levels:
        passing = fitting.mistaken <= level
        n = np.bincount(fitting.question[passing])
        wrong = np.bincount(fitting.question[passing], weights=fitting.wrong[passing])[n > 0] / n[n > 0]
        # Half a mistake is added: a few questions without any prove little.
        risk = (wrong.sum() + 0.5) / (len(wrong) + 1)
        expected.append(binom.cdf(np.floor(risk * len(wrong) * scale), np.floor(len(wrong) * scale), alpha))
    return [float(level) for level in levels[int(np.argmin(expected)) :]]


def _one_verdict_each(
    verdicts: Verdicts, passing: NDArray[np.bool_], random_order: NDArray[np.int64]
) -> tuple[int, int]:
    """Return the number of questions with kept verdicts, and of mistakes among one kept verdict of each."""
    at = np.flatnonzero(passing)
    at = at[np.argsort(random_order[at])]
    _, first = np.unique(verdicts.question[at], return_index=True)
    return len(first), int(verdicts.wrong[at[first]].sum())


def _holds_by_step(verdicts: Verdicts, passing: NDArray[np.bool_], alpha: float, delta: float) -> bool:
    """Tell whether the share of mistakes among all passing verdicts is shown to be at most alpha."""
    n = np.bincount(verdicts.question[passing])
    wrong = np.bincount(verdicts.question[passing], weights=verdicts.wrong[passing])[n > 0]
    n = n[n > 0]
    if len(n) < 2:
        return False
    risk = wrong.sum() / n.sum()
    spread = np.sqrt(len(n) / (len(n) - 1) * ((wrong - risk * n) ** 2).sum()) / n.sum()
    return bool(risk + t_quantile(max(1 - 2 * delta, 0.0), len(n) - 1) * spread <= alpha)
