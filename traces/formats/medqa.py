"""MedQA: questions of the US licensing examination (Jin et al., arXiv 2009.13081), JSON lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ValidationError

from tracejury.traces.contracts import Reader, ReadItem
from tracejury.traces.formats.lines import Line, invalid, json_lines
from tracejury.traces.formats.place import Placed, files_under
from tracejury.traces.records import Problem, Question

_HINT = 'a MedQA line has "question", "options" (letter to text) and "answer_idx"'


class _MedQaRow(BaseModel):
    question: str
    options: dict[str, str]
    answer_idx: str
    meta_info: str = ""


class MedQA(Placed):
    """The published JSON lines, of four or five options; the line's number in its file, from 0, is the key."""

    name = "medqa"
    summary = "MedQA JSON lines: questions with options and answer_idx (no traces)"

    def read(self, path: Path) -> Iterator[ReadItem]:
        """Yield the questions of a file, or of every .jsonl file in a folder."""
        for file in files_under(path, "*.jsonl"):
            for line in json_lines(file):
                self.at(file, line.number if isinstance(line, Line) else line.line)
                yield line if isinstance(line, Problem) else self._question(file, line)

    def _question(self, file: Path, line: Line) -> Question | Problem:
        try:
            row = _MedQaRow.model_validate(line.data)
        except ValidationError as error:
            return invalid(file, line.number, error, _HINT)
        return Question(
            stem=row.question,
            options=row.options,
            gold=row.answer_idx,
            source="medqa",
            split=split_of(file),
            key=f"{line.number - 1:04d}",
            meta={"step": row.meta_info} if row.meta_info else {},
        )


def split_of(file: Path) -> str | None:
    """Return the split that a published file's name tells."""
    words = file.stem.lower().replace("-", "_").split("_")
    for word, split in (
        ("train", "train"),
        ("dev", "dev"),
        ("val", "validation"),
        ("validation", "validation"),
        ("test", "test"),
    ):
        if word in words:
            return split
    return None


def medqa() -> Reader:
    """Make the `medqa` reader."""
    return MedQA()
