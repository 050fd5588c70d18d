"""The native format: JSON lines of questions and traces that refer to each other by the user's own keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from tracejury.storage import KeyValueStore, OrderedLookup
from tracejury.traces.answers import extract_answer
from tracejury.traces.contracts import Reader, ReadItem
from tracejury.traces.formats.lines import Line, invalid, json_lines
from tracejury.traces.formats.place import Placed
from tracejury.traces.records import Problem, Question, Trace

_QUESTION = 'a question needs "id" and "stem"; it may have options, gold, explanation, source, split, meta'
# What may lie beside a batch and is none of it: what `read` could not read, and the key to planted errors.
_ASIDE = {"problems.jsonl", "labels.jsonl"}
_TRACE = (
    'a trace needs "question" (its question\'s id), "model" and "text"; it may have arm, sample, answer, steps, meta'
)
_BEGINS = re.compile(rb'\s*\{\s*"kind"\s*:\s*"(question|trace)"')
"""What most lines begin with; such a line is parsed in one of the passes only."""


# What programs write; the pattern takes ten times as long to see it.
_TRACE_AS_WRITTEN = (b'{"kind": "trace"', b'{"kind":"trace"')
_QUESTION_AS_WRITTEN = (b'{"kind": "question"', b'{"kind":"question"')


def _begins_as_trace(line: bytes) -> bool:
    if line.startswith(_TRACE_AS_WRITTEN):
        return True
    if line.startswith(_QUESTION_AS_WRITTEN):
        return False
    match = _BEGINS.match(line)
    return match is not None and match[1] == b"trace"


def _may_be_question(line: bytes) -> bool:
    return line.startswith(_QUESTION_AS_WRITTEN) or not _begins_as_trace(line)


def _begins_otherwise(line: bytes) -> bool:
    return _BEGINS.match(line) is None


class Native(Placed):
    """`{"kind": "question", "id": ...}` and `{"kind": "trace", "question": ...}`, in any order, in a file or a folder.

    The lines are gone through twice, questions first, so that a trace may stand before its question. A trace means the
    question of its own file; where that has none of this id, the one question of the folder that has it.
    """

    name = "native"
    summary = "tracejury's own JSON lines: what `read` writes and what you write by hand"

    def read(self, path: Path) -> Iterator[ReadItem]:
        """Yield the questions, then the traces, with the problems of the lines between them."""
        files = sorted(p for p in path.glob("*.jsonl") if p.name not in _ASIDE) if path.is_dir() else [path]
        if not files:
            yield Problem(
                file=str(path), reason="the folder holds no .jsonl file", hint="name a file, or another --reader"
            )
        with KeyValueStore[bytes]("in_file", "in_folder", "ambiguous") as store:
            keys = _Keys(store, several_files=len(files) > 1)
            passes = []
            for number, file in enumerate(files):
                passes.append((yield from self._questions(file, number, keys)))
            for number, file in enumerate(files):
                for wanted in passes[number]:
                    yield from self._traces(file, number, keys, wanted)

    def _questions(
        self, file: Path, number: int, keys: _Keys
    ) -> Generator[ReadItem, None, tuple[Callable[[bytes], bool], ...]]:
        """Yield the questions of a file; return which lines to go through for its traces, pass by pass."""
        passes: tuple[Callable[[bytes], bool], ...] = (_begins_as_trace,)
        for line in json_lines(file, _may_be_question):
            if isinstance(line, Problem):
                yield line
                if line.line is None:
                    return ()
                continue
            self.at(file, line.number)
            kind = line.data.get("kind")
            if kind == "question":
                yield _question(file, number, line, keys)
            elif kind == "trace":
                passes = (_begins_as_trace, _begins_otherwise)
            else:
                reason = f'"kind" is {kind!r}' if "kind" in line.data else 'the field "kind" is missing'
                yield Problem(file=str(file), line=line.number, reason=reason, hint='write "question" or "trace"')
        return passes

    def _traces(self, file: Path, number: int, keys: _Keys, wanted: Callable[[bytes], bool]) -> Iterator[ReadItem]:
        for line in json_lines(file, wanted):
            if isinstance(line, Line) and line.data.get("kind") == "trace":
                self.at(file, line.number)
                yield _trace(file, number, line, keys)
            elif isinstance(line, Problem) and wanted is _begins_as_trace:
                yield line


class _Place(NamedTuple):
    """What is kept of a question that was read."""

    question_id: str
    line: int
    options: dict[str, str]


class _Keys:
    """The questions read so far, by their own names, within each file and in the folder."""

    def __init__(self, store: KeyValueStore[bytes], several_files: bool) -> None:
        self._store = store
        self._in_file = OrderedLookup(store, "in_file")
        self._several_files = several_files

    def add(self, file: int, key: str, question: _Place) -> _Place | None:
        """Keep a question under its name, and return the one of its file that has the name already."""
        value = to_json(question)
        if not self._store.add("in_file", f"{file}\x1f{key}", value):
            return _place(self._store.get("in_file", f"{file}\x1f{key}"))
        if self._several_files and not self._store.add("in_folder", key, value):
            first = _place(self._store.get("in_folder", key))
            if first is not None and first.question_id != question.question_id:
                self._store.add("ambiguous", key, b"")
        return None

    def find(self, file: int, key: str) -> _Place | None:
        """Return the question of this name, of the file or else of the folder; None where there is none, or several."""
        own = _place(self._in_file.get(f"{file}\x1f{key}"))
        if own is not None or not self._several_files or self.is_ambiguous(key):
            return own
        return _place(self._store.get("in_folder", key))

    def is_ambiguous(self, key: str) -> bool:
        """Whether files have different questions of this name."""
        return self._store.get("ambiguous", key) is not None


def _place(value: bytes | None) -> _Place | None:
    return None if value is None else _Place(*from_json(value))


def _question(file: Path, number: int, line: Line, keys: _Keys) -> ReadItem:
    data = line.data
    del data["kind"]
    key = _name(data.pop("id", None))
    if not key:
        return Problem(file=str(file), line=line.number, reason='the field "id" is missing or empty', hint=_QUESTION)
    data.setdefault("key", key)
    try:
        question = Question.model_validate(data)
    except ValidationError as error:
        return invalid(file, line.number, error, _QUESTION)
    first = keys.add(number, key, _Place(question.id, line.number, question.options))
    if first is None:
        return question
    same = "the same question" if first.question_id == question.id else "another question"
    reason = f"the id {key!r} was already given to {same} at {file}:{first.line}; that one stays"
    return Problem(file=str(file), line=line.number, reason=reason, hint="give every question an id of its own")


def _trace(file: Path, number: int, line: Line, keys: _Keys) -> ReadItem:
    data = line.data
    del data["kind"]
    key = _name(data.pop("question", None))
    if not key:
        return Problem(file=str(file), line=line.number, reason='the field "question" is missing or empty', hint=_TRACE)
    question = keys.find(number, key)
    if question is None and keys.is_ambiguous(key):
        reason = (
            f"two files have different questions with the id {key!r}, and this file has none; the trace is left out"
        )
        hint = "give the questions ids of their own, or put a trace into the file of its question"
        return Problem(file=str(file), line=line.number, reason=reason, hint=hint)
    if question is None:
        reason = f"no question has the id {key!r} that this trace refers to; the trace is left out"
        return Problem(file=str(file), line=line.number, reason=reason, hint="add the question, or correct the id")
    if "id" in data:
        own_id = data.pop("id")
        if isinstance(data.get("meta", {}), dict):
            data["meta"] = {**data.get("meta", {}), "key": own_id}
    if "answer" not in data and isinstance(data.get("text"), str):
        data["answer"] = extract_answer(data["text"], question.options)
    data["question_id"] = question.question_id
    try:
        return Trace.model_validate(data)
    except ValidationError as error:
        return invalid(file, line.number, error, _TRACE)


def _name(value: object) -> str:
    """Return a name as it is compared: text, or a number as text; nothing for null."""
    return "" if value is None else str(value).strip()


def native() -> Reader:
    """Make the `native` reader."""
    return Native()
