"""GSM8K: grade-school arithmetic with worked solutions (Cobbe et al., arXiv 2110.14168), JSON lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tracejury.traces.contracts import Reader, ReadItem
from tracejury.traces.formats.lines import Line, json_lines
from tracejury.traces.formats.medqa import split_of
from tracejury.traces.formats.place import Placed, files_under
from tracejury.traces.records import Problem, Question

_FINAL = re.compile(r"####\s*([^\n]+?)\s*\Z")
_HINT = 'a GSM8K line has "question" and "answer", and the answer ends in "#### NUMBER"'


class GSM8K(Placed):
    """The published JSON lines: no options; the gold answer is the number after `####`, commas taken out."""

    name = "gsm8k"
    summary = "GSM8K JSON lines: arithmetic word problems (no traces)"

    def read(self, path: Path) -> Iterator[ReadItem]:
        """Yield the questions of a file, or of every .jsonl file in a folder."""
        for file in files_under(path, "*.jsonl"):
            for line in json_lines(file):
                self.at(file, line.number if isinstance(line, Line) else line.line)
                yield line if isinstance(line, Problem) else self._question(file, line)

    def _question(self, file: Path, line: Line) -> Question | Problem:
        stem, answer = line.data.get("question"), line.data.get("answer")
        if not isinstance(stem, str) or not isinstance(answer, str) or not stem.strip():
            return self.problem("question or answer is missing, or is no text", _HINT)
        final = _FINAL.search(answer)
        if final is None:
            return self.problem('the answer does not end in "#### NUMBER"', _HINT)
        return Question(
            stem=stem,
            gold=final.group(1).replace(",", ""),
            explanation=answer[: final.start()].strip() or None,
            source="gsm8k",
            split=split_of(file),
            key=str(line.number - 1),
        )


def gsm8k() -> Reader:
    """Make the `gsm8k` reader."""
    return GSM8K()
