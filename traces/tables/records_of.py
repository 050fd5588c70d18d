"""Questions and traces made of the parts that were found in a row."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from tracejury.storage import KeyValueStore
from tracejury.traces.answers import extract_answer
from tracejury.traces.records import Question, Trace
from tracejury.traces.tables.golds import Gold, read_gold
from tracejury.traces.tables.options import bare_stem, split_question
from tracejury.traces.tables.rendered_turns import user_text
from tracejury.traces.tables.replies import Reply


def make_question(
    prompt: str, options: Mapping[str, str], gold: object, first: int | None = 0, **more: Any
) -> Question:
    """Make a question of a prompt; options that are not given are looked for in it.

    Args:
        prompt: The question's text; options that it lists and that are those given are cut off.
        options: By key; empty where the file has none.
        gold: As the file has it.
        first: Where positions among the options start.
        more: Other fields of the question.
    """
    asked = user_text(prompt)
    stem, listed = split_question(asked)
    stem_of_listed = stem
    if options and not (listed and {_folded(t) for t in listed.values()} == {_folded(t) for t in options.values()}):
        stem = bare_stem(asked)
    # Options that are letters alone (lighteval's) say nothing; the prompt lists their words.
    if listed and options and all(text.strip(" ().").upper() == key for key, text in options.items()):
        options, stem = listed, stem_of_listed
    options = options or listed
    value = gold if isinstance(gold, Gold) else read_gold(gold, options, first)
    return Question(stem=stem, options=dict(options), gold=value.key, gold_aliases=value.aliases, **more)


def make_trace(question: Question, reply: Reply, answer: object = None, first: int | None = 0, **more: Any) -> Trace:
    """Make a trace of a reply; an answer that the file does not give is looked for, in the closing words first."""
    key = read_gold(answer, question.options, first).key
    for part in (reply.final, reply.text):
        if key is None and part:
            key = extract_answer(part, question.options)
    meta = {k: v for k, v in more.pop("meta", {}).items() if v is not None}
    if reply.final:
        meta["final"] = reply.final
    return Trace(question_id=question.id, text=reply.text, answer=key, meta=meta, **more)


class SampleNumbers:
    """Numbers the traces of one question, model and arm where a file does not; the same text keeps its number."""

    def __init__(self, spool: KeyValueStore[str]) -> None:
        self._spool = spool

    def number(self, question: Question, model: str, arm: str, text: str) -> int:
        """Return the number of a draw, from 0."""
        group = "\x1f".join((question.id, model, arm))
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        # Most groups have one text: it stands with the count, and the others in a table of their own.
        if self._spool.add("draws", group, f"1 {digest}"):
            return 0
        count, _, first = (self._spool.get("draws", group) or "").partition(" ")
        if digest == first:
            return 0
        if not self._spool.add("texts", f"{group}\x1f{digest}", count):
            return int(self._spool.get("texts", f"{group}\x1f{digest}") or 0)
        self._spool.replace("draws", {group: f"{int(count) + 1} {first}"})
        return int(count)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".")
