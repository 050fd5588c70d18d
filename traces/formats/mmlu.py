"""MMLU: one CSV file a subject, without a header (Hendrycks et al., arXiv 2009.03300)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tracejury.traces.contracts import Reader, ReadItem
from tracejury.traces.formats.medqa import split_of
from tracejury.traces.formats.place import Placed, files_under
from tracejury.traces.formats.rows import csv_rows
from tracejury.traces.records import Problem, Question

_HINT = "an MMLU row is: question, four options, a letter from A to D"


class MMLU(Placed):
    """The published CSV files; the key is the subject and the row's number from 0, such as `anatomy-000`."""

    name = "mmlu"
    summary = "MMLU CSV: a file or a folder of subjects (no traces)"

    def read(self, path: Path) -> Iterator[ReadItem]:
        """Yield the questions of a subject's file, or of every .csv file in a folder."""
        for file in files_under(path, "*.csv"):
            number = -1
            for row in csv_rows(file, header=False):
                self.at(file, row.line)
                number += 1
                yield row if isinstance(row, Problem) else self._question(file, number, list(row.data.values()))

    def _question(self, file: Path, number: int, row: list[str]) -> Question | Problem:
        if len(row) != 6:
            return self.problem(f"the row has {len(row)} fields, not 6", _HINT)
        stem, *options, gold = row
        if not stem.strip():
            return self.problem("the question is empty", _HINT)
        split = split_of(file)
        subject = file.stem.removesuffix("_test").removesuffix("_dev").removesuffix("_val")
        return Question(
            stem=stem,
            options=dict(zip("ABCD", options, strict=True)),
            gold=gold.strip(),
            source="mmlu",
            split=split,
            key=f"{subject}-{number:03d}",
            meta={"subject": subject},
        )


def mmlu() -> Reader:
    """Make the `mmlu` reader."""
    return MMLU()
