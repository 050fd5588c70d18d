"""Reasoning-Guidance: the same MedMCQA questions answered by five students (github.com/Monish-L/Reasoning-Guidance)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ValidationError

from tracejury.traces.answers import extract_answer
from tracejury.traces.contracts import Reader, ReadItem
from tracejury.traces.formats.documents import Item, json_items
from tracejury.traces.formats.lines import invalid
from tracejury.traces.formats.place import Placed
from tracejury.traces.records import Problem, Question, Trace

_HINT = 'an element has "question", "options", "answer_idx" and "output"'


class _Student(NamedTuple):
    arm: str
    model: str


_STUDENTS = {
    "base": _Student("base", "Llama-3.1-8B-Instruct"),
    "finetuned": _Student("distilled", "Llama-3.1-8B-Instruct"),
    "med42": _Student("med42", "Llama-3-Med42-8B"),
    "qwen": _Student("qwen", "Qwen2.5-7B-Instruct"),
    "biomistral": _Student("biomistral", "BioMistral-7B"),
}


class _GuidanceRow(BaseModel):
    question: str
    options: dict[str, str]
    answer_idx: str
    source: str = ""
    output: str


class ReasoningGuidance(Placed):
    """One JSON list a student; the file's name begins with the student's, which becomes the arm.

    `base` and `finetuned` are the same model before and after distillation: arms `base` and `distilled`.
    """

    name = "reasoning-guidance"
    summary = "Reasoning-Guidance JSON: a file, or a folder of five students as arms"

    def read(self, path: Path) -> Iterator[ReadItem]:
        """Yield every question before the replies to it."""
        files = sorted(path.glob("*.json")) if path.is_dir() else [path]
        self.at(path)
        if not files:
            yield self.problem("the folder holds no .json file", "name the folder of the students' files")
        for file in files:
            student = _STUDENTS.get(file.stem.split("_")[0])
            if student is None:
                self.at(file)
                prefixes = ", ".join(f"{name}_..." for name in _STUDENTS)
                yield self.problem(
                    "the file's name does not begin with a student's name; the file is left out", f"known: {prefixes}"
                )
                continue
            for item in json_items(file):
                self.at(file, item.line)
                if isinstance(item, Problem):
                    yield item
                else:
                    yield from _row(file, item, student)


def _row(file: Path, item: Item, student: _Student) -> Iterator[ReadItem]:
    try:
        row = _GuidanceRow.model_validate(item.value)
    except ValidationError as error:
        yield invalid(file, item.line, error, _HINT)
        return
    question = Question(stem=row.question, options=row.options, gold=row.answer_idx, source=row.source)
    yield question
    yield Trace(
        question_id=question.id,
        model=student.model,
        arm=student.arm,
        text=row.output,
        answer=extract_answer(row.output, row.options),
    )


def reasoning_guidance() -> Reader:
    """Make the `reasoning-guidance` reader."""
    return ReasoningGuidance()
