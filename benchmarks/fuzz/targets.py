"""What is fuzzed: each target takes bytes, and raises only where the code is wrong.

A reader must turn anything into records and problems, a segmenter any text into steps that stand in it, the reply
parser any text into a reply or a ValidationError, the quote check any pair into a verdict that its own span bears
out.
"""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "traces"))
from test_broken_files import FAULTS, FILES, MEDQA, good_sample

from tracejury.agents.replies import PaperReply, judge_reply, resolver_reply, wrong_as
from tracejury.models.parsing import parse_reply, problem_of
from tracejury.retrieval import check_quote
from tracejury.retrieval.sources.reading import UnreadableError, read_docx, read_html, read_pdf, read_text
from tracejury.traces import Problem, Question, Trace, extract_answer, read, segment
from tracejury.traces.formats.inspect_log import zipfile

WORK = Path(tempfile.mkdtemp(prefix="tracejury-fuzz-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
READERS = sorted(set(FILES) - {"inspect"})


class Target(NamedTuple):
    """A target and what it starts from."""

    run: Callable[[bytes], None]
    seeds: Callable[[], Iterator[bytes]]


def check(reader: str, path: Path, **params: object) -> None:
    for record in read(reader, path, **params):
        assert isinstance(record, Question | Trace | Problem)
        if isinstance(record, Problem):
            assert record.reason
            assert record.hint
            str(record)
        else:
            # What is read goes into JSON and the ledger as it is.
            record.model_dump_json().encode()
        if isinstance(record, Trace):
            for name in ("auto", "numbered", "reasoning", "sentences", "windows"):
                for step in segment(record, name).steps:
                    assert name == "auto" or record.text[step.start : step.end].strip(), (name, step)
            extract_answer(record.text, {"A": "x", "B": "y"})


def readers(data: bytes) -> None:
    """The first byte names the reader, the rest is the file."""
    if not data:
        return
    name = READERS[data[0] % len(READERS)]
    path = WORK / name / FILES[name]
    if not path.parent.exists():
        path.parent.mkdir()
        if name == "mirage":
            questions = [json.dumps({**MEDQA, "question": f"good {n}?"}).encode() for n in range(5)]
            (path.parent / "medqa_test.jsonl").write_bytes(b"\n".join(questions))
    path.write_bytes(data[1:])
    check(name, path)


def reader_seeds() -> Iterator[bytes]:
    for n, name in enumerate(READERS):
        yield from (bytes([n]) + fault.content for fault in FAULTS[name] if len(fault.content) < 4_000)


def inspect(data: bytes) -> None:
    """An even first byte: the archive itself; an odd one: a sample inside a good archive."""
    if not data:
        return
    path = WORK / "log.eval"
    content = data[1:]
    if data[0] % 2:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("header.json", b'{"eval": {"model": "m", "task": "t"}}')
            archive.writestr("samples/1_epoch_1.json", content)
        content = buffer.getvalue()
    path.write_bytes(content)
    check("inspect", path, largest=1 << 20)


def inspect_seeds() -> Iterator[bytes]:
    yield b"\x01" + json.dumps(good_sample(1)).encode()
    yield from (b"\x00" + fault.content for fault in FAULTS["inspect"])


SCHEMAS = (judge_reply(160), judge_reply(512), resolver_reply(512, True), resolver_reply(160, False), PaperReply)


def replies(data: bytes) -> None:
    """The first byte names the schema, the rest is what a model said."""
    if not data:
        return
    text = data[1:].decode("utf-8", "replace")
    try:
        reply = parse_reply(text, SCHEMAS[data[0] % len(SCHEMAS)])
    except ValidationError as error:
        problem_of(error)
        return
    if not isinstance(reply, PaperReply):
        wrong_as(reply)  # type: ignore[arg-type]
    reply.model_dump_json().encode()


def reply_seeds() -> Iterator[bytes]:
    good = {
        "queries": ["first line for gout"], "findings": ["Three days is acute."],
        "quotes": [{"evidence": "vignette", "quote": "a cough for three days"}],
        "label": "error", "error_type": "factual", "confidence": 90,
    }  # fmt: skip
    text = json.dumps(good)
    for usage in (
        text,
        f"<think>hm {{}}</think>\n```json\n{text}\n```",
        text[:60],
        "I think so.",
        text.replace("90", "1e3"),
    ):
        yield from (bytes([n]) + usage.encode() for n in range(len(SCHEMAS)))
    yield b"\x04" + b'{"label": "correct", "explanation": "fits"}'


def quotes(data: bytes) -> None:
    """What stands before the first NUL is the quote, the rest the evidence."""
    quote, _, text = data.decode("utf-8", "replace").partition("\0")
    check = check_quote(quote, text)
    if check.verified:
        assert text[check.start : check.end].strip(), check
    else:
        assert check.why_not


def quote_seeds() -> Iterator[bytes]:
    text = "Serum potassium is 5.9 mEq/L. Do not give more than 40 mg/day; see the label (p < 0.05)."
    for quote in (
        "potassium is 5.9 mEq/L",
        "Do not give … 40 mg/day",
        "potassium is 59 mEq/L",
        "give more than 40 mg/day",
    ):
        yield f"{quote}\0{text}".encode()


def sources(data: bytes) -> None:
    """The first byte names the kind of document, the rest is the file."""
    if not data:
        return
    reader, suffix = ((read_html, "html"), (read_text, "txt"), (read_pdf, "pdf"), (read_docx, "docx"))[data[0] % 4]
    path = WORK / f"document.{suffix}"
    path.write_bytes(data[1:])
    try:
        for _, text in reader(path):
            text.encode("utf-8", "surrogatepass")
    except UnreadableError:
        return


def source_seeds() -> Iterator[bytes]:
    yield b"\x00<html><title>T</title><h1>Dose</h1><p>40 mg &amp; more<table><tr><td>x</table></html>"
    yield b"\x01# Title\n\nA paragraph."
    pdf = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages>>endobj\ntrailer<</Root 1 0 R>>"
    yield b"\x02" + pdf


TARGETS = {
    "readers": Target(readers, reader_seeds),
    "inspect": Target(inspect, inspect_seeds),
    "replies": Target(replies, reply_seeds),
    "quotes": Target(quotes, quote_seeds),
    "sources": Target(sources, source_seeds),
}
