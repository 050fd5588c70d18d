"""Samples of EleutherAI's lm-evaluation-harness (`--log_samples`), JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tracejury.traces.contracts import Reader, ReadItem
from tracejury.traces.formats.lines import Line, invalid, json_lines
from tracejury.traces.formats.place import Placed, files_under
from tracejury.traces.formats.table import checked_fields
from tracejury.traces.records import Problem, Severity
from tracejury.traces.tables.conversations import exchange_in
from tracejury.traces.tables.names import option_column
from tracejury.traces.tables.options import options_of, split_prompt
from tracejury.traces.tables.paths import first_at
from tracejury.traces.tables.records_of import make_question, make_trace
from tracejury.traces.tables.replies import take_apart

_HINT = 'a line has "doc", "target", "arguments" and "resps"; see --map for where a doc keeps its fields'
_STEMS = tuple(f"doc.{n}" for n in ("question", "Question", "query", "problem", "input", "sent1", "stem"))
_PROMPTS = ("arguments.gen_args_0.arg_0", "arguments.0.0", "arguments.0.arg_0")
_OPTIONS = ("doc.options", "doc.choices", "doc.endings")
_GOLDS = ("target", "doc.answer_idx", "doc.answerKey", "doc.answer", "doc.label")


class LmEval(Placed):
    """`samples_TASK_DATE.jsonl`, or a folder of them; the folder of a file names its model, as the harness writes it.

    Each of the repeats of a generated reply is a sample. The harness writes a document once for each of its filters,
    with the same replies; they are read once. Tasks that are scored by log-likelihood generate no text: one problem a
    file says so.
    """

    name = "lm-eval"
    summary = "lm-evaluation-harness samples_*.jsonl of tasks that generate text; --map ..."
    guesses = True

    def __init__(self, fields: Mapping[str, str] | None = None) -> None:
        self.fields = checked_fields(fields)

    def read(self, path: Path) -> Iterator[ReadItem]:
        """Yield each document as a question, then the replies to it."""
        for file in files_under(path, "samples_*.jsonl"):
            first_filter: dict[str, object] = {}
            filters: dict[str, None] = {}
            for line in json_lines(file):
                self.at(file, line.number if isinstance(line, Line) else line.line)
                if isinstance(line, Problem):
                    yield line
                    continue
                if _is_scored(line.data.get("resps")):
                    reason = "resps holds log-likelihoods: this task generates no text, so the file has no traces"
                    yield self.problem(reason, "run the task's generative variant (generate_until)")
                    break
                document, filtered = str(line.data.get("doc_id")), line.data.get("filter")
                filters[str(filtered)] = None
                if filtered is not None and first_filter.setdefault(document, filtered) != filtered:
                    continue
                yield from self._line(file, line)
            if len(filters) > 1:
                self.at(file)
                reason = f"every document is written once for each filter ({', '.join(filters)}); it is read once"
                yield self.problem(reason, "nothing to do: the replies are the same", Severity.NOTE)

    def _line(self, file: Path, line: Line) -> Iterator[ReadItem]:
        data = line.data
        texts = _texts(data.get("resps"))
        stem = first_at(data, "stem", self.fields, *_STEMS) or _prompt(data)
        if not isinstance(stem, str) or not stem.strip() or not texts:
            what = "there is no question in doc or arguments" if texts else "resps is missing or empty"
            yield self.problem(what, _HINT)
            return
        name = first_at(data, "id", self.fields, "doc.id", "doc_id")
        model = file.resolve().parent.name.replace("__", "/")
        try:
            question = make_question(
                stem,
                _options(data, first_at(data, "options", self.fields, *_OPTIONS)),
                first_at(data, "gold", self.fields, *_GOLDS),
                explanation=first_at(data, "explanation", self.fields),
                source=str(first_at(data, "source", self.fields) or file.stem.removeprefix("samples_").split("_20")[0]),
                split=first_at(data, "split", self.fields),
                key="" if name is None else str(name),
            )
            yield question
            for number, text in enumerate(texts):
                if text is None:
                    yield self.problem("the reply is null: the request failed; the question stays", "run it again")
                    continue
                yield make_trace(
                    question,
                    take_apart(text),
                    answer=first_at(data, "answer", self.fields),
                    model=str(first_at(data, "model", self.fields) or model),
                    arm=str(first_at(data, "arm", self.fields) or "base"),
                    sample=number,
                    meta={"key": question.key, "filter": data.get("filter")},
                )
        except ValidationError as error:
            yield invalid(file, line.number, error, _HINT)


def _texts(resps: object) -> list[str | None]:
    """Return the generated texts of `resps` (one list a request, of its repeats); None where a request failed."""
    requests = resps if isinstance(resps, list) else []
    replies = [reply for repeats in requests for reply in (repeats if isinstance(repeats, list) else [repeats])]
    return [None if reply is None else str(reply) for reply in replies]


def _is_scored(resps: object) -> bool:
    """Whether these are log-likelihoods: pairs of a number and a truth value, as such or as text."""
    requests = resps if isinstance(resps, list) else []
    replies = [reply for repeats in requests for reply in (repeats if isinstance(repeats, list) else [repeats])]
    if any(isinstance(reply, list | float | bool) for reply in replies):
        return True
    texts = [reply for reply in replies if isinstance(reply, str)]
    return len(texts) > 1 and all(text in ("True", "False") or _is_number(text) for text in texts)


def _is_number(text: str) -> bool:
    try:
        return float(text) <= 0
    except ValueError:
        return False


def _prompt(data: Mapping[str, Any]) -> str | None:
    """Return what was sent to the model: a text, or the last user message where it was sent as a conversation."""
    prompt = first_at(data, "", {}, *_PROMPTS)
    if isinstance(prompt, str) and prompt.lstrip().startswith("["):
        try:
            prompt = json.loads(prompt)
        except ValueError:
            return str(prompt)
    if isinstance(prompt, list):
        exchange = exchange_in({"messages": prompt})
        return None if exchange is None else exchange.prompt
    return prompt if isinstance(prompt, str) else None


def _options(data: Mapping[str, Any], value: object) -> dict[str, str]:
    """Return the options of a document, or those that its prompt lists."""
    return options_of(value) or _columns(data.get("doc")) or split_prompt(_prompt(data) or "")[1]


def _columns(doc: object) -> dict[str, str]:
    """Return options that a document keeps under names of their own: `opa`, `A`, `ending0`, ..."""
    if not isinstance(doc, Mapping):
        return {}
    named = {key: text for name, text in doc.items() if (key := option_column(str(name))) and isinstance(text, str)}
    texts = [named[key] for key in sorted(named)]
    return options_of(texts) if all(key.isdecimal() for key in named) else options_of(dict(sorted(named.items())))


def lm_eval(fields: Mapping[str, str] | None = None) -> Reader:
    """Make the `lm-eval` reader; `fields` maps a field to the dotted path where a line has it."""
    return LmEval(fields)
