"""What the steps' verdicts say of whole traces: any error, where the first one is, and how it goes with the answer."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracejury.reports.columns import Bools, Columns, Ints
from tracejury.reports.estimates import Estimate, Floats
from tracejury.reports.intervals import Jackknife, share
from tracejury.traces import Record


class TraceRates(Record):
    """Traces of one arm. Shares are over traces with at least one verdict, unless said otherwise."""

    name: str
    traces: int
    without_steps: int
    without_verdict: int
    """Traces with steps on none of which a verdict was reached."""
    any_error: Estimate
    first_error: Estimate
    """Mean position (from 1) of the first error in traces that have one."""
    first_error_at_start: Estimate
    """Of the traces with an error, the share whose first error is in the first third."""
    steps_a_trace: Estimate
    flawed_when_right: Estimate
    """Right answer with flawed reasoning: share of traces with an error among those answered right."""
    sound_when_wrong: Estimate
    """Wrong answer without an error found: share among traces answered wrong."""


class TraceCounts(NamedTuple):
    """Per trace, shape (traces,) each."""

    steps: Ints
    decided: Ints
    errors: Ints
    first_error: Ints
    """Position from 0; -1: none."""


def count_traces(columns: Columns) -> TraceCounts:
    """Count steps, verdicts and errors of every trace."""
    n = len(columns.traces["question"])
    trace, kind = columns.steps["trace"].astype(np.int64), columns.steps["kind"]
    wrong = kind == 1
    first = np.full(n, np.iinfo(np.int64).max)
    np.minimum.at(first, trace[wrong], columns.steps["position"][wrong].astype(np.int64))
    errors = np.bincount(trace[wrong], minlength=n)
    return TraceCounts(
        steps=np.bincount(trace, minlength=n),
        decided=np.bincount(trace[kind <= 1], minlength=n),
        errors=errors,
        first_error=np.where(errors > 0, first, -1),
    )


def trace_rates(columns: Columns, name: str, mask: Bools, *, confidence: float = 0.95) -> TraceRates:
    """Return the trace-level rates of the traces in `mask`, shape (traces,); intervals by question."""
    counts = count_traces(columns)
    decided, flawed = counts.decided > 0, counts.errors > 0
    right, wrong = columns.traces["correct"] == 1, columns.traces["correct"] == 0
    question = columns.traces["question"][mask]

    def by_question(values: NDArray[Any]) -> Floats:
        counts = np.bincount(question, weights=values[mask].astype(np.float64), minlength=len(columns.questions))
        return np.asarray(counts, dtype=np.float64)

    def rate(tops: NDArray[Any], bottoms: NDArray[Any]) -> Estimate:
        return share(by_question(tops), by_question(bottoms), confidence=confidence).estimate

    def mean(values: NDArray[Any], of: NDArray[Any]) -> Estimate:
        sums = np.stack([by_question(np.where(of, values, 0)), by_question(of)], axis=1)
        return Jackknife(sums, _ratio, confidence=confidence).unbounded(0)

    return TraceRates(
        name=name,
        traces=int(mask.sum()),
        without_steps=int((columns.traces["empty"][mask] == 1).sum()),
        without_verdict=int((mask & (counts.steps > 0) & ~decided).sum()),
        any_error=rate(flawed, decided),
        first_error=mean(counts.first_error + 1, flawed),
        first_error_at_start=rate(flawed & (counts.first_error * 3 < counts.steps), flawed),
        steps_a_trace=mean(counts.steps, counts.steps > 0),
        flawed_when_right=rate(flawed & right, decided & right),
        sound_when_wrong=rate(decided & ~flawed & wrong, decided & wrong),
    )


def _ratio(total: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(total[..., :1] / total[..., 1:])
