"""Columns for a comparison from counts of verdicts a trace, as a page over a million steps can have them.

Answers, paired counts, both views and so the whole of `compare` but the corrected rates come out as from the rows; what
concerns single steps (roles, hedges, opinions, human labels) is unknown here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tracejury.agents import Grade, Outcome
from tracejury.ledger import StepCount, TraceVerdicts
from tracejury.reports.columns import ERROR_TYPES, NO_CLAIM, OUTCOMES, ArmKey, Columns
from tracejury.traces import ErrorType

_UNKNOWN = ("answer", "gold", "options")
"""What of a trace is unknown here, so that figures over several samples of a question are left out."""


def tallied_columns(runs: Mapping[str, Iterable[TraceVerdicts]], keeps_grades: bool) -> Columns:
    """Return columns that `compare` can read.

    Args:
        runs: Run name -> its traces with their steps by verdict, from `Browsing.verdict_counts`.
        keeps_grades: Whether the runs say how well their verdicts are grounded.
    """
    questions: dict[str, int] = {}
    arms: dict[ArmKey, int] = {}
    traces: list[tuple[int, ...]] = []
    steps: list[tuple[int, ...]] = []
    for run, lines in runs.items():
        for line in lines:
            question = questions.setdefault(line.question_id, len(questions))
            arm = arms.setdefault(ArmKey(run, line.arm), len(arms))
            steps += [(len(traces), *_codes(count), count.steps) for count in line.steps]
            traces.append((question, arm, -1 if line.correct is None else int(line.correct)))
    counted = np.array(steps, dtype=np.int64).reshape(-1, 6)
    every = np.repeat(counted[:, :5], counted[:, 5], axis=0)
    columns: dict[str, Any] = dict(zip(("trace", "kind", "majority", "grounded", "error_type"), every.T, strict=True))
    columns["human"] = np.full(len(every), -1, dtype=np.int8)
    by_trace = np.array(traces, dtype=np.int64).reshape(-1, 3)
    unknown = np.full(len(by_trace), -1, dtype=np.int64)
    return Columns(
        steps=columns,
        traces=dict(zip(("question", "arm", "correct"), by_trace.T, strict=True))
        | {name: unknown for name in _UNKNOWN},
        opinions={},
        questions=tuple(questions),
        arms=tuple(arms),
        answers=(),
        sources=(),
        judges=(),
        costs={},
        panels={},
        failures={},
        keeps_grades=keeps_grades,
    )


def _codes(count: StepCount) -> tuple[int, int, int, int]:
    """Return the codes of what outcome, majority and grounded verdicts hold (see `views.py`), and of the error type."""
    outcome = Outcome(count.outcome)
    majority = Outcome(count.majority_outcome) if count.majority_outcome else outcome
    verdict = outcome in (Outcome.SUPPORTED, Outcome.ERROR)
    ungrounded = verdict and count.majority_outcome is not None and count.grade != Grade.FULL
    grounded = Outcome.ABSTAINED if ungrounded else outcome
    error_type = -1 if count.error_type is None else ERROR_TYPES.index(ErrorType(count.error_type))
    return (_code(outcome, count.claim), _code(majority, count.claim), _code(grounded, count.claim), error_type)


def _code(outcome: Outcome, claim: bool) -> int:
    return NO_CLAIM if not claim and outcome is Outcome.ABSTAINED else OUTCOMES.index(outcome)
