"""MEDEC: clinical notes with at most one wrong sentence (Ben Abacha et al., ACL Findings 2025), CSV."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tracejury.traces.contracts import Reader, ReadItem
from tracejury.traces.formats.medqa import split_of
from tracejury.traces.formats.place import Placed, files_under
from tracejury.traces.formats.rows import Row, csv_rows
from tracejury.traces.records import GivenStep, Problem, Question, StepLabel, Trace

_NEEDS = ("Text ID", "Text", "Sentences", "Error Flag", "Error Sentence ID")
_NUMBERED = re.compile(r"^(\d+) ?(.*)$")
_HINT = "compare the row with the published file"


class Medec(Placed):
    """A note is a trace, its sentences the steps; there is no vignette, and judges see all other sentences.

    In a note with an error that sentence is labelled error and all others supported; in a note without, all are
    supported. The set's own error type is kept in `meta`: its five kinds are places of an error, not kinds of fault.
    """

    name = "medec"
    summary = "MEDEC CSV: clinical notes in sentences, the wrong one labelled"

    def read(self, path: Path) -> Iterator[ReadItem]:
        """Yield an empty question for each note, then the note."""
        for file in files_under(path, "*.csv"):
            for row in csv_rows(file, header=True, needs=_NEEDS):
                self.at(file, row.line)
                if isinstance(row, Problem):
                    yield row
                else:
                    yield from self._note(file, row)

    def _note(self, file: Path, row: Row) -> Iterator[ReadItem]:
        data, key = row.data, row.data["Text ID"].strip()
        sentences = _sentences(data["Sentences"])
        if sentences is None:
            yield self.problem(f"the sentences of note {key!r} are not numbered from 0 on; it is left out", _HINT)
            return
        wrong = data["Error Sentence ID"].strip()
        flag = data["Error Flag"].strip()
        if flag not in ("0", "1") or (flag == "1" and not (wrong.isdecimal() and int(wrong) < len(sentences))):
            what = f"Error Flag {flag!r} with Error Sentence ID {wrong!r} in a note of {len(sentences)} sentences"
            yield self.problem(f"note {key!r}: {what}; it is left out", _HINT)
            return
        at = int(wrong) if flag == "1" else -1
        question = Question(stem="", source="medec", split=split_of(file) or _split(file), key=key)
        yield question
        yield Trace(
            question_id=question.id,
            model="clinical note",
            arm="note",
            text=data["Text"],
            context="others",
            steps=tuple(_steps(data["Text"], sentences, at)),
            meta={
                "key": key,
                "has_error": flag == "1",
                "medec_error_type": data.get("Error Type") if flag == "1" else None,
                "corrected": data.get("Corrected Sentence") if flag == "1" else None,
            },
        )


def _sentences(column: str) -> list[str] | None:
    """Return the sentences of a column of numbered lines; a line without the next number belongs to the one above."""
    sentences: list[str] = []
    for line in column.splitlines():
        match = _NUMBERED.match(line)
        if match and int(match.group(1)) == len(sentences):
            sentences.append(match.group(2))
        elif sentences:
            sentences[-1] += "\n" + line
        elif line.strip():
            return None
    return [s.strip() for s in sentences] or None


def _steps(text: str, sentences: list[str], wrong: int) -> Iterator[GivenStep]:
    """Yield the sentences with their place in the note, which may break lines elsewhere than the column does."""
    cursor = 0
    for index, sentence in enumerate(sentences):
        label: StepLabel = "error" if index == wrong else "supported"
        match = re.compile(r"\s+".join(map(re.escape, sentence.split()))).search(text, cursor) if sentence else None
        if match is None:
            yield GivenStep(text=sentence, label=label)
            continue
        cursor = match.end()
        yield GivenStep(text=match.group(), start=match.start(), end=match.end(), label=label)


def _split(file: Path) -> str | None:
    name = file.stem.lower()
    return next(
        (s for word, s in (("train", "train"), ("valid", "validation"), ("test", "test")) if word in name), None
    )


def medec() -> Reader:
    """Make the `medec` reader."""
    return Medec()
