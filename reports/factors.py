"""The conditions under which a difference may appear: their names and their values by question."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracejury.reports.columns import Columns
from tracejury.reports.estimates import Estimate
from tracejury.traces import Record

TITLES = {
    "options": "number of options",
    "option_chars": "answer length, characters",
    "stem_chars": "vignette length, characters",
    "tokens": "tokens a trace",
    "trace_chars": "characters a trace",
    "correct": "baseline answered",
    "source": "benchmark",
    "role": "step role",
}
"""What each condition is called. All but the role belong to the question, so that both arms fall on the same side."""


class Term(Record):
    """How the difference changes with a condition, all others held: an interaction of the mixed model."""

    condition: str
    change: str
    """What the effect is for: one standard deviation more, or this level against the reference."""
    effect: Estimate
    """In shares of steps."""
    p: float


def question_values(columns: Columns, name: str, before: int) -> NDArray[Any]:
    """Return a condition's value by question, shape (questions,), nan where unknown; from the baseline's traces."""
    traces = columns.traces
    values = np.full(len(columns.questions), np.nan)
    mine = (traces["arm"] == before) & (traces[name] >= 0)
    question = traces["question"][mine]
    total = np.bincount(question, weights=traces[name][mine], minlength=len(values))
    count = np.bincount(question, minlength=len(values))
    values[count > 0] = total[count > 0] / count[count > 0]
    return values
