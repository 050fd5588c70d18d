"""Logs of inspect_ai: `.eval` archives and `.json` files."""

from __future__ import annotations

import lzma
import struct
import sys
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tracejury.traces.contracts import Reader, ReadItem
from tracejury.traces.formats.documents import json_items
from tracejury.traces.formats.lines import invalid, parse, unreadable
from tracejury.traces.formats.place import Placed, files_under
from tracejury.traces.formats.table import checked_fields
from tracejury.traces.records import Problem
from tracejury.traces.tables.options import options_of
from tracejury.traces.tables.paths import first_at
from tracejury.traces.tables.records_of import make_question, make_trace
from tracejury.traces.tables.replies import message_reasoning, plain_content, take_apart

# inspect_ai compresses its archives with Zstandard, which Python's own zipfile reads from 3.14 on.
if sys.version_info >= (3, 14):
    import zipfile

    from compression.zstd import ZstdError
else:
    from backports.zstd import ZstdError, zipfile

_HINT = "the log is read as inspect_ai writes it; try `inspect log dump` on it"
_LARGEST_MEMBER = 256 << 20
"""Bytes that one member of an archive may unpack to: a sample of a thousand long messages has a few MB."""
# What zipfile raises for a spoiled member: its own errors, its decompressors', and the file's where a header points
# before its beginning.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    ZstdError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    struct.error,
)


class InspectLog(Placed):
    """A sample is a question, its last assistant message the trace, its epoch the sample; the task is its source.

    An archive's members are unpacked one at a time and no further than 256 MB each, whatever their headers claim.
    Scores are kept in `meta.scores`.
    """

    name = "inspect"
    guesses = True
    summary = "inspect_ai logs: .eval archives and .json; --map gold=metadata...."

    def __init__(self, fields: Mapping[str, str] | None = None, largest: int = _LARGEST_MEMBER) -> None:
        self.fields, self.largest = checked_fields(fields), largest

    def read(self, path: Path) -> Iterator[ReadItem]:
        """Yield the samples of a log, or of every log in a folder."""
        files = files_under(path, "*.eval", "*.json")
        if not files:
            self.at(path)
            yield self.problem("the folder holds no .eval and no .json file", "name a log of inspect_ai")
        for file in files:
            self.at(file)
            yield from self._json(file) if file.suffix == ".json" else self._archive(file)

    def _archive(self, file: Path) -> Iterator[ReadItem]:
        try:
            archive = zipfile.ZipFile(file)
        except OSError as error:
            yield unreadable(file, error)
            return
        except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
            yield self.problem(f"not a zip archive: {error}", "fetch the log again; it may have been cut off")
            return
        with archive:
            names = archive.namelist()
            header = self._member(archive, "header.json") if "header.json" in names else None
            if header is None:
                # A run that was killed has no header yet; what it started with says as much.
                header = self._member(archive, "_journal/start.json") if "_journal/start.json" in names else {}
                yield self.problem("the log has no header.json: the run did not end", "its finished samples are read")
            if isinstance(header, Problem):
                yield header
                header = {}
            for name in sorted(n for n in names if n.startswith("samples/") and n.endswith(".json")):
                sample = self._member(archive, name)
                if isinstance(sample, Problem):
                    yield sample
                else:
                    yield from self._sample(file, name, sample, header)

    def _member(self, archive: zipfile.ZipFile, name: str) -> dict[str, Any] | Problem:
        """Return a member's JSON object, unpacking no more than is allowed."""
        try:
            with archive.open(name) as member:
                raw = member.read(self.largest + 1)
        except _BROKEN as error:
            return self.problem(
                f"{name} cannot be unpacked: {error}", "the other members are read; fetch the log again"
            )
        if len(raw) > self.largest:
            what = f"{name} unpacks to more than {self.largest >> 20} MB and is left out"
            return self.problem(what, "an archive like this may be made to fill the memory; ask who sent it")
        data = parse(raw, Path(f"{self.file}/{name}"))
        if isinstance(data, Problem):
            return data
        return data if isinstance(data, dict) else self.problem(f"{name} holds no JSON object", _HINT)

    def _json(self, file: Path) -> Iterator[ReadItem]:
        header: dict[str, Any] = {}
        for item in json_items(file):
            if isinstance(item, Problem):
                yield item
            elif item.key == "samples" and isinstance(item.value, list):
                for number, sample in enumerate(item.value):
                    self.line = item.line
                    yield from self._sample(file, f"samples[{number}]", sample, header)
            elif item.key == "eval":
                header = {"eval": item.value}
            elif item.key is None:
                self.at(file, item.line)
                yield self.problem("the file is no inspect_ai log", _HINT)
                return

    def _sample(self, file: Path, name: str, sample: Any, header: Mapping[str, Any]) -> Iterator[ReadItem]:
        messages = sample.get("messages") if isinstance(sample, dict) else None
        replies = [m for m in messages or [] if isinstance(m, dict) and m.get("role") == "assistant"]
        prompt = _prompt(sample, self.fields) if isinstance(sample, dict) else None
        if not replies or not prompt:
            what = "no assistant message" if prompt else "no input"
            error = sample.get("error") if isinstance(sample, dict) else None
            why = f"; it ended with: {str(error.get('message'))[:200]}" if isinstance(error, dict) else ""
            yield self.problem(f"{name} has {what}{why}", "run the sample again (`inspect eval-retry`)")
            return
        try:
            yield from self._records(sample, header, prompt, replies[-1])
        except ValidationError as error:
            yield invalid(Path(f"{file}/{name}"), None, error, _HINT)

    def _records(
        self, sample: dict[str, Any], header: Mapping[str, Any], prompt: str, message: dict[str, Any]
    ) -> Iterator[ReadItem]:
        spec = _mapping(header.get("eval"))
        question = make_question(
            prompt,
            options_of(first_at(sample, "options", self.fields, "choices")),
            first_at(sample, "gold", self.fields, "target"),
            source=str(spec.get("task") or "inspect"),
            key=str(sample.get("id", "")),
        )
        yield question
        content, reasoning = plain_content(_attached(sample, message.get("content")))
        output = _mapping(sample.get("output"))
        usage, scores = _mapping(output.get("usage")), _mapping(sample.get("scores"))
        yield make_trace(
            question,
            take_apart(content, message_reasoning(message) or reasoning),
            answer=first_at(sample, "answer", self.fields),
            model=str(first_at(sample, "model", self.fields) or output.get("model") or spec.get("model") or "unknown"),
            arm=str(first_at(sample, "arm", self.fields) or "base"),
            sample=int(sample.get("epoch") or 1) - 1,
            prompt_tokens=usage.get("input_tokens"),
            completion_tokens=usage.get("output_tokens"),
            finish_reason=first_at(output, "finish_reason", {}, "choices.0.stop_reason"),
            meta={
                "key": question.key,
                "scores": {k: v.get("value") for k, v in scores.items() if isinstance(v, dict)} or None,
                "hint_used": first_at(sample, "hint_used", self.fields, "metadata.hint_used"),
                "teacher": first_at(sample, "teacher", self.fields, "metadata.teacher"),
            },
        )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _prompt(sample: dict[str, Any], fields: Mapping[str, str]) -> str | None:
    """Return the question as the data set has it, before the solver's template."""
    value = _attached(sample, first_at(sample, "stem", fields, "input"))
    if isinstance(value, list):
        user_messages = [m for m in value if isinstance(m, dict) and m.get("role") == "user"]
        value = plain_content(_attached(sample, user_messages[-1].get("content")))[0] if user_messages else None
    return value if isinstance(value, str) and value.strip() else None


def _attached(sample: dict[str, Any], value: object) -> object:
    """Return the value, or the attachment that stands for it."""
    if isinstance(value, str) and value.startswith("attachment://"):
        return _mapping(sample.get("attachments")).get(value.removeprefix("attachment://"), value)
    return value


def inspect_log(fields: Mapping[str, str] | None = None, largest: int = _LARGEST_MEMBER) -> Reader:
    """Make the `inspect` reader; `fields` maps a field to a dotted path, `largest` bounds a member in bytes."""
    return InspectLog(fields, largest)
