"""Hedging: how often steps hedge, and whether the steps that hedge are the ones that are wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracejury.reports.columns import Bools, Columns
from tracejury.reports.estimates import Estimate, Floats
from tracejury.reports.intervals import Jackknife, difference, share
from tracejury.traces import Record


class Hedging(Record):
    """Hedging of the steps of one arm (the paper's lexicon; docs/PROTOCOL.md, 'Hedging')."""

    name: str
    a_step: Estimate
    a_hundred_words: Estimate
    error_difference: Estimate
    """Error rate of steps that hedge minus error rate of those that do not, as a share; above 0: hedges warn."""


def hedging(columns: Columns, name: str, mask: Bools, *, confidence: float = 0.95) -> Hedging:
    """Return the hedging rates of the steps in `mask`, shape (steps,); intervals by question.

    Steps in other languages than English, whose hedges are not known, are left out.
    """
    mask = mask & (columns.steps["hedges"] >= 0)
    kind, hedges = columns.steps["kind"][mask], columns.steps["hedges"][mask]
    hedged, wrong, decided = hedges > 0, kind == 1, kind <= 1
    question = columns.step_question[mask]

    def by_question(values: NDArray[Any]) -> Floats:
        counts = np.bincount(question, weights=values.astype(np.float64), minlength=len(columns.questions))
        return np.asarray(counts, dtype=np.float64)

    sums = np.stack([by_question(v) for v in (np.ones(len(kind)), hedges, columns.steps["words"][mask])], axis=1)

    def measure(total: Floats) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.stack([total[..., 1] / total[..., 0], 100 * total[..., 1] / total[..., 2]], axis=-1)

    jackknife = Jackknife(sums, measure, confidence=confidence)
    plain, hedging_steps = (
        share(by_question(wrong & m), by_question(decided & m), confidence=confidence) for m in (~hedged, hedged)
    )
    return Hedging(
        name=name,
        a_step=jackknife.unbounded(0),
        a_hundred_words=jackknife.unbounded(1),
        error_difference=difference(plain, hedging_steps),
    )
