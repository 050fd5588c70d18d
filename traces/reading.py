"""Reading any format by its name, with the checks that every format needs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tracejury.traces.contracts import Found, Reader
from tracejury.traces.records import Problem, Question, Trace
from tracejury.traces.registry import Registry
from tracejury.traces.spool import Spool

readers: Registry[Reader] = Registry("tracejury.readers", "reader")
"""The readers installed: `readers.entries()` lists them."""


def read(reader_name: str, path: str | Path, **params: object) -> Iterator[Found]:
    """Yield the questions, traces and problems found under `path`, streaming.

    Beside what the reader itself finds, tells: a gold or an answer that is none of the options (the record stays,
    that field becomes None), a trace that repeats another or refers to no question (left out), an empty trace (stays),
    questions without a trace (stay; one problem for all, and none where the input has no traces at all).

    Args:
        reader_name: A registered reader, such as `native` or `mr-ben`.
        path: A file, or a folder where the format is one.
        params: Passed to the reader.

    Raises:
        UnknownNameError: No reader has this name.
    """
    # The reader is made here, not in the generator: a wrong name is told at once.
    return _checked(readers.make(reader_name, **params), Path(path))


def _checked(reader: Reader, path: Path) -> Iterator[Found]:
    nothing = True
    with Spool("questions", "traces", "answered") as seen:
        for found in reader.read(path):
            nothing = False
            # Readers that know where they are say so; a stranger's reader need not.
            file, line = str(getattr(reader, "file", None) or path), getattr(reader, "line", None)
            match found:
                case Question():
                    yield from _question(found, seen, file, line)
                case Trace():
                    yield from _trace(found, seen, file, line)
                case Problem():
                    yield found
        if nothing:
            hint = f"{reader.name} reads: {reader.summary}"
            yield Problem(file=str(path), reason="nothing is here to read", hint=hint)
        yield from _unanswered(seen, path)


def _question(question: Question, seen: Spool, file: str, line: int | None) -> Iterator[Found]:
    if not seen.put("questions", question.id, json.dumps([question.key, list(question.options), f"{file}:{line}"])):
        key, _, place = json.loads(seen.get("questions", question.id) or "[]")
        # A reader may name a question once for each of its traces; two names for one question are worth telling.
        if key != question.key:
            reason = (
                f"question {question.key!r} has the stem and options of question {key!r} ({place}); they count as one"
            )
            yield Problem(file=file, line=line, reason=reason, hint="nothing to do, if the source repeats itself")
        return
    if question.gold is not None and not _is_option(question.gold, list(question.options)):
        reason = f"the gold answer {question.gold!r} is none of the options {', '.join(question.options)}"
        yield question.model_copy(update={"gold": None, "meta": {**question.meta, "gold_as_read": question.gold}})
        yield Problem(
            file=file, line=line, reason=f"{reason}; the question is kept without it", hint="correct the gold answer"
        )
    else:
        yield question


def _trace(trace: Trace, seen: Spool, file: str, line: int | None) -> Iterator[Found]:
    known = seen.get("questions", trace.question_id)
    if known is None:
        reason = "the trace refers to a question that was not read; it is left out"
        yield Problem(file=file, line=line, reason=reason, hint="see the problem of its question above")
        return
    key, options, _ = json.loads(known)
    if not seen.put("traces", trace.id, str(line or "")):
        first = seen.get("traces", trace.id)
        where = f"line {first}" if first else "an earlier trace"
        reason = f"repeats {where}: same question ({key!r}), model, arm, sample and text; it is left out"
        yield Problem(file=file, line=line, reason=reason, hint="number a second draw with another `sample`")
        return
    seen.put("answered", trace.question_id, "")
    if trace.answer is not None and not _is_option(trace.answer, options):
        reason = f"the answer {trace.answer!r} is none of the options {', '.join(options)}"
        yield trace.model_copy(update={"answer": None, "meta": {**trace.meta, "answer_as_read": trace.answer}})
        yield Problem(
            file=file, line=line, reason=f"{reason}; the trace counts as unparsable", hint="correct the answer"
        )
    else:
        yield trace
    if not trace.text.strip() and not trace.steps:
        reason = f"the trace of question {key!r} is empty; it stays, as a trace without steps"
        yield Problem(file=file, line=line, reason=reason, hint="check the reply that it was made from")


def _is_option(answer: str, options: list[str]) -> bool:
    """Whether `answer` is an option's key, or several one-letter keys in one; anything is where there are none."""
    return not options or answer in options or (len(answer) > 1 and all(letter in options for letter in answer))


def _unanswered(seen: Spool, path: Path) -> Iterator[Problem]:
    missing = seen.count("questions") - seen.count("answered")
    if not missing or not seen.count("traces"):
        return
    keys, n = [], 0
    while len(keys) < 3 and (rows := seen.after("questions", n)):
        keys += [json.loads(value)[0] or key for _, key, value in rows if seen.get("answered", key) is None]
        n = rows[-1][0]
    which = ", ".join(repr(k) for k in keys[:3]) + (", ..." if missing > 3 else "")
    reason = f"{missing} question(s) without a trace: {which}"
    yield Problem(file=str(path), reason=reason, hint="they stay and nothing is judged for them; add their traces")
