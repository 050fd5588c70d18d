"""Hedging: how often steps hedge, and whether the steps that hedge are the ones that are wrong."""

from __future__ import annotations

import numpy as np

from tracejury.reports.columns import Bools, Columns
from tracejury.reports.resampling import Estimate, Floats, bootstrap
from tracejury.traces import Record


class Hedging(Record):
    """Hedging of the steps of one arm (protocol.md's lexicon)."""

    name: str
    a_step: Estimate
    a_hundred_words: Estimate
    error_difference: Estimate
    """Error rate of steps that hedge minus error rate of those that do not, as a share; above 0: hedges warn."""


def hedging(
    columns: Columns, name: str, mask: Bools, *, draws: int = 2_000, confidence: float = 0.95, seed: int = 0
) -> Hedging:
    """Return the hedging rates of the steps in `mask`, shape (steps,); intervals by question."""
    kind, hedges = columns.steps["kind"][mask], columns.steps["hedges"][mask]
    hedged = hedges > 0
    wrong, decided = kind == 1, kind <= 1
    values = [np.ones(len(kind)), hedges, columns.steps["words"][mask]]
    values += [wrong & hedged, decided & hedged, wrong & ~hedged, decided & ~hedged]
    question = columns.step_question[mask]
    sums = np.stack([np.bincount(question, weights=v, minlength=len(columns.questions)) for v in values], axis=1)

    def measure(total: Floats) -> Floats:
        steps, count, words, wrong, decided, wrong_plain, decided_plain = np.moveaxis(total, -1, 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            difference = wrong / decided - wrong_plain / decided_plain
            return np.stack([count / steps, 100 * count / words, difference], axis=-1)

    estimates = bootstrap(sums, measure, draws=draws, confidence=confidence, seed=seed)
    return Hedging(
        name=name,
        a_step=estimates.estimate(0),
        a_hundred_words=estimates.estimate(1),
        error_difference=estimates.estimate(2),
    )
