"""The summary of a run: outcomes, answers and traces by arm, then the same rates by role, error type and judge."""

from __future__ import annotations

import numpy as np

from tracejury.reports.columns import REASONS, ArmKey, Bools, Columns
from tracejury.reports.hedging import Hedging, hedging
from tracejury.reports.rates import StepRates, share_estimate, step_rates
from tracejury.reports.resampling import Estimate, Floats, bootstrap
from tracejury.reports.slices import JudgeRates, TypeShare, error_types, judge_rates, step_slices
from tracejury.reports.whole_traces import TraceRates, trace_rates
from tracejury.traces import Record


class Accuracy(Record):
    """Answers of one arm, by trace. An answer that could not be parsed counts as wrong."""

    traces: int
    """Those of questions with a gold answer."""
    unparsable: int
    accuracy: Estimate
    if_unparsable_right: float
    """The accuracy if every unparsable answer were right: the upper bound."""


class ArmSummary(Record):
    """Everything about one arm."""

    arm: ArmKey
    name: str
    steps: StepRates
    answers: Accuracy | None
    traces: TraceRates
    hedging: Hedging
    reasons: dict[str, int]
    """Why the jury abstained or failed -> steps."""
    error_types: tuple[TypeShare, ...]
    slices: dict[str, tuple[StepRates, ...]]
    """`roles`, `positions`, `lengths`, `hints`."""
    judges: tuple[JudgeRates, ...]
    cost: dict[str, float]


class Summary(Record):
    """A whole summary. Rates are shares from 0 to 1."""

    arms: tuple[ArmSummary, ...]
    failures_abstain: bool
    calibrated: bool
    draws: int
    confidence: float


def summarise(
    columns: Columns, *, draws: int = 2_000, confidence: float = 0.95, seed: int = 0, failures_abstain: bool = False
) -> Summary:
    """Sum up every arm of `columns`, all intervals by question.

    Args:
        columns: From `gather`.
        draws: Number of bootstrap samples.
        confidence: Confidence level of every interval.
        seed: Seed of the resampling.
        failures_abstain: The paper's convention (protocol.md, 'abstention'): failures count as uncertain.
    """
    return Summary(
        arms=tuple(
            _arm(columns, code, draws=draws, confidence=confidence, seed=seed, failures_abstain=failures_abstain)
            for code in range(len(columns.arms))
        ),
        failures_abstain=failures_abstain,
        calibrated=bool(np.isfinite(columns.steps["confidence"]).any()),
        draws=draws,
        confidence=confidence,
    )


def arm_name(columns: Columns, arm: ArmKey) -> str:
    """Return how people call the arm: with its run where there are several runs."""
    return arm.arm if len({a.run for a in columns.arms}) == 1 else f"{arm.run}:{arm.arm}"


def accuracy(
    columns: Columns, mask: Bools, *, draws: int = 2_000, confidence: float = 0.95, seed: int = 0
) -> Accuracy | None:
    """Return the share of right answers among the traces in `mask`; None where no question has a gold answer."""
    graded = mask & (columns.traces["correct"] >= 0)
    if not graded.any():
        return None
    question, right = columns.traces["question"][graded], columns.traces["correct"][graded] == 1
    n = len(columns.questions)
    sums = np.stack([np.bincount(question, weights=right, minlength=n), np.bincount(question, minlength=n)], axis=1)

    def measure(total: Floats) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(total[..., :1] / total[..., 1:])

    estimates = bootstrap(sums, measure, draws=draws, confidence=confidence, seed=seed)
    unparsable = columns.traces["answer"][graded] < 0
    return Accuracy(
        traces=int(graded.sum()),
        unparsable=int(unparsable.sum()),
        accuracy=share_estimate(estimates.estimate(0), int((sums[:, 1] > 0).sum()), confidence),
        if_unparsable_right=float((right | unparsable).mean()),
    )


def _arm(
    columns: Columns, code: int, *, draws: int, confidence: float, seed: int, failures_abstain: bool
) -> ArmSummary:
    arm = columns.arms[code]
    name = arm_name(columns, arm)
    here, traces = columns.step_arm == code, columns.traces["arm"] == code
    slices = step_slices(columns, here)
    groups = [(name, here), *(group for groups_of in slices.values() for group in groups_of)]
    rates = step_rates(
        columns, groups, draws=draws, confidence=confidence, seed=seed, failures_abstain=failures_abstain
    )
    rest = iter(rates[1:])
    kind = columns.steps["kind"]
    silent = np.unique(columns.steps["reason"][here & ((kind == 2) | (kind == 3))], return_counts=True)
    return ArmSummary(
        arm=arm,
        name=name,
        steps=rates[0],
        answers=accuracy(columns, traces, draws=draws, confidence=confidence, seed=seed),
        traces=trace_rates(columns, name, traces, draws=draws, confidence=confidence, seed=seed),
        hedging=hedging(columns, name, here, draws=draws, confidence=confidence, seed=seed),
        reasons={REASONS[int(code)].value: int(n) for code, n in zip(*silent, strict=True) if code >= 0},
        error_types=error_types(columns, here, draws=draws, confidence=confidence, seed=seed),
        slices={by: tuple(next(rest) for _ in groups_of) for by, groups_of in slices.items()},
        judges=judge_rates(columns, here, draws=draws, confidence=confidence, seed=seed),
        cost=dict(columns.costs[arm]),
    )
