"""The run page: what the verdicts add up to by arm, with intervals by question."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, NamedTuple

import numpy as np

from tracejury.console.viewer.ledger_view import LedgerView
from tracejury.ledger import COUNTS, ArmCount, Run
from tracejury.reports import Estimate, bootstrap, rates_of, share_estimate

_DRAWS = 2_000


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


def _arms(view: LedgerView, run: Run) -> list[Arm]:
    by_arm: dict[str, list[ArmCount]] = defaultdict(list)
    for count in view.traces.arms(run):
        by_arm[count.arm].append(count)
    sums: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for arm, _, *numbers in view.traces.by_question(run):
        sums[arm].append(tuple(numbers))
    return [_arm(name, counts, np.array(sums[name], dtype=np.float64)) for name, counts in by_arm.items()]


def _arm(name: str, parts: list[ArmCount], sums: Any) -> Arm:
    def total(field: str) -> int:
        return int(sum(getattr(part, field) for part in parts))

    def measure(row: Any) -> Any:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.concatenate([row[..., 1:2] / row[..., 0:1], rates_of(row[..., 2:])], axis=-1)

    found = bootstrap(sums, measure, draws=_DRAWS)
    graded = sums[:, 0]
    supported, error, abstained, failed, _ = sums[:, 2:].T
    clusters = [graded, supported + error, supported + error + abstained, supported + error + abstained + failed]
    estimates = [share_estimate(found.estimate(i), int((n > 0).sum())) for i, n in enumerate(clusters)]
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
        accuracy=estimates[0] if graded.any() else None,
        error_rate=estimates[1],
        abstention_rate=estimates[2],
        failure_rate=estimates[3],
        bounds=(found.estimate(6).value, found.estimate(7).value),
        bars=tuple(_bars(counts)),
    )


def _bars(counts: dict[str, int]) -> list[Bar]:
    total, start, made = sum(counts.values()) or 1, 0.0, []
    for outcome in ("supported", "error", "abstained", "no_claim", "failed"):
        width = 100 * counts[outcome] / total
        if counts[outcome]:
            made.append(Bar(outcome, counts[outcome], round(start, 3), round(width, 3)))
        start += width
    return made
