"""The summary of a run: outcomes, answers and traces by arm, then the same rates by role, error type and judge."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from tracejury.ledger import FailureCount
from tracejury.reports.answers import AnswerMetrics
from tracejury.reports.columns import REASONS, ArmKey, Bools, Columns
from tracejury.reports.corrected import Corrected, corrected_rate
from tracejury.reports.estimates import Estimate
from tracejury.reports.hedging import Hedging, hedging
from tracejury.reports.intervals import mean_share
from tracejury.reports.rates import StepRates, step_rates
from tracejury.reports.sampled_answers import sampled_metrics
from tracejury.reports.slices import JudgeRates, TypeShare, error_types, judge_rates, step_slices
from tracejury.reports.whole_traces import TraceRates, trace_rates
from tracejury.traces import Record


class Accuracy(Record):
    """Answers of one arm, every question alike. An answer that could not be parsed counts as wrong."""

    traces: int
    """Those of questions with a gold answer."""
    unparsable: int
    accuracy: Estimate
    """Mean over questions of the share of right samples."""
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
    failures: dict[str, FailureCount] = Field(default_factory=dict)
    """Failed opinions by reason, with an example and a remedy."""
    corrected: Corrected | None = None
    """The error rate corrected for the jury's errors; None without labelled steps."""
    sampled_answers: AnswerMetrics | None = None
    """Answers over all samples of each question; None where no question has several."""


class Summary(Record):
    """A whole summary. Rates are shares from 0 to 1."""

    arms: tuple[ArmSummary, ...]
    failures_abstain: bool
    calibrated: bool
    confidence: float


def summarise(
    columns: Columns, *, confidence: float = 0.95, failures_abstain: bool = False, labels: Columns | None = None
) -> Summary:
    """Sum up every arm of `columns`, all intervals by question.

    Args:
        columns: From `gather`.
        confidence: Confidence level of every interval.
        failures_abstain: Count failures as uncertain, as the paper's judge does.
        labels: Another run of the same panel whose labels correct the error rates; None: the labels of these steps.
    """
    return Summary(
        arms=tuple(_arm(columns, code, confidence, failures_abstain, labels) for code in range(len(columns.arms))),
        failures_abstain=failures_abstain,
        calibrated=bool(np.isfinite(columns.steps["confidence"]).any()),
        confidence=confidence,
    )


def arm_name(columns: Columns, arm: ArmKey) -> str:
    """Return how people call the arm: with its run where there are several runs."""
    return arm.arm if len({a.run for a in columns.arms}) == 1 else f"{arm.run}:{arm.arm}"


def accuracy(columns: Columns, mask: Bools, *, confidence: float = 0.95) -> Accuracy | None:
    """Return the accuracy of the traces in `mask`; None where no question has a gold answer."""
    graded = mask & (columns.traces["correct"] >= 0)
    if not graded.any():
        return None
    question, right = columns.traces["question"][graded], columns.traces["correct"][graded] == 1
    n = len(columns.questions)
    samples = np.bincount(question, minlength=n)
    unparsable = columns.traces["answer"][graded] < 0
    return Accuracy(
        traces=int(graded.sum()),
        unparsable=int(unparsable.sum()),
        accuracy=mean_share(np.bincount(question, weights=right, minlength=n), samples, confidence=confidence).estimate,
        if_unparsable_right=float(
            mean_share(np.bincount(question, weights=right | unparsable, minlength=n), samples).estimate.value or 0.0
        ),
    )


def _arm(columns: Columns, code: int, confidence: float, failures_abstain: bool, labels: Columns | None) -> ArmSummary:
    arm = columns.arms[code]
    name = arm_name(columns, arm)
    here, traces = columns.step_arm == code, columns.traces["arm"] == code
    slices = step_slices(columns, here)
    groups = [(name, here), *(group for groups_of in slices.values() for group in groups_of)]
    rates = step_rates(columns, groups, confidence=confidence, failures_abstain=failures_abstain)
    rest = iter(rates[1:])
    kind = columns.steps["kind"]
    silent = np.unique(columns.steps["reason"][here & ((kind == 2) | (kind == 3))], return_counts=True)
    return ArmSummary(
        arm=arm,
        name=name,
        steps=rates[0],
        answers=accuracy(columns, traces, confidence=confidence),
        traces=trace_rates(columns, name, traces, confidence=confidence),
        hedging=hedging(columns, name, here, confidence=confidence),
        reasons={REASONS[int(code)].value: int(n) for code, n in zip(*silent, strict=True) if code >= 0},
        error_types=error_types(columns, here, confidence=confidence),
        slices={by: tuple(next(rest) for _ in groups_of) for by, groups_of in slices.items()},
        judges=judge_rates(columns, here, confidence=confidence),
        cost=dict(columns.costs[arm]),
        failures=dict(columns.failures.get(arm, {})),
        corrected=corrected_rate(columns, code, labels=labels, confidence=confidence),
        sampled_answers=sampled_metrics(columns, code, confidence=confidence),
    )
