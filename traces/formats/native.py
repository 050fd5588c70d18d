"""The native format: JSON lines of questions and traces that refer to each other by the user's own keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tracejury.storage import KeyValueStore
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
        with KeyValueStore[str]("in_file", "in_folder", "ambiguous") as keys:
            for file in files:
                yield from self._questions(file, keys)
            for file in files:
                yield from self._traces(file, keys)

    def _questions(self, file: Path, keys: KeyValueStore[str]) -> Iterator[ReadItem]:
        for line in json_lines(file):
            if isinstance(line, Problem):
                yield line
                continue
            self.file, self.line = file, line.number
            kind = line.data.get("kind")
            if kind == "question":
                yield from _question(file, line, keys)
            elif kind != "trace":
                reason = f'"kind" is {kind!r}' if "kind" in line.data else 'the field "kind" is missing'
                yield Problem(file=str(file), line=line.number, reason=reason, hint='write "question" or "trace"')

    def _traces(self, file: Path, keys: KeyValueStore[str]) -> Iterator[ReadItem]:
        for line in json_lines(file):
            if isinstance(line, Line) and line.data.get("kind") == "trace":
                self.file, self.line = file, line.number
                yield _trace(file, line, keys)


def _question(file: Path, line: Line, keys: KeyValueStore[str]) -> Iterator[ReadItem]:
    data: dict[str, Any] = {k: v for k, v in line.data.items() if k not in ("kind", "id")}
    key = _name(line.data.get("id"))
    if not key:
        yield Problem(file=str(file), line=line.number, reason='the field "id" is missing or empty', hint=_QUESTION)
        return
    try:
        question = Question.model_validate({"key": key, **data})
    except ValidationError as error:
        yield invalid(file, line.number, error, _QUESTION)
        return
    place = json.dumps([question.id, f"{file}:{line.number}", question.options])
    if not keys.add("in_file", _in_file(file, key), place):
        first_id, first_place, _ = json.loads(keys.get("in_file", _in_file(file, key)) or "[]")
        same = "the same question" if first_id == question.id else "another question"
        reason = f"the id {key!r} was already given to {same} at {first_place}"
        yield Problem(
            file=str(file),
            line=line.number,
            reason=f"{reason}; that one stays",
            hint="give every question an id of its own",
        )
        return
    if not keys.add("in_folder", key, place) and json.loads(keys.get("in_folder", key) or "[]")[0] != question.id:
        keys.add("ambiguous", key, "")
    yield question


def _trace(file: Path, line: Line, keys: KeyValueStore[str]) -> ReadItem:
    data: dict[str, Any] = {k: v for k, v in line.data.items() if k not in ("kind", "question", "id")}
    key = _name(line.data.get("question"))
    if not key:
        return Problem(file=str(file), line=line.number, reason='the field "question" is missing or empty', hint=_TRACE)
    stored = keys.get("in_file", _in_file(file, key))
    if stored is None and keys.get("ambiguous", key) is not None:
        reason = (
            f"two files have different questions with the id {key!r}, and this file has none; the trace is left out"
        )
        hint = "give the questions ids of their own, or put a trace into the file of its question"
        return Problem(file=str(file), line=line.number, reason=reason, hint=hint)
    stored = stored or keys.get("in_folder", key)
    if stored is None:
        reason = f"no question has the id {key!r} that this trace refers to; the trace is left out"
        return Problem(file=str(file), line=line.number, reason=reason, hint="add the question, or correct the id")
    question_id, _, options = json.loads(stored)
    if "id" in line.data and isinstance(data.get("meta", {}), dict):
        data["meta"] = {**data.get("meta", {}), "key": line.data["id"]}
    if "answer" not in data and isinstance(data.get("text"), str):
        data["answer"] = extract_answer(data["text"], options)
    try:
        return Trace.model_validate({**data, "question_id": question_id})
    except ValidationError as error:
        return invalid(file, line.number, error, _TRACE)


def _in_file(file: Path, key: str) -> str:
    # A file's name that is not UTF-8 cannot be stored as it is.
    return f"{str(file).encode('utf-8', 'backslashreplace').decode()}\x1f{key}"


def _name(value: object) -> str:
    """Return a name as it is compared: text, or a number as text; nothing for null."""
    return "" if value is None else str(value).strip()


def native() -> Reader:
    """Make the `native` reader."""
    return Native()
