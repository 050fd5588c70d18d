"""Mr-Ben: chains of thought with human labels of the first error (Zeng et al., arXiv 2406.13975)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

from pydantic import BaseModel, JsonValue, ValidationError

from tracejury.traces.answers import extract_answer
from tracejury.traces.contracts import Reader, ReadItem
from tracejury.traces.formats.documents import json_items
from tracejury.traces.formats.lines import invalid
from tracejury.traces.formats.place import Placed
from tracejury.traces.records import GivenStep, Problem, Question, StepLabel, Trace

_OPTION = re.compile(r"(?:\A|\n)\s*([A-Z])\s*[:.)]\s*(.*?)\s*(?=\n\s*[A-Z]\s*[:.)]|\Z)", re.DOTALL)
_HINT = "the fields are those of the published Mr-Ben files; the other solutions are read"


class _Solution(BaseModel):
    Question_UUID: str
    Subject: str = ""
    Question: str
    Options: str = ""
    Ground_Truth_Analysis: str = ""
    Ground_Truth_Answer: str
    Ground_Truth_Answer_Modified: str = ""
    Sampled_Model: str
    Model_Solution_Steps: list[str]
    Model_Solution_Correctness: str
    Model_Solution_First_Error_Step: str | int = "N/A"
    Model_Solution_Error_Reason: JsonValue = None
    Model_Solution_Rectified_First_Error_Step: JsonValue = None


class MrBen(Placed):
    """A JSON object (question UUID to solutions), a list of solutions, or JSON lines of them.

    Steps before the first error are labelled supported, that step error, later ones not at all: the annotators stopped
    there. All steps of a correct solution are supported. The gold answer is the annotators' corrected one, which may
    name two options (`CD`).
    """

    name = "mr-ben"
    summary = "Mr-Ben JSON: solutions in steps, with the first error labelled by people"

    def read(self, path: Path) -> Iterator[ReadItem]:
        """Yield every question before its solutions."""
        draws: Counter[tuple[str, str]] = Counter()
        self.file = path
        for item in json_items(path):
            if isinstance(item, Problem):
                yield item
                continue
            self.line = item.line
            for data in item.value if isinstance(item.value, list) else [item.value]:
                yield from self._solution(path, item.line, data, draws)

    def _solution(self, path: Path, line: int, data: Any, draws: Counter[tuple[str, str]]) -> Iterator[ReadItem]:
        try:
            solution = _Solution.model_validate(data)
        except ValidationError as error:
            yield invalid(path, line, error, _HINT)
            return
        question = _question(solution)
        yield question
        labels = _labels(solution)
        if labels is None:
            reason = (
                f"{solution.Sampled_Model}: the first error is step {solution.Model_Solution_First_Error_Step!r} of "
                f"{len(solution.Model_Solution_Steps)}; the solution stays, without labels"
            )
            yield Problem(file=str(path), line=line, reason=reason, hint="correct the step's number, counted from 1")
        draw = (question.id, solution.Sampled_Model)
        yield _trace(solution, question, labels, draws[draw])
        draws[draw] += 1


def _question(solution: _Solution) -> Question:
    return Question(
        stem=solution.Question,
        options={key: text for key, text in _OPTION.findall(solution.Options)},
        gold=solution.Ground_Truth_Answer_Modified or solution.Ground_Truth_Answer or None,
        explanation=solution.Ground_Truth_Analysis or None,
        source="mr-ben",
        key=solution.Question_UUID,
        meta={"subject": solution.Subject, "gold_before_review": solution.Ground_Truth_Answer},
    )


def _labels(solution: _Solution) -> list[StepLabel | None] | None:
    """Return a label for each step, or None where the first error's number does not fit the steps."""
    number, steps = str(solution.Model_Solution_First_Error_Step).strip(), len(solution.Model_Solution_Steps)
    if solution.Model_Solution_Correctness == "correct":
        return ["supported"] * steps
    if not number.isdecimal() or not 1 <= int(number) <= steps:
        return None
    first = int(number) - 1
    return ["supported" if i < first else "error" if i == first else None for i in range(steps)]


def _trace(solution: _Solution, question: Question, labels: list[StepLabel | None] | None, draw: int) -> Trace:
    wrong = solution.Model_Solution_Correctness != "correct"
    text = "\n".join(solution.Model_Solution_Steps)
    steps, at = [], 0
    for step, label in zip(solution.Model_Solution_Steps, labels or repeat(None), strict=False):
        steps.append(GivenStep(text=step, start=at, end=at + len(step), label=label))
        at += len(step) + 1
    return Trace(
        question_id=question.id,
        model=solution.Sampled_Model,
        sample=draw,
        text=text,
        answer=extract_answer(text, question.options),
        steps=tuple(steps),
        meta={
            "key": solution.Question_UUID,
            "solution_correct": not wrong,
            "error_reason": solution.Model_Solution_Error_Reason if wrong else None,
            "rectified": solution.Model_Solution_Rectified_First_Error_Step if wrong else None,
        },
    )


def mr_ben() -> Reader:
    """Make the `mr-ben` reader."""
    return MrBen()
