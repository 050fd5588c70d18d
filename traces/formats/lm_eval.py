"""Samples of EleutherAI's lm-evaluation-harness (`--log_samples`), JSON lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tracejury.traces.contracts import Reader, ReadItem
from tracejury.traces.formats.exchanges import checked, fetch, question_of, take_apart, trace_of
from tracejury.traces.formats.lines import Line, invalid, json_lines
from tracejury.traces.formats.place import Placed, files_under
from tracejury.traces.records import Problem

_HINT = 'a line has "doc", "target", "arguments" and "resps"; see --map for where a doc keeps its fields'
_STEMS = tuple(f"doc.{n}" for n in ("question", "Question", "query", "problem", "input", "sent1", "stem"))
_PROMPTS = ("arguments.gen_args_0.arg_0", "arguments.0.0", "arguments.0.arg_0")
_OPTIONS = ("doc.options", "doc.choices")


class LmEval(Placed):
    """`samples_TASK_DATE.jsonl`, or a folder of them; the folder of a file names its model, as the harness writes it.

    Each of the repeats of a generated reply is a sample. Tasks that are scored by log-likelihood generate no text:
    one problem a file says so.
    """

    name = "lm-eval"
    summary = "lm-evaluation-harness samples_*.jsonl of tasks that generate text; --map ..."

    def __init__(self, fields: Mapping[str, str] | None = None) -> None:
        self.fields = checked(fields)

    def read(self, path: Path) -> Iterator[ReadItem]:
        """Yield each document as a question, then the replies to it."""
        for file in files_under(path, "samples_*.jsonl"):
            for line in json_lines(file):
                self.at(file, line.number if isinstance(line, Line) else line.line)
                if isinstance(line, Problem):
                    yield line
                    continue
                texts = _texts(line.data.get("resps"))
                if texts is None:
                    reason = "resps holds log-likelihoods: this task generates no text, so the file has no traces"
                    yield self.problem(reason, "run the task's generative variant (generate_until)")
                    break
                yield from self._line(file, line, texts)

    def _line(self, file: Path, line: Line, texts: list[str]) -> Iterator[ReadItem]:
        data = line.data
        stem = fetch(data, "stem", self.fields, *_STEMS, *_PROMPTS)
        if not isinstance(stem, str) or not stem.strip() or not texts:
            what = "there is no question in doc or arguments" if texts else "resps is missing or empty"
            yield self.problem(what, _HINT)
            return
        options = fetch(data, "options", self.fields, *_OPTIONS) or _lettered(data.get("doc"))
        name = fetch(data, "id", self.fields, "doc.id", "doc_id")
        model = file.resolve().parent.name.replace("__", "/")
        try:
            question = question_of(
                stem,
                options,
                fetch(data, "gold", self.fields, "target", "doc.answer_idx", "doc.answerKey", "doc.answer"),
                explanation=fetch(data, "explanation", self.fields),
                source=str(fetch(data, "source", self.fields) or file.stem.removeprefix("samples_").split("_20")[0]),
                split=fetch(data, "split", self.fields),
                key="" if name is None else str(name),
            )
            yield question
            for number, text in enumerate(texts):
                yield trace_of(
                    question,
                    take_apart(text, None),
                    answer=fetch(data, "answer", self.fields),
                    model=str(fetch(data, "model", self.fields) or model),
                    arm=str(fetch(data, "arm", self.fields) or "base"),
                    sample=number,
                    meta={"key": question.key, "filter": data.get("filter")},
                )
        except ValidationError as error:
            yield invalid(file, line.number, error, _HINT)


def _texts(resps: object) -> list[str] | None:
    """Return the generated texts of `resps` (one list a request, of its repeats); None: they are log-likelihoods."""
    if not isinstance(resps, list):
        return []
    texts: list[str] = []
    for repeats in resps:
        for reply in repeats if isinstance(repeats, list) else [repeats]:
            if not isinstance(reply, str):
                return None
            texts.append(reply)
    # A pair of a number and a truth value, both written as text, is a log-likelihood too.
    return None if texts and all(t in ("True", "False") or _number(t) for t in texts) and len(texts) > 1 else texts


def _number(text: str) -> bool:
    try:
        return float(text) <= 0
    except ValueError:
        return False


def _lettered(doc: object) -> dict[str, Any]:
    """Return options that a document keeps as `opa`, `opb`, ... or as `A`, `B`, ..."""
    if not isinstance(doc, Mapping):
        return {}
    for names in ({letter: letter for letter in "ABCDE"}, {letter: f"op{letter.lower()}" for letter in "ABCDE"}):
        if all(isinstance(doc.get(names[letter]), str) for letter in "AB"):
            return {letter: doc[name] for letter, name in names.items() if isinstance(doc.get(name), str)}
    return {}


def lm_eval(fields: Mapping[str, str] | None = None) -> Reader:
    """Make the `lm-eval` reader; `fields` maps a field to the dotted path where a line has it."""
    return LmEval(fields)
