"""The run page: what the verdicts add up to by arm, with intervals by question."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, NamedTuple

import numpy as np

from tracejury.console.viewer.ledger_view import LedgerView
from tracejury.ledger import COUNTS, ArmCount, FailureCounts, Run
from tracejury.reports import Estimate, mean_share, ordered_arms, rates_from_counts
from tracejury.traces import TextCoverage


class Bar(NamedTuple):
    """One part of a stacked bar, in percent of its width."""

    outcome: str
    steps: int
    start: float
    width: float


class Arm(NamedTuple):
    """One arm of the run."""

    name: str
    models: tuple[str, ...]
    traces: int
    right: int
    graded: int
    flawed: int
    judged: int
    counts: dict[str, int]
    disagreements: int
    resolved: int
    accuracy: Estimate | None
    error_rate: Estimate
    abstention_rate: Estimate
    failure_rate: Estimate
    bounds: tuple[float | None, float | None]
    bars: tuple[Bar, ...]


def arms_of(view: LedgerView, run: Run) -> list[Arm]:
    """Return the run's arms with rates and intervals, as `tracejury summary` has them."""
    return view.cache.get(("arms", run.id), lambda: _arms(view, run))


def texts_of(view: LedgerView, run: Run) -> dict[str, TextCoverage]:
    """Return how much of each arm's text was judged, as far as the ledger kept it; empty while a large run is read."""
    texts = view.soon(("texts", run.id), lambda: view.ledger.text_coverage(run)) or {}
    return {arm: text for arm, text in texts.items() if text.judged_share is not None}


def failures_of(view: LedgerView, run: Run) -> FailureCounts:
    """Return the run's failed opinions by reason."""
    return view.cache.get(("failures", run.id), lambda: view.steps.failures(run))


def _arms(view: LedgerView, run: Run) -> list[Arm]:
    by_arm: dict[str, list[ArmCount]] = defaultdict(list)
    for count in view.traces.arms(run):
        by_arm[count.arm].append(count)
    sums: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for arm, _, *numbers in view.traces.by_question(run):
        sums[arm].append(tuple(numbers))
    return [_arm(name, by_arm[name], np.array(sums[name], dtype=np.float64)) for name in ordered_arms(by_arm)]


def _arm(name: str, parts: list[ArmCount], sums: Any) -> Arm:
    def total(field: str) -> int:
        return int(sum(getattr(part, field) for part in parts))

    graded, right = sums[:, 0], sums[:, 1]
    rates = rates_from_counts(name, sums[:, 2:])
    counts = {outcome: total(outcome) for outcome in COUNTS}
    return Arm(
        name=name,
        models=tuple(dict.fromkeys(part.model for part in parts)),
        traces=total("traces"),
        right=total("right"),
        graded=total("graded"),
        flawed=total("flawed"),
        judged=total("judged"),
        counts=counts,
        disagreements=total("disagreements"),
        resolved=total("resolved"),
        accuracy=mean_share(right, graded).estimate if graded.any() else None,
        error_rate=rates.error_rate,
        abstention_rate=rates.abstention_rate,
        failure_rate=rates.failure_rate,
        bounds=rates.bounds,
        bars=tuple(_bars(counts)),
    )


def _bars(counts: dict[str, int]) -> list[Bar]:
    total, start, segments = sum(counts.values()) or 1, 0.0, []
    for outcome in ("supported", "error", "abstained", "no_claim", "failed"):
        width = 100 * counts[outcome] / total
        if counts[outcome]:
            segments.append(Bar(outcome, counts[outcome], round(start, 3), round(width, 3)))
        start += width
    return segments
