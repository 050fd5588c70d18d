"""A run's verdicts as stepwise supervision: `{prompt, completions, labels}`, the form of TRL's PRMTrainer.

Each row is a trace: the question as its student saw it, its steps, and for each step whether the jury holds it correct.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, Literal

from tracejury.agents import Outcome
from tracejury.ledger import StepRow
from tracejury.traces import Question
from tracejury.training.prompts import question_prompt

Undecided = Literal["cut", "drop"]
"""What happens to a trace at its first step without a verdict: it ends before it (`cut`), or is left out (`drop`)."""


def stepwise_rows(
    rows: Iterable[StepRow], questions: Iterable[Question], *, undecided: Undecided = "cut"
) -> Iterator[dict[str, Any]]:
    """Yield one row per trace: `prompt`, `completions` (the steps), `labels` (True: supported).

    Steps without a claim carry no verdict and are labelled as the step before them, True at the beginning: they add
    nothing that could be wrong. An abstention or a failure is no label, so a trace ends before it, or is left out.

    Args:
        rows: A run's rows, ordered by trace and step.
        questions: The questions of the traces.
        undecided: What happens at the first step without a verdict.
    """
    by_id = {question.id: question for question in questions}
    for trace_id, steps in groupby(rows, key=lambda row: row.trace_id):
        completions: list[str] = []
        labels: list[bool] = []
        question: Question | None = None
        complete = True
        for row in steps:
            question = by_id.get(row.question_id, question)
            label = _label(row, labels)
            if label is None:
                complete = False
            if complete and label is not None:
                completions.append(row.step_text)
                labels.append(label)
        if question is None or not completions or (undecided == "drop" and not complete):
            continue
        yield {
            "trace_id": trace_id,
            "prompt": question_prompt(question.stem, question.options),
            "completions": completions,
            "labels": labels,
        }


def _label(row: StepRow, labels: list[bool]) -> bool | None:
    if row.outcome is Outcome.SUPPORTED or row.outcome is Outcome.ERROR:
        return row.outcome is Outcome.SUPPORTED
    if not row.claim and row.outcome is not None and row.outcome is not Outcome.FAILED:
        return labels[-1] if labels else True
    return None
