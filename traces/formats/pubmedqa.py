"""PubMedQA: questions that an abstract answers yes, no or maybe (Jin et al., arXiv 1909.06146)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from tracejury.traces.contracts import Reader, ReadItem
from tracejury.traces.formats.documents import Item, json_items
from tracejury.traces.formats.lines import invalid
from tracejury.traces.formats.place import Placed
from tracejury.traces.records import Problem, Question, Trace
from tracejury.traces.tables import names
from tracejury.traces.tables.records_of import make_trace
from tracejury.traces.tables.replies import take_apart

OPTIONS = {"A": "yes", "B": "no", "C": "maybe"}
_HINT = 'an entry is PMID: {"QUESTION", "CONTEXTS", "final_decision", ...}, as in ori_pqal.json'


class _Entry(BaseModel):
    QUESTION: str
    CONTEXTS: list[str] = []
    LONG_ANSWER: str = ""
    YEAR: str | None = None
    final_decision: str | None = None


class PubMedQA(Placed):
    """`ori_pqal.json`. The stem is the abstract (without its conclusion, as published) and then the question.

    The conclusion, LONG_ANSWER, is the explanation and so never enters a case. With `contexts=False` the stem is the
    question alone, as MIRAGE asks it.
    """

    name = "pubmedqa"
    summary = "PubMedQA JSON: questions with abstracts, yes / no / maybe, and replies beside them"

    def __init__(self, contexts: bool = True) -> None:
        self.contexts = contexts

    def read(self, path: Path) -> Iterator[ReadItem]:
        """Yield the questions of `ori_pqal.json`, or of every file of this form in a folder."""
        files = sorted(path.glob("ori_*.json")) if path.is_dir() else [path]
        if not files:
            self.at(path)
            yield self.problem("the folder holds no ori_*.json", "name the file, such as ori_pqal.json")
        for file in files:
            for item in json_items(file):
                self.at(file, item.line)
                if isinstance(item, Problem):
                    yield item
                    continue
                question = self._question(file, item)
                yield question
                if isinstance(question, Question):
                    yield from _traces(question, item.value)

    def _question(self, file: Path, item: Item) -> Question | Problem:
        try:
            entry = _Entry.model_validate(item.value)
        except ValidationError as error:
            return invalid(file, item.line, error, _HINT)
        gold = next((key for key, word in OPTIONS.items() if word == entry.final_decision), entry.final_decision)
        return Question(
            stem="\n\n".join([*(entry.CONTEXTS if self.contexts else []), entry.QUESTION]),
            options=OPTIONS,
            gold=gold,
            explanation=entry.LONG_ANSWER or None,
            source="pubmedqa",
            key=item.key or "",
            meta={"year": entry.YEAR},
        )


def _traces(question: Question, entry: Mapping[str, Any]) -> Iterator[Trace]:
    """Yield the reply of a model that has been written into an entry under any of the usual names."""
    by_name = {names.plain(str(name)): value for name, value in entry.items() if isinstance(value, str) and value}
    reply = next((by_name[name] for name in (*names.REASONING, *names.REPLY) if name in by_name), None)
    if reply is not None:
        answer = next((by_name[name] for name in names.ANSWER if name in by_name), None)
        yield make_trace(
            question, take_apart(reply), answer, model=by_name.get("model", "unknown"), arm="base", sample=0
        )


def pubmedqa(contexts: bool = True) -> Reader:
    """Make the `pubmedqa` reader."""
    return PubMedQA(contexts)
