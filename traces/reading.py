"""Reading any format by its name, with the checks that every format needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic_core import from_json, to_json

from tracejury.storage import KeyValueStore, OrderedLookup
from tracejury.traces.answers import answer_correct
from tracejury.traces.contracts import Reader, ReadItem
from tracejury.traces.detecting import detect_reader
from tracejury.traces.guarded import guard_reader
from tracejury.traces.plausibility import Plausibility
from tracejury.traces.plugins import Contract
from tracejury.traces.records import Problem, Question, Severity, Trace
from tracejury.traces.registry import Registry

READER = Contract({"name": str, "summary": str}, "read", arguments=1)
readers: Registry[Reader] = Registry("tracejury.readers", "reader", READER, guard_reader)
"""The readers installed: `readers.entries()` lists them."""
_BEGINNING = 160
"""Characters of a question by which a reply that repeats it is recognised."""


def read(reader_name: str | None, path: str | Path, **params: object) -> Iterator[ReadItem]:
    """Yield the questions, traces and problems found under `path`, streaming.

    Beside the reader's own problems, these are reported: a gold or an answer that is none of the options (the record
    stays, that field becomes None), a trace that repeats another or refers to no question (left out), an empty trace
    (stays), and, once for the whole input, questions that are the same under two names (they count as one) and
    questions without a trace (they stay; an input without any trace has no such problem). Of readers that guess which
    field is what, warnings say where the result is not plausible: no options, no answer found, every answer wrong, or
    right, replies that are short, all the same, or repeat their question.

    Args:
        reader_name: A registered reader, such as `native` or `mr-ben`. None: the file's contents decide.
        path: A file, or a folder where the format is one.
        params: Passed to the reader.

    Raises:
        UnknownNameError: No reader has this name.
    """
    # The reader is made here, not in the generator, so that a wrong name is an error at once.
    reader = readers.make(reader_name or detect_reader(Path(path)), **params)

    def checked() -> Iterator[ReadItem]:
        with KeyValueStore[bytes]("questions", "traces") as spool:
            yield from _Checks(reader, Path(path), spool).run()

    return checked()


class _QuestionRow(NamedTuple):
    """What is kept of a question."""

    name: str
    letters: list[str]
    gold: str | None
    gold_aliases: tuple[str, ...]
    number: int
    """From 0."""
    stem: str
    """Its beginning, for readers that guess."""


class _Checks:
    """What has gone by, on disk, and what follows from it."""

    def __init__(self, reader: Reader, path: Path, spool: KeyValueStore[bytes]) -> None:
        self.reader, self.path, self.spool = reader, path, spool
        self.questions_in_order = OrderedLookup(spool, "questions")
        self.latest: tuple[str, _QuestionRow | None] = ("", None)
        """The question that was asked for last, by its id: a trace mostly follows its question, or another of it."""
        self.twins = 0
        self.twin_names: list[str] = []
        self.questions = self.traces = 0
        self.is_answered = bytearray()
        """Of each question, by its number, whether it has a trace."""
        # Fixed formats have no options, or no answers, for reasons of their own.
        self.plausibility = Plausibility() if getattr(reader, "guesses", False) else None

    def run(self) -> Iterator[ReadItem]:
        item: ReadItem | None = None
        for item in self.reader.read(self.path):
            match item:
                case Question():
                    yield from self._question(item)
                case Trace():
                    yield from self._trace(item)
                case Problem():
                    yield item
        if item is None:
            hint = f"{self.reader.name} reads: {self.reader.summary}"
            yield Problem(file=str(self.path), reason="nothing is here to read", hint=hint)
        yield from self._at_the_end()

    def _problem(self, reason: str, hint: str) -> Problem:
        # Readers that know where they are say so; a stranger's reader need not.
        file = getattr(self.reader, "file", None) or self.path
        return Problem(file=str(file), line=getattr(self.reader, "line", None), reason=reason, hint=hint)

    def _question(self, question: Question) -> tuple[ReadItem, ...]:
        name, letters, gold = question.key or question.id, list(question.options), question.gold
        is_option = gold is None or _is_option(gold, letters)
        stem = "" if self.plausibility is None else question.stem.strip()[:_BEGINNING]
        row = _QuestionRow(name, letters, gold if is_option else None, question.gold_aliases, self.questions, stem)
        if not self.spool.add("questions", question.id, to_json(row)):
            first = self._row_of(question.id)
            # A reader may name a question once for each of its traces; two names for one are worth telling.
            if first is not None and first.name != name:
                self.twins += 1
                self.twin_names = [*self.twin_names, f"{name!r} is {first.name!r}"][:3]
            return ()
        self.latest = (question.id, row)
        self.questions += 1
        self.is_answered.append(0)
        if self.plausibility is not None:
            self.plausibility.add_question(letters, row.gold, gold)
        if is_option:
            return (question,)
        reason = f"the gold answer {gold!r} is none of the options {', '.join(letters)}"
        problem = self._problem(f"{reason}; the question is kept without it", "correct the gold answer")
        meta = {**question.meta, "gold_as_read": gold}
        return question.model_copy(update={"gold": None, "meta": meta}), problem

    def _row_of(self, question_id: str) -> _QuestionRow | None:
        if question_id == self.latest[0]:
            return self.latest[1]
        row = self.questions_in_order.get(question_id)
        if row is None:
            return None
        self.latest = (question_id, _QuestionRow(*from_json(row)))
        return self.latest[1]

    def _trace(self, trace: Trace) -> tuple[ReadItem, ...]:
        question = self._row_of(trace.question_id)
        if question is None:
            reason = "the trace refers to a question that was not read; it is left out"
            return (self._problem(reason, "see the problem of its question above"),)
        if not self.spool.add("traces", trace.id, b"%d" % (getattr(self.reader, "line", None) or 0)):
            line = int(self.spool.get("traces", trace.id) or 0)
            where = f"line {line}" if line else "an earlier trace"
            reason = f"repeats {where}: same question ({question.name!r}), model, arm, sample and text; it is left out"
            return (self._problem(reason, "number a second draw with another `sample`"),)
        self.traces += 1
        self.is_answered[question.number] = 1
        answer, letters = trace.answer, question.letters
        if self.plausibility is not None:
            if not trace.steps:
                self.plausibility.add_text(trace.text, question.stem)
            is_correct = answer_correct(answer, question.gold, question.gold_aliases)
            self.plausibility.add_trace(letters, answer, is_correct)
        items: tuple[ReadItem, ...] = (trace,)
        if answer is not None and not _is_option(answer, letters):
            meta = {**trace.meta, "answer_as_read": answer}
            reason = f"the answer {answer!r} is none of the options {', '.join(letters)}"
            problem = self._problem(f"{reason}; the trace counts as unparsable", "correct the answer")
            items = (trace.model_copy(update={"answer": None, "meta": meta}), problem)
        if not trace.steps and not trace.text.strip():
            ended = f" (it ended with {trace.finish_reason})" if trace.finish_reason not in (None, "stop") else ""
            reason = f"the trace of question {question.name!r} is empty{ended}; it stays, as a trace without steps"
            return (*items, self._problem(reason, "check the reply that it was made from"))
        return items

    def _at_the_end(self) -> Iterator[Problem]:
        if self.twins:
            named = ", ".join(self.twin_names) + (", ..." if self.twins > len(self.twin_names) else "")
            reason = f"{self.twins} question(s) have the stem and options of another ({named}); they count as one"
            yield self._warning(reason, "nothing to do if the source repeats itself")
        missing = self.is_answered.count(0)
        if missing and self.traces:
            named = ", ".join(self._unanswered()) + (", ..." if missing > 3 else "")
            reason = f"{missing} question(s) without a trace: {named}"
            yield self._warning(reason, "they stay and nothing is judged for them; add their traces")
        if self.plausibility is not None:
            for reason, hint in self.plausibility.oddities():
                yield self._warning(reason, hint)
            for reason, hint in self.plausibility.remarks():
                yield Problem(file=str(self.path), reason=reason, hint=hint, severity=Severity.NOTE)

    def _warning(self, reason: str, hint: str) -> Problem:
        return Problem(file=str(self.path), reason=reason, hint=hint, severity=Severity.WARNING)

    def _unanswered(self) -> list[str]:
        """Return the names of the first three questions without a trace."""
        names: list[str] = []
        n = 0
        while len(names) < 3 and (rows := self.spool.after("questions", n)):
            questions = (_QuestionRow(*from_json(value)) for _, _, value in rows)
            names += [repr(question.name) for question in questions if not self.is_answered[question.number]]
            n = rows[-1][0]
        return names[:3]


def _is_option(answer: str, options: list[str]) -> bool:
    """Whether `answer` is an option's key, or several one-letter keys in one; anything is where there are none."""
    return not options or answer in options or (len(answer) > 1 and all(letter in options for letter in answer))
