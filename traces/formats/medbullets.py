"""MedBullets: recent USMLE-style questions (Chen et al., arXiv 2402.18060), CSV of four or five options."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tracejury.traces.contracts import Reader, ReadItem
from tracejury.traces.formats.medqa import split_of
from tracejury.traces.formats.place import Placed, files_under
from tracejury.traces.formats.rows import Row, csv_rows
from tracejury.traces.records import Problem, Question

_NEEDS = ("question", "opa", "opb", "opc", "opd", "answer_idx")


class MedBullets(Placed):
    """The published CSV: `question`, `opa` to `opd` or `ope`, `answer_idx`, `explanation`, `link`."""

    name = "medbullets"
    summary = "MedBullets CSV: questions with opa to ope and answer_idx (no traces)"

    def read(self, path: Path) -> Iterator[ReadItem]:
        """Yield the questions of a file, or of every .csv file in a folder."""
        for file in files_under(path, "*.csv"):
            for row in csv_rows(file, header=True, needs=_NEEDS):
                self.at(file, row.line)
                yield row if isinstance(row, Problem) else self._question(file, row)

    def _question(self, file: Path, row: Row) -> Question | Problem:
        data = row.data
        if not data["question"].strip():
            return self.problem("the question is empty", "compare the row with the published file")
        options = {letter: data.get(f"op{letter.lower()}", "") for letter in "ABCDE"}
        link = data.get("link", "")
        return Question(
            stem=data["question"],
            # The four-option file leaves ope out; some copies keep it, empty or as "nan".
            options={k: v for k, v in options.items() if v.strip() and v.strip().lower() != "nan"},
            gold=data["answer_idx"].strip() or None,
            explanation=data.get("explanation") or None,
            source="medbullets",
            split=split_of(file),
            key=link or str(row.line),
        )


def medbullets() -> Reader:
    """Make the `medbullets` reader."""
    return MedBullets()
