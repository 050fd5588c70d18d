"""A batch: questions and traces of one or more inputs, kept on disk so that memory does not grow with their number."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from tracejury.storage import KeyValueStore
from tracejury.traces.contracts import ReadItem
from tracejury.traces.deidentifying import deidentify
from tracejury.traces.reading import read
from tracejury.traces.records import Problem, Question, Severity, Trace
from tracejury.traces.tally import BatchSummary, ReadTally


class Batch:
    """The questions and traces of some inputs, read once into a temporary file and streamed from there.

    Usable as a context manager; the temporary file goes when the batch is closed or forgotten.
    """

    def __init__(
        self,
        spool: KeyValueStore[str],
        problems: tuple[Problem, ...],
        paths: tuple[str, ...] = (),
        notes: tuple[Problem, ...] = (),
    ) -> None:
        self._spool = spool
        self.paths = paths
        self.problems = problems
        """What could not be read, and what looks as if it had been read wrongly."""
        self.notes = notes
        """How tables were read."""
        self._without_identifiers = False

    @classmethod
    def open(cls, paths: Iterable[str | Path] | str | Path, reader: str | None = None, **params: object) -> Self:
        """Read `paths` (what `write_batch` wrote, or any input that `reader` reads; None: what the contents say).

        Raises:
            UnknownNameError: No reader has this name.
        """
        places = [paths] if isinstance(paths, str | Path) else list(paths)
        spool = KeyValueStore[str]("questions", "traces")
        messages: list[Problem] = []
        for place in places:
            for item in read(reader, place, **params):
                match item:
                    case Question():
                        spool.add("questions", item.id, item.model_dump_json())
                    case Trace():
                        spool.add("traces", item.id, item.model_dump_json())
                    case Problem():
                        messages.append(item)
        notes = tuple(m for m in messages if m.severity is Severity.NOTE)
        problems = tuple(m for m in messages if m.severity is not Severity.NOTE)
        return cls(spool, problems, tuple(map(str, places)), notes)

    def deidentified(self) -> Self:
        """Return this batch with placeholders for identifiers, see `deidentify`; itself where it is such a one."""
        if self._without_identifiers:
            return self
        spool = KeyValueStore[str]("questions", "traces")
        for trace in self.traces():
            question = self.question(trace.question_id)
            if question is None:
                # It stays, so that the run reports it; its text goes nowhere.
                spool.add("traces", trace.id, trace.model_dump_json())
                continue
            clean_question, clean_trace = deidentify(question, trace)
            spool.add("questions", clean_question.id, clean_question.model_dump_json())
            spool.add("traces", clean_trace.id, clean_trace.model_dump_json())
        copy = type(self)(spool, self.problems, self.paths, self.notes)
        copy._without_identifiers = True
        return copy

    def __len__(self) -> int:
        """Return the number of traces."""
        return self._spool.count("traces")

    def traces(self) -> Iterator[Trace]:
        """Yield the traces in the order read."""
        for value in self._values("traces"):
            yield Trace.model_validate_json(value)

    def questions(self) -> Iterator[Question]:
        """Yield the questions in the order read."""
        for value in self._values("questions"):
            yield Question.model_validate_json(value)

    def question(self, question_id: str) -> Question | None:
        """Return a question by its id."""
        value = self._spool.get("questions", question_id)
        return None if value is None else Question.model_validate_json(value)

    def trace(self, trace_id: str) -> Trace | None:
        """Return a trace by its id."""
        value = self._spool.get("traces", trace_id)
        return None if value is None else Trace.model_validate_json(value)

    def _values(self, table: str) -> Iterator[str]:
        n = 0
        while rows := self._spool.after(table, n):
            yield from (value for _, _, value in rows)
            n = rows[-1][0]

    def close(self) -> None:
        """Remove the temporary file."""
        self._spool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def write_batch(items: Iterable[ReadItem], out: Path, tally: ReadTally | None = None) -> BatchSummary:
    """Write `items` in the native format: OUT/questions.jsonl, OUT/traces.jsonl, OUT/problems.jsonl.

    The files appear under their names only when all is written, so that an interrupted run leaves no half batch.

    Args:
        items: What a reader yields.
        out: A folder; it is made where it is missing.
        tally: Counts beside the summary what else is wanted, such as the fields.
    """
    out.mkdir(parents=True, exist_ok=True)
    tally = ReadTally() if tally is None else tally
    names = ("questions", "traces", "problems")
    parts = {name: out / f"{name}.jsonl.part" for name in names}
    try:
        with ExitStack() as stack:
            files = {name: stack.enter_context(part.open("w", encoding="utf-8")) for name, part in parts.items()}
            for item in items:
                tally.add(item)
                match item:
                    case Question():
                        files["questions"].write(native_line(item) + "\n")
                    case Trace():
                        files["traces"].write(native_line(item) + "\n")
                    case Problem():
                        files["problems"].write(item.model_dump_json(exclude_none=True) + "\n")
    except BaseException:
        for part in parts.values():
            part.unlink(missing_ok=True)
        raise
    for name, part in parts.items():
        part.replace(out / f"{name}.jsonl")
    return tally.summary()


def native_line(item: Question | Trace) -> str:
    """Return `item` as a line of the native format."""
    data = item.model_dump(mode="json", exclude_defaults=True)
    if isinstance(item, Question):
        return json.dumps({"kind": "question", "id": item.id, **data, "key": item.key}, ensure_ascii=False)
    data.pop("id", None)
    question = data.pop("question_id")
    # `answer` is always written: absent would mean "look for it", null means that there is none.
    return json.dumps({"kind": "trace", "question": question, **data, "answer": item.answer}, ensure_ascii=False)
