"""The files of recorded opinions: JSON lines, CSV, output of a provider's Batch API, logs of inspect_ai."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError

from tracejury.agents.recorded.rows import RecordedOpinion, opinion_of
from tracejury.agents.replies import JudgeReply
from tracejury.models import parse_reply
from tracejury.traces import Question, Trace, json_objects, read

FileFormat = Literal["jsonl", "csv", "openai-batch", "inspect"]
ENDINGS: Mapping[FileFormat, tuple[str, ...]] = {
    "jsonl": (".jsonl", ".ndjson"),
    "csv": (".csv", ".tsv"),
    "openai-batch": (".jsonl",),
    "inspect": (".eval", ".json"),
}
_INSPECT_LABELS = {"C": "supported", "I": "error", "N": "unclear", "1": "supported", "0": "error", "1.0": "supported"}
_INSPECT_LABELS |= {"0.0": "error", "True": "supported", "False": "error"}


class Reading(NamedTuple):
    """How files are read; hashable, so that the same files are read once."""

    file_format: FileFormat
    labels: tuple[tuple[str, str], ...] = ()
    cases: str = ""
    """A file that `tracejury cases` wrote: it says which step a `custom_id` is about."""


class OpinionFile(NamedTuple):
    """A file as it is now: when it changes, it is read anew."""

    path: str
    modified_ns: int
    size: int


def files_of(path: str | Path, file_format: FileFormat) -> tuple[OpinionFile, ...]:
    """Return the files of a path: itself, or those in a folder, in the order of their names.

    Raises:
        FileNotFoundError: There is none; the message says what to do.
    """
    place = Path(path)
    if place.is_dir():
        files = sorted(f for f in place.iterdir() if f.is_file() and f.suffix.lower() in ENDINGS[file_format])
    else:
        files = [place]
    if not files or not files[0].exists():
        raise FileNotFoundError(
            f"{place} holds no recorded opinions; name a file, or a folder of {', '.join(ENDINGS[file_format])} files"
        )
    return tuple(OpinionFile(str(f), f.stat().st_mtime_ns, f.stat().st_size) for f in files)


@lru_cache(maxsize=64)
def read_opinions(files: tuple[OpinionFile, ...], reading: Reading) -> tuple[RecordedOpinion, ...]:
    """Read files of recorded opinions, in order.

    Raises:
        ValueError: A row cannot be read; the message has file and line, and what to do.
    """
    read_file = _FORMATS[reading.file_format]
    return tuple(opinion for file in files for opinion in read_file(Path(file.path), reading))


def _jsonl(path: Path, reading: Reading) -> Iterator[RecordedOpinion]:
    for place, row in json_objects(path, "opinion"):
        yield opinion_of(row, place, dict(reading.labels))


def _csv(path: Path, reading: Reading) -> Iterator[RecordedOpinion]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        table = csv.DictReader(file, dialect=_dialect(path, file.readline()))
        file.seek(0)
        table.fieldnames = [name.strip().lower() for name in next(table.reader)]
        for row in table:
            yield opinion_of(row, f"{path}:{table.line_num}", dict(reading.labels))


def _dialect(path: Path, header: str) -> type[csv.Dialect]:
    separator = max(",;\t", key=header.count)
    if path.suffix.lower() == ".tsv":
        separator = "\t"
    return type("_Dialect", (csv.excel,), {"delimiter": separator})


def _openai_batch(path: Path, reading: Reading) -> Iterator[RecordedOpinion]:
    steps = _steps_of_requests(Path(reading.cases)) if reading.cases else {}
    for place, line in json_objects(path, "opinion"):
        custom_id = str(line.get("custom_id") or "")
        if not custom_id:
            raise ValueError(f"{place}: no custom_id; name the output file of a batch")
        named = steps.get(custom_id) or _named_step(custom_id)
        text = _reply_text(line)
        judge = str(named.get("judge") or "")
        try:
            reply = parse_reply(text, JudgeReply)
        except ValidationError:
            yield opinion_of({**named, "label": None, "rationale": "the reply is not usable"}, place)
            continue
        yield opinion_of({**named, "label": reply.label.value}, place).model_copy(
            update={"reply": text, "judge": judge, "confidence": reply.confidence / 100, "rationale": reply.rationale}
        )


def _reply_text(line: Mapping[str, Any]) -> str:
    """Return the text of a batch's line; empty where the request failed."""
    body = (line.get("response") or {}).get("body") or {}
    choices = body.get("choices") or [{}]
    return str((choices[0].get("message") or {}).get("content") or "")


def _named_step(custom_id: str) -> dict[str, Any]:
    """Read `QUESTION|ARM|SAMPLE|STEP` (judge after that, if any); anything else is taken for a step's id."""
    parts = custom_id.split("|")
    if len(parts) not in (4, 5):
        return {"step_id": custom_id}
    question, arm, sample, step, *judge = parts
    return {"question": question, "arm": arm, "sample": sample, "step_index": step, "judge": "".join(judge)}


def _steps_of_requests(path: Path) -> dict[str, dict[str, Any]]:
    """Return `custom_id` -> the step that it is about, from the file that `tracejury cases` wrote."""
    names = ("step_id", "question", "arm", "sample", "step_index", "judge")
    return {
        str(row.get("custom_id")): {name: row[name] for name in names if row.get(name) is not None}
        for _, row in json_objects(path, "opinion")
        if "step_id" in row
    }


def _inspect(path: Path, reading: Reading) -> Iterator[RecordedOpinion]:
    questions: dict[str, Question] = {}
    for item in read("inspect", path):
        match item:
            case Question():
                questions[item.id] = item
            case Trace():
                scores = item.meta.get("scores")
                for judge, value in (scores if isinstance(scores, dict) else {}).items():
                    row = {
                        "question": questions[item.question_id].key,
                        "arm": item.arm,
                        "sample": item.sample,
                        "step_index": 0,
                        "judge": judge,
                        "label": value,
                    }
                    labels = _INSPECT_LABELS | dict(reading.labels)
                    yield opinion_of(row, f"{path}: sample {row['question']}", labels)


_FORMATS: Mapping[FileFormat, Callable[[Path, Reading], Iterator[RecordedOpinion]]] = {
    "jsonl": _jsonl,
    "csv": _csv,
    "openai-batch": _openai_batch,
    "inspect": _inspect,
}


def judges_in(opinions: Sequence[RecordedOpinion]) -> tuple[str, ...]:
    """Return the judges that rows name, in the order of their first row."""
    return tuple(dict.fromkeys(o.judge for o in opinions if o.judge))
