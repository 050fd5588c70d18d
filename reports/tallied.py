"""Columns for a comparison from the verdicts on each trace, as a page over a million steps can have them.

Answers, paired counts, both views and so the whole of `compare` but the corrected rates come out as from the rows; what
concerns single steps (roles, hedges, opinions, human labels) is unknown here.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

import numpy as np

from tracejury.agents import Grade, Outcome
from tracejury.ledger import StepVerdict, TraceVerdicts
from tracejury.reports.columns import ERROR_TYPES, NO_CLAIM, OUTCOMES, ArmKey, Columns, Floats, Ints
from tracejury.traces import ErrorType

_UNKNOWN = ("answer", "gold", "options")
"""What of a trace is unknown here, so that figures over several samples of a question are left out."""


def tallied_columns(runs: Mapping[str, Iterable[TraceVerdicts]]) -> Columns:
    """Return columns that `compare` can read.

    Args:
        runs: Run name -> the verdicts on its traces, from `Browsing.verdicts`; read once and forgotten.
    """
    questions: dict[str, int] = {}
    arms: dict[ArmKey, int] = {}
    codes = cache(_codes)
    traces = {name: array("i") for name in ("question", "arm", "correct", "steps")}
    steps = array("b")
    for run, lines in runs.items():
        for line in lines:
            traces["question"].append(questions.setdefault(line.question_id, len(questions)))
            traces["arm"].append(arms.setdefault(ArmKey(run, line.arm), len(arms)))
            traces["correct"].append(-1 if line.correct is None else line.correct)
            traces["steps"].append(len(line.steps))
            for verdict in line.steps:
                steps.extend(codes(verdict))
    by_trace = {name: np.asarray(values) for name, values in traces.items()}
    counts = by_trace.pop("steps")
    kind, majority, grounded, error_type, graded = np.asarray(steps).reshape(-1, 5).T
    unknown = np.full(len(counts), -1, dtype=np.int32)
    return Columns(
        steps={
            "trace": np.repeat(np.arange(len(counts), dtype=np.int32), counts),
            "kind": kind,
            "majority": majority,
            "grounded": grounded,
            "error_type": error_type,
            "human": np.full(len(kind), -1, dtype=np.int8),
        },
        traces=by_trace | dict.fromkeys(_UNKNOWN, unknown),
        opinions={},
        questions=tuple(questions),
        arms=tuple(arms),
        answers=(),
        sources=(),
        judges=(),
        costs={},
        panels={},
        failures={},
        keeps_grades=bool(graded.any()),
    )


def _codes(verdict: StepVerdict) -> tuple[int, int, int, int, int]:
    """Return the codes of what outcome, majority and grounded verdicts hold, of the error type, and 1 for a grade.

    `views.py` says what the three verdicts are.
    """
    outcome = Outcome(verdict.outcome)
    majority = Outcome(verdict.majority_outcome) if verdict.majority_outcome else outcome
    decided = outcome in (Outcome.SUPPORTED, Outcome.ERROR)
    ungrounded = decided and verdict.majority_outcome is not None and verdict.grade != Grade.FULL
    grounded = Outcome.ABSTAINED if ungrounded else outcome
    kind, by_majority, by_grounds = (_code(o, verdict.claim) for o in (outcome, majority, grounded))
    error_type = -1 if verdict.error_type is None else ERROR_TYPES.index(ErrorType(verdict.error_type))
    return (kind, by_majority, by_grounds, error_type, int(verdict.grade is not None))


def _code(outcome: Outcome, claim: bool) -> int:
    return NO_CLAIM if not claim and outcome is Outcome.ABSTAINED else OUTCOMES.index(outcome)


def flipped_questions(columns: Columns, baseline: ArmKey, other: ArmKey) -> list[str]:
    """Return the questions that only the other arm answers right, with more steps in error; most new errors first."""
    before, after = (_by_question(columns, code) for code in columns.arm_codes([baseline, other]))
    added = after.errors - before.errors
    flipped = (before.graded > 0) & (before.right == 0) & (after.right > 0) & (added > 0)
    numbered = [(-added[i], columns.questions[i]) for i in np.flatnonzero(flipped)]
    return [question for _, question in sorted(numbered)]


class _Questions(NamedTuple):
    """Counts of one arm by question, shape (questions,)."""

    graded: Ints
    right: Ints
    errors: Floats


def _by_question(columns: Columns, arm: int) -> _Questions:
    questions, correct = columns.traces["question"], columns.traces["correct"]
    graded = (columns.traces["arm"] == arm) & (correct >= 0)
    n, errors = len(columns.questions), columns.per_question(columns.step_arm == arm)
    return _Questions(
        graded=np.bincount(questions[graded], minlength=n),
        right=np.bincount(questions[graded & (correct == 1)], minlength=n),
        errors=errors[:, OUTCOMES.index(Outcome.ERROR)],
    )
