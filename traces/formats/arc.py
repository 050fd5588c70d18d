"""ARC: grade-school science questions (Clark et al., arXiv 1803.05457), JSON lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from tracejury.traces.contracts import Reader, ReadItem
from tracejury.traces.formats.lines import Line, invalid, json_lines
from tracejury.traces.formats.medqa import split_of
from tracejury.traces.formats.place import Placed, files_under
from tracejury.traces.records import Problem, Question
from tracejury.traces.tables.options import options_of
from tracejury.traces.tables.paths import lift

_HINT = 'an ARC line has "question" (or question.stem), "choices" with text and label, and "answerKey"'


class ARC(Placed):
    """Both published forms: `question.stem` with a list of choices, and `question` with lists of texts and labels."""

    name = "arc"
    summary = "ARC JSON lines: science questions (no traces)"

    def read(self, path: Path) -> Iterator[ReadItem]:
        """Yield the questions of a file, or of every .jsonl file in a folder."""
        for file in files_under(path, "*.jsonl"):
            for line in json_lines(file):
                self.at(file, line.number if isinstance(line, Line) else line.line)
                yield line if isinstance(line, Problem) else self._question(file, line)

    def _question(self, file: Path, line: Line) -> Question | Problem:
        nested = isinstance(line.data.get("question"), dict)
        stem = lift(line.data, "question.stem" if nested else "question")
        options = options_of(lift(line.data, "question.choices" if nested else "choices"))
        if not isinstance(stem, str) or not stem.strip() or len(options) < 2:
            return self.problem("there is no stem, or there are fewer than two choices", _HINT)
        try:
            return Question(
                stem=stem,
                options=options,
                gold=line.data.get("answerKey") or None,
                source="arc",
                split=split_of(file),
                key=str(line.data.get("id", line.number)),
            )
        except ValidationError as error:
            return invalid(file, line.number, error, _HINT)


def arc() -> Reader:
    """Make the `arc` reader."""
    return ARC()
