"""What the steps' verdicts say of whole traces: any error, where the first one is, and how it goes with the answer."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tracejury.reports.columns import Bools, Columns, Ints
from tracejury.reports.rates import share_estimate
from tracejury.reports.resampling import Estimate, Floats, bootstrap
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


def trace_rates(
    columns: Columns, name: str, mask: Bools, *, draws: int = 2_000, confidence: float = 0.95, seed: int = 0
) -> TraceRates:
    """Return the trace-level rates of the traces in `mask`, shape (traces,); intervals by question."""
    counts = count_traces(columns)
    decided, flawed = counts.decided > 0, counts.errors > 0
    right, wrong = columns.traces["correct"] == 1, columns.traces["correct"] == 0
    values = {
        "any": flawed,
        "decided": decided,
        "first": np.where(flawed, counts.first_error + 1, 0),
        "early": flawed & (counts.first_error * 3 < counts.steps),
        "erring": flawed,
        "steps": counts.steps,
        "stepped": counts.steps > 0,
        "flawed_right": flawed & right,
        "right": decided & right,
        "sound_wrong": decided & ~flawed & wrong,
        "wrong": decided & wrong,
    }
    question = columns.traces["question"][mask]
    sums = np.stack(
        [np.bincount(question, weights=v[mask], minlength=len(columns.questions)) for v in values.values()], axis=1
    )
    at = {key: i for i, key in enumerate(values)}
    pairs = [("any", "decided"), ("first", "erring"), ("early", "erring"), ("steps", "stepped")]
    pairs += [("flawed_right", "right"), ("sound_wrong", "wrong")]
    tops, bottoms = ([at[pair[i]] for pair in pairs] for i in (0, 1))

    def measure(total: Floats) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(total[..., tops] / total[..., bottoms])

    estimates = bootstrap(sums, measure, draws=draws, confidence=confidence, seed=seed)
    clusters = [int((sums[:, bottom] > 0).sum()) for bottom in bottoms]
    shares = [share_estimate(estimates.estimate(i), n, confidence) for i, n in enumerate(clusters)]
    return TraceRates(
        name=name,
        traces=int(mask.sum()),
        without_steps=int((columns.traces["empty"][mask] == 1).sum()),
        without_verdict=int((mask & (counts.steps > 0) & ~decided).sum()),
        any_error=shares[0],
        first_error=estimates.estimate(1),
        first_error_at_start=shares[2],
        steps_a_trace=estimates.estimate(3),
        flawed_when_right=shares[4],
        sound_when_wrong=shares[5],
    )
