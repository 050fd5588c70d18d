"""The finding: what a comparison of two arms says, as `tracejury compare` says it, and the questions behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tracejury.console.viewer.ledger_view import LedgerView
from tracejury.ledger import Ledger, Run, TraceLine, TraceVerdicts, UnknownRunError
from tracejury.reports import (
    ArmKey,
    Comparison,
    NotComparableError,
    check_comparable,
    check_judged_shares,
    compare,
    judged_text,
    tallied_columns,
)

MOST_FLIPPED = 12


class Side(NamedTuple):
    """One arm of a run."""

    run: Run
    arm: str

    @property
    def key(self) -> ArmKey:
        """Return the arm as comparisons name it."""
        return ArmKey(self.run.name, self.arm)


class FlippedQuestion(NamedTuple):
    """A question that the other arm answers right where the baseline does not, with more steps in error."""

    question_id: str
    stem: str
    baseline: TraceLine
    other: TraceLine


class Finding(NamedTuple):
    """One comparison."""

    baseline: Side
    other: Side
    comparison: Comparison | None
    """None: there is nothing to compare, and `problem` says why."""
    problem: str
    warnings: list[str]
    """In what the two sides were judged differently."""
    flipped_count: int
    flipped: list[FlippedQuestion]
    """Those with most new errors."""


def sides_of(view: LedgerView, run: Run) -> list[Side]:
    """Return the arms of a run that are compared, the baseline first."""
    return [Side(run, arm) for arm in view.arm_names(run)]


def comparison_sides(ledger: Ledger, first: str, second: str) -> tuple[Side, Side]:
    """Return the arms that `tracejury view A B` compares.

    Raises:
        LookupError: A run or an arm does not exist, or it is not clear which arm of a run is meant.
    """
    view = LedgerView(ledger)
    return side(view, first), side(view, second)


def side(view: LedgerView, ref: str) -> Side:
    """Return the arm that `RUN:ARM` names; a run of one arm needs no arm.

    Raises:
        LookupError: There is no such run or arm.
    """
    arm = ""
    try:
        run = view.ledger.run(ref)
    except UnknownRunError:
        name, colon, arm = ref.rpartition(":")
        if not colon:
            raise
        run = view.ledger.run(name)
    arms = view.arm_names(run)
    if not arm and len(arms) == 1:
        arm = arms[0]
    if arm not in arms:
        raise LookupError(f"run {run.name!r} has the arms {', '.join(arms) or 'none'}: name one, as {run.name}:ARM")
    return Side(run, arm)


def findings_of(view: LedgerView, baseline: Side, others: Sequence[Side]) -> list[Finding] | None:
    """Return the comparison of each of `others` with the baseline.

    Returns:
        None while it is being computed for the first time, which takes seconds at a million steps.
    """
    key = ("finding", *((side.run.id, side.arm) for side in (baseline, *others)))
    return view.soon(key, lambda: _findings(view, baseline, others))


def _findings(view: LedgerView, baseline: Side, others: Sequence[Side]) -> list[Finding]:
    runs = {side.run.id: side.run for side in (baseline, *others)}
    counted = {run.name: view.traces.verdict_counts(run) for run in runs.values()}
    columns = tallied_columns(
        {name: traces for name, (traces, _) in counted.items()}, any(grades for _, grades in counted.values())
    )
    try:
        comparisons: Sequence[Comparison | None] = compare(columns, baseline.key, [side.key for side in others])
        problem = ""
    except ValueError as nothing:
        comparisons, problem = [None] * len(others), str(nothing.args[0])
    findings = []
    for other, comparison in zip(others, comparisons, strict=True):
        flipped = _flipped(counted[baseline.run.name][0], counted[other.run.name][0], baseline.arm, other.arm)
        questions = [_flipped_question(view, baseline, other, question_id) for question_id in flipped[:MOST_FLIPPED]]
        differences = _differences(view, baseline, other)
        findings.append(Finding(baseline, other, comparison, problem, differences, len(flipped), questions))
    return findings


def _differences(view: LedgerView, baseline: Side, other: Side) -> list[str]:
    warnings: list[str] = []
    runs = [baseline.run] if baseline.run.id == other.run.id else [baseline.run, other.run]
    warnings += check_comparable(runs, allow_different_runs=True)
    try:
        coverage = judged_text(view.ledger, runs)
        warnings += check_judged_shares(coverage, [baseline.key, other.key], allowed=True)
    except NotComparableError as unlike:
        warnings.append(str(unlike))
    return warnings


def _flipped(before: list[TraceVerdicts], after: list[TraceVerdicts], arm: str, other_arm: str) -> list[str]:
    """Return the questions answered wrong before and right after with more steps in error, most new errors first."""
    old, new = _by_question(before, arm), _by_question(after, other_arm)
    added = {
        question_id: errors - old[question_id][2]
        for question_id, (_, right, errors) in new.items()
        if right and question_id in old and old[question_id][0] and not old[question_id][1]
    }
    return sorted((q for q, n in added.items() if n > 0), key=lambda q: (-added[q], q))


def _by_question(traces: list[TraceVerdicts], arm: str) -> dict[str, tuple[int, int, int]]:
    counts: dict[str, tuple[int, int, int]] = {}
    for trace in traces:
        if trace.arm == arm:
            graded, right, errors = counts.get(trace.question_id, (0, 0, 0))
            wrong_steps = sum(c.steps for c in trace.steps if c.outcome == "error" and c.claim)
            counts[trace.question_id] = (
                graded + (trace.correct is not None), right + bool(trace.correct), errors + wrong_steps,
            )  # fmt: skip
    return counts


def _flipped_question(view: LedgerView, baseline: Side, other: Side, question_id: str) -> FlippedQuestion:
    befores = [line for line in view.traces.siblings(baseline.run, question_id) if line.arm == baseline.arm]
    afters = [line for line in view.traces.siblings(other.run, question_id) if line.arm == other.arm]
    chosen = max((line for line in afters if line.correct), key=lambda line: line.error)
    return FlippedQuestion(question_id, chosen.stem, befores[0], chosen)
