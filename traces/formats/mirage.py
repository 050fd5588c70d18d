"""MIRAGE: published replies of GPT-3.5 and GPT-4, with and without retrieval (Xiong et al., arXiv 2402.13178)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ValidationError

from tracejury.traces.answers import extract_answer
from tracejury.traces.contracts import Reader, ReadItem
from tracejury.traces.formats.documents import json_items
from tracejury.traces.formats.lines import Line, invalid, json_lines
from tracejury.traces.formats.medqa import MedQA
from tracejury.traces.formats.mmlu import MMLU
from tracejury.traces.formats.place import Placed, files_under
from tracejury.traces.formats.pubmedqa import PubMedQA
from tracejury.traces.records import Problem, Question, Trace

_HINT = 'a line has "qid", "dataset", "mode", "model" and "raw" (a list of replies)'
_THOUGHT = re.compile(r'"step_by_step_thinking"\s*:\s*"(.*?)(?:"\s*[,}]?\s*(?:"answer_choice"|\}\s*\Z)|\Z)', re.DOTALL)
_LEFT_OF_ANSWER = re.compile(r'\A(.*?)"\s*,?\s*"answer_choice"', re.DOTALL)
_REFUSED = ("The response was filtered", "'content'", "No response", "Error communicating")


class _MirageRow(BaseModel):
    qid: str
    dataset: str
    mode: str
    model: str
    raw: list[str]


class MirageReply(NamedTuple):
    """A reply taken apart: the chain of thought, and what state the reply is in."""

    text: str
    state: Literal["json", "broken", "refused", "empty"]


class Mirage(Placed):
    """JSON lines of replies, beside the questions that they answer; the arm is the mode (`cot`, `rag_32`).

    The questions are looked for beside and above the replies: `benchmark.json`, or MedQA's, MMLU's and PubMedQA's own
    files. Every reply becomes a trace: one that is not valid JSON keeps what can be read of it (`meta.reply` says
    `broken`), one that a content filter replaced has no text (`refused`), as has none at all (`empty`).
    """

    name = "mirage"
    summary = "MIRAGE replies (JSON lines) with the questions beside them"

    def __init__(self, questions: str | Path | None = None) -> None:
        self.questions = None if questions is None else Path(questions)

    def read(self, path: Path) -> Iterator[ReadItem]:
        """Yield the questions of the data sets that have replies, then the replies."""
        files = [f for f in files_under(path, "*.jsonl") if _holds_replies(f)] if path.is_dir() else [path]
        if not files:
            self.at(path)
            yield self.problem("no file with replies (*.jsonl with a field raw) is here", "name the file of replies")
        questions: dict[str, Question] = {}
        for file in files:
            for line in json_lines(file):
                self.at(file, line.number if isinstance(line, Line) else line.line)
                if isinstance(line, Problem):
                    yield line
                else:
                    yield from self._row(file, line, questions)

    def _row(self, file: Path, line: Line, questions: dict[str, Question]) -> Iterator[ReadItem]:
        try:
            row = _MirageRow.model_validate(line.data)
        except ValidationError as error:
            yield invalid(file, line.number, error, _HINT)
            return
        if f"{row.dataset}/" not in questions:
            questions[f"{row.dataset}/"] = Question(stem="")
            for item in self._questions(row.dataset, self.questions or file.parent):
                if isinstance(item, Question):
                    questions[f"{row.dataset}/{item.key}"] = item
                yield item
            self.at(file, line.number)
        question = questions.get(f"{row.dataset}/{row.qid.removeprefix('test_')}")
        if question is None:
            reason = f"no question {row.qid!r} of {row.dataset!r} was found beside the replies; the reply is left out"
            yield self.problem(
                reason, "put benchmark.json, or the data set's own file, beside them, or --set questions=DIR"
            )
            return
        for sample, raw in enumerate(row.raw or [""]):
            reply = take_apart(raw)
            yield Trace(
                question_id=question.id,
                model=row.model,
                arm=row.mode,
                sample=sample,
                text=reply.text,
                answer=None if reply.state in ("refused", "empty") else extract_answer(raw, question.options),
                finish_reason="content_filter" if reply.state == "refused" else None,
                meta={"key": row.qid, "reply": reply.state},
            )

    def _questions(self, dataset: str, start: Path) -> Iterator[ReadItem]:
        """Yield the questions of one data set, from the nearest folder upwards that has them."""
        for folder in (start, *start.resolve().parents[:3]):
            benchmark = folder / "benchmark.json"
            if benchmark.is_file():
                yield from _benchmark(benchmark, dataset)
                return
            own = _own_files(folder, dataset)
            if own is not None:
                yield from own
                return


def take_apart(raw: str) -> MirageReply:
    """Return the chain of thought of a reply, whatever state its JSON is in."""
    if not raw.strip():
        return MirageReply("", "empty")
    if raw.strip().startswith(_REFUSED):
        return MirageReply("", "refused")
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        data = None
    if isinstance(data, dict):
        thought = data.get("step_by_step_thinking", "")
        return MirageReply(thought if isinstance(thought, str) else json.dumps(thought, ensure_ascii=False), "json")
    match = _THOUGHT.search(raw) or _LEFT_OF_ANSWER.match(raw)
    text = match.group(1) if match else raw
    return MirageReply(text.replace('\\"', '"').replace("\\n", "\n"), "broken")


def _holds_replies(file: Path) -> bool:
    with file.open("rb") as handle:
        return b'"raw"' in handle.read(65_536)


def _own_files(folder: Path, dataset: str) -> Iterator[ReadItem] | None:
    if dataset == "medqa" and (files := sorted(folder.glob("medqa*test*.jsonl"))):
        return MedQA().read(files[0])
    if dataset == "mmlu" and any((folder / "mmlu").glob("*_test.csv")):
        return MMLU().read(folder / "mmlu")
    if dataset == "pubmedqa":
        for file in (folder / "ori_pqal.json", folder / "pubmedqa" / "ori_pqal.json"):
            if file.is_file():
                return PubMedQA(contexts=False).read(file)
    return None


def _benchmark(file: Path, dataset: str) -> Iterator[ReadItem]:
    """Yield the questions of one data set from MIRAGE's own benchmark.json."""
    for item in json_items(file):
        if isinstance(item, Problem):
            yield item
        elif item.key == dataset and isinstance(item.value, dict):
            for key, entry in item.value.items():
                try:
                    yield Question(
                        stem=entry["question"],
                        options=entry["options"],
                        gold=entry.get("answer"),
                        source=dataset,
                        split="test",
                        key=str(key).removeprefix("test_"),
                    )
                except (ValidationError, KeyError, TypeError, AttributeError):
                    hint = 'an entry has "question", "options" and "answer"'
                    yield Problem(file=str(file), line=item.line, reason=f"{dataset}/{key} is no question", hint=hint)


def mirage(questions: str | Path | None = None) -> Reader:
    """Make the `mirage` reader; `questions` names the folder of the questions where it is elsewhere."""
    return Mirage(questions)
