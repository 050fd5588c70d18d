"""MedMCQA: questions of Indian entrance examinations (Pal et al., arXiv 2203.14371), JSON lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ValidationError

from tracejury.traces.contracts import Reader, ReadItem
from tracejury.traces.formats.lines import Line, invalid, json_lines
from tracejury.traces.formats.medqa import split_of
from tracejury.traces.formats.place import Placed, files_under
from tracejury.traces.records import Problem, Question

_HINT = 'a MedMCQA line has "question", "opa" to "opd" and "cop"'


class _MedMcqaRow(BaseModel):
    question: str
    opa: str
    opb: str
    opc: str
    opd: str
    cop: int | None = None
    exp: str | None = None
    id: str = ""
    choice_type: str | None = None
    subject_name: str | None = None
    topic_name: str | None = None


class MedMCQA(Placed):
    """The published JSON lines. `cop` counts from 1 in the authors' files and from 0 in the copies on model hubs.

    Which of the two a file does is seen from the whole file: a 0 means from 0, a 4 from 1. Read wrongly, every gold
    answer would be another option, so a file that has neither is reported and read as the authors' own, unless
    `first` says where counting starts.
    """

    name = "medmcqa"
    summary = "MedMCQA JSON lines: questions with opa to opd and cop (no traces)"

    def __init__(self, first: int | None = None) -> None:
        if first not in (None, 0, 1):
            raise ValueError(f"medmcqa: first is {first!r}; cop counts from 0 or from 1")
        self.first = first

    def read(self, path: Path) -> Iterator[ReadItem]:
        """Yield the questions of a file, or of every JSON lines file in a folder."""
        for file in files_under(path, "*.jsonl", "*.json"):
            first = _first(file) if self.first is None else self.first
            if first is None:
                self.at(file)
                reason = "cop is never 0 and never 4 in this file; it is taken to count from 1"
                yield self.problem(reason, "check one gold answer by hand; --set first=0 counts from 0")
            for line in json_lines(file):
                self.at(file, line.number if isinstance(line, Line) else line.line)
                yield line if isinstance(line, Problem) else self._question(file, line, 1 if first is None else first)

    def _question(self, file: Path, line: Line, first: int) -> Question | Problem:
        try:
            row = _MedMcqaRow.model_validate(line.data)
        except ValidationError as error:
            return invalid(file, line.number, error, _HINT)
        # The hidden test split has -1, or no cop at all.
        gold = None if row.cop is None or row.cop == -1 else row.cop - first
        if gold is not None and not 0 <= gold < 4:
            return self.problem(f"cop is {row.cop} where it counts from {first}", "correct cop; it names one of four")
        return Question(
            stem=row.question,
            options={"A": row.opa, "B": row.opb, "C": row.opc, "D": row.opd},
            gold=None if gold is None else "ABCD"[gold],
            explanation=row.exp or None,
            source="medmcqa",
            split=split_of(file),
            key=row.id or str(line.number),
            meta={"subject": row.subject_name, "topic": row.topic_name, "choice_type": row.choice_type},
        )


def _first(file: Path) -> int | None:
    """Return where `cop` starts counting in a file, or None where it does not show."""
    cops = {line.data.get("cop") for line in json_lines(file) if isinstance(line, Line)}
    return 0 if 0 in cops else 1 if 4 in cops or not cops else None


def medmcqa(first: int | None = None) -> Reader:
    """Make the `medmcqa` reader; `first` (0 or 1) says where `cop` starts counting, else the file shows it."""
    return MedMCQA(first)
