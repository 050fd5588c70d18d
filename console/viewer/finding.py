"""The finding: what a comparison of two arms says, as `tracejury compare` says it, and the questions behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from tracejury.console.viewer.ledger_view import LedgerView
from tracejury.ledger import Ledger, Run, TraceLine, UnknownRunError
from tracejury.reports import (
    ArmKey,
    Comparison,
    check_comparable,
    check_judged_shares,
    compare,
    flipped_questions,
    judged_text,
    tallied_columns,
)
from tracejury.traces import TextCoverage

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

    Of a run with several arms, one that is not named is the one that the other side has too: two runs are compared like
    with like, by the arm under study rather than by the baseline. Without one in common it is the baseline of the first
    and the arm under study of the second.

    Raises:
        LookupError: A run or an arm does not exist, or a run has no arm but the one on the other side.
    """
    view = LedgerView(ledger)
    (run, arm), (other_run, other_arm) = _run_and_arm(view, first), _run_and_arm(view, second)
    pairs = [
        (Side(run, a), Side(other_run, b))
        for a in ([arm] if arm else view.arm_names(run))
        for b in ([other_arm] if other_arm else view.arm_names(other_run))
        if (run.id, a) != (other_run.id, b)
    ]
    if not pairs:
        raise LookupError(f"run {run.name!r} has nothing to compare: name two runs, or two arms, as {run.name}:ARM")
    alike = [pair for pair in pairs if pair[0].arm == pair[1].arm]
    baselines = {view.arm_names(of)[0] for of in (run, other_run)}
    return next(
        (pair for pair in alike if pair[1].arm not in baselines),
        alike[0] if alike else next((pair for pair in pairs if pair[1].arm not in baselines), pairs[0]),
    )


def side(view: LedgerView, ref: str) -> Side:
    """Return the arm that `RUN:ARM` names; a run of one arm needs no arm.

    Raises:
        LookupError: There is no such run or arm.
    """
    run, arm = _run_and_arm(view, ref)
    arms = view.arm_names(run)
    if arm is None and len(arms) != 1:
        raise LookupError(_arms_of(run, arms))
    return Side(run, arm or arms[0])


def _run_and_arm(view: LedgerView, ref: str) -> tuple[Run, str | None]:
    """Return the run of `RUN` or `RUN:ARM`, and the arm if one is named."""
    try:
        return view.ledger.run(ref), None
    except UnknownRunError:
        name, colon, arm = ref.rpartition(":")
        if not colon:
            raise
    run = view.ledger.run(name)
    arms = view.arm_names(run)
    if arm not in arms:
        raise LookupError(_arms_of(run, arms))
    return run, arm


def _arms_of(run: Run, arms: Sequence[str]) -> str:
    return f"run {run.name!r} has the arms {', '.join(arms) or 'none'}: name one, as {run.name}:ARM"


def pairs_alike(view: LedgerView, baseline: Side, other: Side) -> list[tuple[Side, Side]]:
    """Return the pairs of arms of one name that two runs have besides the pair that is compared."""
    if baseline.run.id == other.run.id:
        return []
    shared = [arm for arm in view.arm_names(baseline.run) if arm in view.arm_names(other.run)]
    pairs = [(Side(baseline.run, arm), Side(other.run, arm)) for arm in shared]
    return [pair for pair in pairs if pair != (baseline, other)]


class Findings(NamedTuple):
    """The comparisons of a page."""

    items: list[Finding] | None
    """None while they are computed for the first time, which takes seconds at a million steps."""
    computed: datetime | None
    """When, if a run has gone on since."""


def findings_of(view: LedgerView, baseline: Side, others: Sequence[Side]) -> Findings:
    """Return the comparison of each of `others` with the baseline, computed once for each state of their runs."""
    key = ("finding", *((side.run.id, side.arm) for side in (baseline, *others)))
    state = tuple(view.progress(side.run).model_dump_json() for side in (baseline, *others))
    items = view.soon(key, lambda: _findings(view, baseline, others), state)
    return Findings(items, view.cache.time_of_stale(key, state) if items is not None else None)


def _findings(view: LedgerView, baseline: Side, others: Sequence[Side]) -> list[Finding]:
    runs = {side.run.id: side.run for side in (baseline, *others)}
    columns = tallied_columns({run.name: view.traces.verdicts(run) for run in runs.values()})
    try:
        comparisons: Sequence[Comparison | None] = compare(columns, baseline.key, [side.key for side in others])
        problem = ""
    except ValueError as nothing:
        comparisons, problem = [None] * len(others), str(nothing.args[0])
    texts = judged_text(view.ledger, list(runs.values()))
    findings = []
    for other, comparison in zip(others, comparisons, strict=True):
        flipped = flipped_questions(columns, baseline.key, other.key)
        questions = [_flipped_question(view, baseline, other, question_id) for question_id in flipped[:MOST_FLIPPED]]
        differences = _differences(texts, baseline, other)
        findings.append(Finding(baseline, other, comparison, problem, differences, len(flipped), questions))
    return findings


def _differences(texts: Mapping[ArmKey, TextCoverage], baseline: Side, other: Side) -> list[str]:
    runs = [baseline.run] if baseline.run.id == other.run.id else [baseline.run, other.run]
    warnings = list(check_comparable(runs, allow_different_runs=True))
    return warnings + check_judged_shares(texts, [baseline.key, other.key], allowed=True)


def _flipped_question(view: LedgerView, baseline: Side, other: Side, question_id: str) -> FlippedQuestion:
    befores = [line for line in view.traces.siblings(baseline.run, question_id) if line.arm == baseline.arm]
    afters = [line for line in view.traces.siblings(other.run, question_id) if line.arm == other.arm]
    chosen = max((line for line in afters if line.correct), key=lambda line: line.error)
    return FlippedQuestion(question_id, chosen.stem, befores[0], chosen)
